//! The second factor: time-based codes (RFC 6238) and recovery codes. A code opens the door once.

use domain::Moment;
use domain::account::{RecoveryCodes, SecondFactorSetup};
use domain::processing::ProcessingPurpose;
use domain::secret::Secret;
use domain::{Refusal, RefusalKind};
use fast_qr::QRBuilder;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use persistence::accounts;
use persistence::entities::coach;
use persistence::sealed::Place;
use sea_orm::{ConnectionTrait, Set};
use totp_rs::{Algorithm, Builder, Totp};

use crate::{Backend, Coach, Error, Result};

/// Name an authenticator app shows beside the address.
const ISSUER: &str = "My Mini Webinar";
/// Recovery codes made at once.
const RECOVERY_CODES: usize = 10;
/// Letters of recovery codes: none that is easily mistaken for another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789x";
/// Seconds of one code.
const STEP_SECONDS: u64 = 30;

fn totp(secret: Vec<u8>, email: &str) -> Result<Totp> {
    // An address may not hold a colon, so it is fit to be an account name.
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP_SECONDS)
        .with_secret(totp_rs::Secret::from(secret))
        .with_account_name(email.to_owned())
        .with_issuer(Some(ISSUER.to_owned()))
        .build()
        .map_err(|error| Error::fault("prepare the second factor", error.to_string()))
}

/// A recovery code without the hyphen and in lower case.
fn normal(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn make_recovery_code() -> String {
    let bytes: [u8; 10] = crate::secrets::random();
    let letters: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    format!("{}-{}", &letters[..5], &letters[5..])
}

impl Backend {
    fn recovery_hash(&self, coach: domain::ids::CoachId, code: &str) -> Vec<u8> {
        self.secrets().mac("recovery-code", &[coach.as_bytes(), normal(code).as_bytes()]).to_vec()
    }

    pub(crate) fn open_totp(&self, row: &coach::Model) -> Result<Option<Totp>> {
        let Some(sealed) = &row.totp_ct else { return Ok(None) };
        let secret = self.keyring().account_key().open(
            ProcessingPurpose::Provide,
            Place::TotpSecret,
            row.id.as_bytes(),
            sealed,
        )?;
        totp(secret, &row.email).map(Some)
    }

    /// Whether six digits fit now and were not used before; uses them up.
    async fn use_digits(
        &self,
        conn: &impl ConnectionTrait,
        row: &coach::Model,
        code: &str,
        now: Moment,
    ) -> Result<bool> {
        let Some(totp) = self.open_totp(row)? else {
            return Ok(false);
        };
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let Some(step) = totp.check(&digits, now.unix_seconds().unsigned_abs()) else {
            return Ok(false);
        };
        Ok(accounts::use_totp_step(conn, row.id, i64::try_from(step).unwrap_or(i64::MAX)).await?)
    }

    /// Six digits, or a recovery code; each is used up.
    pub(crate) async fn use_second_factor(
        &self,
        conn: &impl ConnectionTrait,
        row: &coach::Model,
        code: &str,
        now: Moment,
    ) -> Result<bool> {
        let code = code.trim();
        if code.chars().filter(|c| !c.is_whitespace()).all(|c| c.is_ascii_digit()) {
            self.use_digits(conn, row, code, now).await
        } else {
            Ok(accounts::use_recovery_code(conn, row.id, &self.recovery_hash(row.id, code), now).await?)
        }
    }

    async fn new_recovery_codes(
        &self,
        conn: &impl ConnectionTrait,
        coach: domain::ids::CoachId,
        now: Moment,
    ) -> Result<RecoveryCodes> {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| make_recovery_code()).collect();
        let hashes = codes.iter().map(|code| self.recovery_hash(coach, code)).collect();
        accounts::put_recovery_codes(conn, coach, hashes, now).await?;
        Ok(RecoveryCodes(codes))
    }
}

impl Coach {
    /// Begins setting up a second factor: a new secret, which counts only once a code made with it was typed.
    ///
    /// # Errors
    /// Refuses a wrong password, and an account that has a second factor.
    pub async fn begin_second_factor(&self, password: &Secret) -> Result<SecondFactorSetup> {
        let backend = &self.backend;
        let row = self.prove("password", password).await?;
        if row.totp_enabled_at.is_some() {
            return Err(already_on().into());
        }
        if row.email_confirmed_at.is_none() {
            let message = "Please confirm your address first: the link is in your mail.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        let secret = crate::secrets::random::<20>().to_vec();
        let sealed = backend.keyring().account_key().seal(Place::TotpSecret, self.id.as_bytes(), &secret);
        let totp = totp(secret.clone(), &row.email)?;
        let url = totp.to_url().map_err(|error| Error::fault("prepare the second factor", error.to_string()))?;
        let code = QRBuilder::new(url).build().map_err(|error| Error::fault("draw a QR code", format!("{error:?}")))?;
        let change = coach::ActiveModel { totp_ct: Set(Some(sealed)), totp_last_step: Set(None), ..Default::default() };
        let transaction = backend.db().begin().await?;
        accounts::change(&transaction, self.id, change, backend.now()).await?;
        transaction.commit().await?;
        Ok(SecondFactorSetup {
            qr_svg: SvgBuilder::default().margin(2).to_str(&code),
            secret_text: totp_rs::Secret::from(secret).to_base32(),
        })
    }

    /// Switches the second factor on and hands out recovery codes, this once.
    ///
    /// # Errors
    /// Refuses a code that does not fit, and an account where nothing was begun.
    pub async fn enable_second_factor(&self, code: &str) -> Result<RecoveryCodes> {
        let backend = &self.backend;
        let now = backend.now();
        backend.limit(crate::limits::Limit::SecondFactor, &self.id.to_string()).await?;
        let transaction = backend.db().begin().await?;
        let row = accounts::coach(&transaction, self.id).await?.ok_or_else(Refusal::sign_in)?;
        if row.totp_enabled_at.is_some() {
            return Err(already_on().into());
        }
        if !backend.use_digits(&transaction, &row, code, now).await? {
            let message = "This code does not fit. Check the clock of your phone, and take the code shown now.";
            return Err(Refusal::field("code", message).into());
        }
        backend.forgive(&transaction, crate::limits::Limit::SecondFactor, &self.id.to_string()).await?;
        let change = coach::ActiveModel { totp_enabled_at: Set(Some(now)), ..Default::default() };
        accounts::change(&transaction, self.id, change, now).await?;
        let codes = backend.new_recovery_codes(&transaction, self.id, now).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Switches the second factor off.
    ///
    /// # Errors
    /// Refuses a wrong password.
    pub async fn disable_second_factor(&self, password: &Secret) -> Result<()> {
        self.prove("password", password).await?;
        let now = self.backend.now();
        let transaction = self.backend.db().begin().await?;
        let change = coach::ActiveModel {
            totp_ct: Set(None),
            totp_enabled_at: Set(None),
            totp_last_step: Set(None),
            ..Default::default()
        };
        accounts::change(&transaction, self.id, change, now).await?;
        accounts::put_recovery_codes(&transaction, self.id, Vec::new(), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes new recovery codes; the old ones stop working.
    ///
    /// # Errors
    /// Refuses a wrong password, and an account without a second factor.
    pub async fn new_recovery_codes(&self, password: &Secret) -> Result<RecoveryCodes> {
        let row = self.prove("password", password).await?;
        if row.totp_enabled_at.is_none() {
            return Err(Refusal::field("password", "There is no second factor to recover. Switch it on first.").into());
        }
        let transaction = self.backend.db().begin().await?;
        let codes = self.backend.new_recovery_codes(&transaction, self.id, self.backend.now()).await?;
        transaction.commit().await?;
        Ok(codes)
    }
}

fn already_on() -> Refusal {
    Refusal::new(
        domain::RefusalKind::Conflict,
        "The second factor is on already. Switch it off first to set it up anew.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_readable_and_forgiving() {
        let code = make_recovery_code();
        assert_eq!(code.len(), 11);
        assert_eq!(normal(&code), normal(&code.to_uppercase().replace('-', " ")));
        assert_ne!(make_recovery_code(), make_recovery_code());
    }
}
