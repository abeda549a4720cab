//! A coach whose account, or whose viewers, a breach concerned, and when she was told.

use domain::Moment;
use domain::ids::{CoachId, IncidentId};
use sea_orm::entity::prelude::*;

/// A coach whose account, or whose viewers, a breach concerned, and when she was told.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident_coach")]
pub struct Model {
    /// Which breach.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident_id: IncidentId,
    /// Which coach.
    #[sea_orm(primary_key, auto_increment = false)]
    pub coach_id: CoachId,
    /// Whether data about herself is among it.
    pub is_own: bool,
    /// How many of her viewers it concerns.
    pub people: i64,
    /// When the mail to her was planned.
    pub told_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
    /// The breach it belongs to.
    #[sea_orm(belongs_to = "super::incident::Entity", from = "Column::IncidentId", to = "super::incident::Column::Id")]
    Incident,
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl Related<super::incident::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Incident.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
