//! When the next request under a limit would conform (GCRA). The key is a keyed hash.

use sea_orm::entity::prelude::*;

/// When the next request under a limit would conform (GCRA). The key is a keyed hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_limit")]
pub struct Model {
    /// `key_hash`
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    /// `arrival_at`
    pub arrival_at: i64,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
