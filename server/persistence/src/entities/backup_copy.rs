//! The catalogue of backups: which there are and when each has to be gone.

use domain::Moment;
use domain::ids::BackupId;
use sea_orm::entity::prelude::*;

/// The catalogue of backups: which there are and when each has to be gone.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backup_copy")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BackupId,
    /// `business` or `keyring`.
    pub store: String,
    /// Name of the file.
    pub file_name: String,
    /// Its size.
    pub size_bytes: i64,
    /// Its checksum.
    pub sha256: Vec<u8>,
    /// When it was made.
    pub created_at: Moment,
    /// When it has to be gone.
    pub expires_at: Moment,
    /// When it was last read back and found whole.
    pub verified_at: Option<Moment>,
    /// When it was removed.
    pub removed_at: Option<Moment>,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
