//! How many of a webinar's registrants were erased, by what they had watched: numbers that name nobody.

use domain::ids::WebinarId;
use sea_orm::entity::prelude::*;

/// How many of a webinar's registrants were erased, by what they had watched: numbers that name nobody.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erased_total")]
pub struct Model {
    /// Of which webinar.
    #[sea_orm(primary_key, auto_increment = false)]
    pub webinar_id: WebinarId,
    /// Attendance they had.
    #[sea_orm(primary_key, auto_increment = false)]
    pub outcome: String,
    /// How many.
    pub people: i64,
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
