//! Loading a backup into an empty instance. What is loaded is marked as unfinished in the same step, so that nobody is
//! served from it before everybody erased since is gone from it again.

use std::path::Path;

use domain::Moment;
use domain::ids::BackupId;
use futures::{StreamExt, TryStreamExt};
use persistence::dump::{Engine, load_postgres, sync_file};
use persistence::entities::restore_run;
use persistence::turns::{Held, Turn, take_beside};
use persistence::{Database, known_migrations, migrate, migrate_steps, migration_status};
use storage::Bucket;

use crate::error::Result;
use crate::verify::remove;
use crate::{Error, Found, Manifest, Place, Store};

/// Tables that a database in use has rows in.
const IN_USE: [&str; 1] = ["coach"];
const KEYS_IN_USE: [&str; 2] = ["dek", "pepper"];

/// What became of the recordings.
#[derive(Clone, Debug, Default)]
pub struct MediaRestored {
    /// Written.
    pub written: u64,
    /// There already.
    pub kept: u64,
    /// Missing in the backup.
    pub missing: Vec<String>,
}

impl Place {
    /// Keeps everybody else out of the database a URL names.
    ///
    /// # Errors
    /// When a server is running on it.
    pub async fn alone_with(url: &str) -> Result<Held> {
        let held = match Database::file_of(url)? {
            Some(file) => take_beside(&file, Turn::Serving, true)?,
            None => {
                let database = Database::connect(url).await?;
                database.take_alone(Turn::Serving).await?
            }
        };
        held.ok_or(Error::InUse)
    }

    /// Whether the keyring a URL names has no keys.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn has_no_keys(url: &str) -> Result<bool> {
        is_empty(url, &KEYS_IN_USE).await
    }

    /// Refuses what a backup cannot be restored into, before anything is touched.
    ///
    /// # Errors
    /// Says why not.
    pub async fn check_target(&self, backup: &Found, manifest: &Manifest, url: &str) -> Result<()> {
        let here = engine_of(url)?;
        let made_of = backup.header.engine.ok_or_else(|| Error::Broken(backup.name()))?;
        if made_of != here {
            return Err(Error::Engine { made_of, here });
        }
        let known = known_migrations();
        if let Some(unknown) = manifest.migrations.iter().find(|name| !known.contains(name)) {
            return Err(Error::Newer(unknown.clone()));
        }
        let (tables, name): (&[&str], _) = match backup.store() {
            Store::Business => (&IN_USE, "the database"),
            Store::Keyring => (&KEYS_IN_USE, "the keyring"),
        };
        if is_empty(url, tables).await? { Ok(()) } else { Err(Error::NotEmpty(name)) }
    }

    /// Loads the business database and brings it up to date. It is marked as unfinished. The caller is alone with it.
    ///
    /// # Errors
    /// When it could not be loaded; then nothing is changed.
    pub async fn load_business(&self, backup: &Found, manifest: &Manifest, url: &str, now: Moment) -> Result<()> {
        self.check_target(backup, manifest, url).await?;
        let run = restore_run::Model {
            id: backup.id(),
            snapshot_at: backup.created_at(),
            restored_at: now,
            finished_at: None,
        };
        match Database::file_of(url)? {
            Some(file) => {
                let fresh = beside(&file, ".restoring");
                remove(&fresh).await?;
                self.write_database(backup, manifest, &fresh).await?;
                let done = mark_file(&fresh, run).await;
                put_in_place(&fresh, &file, done).await
            }
            None => {
                let database = Database::connect(url).await?;
                let done = self.load_business_tables(&database, backup, manifest, run).await;
                database.close().await;
                done
            }
        }
    }

    async fn load_business_tables(
        &self,
        database: &Database,
        backup: &Found,
        manifest: &Manifest,
        run: restore_run::Model,
    ) -> Result<()> {
        let applied = migration_status(database).await?.iter().filter(|(_, applied)| *applied).count();
        let steps = manifest.migrations.len().checked_sub(applied).ok_or(Error::Further)?;
        if steps > 0 {
            migrate_steps(database, u32::try_from(steps).unwrap_or(u32::MAX)).await?;
        }
        let mark = format!(
            "INSERT INTO restore_run (id, snapshot_at, restored_at) VALUES ('{}', {}, {}) \
             ON CONFLICT (id) DO UPDATE SET restored_at = excluded.restored_at, finished_at = NULL",
            run.id, run.snapshot_at.0, run.restored_at.0
        );
        let plain = self.database_of(backup, manifest).await?;
        let loaded = load_postgres(database, plain, Some(mark)).await?;
        if loaded != manifest.tables {
            return Err(Error::Broken(backup.name()));
        }
        Ok(migrate(database).await?)
    }

    /// Loads the keyring. Its tables are there already where it is a PostgreSQL.
    ///
    /// # Errors
    /// When it could not be loaded; then nothing is changed.
    pub async fn load_keyring(&self, backup: &Found, manifest: &Manifest, url: &str) -> Result<()> {
        self.check_target(backup, manifest, url).await?;
        match Database::file_of(url)? {
            Some(file) => {
                let fresh = beside(&file, ".restoring");
                self.write_database(backup, manifest, &fresh).await?;
                put_in_place(&fresh, &file, Ok(())).await
            }
            None => {
                let database = Database::connect(url).await?;
                let plain = self.database_of(backup, manifest).await?;
                let done = load_postgres(&database, plain, None).await;
                database.close().await;
                done?;
                Ok(())
            }
        }
    }

    /// Writes the recordings that are not there, those below `left_out` excepted.
    ///
    /// # Errors
    /// When a storage fails; doing it again is safe.
    pub async fn load_media(
        &self,
        manifest: &Manifest,
        objects: &Bucket,
        left_out: &[String],
    ) -> Result<MediaRestored> {
        let mut done = MediaRestored::default();
        for entry in &manifest.media {
            if left_out.iter().any(|prefix| entry.key.starts_with(prefix)) {
                continue;
            }
            match objects.size(&entry.key).await {
                Ok(size) if size == entry.size_bytes => {
                    done.kept += 1;
                    continue;
                }
                Ok(_) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.into()),
            }
            let plain = match self.open_media(entry).await {
                Ok(plain) => plain,
                Err(Error::Broken(_)) => {
                    done.missing.push(entry.key.clone());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let key = entry.key.clone();
            let plain = plain.map_err(move |error| error.into_storage(&key)).boxed();
            objects.put_stream(&entry.key, plain).await?;
            done.written += 1;
        }
        Ok(done)
    }

    /// The backup an unfinished restore was of.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn of_restore(&self, id: BackupId) -> Result<(Found, Manifest)> {
        let backup = self.pick(Store::Business, Some(id)).await?;
        let manifest = self.manifest(&backup).await?;
        Ok((backup, manifest))
    }
}

fn engine_of(url: &str) -> Result<Engine> {
    Ok(if Database::file_of(url)?.is_some() { Engine::Sqlite } else { Engine::Postgres })
}

fn beside(file: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn is_empty(url: &str, tables: &[&str]) -> Result<bool> {
    // Opening it would make the file.
    if Database::file_of(url)?.is_some_and(|file| !file.exists()) {
        return Ok(true);
    }
    let database = Database::connect(url).await?;
    let empty = database.is_empty_of(tables).await;
    database.close().await;
    Ok(empty?)
}

async fn mark_file(file: &Path, run: restore_run::Model) -> Result<()> {
    let database = Database::open_file(file).await?;
    let marked = async {
        migrate(&database).await?;
        let transaction = database.begin().await?;
        persistence::backups::begin_restore(&transaction, run).await.map_err(persistence::Error::from)?;
        transaction.commit().await.map_err(persistence::Error::from)?;
        database.truncate_log().await?;
        Ok::<_, persistence::Error>(())
    };
    let done = marked.await;
    database.close().await;
    Ok(done?)
}

/// Renames a finished file to where it belongs, or takes it away again.
async fn put_in_place(fresh: &Path, file: &Path, done: Result<()>) -> Result<()> {
    if let Err(error) = done {
        remove(fresh).await?;
        return Err(error);
    }
    sync_file(fresh)?;
    remove(file).await?;
    tokio::fs::rename(fresh, file).await.map_err(|error| Error::File("put the restored database in place", error))?;
    Ok(sync_file(file)?)
}
