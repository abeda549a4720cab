//! Registering: the invitation a visitor sees, and the booking made from it.
//!
//! A person is met once per coach and booked once per webinar, whatever is pressed however often. Everything a
//! booking consists of (person, consent, mail) is written in one transaction or not at all; the person's key is made
//! before it and destroyed again when it was not needed, so no sealed value is ever without its key.

mod agreeing;
mod form_stamp;
mod link_mail;
mod room;
pub(crate) mod slots;
mod unsubscribing;

use std::sync::Arc;

use domain::fence::WAITING_LIST;
use domain::ids::{CoachId, DekId, RegistrationId, SubjectId};
use domain::registration::{Answers, BookedTime, Booking, ConsentPurpose, RegistrationForm};
use domain::rights::SubjectState;
use domain::stay::Stay;
use domain::watching::Attendance;
use domain::webinar::{DEFAULT_CONSENT_TEXT, Invitation, LATER, SessionKind, WebinarState, month_name};
use domain::{EmailAddress, Moment, Refusal, RefusalKind, Slug};
use persistence::entities::{registration, subject, video, webinar};
use persistence::sealed::{Place, Standing, SubjectKey};
use persistence::{registrations as queries, restrictions, results, rights, schedules, webinars};
use sea_orm::{DatabaseTransaction, DbErr};

use self::form_stamp::FormStamp;
pub(crate) use self::room::first_name_of;
use self::slots::{Booked, Chosen, StoredSchedule, called_off};
use crate::calendars::Entry;
use crate::limits::Limit;
use crate::mails::about_rights::RESTING;
use crate::page_views::clean_source;
use crate::rights::fence::{being_erased, hold_public, public};
use crate::webinars::{fields_of, kind_of, state_of};
use crate::{Backend, Client, Error, Result, Visitor};

pub(crate) const DAY_SECONDS: i64 = 86_400;
/// A second press of the same form within this many seconds is the same press: same answer, no second mail.
const SAME_PRESS_SECONDS: i64 = 60;

/// When the recording was made, for viewers: as the coach says, else the month of the upload.
pub(crate) fn recorded(row: &webinar::Model, video: Option<&video::Model>) -> String {
    month_name(&row.recorded_month).or_else(|| video.map(|video| video.created_at.month_text())).unwrap_or_default()
}

/// How long a recording is; nothing without one.
pub(crate) fn whole_seconds(video: Option<&video::Model>) -> i64 {
    video.map_or(0, |video| video.duration_ms.div_euclid(1_000))
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
    /// The registration page at an address, its times in `zone`, if that is one. A coach also sees her own pages that
    /// are not public (a preview).
    ///
    /// # Errors
    /// Refuses an address without a published page, in the same words whatever the reason, and one whose coach closes
    /// or rests her account.
    pub async fn invitation(&self, slug: &str, coach: Option<CoachId>, zone: Option<&str>) -> Result<Invitation> {
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
            offers_text: page.promotion,
            embed_hosts: serde_json::from_str(&row.embed_hosts)?,
            form_stamp: FormStamp::new((row.consent_text_id, row.promotion_text_id), backend.now())
                .sign(backend.secrets(), row.id),
            times: match kind_of(&row)? {
                SessionKind::Scheduled => Some(backend.times(&row, &StoredSchedule::of(&row, &page.rules)?, zone)?),
                SessionKind::OnDemand | SessionKind::Replay => None,
            },
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
                room_path: backend.shown_room_path(RegistrationId::new(), queries::FIRST_LINK_VERSION),
                ..Booking::default()
            });
        }
        let (email, answers) = form.check(&fields_of(&row)?, row.ask_age)?;
        let Some(stamp) = FormStamp::read(backend.secrets(), row.id, &form.form_stamp, now) else {
            let message = "That was quicker than we expect of a person, or the page was open for a long time. \
                           Please press the button once more. Nothing you typed was lost.";
            return Err(Refusal::new(RefusalKind::Invalid, message).into());
        };
        if stamp.wordings != (row.consent_text_id, row.promotion_text_id) {
            // What is on record has to be what was read.
            let message = "What you agree to was worded anew while this page was open. Please read it, and press the \
                           button once more. Nothing you typed was lost.";
            return Err(Refusal::new(RefusalKind::Invalid, message).into());
        }
        let time = backend.chosen_time(&row, form).await?;
        backend.limit(Limit::Registration, &format!("{}:{}", hex::encode(client.network), row.id)).await?;
        let source = clean_source(&form.source);
        let booking = stamp.booking;
        let wants_offers = form.offers.is_some();
        let press =
            Press { row: &row, email: &email, answers: &answers, client, booking, source, wants_offers, time, now };
        let booking = backend.book(&press).await?;
        backend.wake_worker();
        Ok(booking)
    }
}

impl Backend {
    /// The time a form is about: the one it names, or the one there is where nothing is to be chosen.
    async fn chosen_time(&self, row: &webinar::Model, form: &RegistrationForm) -> Result<ChosenTime> {
        let kind = kind_of(row)?;
        if kind != SessionKind::Scheduled {
            let booked = Booked {
                session: schedules::WantedSession::undated(kind.as_str()),
                time_zone: None,
                expires_at: Stay::at_once(self.now(), i64::from(row.link_days)).expires_at,
                finalises_at: None,
                time: None,
            };
            return Ok(ChosenTime { booked, switch_to: None });
        }
        let stored = self.stored_schedule(row).await?;
        if form.slot == LATER {
            return Ok(ChosenTime { booked: self.waits(&stored, &form.zone)?, switch_to: None });
        }
        let (chosen, is_next, zone) = self.chosen(row, &stored, (&form.slot, &form.zone))?;
        let duration = self.duration_seconds(row).await?;
        let switch_to = chosen.clone().map(|chosen| (chosen, zone.clone()));
        Ok(ChosenTime { booked: self.booked(row, &stored, (chosen, is_next, zone), duration), switch_to })
    }

    /// What a registrant's calendar holds.
    pub(crate) fn calendar_entry<'a>(
        &'a self,
        row: &'a webinar::Model,
        booking: &registration::Model,
        (starts_at, duration_seconds): (Moment, i64),
        link: &'a str,
    ) -> Entry<'a> {
        Entry {
            registration: booking.id,
            sequence: booking.calendar_sequence,
            starts_at,
            duration_seconds,
            title: &row.title,
            presenter: &row.presenter,
            link,
            host: self.config().mail_from.rsplit_once('@').map_or("localhost", |(_, host)| host),
        }
    }

    pub(crate) async fn duration_seconds(&self, row: &webinar::Model) -> Result<i64> {
        let video = self.current_recording(self.db().reader(), row).await?;
        Ok(whole_seconds(video.as_ref()))
    }
}

impl Visitor {
    /// Takes up the offer to come at another time. The link stays the same one; the person is told by mail.
    ///
    /// # Errors
    /// Refuses an offer that is not ours or no longer good, and a page whose coach closes or rests her account. Nothing
    /// changes for somebody whose data rests.
    pub async fn switch_time(&self, slug: &str, token: &str, client: &Client) -> Result<BookedTime> {
        let backend = &self.backend;
        let slug = Slug::parse(slug).map_err(|_| Refusal::not_found())?;
        let row =
            webinars::published_at_slug(backend.db().reader(), slug.as_str()).await?.ok_or_else(Refusal::not_found)?;
        backend.limit(Limit::Registration, &format!("{}:{}", hex::encode(client.network), row.id)).await?;
        let (booking, to, zone) = backend.offered_switch(row.id, token)?;
        backend.move_to(&row, booking, (to, zone), None).await
    }
}

impl Backend {
    /// Moves a booking of an active person to a chosen time and plans the mail that tells them. `again` is what somebody
    /// pressed who had taken the agreement back.
    ///
    /// # Errors
    /// Refuses a fourth mail with a link within a day, and whoever took the agreement back and did not give it again.
    async fn move_to(
        &self,
        row: &webinar::Model,
        id: RegistrationId,
        (to, zone): (Chosen, String),
        again: Option<&str>,
    ) -> Result<BookedTime> {
        let now = self.now();
        let stored = self.stored_schedule(row).await?;
        let duration = self.duration_seconds(row).await?;
        let booked = self.booked(row, &stored, (Some(to), false, zone), duration);
        let transaction = self.db().begin().await?;
        hold_public(&transaction, row.coach_id).await?;
        let found = queries::registration(&transaction, row.coach_id, row.id, id).await?;
        let found = found.ok_or_else(Refusal::not_found)?.active().ok_or_else(being_erased)?;
        match rights::hold_subject(&transaction, row.coach_id, found.subject_id).await? {
            Some(SubjectState::Active) => {}
            _ => return Err(being_erased().into()),
        }
        if let Some(again) = again {
            let wording = self.agreed_again(&transaction, row, id, again).await?;
            let agreed = (ConsentPurpose::RunWebinar, wording);
            queries::note_consent(&transaction, found.subject_id, id, agreed, now).await?;
        } else if !restrictions::agreement_stands(&transaction, id).await? {
            let message = "You took your agreement to this webinar back, so no other time can be booked with this link. If \
                           you want to come after all, please register once more; nothing was changed.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        let session = schedules::session(&transaction, row.id, &booked.session, now).await?.ok_or_else(called_off)?;
        let is_new = session != found.session_id;
        // Every change is told by mail, and anybody can type anybody's address.
        if is_new && self.had_enough_links(&transaction, row.coach_id, found.subject_id, now).await? {
            let message = "The time was changed several times today already. Please try again tomorrow; nothing was \
                           changed now.";
            return Err(Refusal { message: message.to_owned(), ..Refusal::too_often(DAY_SECONDS as u32) }.into());
        }
        let change = booked.change(session);
        if !is_new && again.is_some() {
            queries::renew(&transaction, row.coach_id, id, booked.expires_at).await?;
        } else if schedules::move_booking(&transaction, row.coach_id, id, change).await? {
            if found.outcome == Attendance::Missed.as_str() {
                // What was missed is still to come.
                let (from, to) = (Attendance::Missed, Attendance::Registered);
                queries::set_outcome(&transaction, row.coach_id, &[id], to).await?;
                let change = results::StatusChange { registration: id, from, to };
                results::log_changes(&transaction, &[change], "moved", now).await?;
            }
            self.plan_link_mail(&transaction, row.coach_id, id, now).await?;
            self.replan_mails(&transaction, &[id], Some(now), now).await?;
        }
        transaction.commit().await?;
        self.wake_worker();
        booked.time.ok_or_else(|| Error::fault("switch the time", "a chosen time has none"))
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
    /// Whether the box for offers was ticked.
    wants_offers: bool,
    time: ChosenTime,
    now: Moment,
}

/// The time a press is about.
struct ChosenTime {
    booked: Booked,
    /// What an offer to switch would offer; nothing where there is no set time.
    switch_to: Option<(Chosen, String)>,
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
                return Ok((Booking { was_registered: true, ..Booking::default() }, false));
            }
        };
        let wording =
            press.row.consent_text_id.ok_or_else(|| Error::fault("register", "the webinar has no consent wording"))?;
        let found = queries::booking(&transaction, coach, press.row.id, subject.id).await?;
        if let Some(found) = &found
            && !restrictions::agreement_stands(&transaction, found.id).await?
        {
            // Anybody can type anybody's address: the agreement is given again from the person's mail, or not at all.
            self.plan_agreeing_mail(&transaction, press, found.id).await?;
            transaction.commit().await?;
            return Ok((Booking { was_registered: true, ..Booking::default() }, false));
        }
        let (id, booking) = match found {
            Some(found) => self.book_again(&transaction, press, &subject, &key, found).await?,
            None => self.book_first(&transaction, press, &subject, &key).await?,
        };
        let agreed = (ConsentPurpose::RunWebinar, wording);
        queries::note_consent(&transaction, subject.id, id, agreed, press.now).await?;
        // Who registers again may be anybody who knows the address.
        let is_own = id == press.booking && !booking.was_registered;
        if let (true, true, Some(wording)) = (is_own, press.wants_offers, press.row.promotion_text_id) {
            let agreed = (ConsentPurpose::Offers, wording);
            queries::note_consent(&transaction, subject.id, id, agreed, press.now).await?;
        }
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
        let (row, now, booked) = (press.row, press.now, &press.time.booked);
        // Sent again with another address, the form is another press.
        let is_taken = queries::is_booked(transaction, press.booking).await?;
        let id = if is_taken { RegistrationId::new() } else { press.booking };
        let new = queries::NewRegistration {
            id,
            webinar: row.id,
            subject: subject.id,
            session: schedules::session(transaction, row.id, &booked.session, now).await?.ok_or_else(called_off)?,
            answers_sealed: match press.answers.given.is_empty() {
                true => None,
                false => Some(key.seal(Place::RegistrationAnswers, id.as_bytes(), &serde_json::to_vec(press.answers)?)),
            },
            source: press.source.clone(),
            country: press.client.country.clone(),
            device: press.client.device.clone(),
            expires_at: booked.expires_at,
            time_zone: booked.time_zone.clone(),
            finalises_at: booked.finalises_at,
        };
        if !queries::insert_booking(transaction, row.coach_id, new, now).await? {
            // Two presses at once on PostgreSQL; the other one made the row.
            let found = queries::booking(transaction, row.coach_id, row.id, subject.id).await?;
            // Nothing of theirs: the same form went out for two addresses at the same moment.
            let found = found.ok_or_else(press_again)?;
            return self.book_again(transaction, press, subject, key, found).await;
        }
        self.fill_missing_name(transaction, press, subject, key).await?;
        let is_confirmed = self.may_mail_link(transaction, row.coach_id, subject.id, press.email, now).await?;
        let is_waiting = booked.session.kind == schedules::WAITING;
        match (is_waiting, is_confirmed) {
            (false, _) => self.plan_mails(transaction, (row.id, id), is_confirmed, now).await?,
            (true, false) => {}
            (true, true) => {
                let once = format!("registration:{id}:waits");
                self.enqueue_mail(transaction, row.coach_id, WAITING_LIST, &once, Some(id), None, now).await?;
            }
        }
        let room_path = self.shown_room_path(id, queries::FIRST_LINK_VERSION);
        Ok((id, Booking { room_path, time: booked.time.clone(), is_waiting, ..Booking::default() }))
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
            let room_path = self.shown_room_path(found.id, found.link_version);
            let (time, is_waiting) =
                (press.time.booked.time.clone(), press.time.booked.session.kind == schedules::WAITING);
            return Ok((found.id, Booking { room_path, time, is_waiting, ..Booking::default() }));
        }
        self.fill_missing_name(transaction, press, subject, key).await?;
        let wanted = &press.time.booked.session;
        let is_for_another = match found.expires_at <= now {
            // The way back in after the link has run out is this form.
            true => {
                self.take_time(transaction, coach, &found, press).await?;
                false
            }
            false => {
                let stored = schedules::session_by_id(transaction, found.session_id).await?;
                stored.is_none_or(|stored| stored.session_key != wanted.key)
            }
        };
        if self.may_mail_link(transaction, coach, subject.id, press.email, now).await? {
            self.plan_link_mail(transaction, coach, found.id, now).await?;
        }
        let switch = match &press.time.switch_to {
            Some(to) if is_for_another => Some(self.switch_offer(press.row.id, found.id, to.clone())?),
            _ => None,
        };
        Ok((found.id, Booking { was_registered: true, switch, ..Booking::default() }))
    }

    /// Books the chosen time for somebody whose link had run out.
    async fn take_time(
        &self,
        transaction: &DatabaseTransaction,
        coach: CoachId,
        found: &registration::Model,
        press: &Press<'_>,
    ) -> Result<()> {
        let booked = &press.time.booked;
        let session = schedules::session(transaction, press.row.id, &booked.session, press.now).await?;
        let session = session.ok_or_else(called_off)?;
        if session == found.session_id {
            queries::renew(transaction, coach, found.id, booked.expires_at).await?;
            return Ok(());
        }
        let change = booked.change(session);
        schedules::move_booking(transaction, coach, found.id, change).await?;
        self.replan_mails(transaction, &[found.id], Some(press.now), press.now).await
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
