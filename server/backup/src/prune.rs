//! Removing what is over (promise P46). What a folder is called is enough to know; no key is needed.

use std::collections::BTreeSet;

use domain::Moment;
use domain::ids::BackupId;

use crate::error::Result;
use crate::media::{FOLDER, object_of};
use crate::{Place, Store, tombstones};

/// A backup goes this long before its last second, so that the hourly look is never too late for it.
pub const PRUNE_AHEAD_SECONDS: i64 = 2 * 3_600;

impl Place {
    /// Removes backups whose days are over, whole or not, and tombstones no backup needs any more. Returns what is gone.
    ///
    /// # Errors
    /// When the storage fails; what is gone by then stays gone.
    pub async fn remove_expired(&self, now: Moment) -> Result<Vec<(Store, BackupId)>> {
        let mut gone: Vec<(Store, BackupId)> = Vec::new();
        for store in Store::ALL {
            for (entry, _, _) in self.entries(store).await? {
                if entry.expires_at() > now.plus_seconds(PRUNE_AHEAD_SECONDS) || gone.contains(&(store, entry.id)) {
                    continue;
                }
                // First what makes it a backup: half of one must not read as a whole.
                self.bucket.delete(&entry.file("manifest")).await?;
                self.bucket.erase_prefix(&format!("{}/", entry.name())).await?;
                gone.push((store, entry.id));
            }
        }
        for key in self.bucket.list(tombstones::FOLDER).await? {
            if tombstones::expires_at(&key).is_some_and(|at| at <= now) {
                self.bucket.delete(&key).await?;
            }
        }
        Ok(gone)
    }

    /// Removes what belongs to no backup: what a killed process left, and recordings that the last backup naming them
    /// took along. The caller has the turn: somebody else may just be making one. Returns how many objects are gone.
    ///
    /// # Errors
    /// When the storage fails; what is gone by then stays gone.
    pub async fn remove_unused(&self) -> Result<u64> {
        let mut gone = 0;
        let mut named = BTreeSet::new();
        for store in Store::ALL {
            let entries = self.entries(store).await?;
            let whole: Vec<BackupId> =
                entries.iter().filter(|(_, file, _)| file == "manifest").map(|(entry, _, _)| entry.id).collect();
            for (entry, file, _) in &entries {
                if !whole.contains(&entry.id) {
                    gone += self.bucket.erase_prefix(&format!("{}/", entry.name())).await?;
                } else if file == "media" {
                    let list = self.bucket.get(&entry.file("media")).await?;
                    named.extend(String::from_utf8_lossy(&list).lines().map(object_of));
                }
            }
            // A folder of this machine hides files that were being written.
            gone += self.remove_hidden(store).await?;
        }
        for key in self.bucket.list(FOLDER).await? {
            if !named.contains(&key) {
                gone += self.bucket.erase_prefix(&key).await?;
            }
        }
        Ok(gone)
    }

    async fn remove_hidden(&self, store: Store) -> Result<u64> {
        let Some(root) = self.bucket.local_root() else { return Ok(0) };
        let listed: BTreeSet<String> =
            self.entries(store).await?.into_iter().map(|(entry, _, _)| entry.name()).collect();
        let mut gone = 0;
        for folder in [store.folder(), FOLDER] {
            let found = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
            for name in found.map(|one| format!("{folder}/{}", one.file_name().to_string_lossy())) {
                let is_stray = if folder == FOLDER { name.contains('#') } else { !listed.contains(&name) };
                if is_stray {
                    gone += self.bucket.erase_prefix(&name).await?;
                }
            }
        }
        Ok(gone)
    }
}
