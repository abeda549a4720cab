//! Making a backup: the database's copy, then what it names, and last the manifest. Whoever is killed on the way leaves
//! nothing that reads as a backup.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::Moment;
use domain::ids::BackupId;
use futures::StreamExt;
use persistence::dump::Counts;
use persistence::turns::{Held, Turn};
use persistence::{Database, migration_status};
use sha2::{Digest, Sha256};
use storage::Bucket;
use tokio::sync::mpsc;

use crate::error::Result;
use crate::media::Copied;
use crate::place::Entry;
use crate::seal::{self, Outgoing};
use crate::{Error, Header, Manifest, Place, Store};

/// Pieces of a copy that wait to be sealed.
const WAITING: usize = 4;
/// How often, and with which pause, a turn is asked for.
const TURN_TRIES: u32 = 20;
const TURN_PAUSE: Duration = Duration::from_millis(100);

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its id.
    pub id: BackupId,
    /// Of which database.
    pub store: Store,
    /// Its folder.
    pub name: String,
    /// Bytes of its own as they lie there, recordings left out.
    pub size_bytes: u64,
    /// SHA-256 of the manifest as it lies there, which names everything else.
    pub sha256: [u8; 32],
    /// Of which moment.
    pub created_at: Moment,
    /// When it has to be gone.
    pub expires_at: Moment,
    /// Rows by table.
    pub tables: Counts,
    /// Recordings, pictures and logos it goes with.
    pub objects: u64,
    /// How many of them no backup had before.
    pub new_objects: u64,
    /// Their size.
    pub new_object_bytes: u64,
}

/// What went into a stream.
#[derive(Default)]
struct Tally {
    hash: Sha256,
    bytes: u64,
}

impl Place {
    /// Takes the turn of whoever makes backups or removes them. Waits a moment: a session that has just ended gives its
    /// lock back a little later.
    ///
    /// # Errors
    /// When another process has it.
    pub async fn turn(&self, database: &Database) -> Result<Held> {
        for _ in 0..TURN_TRIES {
            if let Some(held) = database.take_alone(Turn::BackingUp).await? {
                return Ok(held);
            }
            tokio::time::sleep(TURN_PAUSE).await;
        }
        Err(Error::Busy)
    }

    /// Refuses a place in which nothing can be removed for good.
    ///
    /// # Errors
    /// When it keeps old versions, or cannot be written.
    pub async fn check(&self) -> Result<()> {
        if self.bucket.keeps_versions().await? { Err(Error::KeepsVersions) } else { Ok(()) }
    }

    /// Backs the business database up, with what its rows name in the bucket. The caller has the turn.
    ///
    /// # Errors
    /// When anything could not be copied; then there is no backup.
    pub async fn back_up_business(
        &self,
        database: &Database,
        objects: &Bucket,
        scratch: &Path,
        now: Moment,
    ) -> Result<Made> {
        self.check().await?;
        let status = migration_status(database).await?;
        let migrations = status.into_iter().filter(|(_, applied)| *applied).map(|(name, _)| name).collect();
        let entry = Entry::new(Store::Business, now);
        let (manifest, _) = self.copy_database(&entry, database, scratch).await?;
        let known = match self.newest_manifest().await {
            Ok(known) => known.media,
            // The first one, or the key was changed: then everything is read.
            Err(_) => Vec::new(),
        };
        let copied = self.copy_media(objects, known).await?;
        let names: Vec<&str> = copied.entries.iter().map(|one| one.name.as_str()).collect();
        self.bucket.put(&entry.file("media"), Bytes::from(names.join("\n"))).await?;
        self.finish(&entry, database, Manifest { migrations, media: copied.entries.clone(), ..manifest }, &copied).await
    }

    /// Backs the keyring up, with the secret that opens it. The caller has the turn.
    ///
    /// # Errors
    /// When anything could not be copied; then there is no backup.
    pub async fn back_up_keyring(
        &self,
        keyring: &Database,
        secret: &[u8; 32],
        scratch: &Path,
        now: Moment,
    ) -> Result<Made> {
        self.check().await?;
        let entry = Entry::new(Store::Keyring, now);
        let (manifest, _) = self.copy_database(&entry, keyring, scratch).await?;
        let manifest = Manifest { secret: Some(hex::encode(secret)), ..manifest };
        self.finish(&entry, keyring, manifest, &Copied::default()).await
    }

    async fn newest_manifest(&self) -> Result<Manifest> {
        self.manifest(&self.pick(Store::Business, None).await?).await
    }

    /// Streams a copy of a database into its object, sealing it on the way.
    async fn copy_database(&self, entry: &Entry, database: &Database, scratch: &Path) -> Result<(Manifest, Counts)> {
        let (pieces, taken) = mpsc::channel(WAITING);
        let name = entry.file("database");
        let tally = Arc::new(Mutex::new(Tally::default()));
        let header = Header::of_backup("database", &self.key, entry, database.engine());
        let sealed = seal::seal(&self.key, &header, counted(taken, tally.clone(), name.clone()))?;
        let (counts, put) = tokio::join!(database.dump(scratch, pieces), self.bucket.put_stream(&name, sealed));
        // The copy's own failure says more than that of whoever waited for it.
        let counts = match (counts, put) {
            (Err(persistence::Error::Unwanted), Err(error)) => return Err(error.into()),
            (Err(error), _) => return Err(error.into()),
            (Ok(_), Err(error)) => return Err(error.into()),
            (Ok(counts), Ok(())) => counts,
        };
        let tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
        let manifest = Manifest {
            migrations: Vec::new(),
            database_bytes: tally.bytes,
            database_sha256: hex::encode(tally.hash.finalize()),
            tables: counts.clone(),
            media: Vec::new(),
            secret: None,
        };
        Ok((manifest, counts))
    }

    /// From here on it is a backup.
    async fn finish(&self, entry: &Entry, database: &Database, manifest: Manifest, copied: &Copied) -> Result<Made> {
        let header = Header::of_backup("manifest", &self.key, entry, database.engine());
        let plain = serde_json::to_vec(&manifest).map_err(|error| Error::Json("a manifest", error))?;
        let sealed = seal::seal_whole(&self.key, &header, &plain)?;
        let sha256 = Sha256::digest(&sealed).into();
        self.bucket.put(&entry.file("manifest"), sealed).await?;
        let lying = self.entries(entry.store).await?;
        Ok(Made {
            id: entry.id,
            store: entry.store,
            name: entry.name(),
            size_bytes: lying.iter().filter(|(of, _, _)| of == entry).map(|(_, _, size)| size).sum(),
            sha256,
            created_at: entry.created_at,
            expires_at: entry.expires_at(),
            tables: manifest.tables,
            objects: manifest.media.len() as u64,
            new_objects: copied.new,
            new_object_bytes: copied.new_bytes,
        })
    }
}

fn counted(
    taken: mpsc::Receiver<Result<Bytes, persistence::Error>>,
    tally: Arc<Mutex<Tally>>,
    name: String,
) -> Outgoing<'static> {
    futures::stream::unfold(taken, |mut taken| async move { taken.recv().await.map(|piece| (piece, taken)) })
        .map(move |piece| {
            let piece = piece.map_err(|error| Error::from(error).into_storage(&name))?;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.hash.update(&piece);
            tally.bytes += piece.len() as u64;
            Ok(piece)
        })
        .boxed()
}
