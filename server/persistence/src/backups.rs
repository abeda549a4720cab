//! The catalogue of backups, and what a database was restored from.

use domain::Moment;
use domain::ids::{BackupId, CoachId, SubjectId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::entities::{
    backup_copy, login, one_time_token, portal_proof, portal_session, restore_run, subject, tombstone,
};

/// Enters a backup.
///
/// # Errors
/// When the database fails.
pub async fn enter(conn: &impl ConnectionTrait, copy: backup_copy::Model) -> Result<(), DbErr> {
    backup_copy::Entity::insert(backup_copy::ActiveModel::from(copy).reset_all())
        .on_conflict(OnConflict::column(backup_copy::Column::Id).do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Notes that a backup was read back and is whole.
///
/// # Errors
/// When the database fails.
pub async fn verified(conn: &impl ConnectionTrait, id: BackupId, now: Moment) -> Result<(), DbErr> {
    backup_copy::Entity::update_many()
        .col_expr(backup_copy::Column::VerifiedAt, Expr::value(Some(now)))
        .filter(backup_copy::Column::Id.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// Notes that backups are gone. Returns how many were still thought to be there.
///
/// # Errors
/// When the database fails.
pub async fn removed(conn: &impl ConnectionTrait, ids: &[BackupId], now: Moment) -> Result<u64, DbErr> {
    let done = backup_copy::Entity::update_many()
        .col_expr(backup_copy::Column::RemovedAt, Expr::value(Some(now)))
        .filter(backup_copy::Column::Id.is_in(ids.iter().copied()))
        .filter(backup_copy::Column::RemovedAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}

/// Takes backups out of the catalogue that were removed before a moment.
///
/// # Errors
/// When the database fails.
pub async fn forget(conn: &impl ConnectionTrait, removed_before: Moment) -> Result<u64, DbErr> {
    let gone = backup_copy::Entity::delete_many().filter(backup_copy::Column::RemovedAt.lt(removed_before));
    Ok(gone.exec(conn).await?.rows_affected)
}

/// When the newest backup of a store was made.
///
/// # Errors
/// When the database fails.
pub async fn newest(conn: &impl ConnectionTrait, store: &str) -> Result<Option<Moment>, DbErr> {
    backup_copy::Entity::find()
        .select_only()
        .column(backup_copy::Column::CreatedAt)
        .filter(backup_copy::Column::Store.eq(store))
        .filter(backup_copy::Column::RemovedAt.is_null())
        .order_by_desc(backup_copy::Column::CreatedAt)
        .into_tuple()
        .one(conn)
        .await
}

/// A restore that is not finished: nobody may be served.
///
/// # Errors
/// When the database fails.
pub async fn unfinished_restore(conn: &impl ConnectionTrait) -> Result<Option<restore_run::Model>, DbErr> {
    restore_run::Entity::find().filter(restore_run::Column::FinishedAt.is_null()).one(conn).await
}

/// Notes that a database was loaded from a backup and is not yet as it has to be. One loaded from the same backup
/// before begins again.
///
/// # Errors
/// When the database fails.
pub async fn begin_restore(conn: &impl ConnectionTrait, run: restore_run::Model) -> Result<(), DbErr> {
    let again = OnConflict::column(restore_run::Column::Id)
        .update_columns([restore_run::Column::RestoredAt, restore_run::Column::FinishedAt])
        .to_owned();
    restore_run::Entity::insert(restore_run::ActiveModel::from(run).reset_all())
        .on_conflict(again)
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Notes that it is.
///
/// # Errors
/// When the database fails.
pub async fn finish_restore(conn: &impl ConnectionTrait, id: BackupId, now: Moment) -> Result<(), DbErr> {
    restore_run::Entity::update_many()
        .col_expr(restore_run::Column::FinishedAt, Expr::value(Some(now)))
        .filter(restore_run::Column::Id.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// Ends every session and every mailed link: what was revoked after the snapshot would be good again otherwise.
///
/// # Errors
/// When the database fails.
pub async fn sign_everybody_out(conn: &impl ConnectionTrait) -> Result<(), DbErr> {
    login::Entity::delete_many().exec(conn).await?;
    one_time_token::Entity::delete_many().exec(conn).await?;
    portal_session::Entity::delete_many().exec(conn).await?;
    portal_proof::Entity::delete_many().exec(conn).await?;
    Ok(())
}

/// Every tombstone of the business database.
///
/// # Errors
/// When the database fails.
pub async fn tombstones(conn: &impl ConnectionTrait) -> Result<Vec<tombstone::Model>, DbErr> {
    tombstone::Entity::find().order_by_asc(tombstone::Column::Id).all(conn).await
}

/// Writes a tombstone into the business database; one that is there stays.
///
/// # Errors
/// When the database fails.
pub async fn put_tombstone(conn: &impl ConnectionTrait, tombstone: tombstone::Model) -> Result<(), DbErr> {
    tombstone::Entity::insert(tombstone::ActiveModel::from(tombstone).reset_all())
        .on_conflict(OnConflict::column(tombstone::Column::Id).do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Ids of every viewer of a coach.
///
/// # Errors
/// When the database fails.
pub async fn subject_ids(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Vec<SubjectId>, DbErr> {
    subject::Entity::find()
        .select_only()
        .column(subject::Column::Id)
        .filter(subject::Column::CoachId.eq(coach))
        .into_tuple()
        .all(conn)
        .await
}

/// A viewer who was there before a moment: one who registered again afterwards is somebody new.
///
/// # Errors
/// When the database fails.
pub async fn subject_from_before(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    email_index: &[u8],
    before: Moment,
) -> Result<Option<SubjectId>, DbErr> {
    subject::Entity::find()
        .select_only()
        .column(subject::Column::Id)
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::EmailBidx.eq(email_index.to_vec()))
        .filter(subject::Column::CreatedAt.lt(before))
        .into_tuple()
        .one(conn)
        .await
}
