//! Opening an account, proving its address, and changing what is in it.
//!
//! Every answer at the door is the same whether or not an address has an account: what differs is said in a mail to
//! that address.

use domain::account::{AccountView, CheckedSignUp, CoachCard, SignUp, check_name};
use domain::ids::CoachId;
use domain::rights::AccountState;
use domain::secret::Secret;
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::accounts as queries;
use persistence::entities::coach;
use privacy::policy::Versions;
use sea_orm::{ConnectionTrait, Set};

use crate::limits::Limit;
use crate::logins::IDLE_DAYS;
use crate::passwords::judge;
use crate::tokens::Purpose;
use crate::{Backend, Client, Coach, Error, Result, Visitor};

/// Finished jobs are kept this long, for people who look into what happened.
const KEEP_JOBS_DAYS: i64 = 30;
/// Registrations made final in one transaction.
const FINAL_ROWS: u64 = 500;
/// Keys looked at in one housekeeping.
const SWEEP_KEYS: u64 = 5_000;

/// What a confirmation link led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The address given at sign-up.
    Address,
    /// A new address, in use from now on.
    NewAddress,
}

fn dead_link() -> Refusal {
    Refusal::new(
        RefusalKind::Gone,
        "This link was used before or has run out. Please ask for a new one; nothing was changed.",
    )
}

impl Backend {
    async fn insert_account(
        &self,
        conn: &impl ConnectionTrait,
        checked: &CheckedSignUp,
        password_hash: String,
        confirmed_at: Option<Moment>,
        now: Moment,
    ) -> Result<Option<CoachId>> {
        let id = CoachId::new();
        let terms = Versions::of_the_terms().current(now);
        let row = coach::ActiveModel {
            id: Set(id),
            name: Set(checked.name.clone()),
            email: Set(checked.email.as_str().to_owned()),
            email_normal: Set(checked.email.normalised()),
            email_confirmed_at: Set(confirmed_at),
            password_hash: Set(password_hash),
            time_zone: Set("UTC".to_owned()),
            totp_ct: Set(None),
            totp_enabled_at: Set(None),
            totp_last_step: Set(None),
            terms_version: Set(terms.name.clone()),
            terms_hash: Set(Some(terms.sha256.to_vec())),
            terms_accepted_at: Set(now),
            state: Set(AccountState::Active.as_str().to_owned()),
            state_before: Set(None),
            closes_at: Set(None),
            credentials_changed_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        Ok(queries::insert_coach(conn, row).await?.then_some(id))
    }

    /// Opens an account whose address counts as proven: for the command line and the demo.
    ///
    /// # Errors
    /// Refuses a name, address or password that is not acceptable, and an address that has an account.
    pub async fn create_account(&self, name: &str, email: &str, password: &Secret) -> Result<CoachId> {
        let checked = CheckedSignUp { name: check_name("name", name)?, email: EmailAddress::parse(email)? };
        judge(password, &[name, email])?;
        let password_hash = self.passwords().hash(password).await?;
        let now = self.now();
        let transaction = self.db().begin().await?;
        let id = self.insert_account(&transaction, &checked, password_hash, Some(now), now).await?;
        transaction.commit().await?;
        id.ok_or_else(|| Refusal::new(RefusalKind::Conflict, "There is an account with this address already.").into())
    }

    /// Gives an account a new password and signs it out everywhere: for the command line.
    ///
    /// # Errors
    /// Refuses an unknown address and a password that is not acceptable.
    pub async fn replace_password(&self, email: &str, password: &Secret) -> Result<()> {
        let email = EmailAddress::parse(email)?.normalised();
        judge(password, &[&email])?;
        let password_hash = self.passwords().hash(password).await?;
        let transaction = self.db().begin().await?;
        let row = queries::coach_by_email(&transaction, &email).await?;
        let row = row.ok_or_else(|| Refusal::new(RefusalKind::NotFound, "There is no account with this address."))?;
        self.put_password(&transaction, &row, password_hash, None).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }

    /// A new password ends every other session and is told to its owner.
    async fn put_password(
        &self,
        conn: &impl ConnectionTrait,
        row: &coach::Model,
        password_hash: String,
        kept: Option<domain::ids::LoginId>,
    ) -> Result<()> {
        let now = self.now();
        queries::change(
            conn,
            row.id,
            coach::ActiveModel {
                password_hash: Set(password_hash),
                credentials_changed_at: Set(Some(now)),
                ..Default::default()
            },
            now,
        )
        .await?;
        queries::delete_logins(conn, row.id, kept).await?;
        // Whoever knew the old password may have begun to move the account to another address.
        for purpose in [Purpose::ResetPassword, Purpose::ChangeEmail] {
            queries::use_tokens(conn, row.id, purpose.as_str(), now).await?;
        }
        self.enqueue_mail(
            conn,
            row.id,
            "password_changed",
            &format!("password_changed:{}:{}", row.id, now.0),
            None,
            None,
            now,
        )
        .await
    }

    /// Housekeeping of doors, limits, finished jobs and keys nobody uses.
    pub(crate) async fn prune(&self) -> Result<()> {
        let now = self.now();
        let transaction = self.db().begin().await?;
        queries::prune(&transaction, now.plus_days(-IDLE_DAYS), now).await?;
        jobs::prune(&transaction, now.plus_days(-KEEP_JOBS_DAYS)).await?;
        transaction.commit().await?;
        // A day is enough for any transaction that was about to use its key.
        let made = self.keyring().keys_made_between(now.plus_days(-8), now.plus_days(-1), SWEEP_KEYS).await?;
        let used: std::collections::HashSet<_> =
            queries::keys_in_use(self.db().reader(), &made).await?.into_iter().collect();
        for key in made.into_iter().filter(|key| !used.contains(key)) {
            self.keyring().destroy(key).await?;
        }
        Ok(())
    }

    /// Makes bookings final whose link ran out, whose last play is a day old, or whose session is over while they are
    /// not watching (product.md §4.4).
    pub(crate) async fn finalise_registrations(&self) -> Result<()> {
        use persistence::{registrations, results};
        loop {
            let now = self.now();
            let transaction = self.db().begin().await?;
            let last_play_before = now.plus_seconds(-domain::watching::FINAL_AFTER_SECONDS);
            let idle_since = now.plus_seconds(-domain::watching::IDLE_SECONDS);
            let due =
                registrations::due_to_be_final(&transaction, (last_play_before, idle_since), FINAL_ROWS, now).await?;
            if due.is_empty() {
                break;
            }
            registrations::make_final(&transaction, &due, now).await?;
            let missed: Vec<_> = due
                .iter()
                .filter(|due| due.is_missed)
                .map(|due| results::StatusChange {
                    registration: due.id,
                    from: domain::watching::Attendance::Registered,
                    to: domain::watching::Attendance::Missed,
                })
                .collect();
            results::log_changes(&transaction, &missed, "finalised", now).await?;
            // Who watched when they liked is followed up from here on; for everybody else nothing changes.
            let ids: Vec<_> = due.iter().map(|due| due.id).collect();
            self.replan_mails(&transaction, &ids, None, now).await?;
            transaction.commit().await?;
        }
        self.tell_all_waiting().await?;
        self.look_for_due_mails().await
    }
}

impl Visitor {
    /// Opens an account and mails the confirmation. An address that has an account already gets another mail; the
    /// answer here is the same.
    ///
    /// # Errors
    /// Refuses a field that is not acceptable, by name, and too many accounts from one network.
    pub async fn sign_up(&self, form: &SignUp, client: &Client) -> Result<()> {
        let backend = &self.backend;
        let checked = form.check()?;
        judge(&form.password, &[&checked.name, checked.email.as_str()])?;
        backend.limit(Limit::SignUp, &hex::encode(client.network)).await?;
        let password_hash = backend.passwords().hash(&form.password).await?;
        let now = backend.now();
        let normal = checked.email.normalised();
        let transaction = backend.db().begin().await?;
        // Counted whether or not the address is known, or the next form that counts it would tell.
        let place = backend.limit_in(&transaction, Limit::AccountMail, &normal).await;
        match backend.insert_account(&transaction, &checked, password_hash, None, now).await? {
            Some(id) => backend.mail_token(&transaction, id, Purpose::ConfirmEmail, None, now).await?,
            None => {
                let known = queries::coach_by_email(&transaction, &normal).await?;
                match (known, place) {
                    (Some(known), Ok(())) => {
                        let once = format!("already_registered:{}:{}", known.id, now.0);
                        backend
                            .enqueue_mail(&transaction, known.id, "already_registered", &once, None, None, now)
                            .await?;
                    }
                    // Silence: an inbox is not flooded, and the answer must not tell.
                    (_, Err(Error::Refused(_))) | (None, _) => {}
                    (_, Err(error)) => return Err(error),
                }
            }
        }
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Proves an address by the token mailed to it. Called for a press of a button, never for opening a link:
    /// scanners open links.
    ///
    /// # Errors
    /// Refuses a token that is unknown, used or too old, and a new address that was taken meanwhile.
    pub async fn confirm_email(&self, token: &str) -> Result<Confirmed> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let row = backend.usable_token(&transaction, token).await?.ok_or_else(dead_link)?;
        let (change, confirmed) = match row.new_email.as_deref() {
            None if row.purpose == Purpose::ConfirmEmail.as_str() => {
                (coach::ActiveModel { email_confirmed_at: Set(Some(now)), ..Default::default() }, Confirmed::Address)
            }
            Some(new_email) if row.purpose == Purpose::ChangeEmail.as_str() => {
                let address = EmailAddress::parse(new_email)?;
                let change = coach::ActiveModel {
                    email: Set(address.as_str().to_owned()),
                    email_normal: Set(address.normalised()),
                    email_confirmed_at: Set(Some(now)),
                    credentials_changed_at: Set(Some(now)),
                    ..Default::default()
                };
                (change, Confirmed::NewAddress)
            }
            _ => return Err(dead_link().into()),
        };
        if !queries::use_token(&transaction, row.id, now).await? {
            return Err(dead_link().into());
        }
        if let Err(error) = queries::change(&transaction, row.coach_id, change, now).await {
            if persistence::unique_violation(&error).is_some() {
                return Err(Refusal::new(
                    RefusalKind::Conflict,
                    "Another account uses this address by now. Yours keeps the old one.",
                )
                .into());
            }
            return Err(error.into());
        }
        // A mail to the former address opens nothing any more.
        queries::use_tokens(&transaction, row.coach_id, Purpose::ResetPassword.as_str(), now).await?;
        transaction.commit().await?;
        Ok(confirmed)
    }

    /// Mails a link to choose a new password, if the address has an account.
    ///
    /// # Errors
    /// Refuses what is no address, and too many mails to one.
    pub async fn request_password_reset(&self, email: &str, client: &Client) -> Result<()> {
        let backend = &self.backend;
        let email = EmailAddress::parse(email)?.normalised();
        backend.limit(Limit::SignUp, &hex::encode(client.network)).await?;
        backend.limit(Limit::AccountMail, &email).await?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        if let Some(row) = queries::coach_by_email(&transaction, &email).await? {
            backend.mail_token(&transaction, row.id, Purpose::ResetPassword, None, now).await?;
        }
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Sets a new password by the token mailed to the address, and signs out everywhere.
    ///
    /// # Errors
    /// Refuses a token that is unknown, used or too old, and a password that is not acceptable; then the token stays
    /// good.
    pub async fn reset_password(&self, token: &str, password: &Secret) -> Result<()> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let found =
            backend.usable_token(reader, token).await?.filter(|row| row.purpose == Purpose::ResetPassword.as_str());
        let found = found.ok_or_else(dead_link)?;
        let row = queries::coach(reader, found.coach_id).await?.ok_or_else(dead_link)?;
        judge(password, &[&row.name, &row.email])?;
        let password_hash = backend.passwords().hash(password).await?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        if !queries::use_token(&transaction, found.id, now).await? {
            return Err(dead_link().into());
        }
        backend.put_password(&transaction, &row, password_hash, None).await?;
        if row.email_confirmed_at.is_none() {
            // Whoever read the mail owns the address, whoever opened the account with it.
            let change = coach::ActiveModel {
                email_confirmed_at: Set(Some(now)),
                totp_ct: Set(None),
                totp_enabled_at: Set(None),
                totp_last_step: Set(None),
                ..Default::default()
            };
            queries::change(&transaction, row.id, change, now).await?;
            queries::put_recovery_codes(&transaction, row.id, Vec::new(), now).await?;
        }
        let here = row.email_normal.clone();
        backend.forgive(&transaction, Limit::LoginAnywhere, &here).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }
}

/// A moment in a zone, with the zone shown, as pages without a script print it; in UTC where nobody knows the zone.
#[must_use]
pub fn zoned_text(at: Moment, zone: &str) -> String {
    match at.timestamp().in_tz(zone) {
        Ok(local) => local.strftime("%-d %B %Y, %H:%M %Z").to_string(),
        Err(_) => at.utc_text(),
    }
}

fn card(row: &coach::Model) -> CoachCard {
    CoachCard {
        id: row.id,
        name: row.name.clone(),
        email: row.email.clone(),
        email_confirmed: row.email_confirmed_at.is_some(),
        time_zone: row.time_zone.clone(),
        closed: AccountState::from_stored(&row.state)
            .filter(|state| !state.may_be_changed())
            .map(|state| state.not_changeable().message),
    }
}

impl Coach {
    pub(crate) async fn row(&self) -> Result<coach::Model> {
        Ok(queries::coach(self.backend.db().reader(), self.id).await?.ok_or_else(Refusal::sign_in)?)
    }

    async fn change(&self, change: coach::ActiveModel) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        queries::change(&transaction, self.id, change, self.backend.now()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn card(&self) -> Result<CoachCard> {
        Ok(card(&self.row().await?))
    }

    /// The account page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self) -> Result<AccountView> {
        let row = self.row().await?;
        let reader = self.backend.db().reader();
        Ok(AccountView {
            coach: card(&row),
            pending_email: queries::pending_email(reader, self.id, self.backend.now()).await?,
            second_factor: row.totp_enabled_at.is_some(),
            recovery_codes_left: u32::try_from(queries::recovery_codes_left(reader, self.id).await?)
                .unwrap_or(u32::MAX),
            logins: self.logins().await?,
            created_at: row.created_at,
        })
    }

    /// Changes her display name and the zone times are shown in.
    ///
    /// # Errors
    /// Refuses a name that is empty or too long, and a zone that does not exist.
    pub async fn change_profile(&self, name: &str, time_zone: &str) -> Result<()> {
        let name = check_name("name", name)?;
        let time_zone = time_zone.trim();
        if !crate::zones::time_zones().iter().any(|zone| zone == time_zone) {
            return Err(
                Refusal::field("time_zone", "Please choose a zone from the list, such as Europe/Berlin.").into()
            );
        }
        self.change(coach::ActiveModel { name: Set(name), time_zone: Set(time_zone.to_owned()), ..Default::default() })
            .await
    }

    /// Changes her password and signs every other browser out.
    ///
    /// # Errors
    /// Refuses a wrong current password and a new one that is not acceptable.
    pub async fn change_password(&self, current: &Secret, new: &Secret) -> Result<()> {
        let row = self.prove("current_password", current).await?;
        judge(new, &[&row.name, &row.email])?;
        let password_hash = self.backend.passwords().hash(new).await?;
        let transaction = self.backend.db().begin().await?;
        self.backend.put_password(&transaction, &row, password_hash, Some(self.login)).await?;
        transaction.commit().await?;
        self.backend.wake_worker();
        Ok(())
    }

    /// Asks for another address: it changes once the new one is proven; the old one is told at once.
    ///
    /// # Errors
    /// Refuses a wrong password, what is no address, and more than three mails an hour.
    pub async fn change_email(&self, password: &Secret, new_email: &str) -> Result<()> {
        let backend = &self.backend;
        let address = EmailAddress::parse(new_email)?;
        let row = self.prove("password", password).await?;
        if address.normalised() == row.email_normal {
            return Err(Refusal::field("email", "This is your address already.").into());
        }
        backend.limit(Limit::AccountMail, &address.normalised()).await?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        // A taken address is only noticed when its owner presses the button, so that nobody can ask who is here.
        backend.mail_token(&transaction, self.id, Purpose::ChangeEmail, Some(address.as_str().to_owned()), now).await?;
        backend.mail_token(&transaction, self.id, Purpose::TellOldAddress, Some(row.email), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Mails the confirmation of her address again.
    ///
    /// # Errors
    /// Refuses an address that is confirmed, and more than three mails an hour.
    pub async fn resend_confirmation(&self) -> Result<()> {
        let backend = &self.backend;
        let row = self.row().await?;
        if row.email_confirmed_at.is_some() {
            return Err(Refusal::new(RefusalKind::Conflict, "Your address is confirmed already.").into());
        }
        backend.limit(Limit::AccountMail, &row.email_normal).await?;
        let transaction = backend.db().begin().await?;
        backend.mail_token(&transaction, self.id, Purpose::ConfirmEmail, None, backend.now()).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }
}
