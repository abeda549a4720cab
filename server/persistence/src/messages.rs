//! Messages of people to the operators: complaints, and reports about children. Requests without a subject, whose steps
//! are who has read and answered them.

use domain::Moment;
use domain::ids::{CoachId, RequestId, SubjectId};
use domain::rights::{RequestState, RightKind};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{dsr_request, dsr_task};

/// Messages of one listing.
const LIST_ROWS: u64 = 500;

fn over() -> impl Iterator<Item = &'static str> {
    RequestState::ALL.iter().filter(|state| state.is_over()).map(|state| state.as_str())
}

/// Messages that are not over, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn open(conn: &impl ConnectionTrait) -> Result<Vec<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::Kind.is_in([RightKind::Complaint.as_str(), RightKind::Minor.as_str()]))
        .filter(dsr_request::Column::CoachId.is_null())
        .filter(dsr_request::Column::SubjectId.is_null())
        .filter(dsr_request::Column::State.is_not_in(over()))
        .order_by_asc(dsr_request::Column::ReceivedAt)
        .order_by_asc(dsr_request::Column::Id)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Notes that a step of a message is done; tells whether it was not before.
///
/// # Errors
/// When the database fails.
pub async fn finish(conn: &impl ConnectionTrait, id: RequestId, step: &str, now: Moment) -> Result<bool, DbErr> {
    let done = dsr_task::Entity::update_many()
        .col_expr(dsr_task::Column::State, Expr::value("done"))
        .col_expr(dsr_task::Column::UpdatedAt, Expr::value(now))
        .col_expr(dsr_task::Column::FinishedAt, Expr::value(Some(now)))
        .filter(dsr_task::Column::RequestId.eq(id))
        .filter(dsr_task::Column::Target.eq(step))
        .filter(dsr_task::Column::State.ne("done"))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Steps of messages that are not done, oldest first: which message, which step.
///
/// # Errors
/// When the database fails.
pub async fn unfinished_steps(conn: &impl ConnectionTrait) -> Result<Vec<(RequestId, String)>, DbErr> {
    let messages = Query::select()
        .column(dsr_request::Column::Id)
        .from(dsr_request::Entity)
        .and_where(dsr_request::Column::Kind.is_in([RightKind::Complaint.as_str(), RightKind::Minor.as_str()]))
        .and_where(dsr_request::Column::CoachId.is_null())
        .and_where(dsr_request::Column::State.is_not_in(over()))
        .to_owned();
    dsr_task::Entity::find()
        .select_only()
        .columns([dsr_task::Column::RequestId, dsr_task::Column::Target])
        .filter(dsr_task::Column::RequestId.in_subquery(messages))
        .filter(dsr_task::Column::State.ne("done"))
        .order_by_asc(dsr_task::Column::Id)
        .into_tuple()
        .all(conn)
        .await
}

/// The request that is under way because this viewer was reported to be a child.
///
/// # Errors
/// When the database fails.
pub async fn report_under_way(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
) -> Result<Option<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectId.eq(subject))
        .filter(dsr_request::Column::Kind.eq(RightKind::Minor.as_str()))
        .filter(dsr_request::Column::State.is_not_in(over()))
        .one(conn)
        .await
}
