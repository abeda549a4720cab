//! Where somebody was erased: keeps machines (imports, syncs, restores) from bringing them back, never the person herself.

use domain::Moment;
use domain::ids::{CoachId, TombstoneId};
use sea_orm::entity::prelude::*;

/// Where somebody was erased: keeps machines (imports, syncs, restores) from bringing them back, never the person herself.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstone")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TombstoneId,
    /// The controller, or the erased coach.
    pub coach_id: CoachId,
    /// The blind index of an erased viewer; empty when the whole account went.
    pub email_bidx: Option<Vec<u8>>,
    /// SHA-256 of the random id an erased viewer had: an older copy of them may have had another address.
    pub subject_hash: Option<Vec<u8>>,
    /// What led to it, in stored form.
    pub cause: String,
    /// When it was made.
    pub created_at: Moment,
    /// Later than the last backup that still holds the person.
    pub expires_at: Moment,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
