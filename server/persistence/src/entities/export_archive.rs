//! An archive of everything held about somebody, sealed under a key of its own that ends with it.

use domain::Moment;
use domain::ids::{CoachId, DekId, ExportId, SubjectId};
use sea_orm::entity::prelude::*;

/// An archive of everything held about somebody, sealed under a key of its own that ends with it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "export_archive")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExportId,
    /// `coach` or `viewer`.
    pub subject_kind: String,
    /// Whose account, or the controller of the viewer.
    pub coach_id: CoachId,
    /// Which viewer.
    pub subject_id: Option<SubjectId>,
    /// The key it lies under.
    pub dek_id: DekId,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// What it is at, for people.
    pub step: String,
    /// Rows written so far.
    pub done_rows: i64,
    /// Rows counted at the start.
    pub total_rows: i64,
    /// Things that should be in it and could not be had.
    pub omissions: i32,
    /// Where it lies.
    pub object_key: Option<String>,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// Its checksum.
    pub sha256: Option<Vec<u8>>,
    /// How often it was fetched.
    pub downloads: i32,
    /// When the link of the last download ends, which tells it from others.
    pub last_link_at: Option<Moment>,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it was whole.
    pub ready_at: Option<Moment>,
    /// When it goes.
    pub expires_at: Moment,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
