//! One person's agreement to one wording.

use domain::Moment;
use domain::ids::{ConsentId, ConsentTextId, RegistrationId, SubjectId};
use sea_orm::entity::prelude::*;

/// One person's agreement to one wording.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    /// Which person.
    pub subject_id: SubjectId,
    /// Of which registration.
    pub registration_id: RegistrationId,
    /// `consent_text_id`
    pub consent_text_id: ConsentTextId,
    /// `purpose`
    pub purpose: String,
    /// `method`
    pub method: String,
    /// `given_at`
    pub given_at: Moment,
    /// `withdrawn_at`
    pub withdrawn_at: Option<Moment>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The subject it belongs to.
    #[sea_orm(belongs_to = "super::subject::Entity", from = "Column::SubjectId", to = "super::subject::Column::Id")]
    Subject,
    /// The registration it belongs to.
    #[sea_orm(
        belongs_to = "super::registration::Entity",
        from = "Column::RegistrationId",
        to = "super::registration::Column::Id"
    )]
    Registration,
    /// The consent text it belongs to.
    #[sea_orm(
        belongs_to = "super::consent_text::Entity",
        from = "Column::ConsentTextId",
        to = "super::consent_text::Column::Id"
    )]
    ConsentText,
}

impl Related<super::subject::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Subject.def()
    }
}

impl Related<super::registration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Registration.def()
    }
}

impl Related<super::consent_text::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ConsentText.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
