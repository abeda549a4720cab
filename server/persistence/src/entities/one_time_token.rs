//! A token mailed to a coach, good for one purpose, once.

use domain::Moment;
use domain::ids::{CoachId, OneTimeTokenId};
use sea_orm::entity::prelude::*;

/// A token mailed to a coach, good for one purpose, once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_token")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OneTimeTokenId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// `purpose`
    pub purpose: String,
    /// `token_hash`
    pub token_hash: Vec<u8>,
    /// `new_email`
    pub new_email: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// `expires_at`
    pub expires_at: Moment,
    /// `used_at`
    pub used_at: Option<Moment>,
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
