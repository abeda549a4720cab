//! Correcting what a person gave (promise P29): the name, the answers a webinar's form asks for, and the address, which
//! takes a proof of the new one.
//!
//! A correction is a request whose new values are sealed under the request's key. It is applied at once; while the data
//! rests it waits as it is and is applied when the restriction ends (privacy-design §2.5).

use std::collections::BTreeMap;

use domain::ids::{CoachId, RegistrationId, RequestId, SubjectId};
use domain::my_data::BookingTold;
use domain::processing::ProcessingPurpose;
use domain::registration::{Answers, MAX_ANSWER_CHARS};
use domain::rights::{DenialReason, RequestState, RightKind, SubjectState};
use domain::webinar::RegistrationField;
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::entities::{dsr_request, subject};
use persistence::portal as queries;
use persistence::sealed::{Place, Standing, SubjectKey};
use persistence::{registrations, rights};
use privacy::audit::{Event, Role};
use sea_orm::{DatabaseTransaction, Set};

use super::{Portal, hold, regime_of};
use crate::rights::{Asked, Details, Whose};
use crate::{Backend, Error, Result};

/// Longest name, in characters: both names of a form, and the space between them.
const MAX_NAME_CHARS: usize = 2 * MAX_ANSWER_CHARS + 1;
const NAME: &str = "name";
const EMAIL: &str = "email";

/// How a corrected answer is called, in the form and in the request.
#[must_use]
pub fn answer_name(booking: RegistrationId, field: RegistrationField) -> String {
    format!("{booking}.{}", field.as_str())
}

fn answer_named(name: &str) -> Option<(RegistrationId, RegistrationField)> {
    let (booking, field) = name.split_once('.')?;
    Some((booking.parse().ok()?, RegistrationField::from_stored(field)?))
}

/// What became of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrected {
    /// It is done.
    Done,
    /// It waits, because the data rests.
    Waits,
    /// Nothing was different.
    Same,
}

/// A short text a person typed, trimmed.
fn typed(field: &str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        let message = format!("Please use at most {most} ordinary characters. Nothing was changed.");
        return Err(Refusal::field(field, message).into());
    }
    Ok(text.to_owned())
}

fn taken() -> Refusal {
    let message = "This coach already holds something under the new address, and two people cannot be made one. Nothing \
                   was changed; you can have the one under this address erased.";
    Refusal::new(RefusalKind::Conflict, message)
}

impl Portal {
    /// Corrects name and answers at a coach: only what her webinars' forms ask for, whatever else is sent.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, somebody who is being erased, and a value that is not acceptable (by name).
    pub async fn correct(&self, coach: CoachId, fields: &[(String, String)]) -> Result<Corrected> {
        let person = self.person(coach).await?;
        let card = self.card(person).await?.ok_or_else(Refusal::not_found)?;
        let sent = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str());
        let mut choices = BTreeMap::new();
        if let Some(text) = sent(NAME) {
            let name = typed(NAME, text, MAX_NAME_CHARS)?;
            if name != card.name {
                choices.insert(NAME.to_owned(), name);
            }
        }
        for BookingTold { id, answers, .. } in &card.bookings {
            for (field, is_required, known) in answers {
                let name = answer_name(*id, *field);
                let Some(text) = sent(&name) else { continue };
                let answer = typed(&name, text, MAX_ANSWER_CHARS)?;
                if answer.is_empty() && *is_required {
                    let message = format!("Please fill in “{}”: this webinar needs it.", field.label());
                    return Err(Refusal::field(&name, message).into());
                }
                if answer != *known {
                    choices.insert(name, answer);
                }
            }
        }
        self.ask_correction(person, choices).await
    }

    /// Puts a new address in the place of the proven one at a coach, by the code that was mailed to the new one.
    ///
    /// # Errors
    /// Refuses a code that does not prove the new address, a coach who holds nothing, somebody who is being erased, and
    /// an address under which she holds somebody already.
    pub async fn prove_new_address(&self, coach: CoachId, email: &str, code: &str) -> Result<Corrected> {
        let new = EmailAddress::parse(email)?;
        let person = self.person(coach).await?;
        self.use_new_address_code(coach, &new, code).await?;
        // Told only to whoever proved both addresses.
        if self.backend.held_at(coach, &new).await?.is_some_and(|other| other != person.1) {
            return Err(taken().into());
        }
        self.ask_correction(person, BTreeMap::from([(EMAIL.to_owned(), new.as_str().to_owned())])).await
    }

    async fn ask_correction(
        &self,
        person: (CoachId, SubjectId),
        choices: BTreeMap<String, String>,
    ) -> Result<Corrected> {
        if choices.is_empty() {
            return Ok(Corrected::Same);
        }
        let backend = &self.backend;
        let now = backend.now();
        let asked = Asked {
            regime: regime_of(&backend.country_of(person).await?),
            kind: RightKind::Rectify,
            whose: Whose::Viewer(person.0, person.1),
            undo_until: None,
            details: Details { choices, ..Details::default() },
        };
        let key = backend.request_key(now).await?;
        let transaction = backend.db().begin().await?;
        let opened = match hold(&transaction, person).await {
            Ok(_) => backend.open_request(&transaction, &key, &asked, now).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(id) => {
                transaction.commit().await?;
                backend.apply_correction(id).await
            }
            Err(error) => {
                transaction.rollback().await?;
                backend.keyring().destroy(key.id).await?;
                Err(error)
            }
        }
    }
}

/// Everything a correction is made of, read before its transaction.
struct Change {
    id: RequestId,
    person: (CoachId, SubjectId),
    choices: BTreeMap<String, String>,
    /// The address's index, when there is a new address.
    new_index: Option<Vec<u8>>,
}

impl Backend {
    /// Applies what waited for a restriction to end.
    pub(super) async fn apply_pending(&self, (coach, subject): (CoachId, SubjectId)) -> Result<()> {
        for id in queries::pending_corrections(self.db().reader(), coach, subject).await? {
            self.apply_correction(id).await?;
        }
        Ok(())
    }

    /// Applies a correction, unless the data rests. Doing it again changes nothing.
    ///
    /// # Errors
    /// When a store fails; the job tries again.
    pub(crate) async fn apply_correction(&self, id: RequestId) -> Result<Corrected> {
        let now = self.now();
        let Some(row) = rights::request(self.db().reader(), id).await? else { return Ok(Corrected::Same) };
        let (Some(coach), Some(subject)) = (row.coach_id, row.subject_id) else { return Ok(Corrected::Same) };
        let details = self.request_details(&row).await?;
        let (RequestState::Verified, Some(details)) = (Self::request_state(&row)?, details) else {
            return Ok(Corrected::Same);
        };
        let found = registrations::subject(self.db().reader(), coach, subject).await?;
        let person = match found.map(|found| found.standing) {
            Some(Standing::Active(person)) => person.into_inner(),
            Some(Standing::Restricted(_)) => return Ok(Corrected::Waits),
            Some(Standing::Erasing) | None => return Ok(Corrected::Same),
        };
        let key = self.keyring().key(person.dek_id).await?;
        let new_index = match details.choices.get(EMAIL) {
            Some(new) => {
                let normal = EmailAddress::parse(new)?.normalised();
                Some(self.keyring().pepper(coach, now).await?.blind_index(&normal))
            }
            None => None,
        };
        let change = Change { id, person: (coach, subject), choices: details.choices, new_index };
        let corrected = self.apply(&change, &person, &key, now).await?;
        if corrected == Corrected::Done {
            self.keyring().destroy(row.dek_id).await?;
            self.wake_worker();
        }
        Ok(corrected)
    }

    async fn apply(
        &self,
        change: &Change,
        person: &subject::Model,
        key: &SubjectKey,
        now: Moment,
    ) -> Result<Corrected> {
        let (coach, subject) = change.person;
        let transaction = self.db().begin().await?;
        // Between the reading and here somebody may have restricted or erased, or another worker may have applied it.
        match hold(&transaction, change.person).await {
            Ok(SubjectState::Active) => {}
            Ok(_) => return Ok(Corrected::Waits),
            Err(Error::Refused(_)) => return Ok(Corrected::Same),
            Err(error) => return Err(error),
        }
        if !rights::move_request(
            &transaction,
            change.id,
            RequestState::Verified,
            domain::rights::step(RequestState::Verified, RequestState::Running)?,
            dsr_request::ActiveModel::default(),
        )
        .await?
        {
            return Ok(Corrected::Same);
        }
        if let Some(new_index) = &change.new_index {
            let other = registrations::subject_by_index(&transaction, coach, new_index).await?;
            if other.is_some_and(|other| other.id != subject) {
                // She met somebody with the new address while this waited; nothing is mixed up.
                transaction.rollback().await?;
                self.deny_correction(change.id, now).await?;
                return Err(taken().into());
            }
            let email = change.choices.get(EMAIL).map(String::as_str).unwrap_or_default();
            let sealed = key.seal(Place::SubjectEmail, subject.as_bytes(), email.as_bytes());
            let indexes = (person.email_bidx.clone(), new_index.clone());
            queries::set_address(&transaction, coach, subject, sealed, indexes).await?;
        }
        if let Some(name) = change.choices.get(NAME) {
            let sealed = (!name.is_empty()).then(|| key.seal(Place::SubjectName, subject.as_bytes(), name.as_bytes()));
            queries::set_name(&transaction, coach, subject, sealed).await?;
        }
        self.apply_answers(&transaction, change, key).await?;
        self.end_correction(&transaction, change, now).await?;
        transaction.commit().await?;
        Ok(Corrected::Done)
    }

    async fn apply_answers(&self, transaction: &DatabaseTransaction, change: &Change, key: &SubjectKey) -> Result<()> {
        let mut by_booking: BTreeMap<RegistrationId, Vec<(RegistrationField, &str)>> = BTreeMap::new();
        for (name, text) in &change.choices {
            if let Some((booking, field)) = answer_named(name) {
                by_booking.entry(booking).or_default().push((field, text));
            }
        }
        let (coach, subject) = change.person;
        for (booking, corrected) in by_booking {
            let Some(sealed) = queries::answers(transaction, coach, (subject, booking)).await? else { continue };
            let mut answers: Answers = match sealed {
                Some(sealed) => serde_json::from_slice(&key.open(
                    ProcessingPurpose::Provide,
                    Place::RegistrationAnswers,
                    booking.as_bytes(),
                    &sealed,
                )?)?,
                None => Answers::default(),
            };
            for (field, text) in corrected {
                answers.given.retain(|(given, _)| *given != field);
                if !text.is_empty() {
                    answers.given.push((field, text.to_owned()));
                }
            }
            // In the order of the form.
            answers.given.sort_by_key(|(field, _)| *field);
            let sealed = match answers.given.is_empty() {
                true => None,
                false => Some(key.seal(Place::RegistrationAnswers, booking.as_bytes(), &serde_json::to_vec(&answers)?)),
            };
            queries::set_answers(transaction, coach, (subject, booking), sealed).await?;
        }
        Ok(())
    }

    async fn deny_correction(&self, id: RequestId, now: Moment) -> Result<()> {
        let to = domain::rights::step(RequestState::Verified, RequestState::Denied)?;
        let over = dsr_request::ActiveModel {
            subject_id: Set(None),
            details_ct: Set(None),
            reason: Set(Some(DenialReason::Other.as_str().to_owned())),
            completed_at: Set(Some(now)),
            ..Default::default()
        };
        let transaction = self.db().begin().await?;
        rights::move_request(&transaction, id, RequestState::Verified, to, over).await?;
        self.audit(&transaction, Event::Denied, Role::System, Some(id), ("right", 1), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The record is over: the new values go, and whose they are.
    async fn end_correction(&self, transaction: &DatabaseTransaction, change: &Change, now: Moment) -> Result<()> {
        let checked = domain::rights::step(RequestState::Running, RequestState::Verifying)?;
        let none = dsr_request::ActiveModel::default();
        rights::move_request(transaction, change.id, RequestState::Running, checked, none).await?;
        let done = domain::rights::step(checked, RequestState::Done)?;
        let over = dsr_request::ActiveModel {
            subject_id: Set(None),
            details_ct: Set(None),
            completed_at: Set(Some(now)),
            ..Default::default()
        };
        rights::move_request(transaction, change.id, checked, done, over).await?;
        let corrected = ("name", change.choices.len() as u64);
        self.audit(transaction, Event::Corrected, Role::Viewer, Some(change.id), corrected, now).await?;
        self.audit(transaction, Event::Done, Role::System, Some(change.id), ("right", 1), now).await?;
        self.tell_coach(transaction, change.person.0, RightKind::Rectify, change.id, now).await
    }
}
