//! Queries of archives: one row from the moment it is asked for until its seven days are over.
//!
//! Two workers may be at the same archive when one seemed dead: each writes to an object of its own, the row names the
//! latest, and only that one can finish.

use domain::Moment;
use domain::archive::ArchiveState;
use domain::ids::{CoachId, DekId, ExportId, LoginId, SubjectId};
use domain::rights::SubjectKind;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::entities::{export_archive, login, portal_session};

/// Rows of one listing: one a day, for seven days, and what failed.
const LIST_ROWS: u64 = 100;

/// An archive to be written.
pub struct NewArchive {
    /// Its id.
    pub id: ExportId,
    /// Whose account, or the controller of the viewer.
    pub coach: CoachId,
    /// Which viewer; without one it is the coach's own.
    pub subject: Option<SubjectId>,
    /// The key it will lie under.
    pub dek: DekId,
    /// What it is at, for people.
    pub step: &'static str,
    /// When it goes.
    pub expires_at: Moment,
}

/// Notes that an archive was asked for.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &impl ConnectionTrait, new: NewArchive, now: Moment) -> Result<(), DbErr> {
    let kind = if new.subject.is_some() { SubjectKind::Viewer } else { SubjectKind::Coach };
    let row = export_archive::ActiveModel {
        id: Set(new.id),
        subject_kind: Set(kind.as_str().to_owned()),
        coach_id: Set(new.coach),
        subject_id: Set(new.subject),
        dek_id: Set(new.dek),
        state: Set(ArchiveState::Queued.as_str().to_owned()),
        step: Set(new.step.to_owned()),
        done_rows: Set(0),
        total_rows: Set(0),
        omissions: Set(0),
        object_key: Set(None),
        size_bytes: Set(None),
        sha256: Set(None),
        downloads: Set(0),
        last_link_at: Set(None),
        created_at: Set(now),
        ready_at: Set(None),
        expires_at: Set(new.expires_at),
    };
    export_archive::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

fn of_person(coach: CoachId, subject: Option<SubjectId>) -> Condition {
    let theirs = Condition::all().add(export_archive::Column::CoachId.eq(coach));
    match subject {
        Some(subject) => theirs.add(export_archive::Column::SubjectId.eq(subject)),
        None => theirs.add(export_archive::Column::SubjectId.is_null()),
    }
}

/// Archives of a person, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: Option<SubjectId>,
) -> Result<Vec<export_archive::Model>, DbErr> {
    export_archive::Entity::find()
        .filter(of_person(coach, subject))
        .order_by_desc(export_archive::Column::CreatedAt)
        .order_by_desc(export_archive::Column::Id)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// One archive of a person.
///
/// # Errors
/// When the database fails.
pub async fn own(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: Option<SubjectId>,
    id: ExportId,
) -> Result<Option<export_archive::Model>, DbErr> {
    export_archive::Entity::find_by_id(id).filter(of_person(coach, subject)).one(conn).await
}

/// One archive by its id; for the worker, and for an address that carries its own proof.
///
/// # Errors
/// When the database fails.
pub async fn archive(conn: &impl ConnectionTrait, id: ExportId) -> Result<Option<export_archive::Model>, DbErr> {
    export_archive::Entity::find_by_id(id).one(conn).await
}

/// When a person last asked for an archive that was not given up.
///
/// # Errors
/// When the database fails.
pub async fn last_asked(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: Option<SubjectId>,
) -> Result<Option<Moment>, DbErr> {
    export_archive::Entity::find()
        .select_only()
        .column(export_archive::Column::CreatedAt)
        .filter(of_person(coach, subject))
        .filter(export_archive::Column::State.ne(ArchiveState::Failed.as_str()))
        .order_by_desc(export_archive::Column::CreatedAt)
        .into_tuple()
        .one(conn)
        .await
}

fn under_way(id: ExportId) -> Condition {
    let states = ArchiveState::ALL.into_iter().filter(|state| state.is_under_way()).map(ArchiveState::as_str);
    Condition::all().add(export_archive::Column::Id.eq(id)).add(export_archive::Column::State.is_in(states))
}

async fn change(
    conn: &impl ConnectionTrait,
    which: Condition,
    change: export_archive::ActiveModel,
) -> Result<bool, DbErr> {
    Ok(export_archive::Entity::update_many().set(change).filter(which).exec(conn).await?.rows_affected == 1)
}

/// Notes that a worker writes to this object from now on; tells whether the archive is still wanted.
///
/// # Errors
/// When the database fails.
pub async fn begin(conn: &impl ConnectionTrait, id: ExportId, object_key: &str) -> Result<bool, DbErr> {
    let begun = export_archive::ActiveModel {
        state: Set(ArchiveState::Writing.as_str().to_owned()),
        object_key: Set(Some(object_key.to_owned())),
        done_rows: Set(0),
        ..Default::default()
    };
    change(conn, under_way(id), begun).await
}

/// Notes how far a writing is; tells whether it is still this worker's, and wanted.
///
/// # Errors
/// When the database fails.
pub async fn progress(
    conn: &impl ConnectionTrait,
    id: ExportId,
    object_key: &str,
    step: &str,
    (done, total): (i64, i64),
) -> Result<bool, DbErr> {
    let going = export_archive::ActiveModel {
        step: Set(step.to_owned()),
        done_rows: Set(done),
        total_rows: Set(total),
        ..Default::default()
    };
    change(conn, under_way(id).add(export_archive::Column::ObjectKey.eq(object_key)), going).await
}

/// What came of a writing.
pub struct Written {
    /// Whole, or with gaps.
    pub state: ArchiveState,
    /// Things it should hold and does not.
    pub omissions: i32,
    /// Bytes to download.
    pub size_bytes: i64,
    /// Checksum of these bytes.
    pub sha256: Vec<u8>,
    /// When it goes.
    pub expires_at: Moment,
}

/// Notes that an archive is whole; tells whether it was still this worker's, and wanted.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    conn: &impl ConnectionTrait,
    id: ExportId,
    object_key: &str,
    written: Written,
    now: Moment,
) -> Result<bool, DbErr> {
    let done = export_archive::ActiveModel {
        state: Set(written.state.as_str().to_owned()),
        step: Set("Ready to be downloaded.".to_owned()),
        omissions: Set(written.omissions),
        size_bytes: Set(Some(written.size_bytes)),
        sha256: Set(Some(written.sha256)),
        ready_at: Set(Some(now)),
        expires_at: Set(written.expires_at),
        ..Default::default()
    };
    change(conn, under_way(id).add(export_archive::Column::ObjectKey.eq(object_key)), done).await
}

/// Ends an archive before its time: nothing can be fetched from it any more. Tells whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn end(conn: &impl ConnectionTrait, id: ExportId, state: ArchiveState, step: &str) -> Result<bool, DbErr> {
    let ended = export_archive::ActiveModel {
        state: Set(state.as_str().to_owned()),
        step: Set(step.to_owned()),
        object_key: Set(None),
        ..Default::default()
    };
    change(conn, Condition::all().add(export_archive::Column::Id.eq(id)), ended).await
}

/// Counts a download; tells whether it is one, or the one of this link that goes on. A link is
/// told from another one to the same archive by when it ends.
///
/// # Errors
/// When the database fails.
pub async fn note_download(conn: &impl ConnectionTrait, id: ExportId, link_ends_at: Moment) -> Result<bool, DbErr> {
    let no_link = export_archive::Column::LastLinkAt.is_null();
    let done = export_archive::Entity::update_many()
        .col_expr(export_archive::Column::Downloads, Expr::col(export_archive::Column::Downloads).add(1))
        .col_expr(export_archive::Column::LastLinkAt, Expr::value(Some(link_ends_at)))
        .filter(export_archive::Column::Id.eq(id))
        .filter(no_link.or(export_archive::Column::LastLinkAt.ne(link_ends_at)))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes that the person at this browser has just proven who they are.
///
/// # Errors
/// When the database fails.
pub async fn prove_login(conn: &impl ConnectionTrait, id: LoginId, now: Moment) -> Result<(), DbErr> {
    login::Entity::update_many()
        .col_expr(login::Column::ProvenAt, Expr::value(Some(now)))
        .filter(login::Column::Id.eq(id))
        .exec(conn)
        .await
        .map(drop)
}

/// When the person at this browser last proved who they are.
///
/// # Errors
/// When the database fails.
pub async fn login_proven_at(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: LoginId,
) -> Result<Option<Moment>, DbErr> {
    let row = login::Entity::find_by_id(id).filter(login::Column::CoachId.eq(coach)).one(conn).await?;
    Ok(row.and_then(|row| row.proven_at))
}

/// Whether a session of the viewers' portal, by the hash of its token, still stands.
///
/// # Errors
/// When the database fails.
pub async fn portal_session_stands(conn: &impl ConnectionTrait, hash: &[u8], now: Moment) -> Result<bool, DbErr> {
    let row = portal_session::Entity::find_by_id(hash.to_vec()).one(conn).await?;
    Ok(row.is_some_and(|row| row.expires_at > now))
}
