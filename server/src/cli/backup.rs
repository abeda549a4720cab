//! `mini-webinar backup`: what a backup is made of, and what a restore does, is in `backend::backups`; here it meets the
//! configuration. Listing, checking and restoring need no database: it may be what was lost.

use std::collections::BTreeMap;
use std::io::Write;

use backend::Secrets;
use backup::{Found, Made, Manifest, Place, Store};
use clap::Subcommand;
use domain::ids::BackupId;
use serde::Serialize;

use super::Outcome;
use crate::config::{Config, ConfigError};
use crate::state::{StartError, open_backend, open_backups, open_keyring, open_restored_backend};

/// What can be done about backups.
#[derive(Subcommand)]
pub(super) enum BackupCommand {
    /// Back up database, recordings and keyring now; the server does so every night by itself
    Create {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the backups, oldest first; needs neither the database nor the key
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Read a backup back and compare every digest; the newest of each kind when none is named
    Verify {
        /// A backup's id
        id: Option<BackupId>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup into an empty instance, and erase again whoever was erased since; the newest when none is named
    Restore {
        /// A backup's id
        id: Option<BackupId>,
        /// Go on with a restore that was interrupted
        #[arg(long, conflicts_with = "id")]
        finish: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove backups whose days are over: data after 90, keys after 7; the server does so every hour by itself
    Prune {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// One backup, as it is printed.
#[derive(Serialize)]
struct Line {
    id: BackupId,
    store: Store,
    created_at: String,
    expires_at: String,
    bytes: u64,
    engine: Option<String>,
    software: String,
    name: String,
}

impl From<&Found> for Line {
    fn from(found: &Found) -> Self {
        Self {
            id: found.id(),
            store: found.store(),
            created_at: found.created_at().rfc3339(),
            expires_at: found.expires_at().rfc3339(),
            bytes: found.bytes,
            engine: found.header.engine.map(|engine| engine.to_string()),
            software: found.header.software.clone(),
            name: found.name(),
        }
    }
}

pub(super) async fn backup(config: &Config, what: BackupCommand) -> Outcome {
    match what {
        BackupCommand::Create { json } => create(config, json).await,
        BackupCommand::List { json } => list(config, json).await,
        BackupCommand::Verify { id, json } => verify(config, id, json).await,
        BackupCommand::Restore { id, finish, json } => restore(config, id, finish, json).await,
        BackupCommand::Prune { json } => prune(config, json).await,
    }
}

fn place(config: &Config) -> Result<Place, Box<dyn std::error::Error + Send + Sync>> {
    Ok(open_backups(config)?.ok_or("MW_BACKUP_URL: backups are switched off; expected file:///folder or s3://…")?)
}

async fn create(config: &Config, json: bool) -> Outcome {
    place(config)?;
    let backend = open_backend(config).await?;
    let made = backend.create_backup().await;
    backend.close().await;
    let made = made?;
    let mut out = std::io::stdout().lock();
    if json {
        let list: Vec<_> = made.iter().map(made_as_json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        return Ok(());
    }
    for one in made {
        let rows: u64 = one.tables.values().sum();
        writeln!(
            out,
            "{}  {:<8}  {} rows, {} objects, {} of them new, {} bytes; gone by {}",
            one.id,
            one.store.as_str(),
            rows,
            one.objects,
            one.new_objects,
            one.size_bytes + one.new_object_bytes,
            one.expires_at.rfc3339()
        )?;
    }
    Ok(())
}

fn made_as_json(made: &Made) -> serde_json::Value {
    serde_json::json!({
        "id": made.id, "store": made.store, "name": made.name, "created_at": made.created_at.rfc3339(),
        "expires_at": made.expires_at.rfc3339(), "bytes": made.size_bytes, "sha256": hex::encode(made.sha256),
        "tables": made.tables, "objects": made.objects, "new_objects": made.new_objects,
        "new_object_bytes": made.new_object_bytes,
    })
}

async fn list(config: &Config, json: bool) -> Outcome {
    let lines: Vec<Line> = place(config)?.list().await?.iter().map(Line::from).collect();
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&lines)?)?;
        return Ok(());
    }
    for line in lines {
        writeln!(
            out,
            "{}  {:<8}  {}  gone by {}  {:>12} bytes  {}",
            line.id,
            line.store.as_str(),
            line.created_at,
            line.expires_at,
            line.bytes,
            line.engine.unwrap_or_default()
        )?;
    }
    Ok(())
}

/// The one with an id, or the newest of each kind.
async fn picked(place: &Place, id: Option<BackupId>) -> Result<Vec<Found>, backup::Error> {
    let Some(id) = id else {
        let mut newest: BTreeMap<Store, Found> = BTreeMap::new();
        for found in place.list().await? {
            newest.insert(found.store(), found);
        }
        return if newest.is_empty() { Err(backup::Error::None) } else { Ok(newest.into_values().collect()) };
    };
    let found = place.list().await?.into_iter().find(|found| found.id() == id);
    Ok(vec![found.ok_or_else(|| backup::Error::NotFound(id.to_string()))?])
}

async fn verify(config: &Config, id: Option<BackupId>, json: bool) -> Outcome {
    let place = place(config)?;
    let work = config.data_dir.join("work");
    std::fs::create_dir_all(&work).map_err(|error| ConfigError(format!("MW_DATA_DIR: {error}")))?;
    let mut verified = Vec::new();
    for found in picked(&place, id).await? {
        let whole = place.verify(&found, &work.join("verify.db")).await?;
        verified.push((found, whole));
    }
    note_verified(config, &verified.iter().map(|(found, _)| found.id()).collect::<Vec<_>>()).await?;
    let mut out = std::io::stdout().lock();
    if json {
        let list: Vec<_> = verified
            .iter()
            .map(|(found, whole)| {
                serde_json::json!({
                    "id": found.id(), "store": found.store(), "ok": true, "tables": whole.tables,
                    "objects": whole.objects, "bytes": whole.bytes,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
        return Ok(());
    }
    for (found, whole) in verified {
        let rows: u64 = whole.tables.values().sum();
        let (id, store) = (found.id(), found.store().as_str());
        writeln!(out, "{id}  {store:<8}  whole: {rows} rows, {} objects, {} bytes", whole.objects, whole.bytes)?;
    }
    Ok(())
}

/// The catalogue is told where there is one; a lost database is no reason to fail.
async fn note_verified(config: &Config, ids: &[BackupId]) -> Outcome {
    let is_there = persistence::Database::file_of(&config.database_url)?.is_none_or(|file| file.exists());
    if !is_there {
        return Ok(());
    }
    let Ok(database) = crate::state::open_database(config).await else { return Ok(()) };
    let current =
        persistence::migration_status(&database).await.is_ok_and(|all| all.iter().all(|(_, applied)| *applied));
    if current {
        let transaction = database.begin().await?;
        for id in ids {
            persistence::backups::verified(&transaction, *id, config.clock()?.now()).await?;
        }
        transaction.commit().await?;
    }
    database.close().await;
    Ok(())
}

async fn restore(config: &Config, id: Option<BackupId>, finish: bool, json: bool) -> Outcome {
    let place = place(config)?;
    config.make_data_dir()?;
    crate::state::admitted(config, "MW_DATABASE_URL", &config.database_url)?;
    let alone = Place::alone_with(&config.database_url).await?;
    if !finish {
        load(config, &place, id).await?;
    }
    let backend = open_restored_backend(config).await?;
    let restored = backend.finish_restore().await;
    backend.close().await;
    drop(alone);
    let restored = restored?.ok_or("there is no restore to finish here")?;
    let mut out = std::io::stdout().lock();
    let (media, erased) = (&restored.media, restored.erased_again);
    if json {
        let said = serde_json::json!({
            "backup": restored.backup, "snapshot_at": restored.snapshot_at.rfc3339(), "erased_again": erased,
            "objects_written": media.written, "objects_kept": media.kept, "objects_missing": media.missing,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
    } else {
        writeln!(out, "Restored {} as of {}.", restored.backup, restored.snapshot_at.rfc3339())?;
        writeln!(out, "{erased} people who had been erased since were erased again.")?;
        writeln!(out, "{} objects were written, {} were there already.", media.written, media.kept)?;
        writeln!(out, "Everybody has to sign in again.")?;
    }
    if media.missing.is_empty() { Ok(()) } else { Err(backup::Error::MediaMissing(restored.media.missing).into()) }
}

/// Loads both databases. The keyring comes from its newest copy, whatever the age of the data: people whose keys were
/// destroyed since stay unreadable. One that is there is newer than any copy, and is left alone.
async fn load(config: &Config, place: &Place, id: Option<BackupId>) -> Outcome {
    let data = place.pick(Store::Business, id).await?;
    let manifest = place.manifest(&data).await?;
    place.check_target(&data, &manifest, &config.database_url).await?;
    if Place::has_no_keys(&config.keyring_url).await? {
        match place.pick(Store::Keyring, None).await {
            Ok(keys) => {
                let held = place.manifest(&keys).await?;
                let secret = settle_secret(config, &held)?;
                if persistence::Database::file_of(&config.keyring_url)?.is_none() {
                    // Makes the tables.
                    open_keyring(config, &Secrets::new(secret)).await?.close().await;
                }
                place.load_keyring(&keys, &held, &config.keyring_url).await?;
            }
            Err(backup::Error::None) => {
                eprintln!("mini-webinar: no copy of the keyring is left; names and addresses of viewers stay sealed");
            }
            Err(error) => return Err(error.into()),
        }
    }
    place.load_business(&data, &manifest, &config.database_url, config.clock()?.now()).await?;
    Ok(())
}

/// The installation's secret: the one that is here has to be the one the keyring was made with; where none is, the
/// backup's is kept.
fn settle_secret(config: &Config, held: &Manifest) -> Result<[u8; 32], Box<dyn std::error::Error + Send + Sync>> {
    let decoded = held.secret.as_deref().and_then(|text| hex::decode(text).ok());
    let in_backup: Option<[u8; 32]> = decoded.and_then(|bytes| bytes.try_into().ok());
    let in_backup = in_backup.ok_or("the copy of the keyring does not name its secret")?;
    match config.existing_master_secret()? {
        Some(here) if here == in_backup => Ok(here),
        Some(_) => Err("MW_SECRET_KEY: the backup was made with another secret; expected that one, or none".into()),
        None => {
            config.keep_master_secret(&in_backup).map_err(StartError::from)?;
            Ok(in_backup)
        }
    }
}

async fn prune(config: &Config, json: bool) -> Outcome {
    place(config)?;
    let backend = open_backend(config).await?;
    let pruned = backend.prune_backups().await;
    backend.close().await;
    let pruned = pruned?;
    let mut out = std::io::stdout().lock();
    if json {
        let said = serde_json::json!({ "removed": pruned.backups, "unused_objects": pruned.objects });
        writeln!(out, "{}", serde_json::to_string_pretty(&said)?)?;
    } else {
        let (backups, objects) = (pruned.backups.len(), pruned.objects);
        writeln!(out, "{backups} backups were over and are gone; {objects} objects that none needs went with them.")?;
    }
    Ok(())
}
