//! A webinar: what its coach set.

use domain::Moment;
use domain::ids::{CoachId, ConsentTextId, VideoId, WebinarId};
use sea_orm::entity::prelude::*;

/// A webinar: what its coach set.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webinar")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebinarId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// `slug`
    pub slug: String,
    /// `title`
    pub title: String,
    /// `description`
    pub description: String,
    /// `presenter`
    pub presenter: String,
    /// `accent`
    pub accent: String,
    /// `session_kind`
    pub session_kind: String,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// `link_days`
    pub link_days: i32,
    /// `recorded_month`
    pub recorded_month: String,
    /// `fields`
    pub fields: String,
    /// `consent_text_id`
    pub consent_text_id: Option<ConsentTextId>,
    /// The wording of the box for offers; none is asked without one.
    pub promotion_text_id: Option<ConsentTextId>,
    /// `embed_hosts`
    pub embed_hosts: String,
    /// `end_percent`
    pub end_percent: i32,
    /// `floor_seconds`
    pub floor_seconds: i32,
    /// `logo_key`
    pub logo_key: Option<String>,
    /// `logo_type`
    pub logo_type: Option<String>,
    /// `current_video_id`
    pub current_video_id: Option<VideoId>,
    /// `closed_at`
    pub closed_at: Option<Moment>,
    /// `revision`
    pub revision: i32,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// `published_at`
    pub published_at: Option<Moment>,
    /// Days people and their watching are kept after their link ran out; empty means as long as the webinar.
    pub retention_days: Option<i32>,
    /// Whether the form asks people to say that they are 16 or older (promise P49).
    pub ask_age: bool,
    /// What goes for every rule, as JSON ([`domain::schedule::Schedule`] without its rules).
    pub schedule: String,
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
