//! Taking a request a step further.

use domain::ids::RequestId;
use domain::rights::RightKind;
use persistence::rights as queries;

use super::erase::Step;
use crate::{Backend, Error, Result};

impl Backend {
    /// Takes a request as far as it can go now. Doing it again changes nothing.
    ///
    /// # Errors
    /// When a step cannot be done; the job tries again.
    pub(crate) async fn run_request(&self, id: RequestId) -> Result<()> {
        let Some(row) = queries::request(self.db().reader(), id).await? else {
            return Ok(());
        };
        match RightKind::from_stored(&row.kind) {
            // About nobody yet: words for the operators.
            Some(RightKind::Complaint | RightKind::Minor) if Self::is_message(&row) => self.look_at_message(&row).await,
            Some(RightKind::Erase | RightKind::Minor) => {
                while self.step_erasure(id, None).await? == Step::Again {}
                Ok(())
            }
            Some(RightKind::Rectify) => match self.apply_correction(id).await {
                // Denied, and on record as such.
                Ok(_) | Err(Error::Refused(_)) => Ok(()),
                Err(error) => Err(error),
            },
            _ => Ok(()),
        }
    }
}
