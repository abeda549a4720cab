//! Something has to be kept although its subject asked for erasure: a ground of the closed list, with an end.

use domain::Moment;
use domain::ids::{CoachId, LegalHoldId, SubjectId};
use sea_orm::entity::prelude::*;

/// Something has to be kept although its subject asked for erasure: a ground of the closed list, with an end.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "legal_hold")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LegalHoldId,
    /// Whose account, or the controller of the viewer.
    pub coach_id: CoachId,
    /// Which viewer; empty when it is the coach.
    pub subject_id: Option<SubjectId>,
    /// Which ground, in stored form.
    pub ground: String,
    /// Which kinds of data, as JSON.
    pub classes: String,
    /// When it ends by itself.
    pub until_at: Moment,
    /// In which role it was approved.
    pub approved_by: String,
    /// When it was made.
    pub created_at: Moment,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
