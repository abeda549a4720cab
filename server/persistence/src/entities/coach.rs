//! A coach's account.

use domain::Moment;
use domain::ids::CoachId;
use sea_orm::entity::prelude::*;

/// A coach's account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "coach")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CoachId,
    /// `name`
    pub name: String,
    /// `email`
    pub email: String,
    /// `email_normal`
    pub email_normal: String,
    /// `email_confirmed_at`
    pub email_confirmed_at: Option<Moment>,
    /// `password_hash`
    pub password_hash: String,
    /// `time_zone`
    pub time_zone: String,
    /// `totp_ct`
    pub totp_ct: Option<Vec<u8>>,
    /// `totp_enabled_at`
    pub totp_enabled_at: Option<Moment>,
    /// `totp_last_step`
    pub totp_last_step: Option<i64>,
    /// `terms_version`
    pub terms_version: String,
    /// SHA-256 of the terms and data-processing agreement that were accepted.
    pub terms_hash: Option<Vec<u8>>,
    /// `terms_accepted_at`
    pub terms_accepted_at: Moment,
    /// Where the account is in its life, in stored form.
    pub state: String,
    /// Where it was before its end was asked for, in stored form: calling that off leads back there.
    pub state_before: Option<String>,
    /// When a closed account stops being readable and its erasure begins.
    pub closes_at: Option<Moment>,
    /// When password or address were last changed.
    pub credentials_changed_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// What it belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
