//! When a webinar takes place: its rules, what goes for all of them, and the sessions somebody has booked.
//!
//! A session is made at its first booking; its key makes two bookings at once meet in one row.

use std::collections::HashMap;

use domain::Moment;
use domain::fence::NEW_DATES;
use domain::ids::{CoachId, RegistrationId, ScheduleRuleId, SessionId, WebinarId};
use domain::schedule::{Rule, RuleKind, Schedule};
use domain::stay::Stay;
use domain::webinar::SessionKind;
use sea_orm::sea_query::{Expr, LockType, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait, Set,
};

use crate::entities::{mail, registration, schedule_rule, session, webinar};

fn rules() -> sea_orm::Select<schedule_rule::Entity> {
    schedule_rule::Entity::find()
        .filter(schedule_rule::Column::Kind.is_in(RuleKind::ALL.iter().map(|kind| kind.as_str())))
        .order_by_asc(schedule_rule::Column::CreatedAt)
        .order_by_asc(schedule_rule::Column::Id)
}

/// The rules of a webinar, in the order they were made.
///
/// # Errors
/// When the database fails.
pub async fn rules_of(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<Vec<schedule_rule::Model>, DbErr> {
    rules().filter(schedule_rule::Column::WebinarId.eq(webinar)).all(conn).await
}

/// How many rules a webinar has.
///
/// # Errors
/// When the database fails.
pub async fn count_rules(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<u64, DbErr> {
    rules().filter(schedule_rule::Column::WebinarId.eq(webinar)).count(conn).await
}

/// Adds a rule.
///
/// # Errors
/// When it cannot be written down, or the database fails.
pub async fn insert_rule(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    rule: &Rule,
    now: Moment,
) -> Result<ScheduleRuleId, DbErr> {
    let id = ScheduleRuleId::new();
    let (zone, wall_time) = match rule {
        Rule::Timed(timed) => (timed.zone.clone(), Some(timed.at.to_string())),
        Rule::JustInTime(_) => (None, None),
    };
    let row = schedule_rule::ActiveModel {
        id: Set(id),
        webinar_id: Set(webinar),
        kind: Set(rule.kind().as_str().to_owned()),
        zone: Set(zone),
        wall_time: Set(wall_time),
        rule: Set(serde_json::to_string(rule).map_err(|error| DbErr::Custom(error.to_string()))?),
        created_at: Set(now),
    };
    schedule_rule::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(id)
}

/// Takes a rule away; booked sessions stay. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn delete_rule(conn: &impl ConnectionTrait, webinar: WebinarId, id: ScheduleRuleId) -> Result<bool, DbErr> {
    let done = schedule_rule::Entity::delete_many()
        .filter(schedule_rule::Column::Id.eq(id))
        .filter(schedule_rule::Column::WebinarId.eq(webinar))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Writes what goes for every rule.
///
/// # Errors
/// When the database fails.
pub async fn save_settings(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    settings: &str,
    now: Moment,
) -> Result<(), DbErr> {
    let row = webinar::ActiveModel { schedule: Set(settings.to_owned()), ..Default::default() };
    change(conn, coach, webinar, row, now).await
}

/// Lets a webinar of this revision, held by the caller, take place at set times. A page of settings opened before says
/// so when it is saved.
///
/// # Errors
/// When the database fails.
pub async fn make_scheduled(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    revision: i32,
    now: Moment,
) -> Result<(), DbErr> {
    let session_kind = SessionKind::Scheduled.as_str().to_owned();
    let row = webinar::ActiveModel {
        session_kind: Set(session_kind),
        revision: Set(revision.saturating_add(1)),
        ..Default::default()
    };
    change(conn, coach, webinar, row, now).await
}

async fn change(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
    row: webinar::ActiveModel,
    now: Moment,
) -> Result<(), DbErr> {
    webinar::Entity::update_many()
        .set(webinar::ActiveModel { updated_at: Set(now), ..row })
        .filter(webinar::Column::Id.eq(id))
        .filter(webinar::Column::CoachId.eq(coach))
        .exec(conn)
        .await
        .map(drop)
}

/// Kind of the one session of a webinar on which people wait for a date.
pub const WAITING: &str = "waiting";

/// A session to be found or made.
#[derive(Clone, Debug)]
pub struct WantedSession<'a> {
    /// `on_demand`, `replay`, `scheduled`, `just_in_time` or [`WAITING`].
    pub kind: &'a str,
    /// Its identity within the webinar.
    pub key: String,
    /// The rule it comes from.
    pub rule: Option<ScheduleRuleId>,
    /// When it starts.
    pub starts_at: Option<Moment>,
    /// The zone its wall time was resolved in.
    pub zone: Option<String>,
    /// The time on the wall of that zone.
    pub wall_time: Option<String>,
}

impl<'a> WantedSession<'a> {
    /// The one session of a webinar without times.
    #[must_use]
    pub fn undated(kind: &'a str) -> Self {
        Self { kind, key: kind.to_owned(), rule: None, starts_at: None, zone: None, wall_time: None }
    }

    /// The session at a set time at which everybody meets, whatever rule it comes from.
    #[must_use]
    pub fn scheduled(starts_at: Moment, zone: &str) -> Self {
        let kind = SessionKind::Scheduled.as_str();
        Self {
            key: session_key(kind, starts_at, ""),
            starts_at: Some(starts_at),
            zone: Some(zone.to_owned()),
            ..Self::undated(kind)
        }
    }
}

/// The session with this key, made if it is the first time anybody wants it; nothing when its coach called that start
/// off. She cannot before the caller's transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn session(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    wanted: &WantedSession<'_>,
    now: Moment,
) -> Result<Option<SessionId>, DbErr> {
    if let Some(starts_at) = wanted.starts_at.filter(|_| wanted.kind == SessionKind::Scheduled.as_str()) {
        let mut query = webinar::Entity::find_by_id(webinar);
        if conn.get_database_backend() == DbBackend::Postgres {
            query = query.lock_shared();
        }
        let stored = query.one(conn).await?.map(|row| row.schedule).unwrap_or_default();
        let schedule: Schedule = serde_json::from_str(&stored).map_err(|error| DbErr::Custom(error.to_string()))?;
        let wall = wanted.wall_time.as_deref().and_then(|wall| wall.parse().ok());
        if schedule.is_called_off(starts_at, floating_zone(&wanted.key).zip(wall)) {
            return Ok(None);
        }
    }
    ensured(conn, webinar, wanted, now).await.map(Some)
}

/// What makes a session one within its webinar. `zone`: the one it exists for alone, or empty. Read again by
/// [`floating_zone`].
#[must_use]
pub fn session_key(kind: &str, starts_at: Moment, zone: &str) -> String {
    format!("{kind}:{}:{zone}", starts_at.unix_seconds())
}

/// The zone a session exists for alone, by its key `kind:start:zone`; nothing where everybody meets in it.
#[must_use]
pub fn floating_zone(key: &str) -> Option<&str> {
    key.splitn(3, ':').nth(2).filter(|zone| !zone.is_empty())
}

/// The session with this key as it is, made if it is the first time anybody wants it.
async fn ensured(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    wanted: &WantedSession<'_>,
    now: Moment,
) -> Result<SessionId, DbErr> {
    let row = session::ActiveModel {
        id: Set(SessionId::new()),
        webinar_id: Set(webinar),
        schedule_rule_id: Set(wanted.rule),
        kind: Set(wanted.kind.to_owned()),
        starts_at: Set(wanted.starts_at),
        zone: Set(wanted.zone.clone()),
        wall_time: Set(wanted.wall_time.clone()),
        session_key: Set(wanted.key.clone()),
        created_at: Set(now),
        cancelled_at: Set(None),
        change_note: Set(None),
    };
    let twins = OnConflict::columns([session::Column::WebinarId, session::Column::SessionKey]).do_nothing().to_owned();
    session::Entity::insert(row).on_conflict(twins).exec_without_returning(conn).await?;
    let stored: Option<SessionId> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::WebinarId.eq(webinar))
        .filter(session::Column::SessionKey.eq(&wanted.key))
        .into_tuple()
        .one(conn)
        .await?;
    stored.ok_or_else(|| DbErr::RecordNotFound(format!("session {} of webinar {webinar}", wanted.key)))
}

/// A session by its id.
///
/// # Errors
/// When the database fails.
pub async fn session_by_id(conn: &impl ConnectionTrait, id: SessionId) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find_by_id(id).one(conn).await
}

/// The sessions that start after this moment and how many people come to each, in order.
///
/// # Errors
/// When the database fails.
pub async fn booked_after(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    after: Moment,
) -> Result<Vec<(session::Model, i64)>, DbErr> {
    let coming = session::Entity::find()
        .filter(session::Column::WebinarId.eq(webinar))
        .filter(session::Column::StartsAt.gt(after))
        .filter(session::Column::CancelledAt.is_null())
        .order_by_asc(session::Column::StartsAt)
        .order_by_asc(session::Column::Id)
        .all(conn)
        .await?;
    let people: Vec<(SessionId, i64)> = registration::Entity::find()
        .select_only()
        .column(registration::Column::SessionId)
        .column_as(registration::Column::Id.count(), "people")
        .join(sea_orm::JoinType::InnerJoin, registration::Relation::Session.def())
        .filter(session::Column::WebinarId.eq(webinar))
        .filter(session::Column::StartsAt.gt(after))
        .group_by(registration::Column::SessionId)
        .into_tuple()
        .all(conn)
        .await?;
    let people: HashMap<SessionId, i64> = people.into_iter().collect();
    Ok(coming.into_iter().filter_map(|one| people.get(&one.id).map(|people| (one.clone(), *people))).collect())
}

/// A session of a webinar. Whoever changes it holds the webinar.
///
/// # Errors
/// When the database fails.
pub async fn session_of(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    id: SessionId,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find_by_id(id).filter(session::Column::WebinarId.eq(webinar)).one(conn).await
}

/// The session of a webinar with this key, if anybody has booked it. Whoever changes it holds the webinar.
///
/// # Errors
/// When the database fails.
pub async fn session_with_key(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    key: &str,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find()
        .filter(session::Column::WebinarId.eq(webinar))
        .filter(session::Column::SessionKey.eq(key))
        .one(conn)
        .await
}

/// The session people are moved to, made if it is not there, with what the coach says about this move, if anything. What
/// she said when she moved others here before was for them.
///
/// # Errors
/// When the database fails.
pub async fn session_to_move_to(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    wanted: &WantedSession<'_>,
    note: Option<String>,
    now: Moment,
) -> Result<SessionId, DbErr> {
    let id = ensured(conn, webinar, wanted, now).await?;
    let row = session::ActiveModel { change_note: Set(note), ..Default::default() };
    session::Entity::update_many().set(row).filter(session::Column::Id.eq(id)).exec(conn).await?;
    Ok(id)
}

/// Calls a session off. Nobody on it is waited for any more, and their calendars are told by a higher sequence.
///
/// # Errors
/// When the database fails.
pub async fn call_off(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    id: SessionId,
    note: Option<String>,
    now: Moment,
) -> Result<(), DbErr> {
    use registration::Column;
    let row = session::ActiveModel {
        cancelled_at: Set(Some(now)),
        change_note: Set(note),
        // Whoever comes at that time after all, because the coach changed her mind, meets in a session of their own: those
        // who were told that this one is off stay told.
        session_key: Set(format!("called_off:{id}")),
        ..Default::default()
    };
    session::Entity::update_many().set(row).filter(session::Column::Id.eq(id)).exec(conn).await?;
    registration::Entity::update_many()
        .col_expr(Column::FinalisesAt, Expr::value(None::<Moment>))
        .col_expr(Column::CalendarSequence, Expr::col(Column::CalendarSequence).add(1))
        .filter(Column::WebinarId.eq(webinar))
        .filter(Column::SessionId.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// Moves everybody on a session to another one. Links and zones stay; calendars are told by a higher sequence.
///
/// # Errors
/// When the database fails.
pub async fn move_everybody(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    from: SessionId,
    (to, stay): (SessionId, Stay),
    now: Moment,
) -> Result<(), DbErr> {
    use registration::Column;
    // A link that has ended stays so: its person took the agreement back (promise P33).
    let until =
        Expr::case(Expr::col(Column::ExpiresAt).lte(now), Expr::col(Column::ExpiresAt)).finally(stay.expires_at).into();
    registration::Entity::update_many()
        .col_expr(Column::SessionId, Expr::value(to))
        .col_expr(Column::ExpiresAt, until)
        .col_expr(Column::FinalisesAt, Expr::value(stay.finalises_at))
        .col_expr(Column::FinalisedAt, Expr::value(None::<Moment>))
        .col_expr(Column::CalendarSequence, Expr::col(Column::CalendarSequence).add(1))
        .filter(Column::WebinarId.eq(webinar))
        .filter(Column::SessionId.eq(from))
        .exec(conn)
        .await
        .map(drop)
}

/// Bookings that wait for a date and were not told of any, and whose notice is not on its way.
fn untold() -> sea_orm::Select<registration::Entity> {
    let told = Query::select()
        .column(mail::Column::RegistrationId)
        .from(mail::Entity)
        .and_where(mail::Column::Template.eq(NEW_DATES))
        .and_where(mail::Column::State.is_in(["waiting", "sending", "sent", "held"]))
        .to_owned();
    registration::Entity::find()
        .select_only()
        .join(sea_orm::JoinType::InnerJoin, registration::Relation::Session.def())
        .filter(session::Column::Kind.eq(WAITING))
        .filter(registration::Column::Id.not_in_subquery(told))
}

/// Who waits for a date of a webinar and was not told of any yet, in order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn waiting_for_a_date(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<Vec<RegistrationId>, DbErr> {
    untold()
        .column(registration::Column::Id)
        .filter(registration::Column::WebinarId.eq(webinar))
        .order_by_asc(registration::Column::Id)
        .into_tuple()
        .all(conn)
        .await
}

/// Webinars somebody waits for who was not told of any date yet.
///
/// # Errors
/// When the database fails.
pub async fn waited_for(conn: &impl ConnectionTrait) -> Result<Vec<(CoachId, WebinarId)>, DbErr> {
    untold()
        .columns([registration::Column::CoachId, registration::Column::WebinarId])
        .distinct()
        .into_tuple()
        .all(conn)
        .await
}

/// Who is on a session, in order of their ids; held, so that nobody leaves it or goes before the caller's transaction
/// ends.
///
/// # Errors
/// When the database fails.
pub async fn everybody_on(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    session: SessionId,
) -> Result<Vec<RegistrationId>, DbErr> {
    let mut query = registration::Entity::find()
        .select_only()
        .column(registration::Column::Id)
        .filter(registration::Column::WebinarId.eq(webinar))
        .filter(registration::Column::SessionId.eq(session))
        .order_by_asc(registration::Column::Id);
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::NoKeyUpdate);
    }
    query.into_tuple().all(conn).await
}

/// What changes when somebody takes another time.
#[derive(Clone, Debug)]
pub struct Change {
    /// The session they come to now.
    pub session: SessionId,
    /// The zone they chose it in.
    pub time_zone: Option<String>,
    /// When their link stops working.
    pub expires_at: Moment,
    /// From when the outcome can become final.
    pub finalises_at: Option<Moment>,
}

/// Moves a booking to another session. The link stays, calendars are told by a higher sequence, and what was missed or
/// made final is open again. Returns whether anything changed.
///
/// # Errors
/// When the database fails.
pub async fn move_booking(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: RegistrationId,
    change: Change,
) -> Result<bool, DbErr> {
    use registration::Column;
    let moved = registration::Entity::update_many()
        .col_expr(Column::SessionId, Expr::value(change.session))
        .col_expr(Column::TimeZone, Expr::value(change.time_zone))
        .col_expr(Column::ExpiresAt, Expr::value(change.expires_at))
        .col_expr(Column::FinalisesAt, Expr::value(change.finalises_at))
        .col_expr(Column::FinalisedAt, Expr::value(None::<Moment>))
        .col_expr(Column::CalendarSequence, Expr::col(Column::CalendarSequence).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::CoachId.eq(coach))
        .filter(Column::SessionId.ne(change.session))
        .exec(conn)
        .await?;
    Ok(moved.rows_affected == 1)
}
