//! `doctor`: looks at everything the server needs, part by part, so that one broken part hides no other.

use std::io::Write;

use backend::Secrets;
use backend::backups::LATE_SECONDS;
use backend::error::chain;
use backup::Store;
use mail::domain_check::{self, Sender, State};
use serde::Serialize;

use super::Outcome;
use crate::config::Config;
use crate::site::Site;
use crate::state::{open_backups, open_bucket, open_database, open_keyring, open_mailer};

/// What was found out about one part.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    says: String,
}

type Found = Result<String, Box<dyn std::error::Error + Send + Sync>>;

/// Looks at every part and tells.
///
/// # Errors
/// When a part is missing: the server would not start, or not do its work.
pub(super) async fn examine(config: &Config, json: bool) -> Outcome {
    let findings = [
        finding("database", database(config).await),
        finding("keyring", keyring(config).await),
        finding("storage", storage(config).await),
        finding("backups", backups(config).await),
        finding("mail", mail_server(config).await),
        finding("sender domain", sender_domain(config).await),
        finding("browser files", Site::open(&config.site_dir).check(&config.site_dir).map_err(Into::into)),
        finding("ffmpeg", Ok(ffmpeg().await)),
        finding("time zones", Ok(format!("bundled, {}", backend::clock::tzdb_version()))),
    ];
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        for Finding { what, ok, says } in &findings {
            writeln!(out, "{:<8} {what}: {says}", if *ok { "ok" } else { "missing" })?;
        }
    }
    let missing: Vec<&str> = findings.iter().filter(|finding| !finding.ok).map(|finding| finding.what).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("not in order: {}", missing.join(", ")).into()) }
}

fn finding(what: &'static str, found: Found) -> Finding {
    match found {
        Ok(says) => Finding { what, ok: true, says },
        Err(error) => Finding { what, ok: false, says: chain(error.as_ref()) },
    }
}

async fn database(config: &Config) -> Found {
    let database = open_database(config).await?;
    database.ping().await?;
    let kind = if database.is_sqlite() { "SQLite" } else { "PostgreSQL" };
    let migrations = persistence::migration_status(&database).await?;
    let pending = migrations.iter().filter(|(_, applied)| !applied).count();
    database.close().await;
    Ok(match pending {
        0 => format!("{kind}, up to date"),
        pending => format!("{kind}; the next start applies {pending} migrations"),
    })
}

async fn keyring(config: &Config) -> Found {
    config.make_data_dir()?;
    let keyring = open_keyring(config, &Secrets::new(config.master_secret()?)).await?;
    keyring.close().await;
    Ok("opens".to_owned())
}

async fn storage(config: &Config) -> Found {
    open_bucket(config)?.probe().await?;
    Ok("written, read and removed a test object".to_owned())
}

async fn backups(config: &Config) -> Found {
    let Some(place) = open_backups(config)? else { return Ok("switched off".to_owned()) };
    place.check().await?;
    let key = if config.backup_key_is_a_file_here() {
        "; keep a copy of backup.key somewhere else, nothing opens without it"
    } else {
        ""
    };
    match place.pick(Store::Business, None).await {
        Ok(newest) => {
            let age = config.clock()?.now().seconds_since(newest.created_at());
            if age > LATE_SECONDS as f64 {
                return Err(format!("the last good backup is {:.0} days old", age / 86_400.0).into());
            }
            Ok(format!("the last good one is {:.0} hours old{key}", (age / 3_600.0).max(0.0)))
        }
        Err(backup::Error::None) => Ok(format!("none yet, the first is made at midnight UTC{key}")),
        Err(error) => Err(error.into()),
    }
}

async fn mail_server(config: &Config) -> Found {
    open_mailer(config)?.probe().await?;
    Ok(if config.smtp_url.is_some() { "the mail server takes mail" } else { "dev mailbox in the data folder" }
        .to_owned())
}

/// What other mail servers want to find in the DNS before they take mail from us. The names asked for are public.
async fn sender_domain(config: &Config) -> Found {
    if config.smtp_url.is_none() {
        return Ok("no mail leaves this machine".to_owned());
    }
    let domain = |address: &str| address.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned());
    let dkim = match &config.dkim {
        Some(dkim) => Some((dkim.selector.clone(), mail::public_key_of(dkim)?)),
        None => None,
    };
    let sender = Sender {
        from_domain: domain(&config.mail_from),
        return_path_domain: config.bounces.as_ref().map(|bounces| domain(&bounces.mailbox)),
        dkim,
        // Which addresses a mail server sends from is its own affair.
        sends_from: Vec::new(),
    };
    let findings = domain_check::judge(&domain_check::facts(&sender, None, domain_check::LIMIT).await, &sender);
    let line = |one: &domain_check::Finding| match &one.record {
        Some(record) => format!("{} Publish: {record}", one.sentence),
        None => one.sentence.clone(),
    };
    let says = findings.iter().map(line).collect::<Vec<_>>().join(" ");
    let is_in_order = findings.iter().all(|one| !matches!(one.state, State::Missing | State::Wrong));
    if is_in_order { Ok(says) } else { Err(says.into()) }
}

async fn ffmpeg() -> String {
    let found = tokio::task::spawn_blocking(media::ffmpeg::Tool::find).await;
    if matches!(found, Ok(Some(_))) {
        "found; posters are made"
    } else {
        "not found; recordings play, posters are not made"
    }
    .to_owned()
}
