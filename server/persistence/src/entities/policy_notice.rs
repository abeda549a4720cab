//! A coach was told of a new version of the privacy policy, and perhaps acknowledged it.

use domain::Moment;
use domain::ids::CoachId;
use sea_orm::entity::prelude::*;

/// A coach was told of a new version of the privacy policy, and perhaps acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_notice")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub coach_id: CoachId,
    /// Which version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: String,
    /// When the notice was put up and mailed.
    pub noticed_at: Moment,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Moment>,
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
