//! What a value has to look like, and the one line that says so.

use std::net::{IpAddr, SocketAddr};

use domain::EmailAddress;
use ipnet::IpNet;
use mail::{Dkim, SmtpSettings};
use privacy::recipients::{Recipients, is_own};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{Bounces, ConfigError, LogFormat, wrong};

/// Stands where a password was.
const HIDDEN: &str = "***";

pub(super) fn addr(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        wrong(
            "MW_ADDR",
            format_args!("“{text}” is no address; expected an IP address and a port such as 127.0.0.1:3000"),
        )
    })
}

pub(super) fn base_url(text: &str) -> Result<Url, ConfigError> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(|| {
        wrong(
            "MW_BASE_URL",
            format_args!(
                "“{text}” is no base; expected an address without a path such as https://webinars.example.com"
            ),
        )
    })
}

pub(super) fn dev(text: Option<&str>, addr: SocketAddr) -> Result<bool, ConfigError> {
    let dev = match text {
        None | Some("0" | "false" | "off") => false,
        Some("1" | "true" | "on") => true,
        Some(other) => return Err(wrong("MW_DEV", format_args!("“{other}” is neither; expected 1 or 0"))),
    };
    if dev && !addr.ip().is_loopback() {
        let expected =
            format_args!("the dev routes are for this machine alone; expected a loopback MW_ADDR, not {addr}");
        return Err(wrong("MW_DEV", expected));
    }
    Ok(dev)
}

pub(super) fn database_url(name: &str, url: String, is_https: bool) -> Result<String, ConfigError> {
    if let Err(error) = persistence::Database::check_url(&url) {
        return Err(wrong(name, error));
    }
    if is_https && is_far(&url) && !ENCRYPTED.iter().any(|mode| url.contains(mode)) {
        return Err(wrong(
            name,
            "expected sslmode=verify-full, verify-ca or require for a database on another network",
        ));
    }
    if is_https && url.contains("sslmode=disable") {
        return Err(wrong(
            name,
            "sslmode=disable is refused when MW_BASE_URL is https; expected verify-full or require",
        ));
    }
    Ok(url)
}

/// Settings of a database connection that never fall back to plain text.
const ENCRYPTED: [&str; 3] = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];

/// The host a setting makes this program reach; nothing for files.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    match storage::Location::parse(url) {
        Ok(storage::Location::Folder(_)) => None,
        Ok(storage::Location::S3 { endpoint: Some(endpoint), .. }) => host(&endpoint),
        Ok(storage::Location::S3 { region, .. }) => {
            Some(format!("s3.{}.amazonaws.com", region.as_deref().unwrap_or("us-east-1")))
        }
        Err(_) => {
            let url = Url::parse(url).ok().filter(|url| url.scheme() != "sqlite")?;
            // PostgreSQL takes the host from the query as well, such as the folder of a socket.
            let asked = url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.into_owned());
            asked
                .or_else(|| url.host_str().map(str::to_owned))
                .filter(|host| !host.is_empty() && !host.starts_with('/'))
        }
    }
}

/// Whether a setting leads off the installation's own network, so that what goes there has to be encrypted (promise P39).
fn is_far(url: &str) -> bool {
    host_of(url).is_some_and(|host| !is_own(&host))
}

/// The list of recipients: the one named, otherwise the one this program was built with.
pub(super) fn recipients(path: Option<&str>) -> Result<Recipients, ConfigError> {
    let Some(path) = path else { return Ok(Recipients::built_in().clone()) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong("MW_RECIPIENTS", format_args!("cannot read {path}: {error}")))?;
    Recipients::parse(&text, privacy::DataMap::current()).map_err(|error| wrong("MW_RECIPIENTS", error))
}

/// S3 wants both keys: without them every object would be missing, one by one.
pub(super) fn storage_url(
    variable: &str,
    url: &str,
    key_id: Option<&str>,
    secret: Option<&str>,
    is_https: bool,
) -> Result<(), ConfigError> {
    let location = storage::Location::parse(url).map_err(|error| wrong(variable, error))?;
    let is_plain =
        matches!(&location, storage::Location::S3 { endpoint: Some(endpoint), .. } if endpoint.starts_with("http://"));
    if is_https && is_plain && is_far(url) {
        return Err(wrong(variable, "expected an https endpoint for a storage on another network"));
    }
    for (name, value) in [("AWS_ACCESS_KEY_ID", key_id), ("AWS_SECRET_ACCESS_KEY", secret)] {
        if url.starts_with("s3:") && value.is_none() {
            let expected = format_args!("required when {variable} is s3://…; expected a key of that bucket");
            return Err(wrong(name, expected));
        }
    }
    Ok(())
}

/// A place within the recordings' own would be backed up into itself, and an erasure of one could reach the other.
pub(super) fn backup_is_apart(backup_url: &str, storage_url: &str) -> Result<(), ConfigError> {
    let (Ok(one), Ok(other)) = (storage::Location::parse(backup_url), storage::Location::parse(storage_url)) else {
        return Ok(());
    };
    if one.overlaps(&other) {
        Err(wrong("MW_BACKUP_URL", "expected a place that neither lies in MW_STORAGE_URL nor holds it"))
    } else {
        Ok(())
    }
}

/// The URL may hold a password, so it is not repeated.
pub(super) fn smtp_url(url: String, is_https: bool) -> Result<String, ConfigError> {
    if is_https && is_far(&url) && !url.starts_with("smtps:") && !url.contains("tls=required") {
        return Err(wrong(
            "MW_SMTP_URL",
            "expected smtps://… or smtp://…?tls=required for a mail server on another network",
        ));
    }
    let has_host = Url::parse(&url).is_ok_and(|parsed| parsed.host_str().is_some_and(|host| !host.is_empty()));
    let settings = SmtpSettings { url, dkim: None };
    if has_host && settings.check().is_ok() {
        Ok(settings.url)
    } else {
        Err(wrong("MW_SMTP_URL", "expected smtp://user:password@host:port or smtps://user:password@host:port"))
    }
}

/// Both or none: an address nobody may bring mail from is no use, and a secret without an address is a mistake.
pub(super) fn bounces(mailbox: Option<String>, secret: Option<String>) -> Result<Option<Bounces>, ConfigError> {
    match (mailbox, secret) {
        (None, None) => Ok(None),
        (Some(mailbox), Some(secret)) => {
            let is_address = EmailAddress::parse(&mailbox).is_ok();
            // A return address is this one with 49 characters more in front of its @.
            if !is_address || mail::verp::return_path(&mailbox, &"0".repeat(48)).is_none() {
                return Err(wrong("MW_BOUNCE_MAILBOX", "expected an address with at most 15 characters before its @"));
            }
            if secret.len() < 16 {
                return Err(wrong("MW_BOUNCE_SECRET", "expected at least 16 characters"));
            }
            Ok(Some(Bounces { mailbox, secret }))
        }
        (Some(_), None) => Err(wrong("MW_BOUNCE_SECRET", "required with MW_BOUNCE_MAILBOX")),
        (None, Some(_)) => Err(wrong("MW_BOUNCE_MAILBOX", "required with MW_BOUNCE_SECRET")),
    }
}

/// The key is not repeated.
pub(super) fn dkim(
    mail_from: &str,
    selector: Option<String>,
    key: Option<String>,
) -> Result<Option<Dkim>, ConfigError> {
    match (selector, key) {
        (None, None) => Ok(None),
        (Some(selector), Some(private_key_pem)) => {
            let domain = mail_from.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned());
            let dkim = Dkim { domain, selector, private_key_pem };
            let settings = SmtpSettings { url: "smtp://localhost".to_owned(), dkim: Some(dkim) };
            match settings.check() {
                Ok(()) => Ok(settings.dkim),
                Err(error) => Err(wrong("MW_DKIM_KEY", format_args!("expected a private key in PEM: {error}"))),
            }
        }
        (Some(_), None) => Err(wrong("MW_DKIM_KEY", "required with MW_DKIM_SELECTOR")),
        (None, Some(_)) => Err(wrong("MW_DKIM_SELECTOR", "required with MW_DKIM_KEY")),
    }
}

pub(super) fn mailbox(
    name: &str,
    value: Option<String>,
    fallback: &str,
    is_https: bool,
) -> Result<String, ConfigError> {
    match value {
        Some(text) if EmailAddress::parse(&text).is_ok() => Ok(text.trim().to_owned()),
        Some(text) => Err(wrong(name, format_args!("“{text}” is no address; expected one such as hello@example.com"))),
        None if is_https => Err(wrong(name, "required when MW_BASE_URL is https; expected an e-mail address")),
        None => Ok(fallback.to_owned()),
    }
}

pub(super) fn log_filter(text: String) -> Result<String, ConfigError> {
    match EnvFilter::try_new(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(wrong("MW_LOG", format_args!("“{text}” is no filter; expected one such as info,server=debug"))),
    }
}

pub(super) fn log_format(text: Option<&str>) -> Result<LogFormat, ConfigError> {
    match text {
        None | Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err(wrong("MW_LOG_FORMAT", format_args!("“{other}” is neither; expected text or json"))),
    }
}

/// A URL without its password, in either place it can stand.
pub(super) fn redact(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return HIDDEN.to_owned();
    };
    if parsed.password().is_some() && parsed.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    if parsed.query_pairs().any(|(name, _)| name == "password") {
        let pairs: Vec<(String, String)> = parsed
            .query_pairs()
            .map(|(name, value)| {
                let shown = if name == "password" { HIDDEN.to_owned() } else { value.into_owned() };
                (name.into_owned(), shown)
            })
            .collect();
        parsed.query_pairs_mut().clear().extend_pairs(pairs);
    }
    parsed.to_string()
}

/// Networks or single addresses, separated by commas.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, ConfigError> {
    let expected = "expected addresses or networks such as 10.0.0.7,172.16.0.0/12";
    let one = |part: &str| part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| one(part).map_err(|_| wrong("MW_TRUSTED_PROXIES", expected))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_left_out_wherever_a_url_can_hold_it() {
        let cases = [
            ("postgres://me:hunter2@db/mw", "postgres://me:***@db/mw"),
            (
                "postgres://me@db/mw?password=hunter2&sslmode=require",
                "postgres://me@db/mw?password=***&sslmode=require",
            ),
            ("smtps://me:hunter2@mail:465", "smtps://me:***@mail:465"),
            ("sqlite:///data/mw.db?mode=rwc", "sqlite:///data/mw.db?mode=rwc"),
            ("no URL: hunter2", "***"),
        ];
        for (url, shown) in cases {
            assert_eq!(redact(url), shown);
        }
    }
}
