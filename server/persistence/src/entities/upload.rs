//! A resumable upload. `parts` holds how far the staged object is durable, as JSON.

use domain::Moment;
use domain::ids::{CoachId, UploadId, VideoId, WebinarId};
use sea_orm::entity::prelude::*;

/// A resumable upload. `parts` holds how far the staged object is durable, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UploadId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// `file_name`
    pub file_name: String,
    /// `length_bytes`
    pub length_bytes: i64,
    /// `offset_bytes`
    pub offset_bytes: i64,
    /// `object_key`
    pub object_key: String,
    /// `parts`
    pub parts: String,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// What went wrong, for people.
    pub note: Option<String>,
    /// Which recording.
    pub video_id: Option<VideoId>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// `expires_at`
    pub expires_at: Moment,
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
