//! A code that replaces the second factor once.

use domain::Moment;
use domain::ids::{CoachId, RecoveryCodeId};
use sea_orm::entity::prelude::*;

/// A code that replaces the second factor once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoveryCodeId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// `code_hash`
    pub code_hash: Vec<u8>,
    /// `used_at`
    pub used_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
