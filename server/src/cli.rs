//! Commands. Each has `--help`, answers with one line on stderr and a non-zero exit when it fails.

mod backup;
mod doctor;
mod healthcheck;
mod import;
mod privacy;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use backend::Backend;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use domain::secret::Secret;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use persistence::turns::Turn;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Flags, LogFormat};
use crate::router::router;
use crate::serve::{serve, stop_signal};
use crate::state::{AppState, StartError, open_backend, open_database};

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
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
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
    /// People's data: take it along, erase it, see how far that is, check a receipt
    Privacy {
        #[command(subcommand)]
        what: privacy::PrivacyCommand,
    },
    /// Take an account in from another installation's archive; it gets its password afterwards, and nothing is sent
    Import {
        /// The archive
        file: std::path::PathBuf,
        /// Only check it; needs no network and no database
        #[arg(long)]
        verify: bool,
        /// The public key it should be signed with (base64); without it the archive's own is shown
        #[arg(long)]
        key: Option<String>,
    },
    /// Backups: make, list, check, restore and remove them
    Backup {
        #[command(subcommand)]
        what: backup::BackupCommand,
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
        /// As JSON
        #[arg(long)]
        json: bool,
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
    /// The two seats of those who keep the service
    Operator {
        #[command(subcommand)]
        what: OperatorCommand,
    },
}

#[derive(Subcommand)]
enum OperatorCommand {
    /// Give an account one of the two seats; a third is refused
    Add {
        /// Sign-in address
        #[arg(long)]
        email: String,
    },
    /// Take an account's seat away
    Remove {
        /// Sign-in address
        #[arg(long)]
        email: String,
    },
    /// Show who sits where
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // `--help` and `--version` are no failures, but come this way as well.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => return fail(&usage(&error)),
    };
    match perform(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&backend::error::chain(error.as_ref())),
    }
}

/// One line, whatever the error brought along.
fn fail(text: &str) -> ExitCode {
    let words: Vec<&str> = text.split_whitespace().collect();
    eprintln!("mini-webinar: {}", words.join(" "));
    ExitCode::FAILURE
}

/// What is wrong with the command line, without the page of help clap puts behind it.
fn usage(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a subcommand is missing; --help lists them".to_owned();
    }
    let text = error.to_string();
    let complaint = text.split("Usage:").next().unwrap_or_default();
    complaint.trim_start_matches("error: ").split("For more information").next().unwrap_or_default().to_owned()
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn perform(cli: Cli) -> Outcome {
    let config = Config::read(&cli.flags)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            start_logging(&config);
            let backend = open_backend(&config).await?;
            let listener = listen(&config).await?;
            serve_until_stopped(config, backend, listener).await
        }
        Command::Demo => {
            start_logging(&config);
            demo(config).await
        }
        Command::Migrate { what } => migrate(&config, what).await,
        Command::Doctor { json } => doctor::examine(&config, json).await,
        Command::Healthcheck => healthcheck::ask(config.addr).await,
        Command::Config { what: ConfigCommand::Print { redacted: _, json } } => print_config(&config, json),
        Command::Account { what } => account(&config, what).await,
        Command::Privacy { what } => privacy::privacy(&config, what).await,
        Command::Import { file, verify, key } => import::import(&config, &file, verify, key.as_deref()).await,
        Command::Backup { what } => backup::backup(&config, what).await,
        Command::Jobs { what } => jobs_command(&config, what).await,
    }
}

fn start_logging(config: &Config) {
    // Checked when the configuration was read.
    let filter = EnvFilter::new(&config.log);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // Colours are for people; a file or a journal would keep their codes.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.init(),
    }
}

fn print_config(config: &Config, json: bool) -> Outcome {
    let mut out = std::io::stdout().lock();
    if json {
        let all: std::collections::BTreeMap<_, _> = config.redacted().into_iter().collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        for (name, value) in config.redacted() {
            writeln!(out, "{name}={value}")?;
        }
    }
    Ok(())
}

async fn listen(config: &Config) -> Result<TcpListener, StartError> {
    TcpListener::bind(config.addr).await.map_err(|error| StartError::Listen(config.addr, error))
}

/// How often the metrics are folded.
const METRICS_UPKEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// Histograms keep every sample until somebody folds them; a scrape does, and there may be none.
fn keep_metrics_small(metrics: PrometheusHandle) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(METRICS_UPKEEP).await;
            metrics.run_upkeep();
        }
    });
}

async fn serve_until_stopped(config: Config, backend: Backend, listener: TcpListener) -> Outcome {
    // Held until the end: a restore waits for nobody, and nobody serves what is being restored.
    let serving = backend.db().take_part(Turn::Serving).await?.ok_or(StartError::BeingRestored)?;
    backend.repeat_lost_erasures().await?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    keep_metrics_small(metrics.clone());
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
    let counting = tokio::spawn({
        let (backend, mut told) = (backend.clone(), told.clone());
        async move {
            backend
                .keep_page_views(async move {
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
    counting.await?;
    // Before the pool, which waits for its connections to come back.
    drop(serving);
    backend.close().await;
    Ok(())
}

async fn demo(config: Config) -> Outcome {
    config.make_data_dir()?;
    backend::demo::claim_folder(&config.data_dir)?;
    // Before the seed, which takes a while, so that a taken address is told at once.
    let listener = listen(&config).await?;
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
    serve_until_stopped(config, backend, listener).await
}

async fn migrate(config: &Config, what: Option<MigrateCommand>) -> Outcome {
    let database = open_database(config).await?;
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

fn password_from_stdin() -> Result<Secret, std::io::Error> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line.into())
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
        AccountCommand::Operator { what } => operator(&backend, what).await?,
    }
    backend.close().await;
    Ok(())
}

async fn operator(backend: &Backend, what: OperatorCommand) -> Outcome {
    match what {
        OperatorCommand::Add { email } => {
            let seat = backend.add_operator(&email).await?;
            println!("Seat {seat} is theirs. It opens nothing before the account has a second factor.");
        }
        OperatorCommand::Remove { email } => {
            backend.remove_operator(&email).await?;
            println!("The seat is free.");
        }
        OperatorCommand::List { json } => {
            let seated = backend.operators().await?;
            let mut out = std::io::stdout().lock();
            if json {
                writeln!(out, "{}", serde_json::to_string_pretty(&seated)?)?;
            } else {
                for one in seated {
                    let factor = if one.second_factor { "second factor on" } else { "no second factor" };
                    writeln!(out, "{}  {}  {factor}", one.seat, one.email)?;
                }
            }
        }
    }
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
