//! The worker: takes due jobs and calls the verb each one names. Also the whole periodic schedule, on one page.
//!
//! Jobs run in lanes side by side, so that a recording of ten gigabytes holds up neither mails nor anybody's rights.
//! Within a lane they run in order. Whoever runs a job says so every few seconds; a silent one is taken over within a
//! minute (quality.md §3). A panic is a failed attempt of its job and of nothing else.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use domain::Moment;
use domain::ids::{ExportId, JobId, MailId, PortalProofId, RequestId, UploadId, VideoId};
use domain::processing::ProcessingPurpose;
use futures::FutureExt;
use jobs::Kinds;
use persistence::declared;

use crate::backups::{BACK_UP, BACK_UP_SECONDS};
use crate::mails::{SEND_MAIL, Sent};
use crate::rights::archive::WRITE_ARCHIVE;
use crate::rights::keep_promises::{KEEP_PROMISES, KEEP_SECONDS};
use crate::rights::portal::MAIL_PROOF;
use crate::rights::{RUN_REQUEST, SCRUB};
use crate::sequences::SEND_DUE_MAILS;
use crate::uploads::FINISH_UPLOAD;
use crate::videos::PROCESS_VIDEO;
use crate::{Backend, Error, Result};

/// Everything periodic, with its interval in seconds.
pub const PERIODIC: [(&str, i64); 5] = [
    // What is over goes, what was announced ends, what was left lying is taken up.
    (KEEP_PROMISES, KEEP_SECONDS),
    // Uploads nobody went on with.
    ("sweep_uploads", 3600),
    // Registrations whose link expired or whose last beat is a day old become final.
    ("finalise_registrations", 600),
    // Logins, one-time tokens, limits and finished jobs nobody needs any more.
    ("prune", 6 * 3600),
    // The nightly backup.
    (BACK_UP, BACK_UP_SECONDS),
];
const PROVIDE: &[ProcessingPurpose] = &[ProcessingPurpose::Provide];
const COMMUNICATE: &[ProcessingPurpose] = &[ProcessingPurpose::Communicate];
const PROVIDE_AND_TELL: &[ProcessingPurpose] = &[ProcessingPurpose::Provide, ProcessingPurpose::Communicate];
/// What each job is for (promise P17). It opens nobody's data for anything else, and one that is not listed is not run.
const PURPOSES: [(&str, &[ProcessingPurpose]); 13] = [
    (SEND_MAIL, COMMUNICATE),
    (SEND_DUE_MAILS, COMMUNICATE),
    (MAIL_PROOF, COMMUNICATE),
    (FINISH_UPLOAD, PROVIDE),
    (PROCESS_VIDEO, PROVIDE),
    // What is done for a person is told to them.
    (RUN_REQUEST, PROVIDE_AND_TELL),
    (KEEP_PROMISES, PROVIDE_AND_TELL),
    (WRITE_ARCHIVE, PROVIDE),
    (BACK_UP, PROVIDE),
    (SCRUB, PROVIDE),
    ("sweep_uploads", PROVIDE),
    ("finalise_registrations", PROVIDE),
    ("prune", PROVIDE),
];
/// What takes minutes: whole recordings go through it.
const MEDIA: [&str; 2] = [FINISH_UPLOAD, PROCESS_VIDEO];
/// What copies everything, and takes as long as there is much.
const COPIES: [&str; 2] = [WRITE_ARCHIVE, BACK_UP];
/// What people asked for about their data. Its steps wait for each other, never for a recording.
const RIGHTS: [&str; 2] = [RUN_REQUEST, KEEP_PROMISES];
/// Thousands of mails that are due at once hold up nobody's own.
const POST: [&str; 1] = [SEND_DUE_MAILS];
/// What waits until nobody reads: the next request must not wait with it.
const SCRUBS: [&str; 1] = [SCRUB];
/// Everything else is for people who wait.
const NOT_USUAL: [&str; 8] =
    [FINISH_UPLOAD, PROCESS_VIDEO, WRITE_ARCHIVE, BACK_UP, RUN_REQUEST, KEEP_PROMISES, SEND_DUE_MAILS, SCRUB];
/// Each runs by itself.
const LANES: [Kinds<'_>; 6] = [
    Kinds::Except(&NOT_USUAL),
    Kinds::Only(&MEDIA),
    Kinds::Only(&COPIES),
    Kinds::Only(&RIGHTS),
    Kinds::Only(&POST),
    Kinds::Only(&SCRUBS),
];
/// Jobs taken at once.
const CLAIM: u64 = 8;
/// A worker that says nothing for this long has died; its jobs are taken again.
const LEASE_SECONDS: i64 = 45;
/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Time the job under way has at the end of the process; then another server, or the next start, takes it up.
const GRACE: Duration = Duration::from_secs(20);
/// How often a moving clock looks again for a job that another server holds, before it goes on without it.
const WAITS_FOR_ANOTHER_SERVER: u32 = 500;
/// Longest sleep of an idle worker: another server may have written a job.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Sleep of a worker while a due job is in somebody else's hands.
const NOT_OURS: Duration = Duration::from_secs(1);

/// How long a worker sleeps that has nothing to do: until the next job is due, to the millisecond.
fn wait_for(next: Moment, now: Moment) -> Duration {
    let left = u64::try_from(next.unix_millis() - now.unix_millis()).unwrap_or_default();
    // The clock is read in whole milliseconds: one more, and the job is due.
    if left == 0 { NOT_OURS } else { Duration::from_millis(left.max(20) + 1).min(LONGEST_WAIT) }
}

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
            let due = self.take_jobs(owner, Kinds::All).await?;
            if due.is_empty() {
                return Ok(ran);
            }
            ran += due.len();
            let taken = Instant::now();
            for job in due {
                self.run_job(&job.job, owner, taken).await?;
            }
        }
    }

    async fn take_jobs(&self, owner: &str, kinds: Kinds<'_>) -> Result<Vec<Taken<'_>>> {
        let alive = self.running_jobs().all();
        let claim = jobs::Claim { owner, lease_seconds: LEASE_SECONDS, limit: CLAIM, kinds, alive: &alive };
        let transaction = self.db().begin().await?;
        let due = jobs::claim(&transaction, &claim, self.now()).await?;
        let due = due.into_iter().map(|job| Taken { _alive: self.running_jobs().begin(job.id), job }).collect();
        transaction.commit().await?;
        Ok(due)
    }

    async fn run_job(&self, job: &jobs::Job, owner: &str, taken: Instant) -> Result<()> {
        // Those taken before it may have lasted longer than its lease.
        if taken.elapsed() > HEARTBEAT && !self.renew_lease(job.id, owner).await? {
            return Ok(());
        }
        let outcome = tokio::select! {
            outcome = AssertUnwindSafe(self.perform(job)).catch_unwind() => outcome,
            () = self.keep_lease(job.id, owner) => return Ok(()),
        };
        let outcome = outcome.unwrap_or_else(|_panic| Err(Error::fault("run a job", format!("{} panicked", job.kind))));
        let now = self.now();
        let transaction = self.db().begin().await?;
        match outcome {
            Ok(Done::Yes) => jobs::complete(&transaction, job.id, owner, now).await?,
            Ok(Done::Later(reason)) => jobs::retry(&transaction, job.id, owner, &reason, now).await?,
            // "No" does not become "yes" by asking again.
            Err(Error::Refused(refusal)) => jobs::park(&transaction, job.id, owner, &refusal.message, now).await?,
            Err(error) => {
                let chain = crate::error::chain(&error);
                tracing::error!(kind = job.kind, attempts = job.attempts, error = chain, "a job failed");
                jobs::retry(&transaction, job.id, owner, &chain, now).await?;
            }
        }
        transaction.commit().await?;
        if let Some((kind, interval)) = PERIODIC.iter().find(|(kind, _)| *kind == job.kind) {
            self.plan_next(kind, *interval, now).await?;
        }
        Ok(())
    }

    /// Says that the job is under way for as long as it is; ends when somebody else has taken it.
    async fn keep_lease(&self, id: JobId, owner: &str) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.renew_lease(id, owner).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(job = %id, "another worker has this job now");
                    return;
                }
                // Perhaps only this moment; whoever cannot reach the database cannot take the job either.
                Err(error) => tracing::warn!(error = crate::error::chain(&error), "a lease could not be renewed"),
            }
        }
    }

    async fn renew_lease(&self, id: JobId, owner: &str) -> Result<bool> {
        let transaction = self.db().begin().await?;
        let until = self.now().plus_seconds(LEASE_SECONDS);
        let is_ours = jobs::renew(&transaction, id, owner, until).await?;
        transaction.commit().await?;
        Ok(is_ours)
    }

    async fn perform(&self, job: &jobs::Job) -> Result<Done> {
        let unknown = || Error::fault("run a job", format!("no job is called {}", job.kind));
        let (_, purposes) = PURPOSES.iter().find(|(kind, _)| *kind == job.kind).ok_or_else(unknown)?;
        declared::serving(purposes, self.perform_declared(job)).await
    }

    async fn perform_declared(&self, job: &jobs::Job) -> Result<Done> {
        match job.kind.as_str() {
            SEND_MAIL => match self.send_planned_mail(id_in::<MailId>(job, "mail")?).await? {
                Sent::Settled => Ok(Done::Yes),
                Sent::Later(reason) => Ok(Done::Later(reason)),
            },
            SEND_DUE_MAILS => self.send_due_mails().await.map(|()| Done::Yes),
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
            WRITE_ARCHIVE => {
                self.write_archive(id_in::<ExportId>(job, "archive")?, job.attempts).await.map(|()| Done::Yes)
            }
            KEEP_PROMISES => self.keep_promises().await.map(|()| Done::Yes),
            BACK_UP => self.back_up().await.map(|()| Done::Yes),
            SCRUB => self.scrub().await.map(|()| Done::Yes),
            "sweep_uploads" => self.sweep_uploads().await.map(|()| Done::Yes),
            "finalise_registrations" => self.finalise_registrations().await.map(|()| Done::Yes),
            "prune" => self.prune().await.map(|()| Done::Yes),
            other => Err(Error::fault("run a job", format!("no job is called {other}"))),
        }
    }

    /// Runs jobs until `stop` resolves, and the one under way to its end if that is near.
    pub async fn work(&self, owner: &str, stop: impl Future<Output = ()>) {
        let (tell, told) = tokio::sync::watch::channel(false);
        let lanes = futures::future::join_all(LANES.map(|kinds| self.work_in_lane(owner, kinds, told.clone())));
        let stopped = async {
            stop.await;
            tell.send_replace(true);
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = lanes => {}
            () = stopped => tracing::warn!("a job did not come to its end; it is taken up again later"),
        }
    }

    /// Sleeps until the next job is due or somebody wakes it.
    async fn work_in_lane(&self, owner: &str, kinds: Kinds<'_>, mut told: tokio::sync::watch::Receiver<bool>) {
        let mut woken = self.woken();
        while !*told.borrow() {
            match self.run_lane(owner, kinds, &told).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::error!(error = crate::error::chain(&error), "the job queue failed"),
            }
            let wait = match jobs::next_run_at(self.db().reader()).await {
                Ok(Some(next)) => wait_for(next, self.now()),
                Ok(None) | Err(_) => LONGEST_WAIT,
            };
            tokio::select! {
                // An error means the sender is gone, which is an end as well.
                _ended = told.wait_for(|stop| *stop) => return,
                // It lives as long as the backend.
                _ = woken.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn run_lane(
        &self,
        owner: &str,
        kinds: Kinds<'_>,
        told: &tokio::sync::watch::Receiver<bool>,
    ) -> Result<usize> {
        let due = self.take_jobs(owner, kinds).await?;
        let count = due.len();
        let taken = Instant::now();
        for taken_job in due {
            let job = &taken_job.job;
            let id = job.id;
            if *told.borrow() {
                let transaction = self.db().begin().await?;
                jobs::release(&transaction, id, owner).await?;
                transaction.commit().await?;
            } else if let Err(error) = self.run_job(job, owner, taken).await {
                // Its lease ends by itself; the others taken with it go on.
                tracing::error!(job = %id, error = crate::error::chain(&error), "the end of a job was not written");
            }
        }
        Ok(count)
    }

    /// Moves the clock to `target`, running everything that falls due on the way at its own time. What the lanes have
    /// under way comes to its end first: whatever it plans next is due by the time it began under.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn move_clock(&self, target: Moment) -> Result<()> {
        let mut waits_left = WAITS_FOR_ANOTHER_SERVER;
        loop {
            self.running_jobs().none_left().await;
            let next = jobs::next_run_at(self.db().reader()).await?.filter(|next| *next <= target);
            if next.is_none_or(|next| next > self.now()) {
                self.clock().set(next.unwrap_or(target));
            }
            if next.is_none() {
                return Ok(());
            }
            if self.run_due_jobs("clock").await? == 0 {
                // A lane or another server took it in between.
                waits_left -= 1;
                if waits_left == 0 {
                    self.clock().set(target);
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Jobs this process has taken and not ended. However far a development clock jumps, they are not abandoned.
#[derive(Debug, Default)]
pub(crate) struct RunningJobs {
    ids: std::sync::Mutex<std::collections::HashSet<JobId>>,
    ended: tokio::sync::Notify,
}

impl RunningJobs {
    fn ids(&self) -> std::sync::MutexGuard<'_, std::collections::HashSet<JobId>> {
        self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn all(&self) -> Vec<JobId> {
        self.ids().iter().copied().collect()
    }

    fn begin(&self, id: JobId) -> RunningJob<'_> {
        self.ids().insert(id);
        RunningJob { among: self, id }
    }

    async fn none_left(&self) {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.ids().is_empty() {
                return;
            }
            ended.await;
        }
    }
}

struct RunningJob<'a> {
    among: &'a RunningJobs,
    id: JobId,
}

impl Drop for RunningJob<'_> {
    fn drop(&mut self) {
        self.among.ids().remove(&self.id);
        self.among.ended.notify_waiters();
    }
}

/// A job and the word that it is taken.
struct Taken<'a> {
    job: jobs::Job,
    _alive: RunningJob<'a>,
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
