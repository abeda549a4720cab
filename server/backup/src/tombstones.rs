//! Erasures beside the backups: whoever has lost both databases still learns from here whom not to bring back.

use domain::Moment;
use domain::ids::{CoachId, TombstoneId};
use persistence::entities::tombstone;
use persistence::keyring::TombstoneLog;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::{Error, Header, Place, seal};

/// Where they lie.
pub(crate) const FOLDER: &str = "tombstones";

#[derive(Serialize, Deserialize)]
struct Stone {
    id: TombstoneId,
    coach_id: CoachId,
    email_bidx: Option<String>,
    /// Marks made before it was kept have none.
    #[serde(default)]
    subject_hash: Option<String>,
    cause: String,
    created_at: Moment,
    expires_at: Moment,
}

impl From<&tombstone::Model> for Stone {
    fn from(row: &tombstone::Model) -> Self {
        Self {
            id: row.id,
            coach_id: row.coach_id,
            email_bidx: row.email_bidx.as_ref().map(hex::encode),
            subject_hash: row.subject_hash.as_ref().map(hex::encode),
            cause: row.cause.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

impl Stone {
    fn row(self) -> Option<tombstone::Model> {
        Some(tombstone::Model {
            id: self.id,
            coach_id: self.coach_id,
            email_bidx: self.email_bidx.map(hex::decode).transpose().ok()?,
            subject_hash: self.subject_hash.map(hex::decode).transpose().ok()?,
            cause: self.cause,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

/// Rounded up to the second, so that the name never promises an earlier end than the tombstone has.
fn name_of(stone: &tombstone::Model) -> String {
    format!("{FOLDER}/{}-{}", stone.expires_at.plus_seconds(1).unix_seconds(), stone.id)
}

/// When the tombstone under a key ends.
pub(crate) fn expires_at(key: &str) -> Option<Moment> {
    let name = key.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let (seconds, _) = name.split_once('-')?;
    Some(Moment::from_unix_seconds(seconds.parse().ok()?))
}

impl Place {
    /// Every erasure that is remembered, oldest first.
    ///
    /// # Errors
    /// When one of them cannot be opened: then somebody could come back.
    pub async fn tombstones(&self) -> Result<Vec<tombstone::Model>> {
        let mut found = Vec::new();
        for key in self.bucket.list(FOLDER).await? {
            let plain = self.open_whole(&key).await?;
            let stone: Stone = serde_json::from_slice(&plain).map_err(|error| Error::Json("a tombstone", error))?;
            found.push(stone.row().ok_or(Error::Broken(key))?);
        }
        found.sort_by_key(|one| (one.created_at, one.id));
        Ok(found)
    }

    /// Writes those that are not there yet, such as after the place was moved.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn keep_tombstones(&self, all: &[tombstone::Model]) -> Result<()> {
        let there = self.bucket.list(FOLDER).await?;
        for stone in all {
            if !there.contains(&name_of(stone)) {
                self.keep_one(stone).await?;
            }
        }
        Ok(())
    }

    async fn keep_one(&self, stone: &tombstone::Model) -> Result<()> {
        let plain = serde_json::to_vec(&Stone::from(stone)).map_err(|error| Error::Json("a tombstone", error))?;
        let sealed = seal::seal_whole(&self.key, &Header::new("tombstone", &self.key), &plain)?;
        Ok(self.bucket.put(&name_of(stone), sealed).await?)
    }
}

#[async_trait::async_trait]
impl TombstoneLog for Place {
    async fn keep(&self, tombstone: &tombstone::Model) -> Result<(), persistence::Error> {
        self.keep_one(tombstone).await.map_err(|error| persistence::Error::TombstoneLog(Box::new(error)))
    }
}
