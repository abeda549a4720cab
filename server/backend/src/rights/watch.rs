//! The watchdog: takes up what was interrupted, warns before a deadline, and holds the last one.

use domain::rights::{ALARM_DAYS, ERASURE_DAYS, RequestState, RightKind, SubjectKind};
use persistence::entities::dsr_request;
use persistence::rights as queries;

use super::events::Event;
use crate::{Backend, Result};

/// Kind of the periodic job.
pub const WATCH_REQUESTS: &str = "watch_requests";
/// How often it looks.
pub const WATCH_SECONDS: i64 = 3600;
const DAY_SECONDS: f64 = 86_400.0;

impl Backend {
    /// Looks at every request that is not over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watch_requests(&self) -> Result<()> {
        let now = self.now();
        for row in queries::unfinished(self.db().reader()).await? {
            let is_erasure = matches!(RightKind::from_stored(&row.kind), Some(RightKind::Erase | RightKind::Minor));
            if is_erasure {
                self.watch_deadline(&row).await?;
            }
            let is_due = match Self::request_state(&row)? {
                RequestState::Undo => row.undo_until.is_none_or(|until| until <= now),
                RequestState::Verified
                | RequestState::Running
                | RequestState::Verifying
                | RequestState::Failed
                | RequestState::Held => true,
                _ => false,
            };
            if is_due {
                let transaction = self.db().begin().await?;
                self.plan_run(&transaction, row.id, now, now).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Day 25 rings, day 30 stops every waiting (promise P45).
    async fn watch_deadline(&self, row: &dsr_request::Model) -> Result<()> {
        let now = self.now();
        if SubjectKind::from_stored(&row.subject_kind) != Some(SubjectKind::Coach)
            || Self::request_state(row)? == RequestState::Held
        {
            return Ok(());
        }
        // Once a day, at the first look.
        let late = now.seconds_since(row.received_at.plus_days(ALARM_DAYS));
        if late >= 0.0 && late % DAY_SECONDS < WATCH_SECONDS as f64 {
            self.note_event(Event::DeletionLate, row.id, 1);
        }
        // One watch before the hard stop, so that what it begins is done on time.
        let stop = row.received_at.plus_days(ERASURE_DAYS).plus_seconds(-2 * WATCH_SECONDS);
        if stop <= now && row.undo_until.is_some_and(|until| until > now) {
            self.note_event(Event::DeletionForced, row.id, 1);
            let transaction = self.db().begin().await?;
            queries::end_undo(&transaction, row.id, now).await?;
            self.plan_run(&transaction, row.id, now, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}
