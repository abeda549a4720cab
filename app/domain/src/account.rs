//! A coach's account: what sign-up asks for (a closed set of fields, promise P03) and what the account pages show.

use serde::{Deserialize, Serialize};

use crate::email_address::EmailAddress;
use crate::ids::{CoachId, LoginId};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::secret::Secret;

/// Shortest and longest password (quality.md §4; the upper bound keeps hashing cost predictable).
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
/// Longest display name, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// The sign-up form: exactly these fields, unknown ones are refused.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// How the coach wants to be called.
    pub name: String,
    /// Where the confirmation goes.
    pub email: String,
    /// Never kept in this form.
    pub password: Secret,
    /// "I am 16 or older" (promise P49); a box that is not ticked is not sent.
    #[serde(default)]
    pub age_ok: Option<String>,
    /// Terms and data-processing agreement (promise P09).
    #[serde(default)]
    pub terms: Option<String>,
}

/// A sign-up whose every field is acceptable.
pub struct CheckedSignUp {
    /// Trimmed, 1 to [`MAX_NAME_CHARS`].
    pub name: String,
    /// Checked address.
    pub email: EmailAddress,
}

impl SignUp {
    /// Checks every field but the password's strength, which only the server can judge.
    ///
    /// # Errors
    /// Refuses, naming the field: an empty or over-long name, an address no server takes, a password outside
    /// [`PASSWORD_CHARS`], and each box left open.
    pub fn check(&self) -> Result<CheckedSignUp, Refusal> {
        let name = check_name("name", &self.name)?;
        let email = EmailAddress::parse(&self.email)?;
        check_password_length("password", &self.password)?;
        if self.age_ok.is_none() {
            return Err(Refusal::field(
                "age_ok",
                "My Mini Webinar is for people of 16 and older. Please tick the box if you are.",
            ));
        }
        if self.terms.is_none() {
            return Err(Refusal::field(
                "terms",
                "Please read and accept the terms and the data-processing agreement to open an account.",
            ));
        }
        Ok(CheckedSignUp { name, email })
    }
}

/// A name of 1 to [`MAX_NAME_CHARS`] characters without control characters.
///
/// # Errors
/// Refuses anything else, naming `field`.
pub fn check_name(field: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::field(field, "Please type your name."));
    }
    if text.chars().count() > MAX_NAME_CHARS || text.chars().any(char::is_control) {
        return Err(Refusal::field(field, "Please use at most 100 ordinary characters."));
    }
    Ok(text.to_owned())
}

/// A password within [`PASSWORD_CHARS`].
///
/// # Errors
/// Refuses anything else, naming `field`.
pub fn check_password_length(field: &str, password: &Secret) -> Result<(), Refusal> {
    if PASSWORD_CHARS.contains(&password.expose().chars().count()) {
        Ok(())
    } else {
        Err(Refusal::field(
            field,
            "A password needs between 8 and 128 characters. A few unrelated words make a good one.",
        ))
    }
}

/// What the first step of signing in led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SignInStep {
    /// Signed in; go to the dashboard.
    Done,
    /// The password was right; now the six digits (or a recovery code) are wanted.
    SecondFactor,
}

/// The signed-in coach, as every studio page needs her.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoachCard {
    /// Whose account it is.
    pub id: CoachId,
    /// Display name.
    pub name: String,
    /// Sign-in address.
    pub email: String,
    /// Whether the address was confirmed by its owner.
    pub email_confirmed: bool,
    /// IANA zone in which times are shown.
    pub time_zone: String,
    /// What is said on every page while the account is not in use and nothing can be changed.
    pub closed: Option<String>,
}

/// The account page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    /// Who.
    pub coach: CoachCard,
    /// An address waiting for its confirmation.
    pub pending_email: Option<String>,
    /// Whether a second factor is switched on.
    pub second_factor: bool,
    /// Recovery codes not used yet.
    pub recovery_codes_left: u32,
    /// Signed-in browsers, newest first.
    pub logins: Vec<LoginView>,
    /// When the account was opened.
    pub created_at: Moment,
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoginView {
    /// Names it for revoking.
    pub id: LoginId,
    /// Family and class, such as `Firefox/desktop` (promise P13).
    pub device: String,
    /// Two-letter country or `??` (promise P14).
    pub country: String,
    /// When it signed in.
    pub created_at: Moment,
    /// When it was last seen, to five minutes.
    pub seen_at: Moment,
    /// Whether it is the one asking.
    pub is_current: bool,
}

/// What setting up a second factor shows, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondFactorSetup {
    /// SVG of the QR code.
    pub qr_svg: String,
    /// The same secret for typing (Base32).
    pub secret_text: String,
}

/// Recovery codes, shown once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCodes(pub Vec<String>);

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> SignUp {
        SignUp {
            name: "Maya".into(),
            email: "maya@example.com".into(),
            password: "correct horse battery".into(),
            age_ok: Some("on".into()),
            terms: Some("on".into()),
        }
    }

    #[test]
    fn each_missing_field_is_named() {
        assert!(complete().check().is_ok());
        type Spoil = fn(&mut SignUp);
        let cases: [(&str, Spoil); 5] = [
            ("name", |f| f.name = "  ".into()),
            ("email", |f| f.email = "maya".into()),
            ("password", |f| f.password = "short".into()),
            ("age_ok", |f| f.age_ok = None),
            ("terms", |f| f.terms = None),
        ];
        for (field, spoil) in cases {
            let mut form = complete();
            spoil(&mut form);
            assert_eq!(form.check().err().and_then(|r| r.field).as_deref(), Some(field));
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let json = r#"{"name":"a","email":"b","password":"c","phone":"1"}"#;
        assert!(serde_json::from_str::<SignUp>(json).is_err());
    }
}
