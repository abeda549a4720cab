//! `mini-webinar privacy`: archives, erasures and receipts from the command line.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use privacy::receipt::verify;

use super::Outcome;
use crate::config::Config;
use crate::routes::receipts::facts;
use crate::state::open_backend;

/// What can be done about people's data.
#[derive(Subcommand)]
pub(super) enum PrivacyCommand {
    /// Erase what is held under an address, at once: an account, or with --coach one viewer of that coach
    Erase {
        /// The person's address
        #[arg(long)]
        email: String,
        /// The coach whose viewer the person is
        #[arg(long)]
        coach: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write an archive of what is held about a coach, or with --email about one of her viewers
    Export {
        /// The coach's address
        #[arg(long)]
        coach: String,
        /// The viewer's address
        #[arg(long)]
        email: Option<String>,
        /// Where to write it
        #[arg(long)]
        out: PathBuf,
    },
    /// Show requests about an address, or one request by its id
    Status {
        /// The person's address
        #[arg(long, required_unless_present = "request")]
        email: Option<String>,
        /// The coach whose viewer the person is
        #[arg(long)]
        coach: Option<String>,
        /// A request's id, as its receipt names it
        #[arg(long, conflicts_with = "email")]
        request: Option<domain::ids::RequestId>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List complaints and reports that wait for an answer, without their words
    Messages {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Open a message; that somebody looked is put on record
    Message {
        /// Its reference
        id: domain::ids::RequestId,
    },
    /// Answer a message with the words of standard input, and end it
    Answer {
        /// Its reference
        id: domain::ids::RequestId,
    },
    /// Erase what is held under a child's address at every coach, now
    PurgeChild {
        /// The address the child registered with
        #[arg(long)]
        email: String,
    },
    /// Call off the erasure a wrong report about a child began
    Keep {
        /// The request's id
        id: domain::ids::RequestId,
    },
    /// Check a receipt; needs no network and no database
    Verify {
        /// The receipt, as it was mailed
        file: PathBuf,
        /// The address it should be about
        #[arg(long)]
        email: Option<String>,
        /// The public key it should be signed with; this installation's own when it is not given
        #[arg(long)]
        key: Option<String>,
    },
}

pub(super) async fn privacy(config: &Config, what: PrivacyCommand) -> Outcome {
    match what {
        PrivacyCommand::Erase { email, coach, json } => erase(config, &email, coach.as_deref(), json).await,
        PrivacyCommand::Export { coach, email, out } => export(config, &coach, email.as_deref(), &out).await,
        PrivacyCommand::Status { email, coach, request, json } => {
            status(config, email.as_deref(), coach.as_deref(), request, json).await
        }
        PrivacyCommand::Messages { json } => messages(config, json).await,
        PrivacyCommand::Message { id } => message(config, id).await,
        PrivacyCommand::Answer { id } => answer(config, id).await,
        PrivacyCommand::PurgeChild { email } => purge_child(config, &email).await,
        PrivacyCommand::Keep { id } => keep(config, id).await,
        PrivacyCommand::Verify { file, email, key } => check(config, &file, email.as_deref(), key),
    }
}

async fn erase(config: &Config, email: &str, coach: Option<&str>, json: bool) -> Outcome {
    let backend = open_backend(config).await?;
    let id = backend.erase_now(email, coach).await?;
    let line = backend.request_line(id).await?;
    let receipt = backend.stored_receipt(id).await?;
    backend.close().await;
    let state = line.as_ref().map_or("gone", |line| line.state.as_str());
    let mut out = std::io::stdout().lock();
    if json {
        let receipt: Option<serde_json::Value> = receipt.map(|text| serde_json::from_str(&text)).transpose()?;
        writeln!(out, "{}", serde_json::json!({ "request": id, "state": state, "receipt": receipt }))?;
    } else {
        writeln!(out, "{id}  {state}")?;
        if state != "done" {
            writeln!(out, "The server goes on with it; see: mini-webinar privacy status --request {id}")?;
        }
    }
    Ok(())
}

async fn export(config: &Config, coach: &str, email: Option<&str>, out: &std::path::Path) -> Outcome {
    let backend = open_backend(config).await?;
    let made = match email {
        Some(email) => backend.archive_to_file(email, Some(coach), out).await,
        None => backend.archive_to_file(coach, None, out).await,
    };
    let key = backend.receipt_signer().public_key();
    backend.close().await;
    let made = made?;
    println!("{}: {} bytes, {} rows, signed with the key {key}", out.display(), made.size_bytes, made.rows);
    if made.missing > 0 {
        println!("Incomplete: {} things could not be had; omissions.json in it lists them.", made.missing);
    }
    Ok(())
}

async fn status(
    config: &Config,
    email: Option<&str>,
    coach: Option<&str>,
    request: Option<domain::ids::RequestId>,
    json: bool,
) -> Outcome {
    let backend = open_backend(config).await?;
    let lines = match (request, email) {
        (Some(id), _) => backend.request_line(id).await?.into_iter().collect(),
        (None, Some(email)) => backend.requests_about(email, coach).await?,
        (None, None) => Vec::new(),
    };
    backend.close().await;
    if lines.is_empty() {
        return Err("there is no such request".into());
    }
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?;
    } else {
        for line in lines {
            writeln!(
                out,
                "{}  {:<9} {:<7} {:<9} due {}",
                line.id, line.kind, line.subject_kind, line.state, line.due_at
            )?;
        }
    }
    Ok(())
}

async fn messages(config: &Config, json: bool) -> Outcome {
    let backend = open_backend(config).await?;
    let lines = backend.messages().await?;
    backend.close().await;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?;
    } else {
        for line in lines {
            let read = if line.is_read { "read" } else { "unread" };
            let told = if line.is_acknowledged { "acknowledged" } else { "not acknowledged" };
            writeln!(
                out,
                "{}  {:<9} came in {}  due {}  {read}, {told}",
                line.id, line.kind, line.received_at, line.due_at
            )?;
        }
    }
    Ok(())
}

async fn message(config: &Config, id: domain::ids::RequestId) -> Outcome {
    let backend = open_backend(config).await?;
    let message = backend.read_message(id).await?;
    backend.close().await;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}  {}  came in {}, due {}",
        message.line.id, message.line.kind, message.line.received_at, message.line.due_at
    )?;
    writeln!(out, "Answer to: {}", message.answer_to.as_deref().unwrap_or("nobody asked for one"))?;
    if let Some(child) = &message.child {
        writeln!(out, "Reported address: {child}")?;
    }
    writeln!(out, "\n{}", message.words)?;
    Ok(())
}

async fn answer(config: &Config, id: domain::ids::RequestId) -> Outcome {
    let words = std::io::read_to_string(std::io::stdin())?;
    let backend = open_backend(config).await?;
    backend.answer_message(id, &words).await?;
    backend.close().await;
    writeln!(std::io::stdout().lock(), "{id}  answered")?;
    Ok(())
}

async fn purge_child(config: &Config, email: &str) -> Outcome {
    let backend = open_backend(config).await?;
    let requests = backend.purge_child(email).await?;
    backend.close().await;
    let mut out = std::io::stdout().lock();
    for id in requests {
        writeln!(out, "{id}  being erased; see: mini-webinar privacy status --request {id}")?;
    }
    Ok(())
}

async fn keep(config: &Config, id: domain::ids::RequestId) -> Outcome {
    let backend = open_backend(config).await?;
    backend.call_report_off(id).await?;
    backend.close().await;
    writeln!(std::io::stdout().lock(), "{id}  called off")?;
    Ok(())
}

fn check(config: &Config, file: &std::path::Path, email: Option<&str>, key: Option<String>) -> Outcome {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let key = match key {
        Some(key) => key,
        None => {
            let secrets = backend::Secrets::new(config.master_secret()?);
            privacy::receipt::Signer::from_seed(&secrets.derive("receipts")).public_key()
        }
    };
    let signed = verify(&text, Some(&key), email)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "The receipt is genuine and unchanged.")?;
    for (label, text) in facts(&signed) {
        writeln!(out, "{label}: {text}")?;
    }
    Ok(())
}
