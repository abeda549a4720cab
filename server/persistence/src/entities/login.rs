//! A signed-in browser. The token is stored hashed.

use domain::Moment;
use domain::ids::{CoachId, LoginId};
use sea_orm::entity::prelude::*;

/// A signed-in browser. The token is stored hashed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LoginId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// `token_hash`
    pub token_hash: Vec<u8>,
    /// `awaiting_second_factor`
    pub awaiting_second_factor: bool,
    /// Browser family and class.
    pub device: String,
    /// Two-letter country, or `??`.
    pub country: String,
    /// When it was made.
    pub created_at: Moment,
    /// `seen_at`
    pub seen_at: Moment,
    /// `expires_at`
    pub expires_at: Moment,
    /// `proven_at`
    pub proven_at: Option<Moment>,
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
