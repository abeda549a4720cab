//! One of exactly two seats from which other people's accounts can be looked into (promise P42).

use domain::Moment;
use domain::ids::CoachId;
use sea_orm::entity::prelude::*;

/// One of exactly two seats from which other people's accounts can be looked into (promise P42).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator_seat")]
pub struct Model {
    /// 1 or 2.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seat: i32,
    /// Who sits on it.
    pub coach_id: CoachId,
    /// Since when.
    pub since: Moment,
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
