//! Removing everything below a prefix, also what listing hides.
//!
//! `object_store`'s folder stages writes as `name#N` beside their target, and its `list` leaves these out: a folder is
//! therefore walked as files (privacy-design §2.8).

use std::path::{Path as FilePath, PathBuf};

use crate::bucket::Place;
use crate::{Bucket, Error};

impl Bucket {
    /// Removes every object whose key begins with `prefix`, staged and hidden ones too. Returns how many there were.
    ///
    /// # Errors
    /// When the storage fails; what is gone by then stays gone.
    pub async fn erase_prefix(&self, prefix: &str) -> Result<u64, Error> {
        match &self.place {
            Place::Local { root, .. } => {
                let (root, wanted) = (root.as_ref().clone(), prefix.to_owned());
                let walked = tokio::task::spawn_blocking(move || erase_files(&root, &wanted));
                walked.await.map_err(|error| Error::file("remove", prefix)(std::io::Error::other(error)))?
            }
            Place::S3(_) => {
                // A store lists by whole path segments; the rest of the prefix is compared here.
                let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
                let mut gone = 0;
                for key in self.list(folder).await?.iter().filter(|key| key.starts_with(prefix)) {
                    self.delete(key).await?;
                    gone += 1;
                }
                Ok(gone)
            }
        }
    }

    /// The folder objects lie in, so that its bytes can be looked at; nothing in S3.
    #[must_use]
    pub fn local_root(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Local { root, .. } => Some(root.as_ref().clone()),
            Place::S3(_) => None,
        }
    }
}

fn erase_files(root: &FilePath, prefix: &str) -> Result<u64, Error> {
    let failed = |source: std::io::Error| Error::File { operation: "remove", key: prefix.to_owned(), source };
    let (folder, name) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let folder = root.join(folder);
    if name.is_empty() {
        return erase_folder(&folder).map_err(failed);
    }
    let mut gone = 0;
    for entry in entries(&folder).map_err(failed)? {
        if entry.file_name().to_string_lossy().starts_with(name) {
            gone += erase_any(&entry.path()).map_err(failed)?;
        }
    }
    Ok(gone)
}

fn entries(folder: &FilePath) -> std::io::Result<Vec<std::fs::DirEntry>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn erase_any(path: &FilePath) -> std::io::Result<u64> {
    if std::fs::symlink_metadata(path)?.is_dir() {
        return erase_folder(path);
    }
    match std::fs::remove_file(path) {
        Ok(()) => Ok(1),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn erase_folder(folder: &FilePath) -> std::io::Result<u64> {
    let mut gone = 0;
    for entry in entries(folder)? {
        gone += erase_any(&entry.path())?;
    }
    match std::fs::remove_dir(folder) {
        Ok(()) => Ok(gone),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(gone),
        Err(error) => Err(error),
    }
}
