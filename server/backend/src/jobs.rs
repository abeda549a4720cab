//! The worker: takes due jobs and calls the verb each one names. Also the whole periodic schedule, on one page.

use domain::Moment;
use domain::ids::{MailId, PortalProofId, RequestId, UploadId, VideoId};

use crate::mails::{SEND_MAIL, Sent};
use crate::rights::keep_promises::{KEEP_PROMISES, KEEP_SECONDS};
use crate::rights::portal::MAIL_PROOF;
use crate::rights::{RUN_REQUEST, SCRUB};
use crate::uploads::FINISH_UPLOAD;
use crate::videos::PROCESS_VIDEO;
use crate::{Backend, Error, Result};

/// Everything periodic, with its interval in seconds.
pub const PERIODIC: [(&str, i64); 4] = [
    // What is over goes, what was announced ends, what was left lying is taken up.
    (KEEP_PROMISES, KEEP_SECONDS),
    // Uploads nobody went on with.
    ("sweep_uploads", 3600),
    // Registrations whose link expired or whose last beat is a day old become final.
    ("finalise_registrations", 600),
    // Logins, one-time tokens, limits and finished jobs nobody needs any more.
    ("prune", 6 * 3600),
];
/// Jobs taken at once.
const CLAIM: u64 = 8;
/// A worker that says nothing for this long has died; its jobs are taken again. Longer than any single step.
const LEASE_SECONDS: i64 = 30 * 60;
/// Longest sleep of an idle worker: another server may have written a job.
const LONGEST_WAIT_SECONDS: u64 = 5;

impl Backend {
    /// Makes sure that every periodic job has its next run planned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan_periodic(&self) -> Result<()> {
        for (kind, interval) in PERIODIC {
            self.plan_next(kind, interval, self.now()).await?;
        }
        Ok(())
    }

    async fn plan_next(&self, kind: &str, interval: i64, now: Moment) -> Result<()> {
        let slot = now.unix_seconds().div_euclid(interval) + 1;
        let transaction = self.db().begin().await?;
        let job = jobs::NewJob {
            kind,
            payload: serde_json::json!({}),
            run_at: Moment::from_unix_seconds(slot * interval),
            idempotency_key: Some(format!("{kind}:{slot}")),
            max_attempts: 3,
        };
        jobs::enqueue(&transaction, job, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Runs every job that is due, in order, until none is left. Returns how many ran.
    ///
    /// # Errors
    /// When the queue itself cannot be read or written; a job that fails is retried and no error here.
    pub async fn run_due_jobs(&self, owner: &str) -> Result<usize> {
        let mut ran = 0;
        loop {
            let now = self.now();
            let transaction = self.db().begin().await?;
            let due = jobs::claim(&transaction, owner, now, LEASE_SECONDS, CLAIM).await?;
            transaction.commit().await?;
            if due.is_empty() {
                return Ok(ran);
            }
            ran += due.len();
            for job in due {
                self.run_job(job).await?;
            }
        }
    }

    async fn run_job(&self, job: jobs::Job) -> Result<()> {
        let outcome = self.perform(&job).await;
        let now = self.now();
        let transaction = self.db().begin().await?;
        match outcome {
            Ok(Done::Yes) => jobs::complete(&transaction, job.id, now).await?,
            Ok(Done::Later(reason)) => jobs::retry(&transaction, job.id, &reason, now).await?,
            // "No" does not become "yes" by asking again.
            Err(Error::Refused(refusal)) => jobs::park(&transaction, job.id, &refusal.message, now).await?,
            Err(error) => {
                let chain = crate::error::chain(&error);
                tracing::error!(kind = job.kind, attempts = job.attempts, error = chain, "a job failed");
                jobs::retry(&transaction, job.id, &chain, now).await?;
            }
        }
        transaction.commit().await?;
        if let Some((kind, interval)) = PERIODIC.iter().find(|(kind, _)| *kind == job.kind) {
            self.plan_next(kind, *interval, now).await?;
        }
        Ok(())
    }

    async fn perform(&self, job: &jobs::Job) -> Result<Done> {
        match job.kind.as_str() {
            SEND_MAIL => match self.send_planned_mail(id_in::<MailId>(job, "mail")?).await? {
                Sent::Settled => Ok(Done::Yes),
                Sent::Later(reason) => Ok(Done::Later(reason)),
            },
            MAIL_PROOF => match self.mail_proof(id_in::<PortalProofId>(job, "proof")?).await? {
                Sent::Settled => Ok(Done::Yes),
                Sent::Later(reason) => Ok(Done::Later(reason)),
            },
            FINISH_UPLOAD => match self.finish_upload(id_in::<UploadId>(job, "upload")?).await {
                // The refusal is already noted on the upload, where the coach sees it.
                Ok(()) | Err(Error::Refused(_)) => Ok(Done::Yes),
                Err(error) => Err(error),
            },
            PROCESS_VIDEO => self.process_video(id_in::<VideoId>(job, "video")?).await.map(|()| Done::Yes),
            RUN_REQUEST => self.run_request(id_in::<RequestId>(job, "request")?).await.map(|()| Done::Yes),
            KEEP_PROMISES => self.keep_promises().await.map(|()| Done::Yes),
            SCRUB => self.scrub().await.map(|()| Done::Yes),
            "sweep_uploads" => self.sweep_uploads().await.map(|()| Done::Yes),
            "finalise_registrations" => self.finalise_registrations().await.map(|()| Done::Yes),
            "prune" => self.prune().await.map(|()| Done::Yes),
            other => Err(Error::fault("run a job", format!("no job is called {other}"))),
        }
    }

    /// Runs jobs until `stop` resolves. Sleeps until the next one is due or somebody wakes it.
    pub async fn work(&self, owner: &str, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            if let Err(error) = self.run_due_jobs(owner).await {
                tracing::error!(error = crate::error::chain(&error), "the job queue cannot be read");
            }
            let wait = match jobs::next_run_at(self.db().reader()).await {
                Ok(Some(next)) => (next.seconds_since(self.now()).max(0.0) as u64).min(LONGEST_WAIT_SECONDS),
                Ok(None) | Err(_) => LONGEST_WAIT_SECONDS,
            };
            tokio::select! {
                () = &mut stop => return,
                () = self.worker_woken() => {}
                () = tokio::time::sleep(std::time::Duration::from_secs(wait.max(1))) => {}
            }
        }
    }

    /// Moves the clock to `target`, running everything that falls due on the way at its own time.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn move_clock(&self, target: Moment) -> Result<()> {
        while let Some(next) = jobs::next_run_at(self.db().reader()).await? {
            if next > target {
                break;
            }
            if next > self.now() {
                self.clock().set(next);
            }
            if self.run_due_jobs("clock").await? == 0 {
                // Held by another worker; it sees the moved clock as well.
                break;
            }
        }
        self.clock().set(target);
        self.run_due_jobs("clock").await?;
        Ok(())
    }
}

enum Done {
    Yes,
    Later(String),
}

fn id_in<T: std::str::FromStr>(job: &jobs::Job, name: &str) -> Result<T> {
    job.payload
        .get(name)
        .and_then(serde_json::Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::fault("read a job", format!("{} names no {name}", job.kind)))
}

impl Backend {
    /// When the next job is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_job_at(&self) -> Result<Option<Moment>> {
        Ok(jobs::next_run_at(self.db().reader()).await?)
    }

    /// Jobs that wait, run or were parked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_jobs(&self) -> Result<Vec<jobs::Job>> {
        let mut found = Vec::new();
        for state in ["running", "ready", "parked"] {
            found.extend(jobs::list(self.db().reader(), state).await?);
        }
        Ok(found)
    }

    /// Makes a parked job ready again.
    ///
    /// # Errors
    /// Refuses a job that is not parked.
    pub async fn retry_job(&self, id: domain::ids::JobId) -> Result<()> {
        let transaction = self.db().begin().await?;
        if !jobs::unpark(&transaction, id, self.now()).await? {
            return Err(domain::Refusal::new(domain::RefusalKind::NotFound, "No parked job has this id.").into());
        }
        transaction.commit().await?;
        Ok(())
    }
}
