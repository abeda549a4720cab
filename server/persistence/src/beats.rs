//! Queries of watch measurement: what the beat writer reads and writes in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::Moment;
use domain::ids::{CoachId, RegistrationId, StatusChangeId, VideoId, ViewId};
use domain::rights::AccountState;
use domain::watching::{Attendance, Beat, CreditedRange};
use sea_orm::sea_query::{Alias, Expr, LockType, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait, Select, Set, Statement, Value,
};

use crate::Error;
use crate::entities::{beat, coach, registration, status_change, subject, video, view, watch_map, webinar};
use crate::registrations::BY_MAIL;

/// Rows of one multi-row statement: SQLite takes 32,766 parameters, a beat has nine.
const ROWS: usize = 1_000;

/// What crediting a beat needs to know of its view.
#[derive(Clone, Debug)]
pub struct ViewContext {
    /// Whose visit it is.
    pub registration: RegistrationId,
    /// What is playing.
    pub video: VideoId,
    /// Duration of the recording.
    pub duration_ms: i64,
    /// When the room was opened.
    pub opened_at: Moment,
    /// When a beat of this view was last credited.
    pub last_beat_at: Option<Moment>,
    /// When the registrant's link stops working.
    pub expires_at: Moment,
    /// When the registrant first played.
    pub first_played_at: Option<Moment>,
    /// Days the link works from the first play.
    pub link_days: i32,
    /// Whether play proves that the address is theirs: they came by a mailed link, and nothing has proven it yet.
    pub proves: bool,
    /// Whether its session has a time of its own, from which the link runs.
    pub has_set_time: bool,
    /// End threshold in percent.
    pub end_percent: i32,
    /// Floor in seconds.
    pub floor_seconds: i32,
    /// Logged status.
    pub outcome: Attendance,
    /// Whether it was made final.
    pub finalised: bool,
    /// False when the person or the coach asked for restriction, or one of them is being erased: nothing is stored.
    pub may_be_measured: bool,
    /// False once the coach is closing her account: the link is over.
    pub is_served: bool,
}

#[derive(FromQueryResult)]
struct ContextRow {
    id: ViewId,
    registration_id: RegistrationId,
    video_id: VideoId,
    opened_at: Moment,
    last_beat_at: Option<Moment>,
    duration_ms: i64,
    expires_at: Moment,
    first_played_at: Option<Moment>,
    outcome: String,
    finalised_at: Option<Moment>,
    link_days: i32,
    came_by: Option<String>,
    proven_at: Option<Moment>,
    finalises_at: Option<Moment>,
    end_percent: i32,
    floor_seconds: i32,
    subject_state: String,
    coach_id: CoachId,
}

/// Holds the accounts behind these views where the database knows row locks: whoever closes one waits for this batch,
/// or this batch sees that it is closed. Before the views, as every writer holds the account first.
async fn hold_accounts(conn: &impl ConnectionTrait, views: &[ViewId]) -> Result<HashMap<CoachId, String>, Error> {
    let behind = Query::select()
        .column((webinar::Entity, webinar::Column::CoachId))
        .from(view::Entity)
        .inner_join(
            webinar::Entity,
            Expr::col((webinar::Entity, webinar::Column::Id)).equals((view::Entity, view::Column::WebinarId)),
        )
        .and_where(view::Column::Id.is_in(views.iter().copied()))
        .to_owned();
    let held = coach::Entity::find().filter(coach::Column::Id.in_subquery(behind)).lock_shared();
    states_of(conn, held).await
}

async fn states_of(
    conn: &impl ConnectionTrait,
    accounts: Select<coach::Entity>,
) -> Result<HashMap<CoachId, String>, Error> {
    let states = accounts.select_only().columns([coach::Column::Id, coach::Column::State]);
    Ok(states.into_tuple::<(CoachId, String)>().all(conn).await?.into_iter().collect())
}

/// The views of a batch with the state of the people and accounts behind them, all held against other writers where
/// the database knows row locks.
///
/// # Errors
/// When the database fails.
pub async fn view_contexts(
    conn: &impl ConnectionTrait,
    views: &[ViewId],
) -> Result<HashMap<ViewId, ViewContext>, Error> {
    let is_locked = conn.get_database_backend() == DbBackend::Postgres;
    let held = if is_locked { Some(hold_accounts(conn, views).await?) } else { None };
    let mut query = view::Entity::find()
        .select_only()
        .columns([
            view::Column::Id,
            view::Column::RegistrationId,
            view::Column::VideoId,
            view::Column::OpenedAt,
            view::Column::LastBeatAt,
            view::Column::CameBy,
        ])
        .column_as(registration::Column::ProvenAt, "proven_at")
        .column_as(video::Column::DurationMs, "duration_ms")
        .column_as(registration::Column::ExpiresAt, "expires_at")
        .column_as(registration::Column::FirstPlayedAt, "first_played_at")
        .column_as(registration::Column::Outcome, "outcome")
        .column_as(registration::Column::FinalisedAt, "finalised_at")
        .column_as(registration::Column::FinalisesAt, "finalises_at")
        .column_as(webinar::Column::LinkDays, "link_days")
        .column_as(webinar::Column::EndPercent, "end_percent")
        .column_as(webinar::Column::FloorSeconds, "floor_seconds")
        .column_as(subject::Column::State, "subject_state")
        .column_as(registration::Column::CoachId, "coach_id")
        .join(JoinType::InnerJoin, view::Relation::Registration.def())
        .join(JoinType::InnerJoin, view::Relation::Video.def())
        .join(JoinType::InnerJoin, registration::Relation::Webinar.def())
        .join(JoinType::InnerJoin, registration::Relation::Subject.def())
        .filter(view::Column::Id.is_in(views.iter().copied()))
        // Two servers meet the same people in the same order.
        .order_by_asc(view::Column::Id);
    if is_locked {
        // What the batch writes to, and the person; not the recording and the webinar, which everybody shares.
        QuerySelect::query(&mut query)
            .lock_with_tables(LockType::NoKeyUpdate, ["view", "registration", "subject"].map(Alias::new));
    }
    let rows = query.into_model::<ContextRow>().all(conn).await?;
    let accounts = match held {
        Some(held) => held,
        // A batch knows few coaches: asking for each of them once costs less than once for every view.
        None => {
            let coaches: HashSet<CoachId> = rows.iter().map(|row| row.coach_id).collect();
            states_of(conn, coach::Entity::find().filter(coach::Column::Id.is_in(coaches))).await?
        }
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let account = accounts.get(&row.coach_id).and_then(|state| AccountState::from_stored(state));
            let is_resting = matches!(account, Some(AccountState::Restricted));
            let is_public = account.is_some_and(AccountState::is_public);
            let context = ViewContext {
                registration: row.registration_id,
                video: row.video_id,
                duration_ms: row.duration_ms,
                opened_at: row.opened_at,
                last_beat_at: row.last_beat_at,
                expires_at: row.expires_at,
                first_played_at: row.first_played_at,
                link_days: row.link_days,
                proves: row.proven_at.is_none() && row.came_by.as_deref() == Some(BY_MAIL),
                has_set_time: row.finalises_at.is_some(),
                end_percent: row.end_percent,
                floor_seconds: row.floor_seconds,
                outcome: Attendance::from_stored(&row.outcome).unwrap_or(Attendance::Registered),
                finalised: row.finalised_at.is_some(),
                may_be_measured: is_public && row.subject_state == "active",
                is_served: is_public || is_resting,
            };
            (row.id, context)
        })
        .collect())
}

/// Which of these beats are already stored.
///
/// # Errors
/// When the database fails.
pub async fn known_beats(
    conn: &impl ConnectionTrait,
    keys: impl Iterator<Item = (ViewId, u32)>,
) -> Result<HashSet<(ViewId, u32)>, Error> {
    let (views, sequences): (HashSet<_>, HashSet<_>) = keys.map(|(view, seq)| (view, i64::from(seq))).unzip();
    let rows: Vec<(ViewId, i64)> = beat::Entity::find()
        .select_only()
        .columns([beat::Column::ViewId, beat::Column::Seq])
        .filter(beat::Column::ViewId.is_in(views))
        .filter(beat::Column::Seq.is_in(sequences))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(view, seq)| Some((view, u32::try_from(seq).ok()?))).collect())
}

/// A watch map as stored.
#[derive(Clone, Debug)]
pub struct MapRow {
    /// Whose.
    pub registration: RegistrationId,
    /// Of which recording.
    pub video: VideoId,
    /// Seen bits.
    pub seen: Vec<u8>,
    /// Seen-again bits.
    pub again: Vec<u8>,
    /// Played, rewatching included.
    pub total_ms: i64,
    /// Played while the page was hidden.
    pub hidden_ms: i64,
    /// Furthest point reached.
    pub furthest_ms: i64,
    /// Where play was last: the resume point.
    pub last_position_ms: i64,
}

/// The maps the views of a batch write to.
///
/// # Errors
/// When the database fails.
pub async fn maps<'a>(
    conn: &impl ConnectionTrait,
    contexts: impl Iterator<Item = &'a ViewContext>,
) -> Result<HashMap<(RegistrationId, VideoId), MapRow>, Error> {
    let wanted: HashSet<_> = contexts.map(|context| context.registration).collect();
    let rows = watch_map::Entity::find().filter(watch_map::Column::RegistrationId.is_in(wanted)).all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let key = (row.registration_id, row.video_id);
            let map = MapRow {
                registration: row.registration_id,
                video: row.video_id,
                seen: row.seen,
                again: row.again,
                total_ms: row.total_ms,
                hidden_ms: row.hidden_ms,
                furthest_ms: row.furthest_ms,
                last_position_ms: row.last_position_ms,
            };
            (key, map)
        })
        .collect())
}

/// A credited beat, ready to be stored.
pub struct BeatRow(beat::ActiveModel);

impl BeatRow {
    /// From a beat and what of it was believed.
    #[must_use]
    pub fn new(beat: &Beat, range: CreditedRange, at: Moment) -> Self {
        Self(beat::ActiveModel {
            view_id: Set(beat.view),
            seq: Set(i64::from(beat.seq)),
            from_ms: Set((range.from * 1000.0).round() as i64),
            to_ms: Set((range.to * 1000.0).round() as i64),
            rate_milli: Set((beat.rate * 1000.0).round() as i32),
            hidden: Set(beat.hidden),
            muted: Set(beat.muted),
            captions: Set(beat.captions),
            at: Set(at),
        })
    }
}

/// Stores credited beats.
///
/// # Errors
/// When the database fails.
pub async fn insert_beats(conn: &impl ConnectionTrait, rows: Vec<BeatRow>) -> Result<(), Error> {
    let mut rows = rows.into_iter().map(|row| row.0).peekable();
    while rows.peek().is_some() {
        beat::Entity::insert_many(rows.by_ref().take(ROWS)).exec_without_returning(conn).await?;
    }
    Ok(())
}

/// Many rows of one table, each with values of its own, in one statement: `UPDATE … FROM (VALUES …)`.
///
/// `columns` name the values and their types, the first one being the row's id. `assignments` may speak of the new
/// values as `new.{column}`. Rows come in the order of their ids, so that two servers wait for each other instead of
/// locking each other out.
async fn update_each(
    conn: &impl ConnectionTrait,
    table: &str,
    columns: &[(&str, &str)],
    assignments: &str,
    rows: Vec<Vec<Value>>,
) -> Result<(), Error> {
    let backend = conn.get_database_backend();
    let is_postgres = backend == DbBackend::Postgres;
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let id = columns.first().map_or("id", |(name, _)| *name);
    for some in rows.chunks(ROWS) {
        let mut place = 0;
        let mut tuple = || {
            let marks = columns.iter().map(|(_, kind)| {
                place += 1;
                if is_postgres { format!("CAST(${place} AS {kind})") } else { "?".to_owned() }
            });
            format!("({})", marks.collect::<Vec<_>>().join(", "))
        };
        let tuples = some.iter().map(|_| tuple()).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "WITH new ({names}) AS (VALUES {tuples}) UPDATE {table} SET {assignments} FROM new WHERE {table}.{id} = new.{id}"
        );
        conn.execute_raw(Statement::from_sql_and_values(backend, sql, some.iter().flatten().cloned())).await?;
    }
    Ok(())
}

/// Notes when each view was last heard of.
///
/// # Errors
/// When the database fails.
pub async fn touch_views(conn: &impl ConnectionTrait, touched: &BTreeMap<ViewId, Moment>) -> Result<(), Error> {
    let rows = touched.iter().map(|(view, at)| vec![Value::from(*view), Value::from(*at)]).collect();
    let assignments = "last_beat_at = new.at, first_played_at = COALESCE(view.first_played_at, new.at)";
    update_each(conn, "view", &[("id", "uuid"), ("at", "bigint")], assignments, rows).await
}

/// Notes when play first proved an address.
///
/// # Errors
/// When the database fails.
pub async fn prove(conn: &impl ConnectionTrait, proven: &BTreeMap<RegistrationId, Moment>) -> Result<(), Error> {
    let rows = proven.iter().map(|(id, at)| vec![Value::from(*id), Value::from(*at)]).collect();
    let assignments = "proven_at = COALESCE(registration.proven_at, new.at)";
    update_each(conn, "registration", &[("id", "uuid"), ("at", "bigint")], assignments, rows).await
}

/// Writes watch maps, each with the moment of its last credit.
///
/// # Errors
/// When the database fails.
pub async fn put_maps(conn: &impl ConnectionTrait, rows: Vec<(MapRow, Moment)>) -> Result<(), Error> {
    use watch_map::Column;
    let on_conflict = OnConflict::columns([Column::RegistrationId, Column::VideoId])
        .update_columns([
            Column::Seen,
            Column::Again,
            Column::TotalMs,
            Column::HiddenMs,
            Column::FurthestMs,
            Column::LastPositionMs,
            Column::UpdatedAt,
        ])
        .to_owned();
    let mut models = rows
        .into_iter()
        .map(|(row, at)| watch_map::ActiveModel {
            registration_id: Set(row.registration),
            video_id: Set(row.video),
            seen: Set(row.seen),
            again: Set(row.again),
            total_ms: Set(row.total_ms),
            hidden_ms: Set(row.hidden_ms),
            furthest_ms: Set(row.furthest_ms),
            last_position_ms: Set(row.last_position_ms),
            updated_at: Set(at),
        })
        .peekable();
    while models.peek().is_some() {
        watch_map::Entity::insert_many(models.by_ref().take(ROWS))
            .on_conflict(on_conflict.clone())
            .exec_without_returning(conn)
            .await?;
    }
    Ok(())
}

/// What a registration's row says of its watching.
pub struct RegistrationProgress {
    /// Which.
    pub registration: RegistrationId,
    /// The recording the numbers are of.
    pub video: VideoId,
    /// Logged status.
    pub outcome: Attendance,
    /// Unique seconds.
    pub unique_seconds: i32,
    /// Unique share in thousandths of a percent.
    pub percent_milli: i32,
    /// Played, rewatching included.
    pub total_ms: i64,
    /// Played while hidden.
    pub hidden_ms: i64,
    /// Furthest point.
    pub furthest_ms: i64,
    /// When play was credited.
    pub credited_at: Moment,
    /// A new end of the link, at the first play.
    pub expires_at: Option<Moment>,
}

/// Writes what registrations say of their watching. A first play sets when it was and until when the link works.
///
/// # Errors
/// When the database fails.
pub async fn put_progress(conn: &impl ConnectionTrait, all: Vec<RegistrationProgress>) -> Result<(), Error> {
    let columns = [
        ("id", "uuid"),
        ("video", "uuid"),
        ("outcome", "text"),
        ("unique_seconds", "integer"),
        ("percent_milli", "integer"),
        ("total_ms", "bigint"),
        ("hidden_ms", "bigint"),
        ("furthest_ms", "bigint"),
        ("credited_at", "bigint"),
        ("first_end", "bigint"),
    ];
    let assignments = "current_video_id = new.video, outcome = new.outcome, unique_seconds = new.unique_seconds, \
                       percent_milli = new.percent_milli, total_ms = new.total_ms, hidden_ms = new.hidden_ms, \
                       furthest_ms = new.furthest_ms, last_credit_at = new.credited_at, \
                       first_played_at = CASE WHEN new.first_end IS NULL THEN registration.first_played_at \
                       ELSE new.credited_at END, expires_at = COALESCE(new.first_end, registration.expires_at)";
    let rows = all.into_iter().map(|one| {
        vec![
            one.registration.into(),
            one.video.into(),
            one.outcome.as_str().into(),
            one.unique_seconds.into(),
            one.percent_milli.into(),
            one.total_ms.into(),
            one.hidden_ms.into(),
            one.furthest_ms.into(),
            one.credited_at.into(),
            one.expires_at.into(),
        ]
    });
    update_each(conn, "registration", &columns, assignments, rows.collect()).await
}

/// Logs a change of status.
///
/// # Errors
/// When the database fails.
pub async fn log_status(
    conn: &impl ConnectionTrait,
    id: StatusChangeId,
    registration: RegistrationId,
    from: Attendance,
    to: Attendance,
    at: Moment,
    cause: &str,
) -> Result<(), Error> {
    let row = status_change::ActiveModel {
        id: Set(id),
        registration_id: Set(registration),
        from_status: Set(from.as_str().to_owned()),
        to_status: Set(to.as_str().to_owned()),
        at: Set(at),
        cause: Set(cause.to_owned()),
    };
    status_change::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}
