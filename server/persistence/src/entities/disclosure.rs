//! An authority asked for data (promise P25). Two operators have to agree; no names stand here.

use domain::Moment;
use domain::ids::DisclosureId;
use sea_orm::entity::prelude::*;

/// An authority asked for data (promise P25). Two operators have to agree; no names stand here.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "disclosure")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DisclosureId,
    /// When the request came.
    pub received_at: Moment,
    /// Which authority.
    pub authority: String,
    /// Which law it named.
    pub legal_basis: String,
    /// Which kinds of data, as JSON.
    pub classes: String,
    /// About how many people.
    pub subject_count: i32,
    /// Which operator entered it.
    pub asked_by_seat: i32,
    /// Which other operator agreed.
    pub approved_by_seat: Option<i32>,
    /// When.
    pub approved_at: Option<Moment>,
    /// When the data was given.
    pub given_at: Option<Moment>,
    /// Of whom data was given: keyed references that name nobody, as JSON.
    pub given_of: String,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
