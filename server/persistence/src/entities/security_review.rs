//! A review of how the service is secured, and when the next one is due (promise P43).

use domain::Moment;
use domain::ids::SecurityReviewId;
use sea_orm::entity::prelude::*;

/// A review of how the service is secured, and when the next one is due (promise P43).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_review")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SecurityReviewId,
    /// When it was held.
    pub held_at: Moment,
    /// Which operator held it.
    pub seat: i32,
    /// What was looked at and what came of it.
    pub summary: String,
    /// By when the next one has to be held.
    pub next_due_at: Moment,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
