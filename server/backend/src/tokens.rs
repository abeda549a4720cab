//! One-time tokens mailed to a coach.
//!
//! A token is derived from its row and the installation's secret, so that the mail can be rendered when it is sent and
//! nothing in the database opens a door by itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Moment;
use domain::ids::{CoachId, OneTimeTokenId};
use domain::rights::AccountState;
use persistence::entities::one_time_token;
use persistence::{accounts, rights};
use sea_orm::{ConnectionTrait, Set};
use sha2::{Digest, Sha256};

use crate::{Backend, Result};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The address given at sign-up belongs to the person.
    ConfirmEmail,
    /// A new password may be chosen.
    ResetPassword,
    /// The new address belongs to the person.
    ChangeEmail,
    /// Nothing: it carries the address that was in force when a change was asked for, so that the warning goes there
    /// however late it is sent.
    TellOldAddress,
    /// The person closes their account, and has no second factor that could say so.
    CloseAccount,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::TellOldAddress => "email_changed_notice",
            Self::CloseAccount => "close_account",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::ResetPassword | Self::CloseAccount => 15 * 60,
            Self::ConfirmEmail | Self::ChangeEmail => 24 * 3600,
            Self::TellOldAddress => 72 * 3600,
        }
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Backend {
    fn token_text(&self, id: OneTimeTokenId, purpose: &str) -> String {
        let mac = self.secrets().mac("one-time-token", &[id.as_bytes(), purpose.as_bytes()]);
        URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &mac[..16]].concat())
    }

    /// The secret of a token's row, for its mail.
    pub(crate) fn one_time_token_text(&self, row: &one_time_token::Model) -> String {
        self.token_text(row.id, &row.purpose)
    }

    /// Makes a token and plans the mail that carries it, in one transaction; earlier ones of its kind stop working.
    pub(crate) async fn mail_token(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        purpose: Purpose,
        new_email: Option<String>,
        now: Moment,
    ) -> Result<()> {
        if !rights::hold_account(conn, coach).await?.is_some_and(AccountState::may_sign_in) {
            return Ok(());
        }
        let id = OneTimeTokenId::new();
        let row = one_time_token::ActiveModel {
            id: Set(id),
            coach_id: Set(coach),
            purpose: Set(purpose.as_str().to_owned()),
            token_hash: Set(hash(&self.token_text(id, purpose.as_str()))),
            new_email: Set(new_email),
            created_at: Set(now),
            expires_at: Set(now.plus_seconds(purpose.seconds())),
            used_at: Set(None),
        };
        accounts::insert_token(conn, coach, purpose.as_str(), row, now).await?;
        self.enqueue_mail(conn, coach, purpose.as_str(), &format!("token:{id}"), None, Some(id), now).await
    }

    /// The row of a token that may still be used.
    pub(crate) async fn usable_token(
        &self,
        conn: &impl ConnectionTrait,
        token: &str,
    ) -> Result<Option<one_time_token::Model>> {
        Ok(accounts::usable_token(conn, &hash(token.trim()), self.now()).await?)
    }
}
