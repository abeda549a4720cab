//! Views of a registration page, counted per day without anything that tells people apart.

use domain::ids::WebinarId;
use sea_orm::entity::prelude::*;

/// Views of a registration page, counted per day without anything that tells people apart.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "page_view")]
pub struct Model {
    /// Of which webinar.
    #[sea_orm(primary_key, auto_increment = false)]
    pub webinar_id: WebinarId,
    /// `day`
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i32,
    /// Browser family and class.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device: String,
    /// Two-letter country, or `??`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub country: String,
    /// `source`
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// `views`
    pub views: i64,
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
