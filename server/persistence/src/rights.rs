//! Queries of rights: requests with their steps, and the fence every writer asks before it adds to somebody's data.

use std::collections::HashMap;

use domain::Moment;
use domain::ids::{CoachId, DekId, RequestId, RequestTaskId, SubjectId, WebinarId};
use domain::rights::{AccountState, Regime, RequestState, RightKind, SubjectKind, SubjectState};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use crate::entities::{coach, dsr_request, dsr_task, erased_total, subject};
use crate::mails::{self, Of};
use crate::sealed::Restricted;

/// Requests of one listing.
pub const LIST_ROWS: u64 = 500;

/// A request to be written.
pub struct NewRequest {
    /// Its id.
    pub id: RequestId,
    /// Whose law sets the clock.
    pub regime: Regime,
    /// Which right.
    pub kind: RightKind,
    /// Whose data.
    pub subject_kind: SubjectKind,
    /// Whose account, or the controller of the viewer.
    pub coach: Option<CoachId>,
    /// Which viewer.
    pub subject: Option<SubjectId>,
    /// Stands for the person under the request's own key.
    pub subject_ref: Vec<u8>,
    /// The request's own key.
    pub dek: DekId,
    /// Sealed words and address.
    pub details_sealed: Option<Vec<u8>>,
    /// Where it begins.
    pub state: RequestState,
    /// Until when it can be called off.
    pub undo_until: Option<Moment>,
    /// Until when the law wants it done.
    pub due_at: Moment,
    /// When the person proved who they are.
    pub verified_at: Option<Moment>,
}

/// Writes a request.
///
/// # Errors
/// When the database fails.
pub async fn insert_request(conn: &impl ConnectionTrait, new: NewRequest, now: Moment) -> Result<(), DbErr> {
    let row = dsr_request::ActiveModel {
        id: Set(new.id),
        regime: Set(new.regime.as_str().to_owned()),
        kind: Set(new.kind.as_str().to_owned()),
        subject_kind: Set(new.subject_kind.as_str().to_owned()),
        coach_id: Set(new.coach),
        subject_id: Set(new.subject),
        subject_ref: Set(new.subject_ref),
        dek_id: Set(new.dek),
        details_ct: Set(new.details_sealed),
        state: Set(new.state.as_str().to_owned()),
        reason: Set(None),
        received_at: Set(now),
        verified_at: Set(new.verified_at),
        undo_until: Set(new.undo_until),
        due_at: Set(new.due_at),
        extended_to: Set(None),
        completed_at: Set(None),
        receipt: Set(None),
    };
    dsr_request::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// One request by its id; for the engine, which acts for everybody.
///
/// # Errors
/// When the database fails.
pub async fn request(conn: &impl ConnectionTrait, id: RequestId) -> Result<Option<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find_by_id(id).one(conn).await
}

/// Requests a coach is concerned with, newest first: her own, or those of her viewers.
///
/// # Errors
/// When the database fails.
pub async fn requests_of_coach(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject_kind: SubjectKind,
) -> Result<Vec<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectKind.eq(subject_kind.as_str()))
        .order_by_desc(dsr_request::Column::ReceivedAt)
        .order_by_desc(dsr_request::Column::Id)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Requests of one viewer, newest first.
///
/// # Errors
/// When the database fails.
pub async fn requests_of_subject(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
) -> Result<Vec<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectId.eq(subject))
        .order_by_desc(dsr_request::Column::ReceivedAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Requests that are not over, the most urgent first; for the watchdog.
///
/// # Errors
/// When the database fails.
pub async fn unfinished(conn: &impl ConnectionTrait) -> Result<Vec<dsr_request::Model>, DbErr> {
    let over = RequestState::ALL.iter().filter(|state| state.is_over()).map(|state| state.as_str());
    dsr_request::Entity::find()
        .filter(dsr_request::Column::State.is_not_in(over))
        .order_by_asc(dsr_request::Column::DueAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Moves a request from one state to another; tells whether it was still there. The rules of the move are
/// [`domain::rights::step`]'s; this only makes sure that of two movers one wins.
///
/// # Errors
/// When the database fails.
pub async fn move_request(
    conn: &impl ConnectionTrait,
    id: RequestId,
    from: RequestState,
    to: RequestState,
    change: dsr_request::ActiveModel,
) -> Result<bool, DbErr> {
    let change = dsr_request::ActiveModel { state: Set(to.as_str().to_owned()), ..change };
    let done = dsr_request::Entity::update_many()
        .set(change)
        .filter(dsr_request::Column::Id.eq(id))
        .filter(dsr_request::Column::State.eq(from.as_str()))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The steps of a request, in the order they were planned.
///
/// # Errors
/// When the database fails.
pub async fn tasks(conn: &impl ConnectionTrait, request: RequestId) -> Result<Vec<dsr_task::Model>, DbErr> {
    dsr_task::Entity::find()
        .filter(dsr_task::Column::RequestId.eq(request))
        .order_by_asc(dsr_task::Column::Id)
        .all(conn)
        .await
}

/// Plans a step; a target that is planned already stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn plan_task(
    conn: &impl ConnectionTrait,
    request: RequestId,
    target: &str,
    now: Moment,
) -> Result<(), DbErr> {
    let row = dsr_task::ActiveModel {
        id: Set(RequestTaskId::new()),
        request_id: Set(request),
        target: Set(target.to_owned()),
        state: Set("pending".to_owned()),
        attempts: Set(0),
        lease_until: Set(None),
        removed: Set(0),
        retained: Set("[]".to_owned()),
        note: Set(None),
        updated_at: Set(now),
        finished_at: Set(None),
    };
    dsr_task::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([dsr_task::Column::RequestId, dsr_task::Column::Target]).do_nothing().to_owned(),
        )
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Takes a step that is not done and that nobody else is at, for as long as `lease_until`; tells whether it was had.
///
/// # Errors
/// When the database fails.
pub async fn take_task(
    conn: &impl ConnectionTrait,
    id: RequestTaskId,
    lease_until: Moment,
    now: Moment,
) -> Result<bool, DbErr> {
    let free = Condition::any().add(dsr_task::Column::LeaseUntil.is_null()).add(dsr_task::Column::LeaseUntil.lte(now));
    let done = dsr_task::Entity::update_many()
        .col_expr(dsr_task::Column::Attempts, Expr::col(dsr_task::Column::Attempts).add(1))
        .col_expr(dsr_task::Column::LeaseUntil, Expr::value(Some(lease_until)))
        .col_expr(dsr_task::Column::UpdatedAt, Expr::value(now))
        .filter(dsr_task::Column::Id.eq(id))
        .filter(dsr_task::Column::State.ne("done"))
        .filter(free)
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Steps of one kind that wait for something.
///
/// # Errors
/// When the database fails.
pub async fn waiting_tasks(conn: &impl ConnectionTrait, target: &str) -> Result<Vec<dsr_task::Model>, DbErr> {
    dsr_task::Entity::find()
        .filter(dsr_task::Column::Target.eq(target))
        .filter(dsr_task::Column::State.eq("waiting"))
        .order_by_asc(dsr_task::Column::Id)
        .all(conn)
        .await
}

/// Notes that what a step waited for has happened.
///
/// # Errors
/// When the database fails.
pub async fn end_waiting(conn: &impl ConnectionTrait, id: RequestTaskId, now: Moment) -> Result<(), DbErr> {
    dsr_task::Entity::update_many()
        .col_expr(dsr_task::Column::State, Expr::value("done"))
        .col_expr(dsr_task::Column::UpdatedAt, Expr::value(now))
        .col_expr(dsr_task::Column::FinishedAt, Expr::value(Some(now)))
        .filter(dsr_task::Column::Id.eq(id))
        .filter(dsr_task::Column::State.eq("waiting"))
        .exec(conn)
        .await
        .map(drop)
}

/// How many of a webinar's registrants were erased, by what they had become.
///
/// # Errors
/// When the database fails.
pub async fn erased_totals(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<HashMap<String, i64>, DbErr> {
    let rows = erased_total::Entity::find().filter(erased_total::Column::WebinarId.eq(webinar)).all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.outcome, row.people)).collect())
}

/// Writes what came of a step.
///
/// # Errors
/// When the database fails.
pub async fn put_task(conn: &impl ConnectionTrait, task: dsr_task::ActiveModel) -> Result<(), DbErr> {
    task.update(conn).await.map(drop)
}

/// The fence: locks a viewer's row in the caller's transaction and tells the state it is in, or that it is gone.
/// Every writer that adds to a viewer's data asks here first, so that nothing is added once an erasure has begun.
///
/// Exclusively, because most of them change the row next, and two that share a lock would wait for each other. A writer
/// holds the account first and the person second.
///
/// # Errors
/// When the database fails.
pub async fn hold_subject(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
) -> Result<Option<SubjectState>, DbErr> {
    let mut query = subject::Entity::find_by_id(id).filter(subject::Column::CoachId.eq(coach));
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::NoKeyUpdate);
    }
    Ok(query.one(conn).await?.and_then(|row| SubjectState::from_stored(&row.state)))
}

/// The fence of an account: locks the coach's row in the caller's transaction and tells its state, or that it is gone.
///
/// # Errors
/// When the database fails.
pub async fn hold_account(conn: &impl ConnectionTrait, id: CoachId) -> Result<Option<AccountState>, DbErr> {
    let mut query = coach::Entity::find_by_id(id);
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock_shared();
    }
    Ok(query.one(conn).await?.and_then(|row| AccountState::from_stored(&row.state)))
}

/// Moves a viewer to another state; tells whether it was in one of those given. Planned mail shares their fate: it waits
/// for a restricted person, is dropped for one who is erased, and was overtaken by time when a restriction ends.
///
/// # Errors
/// When a mail to them is on its way (see [`mails::is_under_way`]), or the database fails.
pub async fn set_subject_state(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    from: &[SubjectState],
    to: SubjectState,
) -> Result<bool, DbErr> {
    let done = subject::Entity::update_many()
        .col_expr(subject::Column::State, Expr::value(to.as_str()))
        .filter(subject::Column::Id.eq(id))
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::State.is_in(from.iter().map(|state| state.as_str())))
        .exec(conn)
        .await?;
    let moved = done.rows_affected == 1;
    if moved {
        let whose = Of::Subject(id);
        match to {
            SubjectState::Active => mails::drop_held(conn, whose).await?,
            SubjectState::Restricted => {
                mails::none_under_way(conn, whose).await?;
                mails::hold_planned(conn, whose).await?
            }
            SubjectState::Erasing => {
                mails::none_under_way(conn, whose).await?;
                mails::drop_planned(conn, whose, "The data is being erased.").await?
            }
        };
    }
    Ok(moved)
}

/// Moves an account to another state; tells whether it was in one of those given. Planned mail to its registrants shares
/// its fate, as with [`set_subject_state`].
///
/// # Errors
/// When a mail to one of them is on its way (see [`mails::is_under_way`]), or the database fails.
pub async fn set_account_state(
    conn: &impl ConnectionTrait,
    id: CoachId,
    from: &[AccountState],
    to: AccountState,
) -> Result<bool, DbErr> {
    let done = coach::Entity::update_many()
        .col_expr(coach::Column::State, Expr::value(to.as_str()))
        .filter(coach::Column::Id.eq(id))
        .filter(coach::Column::State.is_in(from.iter().map(|state| state.as_str())))
        .exec(conn)
        .await?;
    let moved = done.rows_affected == 1;
    if moved {
        let whose = Of::Coach(id);
        match to {
            AccountState::Active => mails::drop_held(conn, whose).await?,
            AccountState::Restricted | AccountState::Leaving => {
                mails::none_under_way(conn, whose).await?;
                mails::hold_planned(conn, whose).await?
            }
            AccountState::Closing | AccountState::Erasing => {
                mails::none_under_way(conn, whose).await?;
                mails::drop_planned(conn, whose, "The account was closed.").await?
            }
        };
    }
    Ok(moved)
}

/// A viewer's sealed address and the key it lies under, whatever state they are in.
#[derive(Clone, Debug)]
pub struct SealedAddress {
    /// The key.
    pub dek: DekId,
    /// The address under it.
    pub email_ct: Vec<u8>,
}

/// The address of somebody whose data may rest or be on its way out: closed, so that whoever opens it says what for.
///
/// # Errors
/// When the database fails.
pub async fn sealed_address(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
) -> Result<Option<Restricted<SealedAddress>>, DbErr> {
    let row = subject::Entity::find_by_id(id).filter(subject::Column::CoachId.eq(coach)).one(conn).await?;
    Ok(row.map(|row| Restricted::new(SealedAddress { dek: row.dek_id, email_ct: row.email_ct })))
}
