//! Background work as rows: written in the transaction that causes it, leased by a worker, retried with patience.
//!
//! Knows no webinar. A job is (kind, payload, run-at); a second one with the same idempotency key is the same job.
//! Workers must be idempotent: a job whose worker died is taken again when its lease ends, and one that outlives its
//! lease is run twice, of which only the later end counts.

mod entity;

use domain::Moment;
use domain::ids::JobId;
use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

pub use entity::Model as Row;
use entity::{ActiveModel, Column, Entity};

/// First wait after a failure; doubles with each one.
const FIRST_WAIT_SECONDS: i64 = 5;
/// Longest wait between attempts.
const LONGEST_WAIT_SECONDS: i64 = 3600;
/// Rows of one listing.
const LIST_LIMIT: u64 = 1_000;
/// Longest error text kept.
const MAX_ERROR_CHARS: usize = 500;

/// A job to be written.
pub struct NewJob<'a> {
    /// Which verb.
    pub kind: &'a str,
    /// What the verb needs: ids, never personal data.
    pub payload: serde_json::Value,
    /// Not before this.
    pub run_at: Moment,
    /// The same key twice is one job.
    pub idempotency_key: Option<String>,
    /// Parked after so many failures.
    pub max_attempts: i32,
}

/// A job as a worker sees it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Which verb.
    pub kind: String,
    /// What the verb needs.
    pub payload: serde_json::Value,
    /// `ready`, `running`, `done` or `parked`.
    pub state: String,
    /// When it was or is due.
    pub run_at: Moment,
    /// How often it was taken.
    pub attempts: i32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            payload: serde_json::from_str(&row.payload).unwrap_or(serde_json::Value::Null),
            state: row.state,
            run_at: row.run_at,
            attempts: row.attempts,
            last_error: row.last_error,
        }
    }
}

/// Writes a job into the caller's transaction. With a known idempotency key nothing is written.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(conn: &impl ConnectionTrait, job: NewJob<'_>, now: Moment) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(JobId::new()),
        kind: Set(job.kind.to_owned()),
        payload: Set(job.payload.to_string()),
        state: Set("ready".to_owned()),
        run_at: Set(job.run_at),
        attempts: Set(0),
        max_attempts: Set(job.max_attempts),
        lease_until: Set(None),
        lease_owner: Set(None),
        idempotency_key: Set(job.idempotency_key),
        last_error: Set(None),
        created_at: Set(now),
        finished_at: Set(None),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::IdempotencyKey).do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Which kinds of jobs somebody takes.
#[derive(Clone, Copy, Debug)]
pub enum Kinds<'a> {
    /// Whatever is due.
    All,
    /// These.
    Only(&'a [&'a str]),
    /// Everything but these.
    Except(&'a [&'a str]),
}

/// Who takes jobs, and which.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Who answers for them until the lease ends.
    pub owner: &'a str,
    /// Length of the lease; [`renew`] it before it ends.
    pub lease_seconds: i64,
    /// At most so many.
    pub limit: u64,
    /// Of these kinds.
    pub kinds: Kinds<'a>,
    /// Jobs known to be alive: never taken for abandoned, whatever the clock says.
    pub alive: &'a [JobId],
}

impl Claim<'_> {
    fn mine(&self) -> Condition {
        let kinds = match self.kinds {
            Kinds::All => Condition::all(),
            Kinds::Only(kinds) => Condition::all().add(Column::Kind.is_in(kinds.iter().copied())),
            Kinds::Except(kinds) => Condition::all().add(Column::Kind.is_not_in(kinds.iter().copied())),
        };
        kinds.add(Column::Id.is_not_in(self.alive.iter().copied()))
    }
}

fn abandoned(now: Moment) -> Condition {
    Condition::all().add(Column::State.eq("running")).add(Column::LeaseUntil.lte(now))
}

fn due(now: Moment) -> Condition {
    let ready = Condition::all().add(Column::State.eq("ready")).add(Column::RunAt.lte(now));
    Condition::any().add(ready).add(abandoned(now))
}

/// Takes due jobs, oldest first, and leases them. Call it in a transaction of its own and commit before working: on
/// PostgreSQL rows another server is taking are passed over, on SQLite the writer is alone anyway.
///
/// A job that was abandoned as often as it may be tried is parked instead: it is likely what ended its workers.
///
/// # Errors
/// When the database fails.
pub async fn claim(conn: &impl ConnectionTrait, claim: &Claim<'_>, now: Moment) -> Result<Vec<Job>, DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value("parked"))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Moment>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::LastError, Expr::value(Some("No worker that took it came to an end with it.")))
        .col_expr(Column::FinishedAt, Expr::value(Some(now)))
        .filter(abandoned(now))
        .filter(claim.mine())
        .filter(sea_orm::ExprTrait::gte(Expr::col(Column::Attempts), Expr::col(Column::MaxAttempts)))
        .exec(conn)
        .await?;
    let mut query = Entity::find()
        .filter(due(now))
        .filter(claim.mine())
        .order_by_asc(Column::RunAt)
        .order_by_asc(Column::Id)
        .limit(claim.limit);
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let rows = query.all(conn).await?;
    let ids: Vec<JobId> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::update_many()
        .col_expr(Column::State, Expr::value("running"))
        .col_expr(Column::LeaseUntil, Expr::value(Some(now.plus_seconds(claim.lease_seconds))))
        .col_expr(Column::LeaseOwner, Expr::value(Some(claim.owner.to_owned())))
        .col_expr(Column::Attempts, sea_orm::ExprTrait::add(Expr::col(Column::Attempts), 1))
        .filter(Column::Id.is_in(ids))
        .exec(conn)
        .await?;
    let taken =
        rows.into_iter().map(|row| Job { attempts: row.attempts + 1, state: "running".to_owned(), ..row.into() });
    Ok(taken.collect())
}

/// Lengthens the lease of a job under way; tells whether it is still the caller's.
///
/// # Errors
/// When the database fails.
pub async fn renew(conn: &impl ConnectionTrait, id: JobId, owner: &str, until: Moment) -> Result<bool, DbErr> {
    let renewed = Entity::update_many()
        .col_expr(Column::LeaseUntil, Expr::value(Some(until)))
        .filter(held(id, owner))
        .exec(conn)
        .await?;
    Ok(renewed.rows_affected == 1)
}

/// Gives a job back that was taken and not begun.
///
/// # Errors
/// When the database fails.
pub async fn release(conn: &impl ConnectionTrait, id: JobId, owner: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value("ready"))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Moment>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::Attempts, sea_orm::ExprTrait::sub(Expr::col(Column::Attempts), 1))
        .filter(held(id, owner))
        .exec(conn)
        .await
        .map(drop)
}

/// A job is its owner's until the lease was taken over: what somebody too late has to say of it is not heard.
fn held(id: JobId, owner: &str) -> Condition {
    Condition::all().add(Column::Id.eq(id)).add(Column::State.eq("running")).add(Column::LeaseOwner.eq(owner))
}

/// Notes that a job is done.
///
/// # Errors
/// When the database fails.
pub async fn complete(conn: &impl ConnectionTrait, id: JobId, owner: &str, now: Moment) -> Result<(), DbErr> {
    end(conn, id, owner, "done", None, now).await
}

/// Notes that a job must not be tried again by itself.
///
/// # Errors
/// When the database fails.
pub async fn park(conn: &impl ConnectionTrait, id: JobId, owner: &str, reason: &str, now: Moment) -> Result<(), DbErr> {
    end(conn, id, owner, "parked", Some(reason), now).await
}

async fn end(
    conn: &impl ConnectionTrait,
    id: JobId,
    owner: &str,
    state: &str,
    error: Option<&str>,
    now: Moment,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Moment>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::LastError, Expr::value(error.map(short)))
        .col_expr(Column::FinishedAt, Expr::value(Some(now)))
        .filter(held(id, owner))
        .exec(conn)
        .await
        .map(drop)
}

/// Gives a job back after a failure: it runs again after a wait drawn between nothing and the full back-off, or is
/// parked when it failed often enough.
///
/// # Errors
/// When the database fails.
pub async fn retry(conn: &impl ConnectionTrait, id: JobId, owner: &str, error: &str, now: Moment) -> Result<(), DbErr> {
    let Some(row) = Entity::find_by_id(id).one(conn).await? else {
        return Ok(());
    };
    if row.attempts >= row.max_attempts {
        return park(conn, id, owner, error, now).await;
    }
    Entity::update_many()
        .col_expr(Column::State, Expr::value("ready"))
        .col_expr(Column::RunAt, Expr::value(now.plus_seconds(wait_seconds(row.attempts, JobId::new()))))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Moment>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(Column::LastError, Expr::value(Some(short(error))))
        .filter(held(id, owner))
        .exec(conn)
        .await
        .map(drop)
}

/// Full jitter: anything from one second to the doubled wait, so that many failures at once do not come back at once.
fn wait_seconds(attempts: i32, entropy: JobId) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    let ceiling = FIRST_WAIT_SECONDS.saturating_mul(1 << doublings).min(LONGEST_WAIT_SECONDS);
    let random = i64::from(u32::from_be_bytes([
        entropy.as_bytes()[12],
        entropy.as_bytes()[13],
        entropy.as_bytes()[14],
        entropy.as_bytes()[15],
    ]));
    1 + random % ceiling
}

fn short(text: &str) -> String {
    text.chars().take(MAX_ERROR_CHARS).collect()
}

/// Makes a parked job ready again; tells whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn unpark(conn: &impl ConnectionTrait, id: JobId, now: Moment) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value("ready"))
        .col_expr(Column::RunAt, Expr::value(now))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::FinishedAt, Expr::value(None::<Moment>))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq("parked"))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Jobs in one state, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &impl ConnectionTrait, state: &str) -> Result<Vec<Job>, DbErr> {
    let rows =
        Entity::find().filter(Column::State.eq(state)).order_by_asc(Column::RunAt).limit(LIST_LIMIT).all(conn).await?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// When the next job is due: the earliest run-at, or the end of the earliest lease.
///
/// # Errors
/// When the database fails.
pub async fn next_run_at(conn: &impl ConnectionTrait) -> Result<Option<Moment>, DbErr> {
    let earliest = |state: &'static str, column: Column| {
        Entity::find()
            .select_only()
            .column(column)
            .filter(Column::State.eq(state))
            .filter(column.is_not_null())
            .order_by_asc(column)
    };
    let ready: Option<Moment> = earliest("ready", Column::RunAt).into_tuple().one(conn).await?;
    let leased: Option<Moment> = earliest("running", Column::LeaseUntil).into_tuple().one(conn).await?;
    Ok([ready, leased].into_iter().flatten().min())
}

/// Removes finished jobs older than `before`; their idempotency keys may come again then.
///
/// # Errors
/// When the database fails.
pub async fn prune(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let done =
        Entity::delete_many().filter(Column::State.eq("done")).filter(Column::FinishedAt.lt(before)).exec(conn).await?;
    Ok(done.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_bounded_and_differ() {
        for attempts in 1..40 {
            let ceiling = (FIRST_WAIT_SECONDS << (attempts - 1).min(20)).min(LONGEST_WAIT_SECONDS);
            let waits: Vec<i64> = (0..50).map(|_| wait_seconds(attempts, JobId::new())).collect();
            assert!(waits.iter().all(|wait| (1..=ceiling).contains(wait)), "{attempts}: {waits:?}");
            assert!(waits.iter().any(|wait| wait != &waits[0]));
        }
    }
}
