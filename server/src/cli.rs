//! Commands. Each has `--help`, answers with one line on stderr and a non-zero exit when it fails.

mod privacy;

use std::io::Write;
use std::process::ExitCode;

use backend::Backend;
use clap::{Parser, Subcommand};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Flags};
use crate::router::router;
use crate::serve::{serve, stop_signal};
use crate::state::{AppState, StartError, open_backend};

/// Webinars that run by themselves, with people's data treated the way they want theirs treated.
#[derive(Parser)]
#[command(name = "mini-webinar", version, about)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and run jobs (the default)
    Serve,
    /// Serve a demo: a coach, three webinars, two hundred registrants, a sample video
    Demo,
    /// Bring the database up to date, or show where it stands
    Migrate {
        #[command(subcommand)]
        what: Option<MigrateCommand>,
    },
    /// Check everything the server needs and say what is missing
    Doctor,
    /// Ask a running server whether it is alive (for containers)
    Healthcheck,
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Accounts of coaches
    Account {
        #[command(subcommand)]
        what: AccountCommand,
    },
    /// People's data: erase it, see how far that is, check a receipt
    Privacy {
        #[command(subcommand)]
        what: privacy::PrivacyCommand,
    },
    /// Background work
    Jobs {
        #[command(subcommand)]
        what: JobsCommand,
    },
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// List the migrations and whether each is applied
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the configuration
    Print {
        /// Leave secrets out (always on; there is no way to print them)
        #[arg(long)]
        redacted: bool,
    },
}

#[derive(Subcommand)]
enum AccountCommand {
    /// Open an account whose address counts as confirmed; the password is read from standard input
    Create {
        /// Sign-in address
        #[arg(long)]
        email: String,
        /// Display name
        #[arg(long)]
        name: String,
    },
    /// Give an account a new password, read from standard input, and sign it out everywhere
    ResetPassword {
        /// Sign-in address
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum JobsCommand {
    /// List jobs that wait, run or were parked
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a parked job again
    Retry {
        /// The job's id
        id: domain::ids::JobId,
    },
}

/// Parses the command line and does it.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match perform(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut line = error.to_string();
            let mut source = std::error::Error::source(error.as_ref());
            while let Some(cause) = source {
                line.push_str(": ");
                line.push_str(&cause.to_string());
                source = cause.source();
            }
            eprintln!("mini-webinar: {}", line.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn perform(cli: Cli) -> Outcome {
    let config = Config::read(&cli.flags)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            start_logging();
            let backend = open_backend(&config).await?;
            serve_until_stopped(config, backend).await
        }
        Command::Demo => {
            start_logging();
            demo(config).await
        }
        Command::Migrate { what } => migrate(&config, what).await,
        Command::Doctor => doctor(&config).await,
        Command::Healthcheck => healthcheck(&config).await,
        Command::Config { what: ConfigCommand::Print { redacted: _ } } => {
            let mut out = std::io::stdout().lock();
            for (name, value) in config.redacted() {
                writeln!(out, "{name}={value}")?;
            }
            Ok(())
        }
        Command::Account { what } => account(&config, what).await,
        Command::Privacy { what } => privacy::privacy(&config, what).await,
        Command::Jobs { what } => jobs_command(&config, what).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "how to log is asked before the configuration is there")]
fn start_logging() {
    let filter =
        EnvFilter::try_from_env("MW_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,sea_orm_migration=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr);
    if std::env::var("MW_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.init();
    }
}

async fn serve_until_stopped(config: Config, backend: Backend) -> Outcome {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let addr = config.addr;
    let listener = TcpListener::bind(addr).await.map_err(|error| StartError::Listen(addr, error))?;
    let state = AppState::new(backend.clone(), config.clone());
    let router = router(state, metrics);
    backend.plan_periodic().await?;
    let (tell_worker, told) = tokio::sync::watch::channel(false);
    let worker = tokio::spawn({
        let backend = backend.clone();
        let mut told = told.clone();
        let owner = format!("{}-{}", std::process::id(), hex::encode(backend::secrets::random::<4>()));
        async move {
            backend
                .work(&owner, async move {
                    // An error means the sender is gone, which is an end as well.
                    let _ended = told.wait_for(|stop| *stop).await;
                })
                .await;
        }
    });
    tracing::info!(url = %config.base_url, data = %config.data_dir.display(), "serving");
    serve(listener, router, stop_signal()).await;
    tracing::info!("stopping: no new requests, finishing work under way");
    tell_worker.send_replace(true);
    worker.await?;
    backend.close().await;
    Ok(())
}

async fn demo(config: Config) -> Outcome {
    backend::demo::claim_folder(&config.data_dir)?;
    let backend = open_backend(&config).await?;
    let access = backend.seed_demo().await?;
    println!();
    println!("  My Mini Webinar is running with a demo coach.");
    println!();
    println!("  Dashboard   {}", backend.config().absolute("/login"));
    println!("              {}  /  {}", access.email, access.password);
    for path in &access.pages {
        println!("  Public page {}", backend.config().absolute(path));
    }
    println!("  A room      {}", backend.config().absolute(&access.room));
    if config.dev {
        println!("  Mailbox     {}", backend.config().absolute("/dev/mailbox"));
    }
    println!();
    serve_until_stopped(config, backend).await
}

async fn migrate(config: &Config, what: Option<MigrateCommand>) -> Outcome {
    config.make_data_dir()?;
    let database = persistence::Database::connect(&config.database_url).await?;
    if what.is_none() {
        persistence::migrate(&database).await?;
    }
    let status = persistence::migration_status(&database).await?;
    let mut out = std::io::stdout().lock();
    if matches!(what, Some(MigrateCommand::Status { json: true })) {
        let list: Vec<_> =
            status.iter().map(|(name, applied)| serde_json::json!({ "name": name, "applied": applied })).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
    } else {
        for (name, applied) in status {
            writeln!(out, "{} {name}", if applied { "applied" } else { "pending" })?;
        }
    }
    Ok(())
}

async fn doctor(config: &Config) -> Outcome {
    let backend = open_backend(config).await?;
    let mut out = std::io::stdout().lock();
    let mut healthy = true;
    let mut line = |what: &str, state: Result<String, String>| -> std::io::Result<()> {
        match state {
            Ok(text) => writeln!(out, "ok       {what}: {text}"),
            Err(text) => {
                healthy = false;
                writeln!(out, "missing  {what}: {text}")
            }
        }
    };
    let kind = if backend.db().is_sqlite() { "SQLite" } else { "PostgreSQL" };
    line("database", backend.db().ping().await.map(|()| kind.to_owned()).map_err(|error| error.to_string()))?;
    line(
        "storage",
        backend
            .bucket()
            .probe()
            .await
            .map(|()| "written, read and removed a test object".to_owned())
            .map_err(|error| error.to_string()),
    )?;
    let ffmpeg = media::ffmpeg::Tool::find();
    line(
        "ffmpeg",
        Ok(if ffmpeg.is_some() {
            "found; posters are made"
        } else {
            "not found; recordings play, posters are not made"
        }
        .to_owned()),
    )?;
    line("mail", Ok(if config.smtp_url.is_some() { "SMTP" } else { "dev mailbox in the data folder" }.to_owned()))?;
    line("time zones", Ok(format!("bundled, {}", backend::clock::tzdb_version())))?;
    let built = config.site_dir.join("pkg/assets.json").exists();
    line(
        "browser files",
        if built { Ok(config.site_dir.display().to_string()) } else { Err("not built; run make run".to_owned()) },
    )?;
    if healthy { Ok(()) } else { Err("something is missing, see above".into()) }
}

async fn healthcheck(config: &Config) -> Outcome {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(config.addr).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err("the server does not answer /healthz".into()) }
}

fn password_from_stdin() -> Result<String, std::io::Error> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn account(config: &Config, what: AccountCommand) -> Outcome {
    let backend = open_backend(config).await?;
    match what {
        AccountCommand::Create { email, name } => {
            backend.create_account(&name, &email, &password_from_stdin()?).await?;
            println!("The account was opened.");
        }
        AccountCommand::ResetPassword { email } => {
            backend.replace_password(&email, &password_from_stdin()?).await?;
            println!("The password was replaced and the account signed out everywhere.");
        }
    }
    backend.close().await;
    Ok(())
}

async fn jobs_command(config: &Config, what: JobsCommand) -> Outcome {
    let backend = open_backend(config).await?;
    match what {
        JobsCommand::List { json } => {
            let list = backend.unfinished_jobs().await?;
            let mut out = std::io::stdout().lock();
            if json {
                let list: Vec<_> = list
                    .iter()
                    .map(|job| serde_json::json!({ "id": job.id, "kind": job.kind, "state": job.state, "run_at": job.run_at.to_string(), "attempts": job.attempts, "last_error": job.last_error }))
                    .collect();
                writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
            } else {
                for job in list {
                    writeln!(
                        out,
                        "{}  {:<8} {:<24} {}  {}",
                        job.id,
                        job.state,
                        job.kind,
                        job.run_at,
                        job.last_error.unwrap_or_default()
                    )?;
                }
            }
        }
        JobsCommand::Retry { id } => {
            backend.retry_job(id).await?;
            println!("The job runs again.");
        }
    }
    backend.close().await;
    Ok(())
}
