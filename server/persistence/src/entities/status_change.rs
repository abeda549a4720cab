//! A change of a registration's status.

use domain::Moment;
use domain::ids::{RegistrationId, StatusChangeId};
use sea_orm::entity::prelude::*;

/// A change of a registration's status.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "status_change")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StatusChangeId,
    /// Of which registration.
    pub registration_id: RegistrationId,
    /// `from_status`
    pub from_status: String,
    /// `to_status`
    pub to_status: String,
    /// `at`
    pub at: Moment,
    /// `cause`
    pub cause: String,
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
}

impl Related<super::registration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Registration.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
