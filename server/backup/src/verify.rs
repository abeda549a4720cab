//! Reading a backup back, as a restore would.

use std::path::Path;

use futures::{StreamExt, TryStreamExt};
use persistence::dump::{Counts, Engine, count_postgres, examine_sqlite};
use tokio::io::AsyncWriteExt;

use crate::error::Result;
use crate::media::checked;
use crate::seal::Opened;
use crate::{Error, Found, Manifest, Place};

/// What was found in a backup that is whole.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Rows by table.
    pub tables: Counts,
    /// Objects that were read.
    pub objects: u64,
    /// Bytes that were opened.
    pub bytes: u64,
}

impl Place {
    /// Opens everything a backup holds, compares every digest, and checks the database. `scratch` is a file SQLite's copy
    /// takes meanwhile; it is gone at the end.
    ///
    /// # Errors
    /// Says what is not as it was.
    pub async fn verify(&self, backup: &Found, scratch: &Path) -> Result<Verified> {
        let manifest = self.manifest(backup).await?;
        let name = backup.entry.file("database");
        let tables = match backup.header.engine {
            Some(Engine::Postgres) => count_postgres(self.database_of(backup, &manifest).await?).await?,
            _ => {
                let checked = async {
                    self.write_database(backup, &manifest, scratch).await?;
                    Ok::<_, Error>(examine_sqlite(scratch).await?)
                };
                let found = checked.await;
                remove(scratch).await?;
                found?
            }
        };
        if tables != manifest.tables {
            return Err(Error::Broken(name));
        }
        let mut bytes = manifest.database_bytes;
        let mut missing = Vec::new();
        for entry in &manifest.media {
            match self.open_media(entry).await {
                Ok(mut plain) => while plain.try_next().await?.is_some() {},
                Err(Error::Broken(_)) => missing.push(entry.key.clone()),
                Err(error) => return Err(error),
            }
            bytes += entry.size_bytes;
        }
        if !missing.is_empty() {
            return Err(Error::MediaMissing(missing));
        }
        Ok(Verified { tables, objects: manifest.media.len() as u64, bytes })
    }

    /// The database's copy, and an error at its end when it is not the one the manifest names.
    pub(crate) async fn database_of(&self, backup: &Found, manifest: &Manifest) -> Result<Opened<'static>> {
        let name = backup.entry.file("database");
        let (_, plain) = self.open(&name).await?;
        Ok(checked(plain, name, manifest.database_bytes, manifest.database_sha256.clone()).boxed())
    }

    /// Writes it into a file that must not be there yet.
    pub(crate) async fn write_database(&self, backup: &Found, manifest: &Manifest, file: &Path) -> Result<()> {
        let failed = |error| Error::File("write the database out of a backup", error);
        let mut plain = self.database_of(backup, manifest).await?;
        remove(file).await?;
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut out = options.open(file).await.map_err(failed)?;
        while let Some(piece) = plain.try_next().await? {
            out.write_all(&piece).await.map_err(failed)?;
        }
        out.flush().await.map_err(failed)?;
        out.sync_all().await.map_err(failed)
    }
}

/// Removes a database file with what SQLite keeps beside it.
pub(crate) async fn remove(file: &Path) -> Result<()> {
    for beside in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        match tokio::fs::remove_file(&name).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::File("remove a database file", error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
