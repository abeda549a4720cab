//! Configuration: environment and flags (contract.md). The only file that reads the environment.
//!
//! Unknown `MW_*` variables, malformed URLs and missing required values stop the start with one line that names the
//! variable and what was expected.

pub mod check;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backend::secrets;
use clap::Args;
use ipnet::IpNet;
use mail::Dkim;
use privacy::recipients::Recipients;
use url::Url;

use crate::site::Site;

/// Every variable this binary knows; `*_FILE` twins exist for the secrets among them.
const KNOWN: [&str; 23] = [
    "MW_ADDR",
    "MW_TRUSTED_PROXIES",
    "MW_BASE_URL",
    "MW_DATA_DIR",
    "MW_DATABASE_URL",
    "MW_KEYRING_URL",
    "MW_STORAGE_URL",
    "MW_BACKUP_URL",
    "MW_BACKUP_KEY",
    "MW_SMTP_URL",
    "MW_MAIL_FROM",
    "MW_CONTACT_EMAIL",
    "MW_BOUNCE_MAILBOX",
    "MW_BOUNCE_SECRET",
    "MW_DKIM_SELECTOR",
    "MW_DKIM_KEY",
    "MW_DEV",
    "MW_SECRET_KEY",
    "MW_METRICS_TOKEN",
    "MW_LOG",
    "MW_LOG_FORMAT",
    "MW_SITE_DIR",
    "MW_RECIPIENTS",
];
/// Variables whose value may come from a file.
const SECRETS: [&str; 10] = [
    "MW_DATABASE_URL",
    "MW_KEYRING_URL",
    "MW_BACKUP_KEY",
    "MW_SMTP_URL",
    "MW_BOUNCE_SECRET",
    "MW_DKIM_KEY",
    "MW_SECRET_KEY",
    "MW_METRICS_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
];
/// Variables of the build scripts, which this binary passes over.
const PASSED_OVER: [&str; 2] = ["MW_CACHE_DIR", "MW_SITE_INDEX"];
/// What is logged when nothing is said: what happened, without every statement of the databases.
const DEFAULT_LOG: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// What was wrong with the configuration, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Flags; each has its variable.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Listen address [MW_ADDR, default 127.0.0.1:3000]
    #[arg(long, global = true)]
    pub addr: Option<String>,
    /// The only source of absolute links [MW_BASE_URL, default http://127.0.0.1:3000]
    #[arg(long, global = true)]
    pub base_url: Option<String>,
    /// Data folder, created 0700 [MW_DATA_DIR, default ./data]
    #[arg(long, global = true)]
    pub data_dir: Option<PathBuf>,
}

/// Everything the binary needs to know.
#[derive(Clone)]
pub struct Config {
    /// Listen address.
    pub addr: SocketAddr,
    /// Networks of the proxies in front, besides this machine itself: what they say of where a request came from is
    /// believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The only source of absolute links.
    pub base_url: Url,
    /// Data folder.
    pub data_dir: PathBuf,
    /// Business database.
    pub database_url: String,
    /// Keyring database.
    pub keyring_url: String,
    /// Objects.
    pub storage_url: String,
    /// Backups; nothing when they are switched off.
    pub backup_url: Option<String>,
    /// S3 credentials, when given.
    pub s3: Option<storage_credentials::Pair>,
    /// Mail server; the dev mailbox when absent.
    pub smtp_url: Option<String>,
    /// Sender of every mail.
    pub mail_from: String,
    /// Where people write about privacy.
    pub contact_email: String,
    /// Where undeliverable mail comes back to, and what those sign with who bring it to us.
    pub bounces: Option<Bounces>,
    /// What mails are signed with; nothing where the mail server does it.
    pub dkim: Option<Dkim>,
    /// Whether the routes under `/dev` exist.
    pub dev: bool,
    /// Guards `/metrics` outside dev.
    pub metrics_token: Option<String>,
    /// What is logged: a filter such as `info,server=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Who gets data, and the only hosts that may be reached.
    pub recipients: Arc<Recipients>,
    /// Where the built site lies, for a binary that does not carry it.
    pub site_dir: PathBuf,
    secret_key: Option<[u8; 32]>,
    backup_key: Option<[u8; 32]>,
}

/// The mailbox undeliverable mail comes back to.
#[derive(Clone)]
pub struct Bounces {
    /// Its address; each mail gets one of its own below it.
    pub mailbox: String,
    /// Shared with whoever hands its mails to `/hooks/mail`.
    pub secret: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// S3 credentials as the environment gives them.
pub mod storage_credentials {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    #[derive(Clone)]
    pub struct Pair {
        /// Key id.
        pub access_key_id: String,
        /// Secret.
        pub secret_access_key: String,
    }
}

fn wrong(name: &str, expected: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("{name}: {expected}"))
}

/// Environment variables by name.
pub type Variables = BTreeMap<OsString, OsString>;

fn variable(variables: &Variables, name: &str) -> Result<Option<String>, ConfigError> {
    let Some(value) = variables.get(OsStr::new(name)) else {
        return Ok(None);
    };
    let text = value.to_str().ok_or_else(|| wrong(name, "expected text in UTF-8"))?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A variable, or for a secret what the file named by its `_FILE` twin holds.
fn value_in(variables: &Variables, name: &str) -> Result<Option<String>, ConfigError> {
    let plain = variable(variables, name)?;
    let twin = format!("{name}_FILE");
    let Some(path) = SECRETS.contains(&name).then(|| variable(variables, &twin)).transpose()?.flatten() else {
        return Ok(plain);
    };
    if plain.is_some() {
        return Err(wrong(&twin, format_args!("expected either this or {name}, not both")));
    }
    let text =
        std::fs::read_to_string(&path).map_err(|error| wrong(&twin, format_args!("cannot read {path}: {error}")))?;
    match text.trim() {
        "" => Err(wrong(&twin, format_args!("{path} is empty; expected the value of {name}"))),
        text => Ok(Some(text.to_owned())),
    }
}

fn refuse_unknown(variables: &Variables) -> Result<(), ConfigError> {
    for name in variables.keys() {
        let name = name.to_string_lossy();
        if !name.starts_with("MW_") {
            continue;
        }
        let plain = name.strip_suffix("_FILE").filter(|plain| SECRETS.contains(plain)).unwrap_or(&name);
        if !KNOWN.contains(&plain) && !PASSED_OVER.contains(&plain) {
            return Err(wrong(&name, format_args!("unknown variable; expected one of {}", KNOWN.join(", "))));
        }
    }
    Ok(())
}

/// A path of the data folder as a URL, so that the folder may be called anything.
fn inside(data_dir: &Path, name: &str) -> Result<Url, ConfigError> {
    Url::from_file_path(data_dir.join(name)).map_err(|()| wrong("MW_DATA_DIR", "expected the path of a folder"))
}

fn database(
    variables: &Variables,
    name: &str,
    data_dir: &Path,
    file: &str,
    is_https: bool,
) -> Result<String, ConfigError> {
    let url = match value_in(variables, name)? {
        Some(url) => url,
        None => format!("sqlite://{}?mode=rwc", inside(data_dir, file)?.path()),
    };
    check::database_url(name, url, is_https)
}

fn storage(
    variables: &Variables,
    data_dir: &Path,
    is_https: bool,
) -> Result<(String, Option<storage_credentials::Pair>), ConfigError> {
    let value = |name: &str| value_in(variables, name);
    let url = match value("MW_STORAGE_URL")? {
        Some(url) => url,
        None => inside(data_dir, "objects")?.into(),
    };
    let (key_id, secret) = (value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?);
    check::storage_url("MW_STORAGE_URL", &url, key_id.as_deref(), secret.as_deref(), is_https)?;
    let pair = key_id
        .zip(secret)
        .map(|(access_key_id, secret_access_key)| storage_credentials::Pair { access_key_id, secret_access_key });
    Ok((url, pair))
}

/// Where backups go: a folder of the data folder until another place is named, and nowhere when it says `off`.
fn backups(
    variables: &Variables,
    data_dir: &Path,
    storage_url: &str,
    s3: Option<&storage_credentials::Pair>,
    is_https: bool,
) -> Result<Option<String>, ConfigError> {
    let url = match value_in(variables, "MW_BACKUP_URL")? {
        Some(url) if url == "off" => return Ok(None),
        Some(url) => url,
        None => inside(data_dir, "backups")?.into(),
    };
    let (key_id, secret) = (s3.map(|pair| &*pair.access_key_id), s3.map(|pair| &*pair.secret_access_key));
    check::storage_url("MW_BACKUP_URL", &url, key_id, secret, is_https)?;
    check::backup_is_apart(&url, storage_url)?;
    Ok(Some(url))
}

/// Links for this machine, until an address is named: nobody can open a link to 0.0.0.0.
fn default_base(addr: SocketAddr) -> String {
    let host = if addr.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { addr.ip() };
    format!("http://{}", SocketAddr::new(host, addr.port()))
}

impl Config {
    /// Reads the environment and the flags.
    ///
    /// # Errors
    /// Names the variable and what was expected.
    pub fn read(flags: &Flags) -> Result<Self, ConfigError> {
        Self::from_variables(flags, &std::env::vars_os().collect())
    }

    /// The same from these variables, so that two servers of one process can differ.
    ///
    /// # Errors
    /// Names the variable and what was expected.
    pub fn from_variables(flags: &Flags, variables: &Variables) -> Result<Self, ConfigError> {
        let value = |name: &str| value_in(variables, name);
        refuse_unknown(variables)?;
        let addr_text = flags.addr.clone().or(value("MW_ADDR")?).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let addr = check::addr(&addr_text)?;
        let base_text = flags.base_url.clone().or(value("MW_BASE_URL")?).unwrap_or_else(|| default_base(addr));
        let base_url = check::base_url(&base_text)?;
        let is_https = base_url.scheme() == "https";
        let data_dir =
            flags.data_dir.clone().or(value("MW_DATA_DIR")?.map(PathBuf::from)).unwrap_or_else(|| "./data".into());
        let data_dir = std::path::absolute(&data_dir).map_err(|error| wrong("MW_DATA_DIR", error))?;
        let dev = check::dev(value("MW_DEV")?.as_deref(), addr)?;
        let mailbox = |name: &'static str, fallback: &str| check::mailbox(name, value(name)?, fallback, is_https);
        let mail_from = mailbox("MW_MAIL_FROM", "hello@mini-webinar.example")?;
        let (storage_url, s3) = storage(variables, &data_dir, is_https)?;
        let backup_url = backups(variables, &data_dir, &storage_url, s3.as_ref(), is_https)?;
        Ok(Self {
            addr,
            trusted_proxies: check::networks(value("MW_TRUSTED_PROXIES")?.as_deref().unwrap_or_default())?,
            mail_from: mail_from.clone(),
            contact_email: mailbox("MW_CONTACT_EMAIL", "privacy@mini-webinar.example")?,
            database_url: database(variables, "MW_DATABASE_URL", &data_dir, "mini-webinar.db", is_https)?,
            keyring_url: database(variables, "MW_KEYRING_URL", &data_dir, "keyring.db", is_https)?,
            storage_url,
            backup_url,
            s3,
            bounces: check::bounces(value("MW_BOUNCE_MAILBOX")?, value("MW_BOUNCE_SECRET")?)?,
            dkim: check::dkim(&mail_from, value("MW_DKIM_SELECTOR")?, value("MW_DKIM_KEY")?)?,
            smtp_url: value("MW_SMTP_URL")?.map(|url| check::smtp_url(url, is_https)).transpose()?,
            dev,
            metrics_token: value("MW_METRICS_TOKEN")?,
            log: check::log_filter(value("MW_LOG")?.unwrap_or_else(|| DEFAULT_LOG.to_owned()))?,
            log_format: check::log_format(value("MW_LOG_FORMAT")?.as_deref())?,
            recipients: Arc::new(check::recipients(value("MW_RECIPIENTS")?.as_deref())?),
            site_dir: value("MW_SITE_DIR")?.map_or_else(default_site_dir, PathBuf::from),
            secret_key: secret_in(variables, "MW_SECRET_KEY")?,
            backup_key: secret_in(variables, "MW_BACKUP_KEY")?,
            base_url,
            data_dir,
        })
    }

    /// The installation's secret: from `MW_SECRET_KEY` (64 hexadecimal digits, for several servers), otherwise a file
    /// of the data folder, made at the first start with mode 0600.
    ///
    /// # Errors
    /// When the value is malformed or the file cannot be read or made.
    pub fn master_secret(&self) -> Result<[u8; 32], ConfigError> {
        if let Some(secret) = self.secret_key {
            return Ok(secret);
        }
        self.key_file("secret.key")
    }

    /// The same when it is there already; none is made.
    ///
    /// # Errors
    /// When the value is malformed or the file cannot be read.
    pub fn existing_master_secret(&self) -> Result<Option<[u8; 32]>, ConfigError> {
        match self.secret_key {
            Some(secret) => Ok(Some(secret)),
            None => self.read_key_file("secret.key"),
        }
    }

    /// Puts a secret that came out of a backup where the next start looks for it.
    ///
    /// # Errors
    /// When there is one already, or the file cannot be made.
    pub fn keep_master_secret(&self, secret: &[u8; 32]) -> Result<(), ConfigError> {
        self.write_key_file("secret.key", secret)
    }

    /// The key of the backups: from `MW_BACKUP_KEY` (64 hexadecimal digits), otherwise a file of the data folder, made
    /// at the first need with mode 0600. Whoever keeps it nowhere else loses the backups with the data folder.
    ///
    /// # Errors
    /// When the value is malformed or the file cannot be read or made.
    pub fn backup_key(&self) -> Result<[u8; 32], ConfigError> {
        match self.backup_key {
            Some(key) => Ok(key),
            None => self.key_file("backup.key"),
        }
    }

    /// The time everything goes by. In development it is kept in the data folder, so that a moved clock does not run
    /// backwards at a restart.
    ///
    /// # Errors
    /// When what was kept is unreadable.
    pub fn clock(&self) -> Result<backend::Clock, ConfigError> {
        if !self.dev {
            return Ok(backend::Clock::system());
        }
        let file = self.data_dir.join("dev-clock");
        backend::Clock::kept_in(file.clone())
            .map_err(|error| ConfigError(format!("MW_DATA_DIR: {} holds no moved clock: {error}", file.display())))
    }

    /// Whether the key of the backups lies in the data folder alone, as far as this program knows.
    #[must_use]
    pub const fn backup_key_is_a_file_here(&self) -> bool {
        self.backup_key.is_none()
    }

    fn key_file(&self, name: &str) -> Result<[u8; 32], ConfigError> {
        if let Some(secret) = self.read_key_file(name)? {
            return Ok(secret);
        }
        let secret: [u8; 32] = secrets::random();
        self.write_key_file(name, &secret)?;
        Ok(secret)
    }

    fn read_key_file(&self, name: &str) -> Result<Option<[u8; 32]>, ConfigError> {
        let path = self.data_dir.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => decode_secret(text.trim())
                .map(Some)
                .ok_or_else(|| wrong("MW_DATA_DIR", format_args!("{}: {SECRET_FORM}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong("MW_DATA_DIR", format_args!("cannot read {}: {error}", path.display()))),
        }
    }

    fn write_key_file(&self, name: &str, secret: &[u8; 32]) -> Result<(), ConfigError> {
        let path = self.data_dir.join(name);
        write_private(&path, hex::encode(secret).as_bytes())
            .map_err(|error| wrong("MW_DATA_DIR", format_args!("cannot write {}: {error}", path.display())))
    }

    /// Makes the data folder, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_data_dir(&self) -> Result<(), ConfigError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.data_dir)
            .map_err(|error| wrong("MW_DATA_DIR", format_args!("cannot make {}: {error}", self.data_dir.display())))
    }

    /// The configuration for people to look at, secrets left out.
    #[must_use]
    pub fn redacted(&self) -> Vec<(&'static str, String)> {
        let set = |is_set: bool, otherwise: &str| if is_set { "set" } else { otherwise }.to_owned();
        vec![
            ("MW_ADDR", self.addr.to_string()),
            ("MW_TRUSTED_PROXIES", self.trusted_proxies.iter().map(IpNet::to_string).collect::<Vec<_>>().join(",")),
            ("MW_BASE_URL", self.base_url.to_string()),
            ("MW_DATA_DIR", self.data_dir.display().to_string()),
            ("MW_DATABASE_URL", check::redact(&self.database_url)),
            ("MW_KEYRING_URL", check::redact(&self.keyring_url)),
            ("MW_STORAGE_URL", check::redact(&self.storage_url)),
            ("MW_BACKUP_URL", self.backup_url.as_deref().map_or_else(|| "off".to_owned(), check::redact)),
            ("MW_BACKUP_KEY", set(self.backup_key.is_some(), "file in the data folder")),
            ("AWS_ACCESS_KEY_ID", set(self.s3.is_some(), "unset")),
            ("AWS_SECRET_ACCESS_KEY", set(self.s3.is_some(), "unset")),
            ("MW_SMTP_URL", self.smtp_url.as_deref().map_or_else(|| "unset (dev mailbox)".to_owned(), check::redact)),
            ("MW_MAIL_FROM", self.mail_from.clone()),
            ("MW_CONTACT_EMAIL", self.contact_email.clone()),
            (
                "MW_BOUNCE_MAILBOX",
                self.bounces.as_ref().map_or_else(|| "unset".to_owned(), |bounces| bounces.mailbox.clone()),
            ),
            ("MW_BOUNCE_SECRET", set(self.bounces.is_some(), "unset")),
            ("MW_DKIM_SELECTOR", self.dkim.as_ref().map_or_else(|| "unset".to_owned(), |dkim| dkim.selector.clone())),
            ("MW_DKIM_KEY", set(self.dkim.is_some(), "unset")),
            ("MW_DEV", u8::from(self.dev).to_string()),
            ("MW_SECRET_KEY", set(self.secret_key.is_some(), "file in the data folder")),
            ("MW_METRICS_TOKEN", set(self.metrics_token.is_some(), "unset")),
            ("MW_LOG", self.log.clone()),
            ("MW_LOG_FORMAT", if self.log_format == LogFormat::Json { "json" } else { "text" }.to_owned()),
            ("MW_SITE_DIR", Site::place(&self.site_dir)),
            (
                "MW_RECIPIENTS",
                format!("list of {}, {} entries", self.recipients.published, self.recipients.recipients.len()),
            ),
        ]
    }
}

fn default_site_dir() -> PathBuf {
    // Beside the binary, where the build puts it.
    std::env::current_exe()
        .ok()
        .and_then(|path| path.parent().and_then(Path::parent).map(|target| target.join("site")))
        .unwrap_or_else(|| PathBuf::from("site"))
}

/// What a secret has to look like.
const SECRET_FORM: &str = "expected 64 hexadecimal digits";

fn decode_secret(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

fn secret_in(variables: &Variables, name: &str) -> Result<Option<[u8; 32]>, ConfigError> {
    value_in(variables, name)?.map(|text| decode_secret(&text).ok_or_else(|| wrong(name, SECRET_FORM))).transpose()
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
