//! One link of the chain that says what was done about rights, without saying about whom.

use domain::Moment;
use domain::ids::RequestId;
use sea_orm::entity::prelude::*;

/// One link of the chain that says what was done about rights, without saying about whom.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// Its place in the chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// What happened, from a closed list.
    pub event: String,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// In which role: `subject`, `coach`, `operator`, `system`.
    pub actor_role: String,
    /// Which kind of data.
    pub class: String,
    /// How much, as a power of ten.
    pub count_bucket: String,
    /// The data map in force.
    pub map_hash: Vec<u8>,
    /// Hash of the link before.
    pub prev: Vec<u8>,
    /// Hash of this one.
    pub hash: Vec<u8>,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
