//! Registering: the invitation a visitor sees, and the booking made from it.
//!
//! A person is met once per coach and booked once per webinar, whatever is pressed however often. Everything a
//! booking consists of (person, consent, mail) is written in one transaction or not at all; the person's key is made
//! before it and destroyed again when it was not needed, so no sealed value is ever without its key.

mod form_stamp;
mod link_mail;
mod room;

use std::sync::Arc;

use domain::ids::{CoachId, DekId, RegistrationId, SubjectId};
use domain::registration::{Answers, Booking, RegistrationForm};
use domain::webinar::{DEFAULT_CONSENT_TEXT, Invitation, WebinarState, month_name};
use domain::{EmailAddress, Moment, Refusal, RefusalKind, Slug};
use persistence::entities::{registration, subject, video, webinar};
use persistence::sealed::{Place, Standing, SubjectKey};
use persistence::{registrations as queries, webinars};
use sea_orm::{DatabaseTransaction, DbErr};

use self::form_stamp::FormStamp;
use crate::limits::Limit;
use crate::mails::about_rights::RESTING;
use crate::page_views::clean_source;
use crate::rights::fence::{being_erased, hold_public, public};
use crate::webinars::{fields_of, kind_of, state_of};
use crate::{Backend, Client, Error, Result, Visitor};

/// A second press of the same form within this many seconds is the same press: same answer, no second mail.
const SAME_PRESS_SECONDS: i64 = 60;

/// When the recording was made, for viewers: as the coach says, else the month of the upload.
pub(crate) fn recorded(row: &webinar::Model, video: Option<&video::Model>) -> String {
    month_name(&row.recorded_month).or_else(|| video.map(|video| video.created_at.month_text())).unwrap_or_default()
}

/// What the database said of a page, for everybody who asked for it at once.
pub(crate) type PageAnswer = std::result::Result<Option<webinars::PageRow>, Arc<DbErr>>;

impl Backend {
    /// The page at an address: a mail to ten thousand people lets them all ask at once.
    async fn page_at(&self, slug: Slug) -> Result<Option<webinars::PageRow>> {
        let (backend, about) = (self.clone(), slug.as_str().to_owned());
        let ask = move || {
            let (backend, slug) = (backend.clone(), slug.clone());
            async move { webinars::page_at_slug(backend.db().reader(), slug.as_str()).await.map_err(Arc::new) }
        };
        match self.pages().ask(&about, ask).await {
            Some(answer) => answer.map_err(|error| Error::fault("look up a page", error)),
            None => Err(Error::fault("look up a page", "the asking broke")),
        }
    }
}

impl Visitor {
    /// The registration page at an address. A coach also sees her own pages that are not public (a preview).
    ///
    /// # Errors
    /// Refuses an address without a published page, in the same words whatever the reason, and one whose coach closes
    /// or rests her account.
    pub async fn invitation(&self, slug: &str, coach: Option<CoachId>) -> Result<Invitation> {
        let backend = &self.backend;
        let slug = Slug::parse(slug).map_err(|_| Refusal::not_found())?;
        let page = backend.page_at(slug).await?.ok_or_else(Refusal::not_found)?;
        let (row, video) = (page.webinar, page.video);
        if state_of(&row)? != WebinarState::Published && coach != Some(row.coach_id) {
            return Err(Refusal::not_found().into());
        }
        if coach != Some(row.coach_id) {
            public(page.account)?;
        }
        Ok(Invitation {
            title: row.title.clone(),
            description_html: crate::markdown::to_html(&row.description).to_string(),
            presenter: row.presenter.clone(),
            accent: row.accent.clone(),
            logo_url: backend.logo_url(&row),
            poster_url: video.as_ref().and_then(|video| backend.poster_url(video)),
            session_kind: kind_of(&row)?,
            link_days: row.link_days,
            duration_seconds: video.as_ref().map_or(0.0, |video| video.duration_ms as f64 / 1000.0),
            recorded: recorded(&row, video.as_ref()),
            has_captions: page.captions > 0,
            fields: fields_of(&row)?.shown().collect(),
            ask_age: row.ask_age,
            consent_text: page.wording.unwrap_or_else(|| DEFAULT_CONSENT_TEXT.to_owned()),
            embed_hosts: serde_json::from_str(&row.embed_hosts)?,
            form_stamp: FormStamp::new(row.consent_text_id, backend.now()).sign(backend.secrets(), row.id),
            slug: row.slug,
        })
    }

    /// Registers a person. Registering again never makes a second row: the link is mailed again, to the address and
    /// nowhere else, because anybody can type anybody's address.
    ///
    /// # Errors
    /// Refuses an address without a published page, a field that is not acceptable (by name), a form sent faster
    /// than a person can, and too many from one network.
    pub async fn register(&self, slug: &str, form: &RegistrationForm, client: &Client) -> Result<Booking> {
        let backend = &self.backend;
        let now = backend.now();
        let slug = Slug::parse(slug).map_err(|_| Refusal::not_found())?;
        let row =
            webinars::published_at_slug(backend.db().reader(), slug.as_str()).await?.ok_or_else(Refusal::not_found)?;
        if !form.website.is_empty() {
            // A machine fills what people do not see. It is told what it wants to hear.
            return Ok(Booking {
                room_path: backend.room_path(RegistrationId::new(), queries::FIRST_LINK_VERSION),
                was_registered: false,
            });
        }
        let (email, answers) = form.check(&fields_of(&row)?, row.ask_age)?;
        let Some(stamp) = FormStamp::read(backend.secrets(), row.id, &form.form_stamp, now) else {
            let message = "That was quicker than we expect of a person, or the page was open for a long time. \
                           Please press the button once more. Nothing you typed was lost.";
            return Err(Refusal::new(RefusalKind::Invalid, message).into());
        };
        if stamp.wording != row.consent_text_id {
            // What is on record has to be what was read.
            let message = "What you agree to was worded anew while this page was open. Please read it, and press the \
                           button once more. Nothing you typed was lost.";
            return Err(Refusal::new(RefusalKind::Invalid, message).into());
        }
        backend.limit(Limit::Registration, &format!("{}:{}", hex::encode(client.network), row.id)).await?;
        let source = clean_source(&form.source);
        let press = Press { row: &row, email: &email, answers: &answers, client, booking: stamp.booking, source, now };
        let booking = backend.book(&press).await?;
        backend.wake_worker();
        Ok(booking)
    }
}

fn press_again() -> Refusal {
    Refusal::new(RefusalKind::Conflict, "Please press the button once more. Nothing you typed was lost.")
}

/// One press of the button, checked.
struct Press<'a> {
    row: &'a webinar::Model,
    email: &'a EmailAddress,
    answers: &'a Answers,
    client: &'a Client,
    /// The id its booking gets.
    booking: RegistrationId,
    source: String,
    now: Moment,
}

/// Whom a press met.
enum Met {
    /// Somebody whose data may be added to; whether they were met for the first time.
    Person { subject: Box<subject::Model>, key: SubjectKey, is_new: bool },
    /// Somebody who asked for restriction.
    Resting(SubjectId),
}

/// A key made for a person who may turn out to be known.
struct FreshKey {
    id: DekId,
    key: SubjectKey,
}

impl Backend {
    async fn book(&self, press: &Press<'_>) -> Result<Booking> {
        let coach = press.row.coach_id;
        let index = self.keyring().pepper(coach, press.now).await?.blind_index(&press.email.normalised());
        let known = queries::subject_by_index(self.db().reader(), coach, &index).await?;
        let fresh = match &known {
            Some(_) => None,
            None => {
                let (id, key) = self.keyring().create_key(press.now).await?;
                Some(FreshKey { id, key })
            }
        };
        let booked = self.book_with(press, index, fresh.as_ref()).await;
        // After any other error the booking may have been made all the same, its answer lost on the way back: the key
        // stays, and is swept when nobody turns out to use it.
        if let (Some(fresh), Ok((_, false)) | Err(Error::Refused(_))) = (&fresh, &booked) {
            self.keyring().destroy(fresh.id).await?;
        }
        booked.map(|(booking, _)| booking)
    }

    /// The transaction. Answers also whether the fresh key is now somebody's.
    async fn book_with(&self, press: &Press<'_>, index: Vec<u8>, fresh: Option<&FreshKey>) -> Result<(Booking, bool)> {
        let coach = press.row.coach_id;
        let transaction = self.db().begin().await?;
        hold_public(&transaction, coach).await?;
        let (subject, key, is_new) = match self.person(&transaction, press, index, fresh).await? {
            Met::Person { subject, key, is_new } => (subject, key, is_new),
            Met::Resting(id) => {
                self.plan_resting_mail(&transaction, press, id).await?;
                transaction.commit().await?;
                return Ok((Booking { room_path: String::new(), was_registered: true }, false));
            }
        };
        let wording =
            press.row.consent_text_id.ok_or_else(|| Error::fault("register", "the webinar has no consent wording"))?;
        let found = queries::booking(&transaction, coach, press.row.id, subject.id).await?;
        if let Some(found) = &found {
            // Before any mail is planned: somebody who took the agreement back gives it again by this very press.
            queries::note_consent(&transaction, subject.id, found.id, wording, press.now).await?;
        }
        let (id, booking) = match found {
            Some(found) => self.book_again(&transaction, press, &subject, &key, found).await?,
            None => self.book_first(&transaction, press, &subject, &key).await?,
        };
        queries::note_consent(&transaction, subject.id, id, wording, press.now).await?;
        transaction.commit().await?;
        Ok((booking, is_new))
    }

    /// The person with this address, added when the coach has none. A race is settled by the database: whoever comes
    /// second finds the first one's row and uses its key.
    async fn person(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        index: Vec<u8>,
        fresh: Option<&FreshKey>,
    ) -> Result<Met> {
        let coach = press.row.coach_id;
        if let Some(fresh) = fresh {
            let id = SubjectId::new();
            let name = press.answers.full_name();
            let new = queries::NewSubject {
                id,
                dek: fresh.id,
                email_index: index.clone(),
                email_sealed: fresh.key.seal(Place::SubjectEmail, id.as_bytes(), press.email.as_str().as_bytes()),
                name_sealed: (!name.is_empty())
                    .then(|| fresh.key.seal(Place::SubjectName, id.as_bytes(), name.as_bytes())),
            };
            if queries::insert_subject(transaction, coach, new, press.now).await? {
                let subject = queries::subject(transaction, coach, id).await?.and_then(|one| one.standing.active());
                let subject = subject.ok_or_else(|| Error::fault("register", "a person just added is not there"))?;
                return Ok(Met::Person { subject: Box::new(subject), key: fresh.key.clone(), is_new: true });
            }
        }
        // Held until the end: an erasure comes before this press or after it.
        let found = queries::hold_by_index(transaction, coach, &index).await?;
        // Known a moment ago and gone now: erased in between. Pressing again meets a new person.
        let found = found.ok_or_else(press_again)?;
        match found.standing {
            Standing::Active(subject) => {
                let key = self.keyring().key(subject.dek_id).await?;
                Ok(Met::Person { subject: Box::new(subject.into_inner()), key, is_new: false })
            }
            Standing::Restricted(_) => Ok(Met::Resting(found.id)),
            Standing::Erasing => Err(being_erased().into()),
        }
    }

    /// Anybody can type anybody's address, so nothing is added for somebody whose data rests and the answer tells
    /// nothing; the person is told by mail, once a day.
    async fn plan_resting_mail(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        id: SubjectId,
    ) -> Result<()> {
        let (coach, now) = (press.row.coach_id, press.now);
        let Some(booking) = queries::any_booking(transaction, coach, press.row.id, id).await? else { return Ok(()) };
        let once = format!("{RESTING}:{id}:{}", now.day());
        self.enqueue_mail(transaction, coach, RESTING, &once, Some(booking), None, now).await
    }

    async fn book_first(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        subject: &subject::Model,
        key: &SubjectKey,
    ) -> Result<(RegistrationId, Booking)> {
        let (row, now) = (press.row, press.now);
        // Sent again with another address, the form is another press.
        let is_taken = queries::is_booked(transaction, press.booking).await?;
        let id = if is_taken { RegistrationId::new() } else { press.booking };
        let new = queries::NewRegistration {
            id,
            webinar: row.id,
            subject: subject.id,
            session: queries::undated_session(transaction, row.id, kind_of(row)?, now).await?,
            answers_sealed: match press.answers.given.is_empty() {
                true => None,
                false => Some(key.seal(Place::RegistrationAnswers, id.as_bytes(), &serde_json::to_vec(press.answers)?)),
            },
            source: press.source.clone(),
            country: press.client.country.clone(),
            device: press.client.device.clone(),
            expires_at: now.plus_days(i64::from(row.link_days)),
        };
        if !queries::insert_booking(transaction, row.coach_id, new, now).await? {
            // Two presses at once on PostgreSQL; the other one made the row.
            let found = queries::booking(transaction, row.coach_id, row.id, subject.id).await?;
            // Nothing of theirs: the same form went out for two addresses at the same moment.
            let found = found.ok_or_else(press_again)?;
            return self.book_again(transaction, press, subject, key, found).await;
        }
        self.fill_missing_name(transaction, press, subject, key).await?;
        if self.may_mail_link(transaction, row.coach_id, subject.id, press.email, now).await? {
            let once = format!("registration:{id}:confirmed");
            self.enqueue_mail(transaction, row.coach_id, "registration_confirmed", &once, Some(id), None, now).await?;
        }
        Ok((id, Booking { room_path: self.room_path(id, queries::FIRST_LINK_VERSION), was_registered: false }))
    }

    async fn book_again(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        subject: &subject::Model,
        key: &SubjectKey,
        found: registration::Model,
    ) -> Result<(RegistrationId, Booking)> {
        let (coach, now) = (press.row.coach_id, press.now);
        if found.id == press.booking && found.registered_at.plus_seconds(SAME_PRESS_SECONDS) > now {
            return Ok((
                found.id,
                Booking { room_path: self.room_path(found.id, found.link_version), was_registered: false },
            ));
        }
        self.fill_missing_name(transaction, press, subject, key).await?;
        if found.expires_at <= now {
            // The way back in after the link has run out is this form.
            queries::renew(transaction, coach, found.id, now.plus_days(i64::from(press.row.link_days))).await?;
        }
        if self.may_mail_link(transaction, coach, subject.id, press.email, now).await? {
            self.plan_link_mail(transaction, coach, found.id, now).await?;
        }
        Ok((found.id, Booking { room_path: String::new(), was_registered: true }))
    }

    async fn fill_missing_name(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        subject: &subject::Model,
        key: &SubjectKey,
    ) -> Result<()> {
        let name = press.answers.full_name();
        if subject.name_ct.is_none() && !name.is_empty() {
            let sealed = key.seal(Place::SubjectName, subject.id.as_bytes(), name.as_bytes());
            queries::set_missing_name(transaction, press.row.coach_id, subject.id, sealed).await?;
        }
        Ok(())
    }
}
