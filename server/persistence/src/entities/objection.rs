//! A person objects to a use of their data (Art. 21).

use domain::Moment;
use domain::ids::{ObjectionId, SubjectId};
use sea_orm::entity::prelude::*;

/// A person objects to a use of their data (Art. 21).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "objection")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectionId,
    /// Which person.
    pub subject_id: SubjectId,
    /// To what: `marketing`, `analytics` or `all`.
    pub scope: String,
    /// Why, sealed under the person's key.
    pub reason_ct: Option<Vec<u8>>,
    /// The coach's reasons for her answer, sealed under the person's key.
    pub answer_ct: Option<Vec<u8>>,
    /// When.
    pub made_at: Moment,
    /// Without an answer by then it is upheld.
    pub answer_due_at: Moment,
    /// `upheld` or `overruled`, with the ground.
    pub decision: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Moment>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The subject it belongs to.
    #[sea_orm(belongs_to = "super::subject::Entity", from = "Column::SubjectId", to = "super::subject::Column::Id")]
    Subject,
}

impl Related<super::subject::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Subject.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
