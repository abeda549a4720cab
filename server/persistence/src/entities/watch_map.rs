//! Which seconds of one recording one registrant has played: one bit each, once and again.

use domain::Moment;
use domain::ids::{RegistrationId, VideoId};
use sea_orm::entity::prelude::*;

/// Which seconds of one recording one registrant has played: one bit each, once and again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "watch_map")]
pub struct Model {
    /// Of which registration.
    #[sea_orm(primary_key, auto_increment = false)]
    pub registration_id: RegistrationId,
    /// Which recording.
    #[sea_orm(primary_key, auto_increment = false)]
    pub video_id: VideoId,
    /// `seen`
    pub seen: Vec<u8>,
    /// `again`
    pub again: Vec<u8>,
    /// `total_ms`
    pub total_ms: i64,
    /// `hidden_ms`
    pub hidden_ms: i64,
    /// `furthest_ms`
    pub furthest_ms: i64,
    /// `last_position_ms`
    pub last_position_ms: i64,
    /// When it was last changed.
    pub updated_at: Moment,
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
    /// The video it belongs to.
    #[sea_orm(belongs_to = "super::video::Entity", from = "Column::VideoId", to = "super::video::Column::Id")]
    Video,
}

impl Related<super::registration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Registration.def()
    }
}

impl Related<super::video::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Video.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
