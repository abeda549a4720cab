//! Passwords: Argon2id, at most two hashes at a time, off the threads that serve requests.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::Refusal;
use domain::account::check_password_length;
use domain::secret::Secret;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Memory of one hash in KiB, passes, lanes: about 60 ms on one core of a small server.
const COST: (u32, u32, u32) = (32 * 1024, 3, 1);
/// Hashes at once: bounds memory at 64 MiB and leaves cores to everything else.
const AT_ONCE: usize = 2;
/// Guessability a password needs (zxcvbn, 0 to 4).
const LEAST_SCORE: u8 = 2;

/// Hashes and checks passwords.
pub(crate) struct Hasher {
    places: Semaphore,
    /// Checked against when there is no account, so that both answers take the same time.
    nobody: String,
}

fn argon() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params =
        Params::new(memory, passes, lanes, None).map_err(|error| Error::fault("prepare hashing", error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String> {
    let fault = |error: argon2::password_hash::Error| Error::fault("hash a password", error.to_string());
    Ok(argon()?.hash_password_with_salt(password, &crate::secrets::random::<16>()).map_err(fault)?.to_string())
}

/// Whether a stored hash was made at today's cost.
fn is_current(hash: &str) -> bool {
    let (memory, passes, lanes) = COST;
    hash.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
}

/// What checking a password showed.
pub(crate) enum Checked {
    /// It is right; a hash at today's cost comes along when the stored one is older.
    Right(Option<String>),
    /// It is wrong, or there is no account.
    Wrong,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        // A failure here would only make an absent account quicker to tell.
        Self { places: Semaphore::new(AT_ONCE), nobody: hash_now(b"nobody has this password").unwrap_or_default() }
    }

    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self.places.acquire().await.map_err(|error| Error::fault("hash a password", error))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::fault("hash a password", error))
    }

    /// Hashes a password.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String> {
        let password = Zeroizing::new(password.expose().to_owned());
        self.aside(move || hash_now(password.as_bytes())).await?
    }

    /// Checks a password against a stored hash, or against nobody's in the same time.
    pub(crate) async fn check(&self, password: &Secret, stored: Option<&str>) -> Result<Checked> {
        let is_somebody = stored.is_some();
        let hash = stored.unwrap_or(&self.nobody).to_owned();
        let password = Zeroizing::new(password.expose().to_owned());
        self.aside(move || {
            let parsed =
                PasswordHash::new(&hash).map_err(|error| Error::fault("read a password hash", error.to_string()))?;
            let is_right = argon()?.verify_password(password.as_bytes(), &parsed).is_ok();
            if !(is_right && is_somebody) {
                return Ok(Checked::Wrong);
            }
            let renewed = if is_current(&hash) { None } else { Some(hash_now(password.as_bytes())?) };
            Ok(Checked::Right(renewed))
        })
        .await?
    }
}

/// Refuses a password that is too short, too long or easy to guess, knowing what a guesser would know of the person.
pub(crate) fn judge(password: &Secret, known: &[&str]) -> Result<(), Refusal> {
    check_password_length("password", password)?;
    let mut inputs = known.to_vec();
    inputs.extend(["webinar", "mini webinar", "coach"]);
    let verdict = zxcvbn::zxcvbn(password.expose(), &inputs);
    if u8::from(verdict.score()) >= LEAST_SCORE {
        return Ok(());
    }
    let why = verdict.feedback().and_then(zxcvbn::feedback::Feedback::warning).map(|warning| format!(" {warning}"));
    let message = format!(
        "This password is easy to guess.{} Three or four unrelated words make a good one.",
        why.unwrap_or_default()
    );
    Err(Refusal::field("password", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for easy in ["password", "12345678", "qwertyuiop", "maya@example.com", "mayamaya"] {
            assert!(judge(&easy.into(), &["Maya", "maya@example.com"]).is_err(), "{easy}");
        }
        assert!(judge(&"quiet harbour lantern seven".into(), &["Maya"]).is_ok());
    }

    #[tokio::test]
    async fn a_password_is_checked_and_an_old_hash_renewed() {
        let hasher = Hasher::new();
        let hash = hasher.hash(&"quiet harbour lantern".into()).await.expect("hashed");
        assert!(is_current(&hash));
        assert!(matches!(hasher.check(&"quiet harbour lantern".into(), Some(&hash)).await, Ok(Checked::Right(None))));
        assert!(matches!(hasher.check(&"quiet harbour lanterns".into(), Some(&hash)).await, Ok(Checked::Wrong)));
        assert!(matches!(hasher.check(&"nobody has this password".into(), None).await, Ok(Checked::Wrong)));
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).expect("params"));
        let old = weak.hash_password_with_salt(b"quiet harbour lantern", &[7; 16]).expect("hashed").to_string();
        assert!(matches!(hasher.check(&"quiet harbour lantern".into(), Some(&old)).await, Ok(Checked::Right(Some(_)))));
    }
}
