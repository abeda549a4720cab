//! What sending mails asks about many registrations at once: who may be written to, and what is written from. One
//! question per table, however many mails: ten thousand reminders are due in the same second.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use domain::Moment;
use domain::ids::{CoachId, DekId, MailId, MailTemplateId, RegistrationId, SessionId, SubjectId, VideoId, WebinarId};
use domain::registration::ConsentPurpose;
use domain::rights::{AccountState, SubjectState};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef,
};

use crate::bounces::Marks;
use crate::entities::{
    coach, consent, mail, mail_template, registration, session, subject, suppression, video, webinar,
};
use crate::registrations::Person;

/// Whom a mail would go to.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    /// Whose registrant.
    pub coach: CoachId,
    /// Who.
    pub subject: SubjectId,
    /// By which booking.
    pub registration: RegistrationId,
}

/// How a registrant stands to mail.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The coach's account.
    pub account: AccountState,
    /// The person.
    pub person: SubjectState,
    /// What is on record about writing to them.
    pub marks: Marks,
    /// Whether the agreement that came with the booking stands.
    pub agreed: bool,
    /// Whether they agreed, with this booking, to be sent offers, and did not take that back.
    pub agreed_to_offers: bool,
}

/// How these people stand to mail, with their accounts and themselves held until the transaction ends; whoever is gone is
/// missing. Accounts are held before people, and both in the order of their ids, by every server alike.
///
/// # Errors
/// When the database fails.
pub async fn hold(
    conn: &impl ConnectionTrait,
    recipients: &[Recipient],
    now: Moment,
) -> Result<HashMap<RegistrationId, Standing>, DbErr> {
    let locks = conn.get_database_backend() == DbBackend::Postgres;
    let coaches: HashSet<CoachId> = recipients.iter().map(|one| one.coach).collect();
    let mut accounts = coach::Entity::find()
        .select_only()
        .columns([coach::Column::Id, coach::Column::State])
        .filter(coach::Column::Id.is_in(coaches))
        .order_by_asc(coach::Column::Id);
    if locks {
        accounts = accounts.lock_shared();
    }
    let accounts: HashMap<CoachId, String> =
        accounts.into_tuple::<(CoachId, String)>().all(conn).await?.into_iter().collect();
    let subjects: HashSet<SubjectId> = recipients.iter().map(|one| one.subject).collect();
    let mut people = subject::Entity::find()
        .select_only()
        .columns([subject::Column::Id, subject::Column::CoachId, subject::Column::State])
        .filter(subject::Column::Id.is_in(subjects.iter().copied()))
        .order_by_asc(subject::Column::CoachId)
        .order_by_asc(subject::Column::Id);
    if locks {
        people = people.lock(LockType::NoKeyUpdate);
    }
    let people = people.into_tuple::<(SubjectId, CoachId, String)>().all(conn).await?;
    let people: HashMap<SubjectId, (CoachId, String)> =
        people.into_iter().map(|(id, coach, state)| (id, (coach, state))).collect();
    // Only now, with everybody held, is what they said read.
    let marks = marks_of(conn, &subjects, now).await?;
    let consents = consents_of(conn, recipients).await?;
    let standing = |one: &Recipient| {
        let (coach, state) = people.get(&one.subject)?;
        let account = accounts.get(&one.coach).filter(|_| *coach == one.coach)?;
        let agreements = consents.get(&one.registration).copied().unwrap_or_default();
        let standing = Standing {
            account: AccountState::from_stored(account)?,
            person: SubjectState::from_stored(state)?,
            marks: marks.get(&one.subject).copied().unwrap_or_default(),
            agreed: !agreements.is_taken_back(),
            agreed_to_offers: agreements.to_offers,
        };
        Some((one.registration, standing))
    };
    Ok(recipients.iter().filter_map(standing).collect())
}

async fn marks_of(
    conn: &impl ConnectionTrait,
    subjects: &HashSet<SubjectId>,
    now: Moment,
) -> Result<HashMap<SubjectId, Marks>, DbErr> {
    let by_coach: RelationDef = suppression::Entity::belongs_to(subject::Entity)
        .from((suppression::Column::CoachId, suppression::Column::EmailBidx))
        .to((subject::Column::CoachId, subject::Column::EmailBidx))
        .into();
    let found: Vec<(suppression::Model, Option<subject::Model>)> = suppression::Entity::find()
        .join(JoinType::InnerJoin, by_coach)
        .select_also(subject::Entity)
        .filter(subject::Column::Id.is_in(subjects.iter().copied()))
        .all(conn)
        .await?;
    let mut by: HashMap<SubjectId, Vec<suppression::Model>> = HashMap::new();
    for (mark, person) in found {
        if let Some(person) = person {
            by.entry(person.id).or_default().push(mark);
        }
    }
    Ok(by.into_iter().map(|(id, found)| (id, Marks::of(&found, now))).collect())
}

/// What somebody agreed to with a booking.
#[derive(Clone, Copy, Default)]
struct Agreements {
    given: bool,
    stands: bool,
    to_offers: bool,
}

impl Agreements {
    /// Once every agreement to take part was taken back; a booking from before agreements were kept has none.
    const fn is_taken_back(self) -> bool {
        self.given && !self.stands
    }
}

async fn consents_of(
    conn: &impl ConnectionTrait,
    recipients: &[Recipient],
) -> Result<HashMap<RegistrationId, Agreements>, DbErr> {
    let rows: Vec<(RegistrationId, String, Option<Moment>)> = consent::Entity::find()
        .select_only()
        .columns([consent::Column::RegistrationId, consent::Column::Purpose, consent::Column::WithdrawnAt])
        .filter(consent::Column::RegistrationId.is_in(recipients.iter().map(|one| one.registration)))
        .into_tuple()
        .all(conn)
        .await?;
    let mut by: HashMap<RegistrationId, Agreements> = HashMap::new();
    for (registration, purpose, withdrawn_at) in rows {
        let agreements = by.entry(registration).or_default();
        if purpose == ConsentPurpose::RunWebinar.as_str() {
            agreements.given = true;
            agreements.stands |= withdrawn_at.is_none();
        } else if purpose == ConsentPurpose::Offers.as_str() {
            agreements.to_offers |= withdrawn_at.is_none();
        }
    }
    Ok(by)
}

/// Whom mails to these registrations would go to; a booking that is gone is missing.
///
/// # Errors
/// When the database fails.
pub async fn recipients(conn: &impl ConnectionTrait, ids: &[RegistrationId]) -> Result<Vec<Recipient>, DbErr> {
    let rows: Vec<(CoachId, SubjectId, RegistrationId)> = registration::Entity::find()
        .select_only()
        .columns([registration::Column::CoachId, registration::Column::SubjectId, registration::Column::Id])
        .filter(registration::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(conn)
        .await?;
    let recipient = |(coach, subject, registration)| Recipient { coach, subject, registration };
    Ok(rows.into_iter().map(recipient).collect())
}

/// Everything a mail to a registrant is written from. What many mails have in common is shared between them.
pub struct Case {
    /// Whose registrant.
    pub coach: Arc<coach::Model>,
    /// Registered for what.
    pub webinar: Arc<webinar::Model>,
    /// The booking.
    pub registration: registration::Model,
    /// The person, as far as their state allows.
    pub person: Person,
    /// The key their data is sealed with.
    pub key: DekId,
    /// The session they booked.
    pub session: Option<Arc<session::Model>>,
    /// The recording the webinar shows now.
    pub recording: Option<Arc<video::Model>>,
    /// What the coach wrote, of a mail of a sequence.
    pub template: Option<Arc<mail_template::Model>>,
}

fn shared<K: Eq + Hash, M>(rows: Vec<M>, id: impl Fn(&M) -> K) -> HashMap<K, Arc<M>> {
    rows.into_iter().map(|row| (id(&row), Arc::new(row))).collect()
}

/// What each of these mails is written from; one whose registrant, webinar or template is gone is missing.
///
/// # Errors
/// When the database fails.
pub async fn cases(conn: &impl ConnectionTrait, mails: &[mail::Model]) -> Result<HashMap<MailId, Case>, DbErr> {
    let ids: HashSet<RegistrationId> = mails.iter().filter_map(|mail| mail.registration_id).collect();
    let bookings = registration::Entity::find().filter(registration::Column::Id.is_in(ids)).all(conn).await?;
    let bookings: HashMap<RegistrationId, registration::Model> =
        bookings.into_iter().map(|booking| (booking.id, booking)).collect();
    let ids: HashSet<SubjectId> = bookings.values().map(|booking| booking.subject_id).collect();
    let people = subject::Entity::find().filter(subject::Column::Id.is_in(ids)).all(conn).await?;
    let people: HashMap<SubjectId, subject::Model> = people.into_iter().map(|person| (person.id, person)).collect();
    let ids: HashSet<CoachId> = bookings.values().map(|booking| booking.coach_id).collect();
    let coaches = shared(coach::Entity::find().filter(coach::Column::Id.is_in(ids)).all(conn).await?, |row| row.id);
    let ids: HashSet<WebinarId> = bookings.values().map(|booking| booking.webinar_id).collect();
    let found = webinar::Entity::find().filter(webinar::Column::Id.is_in(ids)).all(conn).await?;
    let webinars = shared(found, |row| row.id);
    let ids: HashSet<SessionId> = bookings.values().map(|booking| booking.session_id).collect();
    let found = session::Entity::find().filter(session::Column::Id.is_in(ids)).all(conn).await?;
    let sessions = shared(found, |row| row.id);
    let ids: HashSet<VideoId> = webinars.values().filter_map(|webinar| webinar.current_video_id).collect();
    let recordings = shared(video::Entity::find().filter(video::Column::Id.is_in(ids)).all(conn).await?, |row| row.id);
    let ids: HashSet<MailTemplateId> = mails.iter().filter_map(|mail| mail.template_id).collect();
    let found = mail_template::Entity::find().filter(mail_template::Column::Id.is_in(ids)).all(conn).await?;
    let templates = shared(found, |row| row.id);
    let case = |mail: &mail::Model| {
        let registration = bookings.get(&mail.registration_id?)?.clone();
        let person = people.get(&registration.subject_id).filter(|one| one.coach_id == registration.coach_id)?;
        let webinar = webinars.get(&registration.webinar_id)?;
        let of_the_webinar = |template: &&Arc<mail_template::Model>| template.webinar_id == webinar.id;
        let template = mail.template_id.map(|id| templates.get(&id).filter(of_the_webinar).cloned());
        let recording = webinar.current_video_id.and_then(|id| recordings.get(&id).cloned());
        let case = Case {
            coach: coaches.get(&registration.coach_id)?.clone(),
            webinar: webinar.clone(),
            person: Person::from(person.clone()),
            key: person.dek_id,
            session: sessions.get(&registration.session_id).cloned(),
            recording: recording.filter(|recording| recording.coach_id == registration.coach_id),
            // A mail of a template that is gone is not written.
            template: match template {
                Some(found) => Some(found?),
                None => None,
            },
            registration,
        };
        Some((mail.id, case))
    };
    Ok(mails.iter().filter_map(case).collect())
}
