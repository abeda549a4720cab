//! Registering for a webinar: the form, its rules and what the person is told.

use serde::{Deserialize, Serialize};

use crate::closed_list;
use crate::email_address::EmailAddress;
use crate::refusal::Refusal;
use crate::webinar::{FieldChoice, RegistrationField};

/// Longest answer, in characters.
pub const MAX_ANSWER_CHARS: usize = 200;
/// A person needs at least this long to fill the form; anything faster is a machine (product.md §4.2).
pub const MIN_FILL_SECONDS: i64 = 1;

/// The registration form. Unknown keys are dropped by the parser of forms (promise P10), never stored.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistrationForm {
    /// Where the link goes.
    #[serde(default)]
    pub email: String,
    /// Asked only when the coach chose so; the same for the next three.
    #[serde(default)]
    pub first_name: String,
    /// See `first_name`.
    #[serde(default)]
    pub last_name: String,
    /// See `first_name`.
    #[serde(default)]
    pub company: String,
    /// See `first_name`.
    #[serde(default)]
    pub phone: String,
    /// The consent box.
    #[serde(default)]
    pub consent: Option<String>,
    /// The box of its own for offers, where the coach asks. Nothing depends on it but the offers.
    #[serde(default)]
    pub offers: Option<String>,
    /// The box "I am 16 or older", where the coach asks for it. Ticked or not is all that is ever known.
    #[serde(default)]
    pub age_ok: Option<String>,
    /// Hidden from people; a filled one marks a bot.
    #[serde(default)]
    pub website: String,
    /// Signed moment at which the form was made.
    #[serde(default)]
    pub form_stamp: String,
    /// `utm_source` of the page, kept as the source of the sign-up.
    #[serde(default)]
    pub source: String,
    /// The chosen time as the page offered it, or [`crate::webinar::AT_ONCE`]; only where there is one to choose.
    #[serde(default)]
    pub slot: String,
    /// The zone the times were shown in.
    #[serde(default)]
    pub zone: String,
}

closed_list! {
    /// What somebody agrees to with a registration.
    ConsentPurpose {
        /// That the coach keeps their details to run the webinar: without it nobody is registered.
        RunWebinar = "run_webinar",
        /// That the coach sends them offers (product.md §4.7): a box of its own, never ticked in advance.
        Offers = "offers",
    }
}

/// The answers that may be stored: exactly the fields the coach asked for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Pairs in the order of [`RegistrationField::ALL`]; empty answers are left out.
    pub given: Vec<(RegistrationField, String)>,
}

impl Answers {
    /// The answer to one field.
    #[must_use]
    pub fn get(&self, field: RegistrationField) -> Option<&str> {
        self.given.iter().find(|(f, _)| *f == field).map(|(_, text)| text.as_str())
    }

    /// First and last name as one text; empty when neither was given.
    #[must_use]
    pub fn full_name(&self) -> String {
        let parts =
            [RegistrationField::FirstName, RegistrationField::LastName].map(|f| self.get(f).unwrap_or_default());
        parts.join(" ").trim().to_owned()
    }
}

impl RegistrationForm {
    fn answer(&self, field: RegistrationField) -> &str {
        match field {
            RegistrationField::FirstName => &self.first_name,
            RegistrationField::LastName => &self.last_name,
            RegistrationField::Company => &self.company,
            RegistrationField::Phone => &self.phone,
        }
    }

    /// Checks the form against what this webinar asks. Answers to questions it does not ask are dropped.
    ///
    /// # Errors
    /// Refuses, naming the field: a bad address, a required answer left empty, one that is too long, and a box left
    /// open: the consent, and the age where it is asked (promise P49).
    pub fn check(&self, fields: &FieldChoice, ask_age: bool) -> Result<(EmailAddress, Answers), Refusal> {
        let email = EmailAddress::parse(&self.email)?;
        let mut given = Vec::new();
        for (field, required) in fields.shown() {
            let text = self.answer(field).trim();
            if text.is_empty() {
                if required {
                    return Err(Refusal::field(field.as_str(), format!("Please fill in “{}”.", field.label())));
                }
                continue;
            }
            if text.chars().count() > MAX_ANSWER_CHARS || text.chars().any(char::is_control) {
                return Err(Refusal::field(field.as_str(), "Please use at most 200 ordinary characters."));
            }
            given.push((field, text.to_owned()));
        }
        if ask_age && self.age_ok.is_none() {
            return Err(Refusal::field(
                "age_ok",
                "This is for people of 16 or older. Please tick the box if you are; nothing was kept.",
            ));
        }
        if self.consent.is_none() {
            return Err(Refusal::field(
                "consent",
                "Please tick the box if you agree. Without it we may not keep your details.",
            ));
        }
        Ok((email, Answers { given }))
    }
}

/// Where a registration led.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// The registrant's own link, `/r/{token}`.
    pub room_path: String,
    /// Whether they wait for a date.
    pub is_waiting: bool,
    /// Whether this address was registered before: nothing was added, the link was mailed again.
    pub was_registered: bool,
    /// The booked time; nothing where there is none to book, and for somebody registered before.
    pub time: Option<BookedTime>,
    /// The offer to come at the chosen time instead, to somebody registered for another one.
    pub switch: Option<SwitchOffer>,
}

/// A booked time, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedTime {
    /// In the zone it was chosen in, with that zone.
    pub text: String,
    /// Whether the chosen one had passed, so that the next one was booked.
    pub is_next: bool,
    /// Whether it is so soon that the way in stands on the page.
    pub is_soon: bool,
}

/// "You are registered already; come at this time instead?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOffer {
    /// Proves the offer.
    pub token: String,
    /// The time offered.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webinar::Asked;

    fn form() -> RegistrationForm {
        RegistrationForm {
            email: "tom@example.com".into(),
            first_name: "Tom".into(),
            phone: "1".into(),
            consent: Some("on".into()),
            ..Default::default()
        }
    }

    #[test]
    fn only_what_the_coach_asks_is_kept() {
        let fields = FieldChoice { first_name: Asked::Optional, ..Default::default() };
        let (_, answers) = form().check(&fields, false).expect("valid");
        assert_eq!(answers.given, [(RegistrationField::FirstName, "Tom".to_owned())]);
    }

    #[test]
    fn a_required_answer_left_empty_is_named() {
        let fields = FieldChoice { company: Asked::Required, ..Default::default() };
        let refusal = form().check(&fields, false).err().expect("refused");
        assert_eq!(refusal.field.as_deref(), Some("company"));
    }

    #[test]
    fn without_consent_nothing_is_kept() {
        let refusal =
            RegistrationForm { consent: None, ..form() }.check(&FieldChoice::default(), false).err().expect("refused");
        assert_eq!(refusal.field.as_deref(), Some("consent"));
    }

    #[test]
    fn the_age_box_counts_only_where_it_is_asked() {
        let fields = FieldChoice::default();
        let refusal = form().check(&fields, true).err().expect("refused");
        assert_eq!((refusal.field.as_deref(), refusal.status()), (Some("age_ok"), 422));
        assert!(RegistrationForm { age_ok: Some("yes".into()), ..form() }.check(&fields, true).is_ok());
        assert!(form().check(&fields, false).is_ok());
    }
}
