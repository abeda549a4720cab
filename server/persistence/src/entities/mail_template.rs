//! A mail of a webinar's sequence, as its coach wrote it.

use domain::Moment;
use domain::ids::{MailTemplateId, WebinarId};
use sea_orm::entity::prelude::*;

/// A mail of a webinar's sequence, as its coach wrote it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_template")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailTemplateId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// From what its time is counted ([`domain::sequence::TimingKind`]).
    pub timing: String,
    /// How many minutes from there.
    pub minutes: i32,
    /// To whom it goes, as JSON ([`domain::sequence::Segment`]).
    pub segment: String,
    /// Whether it sells something.
    pub is_promotional: bool,
    /// Whether it is switched on.
    pub is_on: bool,
    /// One line with placeholders.
    pub subject: String,
    /// Markdown with placeholders.
    pub body: String,
    /// When it came into the sequence.
    pub added_at: Moment,
    /// When it was last changed.
    pub changed_at: Moment,
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
