//! What the portal shows: a card for each coach who holds something, with the values themselves, and what an erasure
//! would do.

use domain::ids::{CoachId, RequestId, SubjectId};
use domain::my_data::{
    AgreementTold, BookingTold, Card, ClassTold, Erased, MyData, ObjectionTold, Preview, RECEIPT_DAYS, RequestTold,
    RestrictionTold,
};
use domain::processing::ProcessingPurpose;
use domain::registration::Answers;
use domain::rights::{
    ObjectionScope, RequestState, RestrictionGround, RightKind, SubjectKind, SubjectState, TOMBSTONE_DAYS,
};
use domain::watching::Attendance;
use domain::{Moment, Refusal};
use persistence::accounts;
use persistence::entities::dsr_request;
use persistence::portal::{self as queries, HeldBooking, HeldPerson};
use persistence::rights;
use persistence::sealed::{Place, SubjectKey};
use privacy::erasure::Hold;
use privacy::receipt::backup_dates;
use privacy::restriction::{self, Purpose};
use privacy::{DataMap, Person};

use super::Portal;
use crate::rights::Whose;
use crate::rights::fence::being_erased;
use crate::webinars::fields_of;
use crate::{Backend, Error, Result};

impl Portal {
    /// Everything held under the proven address, and what became of what was.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn everything(&self) -> Result<MyData> {
        let backend = &self.backend;
        let everywhere = backend.held_everywhere(&self.address).await?;
        let mut cards = Vec::new();
        for person in everywhere.held {
            cards.extend(self.card(person).await?);
        }
        cards.sort_by(|one, other| one.coach_name.cmp(&other.coach_name));
        let mut erased = Vec::new();
        for (coach, request) in everywhere.erased {
            // While the row is still there, its card tells of the request.
            if cards.iter().all(|card| card.requests.iter().all(|told| told.id != request)) {
                erased.extend(backend.erased(coach, request).await?);
            }
        }
        Ok(MyData {
            address: self.address.as_str().to_owned(),
            until: self.until,
            cards,
            erased,
            contact: backend.config().contact_email.clone(),
        })
    }

    /// What one coach holds; nothing when the row went in between.
    pub(super) async fn card(&self, (coach, subject): (CoachId, SubjectId)) -> Result<Option<Card>> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let (Some(owner), Some(row)) =
            (accounts::coach(reader, coach).await?, queries::person(reader, coach, subject).await?)
        else {
            return Ok(None);
        };
        let held = restriction::open(row, Purpose::OwnAccess);
        let state = SubjectState::from_stored(&held.subject.state).unwrap_or(SubjectState::Erasing);
        let requests = rights::requests_of_subject(reader, coach, subject).await?;
        let mut card = Card {
            coach,
            coach_name: owner.name,
            coach_email: owner.email,
            state,
            since: held.subject.created_at,
            name: String::new(),
            bookings: Vec::new(),
            classes: Vec::new(),
            recipients: Vec::new(),
            agreements: Vec::new(),
            restrictions: Vec::new(),
            objections: Vec::new(),
            is_unsubscribed: held.is_suppressed,
            requests: requests.iter().filter_map(told).collect(),
            archives: Vec::new(),
        };
        if state == SubjectState::Erasing {
            return Ok(Some(card));
        }
        // Without its key, what was sealed is gone already.
        let key = backend.keyring().keys(&[held.subject.dek_id]).await?.remove(&held.subject.dek_id);
        if let (Some(key), Some(sealed)) = (&key, &held.subject.name_ct) {
            card.name = text(key.open(ProcessingPurpose::Provide, Place::SubjectName, subject.as_bytes(), sealed)?)?;
        }
        let classes = privacy::held::everything(backend.db(), DataMap::current(), subject, key.as_ref()).await;
        card.classes =
            classes.map_err(|error| Error::fault("tell what is held", error))?.into_iter().map(class_told).collect();
        card.archives = backend.archives(Whose::Viewer(coach, subject)).await?;
        card.recipients = recipients(&card.coach_name, &held);
        tell_rights(&mut card, &held);
        for booking in &held.bookings {
            card.bookings.push(booking_told(booking, key.as_ref())?);
        }
        Ok(Some(card))
    }

    /// What one coach holds, to be corrected.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, as if she did not exist, and somebody who is being erased.
    pub async fn card_to_correct(&self, coach: CoachId) -> Result<Card> {
        let card = self.card(self.person(coach).await?).await?.ok_or_else(Refusal::not_found)?;
        if card.state == SubjectState::Erasing { Err(being_erased().into()) } else { Ok(card) }
    }

    /// What an erasure at every coach would do.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn erasure_previews(&self) -> Result<Vec<Preview>> {
        let mut previews = Vec::new();
        for (coach, _) in self.backend.held_everywhere(&self.address).await?.held {
            match self.erasure_preview(coach).await {
                Ok(preview) => previews.push(preview),
                // Erased meanwhile.
                Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        previews.sort_by(|one, other| one.coach_name.cmp(&other.coach_name));
        Ok(previews)
    }

    /// What an erasure at a coach would do.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, as if she did not exist.
    pub async fn erasure_preview(&self, coach: CoachId) -> Result<Preview> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let now = backend.now();
        let (_, subject) = self.person(coach).await?;
        let owner = accounts::coach(reader, coach).await?.ok_or_else(Refusal::not_found)?;
        let counted = privacy::held::counts(backend.db(), DataMap::current(), subject).await;
        let counted = counted.map_err(|error| Error::fault("count what is held", error))?;
        let holds = Hold::of(reader, Person::Viewer(coach, subject), now).await;
        let holds = holds.map_err(|error| Error::fault("look at the holds", error))?;
        let mut stays: Vec<String> = holds.iter().map(hold_told).collect();
        stays.push(format!(
            "A mark without your name or address, for {TOMBSTONE_DAYS} days: it keeps a restored backup from bringing you \
             back."
        ));
        stays.push("That this erasure was asked and done, for two years, without saying whose it was.".to_owned());
        Ok(Preview {
            coach,
            coach_name: owner.name,
            has_mark: counted.iter().any(|rows| rows.is_kept),
            goes: counted.into_iter().filter(|rows| !rows.is_kept).map(|rows| (rows.rows, rows.what)).collect(),
            stays,
            backups: backup_dates(now, SubjectKind::Viewer),
        })
    }

    /// The stored receipt of an erasure of the proven address, for ninety days. The copy that was mailed says more: it
    /// alone proves whose it is.
    ///
    /// # Errors
    /// Refuses somebody else's, one that is not there yet and one that is over in the same words.
    pub async fn receipt(&self, request: RequestId) -> Result<String> {
        let backend = &self.backend;
        let everywhere = backend.held_everywhere(&self.address).await?;
        let found = everywhere.erased.into_iter().find(|(_, id)| *id == request);
        let (coach, _) = found.ok_or_else(Refusal::not_found)?;
        let told = backend.erased(coach, request).await?.and_then(|erased| erased.receipt_until);
        if told.is_none() {
            return Err(Refusal::not_found().into());
        }
        Ok(backend.stored_receipt(request).await?.ok_or_else(Refusal::not_found)?)
    }
}

impl Backend {
    /// An erasure by the mark it left; nothing once its receipt is too old to be fetched.
    async fn erased(&self, coach: CoachId, request: RequestId) -> Result<Option<Erased>> {
        let reader = self.db().reader();
        let Some(row) = rights::request(reader, request).await? else { return Ok(None) };
        let receipt_until = match (&row.receipt, row.completed_at) {
            (Some(_), Some(done)) => Some(done.plus_days(RECEIPT_DAYS)),
            _ => None,
        };
        if receipt_until.is_some_and(|until| until <= self.now()) {
            return Ok(None);
        }
        let coach_name = accounts::coach(reader, coach).await?.map(|owner| owner.name).unwrap_or_default();
        Ok(Some(Erased {
            request,
            coach_name,
            state: Self::request_state(&row)?.label(),
            received_at: row.received_at,
            due_at: row.extended_to.unwrap_or(row.due_at),
            receipt_until,
        }))
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| Error::fault("read a sealed text", error))
}

/// A request that is not over; nothing when it is.
fn told(row: &dsr_request::Model) -> Option<RequestTold> {
    let state = RequestState::from_stored(&row.state).filter(|state| !state.is_over())?;
    let what = match RightKind::from_stored(&row.kind)? {
        RightKind::Access => "See and take along what is held",
        RightKind::Rectify => "Correct what is wrong",
        RightKind::Erase => "Erase everything",
        RightKind::Minor => "Erase a child's data",
        RightKind::Restrict => "Keep it without using it",
        RightKind::Lift => "Use it again",
        RightKind::Object => "Stop a use",
        RightKind::Withdraw => "Take an agreement back",
        RightKind::Complaint => "A complaint",
    };
    let waits = row.kind == RightKind::Rectify.as_str() && state == RequestState::Verified;
    Some(RequestTold {
        id: row.id,
        what,
        state: if waits { "waits until your data is used again" } else { state.label() },
        received_at: row.received_at,
        due_at: row.extended_to.unwrap_or(row.due_at),
    })
}

fn class_told(class: privacy::held::HeldClass) -> ClassTold {
    ClassTold {
        title: class.title,
        purposes: class.purposes.into_iter().collect(),
        bases: class.bases.into_iter().collect(),
        kept: class.kept.into_iter().collect(),
        facts: class.facts.into_iter().map(|fact| (fact.label, fact.value)).collect(),
    }
}

/// Who got something (Art. 15(1)(c)): the coach decides, we keep, a mail service carries.
fn recipients(coach_name: &str, held: &HeldPerson) -> Vec<String> {
    let mut recipients = vec![
        format!("{coach_name}, who decides what it is used for."),
        "My Mini Webinar, which keeps it for the coach and runs the pages.".to_owned(),
    ];
    let sent: Vec<Moment> =
        held.bookings.iter().flat_map(|booking| &booking.mails).filter_map(|mail| mail.sent_at).collect();
    if let (Some(first), Some(last)) = (sent.iter().min(), sent.iter().max()) {
        recipients.push(format!(
            "The mail service that carries mail to you: your address, {} mails, the first on {}, the last on {}.",
            sent.len(),
            first.utc_text(),
            last.utc_text()
        ));
    }
    recipients.push("Nobody else. No e-mail tool of the coach is connected, and nothing is sold.".to_owned());
    recipients
}

fn tell_rights(card: &mut Card, held: &HeldPerson) {
    card.agreements = held
        .consents
        .iter()
        .map(|agreed| AgreementTold {
            purpose: agreed.consent.purpose.clone(),
            wording: agreed.wording.clone(),
            given_at: agreed.consent.given_at,
            withdrawn_at: agreed.consent.withdrawn_at,
        })
        .collect();
    card.restrictions = held
        .restrictions
        .iter()
        .filter_map(|row| {
            let ground = RestrictionGround::from_stored(&row.ground)?;
            Some(RestrictionTold { ground, since: row.from_at, ends_announced: row.lift_notice_at })
        })
        .collect();
    card.objections = held
        .objections
        .iter()
        .filter_map(|row| {
            Some(ObjectionTold {
                scope: ObjectionScope::from_stored(&row.scope)?,
                made_at: row.made_at,
                due_at: row.answer_due_at,
                decision: row.decision.clone(),
            })
        })
        .collect();
}

/// A registration in sentences.
fn booking_told(held: &HeldBooking, key: Option<&SubjectKey>) -> Result<BookingTold> {
    let HeldBooking { booking, webinar, visits, mails } = held;
    let answers: Answers = match (&booking.answers_ct, key) {
        (Some(sealed), Some(key)) => serde_json::from_slice(&key.open(
            ProcessingPurpose::Provide,
            Place::RegistrationAnswers,
            booking.id.as_bytes(),
            sealed,
        )?)?,
        _ => Answers::default(),
    };
    let mut history = vec![format!("You registered on {}.", booking.registered_at.utc_text())];
    let times = |count: usize| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    history.push(match visits {
        0 => "You have not opened the room.".to_owned(),
        visits => format!("You opened the room {}.", times(*visits)),
    });
    if booking.unique_seconds > 0 {
        let minutes = |seconds: f64| format!("{:.1} minutes", seconds / 60.0);
        let again = booking.total_ms as f64 / 1000.0;
        history.push(format!(
            "You watched {} of it ({:.0} %), and played {} in all; the furthest you got was minute {:.1}.",
            minutes(f64::from(booking.unique_seconds)),
            f64::from(booking.percent_milli) / 1000.0,
            minutes(again),
            booking.furthest_ms as f64 / 60_000.0
        ));
    }
    if let Some(last) = booking.last_credit_at {
        history.push(format!("You last watched on {}.", last.utc_text()));
    }
    let outcome = Attendance::from_stored(&booking.outcome).map_or("unknown", Attendance::label);
    history.push(format!("It counts as “{outcome}”."));
    for mail in mails {
        history.push(mail_told(mail));
    }
    let kept = match webinar.retention_days {
        Some(days) => format!(
            "Kept until {}: {days} days after your link runs out.",
            booking.expires_at.plus_days(i64::from(days)).utc_text()
        ),
        None => "Kept until the coach removes the webinar or her account, or you have it erased.".to_owned(),
    };
    let fields = fields_of(webinar)?;
    let answer = |(field, is_required)| (field, is_required, answers.get(field).unwrap_or_default().to_owned());
    Ok(BookingTold {
        id: booking.id,
        title: webinar.title.clone(),
        history,
        kept,
        answers: fields.shown().map(answer).collect(),
    })
}

fn mail_told(mail: &persistence::entities::mail::Model) -> String {
    let what = match mail.template.as_str() {
        "registration_confirmed" => "The confirmation of your registration",
        "registration_link" => "Your link",
        domain::fence::WAITING_LIST => "The word that you are on the list for new dates",
        domain::fence::NEW_DATES => "The word that there are new dates",
        domain::fence::SESSION_MOVED => "The new time of your session",
        domain::fence::SESSION_CALLED_OFF => "The word that your session was called off",
        "reminder" => "A reminder",
        "follow_up" => "A mail after the session",
        template if template.starts_with(domain::fence::ABOUT_A_REQUEST) => "An answer about your data",
        _ => "A mail of the coach",
    };
    match (mail.state.as_str(), mail.sent_at) {
        ("sent", Some(at)) => format!("{what} was mailed to you on {}.", at.utc_text()),
        ("failed", _) => format!("{what} was refused by your mailbox."),
        ("waiting", _) => {
            let when = mail.send_at.map(|at| format!(" for {}", at.utc_text()));
            format!("{what} is planned{}.", when.unwrap_or_default())
        }
        ("dropped" | "skipped" | "expired" | "superseded", _) => format!("{what} was planned and never sent."),
        ("held", _) => format!("{what} waits, because your data is not used."),
        _ => format!("{what} is on its way."),
    }
}

fn hold_told(hold: &Hold) -> String {
    let map = DataMap::current();
    let classes: Vec<&str> = hold
        .classes
        .iter()
        .map(|class| map.classes.get(class).map_or(class.as_str(), |class| class.title.as_str()))
        .collect();
    format!(
        "{}, until {}, because of a legal ground: {}.",
        classes.join(", "),
        hold.until.utc_text(),
        hold.ground.replace('_', " ")
    )
}
