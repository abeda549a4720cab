//! A planned mail. Neither address nor text is kept: both are read when it is sent.

use domain::Moment;
use domain::ids::{CoachId, MailId, MailTemplateId, OneTimeTokenId, RegistrationId};
use sea_orm::entity::prelude::*;

/// A planned mail. Neither address nor text is kept: both are read when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailId,
    /// Whose it is.
    pub coach_id: CoachId,
    /// Of which registration.
    pub registration_id: Option<RegistrationId>,
    /// `one_time_token_id`
    pub one_time_token_id: Option<OneTimeTokenId>,
    /// `template`
    pub template: String,
    /// `dedupe_key`
    pub dedupe_key: String,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// What went wrong, for people.
    pub note: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// `sent_at`
    pub sent_at: Option<Moment>,
    /// Of which template of a sequence; nothing for every other mail.
    pub template_id: Option<MailTemplateId>,
    /// When it is to go.
    pub send_at: Option<Moment>,
    /// When it is looked at next: its time, or later when it had to wait.
    pub due_at: Option<Moment>,
    /// Later it would say what is no longer so.
    pub useful_until_at: Option<Moment>,
    /// When it was sent, dropped, found too late or superseded.
    pub decided_at: Option<Moment>,
    /// Why it does not go ([`domain::sequence::SkipReason`], [`domain::sequence::DropReason`]).
    pub reason: Option<String>,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The coach it belongs to.
    #[sea_orm(belongs_to = "super::coach::Entity", from = "Column::CoachId", to = "super::coach::Column::Id")]
    Coach,
    /// The registration it belongs to.
    #[sea_orm(
        belongs_to = "super::registration::Entity",
        from = "Column::RegistrationId",
        to = "super::registration::Column::Id"
    )]
    Registration,
    /// The one time token it belongs to.
    #[sea_orm(
        belongs_to = "super::one_time_token::Entity",
        from = "Column::OneTimeTokenId",
        to = "super::one_time_token::Column::Id"
    )]
    OneTimeToken,
}

impl Related<super::coach::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Coach.def()
    }
}

impl Related<super::registration::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Registration.def()
    }
}

impl Related<super::one_time_token::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::OneTimeToken.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
