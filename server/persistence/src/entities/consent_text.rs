//! One version of the wording registrants agree to.

use domain::Moment;
use domain::ids::{ConsentTextId, WebinarId};
use sea_orm::entity::prelude::*;

/// One version of the wording registrants agree to.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_text")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentTextId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// `version`
    pub version: i32,
    /// `text`
    pub text: String,
    /// `text_hash`
    pub text_hash: Vec<u8>,
    /// When it was made.
    pub created_at: Moment,
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
