//! A person's data are kept and not used (Art. 18).

use domain::Moment;
use domain::ids::{RestrictionId, SubjectId};
use sea_orm::entity::prelude::*;

/// A person's data are kept and not used (Art. 18).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "restriction")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RestrictionId,
    /// Which person.
    pub subject_id: SubjectId,
    /// Which ground of Art. 18(1), in stored form.
    pub ground: String,
    /// Since when.
    pub from_at: Moment,
    /// When the person was told that it will be lifted (Art. 18(3)).
    pub lift_notice_at: Option<Moment>,
    /// When it ended.
    pub lifted_at: Option<Moment>,
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
