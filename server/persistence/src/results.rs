//! What the results pages read: counts, watch maps and the people's table, without one query per row.
//!
//! People whose data is restricted never leave this file but as [`Masked`]: every list of persons and every sum over
//! what they watched joins `subject.state = 'active'`. Counts of people stay whole.

use std::collections::HashMap;

use domain::Moment;
use domain::ids::{CoachId, DekId, RegistrationId, StatusChangeId, SubjectId, VideoId, WebinarId};
use domain::rights::SubjectState;
use domain::watching::{Attendance, WATCHING_SECONDS};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, Select, Set,
};

use crate::entities::{mail, page_view, registration, status_change, subject, video, view, watch_map};
use crate::sealed::Active;

/// Rows of one read when a whole webinar is gone through.
pub const PAGE_ROWS: u64 = 1_000;
/// People of one webinar a search goes through; beyond it the newest are searched.
pub const MAX_SEARCHED: u64 = 100_000;
/// Entries of each kind on a person's timeline.
const TIMELINE_ROWS: u64 = 100;
/// Names in a table of countries or devices.
const MAX_NAMES: u64 = 1_000;

/// State of a person whose data may be used, and of one whose data rests.
const ACTIVE: &str = SubjectState::Active.as_str();
const RESTRICTED: &str = SubjectState::Restricted.as_str();

/// Whether a stored outcome counts as attended.
#[must_use]
pub fn is_attended(outcome: &str) -> bool {
    matches!(Attendance::from_stored(outcome), Some(Attendance::AttendedToEnd | Attendance::LeftEarly))
}

/// Since when a credit means "watching now".
#[must_use]
pub fn watching_since(now: Moment) -> Moment {
    now.plus_seconds(-WATCHING_SECONDS)
}

/// People by what became of them, and those playing now.
#[derive(Clone, Debug, Default)]
pub struct OutcomeCounts {
    /// By stored outcome.
    pub by_outcome: HashMap<String, i64>,
    /// Credited within the last minute, whatever the outcome.
    pub watching: i64,
    /// Mean of thousandths of a percent over those who attended.
    pub mean_percent_milli: Option<f64>,
}

/// Counts the bookings of a webinar by outcome. Everybody counts; only what somebody watched is left out while their
/// data rests.
///
/// # Errors
/// When the database fails.
pub async fn outcome_counts(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    now: Moment,
) -> Result<OutcomeCounts, DbErr> {
    let rows: Vec<(String, i64)> = of_webinar(coach, webinar)
        .select_only()
        .column(registration::Column::Outcome)
        .column_as(registration::Column::Id.count(), "people")
        .group_by(registration::Column::Outcome)
        .into_tuple()
        .all(conn)
        .await?;
    let usable = active_people(coach, webinar);
    // Sums, because an average is a decimal in one database and a double in the other.
    let watched: Vec<(String, i64, Option<i64>)> = usable
        .clone()
        .select_only()
        .column(registration::Column::Outcome)
        .column_as(registration::Column::Id.count(), "people")
        .column_as(registration::Column::PercentMilli.sum(), "percent_sum")
        .group_by(registration::Column::Outcome)
        .into_tuple()
        .all(conn)
        .await?;
    let watching = usable.filter(registration::Column::LastCreditAt.gt(watching_since(now))).count(conn).await?;
    let attended = watched.iter().filter(|(outcome, ..)| is_attended(outcome));
    let (people, sum) = attended.fold((0, 0), |(people, sum), row| (people + row.1, sum + row.2.unwrap_or_default()));
    Ok(OutcomeCounts {
        mean_percent_milli: (people > 0).then(|| sum as f64 / people as f64),
        by_outcome: rows.into_iter().collect(),
        watching: i64::try_from(watching).unwrap_or(i64::MAX),
    })
}

fn of_webinar(coach: CoachId, webinar: WebinarId) -> Select<registration::Entity> {
    registration::Entity::find()
        .filter(registration::Column::WebinarId.eq(webinar))
        .filter(registration::Column::CoachId.eq(coach))
}

/// Up to [`PAGE_ROWS`] watch maps of one recording after `after`, as seen and again bits, in order of registration.
/// Maps of people whose data rests are not among them.
///
/// # Errors
/// When the database fails.
pub async fn maps_after(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    video: VideoId,
    after: Option<RegistrationId>,
) -> Result<Vec<(RegistrationId, Vec<u8>, Vec<u8>)>, DbErr> {
    use watch_map::Column::{Again, RegistrationId as Registration, Seen};
    let to_registration: RelationDef =
        watch_map::Entity::belongs_to(registration::Entity).from(Registration).to(registration::Column::Id).into();
    let mut find = watch_map::Entity::find()
        .select_only()
        .columns([Registration, Seen, Again])
        .join(JoinType::InnerJoin, to_registration)
        .join(JoinType::InnerJoin, to_subject())
        .filter(subject::Column::State.eq(ACTIVE))
        .filter(registration::Column::CoachId.eq(coach))
        .filter(watch_map::Column::VideoId.eq(video))
        .order_by_asc(Registration)
        .limit(PAGE_ROWS);
    if let Some(after) = after {
        find = find.filter(Registration.gt(after));
    }
    find.into_tuple().all(conn).await
}

/// Adds views of the registration page to the counter of a day.
///
/// # Errors
/// When the database fails.
pub async fn count_page_views(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    seen: &SeenPage,
    views: i64,
) -> Result<(), DbErr> {
    use page_view::Column::{Country, Day, Device, Source, Views, WebinarId as Webinar};
    let row = page_view::ActiveModel {
        webinar_id: Set(webinar),
        day: Set(seen.day),
        device: Set(seen.device.clone()),
        country: Set(seen.country.clone()),
        source: Set(seen.source.clone()),
        views: Set(views),
    };
    let again = OnConflict::columns([Webinar, Day, Device, Country, Source])
        .value(Views, Expr::col((page_view::Entity, Views)).add(views))
        .to_owned();
    page_view::Entity::insert(row).on_conflict(again).exec_without_returning(conn).await?;
    Ok(())
}

/// What views of a page are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenPage {
    /// The address of the page.
    pub slug: String,
    /// Days since the epoch, in UTC.
    pub day: i32,
    /// Browser family and class.
    pub device: String,
    /// Two-letter country.
    pub country: String,
    /// `utm_source`, cleaned.
    pub source: String,
}

/// By what page views are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageViewsBy {
    /// Two-letter country.
    Country,
    /// Browser family and class.
    Device,
}

/// Page views of a webinar the caller has found to be this coach's, by name, most first.
///
/// # Errors
/// When the database fails.
pub async fn page_views(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    by: PageViewsBy,
) -> Result<Vec<(String, i64)>, DbErr> {
    let column = match by {
        PageViewsBy::Country => page_view::Column::Country,
        PageViewsBy::Device => page_view::Column::Device,
    };
    // PostgreSQL sums a BIGINT into a NUMERIC; the cast gives both databases one type.
    let sum = || page_view::Column::Views.sum().cast_as("BIGINT");
    page_view::Entity::find()
        .select_only()
        .column(column)
        .column_as(sum(), "views")
        .filter(page_view::Column::WebinarId.eq(webinar))
        .group_by(column)
        .order_by_desc(sum())
        .order_by_asc(column)
        .limit(MAX_NAMES)
        .into_tuple()
        .all(conn)
        .await
}

/// What a search or a sort by name looks at, and nothing more.
#[derive(Clone, Debug, FromQueryResult)]
pub struct PersonKey {
    /// Which booking.
    pub id: RegistrationId,
    /// Whose; the place the sealed values are bound to.
    pub subject_id: SubjectId,
    /// The key they are sealed with.
    pub dek_id: DekId,
    /// Sealed address.
    pub email_ct: Vec<u8>,
    /// Sealed name.
    pub name_ct: Option<Vec<u8>>,
    /// For sorting.
    pub registered_at: Moment,
    /// For sorting.
    pub percent_milli: i32,
}

/// One row of the people's table.
#[derive(Clone, Debug, FromQueryResult)]
pub struct PersonRow {
    /// Which booking.
    pub id: RegistrationId,
    /// Whose; the place the sealed values are bound to.
    pub subject_id: SubjectId,
    /// The key they are sealed with.
    pub dek_id: DekId,
    /// Sealed address.
    pub email_ct: Vec<u8>,
    /// Sealed name.
    pub name_ct: Option<Vec<u8>>,
    /// Sealed answers, bound to the booking.
    pub answers_ct: Option<Vec<u8>>,
    /// Stored outcome.
    pub outcome: String,
    /// Unique seconds.
    pub unique_seconds: i32,
    /// Thousandths of a percent.
    pub percent_milli: i32,
    /// Played media time.
    pub total_ms: i64,
    /// When play was last credited.
    pub last_credit_at: Option<Moment>,
    /// The recording these numbers belong to.
    pub current_video_id: Option<VideoId>,
    /// When they registered.
    pub registered_at: Moment,
    /// Two-letter country.
    pub country: String,
    /// `utm_source`.
    pub source: String,
}

/// Orders the database can give without opening a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainOrder {
    /// Newest registration first.
    Registered,
    /// Highest unique percent first.
    Percent,
}

fn to_subject() -> RelationDef {
    registration::Entity::belongs_to(subject::Entity)
        .from(registration::Column::SubjectId)
        .to(subject::Column::Id)
        .into()
}

fn active_people(coach: CoachId, webinar: WebinarId) -> Select<registration::Entity> {
    of_webinar(coach, webinar).join(JoinType::InnerJoin, to_subject()).filter(subject::Column::State.eq(ACTIVE))
}

/// Everybody who stands in the table: those whose data rests as well, as masked rows.
fn listed_people(coach: CoachId, webinar: WebinarId) -> Select<registration::Entity> {
    of_webinar(coach, webinar)
        .join(JoinType::InnerJoin, to_subject())
        .filter(subject::Column::State.is_in([ACTIVE, RESTRICTED]))
}

/// Somebody who asked for restriction, as far as the coach may see it: that they are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masked {
    /// Which booking.
    pub id: RegistrationId,
    /// When they registered.
    pub registered_at: Moment,
}

/// Which of these bookings are of people whose data rests.
///
/// # Errors
/// When the database fails.
pub async fn masked(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    ids: &[RegistrationId],
) -> Result<Vec<Masked>, DbErr> {
    let rows: Vec<(RegistrationId, Moment)> = listed_people(coach, webinar)
        .filter(subject::Column::State.eq(RESTRICTED))
        .filter(registration::Column::Id.is_in(ids.iter().copied()))
        .select_only()
        .columns([registration::Column::Id, registration::Column::RegisteredAt])
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, registered_at)| Masked { id, registered_at }).collect())
}

/// Number of rows of the whole table, masked ones included.
///
/// # Errors
/// When the database fails.
pub async fn listed_count(conn: &impl ConnectionTrait, coach: CoachId, webinar: WebinarId) -> Result<usize, DbErr> {
    let count = listed_people(coach, webinar).count(conn).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// One page of the whole table, newest first, masked rows included.
///
/// # Errors
/// When the database fails.
pub async fn listed_page(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    (offset, limit): (u64, u64),
) -> Result<Vec<RegistrationId>, DbErr> {
    listed_people(coach, webinar)
        .select_only()
        .column(registration::Column::Id)
        .order_by_desc(registration::Column::RegisteredAt)
        .order_by_desc(registration::Column::Id)
        .offset(offset)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await
}

/// The shown status in terms of what is stored: playing within the last minute hides the outcome.
fn with_status(status: Option<Attendance>, now: Moment) -> Condition {
    let playing = registration::Column::LastCreditAt.gt(watching_since(now));
    match status {
        None => Condition::all(),
        Some(Attendance::Watching) => Condition::all().add(playing),
        Some(outcome) => Condition::all()
            .add(registration::Column::Outcome.eq(outcome.as_str()))
            .add(Condition::any().add(registration::Column::LastCreditAt.is_null()).add(playing.not())),
    }
}

/// Number of people on a webinar with a status.
///
/// # Errors
/// When the database fails.
pub async fn people_count(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    status: Option<Attendance>,
    now: Moment,
) -> Result<usize, DbErr> {
    let count = active_people(coach, webinar).filter(with_status(status, now)).count(conn).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// One page of bookings in an order that needs no name.
///
/// # Errors
/// When the database fails.
pub async fn people_page(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    (status, order): (Option<Attendance>, PlainOrder),
    (offset, limit): (u64, u64),
    now: Moment,
) -> Result<Vec<RegistrationId>, DbErr> {
    let mut find =
        active_people(coach, webinar).filter(with_status(status, now)).select_only().column(registration::Column::Id);
    if order == PlainOrder::Percent {
        find = find.order_by(registration::Column::PercentMilli, Order::Desc);
    }
    find.order_by_desc(registration::Column::RegisteredAt)
        .order_by_desc(registration::Column::Id)
        .offset(offset)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await
}

/// The booking of the person with this blind index, when it has the status.
///
/// # Errors
/// When the database fails.
pub async fn person_by_index(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    email_index: &[u8],
    status: Option<Attendance>,
    now: Moment,
) -> Result<Option<RegistrationId>, DbErr> {
    active_people(coach, webinar)
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::EmailBidx.eq(email_index.to_vec()))
        .filter(with_status(status, now))
        .select_only()
        .column(registration::Column::Id)
        .into_tuple()
        .one(conn)
        .await
}

/// Everybody with a status, with just what a search opens.
///
/// # Errors
/// When the database fails.
pub async fn person_keys(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    status: Option<Attendance>,
    now: Moment,
) -> Result<Vec<Active<PersonKey>>, DbErr> {
    use registration::Column::{Id, PercentMilli, RegisteredAt, SubjectId as Subject};
    let rows = active_people(coach, webinar)
        .filter(with_status(status, now))
        .select_only()
        .columns([Id, Subject, RegisteredAt, PercentMilli])
        .columns([subject::Column::DekId, subject::Column::EmailCt, subject::Column::NameCt])
        .order_by_desc(RegisteredAt)
        .limit(MAX_SEARCHED)
        .into_model::<PersonKey>()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(Active::new).collect())
}

fn person_rows(find: Select<registration::Entity>) -> Select<registration::Entity> {
    use registration::Column::{
        AnswersCt, Country, CurrentVideoId, Id, LastCreditAt, Outcome, PercentMilli, RegisteredAt, Source,
        SubjectId as Subject, TotalMs, UniqueSeconds,
    };
    find.select_only()
        .columns([Id, Subject, AnswersCt, Outcome, UniqueSeconds, PercentMilli, TotalMs, LastCreditAt])
        .columns([CurrentVideoId, RegisteredAt, Country, Source])
        .columns([subject::Column::DekId, subject::Column::EmailCt, subject::Column::NameCt])
}

/// The rows of these bookings, in no order.
///
/// # Errors
/// When the database fails.
pub async fn people(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    ids: &[RegistrationId],
) -> Result<Vec<Active<PersonRow>>, DbErr> {
    let find = active_people(coach, webinar).filter(registration::Column::Id.is_in(ids.iter().copied()));
    let rows = person_rows(find).into_model::<PersonRow>().all(conn).await?;
    Ok(rows.into_iter().map(Active::new).collect())
}

/// Up to [`PAGE_ROWS`] people after `after`, in order of registration.
///
/// # Errors
/// When the database fails.
pub async fn people_after(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    after: Option<RegistrationId>,
) -> Result<Vec<Active<PersonRow>>, DbErr> {
    let mut find = active_people(coach, webinar).order_by_asc(registration::Column::Id).limit(PAGE_ROWS);
    if let Some(after) = after {
        find = find.filter(registration::Column::Id.gt(after));
    }
    let rows = person_rows(find).into_model::<PersonRow>().all(conn).await?;
    Ok(rows.into_iter().map(Active::new).collect())
}

/// Seen and again bits of these bookings, of the recording each one's numbers belong to.
///
/// # Errors
/// When the database fails.
pub async fn maps_of(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    ids: &[RegistrationId],
) -> Result<HashMap<RegistrationId, (Vec<u8>, Vec<u8>)>, DbErr> {
    use watch_map::Column::{Again, RegistrationId as Registration, Seen, VideoId as Video};
    let to_registration: RelationDef =
        watch_map::Entity::belongs_to(registration::Entity).from(Registration).to(registration::Column::Id).into();
    let same_video =
        Expr::col((watch_map::Entity, Video)).equals((registration::Entity, registration::Column::CurrentVideoId));
    let rows: Vec<(RegistrationId, Vec<u8>, Vec<u8>)> = watch_map::Entity::find()
        .select_only()
        .columns([Registration, Seen, Again])
        .join(JoinType::InnerJoin, to_registration)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(Registration.is_in(ids.iter().copied()))
        .filter(same_video)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, seen, again)| (id, (seen, again))).collect())
}

/// Durations of every version of a webinar's recording, in seconds.
///
/// # Errors
/// When the database fails.
pub async fn durations(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
) -> Result<HashMap<VideoId, f64>, DbErr> {
    let rows: Vec<(VideoId, i64)> = video::Entity::find()
        .select_only()
        .columns([video::Column::Id, video::Column::DurationMs])
        .filter(video::Column::WebinarId.eq(webinar))
        .filter(video::Column::CoachId.eq(coach))
        .limit(MAX_NAMES)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, ms)| (id, ms as f64 / 1000.0)).collect())
}

/// What a person's timeline is told from, newest first, at most a hundred of each kind.
#[derive(Clone, Debug, Default)]
pub struct TimelineRows {
    /// Visits to the room.
    pub views: Vec<view::Model>,
    /// Mails planned for the person.
    pub mails: Vec<mail::Model>,
    /// Changes of status.
    pub changes: Vec<status_change::Model>,
}

/// The timeline of a booking the caller has found to be this coach's.
///
/// # Errors
/// When the database fails.
pub async fn timeline(conn: &impl ConnectionTrait, coach: CoachId, id: RegistrationId) -> Result<TimelineRows, DbErr> {
    let views = view::Entity::find()
        .filter(view::Column::RegistrationId.eq(id))
        .order_by_desc(view::Column::OpenedAt)
        .limit(TIMELINE_ROWS)
        .all(conn)
        .await?;
    let mails = mail::Entity::find()
        .filter(mail::Column::RegistrationId.eq(id))
        .filter(mail::Column::CoachId.eq(coach))
        .order_by_desc(mail::Column::CreatedAt)
        .limit(TIMELINE_ROWS)
        .all(conn)
        .await?;
    let changes = status_change::Entity::find()
        .filter(status_change::Column::RegistrationId.eq(id))
        .order_by_desc(status_change::Column::At)
        .limit(TIMELINE_ROWS)
        .all(conn)
        .await?;
    Ok(TimelineRows { views, mails, changes })
}

/// A change of status to be logged.
#[derive(Clone, Copy, Debug)]
pub struct StatusChange {
    /// Whose.
    pub registration: RegistrationId,
    /// Before.
    pub from: Attendance,
    /// After.
    pub to: Attendance,
}

/// Logs changes of status with one cause.
///
/// # Errors
/// When the database fails.
pub async fn log_changes(
    conn: &impl ConnectionTrait,
    changes: &[StatusChange],
    cause: &str,
    now: Moment,
) -> Result<(), DbErr> {
    // Seven values a row, far below the 32,766 one statement may bind.
    for chunk in changes.chunks(500) {
        let rows = chunk.iter().map(|change| status_change::ActiveModel {
            id: Set(StatusChangeId::new()),
            registration_id: Set(change.registration),
            from_status: Set(change.from.as_str().to_owned()),
            to_status: Set(change.to.as_str().to_owned()),
            at: Set(now),
            cause: Set(cause.to_owned()),
        });
        status_change::Entity::insert_many(rows).exec_without_returning(conn).await?;
    }
    Ok(())
}
