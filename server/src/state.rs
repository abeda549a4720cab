//! What every request can reach, and how it is put together at the start.

use std::sync::Arc;

use axum::extract::FromRef;
use backend::{Backend, Parts, Secrets};
use leptos::prelude::LeptosOptions;
use mail::{DevMailbox, Mailer, SmtpSettings};
use persistence::{Database, keyring::Keyring};
use privacy::promises::Ledger;
use storage::{Bucket, S3Credentials};

use crate::assets::Assets;
use crate::config::{Config, check};
use crate::kept_pages::KeptPages;
use crate::site::Site;

/// The router's state. Cloning is cheap.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The engine.
    pub backend: Backend,
    /// What leptos wants to know. Every layer copies the state for every request, so it is not copied with it.
    #[from_ref(skip)]
    pub leptos_options: Arc<LeptosOptions>,
    /// What browsers download.
    pub site: Arc<Site>,
    /// Names of the built files.
    pub assets: Arc<Assets>,
    /// What the last run of the tests found, when this build carries one.
    pub ledger: Arc<Option<Ledger>>,
    /// Registration pages as they were rendered last.
    pub kept_pages: Arc<KeptPages>,
    /// Settings of this binary.
    pub config: Arc<Config>,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        (*state.leptos_options).clone()
    }
}

/// The start could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A host is on no list.
    #[error("{0}: {1}")]
    Unlisted(&'static str, privacy::recipients::Unlisted),
    /// A database cannot be used.
    #[error("{0}: the database cannot be used")]
    Database(&'static str, #[source] persistence::Error),
    /// The storage cannot be used.
    #[error("MW_STORAGE_URL: the storage cannot be used")]
    Storage(#[from] storage::Error),
    /// The place of the backups cannot be used.
    #[error("MW_BACKUP_URL: the place of the backups cannot be used")]
    Backups(#[source] storage::Error),
    /// The database was restored, and not everything that belongs to that is done.
    #[error("the restore of this database was interrupted; mini-webinar backup restore --finish ends it")]
    HalfRestored,
    /// The database is being restored by another process.
    #[error("the database is being restored at this moment")]
    BeingRestored,
    /// Mail cannot be set up.
    #[error("{0}: mail cannot be set up: {1}")]
    Mail(&'static str, String),
    /// The listener cannot be opened.
    #[error("MW_ADDR: cannot listen on {0}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    /// A verb failed.
    #[error(transparent)]
    Verb(#[from] backend::Error),
}

/// The wall before every connection (promise P20): the host a setting names has to be on the public list of
/// recipients, or on the installation's own network.
///
/// # Errors
/// Names the setting and the host.
pub(crate) fn admitted(config: &Config, name: &'static str, url: &str) -> Result<(), StartError> {
    match check::host_of(url) {
        Some(host) => config.recipients.admit(&host).map_err(|unlisted| StartError::Unlisted(name, unlisted)),
        None => Ok(()),
    }
}

/// Opens the business database as it is.
///
/// # Errors
/// When it cannot be reached.
pub async fn open_database(config: &Config) -> Result<Database, StartError> {
    config.make_data_dir()?;
    admitted(config, "MW_DATABASE_URL", &config.database_url)?;
    let failed = |error| StartError::Database("MW_DATABASE_URL", error);
    Database::connect(&config.database_url).await.map_err(failed)
}

/// Opens the keyring with the key derived for it.
///
/// # Errors
/// When it cannot be reached.
pub async fn open_keyring(config: &Config, secrets: &Secrets) -> Result<Keyring, StartError> {
    admitted(config, "MW_KEYRING_URL", &config.keyring_url)?;
    let failed = |error| StartError::Database("MW_KEYRING_URL", error);
    Keyring::connect(&config.keyring_url, secrets.derive("keyring")).await.map_err(failed)
}

/// Opens the place of the objects; a folder is made.
///
/// # Errors
/// When it cannot be used.
pub fn open_bucket(config: &Config) -> Result<Bucket, StartError> {
    admitted(config, "MW_STORAGE_URL", &config.storage_url)?;
    Ok(Bucket::open(&config.storage_url, credentials(config).as_ref())?)
}

/// Where backups are kept; nothing when they are switched off. A folder is made, and so is the key when none is given.
///
/// # Errors
/// When it cannot be used.
pub fn open_backups(config: &Config) -> Result<Option<backup::Place>, StartError> {
    let Some(url) = &config.backup_url else { return Ok(None) };
    admitted(config, "MW_BACKUP_URL", url)?;
    config.make_data_dir()?;
    let key = backup::Key::new(config.backup_key()?);
    let bucket = Bucket::open(url, credentials(config).as_ref()).map_err(StartError::Backups)?;
    Ok(Some(backup::Place::new(bucket, key)))
}

fn credentials(config: &Config) -> Option<S3Credentials> {
    config.s3.as_ref().map(|pair| S3Credentials {
        access_key_id: pair.access_key_id.clone(),
        secret_access_key: pair.secret_access_key.clone(),
    })
}

/// The way mails leave.
///
/// # Errors
/// When it cannot be set up.
pub fn open_mailer(config: &Config) -> Result<Mailer, StartError> {
    match &config.smtp_url {
        Some(url) => {
            admitted(config, "MW_SMTP_URL", url)?;
            Mailer::smtp(&SmtpSettings { url: url.clone(), dkim: config.dkim.clone() })
                .map_err(|error| StartError::Mail("MW_SMTP_URL", error.to_string()))
        }
        None => DevMailbox::open(&config.data_dir.join("mailbox"))
            .map(Mailer::Dev)
            .map_err(|error| StartError::Mail("MW_DATA_DIR", error.to_string())),
    }
}

/// Opens databases, storage and mail, and migrates.
///
/// # Errors
/// Says which part cannot be used. A database whose restore is not finished is not used by anybody: somebody erased
/// since the snapshot could be in it.
pub async fn open_backend(config: &Config) -> Result<Backend, StartError> {
    let backend = open_restored_backend(config).await?;
    if backend.is_half_restored().await? {
        backend.close().await;
        return Err(StartError::HalfRestored);
    }
    Ok(backend)
}

/// The same for whoever finishes a restore.
///
/// # Errors
/// Says which part cannot be used.
pub async fn open_restored_backend(config: &Config) -> Result<Backend, StartError> {
    let database = open_database(config).await?;
    let secrets = Secrets::new(config.master_secret()?);
    persistence::migrate(&database).await.map_err(|error| StartError::Database("MW_DATABASE_URL", error))?;
    let keyring = open_keyring(config, &secrets).await?;
    assemble(config, secrets, database, keyring)
}

/// Opens storage and mail, and puts the engine together around databases that are open already.
///
/// # Errors
/// Says which part cannot be used.
pub fn assemble(
    config: &Config,
    secrets: Secrets,
    database: Database,
    keyring: Keyring,
) -> Result<Backend, StartError> {
    let bucket = open_bucket(config)?;
    let mailer = open_mailer(config)?;
    let work_dir = config.data_dir.join("work");
    std::fs::create_dir_all(&work_dir).map_err(|error| crate::config::ConfigError(format!("MW_DATA_DIR: {error}")))?;
    let backups = open_backups(config)?;
    let backend = Backend::new(Parts {
        config: backend::Config {
            base_url: config.base_url.clone(),
            mail_from: config.mail_from.clone(),
            bounce_mailbox: config.bounces.as_ref().map(|bounces| bounces.mailbox.clone()),
            contact_email: config.contact_email.clone(),
            quota_bytes: backend::config::DEFAULT_QUOTA_BYTES,
            work_dir,
            dev: config.dev,
        },
        clock: config.clock()?,
        secrets,
        database,
        keyring,
        bucket,
        mailer,
    });
    if let Some(place) = backups {
        backend.keep_backups_in(place);
    }
    Ok(backend)
}

impl AppState {
    /// The state around an engine.
    #[must_use]
    pub fn new(backend: Backend, config: Config) -> Self {
        let site = Arc::new(Site::open(&config.site_dir));
        let assets = Arc::new(site.assets());
        let (ledger, kept_pages) = (Arc::new(site.ledger()), Arc::default());
        let leptos_options = LeptosOptions::builder()
            .output_name("frontend")
            .site_root(config.site_dir.display().to_string())
            .site_pkg_dir("pkg")
            .build();
        let (leptos_options, config) = (Arc::new(leptos_options), Arc::new(config));
        Self { backend, leptos_options, site, assets, ledger, kept_pages, config }
    }
}
