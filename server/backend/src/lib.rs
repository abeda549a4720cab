//! The engine: every verb a visitor, a viewer or a coach can say, over database, keyring, bucket and mailer.
//!
//! Authority is a type. [`Visitor`] and [`Coach`] are the only handles to data, each is proven once, and every query
//! they reach is already scoped. Nothing here knows a web framework.

pub mod accounts;
pub mod actors;
pub mod backups;
mod calendars;
pub mod captions;
pub mod client;
pub mod clock;
pub mod config;
pub mod consents;
pub mod demo;
pub mod error;
pub mod jobs;
pub mod limits;
pub mod links;
pub mod logins;
pub mod mails;
pub mod markdown;
#[cfg(test)]
mod measurements;
pub mod operators;
pub mod page_views;
pub mod passwords;
pub mod policy_notices;
#[cfg(test)]
mod promise;
pub mod registrations;
mod rehearsals;
pub mod results;
pub mod rights;
pub mod schedules;
pub mod second_factor;
pub mod secrets;
mod sequences;
pub mod signatures;
pub(crate) mod together;
pub mod tokens;
pub mod uploads;
pub mod videos;
pub mod watching;
pub mod webinars;
#[cfg(test)]
mod world;
pub mod zones;

use std::sync::Arc;

pub use actors::{Coach, Visitor};
pub use client::Client;
pub use clock::Clock;
pub use config::Config;
pub use error::{Error, Fault, Result};
pub use operators::Operator;
pub use secrets::Secrets;

use domain::Moment;
use mail::Mailer;
use persistence::{Database, keyring::Keyring};
use storage::Bucket;

use registrations::PageAnswer;
use together::Together;

/// Everything the engine stands on. Cloning is cheap.
#[derive(Clone)]
pub struct Backend(Arc<Inner>);

/// The parts a [`Backend`] is made of.
pub struct Parts {
    /// Settings the verbs need.
    pub config: Config,
    /// The one source of time.
    pub clock: Clock,
    /// Keys for tokens, signatures and limits.
    pub secrets: Secrets,
    /// The business database.
    pub database: Database,
    /// Per-subject keys, in a database of their own.
    pub keyring: Keyring,
    /// Recordings, pictures, logos.
    pub bucket: Bucket,
    /// Outgoing mail.
    pub mailer: Mailer,
}

struct Inner {
    parts: Parts,
    passwords: passwords::Hasher,
    beats: watching::BeatWriter,
    upload_locks: uploads::UploadLocks,
    still_maker: tokio::sync::OnceCell<Option<media::ffmpeg::Tool>>,
    wake: tokio::sync::watch::Sender<()>,
    running_jobs: jobs::RunningJobs,
    page_views: page_views::PageViewCounter,
    pages: Together<PageAnswer>,
    mail_settled: tokio::sync::Notify,
    backups: std::sync::OnceLock<backup::Place>,
}

impl Backend {
    /// Assembles the engine and starts its beat writer.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let beats = watching::BeatWriter::start(parts.database.clone());
        Self(Arc::new(Inner {
            passwords: passwords::Hasher::new(),
            beats,
            upload_locks: uploads::UploadLocks::default(),
            still_maker: tokio::sync::OnceCell::new(),
            wake: tokio::sync::watch::Sender::new(()),
            running_jobs: jobs::RunningJobs::default(),
            page_views: page_views::PageViewCounter::default(),
            pages: Together::default(),
            mail_settled: tokio::sync::Notify::new(),
            backups: std::sync::OnceLock::new(),
            parts,
        }))
    }

    /// Settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.parts.config
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.parts.clock.now()
    }

    /// The clock itself, for those who move it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    /// Keys for tokens, signatures and limits.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.parts.secrets
    }

    /// The business database.
    #[must_use]
    pub fn db(&self) -> &Database {
        &self.0.parts.database
    }

    /// Per-subject keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0.parts.keyring
    }

    /// Recordings, pictures, logos.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.0.parts.bucket
    }

    /// Outgoing mail.
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        &self.0.parts.mailer
    }

    /// Password hashing, bounded.
    #[must_use]
    pub(crate) fn passwords(&self) -> &passwords::Hasher {
        &self.0.passwords
    }

    pub(crate) fn beats(&self) -> &watching::BeatWriter {
        &self.0.beats
    }

    pub(crate) fn upload_locks(&self) -> &uploads::UploadLocks {
        &self.0.upload_locks
    }

    /// Told whenever this process is done with a mail.
    pub(crate) fn mail_settled(&self) -> &tokio::sync::Notify {
        &self.0.mail_settled
    }

    /// ffmpeg, looked for once.
    pub(crate) async fn still_maker(&self) -> Option<&media::ffmpeg::Tool> {
        let found = self.0.still_maker.get_or_init(|| async {
            tokio::task::spawn_blocking(media::ffmpeg::Tool::find).await.unwrap_or_else(|error| {
                tracing::error!(%error, "looking for ffmpeg failed");
                None
            })
        });
        found.await.as_ref()
    }

    /// Tells the worker that something may be due, so that it need not wait for its next look.
    pub fn wake_worker(&self) {
        self.0.wake.send_replace(());
    }

    /// Hears every call of [`Self::wake_worker`] from now on.
    fn woken(&self) -> tokio::sync::watch::Receiver<()> {
        self.0.wake.subscribe()
    }

    pub(crate) fn page_views(&self) -> &page_views::PageViewCounter {
        &self.0.page_views
    }

    pub(crate) fn pages(&self) -> &Together<PageAnswer> {
        &self.0.pages
    }

    pub(crate) fn running_jobs(&self) -> &jobs::RunningJobs {
        &self.0.running_jobs
    }

    /// Anybody: the handle that can only see what is public.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor { backend: self.clone() }
    }

    /// Stops taking beats, waits until every accepted one is on disk and closes the databases.
    pub async fn close(&self) {
        self.0.beats.close().await;
        self.0.parts.database.close().await;
        self.0.parts.keyring.close().await;
    }
}
