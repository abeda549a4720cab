//! An operator looked at a coach's data, and why. The coach sees it.

use domain::Moment;
use domain::ids::{CoachId, OperatorAccessId};
use sea_orm::entity::prelude::*;

/// An operator looked at a coach's data, and why. The coach sees it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator_access")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperatorAccessId,
    /// Which operator.
    pub seat: i32,
    /// Whose data.
    pub coach_id: CoachId,
    /// What was looked at.
    pub what: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub at: Moment,
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
