//! One credited report of played media time.

use domain::Moment;
use domain::ids::ViewId;
use sea_orm::entity::prelude::*;

/// One credited report of played media time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "beat")]
pub struct Model {
    /// `view_id`
    #[sea_orm(primary_key, auto_increment = false)]
    pub view_id: ViewId,
    /// `seq`
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// `from_ms`
    pub from_ms: i64,
    /// `to_ms`
    pub to_ms: i64,
    /// `rate_milli`
    pub rate_milli: i32,
    /// `hidden`
    pub hidden: bool,
    /// `muted`
    pub muted: bool,
    /// `captions`
    pub captions: bool,
    /// `at`
    pub at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The view it belongs to.
    #[sea_orm(belongs_to = "super::view::Entity", from = "Column::ViewId", to = "super::view::Column::Id")]
    View,
}

impl Related<super::view::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::View.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
