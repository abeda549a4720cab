//! Backups as the engine makes them: every night by itself, on request from the command line, removed in time.
//!
//! How they are sealed and laid out is the business of the crate `backup`; here they meet the clock, the catalogue, the
//! audit chain and the metrics (promises P24 and P46).

mod restored;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use backup::{Error as BackupError, Found, Made, Place, Store, Verified};
use domain::ids::BackupId;
use domain::{Moment, Refusal, RefusalKind};
use persistence::backups as catalogue;
use persistence::entities::backup_copy;
use privacy::audit::{Event, Role};

pub use restored::Restored;

use crate::{Backend, Error, Result};

/// Kind of the job that makes the nightly backup.
pub const BACK_UP: &str = "back_up";
/// Seconds between two backups; they are made at midnight UTC.
pub const BACK_UP_SECONDS: i64 = 86_400;
/// A last backup older than this is told by `doctor`: one night may fail, not two.
pub const LATE_SECONDS: i64 = 2 * BACK_UP_SECONDS;
/// Days the catalogue remembers a backup that is gone.
const REMEMBERED_DAYS: i64 = 90;

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        Self::fault("back up or restore", error)
    }
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups whose days were over.
    pub backups: Vec<BackupId>,
    /// Objects no backup needs any more.
    pub objects: u64,
}

impl Backend {
    /// From now on backups are kept there, and every erasure is noted beside them. The first place stays.
    pub fn keep_backups_in(&self, place: Place) {
        let place = self.0.backups.get_or_init(|| place);
        self.keyring().log_tombstones_to(Arc::new(place.clone()));
    }

    /// Where backups are kept; nothing when they are switched off.
    #[must_use]
    pub fn backups(&self) -> Option<&Place> {
        self.0.backups.get()
    }

    pub(crate) fn place_of_backups(&self) -> Result<&Place> {
        let message = "Backups are switched off: MW_BACKUP_URL is off.";
        self.backups().ok_or_else(|| Refusal::new(RefusalKind::Conflict, message).into())
    }

    /// The nightly job. Nobody waits for a backup another server is just making.
    pub(crate) async fn back_up(&self) -> Result<()> {
        if self.backups().is_none() {
            return Ok(());
        }
        match self.create_backup().await {
            Err(Error::Fault(fault)) if matches!(fault.source.downcast_ref(), Some(BackupError::Busy)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Backs up the business database with its recordings, then the keyring: in this order, so that everybody in the one
    /// has a key in the other.
    ///
    /// # Errors
    /// When backups are off, another one is being made, or something could not be copied.
    pub async fn create_backup(&self) -> Result<Vec<Made>> {
        let place = self.place_of_backups()?;
        let now = self.now();
        let _turn = place.turn(self.db()).await?;
        place.keep_tombstones(&self.keyring().tombstones(now).await?).await?;
        tokio::fs::create_dir_all(&self.config().work_dir).await.map_err(|e| Error::fault("make a folder", e))?;
        let scratch = self.config().work_dir.join("backup.db");
        let business = place.back_up_business(self.db(), self.bucket(), &scratch, now).await?;
        self.enter(&business, now).await?;
        let secret = self.secrets().for_a_backup_of_the_keyring();
        let keyring = place.back_up_keyring(self.keyring().database(), &secret, &scratch, now).await?;
        self.enter(&keyring, now).await?;
        tracing::info!("a backup was made");
        self.measure_backups(now).await?;
        Ok(vec![business, keyring])
    }

    async fn enter(&self, made: &Made, now: Moment) -> Result<()> {
        let copy = backup_copy::Model {
            id: made.id,
            store: made.store.as_str().to_owned(),
            file_name: made.name.clone(),
            size_bytes: i64::try_from(made.size_bytes).unwrap_or(i64::MAX),
            sha256: made.sha256.to_vec(),
            created_at: made.created_at,
            expires_at: made.expires_at,
            verified_at: None,
            removed_at: None,
        };
        let transaction = self.db().begin().await?;
        catalogue::enter(&transaction, copy).await?;
        self.audit(&transaction, Event::BackedUp, Role::System, None, ("operation", 1), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Reads a backup back and notes that it is whole.
    ///
    /// # Errors
    /// Says what is not as it was.
    pub async fn verify_backup(&self, backup: &Found) -> Result<Verified> {
        let place = self.place_of_backups()?;
        tokio::fs::create_dir_all(&self.config().work_dir).await.map_err(|e| Error::fault("make a folder", e))?;
        let verified = place.verify(backup, &self.config().work_dir.join("verify.db")).await?;
        let transaction = self.db().begin().await?;
        catalogue::verified(&transaction, backup.id(), self.now()).await?;
        transaction.commit().await?;
        Ok(verified)
    }

    /// Removes backups whose days are over (promise P46), and then what no other backup needs.
    ///
    /// # Errors
    /// When the storage fails; what is gone by then stays gone.
    pub async fn prune_backups(&self) -> Result<Pruned> {
        let place = self.place_of_backups()?;
        let pruned = self.remove_expired_backups(place, self.now()).await?;
        let _turn = place.turn(self.db()).await?;
        Ok(Pruned { objects: place.remove_unused().await?, ..pruned })
    }

    /// The hourly look: what is over goes, whoever else is at work; the rest waits for a turn when somebody is.
    pub(crate) async fn look_after_backups(&self, now: Moment) -> Result<()> {
        let Some(place) = self.backups() else { return Ok(()) };
        let pruned = self.remove_expired_backups(place, now).await?;
        if !pruned.backups.is_empty() {
            match place.turn(self.db()).await {
                Ok(_turn) => {
                    place.remove_unused().await?;
                }
                Err(BackupError::Busy) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let transaction = self.db().begin().await?;
        catalogue::forget(&transaction, now.plus_days(-REMEMBERED_DAYS)).await?;
        transaction.commit().await?;
        self.measure_backups(now).await
    }

    async fn remove_expired_backups(&self, place: &Place, now: Moment) -> Result<Pruned> {
        let backups: Vec<BackupId> = place.remove_expired(now).await?.into_iter().map(|(_, id)| id).collect();
        if !backups.is_empty() {
            let transaction = self.db().begin().await?;
            catalogue::removed(&transaction, &backups, now).await?;
            let gone = ("operation", backups.len() as u64);
            self.audit(&transaction, Event::BackedUp, Role::System, None, gone, now).await?;
            transaction.commit().await?;
        }
        Ok(Pruned { backups, objects: 0 })
    }

    /// How old the last good backup is, for whoever watches the service.
    async fn measure_backups(&self, now: Moment) -> Result<()> {
        if let Some(newest) = catalogue::newest(self.db().reader(), Store::Business.as_str()).await? {
            metrics::gauge!("backup_last_success_timestamp_seconds").set(newest.unix_seconds() as f64);
            let age = now.seconds_since(newest).max(0.0);
            metrics::gauge!("backup_age_seconds").set(age);
            if age > LATE_SECONDS as f64 {
                tracing::error!("the last good backup is more than two days old");
            }
        }
        Ok(())
    }
}
