//! Signing in and out. A signed-in browser holds a random token; we hold its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::account::{LoginView, SignInStep};
use domain::ids::{CoachId, LoginId};
use domain::rights::AccountState;
use domain::secret::Secret;
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::entities::{coach, login};
use persistence::{accounts, exports, rights};
use sea_orm::{ConnectionTrait, Set};
use sha2::{Digest, Sha256};

use crate::limits::Limit;
use crate::passwords::Checked;
use crate::{Backend, Client, Coach, Error, Result, Visitor};

/// A browser is signed out after so long without a visit, and after so long in any case (quality.md §4).
pub(crate) const IDLE_DAYS: i64 = 14;
const LONGEST_DAYS: i64 = 90;
/// Time to type the six digits.
const SECOND_FACTOR_SECONDS: i64 = 10 * 60;
/// "Last seen" is kept no finer than this, and costs no write more often.
const SEEN_SECONDS: i64 = 300;

/// A browser that may go on.
pub struct SignedIn {
    /// What its cookie holds.
    pub token: String,
    /// What comes next.
    pub step: SignInStep,
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn wrong() -> Refusal {
    Refusal::new(
        RefusalKind::Invalid,
        "The address and the password do not fit together. Please check both, or choose a new password.",
    )
}

impl Backend {
    /// Signs a browser in; the token appears nowhere else. Refused in the words of a wrong password once the account is
    /// being erased.
    pub(crate) async fn open_login(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        awaiting_second_factor: bool,
        client: (&str, &str),
        now: Moment,
    ) -> Result<String> {
        if !rights::hold_account(conn, coach).await?.is_some_and(AccountState::may_sign_in) {
            return Err(wrong().into());
        }
        let token = URL_SAFE_NO_PAD.encode(crate::secrets::random::<32>());
        let expires_at =
            if awaiting_second_factor { now.plus_seconds(SECOND_FACTOR_SECONDS) } else { now.plus_days(LONGEST_DAYS) };
        let row = login::ActiveModel {
            id: Set(LoginId::new()),
            coach_id: Set(coach),
            token_hash: Set(hash(&token)),
            awaiting_second_factor: Set(awaiting_second_factor),
            device: Set(client.0.to_owned()),
            country: Set(client.1.to_owned()),
            created_at: Set(now),
            seen_at: Set(now),
            expires_at: Set(expires_at),
            proven_at: Set((!awaiting_second_factor).then_some(now)),
        };
        accounts::insert_login(conn, row).await?;
        Ok(token)
    }

    async fn live_login(&self, token: &str) -> Result<Option<login::Model>> {
        let now = self.now();
        let row = accounts::login_by_hash(self.db().reader(), &hash(token)).await?;
        Ok(row.filter(|row| row.expires_at > now && row.seen_at.plus_days(IDLE_DAYS) > now))
    }

    /// The coach a session token proves; nobody while a second factor is still wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn coach_by_token(&self, token: &str) -> Result<Option<Coach>> {
        let Some(row) = self.live_login(token).await?.filter(|row| !row.awaiting_second_factor) else {
            return Ok(None);
        };
        let now = self.now();
        if row.seen_at.plus_seconds(SEEN_SECONDS) <= now {
            let transaction = self.db().begin().await?;
            accounts::touch_login(&transaction, row.id, now).await?;
            transaction.commit().await?;
        }
        Ok(Some(Coach { backend: self.clone(), id: row.coach_id, login: row.id }))
    }

    /// The half-open login a token proves: the password was right, the second factor is wanted.
    pub(crate) async fn awaiting_login(&self, token: &str) -> Result<Option<login::Model>> {
        Ok(self.live_login(token).await?.filter(|row| row.awaiting_second_factor))
    }
}

impl Visitor {
    /// Signs in with address and password.
    ///
    /// # Errors
    /// Refuses in one sentence whatever was wrong, and after too many tries.
    pub async fn sign_in(&self, email: &str, password: &Secret, client: &Client) -> Result<SignedIn> {
        let backend = &self.backend;
        let email = EmailAddress::parse(email)?.normalised();
        let here = format!("{email}:{}", hex::encode(client.network));
        backend.limit(Limit::Login, &here).await?;
        backend.limit(Limit::LoginAnywhere, &email).await?;
        let known = accounts::coach_by_email(backend.db().reader(), &email).await?;
        let stored = known.as_ref().map(|coach| coach.password_hash.as_str());
        let (Some(known), Checked::Right(renewed)) =
            (known.as_ref(), backend.passwords().check(password, stored).await?)
        else {
            return Err(wrong().into());
        };
        let now = backend.now();
        let wants_second_factor = known.totp_enabled_at.is_some();
        let transaction = backend.db().begin().await?;
        // Checking takes a while, and the password may have been changed meanwhile.
        let held = accounts::lock(&transaction, known.id).await?;
        if held.is_none_or(|held| held.password_hash != known.password_hash) {
            return Err(wrong().into());
        }
        if let Some(password_hash) = renewed {
            accounts::change(
                &transaction,
                known.id,
                coach::ActiveModel { password_hash: Set(password_hash), ..Default::default() },
                now,
            )
            .await?;
        }
        backend.forgive(&transaction, Limit::Login, &here).await?;
        let token = backend
            .open_login(&transaction, known.id, wants_second_factor, (&client.device, &client.country), now)
            .await?;
        transaction.commit().await?;
        Ok(SignedIn { token, step: if wants_second_factor { SignInStep::SecondFactor } else { SignInStep::Done } })
    }

    /// Finishes signing in with six digits or a recovery code. The token changes, so that one seen before is worth
    /// nothing.
    ///
    /// # Errors
    /// Refuses a wrong, used or late code, and after too many tries.
    pub async fn second_factor(&self, token: &str, code: &str, client: &Client) -> Result<SignedIn> {
        let backend = &self.backend;
        let half = backend.awaiting_login(token).await?.ok_or_else(|| {
            Refusal::new(
                RefusalKind::SignInNeeded,
                "That took too long, or you are signed in already. Please sign in again.",
            )
        })?;
        backend.limit(Limit::SecondFactor, &half.coach_id.to_string()).await?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let row = accounts::coach(&transaction, half.coach_id).await?.ok_or_else(Refusal::sign_in)?;
        if !backend.use_second_factor(&transaction, &row, code, now).await? {
            return Err(Refusal::field(
                "code",
                "This code is wrong, late, or was used before. Please take the one shown now.",
            )
            .into());
        }
        accounts::delete_login(&transaction, row.id, half.id).await?;
        backend.forgive(&transaction, Limit::SecondFactor, &row.id.to_string()).await?;
        let token = backend.open_login(&transaction, row.id, false, (&client.device, &client.country), now).await?;
        transaction.commit().await?;
        Ok(SignedIn { token, step: SignInStep::Done })
    }

    /// Whether a token belongs to somebody whose second factor is wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn awaits_second_factor(&self, token: &str) -> Result<bool> {
        Ok(self.backend.awaiting_login(token).await?.is_some())
    }
}

impl Coach {
    pub(crate) async fn logins(&self) -> Result<Vec<LoginView>> {
        let rows = accounts::logins(self.backend.db().reader(), self.id).await?;
        let now = self.backend.now();
        Ok(rows
            .into_iter()
            .filter(|row| row.expires_at > now && row.seen_at.plus_days(IDLE_DAYS) > now)
            .map(|row| LoginView {
                is_current: row.id == self.login,
                id: row.id,
                device: row.device,
                country: row.country,
                created_at: row.created_at,
                seen_at: row.seen_at,
            })
            .collect())
    }

    /// Signs this browser out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        accounts::delete_login(&transaction, self.id, self.login).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs another of her browsers out.
    ///
    /// # Errors
    /// Refuses one that is not hers or no longer there.
    pub async fn revoke_login(&self, id: LoginId) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        if !accounts::delete_login(&transaction, self.id, id).await? {
            return Err(Refusal::not_found().into());
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Signs every other of her browsers out. Returns how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_other_logins(&self) -> Result<u64> {
        let transaction = self.backend.db().begin().await?;
        let gone = accounts::delete_logins(&transaction, self.id, Some(self.login)).await?;
        transaction.commit().await?;
        Ok(gone)
    }

    /// Asks for the password once more before something that matters.
    pub(crate) async fn prove(&self, field: &str, password: &Secret) -> Result<coach::Model> {
        let backend = &self.backend;
        backend.limit(Limit::Proof, &self.id.to_string()).await?;
        let row = accounts::coach(backend.db().reader(), self.id).await?.ok_or_else(Refusal::sign_in)?;
        match backend.passwords().check(password, Some(&row.password_hash)).await? {
            Checked::Right(_) => {
                let transaction = backend.db().begin().await?;
                backend.forgive(&transaction, Limit::Proof, &self.id.to_string()).await?;
                if row.totp_enabled_at.is_none() {
                    exports::prove_login(&transaction, self.login, backend.now()).await?;
                }
                transaction.commit().await?;
                Ok(row)
            }
            Checked::Wrong => {
                Err(Error::Refused(Refusal::field(field, "This is not your password. Nothing was changed.")))
            }
        }
    }
}
