//! One person booked on one webinar, with the state of their watching.

use domain::Moment;
use domain::ids::{CoachId, RegistrationId, SessionId, SubjectId, VideoId, WebinarId};
use sea_orm::entity::prelude::*;

/// One person booked on one webinar, with the state of their watching.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registration")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegistrationId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// Which person.
    pub subject_id: SubjectId,
    /// `session_id`
    pub session_id: SessionId,
    /// `link_version`
    pub link_version: i32,
    /// `answers_ct`
    pub answers_ct: Option<Vec<u8>>,
    /// `source`
    pub source: String,
    /// `time_zone`
    pub time_zone: Option<String>,
    /// Two-letter country, or `??`.
    pub country: String,
    /// Browser family and class.
    pub device: String,
    /// `registered_at`
    pub registered_at: Moment,
    /// When its person first did something on a page their mailed link led to.
    pub proven_at: Option<Moment>,
    /// `first_played_at`
    pub first_played_at: Option<Moment>,
    /// `expires_at`
    pub expires_at: Moment,
    /// `finalised_at`
    pub finalised_at: Option<Moment>,
    /// `outcome`
    pub outcome: String,
    /// `unique_seconds`
    pub unique_seconds: i32,
    /// `total_ms`
    pub total_ms: i64,
    /// `hidden_ms`
    pub hidden_ms: i64,
    /// `furthest_ms`
    pub furthest_ms: i64,
    /// `percent_milli`
    pub percent_milli: i32,
    /// `last_credit_at`
    pub last_credit_at: Option<Moment>,
    /// `current_video_id`
    pub current_video_id: Option<VideoId>,
    /// For a session at a set time: from when its outcome can become final.
    pub finalises_at: Option<Moment>,
    /// Raised whenever the time changes, so that calendars follow (RFC 5545 SEQUENCE).
    pub calendar_sequence: i32,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The webinar it belongs to.
    #[sea_orm(belongs_to = "super::webinar::Entity", from = "Column::WebinarId", to = "super::webinar::Column::Id")]
    Webinar,
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
    /// The subject it belongs to.
    #[sea_orm(belongs_to = "super::subject::Entity", from = "Column::SubjectId", to = "super::subject::Column::Id")]
    Subject,
    /// The session it belongs to.
    #[sea_orm(belongs_to = "super::session::Entity", from = "Column::SessionId", to = "super::session::Column::Id")]
    Session,
}

impl Related<super::webinar::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl Related<super::subject::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Subject.def()
    }
}

impl Related<super::session::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Session.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
