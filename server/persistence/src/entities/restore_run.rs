//! What a database was restored from, and whether everybody erased since is gone from it again.

use domain::Moment;
use domain::ids::BackupId;
use sea_orm::entity::prelude::*;

/// What a database was restored from, and whether everybody erased since is gone from it again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "restore_run")]
pub struct Model {
    /// The backup.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BackupId,
    /// Of which moment it is.
    pub snapshot_at: Moment,
    /// When it was loaded.
    pub restored_at: Moment,
    /// When it was as it has to be; until then nobody may be served from it.
    pub finished_at: Option<Moment>,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
