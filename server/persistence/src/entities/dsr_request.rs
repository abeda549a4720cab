//! A right somebody asked to use, from the asking to the proof that it was done. It outlives the person: by then it names nobody.

use domain::Moment;
use domain::ids::{CoachId, DekId, RequestId, SubjectId};
use sea_orm::entity::prelude::*;

/// A right somebody asked to use, from the asking to the proof that it was done. It outlives the person: by then it names nobody.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dsr_request")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RequestId,
    /// Whose law sets the clock: `gdpr`, `uk`, `california` or `other`.
    pub regime: String,
    /// Which right, in stored form.
    pub kind: String,
    /// `coach` or `viewer`.
    pub subject_kind: String,
    /// Whose account, or the controller of the viewer; empty once that account is gone.
    pub coach_id: Option<CoachId>,
    /// Which viewer; empty once the request is over.
    pub subject_id: Option<SubjectId>,
    /// Stands for the person under the request's own key, which is destroyed at the end.
    pub subject_ref: Vec<u8>,
    /// The request's own key.
    pub dek_id: DekId,
    /// What was asked in words and where the answer goes, sealed under the request's own key.
    pub details_ct: Option<Vec<u8>>,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// Why it was denied or held, from the closed lists.
    pub reason: Option<String>,
    /// When it came in.
    pub received_at: Moment,
    /// When the person proved who they are.
    pub verified_at: Option<Moment>,
    /// Until when it can be called off.
    pub undo_until: Option<Moment>,
    /// Until when the law wants it done.
    pub due_at: Moment,
    /// A later date, announced to the person with the reason.
    pub extended_to: Option<Moment>,
    /// When it was over.
    pub completed_at: Option<Moment>,
    /// The signed receipt: counts and dates, no names.
    pub receipt: Option<String>,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
