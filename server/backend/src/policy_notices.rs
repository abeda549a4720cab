//! Telling coaches that the privacy policy changes (promise P51): before it takes effect, by mail and on their home page,
//! with a record of who was told and who acknowledged it.

use domain::messages::PolicyNotice;
use domain::{Moment, Refusal, RefusalKind};
use persistence::policy_notices as queries;
use privacy::audit::{Event, Role};
use privacy::policy::Versions;

use crate::{Backend, Coach, Result};

/// Template of the mail.
pub(crate) const POLICY_CHANGED: &str = "policy_changed";

impl Backend {
    /// Tells every account that was opened before a published change that matters, once. Doing it again changes nothing.
    pub(crate) async fn announce_policy(&self, versions: &Versions, now: Moment) -> Result<u64> {
        let mut told = 0;
        for version in versions.published(now).filter(|version| version.is_material) {
            loop {
                let transaction = self.db().begin().await?;
                let untold = queries::untold(&transaction, &version.name, version.published).await?;
                if untold.is_empty() {
                    break;
                }
                for coach in &untold {
                    queries::note(&transaction, *coach, &version.name, now).await?;
                    let once = format!("{POLICY_CHANGED}:{}:{coach}", version.name);
                    self.enqueue_mail(&transaction, *coach, POLICY_CHANGED, &once, None, None, now).await?;
                }
                let count = untold.len() as u64;
                self.audit(&transaction, Event::PolicyChanged, Role::System, None, ("consent", count), now).await?;
                transaction.commit().await?;
                told += count;
            }
        }
        if told > 0 {
            self.wake_worker();
        }
        Ok(told)
    }
}

impl Coach {
    /// The newest change of the policy she was told of and has not acknowledged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn policy_notice(&self) -> Result<Option<PolicyNotice>> {
        self.policy_notice_among(Versions::of_the_policy()).await
    }

    pub(crate) async fn policy_notice_among(&self, versions: &Versions) -> Result<Option<PolicyNotice>> {
        let standing = queries::standing(self.backend.db().reader(), self.id).await?;
        Ok(standing.and_then(|name| versions.named(&name).map(|(version, _)| version)).map(|version| PolicyNotice {
            version: version.name.clone(),
            summary: version.summary.clone(),
            effective: version.effective,
        }))
    }

    /// Notes that she has seen a change of the policy.
    ///
    /// # Errors
    /// Refuses when there is nothing to acknowledge.
    pub async fn acknowledge_policy(&self, version: &str) -> Result<()> {
        let backend = &self.backend;
        let transaction = backend.db().begin().await?;
        if !queries::acknowledge(&transaction, self.id, version, backend.now()).await? {
            let message = "There is nothing left to acknowledge here.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        transaction.commit().await?;
        Ok(())
    }
}
