//! One step of a request: one place data sits in. Doing it again changes nothing.

use domain::Moment;
use domain::ids::{RequestId, RequestTaskId};
use sea_orm::entity::prelude::*;

/// One step of a request: one place data sits in. Doing it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dsr_task")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RequestTaskId,
    /// Of which request.
    pub request_id: RequestId,
    /// What it takes care of.
    pub target: String,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it may be taken up again, should whoever does it have died.
    pub lease_until: Option<Moment>,
    /// Rows or objects it removed, over all tries.
    pub removed: i64,
    /// What it had to keep, with ground and end, as JSON.
    pub retained: String,
    /// What it waits for, in words without names.
    pub note: Option<String>,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When it was done.
    pub finished_at: Option<Moment>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The dsr request it belongs to.
    #[sea_orm(
        belongs_to = "super::dsr_request::Entity",
        from = "Column::RequestId",
        to = "super::dsr_request::Column::Id"
    )]
    DsrRequest,
}

impl Related<super::dsr_request::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::DsrRequest.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
