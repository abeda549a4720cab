//! Configuration: environment and flags (contract.md). The only file that reads the environment.
//!
//! Unknown `MW_*` variables, malformed URLs and missing required values stop the start with one line that names the
//! variable and what was expected.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use backend::secrets;
use clap::Args;
use url::Url;

/// Every variable this binary knows; `*_FILE` twins exist for the secrets among them.
const KNOWN: [&str; 12] = [
    "MW_ADDR",
    "MW_BASE_URL",
    "MW_DATA_DIR",
    "MW_DATABASE_URL",
    "MW_KEYRING_URL",
    "MW_STORAGE_URL",
    "MW_SMTP_URL",
    "MW_MAIL_FROM",
    "MW_CONTACT_EMAIL",
    "MW_DEV",
    "MW_SECRET_KEY",
    "MW_METRICS_TOKEN",
];
/// Variables whose value may come from a file.
const SECRETS: [&str; 5] = ["MW_DATABASE_URL", "MW_KEYRING_URL", "MW_SMTP_URL", "MW_SECRET_KEY", "MW_METRICS_TOKEN"];
/// Variables of the build and test scripts, which this binary passes over.
const PASSED_OVER: [&str; 4] = ["MW_CACHE_DIR", "MW_SITE_DIR", "MW_LOG", "MW_LOG_FORMAT"];

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
    /// S3 credentials, when given.
    pub s3: Option<storage_credentials::Pair>,
    /// Mail server; the dev mailbox when absent.
    pub smtp_url: Option<String>,
    /// Sender of every mail.
    pub mail_from: String,
    /// Where people write about privacy.
    pub contact_email: String,
    /// Whether the routes under `/dev` exist.
    pub dev: bool,
    /// Guards `/metrics` outside dev.
    pub metrics_token: Option<String>,
    /// Where the built site lies.
    pub site_dir: PathBuf,
    secret_key: Option<String>,
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

/// Environment variables by name.
pub type Variables = BTreeMap<String, String>;

fn variable_in(variables: &Variables, name: &str) -> Option<String> {
    variables.get(name).filter(|value| !value.is_empty()).cloned()
}

fn value_in(variables: &Variables, name: &str) -> Result<Option<String>, ConfigError> {
    if let Some(value) = variable_in(variables, name) {
        return Ok(Some(value));
    }
    if !SECRETS.contains(&name) {
        return Ok(None);
    }
    let Some(path) = variable_in(variables, &format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| ConfigError(format!("{name}_FILE: cannot read {path}: {error}")))?;
    Ok(Some(text.trim().to_owned()))
}

fn refuse_unknown(variables: &Variables) -> Result<(), ConfigError> {
    for name in variables.keys().filter(|name| name.starts_with("MW_")) {
        let plain = name.strip_suffix("_FILE").filter(|plain| SECRETS.contains(plain)).unwrap_or(name.as_str());
        if !KNOWN.contains(&plain) && !PASSED_OVER.contains(&plain) {
            return Err(ConfigError(format!("{name}: unknown variable; the known ones are {}", KNOWN.join(", "))));
        }
    }
    Ok(())
}

impl Config {
    /// Reads the environment and the flags.
    ///
    /// # Errors
    /// Names the variable and what was expected.
    pub fn read(flags: &Flags) -> Result<Self, ConfigError> {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::from_variables(flags, &std::env::vars_os().filter_map(text).collect())
    }

    /// The same from variables given here, so that two servers of one process can differ.
    ///
    /// # Errors
    /// Names the variable and what was expected.
    pub fn from_variables(flags: &Flags, variables: &Variables) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable_in(variables, name);
        let value = |name: &str| value_in(variables, name);
        refuse_unknown(variables)?;
        let addr_text = flags.addr.clone().or(value("MW_ADDR")?).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let addr: SocketAddr = addr_text.parse().map_err(|_| {
            ConfigError(format!("MW_ADDR: “{addr_text}” is not an address and port such as 127.0.0.1:3000"))
        })?;
        let base_text = flags.base_url.clone().or(value("MW_BASE_URL")?).unwrap_or_else(|| format!("http://{addr}"));
        let base_url = Url::parse(&base_text)
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.host_str().is_some()
                    && url.path() == "/"
                    && url.query().is_none()
            })
            .ok_or_else(|| {
                ConfigError(format!(
                    "MW_BASE_URL: “{base_text}” is not an address such as https://webinars.example.com without a path"
                ))
            })?;
        let data_dir = flags
            .data_dir
            .clone()
            .or(value("MW_DATA_DIR")?.map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("./data"));
        let data_dir = std::path::absolute(&data_dir).map_err(|error| ConfigError(format!("MW_DATA_DIR: {error}")))?;
        let dev = match value("MW_DEV")?.as_deref() {
            None | Some("0" | "false" | "off") => false,
            Some("1" | "true" | "on") => true,
            Some(other) => return Err(ConfigError(format!("MW_DEV: “{other}” is neither 1 nor 0"))),
        };
        if dev && !addr.ip().is_loopback() {
            return Err(ConfigError(format!(
                "MW_DEV: the dev routes are only for a loopback address, and MW_ADDR is {addr}"
            )));
        }
        let required = |name: &'static str, fallback: &str| -> Result<String, ConfigError> {
            match value(name)? {
                Some(value) if value.contains('@') => Ok(value),
                Some(value) => Err(ConfigError(format!("{name}: “{value}” is not an e-mail address"))),
                None if base_url.scheme() == "https" => {
                    Err(ConfigError(format!("{name}: required when MW_BASE_URL is https; expected an e-mail address")))
                }
                None => Ok(fallback.to_owned()),
            }
        };
        let sqlite = |name: &str| format!("sqlite://{}?mode=rwc", data_dir.join(name).display());
        let database = |name: &'static str, file: &str| -> Result<String, ConfigError> {
            let url = value(name)?.unwrap_or_else(|| sqlite(file));
            if ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
                if base_url.scheme() == "https" && url.contains("sslmode=disable") {
                    return Err(ConfigError(format!("{name}: sslmode=disable is refused when MW_BASE_URL is https")));
                }
                Ok(url)
            } else {
                Err(ConfigError(format!("{name}: expected sqlite://… or postgres://…")))
            }
        };
        let storage_url =
            value("MW_STORAGE_URL")?.unwrap_or_else(|| format!("file://{}", data_dir.join("objects").display()));
        if !["file://", "s3://"].iter().any(|scheme| storage_url.starts_with(scheme)) {
            return Err(ConfigError(
                "MW_STORAGE_URL: expected file:///folder or s3://bucket/prefix?endpoint=…&region=…".to_owned(),
            ));
        }
        let smtp_url = value("MW_SMTP_URL")?;
        if smtp_url.as_deref().is_some_and(|url| !url.starts_with("smtp://") && !url.starts_with("smtps://")) {
            return Err(ConfigError("MW_SMTP_URL: expected smtp://user:pass@host:port or smtps://…".to_owned()));
        }
        let s3 = variable("AWS_ACCESS_KEY_ID")
            .zip(variable("AWS_SECRET_ACCESS_KEY"))
            .map(|(access_key_id, secret_access_key)| storage_credentials::Pair { access_key_id, secret_access_key });
        Ok(Self {
            addr,
            mail_from: required("MW_MAIL_FROM", "hello@mini-webinar.example")?,
            contact_email: required("MW_CONTACT_EMAIL", "privacy@mini-webinar.example")?,
            database_url: database("MW_DATABASE_URL", "mini-webinar.db")?,
            keyring_url: database("MW_KEYRING_URL", "keyring.db")?,
            storage_url,
            s3,
            smtp_url,
            dev,
            metrics_token: value("MW_METRICS_TOKEN")?,
            site_dir: variable("MW_SITE_DIR").map_or_else(default_site_dir, PathBuf::from),
            secret_key: value("MW_SECRET_KEY")?,
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
        let wrong = |from: &str| ConfigError(format!("{from}: expected 64 hexadecimal digits"));
        if let Some(text) = &self.secret_key {
            return decode_secret(text).ok_or_else(|| wrong("MW_SECRET_KEY"));
        }
        let path = self.data_dir.join("secret.key");
        match std::fs::read_to_string(&path) {
            Ok(text) => decode_secret(text.trim()).ok_or_else(|| wrong(&path.display().to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secret: [u8; 32] = secrets::random();
                write_private(&path, hex::encode(secret).as_bytes())
                    .map_err(|error| ConfigError(format!("MW_DATA_DIR: cannot write {}: {error}", path.display())))?;
                Ok(secret)
            }
            Err(error) => Err(ConfigError(format!("MW_DATA_DIR: cannot read {}: {error}", path.display()))),
        }
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
            .map_err(|error| ConfigError(format!("MW_DATA_DIR: cannot make {}: {error}", self.data_dir.display())))
    }

    /// The configuration for people to look at, secrets left out.
    #[must_use]
    pub fn redacted(&self) -> Vec<(&'static str, String)> {
        let hide = |url: &str| {
            Url::parse(url).map_or_else(
                |_| "…".to_owned(),
                |mut parsed| {
                    if parsed.password().is_some() {
                        // A URL that can hold a password can hold another one.
                        parsed.set_password(Some("…")).ok();
                    }
                    parsed.to_string()
                },
            )
        };
        vec![
            ("MW_ADDR", self.addr.to_string()),
            ("MW_BASE_URL", self.base_url.to_string()),
            ("MW_DATA_DIR", self.data_dir.display().to_string()),
            ("MW_DATABASE_URL", hide(&self.database_url)),
            ("MW_KEYRING_URL", hide(&self.keyring_url)),
            ("MW_STORAGE_URL", self.storage_url.clone()),
            ("MW_SMTP_URL", self.smtp_url.as_deref().map_or_else(|| "unset (dev mailbox)".to_owned(), hide)),
            ("MW_MAIL_FROM", self.mail_from.clone()),
            ("MW_CONTACT_EMAIL", self.contact_email.clone()),
            ("MW_DEV", u8::from(self.dev).to_string()),
            ("MW_SECRET_KEY", if self.secret_key.is_some() { "set" } else { "file in the data folder" }.to_owned()),
            ("MW_METRICS_TOKEN", if self.metrics_token.is_some() { "set" } else { "unset" }.to_owned()),
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

fn decode_secret(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
