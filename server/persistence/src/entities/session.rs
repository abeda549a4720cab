//! One session of a webinar. `session_key` is its identity within the webinar: unique indexes take NULLs for different.

use domain::Moment;
use domain::ids::{ScheduleRuleId, SessionId, WebinarId};
use sea_orm::entity::prelude::*;

/// One session of a webinar. `session_key` is its identity within the webinar: unique indexes take NULLs for different.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// `schedule_rule_id`
    pub schedule_rule_id: Option<ScheduleRuleId>,
    /// `kind`
    pub kind: String,
    /// `starts_at`
    pub starts_at: Option<Moment>,
    /// `zone`
    pub zone: Option<String>,
    /// `wall_time`
    pub wall_time: Option<String>,
    /// `session_key`
    pub session_key: String,
    /// When it was made.
    pub created_at: Moment,
    /// When its coach called it off.
    pub cancelled_at: Option<Moment>,
    /// What the coach said when she moved it here or called it off.
    pub change_note: Option<String>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The webinar it belongs to.
    #[sea_orm(belongs_to = "super::webinar::Entity", from = "Column::WebinarId", to = "super::webinar::Column::Id")]
    Webinar,
    /// The schedule rule it belongs to.
    #[sea_orm(
        belongs_to = "super::schedule_rule::Entity",
        from = "Column::ScheduleRuleId",
        to = "super::schedule_rule::Column::Id"
    )]
    ScheduleRule,
}

impl Related<super::webinar::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl Related<super::schedule_rule::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ScheduleRule.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
