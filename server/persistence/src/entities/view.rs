//! One visit to the room.

use domain::Moment;
use domain::ids::{RegistrationId, VideoId, ViewId, WebinarId};
use sea_orm::entity::prelude::*;

/// One visit to the room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "view")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ViewId,
    /// Of which registration.
    pub registration_id: RegistrationId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// Which recording.
    pub video_id: VideoId,
    /// `opened_at`
    pub opened_at: Moment,
    /// `first_played_at`
    pub first_played_at: Option<Moment>,
    /// `last_beat_at`
    pub last_beat_at: Option<Moment>,
    /// Browser family and class.
    pub device: String,
    /// Two-letter country, or `??`.
    pub country: String,
    /// By which link: [`crate::registrations::BY_MAIL`], or nothing for any other.
    pub came_by: Option<String>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The registration it belongs to.
    #[sea_orm(
        belongs_to = "super::registration::Entity",
        from = "Column::RegistrationId",
        to = "super::registration::Column::Id"
    )]
    Registration,
    /// The webinar it belongs to.
    #[sea_orm(belongs_to = "super::webinar::Entity", from = "Column::WebinarId", to = "super::webinar::Column::Id")]
    Webinar,
    /// The video it belongs to.
    #[sea_orm(belongs_to = "super::video::Entity", from = "Column::VideoId", to = "super::video::Column::Id")]
    Video,
}

impl Related<super::registration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Registration.def()
    }
}

impl Related<super::webinar::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl Related<super::video::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Video.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
