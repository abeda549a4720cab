//! Operators: their two seats, what they looked at, and the registers they keep.
//!
//! These functions reach over every account; only an operator's handle calls them.

use domain::Moment;
use domain::ids::{CoachId, DisclosureId, IncidentId, OperatorAccessId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::entities::{coach, disclosure, incident, incident_coach, operator_access, operator_seat, security_review};
use crate::rights::LIST_ROWS;

/// The seats there are (promise P42); the table's own check knows no other.
pub const SEATS: [i32; 2] = [1, 2];

/// Who sits where.
///
/// # Errors
/// When the database fails.
pub async fn taken(conn: &impl ConnectionTrait) -> Result<Vec<(operator_seat::Model, Option<coach::Model>)>, DbErr> {
    operator_seat::Entity::find()
        .find_also_related(coach::Entity)
        .order_by_asc(operator_seat::Column::Seat)
        .all(conn)
        .await
}

/// The seat of a coach, if she has one.
///
/// # Errors
/// When the database fails.
pub async fn seat_of(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Option<i32>, DbErr> {
    let row = operator_seat::Entity::find().filter(operator_seat::Column::CoachId.eq(coach)).one(conn).await?;
    Ok(row.map(|row| row.seat))
}

/// Gives somebody a seat.
///
/// # Errors
/// When it is taken, there is no such seat, or the coach sits already; and when the database fails.
pub async fn sit(conn: &impl ConnectionTrait, seat: i32, coach: CoachId, now: Moment) -> Result<(), DbErr> {
    let row = operator_seat::ActiveModel { seat: Set(seat), coach_id: Set(coach), since: Set(now) };
    operator_seat::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Takes somebody's seat away; tells whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn stand_up(conn: &impl ConnectionTrait, coach: CoachId) -> Result<bool, DbErr> {
    let done = operator_seat::Entity::delete_many().filter(operator_seat::Column::CoachId.eq(coach)).exec(conn).await?;
    Ok(done.rows_affected > 0)
}

/// An account as an operator sees it without a reason: nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLine {
    /// Its id.
    pub id: CoachId,
    /// Where it is in its life, in stored form.
    pub state: String,
    /// When it was opened.
    pub created_at: Moment,
}

/// Accounts, newest first, before one of them.
///
/// # Errors
/// When the database fails.
pub async fn accounts(
    conn: &impl ConnectionTrait,
    before: Option<CoachId>,
    limit: u64,
) -> Result<Vec<AccountLine>, DbErr> {
    let mut find = coach::Entity::find()
        .select_only()
        .columns([coach::Column::Id, coach::Column::State, coach::Column::CreatedAt])
        .order_by_desc(coach::Column::Id)
        .limit(limit);
    if let Some(before) = before {
        find = find.filter(coach::Column::Id.lt(before));
    }
    let rows: Vec<(CoachId, String, Moment)> = find.into_tuple().all(conn).await?;
    Ok(rows.into_iter().map(|(id, state, created_at)| AccountLine { id, state, created_at }).collect())
}

/// A look of an operator to be put on record.
pub struct Look {
    /// From which seat.
    pub seat: i32,
    /// Whose data.
    pub coach: CoachId,
    /// At what.
    pub what: &'static str,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Puts a look on record.
///
/// # Errors
/// When the database fails.
pub async fn insert_look(conn: &impl ConnectionTrait, look: Look, now: Moment) -> Result<(), DbErr> {
    let row = operator_access::ActiveModel {
        id: Set(OperatorAccessId::new()),
        seat: Set(look.seat),
        coach_id: Set(look.coach),
        what: Set(look.what.to_owned()),
        reason: Set(look.reason),
        at: Set(now),
    };
    operator_access::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Looks at a coach's data, newest first.
///
/// # Errors
/// When the database fails.
pub async fn looks_at(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Vec<operator_access::Model>, DbErr> {
    operator_access::Entity::find()
        .filter(operator_access::Column::CoachId.eq(coach))
        .order_by_desc(operator_access::Column::At)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Enters a request of an authority.
///
/// # Errors
/// When the database fails.
pub async fn insert_disclosure(conn: &impl ConnectionTrait, row: disclosure::Model) -> Result<(), DbErr> {
    disclosure::Entity::insert(disclosure::ActiveModel::from(row).reset_all())
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// The register of disclosures, newest first.
///
/// # Errors
/// When the database fails.
pub async fn disclosures(conn: &impl ConnectionTrait) -> Result<Vec<disclosure::Model>, DbErr> {
    disclosure::Entity::find().order_by_desc(disclosure::Column::ReceivedAt).limit(LIST_ROWS).all(conn).await
}

/// One entry of it, held against another writer until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn hold_disclosure(
    conn: &impl ConnectionTrait,
    id: DisclosureId,
) -> Result<Option<disclosure::Model>, DbErr> {
    let mut query = disclosure::Entity::find_by_id(id);
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock_exclusive();
    }
    query.one(conn).await
}

/// Notes the second operator's agreement; tells whether it was still wanted. An operator never agrees with herself.
///
/// # Errors
/// When the database fails.
pub async fn approve_disclosure(
    conn: &impl ConnectionTrait,
    id: DisclosureId,
    seat: i32,
    now: Moment,
) -> Result<bool, DbErr> {
    let done = disclosure::Entity::update_many()
        .col_expr(disclosure::Column::ApprovedBySeat, Expr::value(Some(seat)))
        .col_expr(disclosure::Column::ApprovedAt, Expr::value(Some(now)))
        .filter(disclosure::Column::Id.eq(id))
        .filter(disclosure::Column::AskedBySeat.ne(seat))
        .filter(disclosure::Column::ApprovedBySeat.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes of whom data was given by now; of the moments the first one counts.
///
/// # Errors
/// When the database fails.
pub async fn note_given(
    conn: &impl ConnectionTrait,
    id: DisclosureId,
    given_of: &str,
    now: Moment,
) -> Result<(), DbErr> {
    let first = Expr::col(disclosure::Column::GivenAt).if_null(now);
    disclosure::Entity::update_many()
        .col_expr(disclosure::Column::GivenOf, Expr::value(given_of))
        .col_expr(disclosure::Column::GivenAt, first)
        .filter(disclosure::Column::Id.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// Enters a review.
///
/// # Errors
/// When the database fails.
pub async fn insert_review(conn: &impl ConnectionTrait, row: security_review::Model) -> Result<(), DbErr> {
    let row = security_review::ActiveModel::from(row).reset_all();
    security_review::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Reviews, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn reviews(conn: &impl ConnectionTrait, limit: u64) -> Result<Vec<security_review::Model>, DbErr> {
    security_review::Entity::find()
        .order_by_desc(security_review::Column::HeldAt)
        .order_by_desc(security_review::Column::Id)
        .limit(limit)
        .all(conn)
        .await
}

/// Enters a breach with the coaches it concerns.
///
/// # Errors
/// When the database fails.
pub async fn insert_incident(
    conn: &impl ConnectionTrait,
    row: incident::Model,
    concerned: Vec<incident_coach::Model>,
) -> Result<(), DbErr> {
    incident::ActiveModel::from(row).reset_all().insert(conn).await?;
    for one in concerned {
        let one = incident_coach::ActiveModel::from(one).reset_all();
        incident_coach::Entity::insert(one).exec_without_returning(conn).await?;
    }
    Ok(())
}

/// The register of breaches, newest first.
///
/// # Errors
/// When the database fails.
pub async fn incidents(conn: &impl ConnectionTrait) -> Result<Vec<incident::Model>, DbErr> {
    incident::Entity::find().order_by_desc(incident::Column::FoundAt).limit(LIST_ROWS).all(conn).await
}

/// Breaches that concern a coach, newest first.
///
/// # Errors
/// When the database fails.
pub async fn incidents_of(
    conn: &impl ConnectionTrait,
    coach: CoachId,
) -> Result<Vec<(incident_coach::Model, Option<incident::Model>)>, DbErr> {
    incident_coach::Entity::find()
        .find_also_related(incident::Entity)
        .filter(incident_coach::Column::CoachId.eq(coach))
        .order_by_desc(incident_coach::Column::ToldAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Notes that the authority was told; tells whether it was still to be told.
///
/// # Errors
/// When the database fails.
pub async fn note_reported(conn: &impl ConnectionTrait, id: IncidentId, now: Moment) -> Result<bool, DbErr> {
    let done = incident::Entity::update_many()
        .col_expr(incident::Column::ReportedAt, Expr::value(Some(now)))
        .filter(incident::Column::Id.eq(id))
        .filter(incident::Column::ReportedAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}
