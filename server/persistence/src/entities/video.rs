//! One version of a webinar's recording.

use domain::Moment;
use domain::ids::{CoachId, VideoId, WebinarId};
use sea_orm::entity::prelude::*;

/// One version of a webinar's recording.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "video")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VideoId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// `version`
    pub version: i32,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// What went wrong, for people.
    pub note: Option<String>,
    /// `file_name`
    pub file_name: String,
    /// `size_bytes`
    pub size_bytes: i64,
    /// `sha256`
    pub sha256: Option<Vec<u8>>,
    /// `content_type`
    pub content_type: String,
    /// `container`
    pub container: String,
    /// `duration_ms`
    pub duration_ms: i64,
    /// `width`
    pub width: i32,
    /// `height`
    pub height: i32,
    /// `video_codec`
    pub video_codec: String,
    /// `audio_codec`
    pub audio_codec: String,
    /// `object_key`
    pub object_key: String,
    /// `playable_key`
    pub playable_key: String,
    /// `poster_count`
    pub poster_count: i32,
    /// `poster_index`
    pub poster_index: i32,
    /// When it was made.
    pub created_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
    /// The webinar it belongs to.
    #[sea_orm(belongs_to = "super::webinar::Entity", from = "Column::WebinarId", to = "super::webinar::Column::Id")]
    Webinar,
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl Related<super::webinar::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
