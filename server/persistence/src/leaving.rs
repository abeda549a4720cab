//! A coach leaves: what her row remembers of it, and which closed accounts are due.

use domain::Moment;
use domain::ids::{CoachId, RequestId};
use domain::rights::{AccountState, RequestState, RightKind, SubjectKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{coach, dsr_request};

/// Accounts of one batch.
const BATCH: u64 = 200;

/// Remembers where an account was before, and until when it stays readable.
///
/// # Errors
/// When the database fails.
pub async fn remember(
    conn: &impl ConnectionTrait,
    id: CoachId,
    before: Option<AccountState>,
    closes_at: Option<Moment>,
) -> Result<(), DbErr> {
    coach::Entity::update_many()
        .col_expr(coach::Column::StateBefore, Expr::value(before.map(AccountState::as_str)))
        .col_expr(coach::Column::ClosesAt, Expr::value(closes_at))
        .filter(coach::Column::Id.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// A coach's own deletion that can still be called off.
///
/// # Errors
/// When the database fails.
pub async fn undoable(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Option<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectKind.eq(SubjectKind::Coach.as_str()))
        .filter(dsr_request::Column::Kind.eq(RightKind::Erase.as_str()))
        .filter(dsr_request::Column::State.eq(RequestState::Undo.as_str()))
        .order_by_desc(dsr_request::Column::ReceivedAt)
        .one(conn)
        .await
}

/// Gives up the days left for calling a deletion off; tells whether they were still running.
///
/// # Errors
/// When the database fails.
pub async fn give_up_undo(conn: &impl ConnectionTrait, id: RequestId, now: Moment) -> Result<bool, DbErr> {
    let done = dsr_request::Entity::update_many()
        .col_expr(dsr_request::Column::UndoUntil, Expr::value(Some(now)))
        .filter(dsr_request::Column::Id.eq(id))
        .filter(dsr_request::Column::State.eq(RequestState::Undo.as_str()))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Closed accounts whose time for taking everything along is over.
///
/// # Errors
/// When the database fails.
pub async fn closed_before(conn: &impl ConnectionTrait, now: Moment) -> Result<Vec<CoachId>, DbErr> {
    coach::Entity::find()
        .select_only()
        .column(coach::Column::Id)
        .filter(coach::Column::State.eq(AccountState::Closing.as_str()))
        .filter(coach::Column::ClosesAt.lte(now))
        .order_by_asc(coach::Column::ClosesAt)
        .limit(BATCH)
        .into_tuple()
        .all(conn)
        .await
}
