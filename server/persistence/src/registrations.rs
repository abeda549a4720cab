//! People and their bookings: one person per (coach, address), one booking per (webinar, person).
//!
//! What identifies a person is stored sealed and arrives here already sealed. Uniqueness is the database's work, so
//! that two requests at once still make one row.

use domain::Moment;
use domain::fence::WAITING_LIST;
use domain::ids::{
    CoachId, ConsentId, ConsentTextId, DekId, RegistrationId, SessionId, SubjectId, VideoId, ViewId, WebinarId,
};
use domain::registration::ConsentPurpose;
use domain::watching::Attendance;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, FromQueryResult, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, RelationTrait, Select, Set,
};

use crate::entities::{coach, consent, mail, registration, session, subject, view, watch_map};
use crate::schedules::WAITING;
use crate::sealed::Standing;

/// Version of a link until it is revoked for the first time.
pub const FIRST_LINK_VERSION: i32 = 1;
/// Templates that carry a registrant's link.
pub const LINK_TEMPLATES: [&str; 3] = ["registration_confirmed", "registration_link", WAITING_LIST];
/// State of a person whose data may be used.
const ACTIVE: &str = domain::rights::SubjectState::Active.as_str();

fn to_subject() -> RelationDef {
    registration::Entity::belongs_to(subject::Entity)
        .from(registration::Column::SubjectId)
        .to(subject::Column::Id)
        .into()
}

/// A person of a coach, whose row can be used as far as their state allows.
#[derive(Debug)]
pub struct Person {
    /// Which one.
    pub id: SubjectId,
    /// The row.
    pub standing: Standing<subject::Model>,
}

impl From<subject::Model> for Person {
    fn from(row: subject::Model) -> Self {
        Self { id: row.id, standing: Standing::of(&row.state.clone(), row) }
    }
}

fn by_index(coach: CoachId, email_index: &[u8]) -> Select<subject::Entity> {
    subject::Entity::find()
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::EmailBidx.eq(email_index.to_vec()))
}

/// The coach's person with this blind index.
///
/// # Errors
/// When the database fails.
pub async fn subject_by_index(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    email_index: &[u8],
) -> Result<Option<Person>, DbErr> {
    Ok(by_index(coach, email_index).one(conn).await?.map(Person::from))
}

/// The same, held against whoever would change their state: the fence of a writer that knows an address.
///
/// # Errors
/// When the database fails.
pub async fn hold_by_index(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    email_index: &[u8],
) -> Result<Option<Person>, DbErr> {
    let mut query = by_index(coach, email_index);
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::NoKeyUpdate);
    }
    Ok(query.one(conn).await?.map(Person::from))
}

/// The coach's person with this id.
///
/// # Errors
/// When the database fails.
pub async fn subject(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId) -> Result<Option<Person>, DbErr> {
    let row = subject::Entity::find_by_id(id).filter(subject::Column::CoachId.eq(coach)).one(conn).await?;
    Ok(row.map(Person::from))
}

/// A person met for the first time, sealed.
pub struct NewSubject {
    /// Id, also the place the values are bound to.
    pub id: SubjectId,
    /// The key they are sealed with.
    pub dek: DekId,
    /// Blind index of the normal form of the address.
    pub email_index: Vec<u8>,
    /// The address.
    pub email_sealed: Vec<u8>,
    /// The full name, when one was given.
    pub name_sealed: Option<Vec<u8>>,
}

/// Adds a person unless the coach has one with this blind index. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn insert_subject(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    new: NewSubject,
    now: Moment,
) -> Result<bool, DbErr> {
    let row = subject::ActiveModel {
        id: Set(new.id),
        kind: Set("viewer".to_owned()),
        coach_id: Set(coach),
        state: Set("active".to_owned()),
        dek_id: Set(new.dek),
        email_bidx: Set(new.email_index),
        email_ct: Set(new.email_sealed),
        name_ct: Set(new.name_sealed),
        created_at: Set(now),
    };
    let twins = OnConflict::columns([subject::Column::CoachId, subject::Column::EmailBidx]).do_nothing().to_owned();
    Ok(subject::Entity::insert(row).on_conflict(twins).exec_without_returning(conn).await? > 0)
}

/// Gives a person the name that was missing, unless their data rests.
///
/// # Errors
/// When the database fails.
pub async fn set_missing_name(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    name_sealed: Vec<u8>,
) -> Result<(), DbErr> {
    subject::Entity::update_many()
        .set(subject::ActiveModel { name_ct: Set(Some(name_sealed)), ..Default::default() })
        .filter(subject::Column::Id.eq(id))
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::NameCt.is_null())
        .filter(subject::Column::State.eq(ACTIVE))
        .exec(conn)
        .await?;
    Ok(())
}

/// This person's booking on this webinar.
///
/// # Errors
/// When the database fails.
pub async fn booking(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    subject: SubjectId,
) -> Result<Option<registration::Model>, DbErr> {
    registration::Entity::find()
        .filter(registration::Column::WebinarId.eq(webinar))
        .filter(registration::Column::SubjectId.eq(subject))
        .filter(registration::Column::CoachId.eq(coach))
        .one(conn)
        .await
}

/// A booking to be made.
pub struct NewRegistration {
    /// Its id, also what its link is made from.
    pub id: RegistrationId,
    /// On which webinar.
    pub webinar: WebinarId,
    /// Who.
    pub subject: SubjectId,
    /// On which session.
    pub session: SessionId,
    /// Answers, sealed, when there are any.
    pub answers_sealed: Option<Vec<u8>>,
    /// `utm_source`, may be empty.
    pub source: String,
    /// Two-letter country or `??`.
    pub country: String,
    /// Browser family and class.
    pub device: String,
    /// When the link stops working.
    pub expires_at: Moment,
    /// The zone the person chose their time in.
    pub time_zone: Option<String>,
    /// For a session at a set time: from when its outcome can become final.
    pub finalises_at: Option<Moment>,
}

/// Adds a booking unless this person has one on this webinar. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn insert_booking(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    new: NewRegistration,
    now: Moment,
) -> Result<bool, DbErr> {
    let row = registration::ActiveModel {
        id: Set(new.id),
        webinar_id: Set(new.webinar),
        coach_id: Set(coach),
        subject_id: Set(new.subject),
        session_id: Set(new.session),
        link_version: Set(FIRST_LINK_VERSION),
        answers_ct: Set(new.answers_sealed),
        source: Set(new.source),
        time_zone: Set(new.time_zone),
        country: Set(new.country),
        device: Set(new.device),
        registered_at: Set(now),
        proven_at: Set(None),
        first_played_at: Set(None),
        expires_at: Set(new.expires_at),
        finalised_at: Set(None),
        outcome: Set(Attendance::Registered.as_str().to_owned()),
        unique_seconds: Set(0),
        total_ms: Set(0),
        hidden_ms: Set(0),
        furthest_ms: Set(0),
        percent_milli: Set(0),
        last_credit_at: Set(None),
        current_video_id: Set(None),
        finalises_at: Set(new.finalises_at),
        calendar_sequence: Set(0),
    };
    // Whatever it collides with, the webinar and person or the id.
    let twins = OnConflict::new().do_nothing().to_owned();
    Ok(registration::Entity::insert(row).on_conflict(twins).exec_without_returning(conn).await? > 0)
}

/// Whether a registration has this id.
///
/// # Errors
/// When the database fails.
pub async fn is_booked(conn: &impl ConnectionTrait, id: RegistrationId) -> Result<bool, DbErr> {
    Ok(registration::Entity::find_by_id(id).count(conn).await? > 0)
}

/// Lets an expired link work again, because the person registered again.
///
/// # Errors
/// When the database fails.
pub async fn renew(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: RegistrationId,
    expires_at: Moment,
) -> Result<(), DbErr> {
    registration::Entity::update_many()
        .set(registration::ActiveModel { expires_at: Set(expires_at), ..Default::default() })
        .filter(registration::Column::Id.eq(id))
        .filter(registration::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    Ok(())
}

/// Notes that a person agreed to a wording; agreeing to the same wording twice is noted once.
///
/// # Errors
/// When the database fails.
pub async fn note_consent(
    conn: &impl ConnectionTrait,
    subject: SubjectId,
    registration: RegistrationId,
    (purpose, wording): (ConsentPurpose, ConsentTextId),
    now: Moment,
) -> Result<(), DbErr> {
    let standing = consent::Entity::find()
        .filter(consent::Column::RegistrationId.eq(registration))
        .filter(consent::Column::ConsentTextId.eq(wording))
        .filter(consent::Column::WithdrawnAt.is_null())
        .count(conn)
        .await?;
    if standing > 0 {
        return Ok(());
    }
    let row = consent::ActiveModel {
        id: Set(ConsentId::new()),
        subject_id: Set(subject),
        registration_id: Set(registration),
        consent_text_id: Set(wording),
        purpose: Set(purpose.as_str().to_owned()),
        method: Set("form_box".to_owned()),
        given_at: Set(now),
        withdrawn_at: Set(None),
    };
    consent::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}

/// Mails with a link planned for this person since `since`, over all webinars of this coach.
///
/// # Errors
/// When the database fails.
pub async fn link_mails_since(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
    since: Moment,
) -> Result<u64, DbErr> {
    let to_registration: RelationDef = mail::Entity::belongs_to(registration::Entity)
        .from(mail::Column::RegistrationId)
        .to(registration::Column::Id)
        .into();
    mail::Entity::find()
        .join(JoinType::InnerJoin, to_registration)
        .filter(registration::Column::SubjectId.eq(subject))
        .filter(mail::Column::CoachId.eq(coach))
        .filter(mail::Column::Template.is_in(LINK_TEMPLATES))
        .filter(mail::Column::CreatedAt.gt(since))
        .count(conn)
        .await
}

/// The booking a mail about a person's own request can refer to: on this webinar, or else their latest.
///
/// # Errors
/// When the database fails.
pub async fn any_booking(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    subject: SubjectId,
) -> Result<Option<RegistrationId>, DbErr> {
    let here = booking(conn, coach, webinar, subject).await?;
    match here {
        Some(here) => Ok(Some(here.id)),
        None => latest_booking(conn, coach, subject).await,
    }
}

/// The latest booking of a person of this coach.
///
/// # Errors
/// When the database fails.
pub async fn latest_booking(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
) -> Result<Option<RegistrationId>, DbErr> {
    registration::Entity::find()
        .select_only()
        .column(registration::Column::Id)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::SubjectId.eq(subject))
        .order_by_desc(registration::Column::RegisteredAt)
        .into_tuple()
        .one(conn)
        .await
}

/// One booking of this coach's webinar, as far as its person's state lets it be used.
///
/// # Errors
/// When the database fails.
pub async fn registration(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    id: RegistrationId,
) -> Result<Option<Standing<registration::Model>>, DbErr> {
    let row = registration::Entity::find_by_id(id)
        .find_also_related(subject::Entity)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::WebinarId.eq(webinar))
        .one(conn)
        .await?;
    Ok(row.map(|(row, person)| standing(row, person.as_ref())))
}

fn standing(row: registration::Model, person: Option<&subject::Model>) -> Standing<registration::Model> {
    Standing::of(person.map_or("", |person| person.state.as_str()), row)
}

/// What a room token names. Until the token is proven nothing but its own parts is looked at.
#[derive(Debug)]
pub struct Named {
    /// Which booking.
    pub id: RegistrationId,
    /// Which version of its link counts.
    pub link_version: i32,
    /// Whose webinar it is on.
    pub coach: CoachId,
    /// Which webinar.
    pub webinar: WebinarId,
    /// Whose booking.
    pub subject: SubjectId,
    /// When the link stops working.
    pub expires_at: Moment,
    /// When its session starts, if that has a time.
    pub starts_at: Option<Moment>,
    /// Whether they wait for a date.
    pub is_waiting: bool,
    /// Whether its coach called that session off.
    pub is_called_off: bool,
    /// What she said about it.
    pub change_note: Option<String>,
    /// The zone the person chose their time in, while it may be used.
    pub time_zone: Option<String>,
    /// The state of the coach's account, as stored.
    pub account_state: String,
    /// The rest, as far as it may be used.
    pub standing: Standing<registration::Model>,
}

/// Public: the booking a room token names. The caller proves the token before anything of it is used.
///
/// # Errors
/// When the database fails.
pub async fn named_by_token(conn: &impl ConnectionTrait, id: RegistrationId) -> Result<Option<Named>, DbErr> {
    let found = registration::Entity::find_by_id(id)
        .find_also_related(subject::Entity)
        .find_also_related(coach::Entity)
        .find_also(registration::Entity, session::Entity)
        .one(conn)
        .await?;
    Ok(found.map(|(row, person, owner, session)| Named {
        id: row.id,
        link_version: row.link_version,
        coach: row.coach_id,
        webinar: row.webinar_id,
        subject: row.subject_id,
        expires_at: row.expires_at,
        starts_at: session.as_ref().and_then(|session| session.starts_at),
        is_waiting: session.as_ref().is_some_and(|session| session.kind == WAITING),
        is_called_off: session.as_ref().is_some_and(|session| session.cancelled_at.is_some()),
        change_note: session.and_then(|session| session.change_note),
        time_zone: row.time_zone.clone(),
        account_state: owner.map_or_else(String::new, |owner| owner.state),
        standing: standing(row, person.as_ref()),
    }))
}

/// A visit by a link that was mailed, as stored.
pub const BY_MAIL: &str = "mail";

/// How somebody came to the room.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Browser family and class.
    pub device: &'a str,
    /// Two-letter country, or `??`.
    pub country: &'a str,
    /// Whether by a link that was mailed: it takes the mailbox to know it.
    pub by_mail: bool,
}

/// Notes that whoever reads the mailbox did something on a page their mailed link led to; the first time counts. Opening
/// the page is nothing: scanners do that (product.md §4.2).
///
/// # Errors
/// When the database fails.
pub async fn prove(conn: &impl ConnectionTrait, coach: CoachId, id: RegistrationId, now: Moment) -> Result<(), DbErr> {
    registration::Entity::update_many()
        .set(registration::ActiveModel { proven_at: Set(Some(now)), ..Default::default() })
        .filter(registration::Column::Id.eq(id))
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::ProvenAt.is_null())
        .exec(conn)
        .await
        .map(drop)
}

/// Notes a visit to the room. It is no attendance: that needs play.
///
/// # Errors
/// When the database fails.
pub async fn open_view(
    conn: &impl ConnectionTrait,
    id: ViewId,
    (registration, webinar): (RegistrationId, WebinarId),
    video: VideoId,
    arrived: Arrived<'_>,
    now: Moment,
) -> Result<(), DbErr> {
    let row = view::ActiveModel {
        id: Set(id),
        registration_id: Set(registration),
        webinar_id: Set(webinar),
        video_id: Set(video),
        opened_at: Set(now),
        first_played_at: Set(None),
        last_beat_at: Set(None),
        device: Set(arrived.device.to_owned()),
        country: Set(arrived.country.to_owned()),
        came_by: Set(arrived.by_mail.then(|| BY_MAIL.to_owned())),
    };
    view::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}

/// Where this person left this recording, in media milliseconds.
///
/// # Errors
/// When the database fails.
pub async fn last_position_ms(
    conn: &impl ConnectionTrait,
    registration: RegistrationId,
    video: VideoId,
) -> Result<Option<i64>, DbErr> {
    watch_map::Entity::find_by_id((registration, video))
        .select_only()
        .column(watch_map::Column::LastPositionMs)
        .into_tuple()
        .one(conn)
        .await
}

/// What one booking's watching says about its outcome.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ProgressRow {
    /// Which booking.
    pub id: RegistrationId,
    /// The recording its numbers belong to.
    pub current_video_id: Option<VideoId>,
    /// Unique seconds.
    pub unique_seconds: i32,
    /// When it was made final.
    pub finalised_at: Option<Moment>,
    /// Outcome as stored.
    pub outcome: String,
}

/// Up to `limit` bookings of a webinar after `after`, in order of id, for judging them anew; those of people whose data
/// rests are left as they are.
///
/// # Errors
/// When the database fails.
pub async fn progress_after(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    after: Option<RegistrationId>,
    limit: u64,
) -> Result<Vec<ProgressRow>, DbErr> {
    use registration::Column::{CurrentVideoId, FinalisedAt, Id, Outcome, UniqueSeconds};
    let mut find = registration::Entity::find()
        .select_only()
        .columns([Id, CurrentVideoId, UniqueSeconds, FinalisedAt, Outcome])
        .join(JoinType::InnerJoin, to_subject())
        .filter(subject::Column::State.eq(ACTIVE))
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::WebinarId.eq(webinar))
        .order_by_asc(Id)
        .limit(limit);
    if let Some(after) = after {
        find = find.filter(Id.gt(after));
    }
    find.into_model().all(conn).await
}

/// Gives these bookings another outcome.
///
/// # Errors
/// When the database fails.
pub async fn set_outcome(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    ids: &[RegistrationId],
    outcome: Attendance,
) -> Result<(), DbErr> {
    registration::Entity::update_many()
        .set(registration::ActiveModel { outcome: Set(outcome.as_str().to_owned()), ..Default::default() })
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::Id.is_in(ids.iter().copied()))
        .exec(conn)
        .await?;
    Ok(())
}

/// A booking whose time has come to be made final.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Which booking.
    pub id: RegistrationId,
    /// Whether nothing was watched past the floor.
    pub is_missed: bool,
}

/// Up to `limit` bookings of all coaches that are due: their link ran out, or their last credited play is older than
/// `last_play_before`. Those of people whose data rests stay as they are.
///
/// # Errors
/// When the database fails.
pub async fn due_to_be_final(
    conn: &impl ConnectionTrait,
    (last_play_before, idle_since): (Moment, Moment),
    limit: u64,
    now: Moment,
) -> Result<Vec<Due>, DbErr> {
    use registration::Column::{ExpiresAt, FinalisedAt, FinalisesAt, Id, LastCreditAt, Outcome};
    let is_idle = LastCreditAt.is_null().or(LastCreditAt.lte(idle_since));
    let rows: Vec<(RegistrationId, String)> = registration::Entity::find()
        .select_only()
        .columns([Id, Outcome])
        .join(JoinType::InnerJoin, to_subject())
        .join(JoinType::InnerJoin, registration::Relation::Session.def())
        .filter(subject::Column::State.eq(ACTIVE))
        // Nobody misses what does not take place.
        .filter(session::Column::Kind.ne(WAITING))
        .filter(session::Column::CancelledAt.is_null())
        .filter(FinalisedAt.is_null())
        .filter(ExpiresAt.lte(now).or(LastCreditAt.lte(last_play_before)).or(FinalisesAt.lte(now).and(is_idle)))
        .order_by_asc(Id)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    let due =
        |(id, outcome): (RegistrationId, String)| Due { id, is_missed: outcome == Attendance::Registered.as_str() };
    Ok(rows.into_iter().map(due).collect())
}

/// Makes bookings final. Those that missed it get that outcome.
///
/// # Errors
/// When the database fails.
pub async fn make_final(conn: &impl ConnectionTrait, due: &[Due], now: Moment) -> Result<(), DbErr> {
    for missed in [false, true] {
        let ids: Vec<RegistrationId> = due.iter().filter(|due| due.is_missed == missed).map(|due| due.id).collect();
        if ids.is_empty() {
            continue;
        }
        let mut row = registration::ActiveModel { finalised_at: Set(Some(now)), ..Default::default() };
        if missed {
            row.outcome = Set(Attendance::Missed.as_str().to_owned());
        }
        registration::Entity::update_many().set(row).filter(registration::Column::Id.is_in(ids)).exec(conn).await?;
    }
    Ok(())
}
