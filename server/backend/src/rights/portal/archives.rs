//! Taking it along: the archive of what one coach holds, asked for, fetched and ended by the person.

use domain::ids::{CoachId, ExportId};

use super::Portal;
use crate::Result;
use crate::rights::Whose;

impl Portal {
    async fn whose(&self, coach: CoachId) -> Result<Whose> {
        let (coach, subject) = self.person(coach).await?;
        Ok(Whose::Viewer(coach, subject))
    }

    /// Asks for an archive; a mail says when it is written.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, as if she did not exist, and a second archive within a day.
    pub async fn ask_archive(&self, coach: CoachId) -> Result<ExportId> {
        self.backend.ask_archive(self.whose(coach).await?).await
    }

    /// Where this browser fetches an archive, for ten minutes. `session` is its own token.
    ///
    /// # Errors
    /// Refuses somebody else's as if it did not exist, and one that is not written yet or gone already.
    pub async fn archive_link(&self, coach: CoachId, id: ExportId, session: &str) -> Result<String> {
        self.backend.archive_link(self.whose(coach).await?, id, session).await
    }

    /// Ends an archive at once.
    ///
    /// # Errors
    /// Refuses somebody else's as if it did not exist.
    pub async fn revoke_archive(&self, coach: CoachId, id: ExportId) -> Result<()> {
        self.backend.revoke_archive(self.whose(coach).await?, id).await
    }
}
