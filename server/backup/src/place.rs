//! Where backups lie, and how they are found there without any database.

use bytes::{Bytes, BytesMut};
use domain::Moment;
use domain::ids::BackupId;
use domain::rights::{BACKUP_DAYS, KEYRING_BACKUP_DAYS};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use storage::Bucket;

use crate::error::Result;
use crate::seal::{self, HEAD_BYTES, Opened};
use crate::{Error, Header, Key, Manifest};

/// Which of the two databases a backup is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// Everything but keys, and the recordings.
    Business,
    /// Keys only.
    Keyring,
}

impl Store {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Business, Self::Keyring];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Keyring => "keyring",
        }
    }

    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Business => "data",
            Self::Keyring => "keys",
        }
    }

    /// Days a backup of it is kept.
    #[must_use]
    pub const fn days(self) -> i64 {
        match self {
            Self::Business => BACKUP_DAYS,
            Self::Keyring => KEYRING_BACKUP_DAYS,
        }
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A backup's folder. Its name tells when it was made, so that it can be removed in time by whoever has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) store: Store,
    pub(crate) id: BackupId,
    /// To the second.
    pub(crate) created_at: Moment,
}

impl Entry {
    pub(crate) fn new(store: Store, now: Moment) -> Self {
        Self { store, id: BackupId::new(), created_at: Moment::from_unix_seconds(now.unix_seconds()) }
    }

    pub(crate) const fn expires_at(&self) -> Moment {
        self.created_at.plus_days(self.store.days())
    }

    pub(crate) fn name(&self) -> String {
        format!("{}/{}-{}", self.store.folder(), self.created_at.unix_seconds(), self.id)
    }

    pub(crate) fn file(&self, file: &str) -> String {
        format!("{}/{file}", self.name())
    }

    /// The folder and the file a key names.
    fn parse(store: Store, key: &str) -> Option<(Self, &str)> {
        let rest = key.strip_prefix(store.folder())?.strip_prefix('/')?;
        let (name, file) = rest.split_once('/')?;
        let (seconds, id) = name.split_once('-')?;
        let created_at = Moment::from_unix_seconds(seconds.parse().ok()?);
        Some((Self { store, id: id.parse().ok()?, created_at }, file))
    }
}

/// A backup that is whole.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) entry: Entry,
    /// What it says of itself.
    pub header: Header,
    /// Bytes of its own, recordings left out.
    pub bytes: u64,
}

impl Found {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> BackupId {
        self.entry.id
    }

    /// Of which database.
    #[must_use]
    pub const fn store(&self) -> Store {
        self.entry.store
    }

    /// Of which moment.
    #[must_use]
    pub const fn created_at(&self) -> Moment {
        self.entry.created_at
    }

    /// When it has to be gone.
    #[must_use]
    pub const fn expires_at(&self) -> Moment {
        self.entry.expires_at()
    }

    /// Its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.entry.name()
    }
}

/// Where backups lie, and the key they are sealed with. Cloning is cheap.
#[derive(Clone)]
pub struct Place {
    pub(crate) bucket: Bucket,
    pub(crate) key: Key,
}

impl Place {
    /// A place.
    #[must_use]
    pub const fn new(bucket: Bucket, key: Key) -> Self {
        Self { bucket, key }
    }

    /// Where they lie.
    #[must_use]
    pub const fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Everything that lies below a store's folder, with what it belongs to.
    pub(crate) async fn entries(&self, store: Store) -> Result<Vec<(Entry, String, u64)>> {
        let listed = self.bucket.list_with_facts(store.folder()).await?;
        let parsed = listed.into_iter().filter_map(|one| {
            let (entry, file) = Entry::parse(store, &one.key)?;
            Some((entry, file.to_owned(), one.size_bytes))
        });
        Ok(parsed.collect())
    }

    /// Backups that are whole, oldest first.
    ///
    /// # Errors
    /// When the storage fails, or one of them has no readable header.
    pub async fn list(&self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for store in Store::ALL {
            let entries = self.entries(store).await?;
            for (entry, _, _) in entries.iter().filter(|(_, file, _)| file == "manifest") {
                let bytes = entries.iter().filter(|(of, _, _)| of == entry).map(|(_, _, size)| size).sum();
                let name = entry.file("manifest");
                let mut head = BytesMut::from(self.bucket.get_range(&name, 0..HEAD_BYTES).await?);
                let (header, _) = Header::take(&mut head, &name)?.ok_or_else(|| Error::Broken(name.clone()))?;
                found.push(Found { entry: *entry, header, bytes });
            }
        }
        found.sort_by_key(|found| (found.entry.created_at, found.entry.id));
        Ok(found)
    }

    /// The newest backup of a store, or the one with an id.
    ///
    /// # Errors
    /// When there is none.
    pub async fn pick(&self, store: Store, id: Option<BackupId>) -> Result<Found> {
        let mut found = self.list().await?.into_iter().filter(|one| one.store() == store);
        match id {
            Some(id) => found.find(|one| one.id() == id).ok_or_else(|| Error::NotFound(id.to_string())),
            None => found.next_back().ok_or(Error::None),
        }
    }

    /// What a backup holds.
    ///
    /// # Errors
    /// When it was sealed with another key, or changed.
    pub async fn manifest(&self, backup: &Found) -> Result<Manifest> {
        let bytes = self.open_whole(&backup.entry.file("manifest")).await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Json("a manifest", error))
    }

    /// Opens a sealed object as it comes.
    pub(crate) async fn open(&self, name: &str) -> Result<(Header, Opened<'static>)> {
        let missing = |error: storage::Error| {
            if error.is_missing() { Error::Broken(name.to_owned()) } else { error.into() }
        };
        let size = self.bucket.size(name).await.map_err(missing)?;
        let sealed = self.bucket.read(name, 0..size).await.map_err(missing)?;
        seal::open(&self.key, name, sealed).await
    }

    /// Opens a small one whole.
    pub(crate) async fn open_whole(&self, name: &str) -> Result<Vec<u8>> {
        let (_, plain) = self.open(name).await?;
        let pieces: Vec<Bytes> = plain.try_collect().await?;
        Ok(pieces.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_when_its_backup_goes() {
        let now = Moment(1_795_000_000_123_456);
        for store in Store::ALL {
            let entry = Entry::new(store, now);
            let key = entry.file("manifest");
            assert_eq!(Entry::parse(store, &key), Some((entry, "manifest")));
            assert_eq!(entry.expires_at(), Moment::from_unix_seconds(1_795_000_000 + store.days() * 86_400));
        }
        for key in ["data", "data/x", "data/1-x/manifest", "keys/1795000000-", "data/manifest"] {
            assert_eq!(Entry::parse(Store::Business, key), None, "{key}");
        }
    }
}
