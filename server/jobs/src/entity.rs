//! The table `job`.

use domain::Moment;
use domain::ids::JobId;
use sea_orm::entity::prelude::*;

/// A unit of background work.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// Which verb.
    pub kind: String,
    /// What the verb needs, as JSON: ids, never personal data.
    pub payload: String,
    /// `ready`, `running`, `done` or `parked`.
    pub state: String,
    /// Not before this.
    pub run_at: Moment,
    /// How often it was taken.
    pub attempts: i32,
    /// Parked after so many failures.
    pub max_attempts: i32,
    /// When it may be taken again, should its worker have died.
    pub lease_until: Option<Moment>,
    /// Who took it.
    pub lease_owner: Option<String>,
    /// The same key twice is one job.
    pub idempotency_key: Option<String>,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Moment,
    /// When it was done or parked.
    pub finished_at: Option<Moment>,
}

/// It belongs to nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
