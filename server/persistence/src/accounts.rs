//! Accounts of coaches: rows of people who sign in, their browsers, their one-time tokens, and how often was tried.
//!
//! Functions with a coach's id reach that coach's rows only. Those without look up by a secret or an address that the
//! person at the door has just presented, and say so.

use domain::Moment;
use domain::ids::{CoachId, DekId, LoginId, OneTimeTokenId, RecoveryCodeId};
use domain::rights::AccountState;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::entities::{coach, dsr_request, export_archive, login, one_time_token, rate_limit, recovery_code, subject};

/// Signed-in browsers of one coach that are listed.
const MAX_LOGINS: u64 = 100;

/// One coach.
///
/// # Errors
/// When the database fails.
pub async fn coach(conn: &impl ConnectionTrait, id: CoachId) -> Result<Option<coach::Model>, DbErr> {
    coach::Entity::find_by_id(id).one(conn).await
}

/// Holds a coach's row to the end of the caller's transaction, so that what it counts cannot change meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn lock(conn: &impl ConnectionTrait, id: CoachId) -> Result<Option<coach::Model>, DbErr> {
    let mut find = coach::Entity::find_by_id(id);
    if conn.get_database_backend() == DbBackend::Postgres {
        find = find.lock_exclusive();
    }
    find.one(conn).await
}

/// At the door: the coach with this address in its normal form.
///
/// # Errors
/// When the database fails.
pub async fn coach_by_email(conn: &impl ConnectionTrait, normal: &str) -> Result<Option<coach::Model>, DbErr> {
    coach::Entity::find().filter(coach::Column::EmailNormal.eq(normal)).one(conn).await
}

/// Opens an account unless the address has one. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn insert_coach(conn: &impl ConnectionTrait, row: coach::ActiveModel) -> Result<bool, DbErr> {
    let twins = OnConflict::column(coach::Column::EmailNormal).do_nothing().to_owned();
    Ok(coach::Entity::insert(row).on_conflict(twins).exec_without_returning(conn).await? > 0)
}

/// The state of an account, without holding it: for pages that only read.
///
/// # Errors
/// When the database fails.
pub async fn state(conn: &impl ConnectionTrait, id: CoachId) -> Result<Option<AccountState>, DbErr> {
    let stored: Option<String> =
        coach::Entity::find_by_id(id).select_only().column(coach::Column::State).into_tuple().one(conn).await?;
    Ok(stored.as_deref().and_then(AccountState::from_stored))
}

/// Changes some columns of a coach's own row, unless it is being erased.
///
/// # Errors
/// When a new address is taken (a unique violation) or the database fails.
pub async fn change(
    conn: &impl ConnectionTrait,
    id: CoachId,
    row: coach::ActiveModel,
    now: Moment,
) -> Result<(), DbErr> {
    let row = coach::ActiveModel { updated_at: Set(now), ..row };
    coach::Entity::update_many()
        .set(row)
        .filter(coach::Column::Id.eq(id))
        .filter(coach::Column::State.ne(AccountState::Erasing.as_str()))
        .exec(conn)
        .await?;
    Ok(())
}

/// Uses up a time step of the second factor. Returns false when it, or a later one, was used before.
///
/// # Errors
/// When the database fails.
pub async fn use_totp_step(conn: &impl ConnectionTrait, id: CoachId, step: i64) -> Result<bool, DbErr> {
    let unused = coach::Column::TotpLastStep.is_null().or(coach::Column::TotpLastStep.lt(step));
    let done = coach::Entity::update_many()
        .col_expr(coach::Column::TotpLastStep, Expr::value(step))
        .filter(coach::Column::Id.eq(id))
        .filter(unused)
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Replaces all recovery codes of a coach; an empty list takes them away.
///
/// # Errors
/// When the database fails.
pub async fn put_recovery_codes(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    hashes: Vec<Vec<u8>>,
    now: Moment,
) -> Result<(), DbErr> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::CoachId.eq(coach)).exec(conn).await?;
    let rows: Vec<_> = hashes
        .into_iter()
        .map(|hash| recovery_code::ActiveModel {
            id: Set(RecoveryCodeId::new()),
            coach_id: Set(coach),
            code_hash: Set(hash),
            used_at: Set(None),
            created_at: Set(now),
        })
        .collect();
    if !rows.is_empty() {
        recovery_code::Entity::insert_many(rows).exec_without_returning(conn).await?;
    }
    Ok(())
}

/// Uses up a recovery code. Returns false when the coach has no such code left.
///
/// # Errors
/// When the database fails.
pub async fn use_recovery_code(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    hash: &[u8],
    now: Moment,
) -> Result<bool, DbErr> {
    let done = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(Some(now)))
        .filter(recovery_code::Column::CoachId.eq(coach))
        .filter(recovery_code::Column::CodeHash.eq(hash.to_vec()))
        .filter(recovery_code::Column::UsedAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Recovery codes a coach has left.
///
/// # Errors
/// When the database fails.
pub async fn recovery_codes_left(conn: &impl ConnectionTrait, coach: CoachId) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait;
    recovery_code::Entity::find()
        .filter(recovery_code::Column::CoachId.eq(coach))
        .filter(recovery_code::Column::UsedAt.is_null())
        .count(conn)
        .await
}

/// Adds a signed-in browser.
///
/// # Errors
/// When the database fails.
pub async fn insert_login(conn: &impl ConnectionTrait, row: login::ActiveModel) -> Result<(), DbErr> {
    login::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}

/// At the door: the browser whose token has this hash.
///
/// # Errors
/// When the database fails.
pub async fn login_by_hash(conn: &impl ConnectionTrait, token_hash: &[u8]) -> Result<Option<login::Model>, DbErr> {
    login::Entity::find().filter(login::Column::TokenHash.eq(token_hash.to_vec())).one(conn).await
}

/// Signed-in browsers of a coach, last seen first.
///
/// # Errors
/// When the database fails.
pub async fn logins(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Vec<login::Model>, DbErr> {
    login::Entity::find()
        .filter(login::Column::CoachId.eq(coach))
        .filter(login::Column::AwaitingSecondFactor.eq(false))
        .order_by_desc(login::Column::SeenAt)
        .limit(MAX_LOGINS)
        .all(conn)
        .await
}

/// Notes that a browser was seen.
///
/// # Errors
/// When the database fails.
pub async fn touch_login(conn: &impl ConnectionTrait, id: LoginId, now: Moment) -> Result<(), DbErr> {
    login::Entity::update_many()
        .col_expr(login::Column::SeenAt, Expr::value(now))
        .filter(login::Column::Id.eq(id))
        .exec(conn)
        .await?;
    Ok(())
}

/// Signs one browser of a coach out. Returns whether it was hers and there.
///
/// # Errors
/// When the database fails.
pub async fn delete_login(conn: &impl ConnectionTrait, coach: CoachId, id: LoginId) -> Result<bool, DbErr> {
    let done = login::Entity::delete_many()
        .filter(login::Column::CoachId.eq(coach))
        .filter(login::Column::Id.eq(id))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Signs a coach out everywhere but in `kept`.
///
/// # Errors
/// When the database fails.
pub async fn delete_logins(conn: &impl ConnectionTrait, coach: CoachId, kept: Option<LoginId>) -> Result<u64, DbErr> {
    let mut delete = login::Entity::delete_many().filter(login::Column::CoachId.eq(coach));
    if let Some(kept) = kept {
        delete = delete.filter(login::Column::Id.ne(kept));
    }
    Ok(delete.exec(conn).await?.rows_affected)
}

/// Adds a one-time token; earlier unused ones of the same purpose stop working.
///
/// # Errors
/// When the database fails.
pub async fn insert_token(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    purpose: &str,
    row: one_time_token::ActiveModel,
    now: Moment,
) -> Result<(), DbErr> {
    use_tokens(conn, coach, purpose, now).await?;
    one_time_token::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}

/// Makes every unused token of a purpose unusable.
///
/// # Errors
/// When the database fails.
pub async fn use_tokens(conn: &impl ConnectionTrait, coach: CoachId, purpose: &str, now: Moment) -> Result<(), DbErr> {
    one_time_token::Entity::update_many()
        .col_expr(one_time_token::Column::UsedAt, Expr::value(Some(now)))
        .filter(one_time_token::Column::CoachId.eq(coach))
        .filter(one_time_token::Column::Purpose.eq(purpose))
        .filter(one_time_token::Column::UsedAt.is_null())
        .exec(conn)
        .await?;
    Ok(())
}

/// At the door: a token that is neither used nor expired, by its hash.
///
/// # Errors
/// When the database fails.
pub async fn usable_token(
    conn: &impl ConnectionTrait,
    token_hash: &[u8],
    now: Moment,
) -> Result<Option<one_time_token::Model>, DbErr> {
    one_time_token::Entity::find()
        .filter(one_time_token::Column::TokenHash.eq(token_hash.to_vec()))
        .filter(one_time_token::Column::UsedAt.is_null())
        .filter(one_time_token::Column::ExpiresAt.gt(now))
        .one(conn)
        .await
}

/// Uses a token up. Returns false when somebody else was first.
///
/// # Errors
/// When the database fails.
pub async fn use_token(conn: &impl ConnectionTrait, id: OneTimeTokenId, now: Moment) -> Result<bool, DbErr> {
    let done = one_time_token::Entity::update_many()
        .col_expr(one_time_token::Column::UsedAt, Expr::value(Some(now)))
        .filter(one_time_token::Column::Id.eq(id))
        .filter(one_time_token::Column::UsedAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The address a coach asked to change to, while its mail is still good.
///
/// # Errors
/// When the database fails.
pub async fn pending_email(conn: &impl ConnectionTrait, coach: CoachId, now: Moment) -> Result<Option<String>, DbErr> {
    let row = one_time_token::Entity::find()
        .filter(one_time_token::Column::CoachId.eq(coach))
        .filter(one_time_token::Column::Purpose.eq("change_email"))
        .filter(one_time_token::Column::UsedAt.is_null())
        .filter(one_time_token::Column::ExpiresAt.gt(now))
        .one(conn)
        .await?;
    Ok(row.and_then(|row| row.new_email))
}

/// Takes one place under a limit (GCRA). `Err` holds the microseconds until the next place is free.
///
/// `spacing` and `tolerance` are microseconds: one place every `spacing`, as many at once as fit into `tolerance`.
///
/// # Errors
/// When the database fails.
pub async fn take_place(
    conn: &impl ConnectionTrait,
    key_hash: &[u8],
    spacing: i64,
    tolerance: i64,
    now: Moment,
) -> Result<Result<(), i64>, DbErr> {
    let fresh = rate_limit::ActiveModel { key_hash: Set(key_hash.to_vec()), arrival_at: Set(now.0) };
    let known = OnConflict::column(rate_limit::Column::KeyHash).do_nothing().to_owned();
    rate_limit::Entity::insert(fresh).on_conflict(known).exec_without_returning(conn).await?;
    let mut find = rate_limit::Entity::find_by_id(key_hash.to_vec());
    if conn.get_database_backend() == DbBackend::Postgres {
        find = find.lock_exclusive();
    }
    let counted = find.one(conn).await?.map_or(now.0, |row| row.arrival_at);
    // Nothing is ever written further ahead than the tolerance: such a row was counted on a clock that was set back
    // since, and would lock people out for as long as it was wrong.
    let arrival = if counted > now.0.saturating_add(tolerance) { now.0 } else { Ord::max(counted, now.0) };
    let next = arrival.saturating_add(spacing);
    if next.saturating_sub(now.0) > tolerance {
        return Ok(Err(next - now.0 - tolerance));
    }
    rate_limit::Entity::update_many()
        .col_expr(rate_limit::Column::ArrivalAt, Expr::value(next))
        .filter(rate_limit::Column::KeyHash.eq(key_hash.to_vec()))
        .exec(conn)
        .await?;
    Ok(Ok(()))
}

/// Forgets what was counted under a key.
///
/// # Errors
/// When the database fails.
pub async fn forget_place(conn: &impl ConnectionTrait, key_hash: &[u8]) -> Result<(), DbErr> {
    rate_limit::Entity::delete_by_id(key_hash.to_vec()).exec(conn).await?;
    Ok(())
}

/// Removes what no door asks for any more: expired browsers, used and expired tokens, limits long past.
///
/// # Errors
/// When the database fails.
pub async fn prune(conn: &impl ConnectionTrait, idle_since: Moment, now: Moment) -> Result<(), DbErr> {
    login::Entity::delete_many()
        .filter(login::Column::ExpiresAt.lt(now).or(login::Column::SeenAt.lt(idle_since)))
        .exec(conn)
        .await?;
    one_time_token::Entity::delete_many()
        .filter(one_time_token::Column::ExpiresAt.lt(now.plus_days(-1)))
        .exec(conn)
        .await?;
    rate_limit::Entity::delete_many().filter(rate_limit::Column::ArrivalAt.lt(now.plus_days(-1).0)).exec(conn).await?;
    Ok(())
}

/// Which of these keys somebody's data, a request or an archive lies under: the housekeeping of the keyring asks, and
/// learns nothing else.
///
/// # Errors
/// When the database fails.
pub async fn keys_in_use(conn: &impl ConnectionTrait, keys: &[DekId]) -> Result<Vec<DekId>, DbErr> {
    let wanted = || keys.iter().copied();
    let mut used: Vec<DekId> = subject::Entity::find()
        .select_only()
        .column(subject::Column::DekId)
        .filter(subject::Column::DekId.is_in(wanted()))
        .into_tuple()
        .all(conn)
        .await?;
    let of_requests: Vec<DekId> = dsr_request::Entity::find()
        .select_only()
        .column(dsr_request::Column::DekId)
        .filter(dsr_request::Column::DekId.is_in(wanted()))
        .into_tuple()
        .all(conn)
        .await?;
    let of_archives: Vec<DekId> = export_archive::Entity::find()
        .select_only()
        .column(export_archive::Column::DekId)
        .filter(export_archive::Column::DekId.is_in(wanted()))
        .into_tuple()
        .all(conn)
        .await?;
    used.extend(of_requests);
    used.extend(of_archives);
    Ok(used)
}
