//! Do not write to this person: a keyed hash, so that erasing somebody does not undo it.

use domain::Moment;
use domain::ids::{CoachId, SuppressionId};
use sea_orm::entity::prelude::*;

/// Do not write to this person: a keyed hash, so that erasing somebody does not undo it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suppression")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuppressionId,
    /// For whose mail.
    pub coach_id: CoachId,
    /// Blind index of the address.
    pub email_bidx: Vec<u8>,
    /// `mail`, `bounced`, `complained`, or a mail tool.
    pub channel: String,
    /// When it was made, or when the deliveries counted in it began to fail.
    pub created_at: Moment,
    /// Failed deliveries so far, where one alone says nothing for good.
    pub strikes: Option<i32>,
    /// Until when they keep mail back.
    pub until_at: Option<Moment>,
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
