//! A person whose data a coach holds. E-mail and name are sealed under the person's own key.

use domain::Moment;
use domain::ids::{CoachId, DekId, SubjectId};
use sea_orm::entity::prelude::*;

/// A person whose data a coach holds. E-mail and name are sealed under the person's own key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subject")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SubjectId,
    /// `kind`
    pub kind: String,
    /// Whose it is.
    pub coach_id: CoachId,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// `dek_id`
    pub dek_id: DekId,
    /// `email_bidx`
    pub email_bidx: Vec<u8>,
    /// `email_ct`
    pub email_ct: Vec<u8>,
    /// `name_ct`
    pub name_ct: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
