//! A rule that yields sessions.

use domain::Moment;
use domain::ids::{ScheduleRuleId, WebinarId};
use sea_orm::entity::prelude::*;

/// A rule that yields sessions.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_rule")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScheduleRuleId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// How it repeats ([`domain::schedule::RuleKind`]).
    pub kind: String,
    /// Its zone; none for that of whoever looks.
    pub zone: Option<String>,
    /// At what time of the day.
    pub wall_time: Option<String>,
    /// The whole rule as JSON ([`domain::schedule::Rule`]).
    pub rule: String,
    /// When it was made.
    pub created_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The webinar it belongs to.
    #[sea_orm(belongs_to = "super::webinar::Entity", from = "Column::WebinarId", to = "super::webinar::Column::Id")]
    Webinar,
}

impl Related<super::webinar::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
