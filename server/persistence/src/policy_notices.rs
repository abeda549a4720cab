//! Who was told of which version of the privacy policy, and who acknowledged it.

use domain::Moment;
use domain::ids::CoachId;
use domain::rights::AccountState;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::entities::{coach, policy_notice};

/// Accounts of one batch: bounds how long telling them holds the database.
pub const BATCH: u64 = 200;

/// A batch of accounts that were opened before a version was published and have not been told of it.
///
/// # Errors
/// When the database fails.
pub async fn untold(conn: &impl ConnectionTrait, version: &str, published: Moment) -> Result<Vec<CoachId>, DbErr> {
    let told = Query::select()
        .column(policy_notice::Column::CoachId)
        .from(policy_notice::Entity)
        .and_where(policy_notice::Column::Version.eq(version))
        .to_owned();
    coach::Entity::find()
        .select_only()
        .column(coach::Column::Id)
        .filter(coach::Column::CreatedAt.lt(published))
        .filter(coach::Column::State.ne(AccountState::Erasing.as_str()))
        .filter(coach::Column::Id.not_in_subquery(told))
        .order_by_asc(coach::Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(conn)
        .await
}

/// Notes that an account was told; being told twice is noted once.
///
/// # Errors
/// When the database fails.
pub async fn note(conn: &impl ConnectionTrait, coach: CoachId, version: &str, now: Moment) -> Result<(), DbErr> {
    let row = policy_notice::ActiveModel {
        coach_id: Set(coach),
        version: Set(version.to_owned()),
        noticed_at: Set(now),
        acknowledged_at: Set(None),
    };
    let twin =
        OnConflict::columns([policy_notice::Column::CoachId, policy_notice::Column::Version]).do_nothing().to_owned();
    policy_notice::Entity::insert(row).on_conflict(twin).exec_without_returning(conn).await.map(drop)
}

/// The newest version a coach was told of and has not acknowledged.
///
/// # Errors
/// When the database fails.
pub async fn standing(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Option<String>, DbErr> {
    let row = policy_notice::Entity::find()
        .filter(policy_notice::Column::CoachId.eq(coach))
        .filter(policy_notice::Column::AcknowledgedAt.is_null())
        .order_by_desc(policy_notice::Column::Version)
        .one(conn)
        .await?;
    Ok(row.map(|row| row.version))
}

/// Notes that a coach acknowledged a version and with it those before; tells whether there was anything to acknowledge.
///
/// # Errors
/// When the database fails.
pub async fn acknowledge(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    version: &str,
    now: Moment,
) -> Result<bool, DbErr> {
    let done = policy_notice::Entity::update_many()
        .col_expr(policy_notice::Column::AcknowledgedAt, Expr::value(Some(now)))
        .filter(policy_notice::Column::CoachId.eq(coach))
        .filter(policy_notice::Column::Version.lte(version))
        .filter(policy_notice::Column::AcknowledgedAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected > 0)
}
