//! The scrub: one job for everybody who waits for it, as often as the size of the database allows.

use domain::Moment;
use persistence::rights as queries;
use sea_orm::ConnectionTrait;

use super::erase::SCRUB_STEP;
use crate::{Backend, Error, Result};

/// Kind of the job.
pub const SCRUB: &str = "scrub";
/// Rewriting a file keeps writers waiting for about a second per hundred megabytes: a small one is scrubbed at once, a
/// large one once an hour, for everybody who waits.
const SMALL_BYTES: u64 = 512 << 20;
const SMALL_SECONDS: i64 = 30;
const LARGE_SECONDS: i64 = 3600;
/// Tries: a reader that is in the way goes away within minutes.
const TRIES: i32 = 20;

impl Backend {
    async fn scrub_interval(&self) -> Result<i64> {
        let Some(file) = self.db().file().await? else { return Ok(SMALL_SECONDS) };
        let bytes = tokio::fs::metadata(file).await.map_or(0, |facts| facts.len());
        Ok(if bytes <= SMALL_BYTES { SMALL_SECONDS } else { LARGE_SECONDS })
    }

    /// Plans the next scrub: now, unless one ran just before; then at the end of its time.
    pub(crate) async fn plan_scrub(&self, conn: &impl ConnectionTrait, now: Moment) -> Result<()> {
        let interval = self.scrub_interval().await?;
        let slot = now.unix_seconds().div_euclid(interval);
        for (slot, run_at) in [(slot, now), (slot + 1, Moment::from_unix_seconds((slot + 1) * interval))] {
            let job = jobs::NewJob {
                kind: SCRUB,
                payload: serde_json::json!({}),
                run_at,
                idempotency_key: Some(format!("{SCRUB}:{interval}:{slot}")),
                max_attempts: TRIES,
            };
            jobs::enqueue(conn, job, now).await?;
        }
        Ok(())
    }

    /// Scrubs both databases for every erasure that waits for it; without one there is nothing to do.
    ///
    /// # Errors
    /// When a reader stays in the way; the job tries again.
    pub(crate) async fn scrub(&self) -> Result<()> {
        // Those who come while it runs wait for the next one.
        let waiting = queries::waiting_tasks(self.db().reader(), SCRUB_STEP).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        crate::markdown::forget();
        for database in [self.db(), self.keyring().database()] {
            let scrubbed =
                privacy::scrub::scrub(database).await.map_err(|error| Error::fault("scrub a database", error))?;
            for advice in scrubbed.advice {
                tracing::warn!(error = advice, "the database server's log could hold values");
            }
        }
        let now = self.now();
        let transaction = self.db().begin().await?;
        for task in waiting {
            queries::end_waiting(&transaction, task.id, now).await?;
            self.plan_run(&transaction, task.request_id, now, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
