//! A breach of personal data, on record as Art. 33(5) GDPR wants it. It names nobody.

use domain::Moment;
use domain::ids::IncidentId;
use sea_orm::entity::prelude::*;

/// A breach of personal data, on record as Art. 33(5) GDPR wants it. It names nobody.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IncidentId,
    /// Which kind of data, a class of the data map.
    pub class: String,
    /// From when somebody could get at it.
    pub from_at: Moment,
    /// Until when.
    pub to_at: Moment,
    /// When we became aware of it: the clock starts here.
    pub found_at: Moment,
    /// By when the authority has to be told (Art. 33(1)).
    pub report_due_at: Moment,
    /// When it was.
    pub reported_at: Option<Moment>,
    /// Which operator entered it.
    pub seat: i32,
    /// What happened, what follows from it, what was done.
    pub summary: String,
    /// Accounts concerned.
    pub coaches: i64,
    /// Viewers concerned, over all of them.
    pub people: i64,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
