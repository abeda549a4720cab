//! A caption track, kept as WebVTT.

use domain::Moment;
use domain::ids::{CaptionId, VideoId};
use sea_orm::entity::prelude::*;

/// A caption track, kept as WebVTT.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "caption")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaptionId,
    /// Which recording.
    pub video_id: VideoId,
    /// `language`
    pub language: String,
    /// `label`
    pub label: String,
    /// `cue_count`
    pub cue_count: i32,
    /// `webvtt`
    pub webvtt: String,
    /// When it was made.
    pub created_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The video it belongs to.
    #[sea_orm(belongs_to = "super::video::Entity", from = "Column::VideoId", to = "super::video::Column::Id")]
    Video,
}

impl Related<super::video::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Video.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
