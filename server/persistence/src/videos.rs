//! Queries of recordings, uploads and captions.

use domain::Moment;
use domain::ids::{CaptionId, CoachId, UploadId, VideoId, WebinarId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
};

use crate::Error;
use crate::entities::{caption, upload, video, webinar};

/// Uploads a coach may have open at once.
pub const MAX_OPEN_UPLOADS: u64 = 20;
/// Caption tracks of one recording.
pub const MAX_CAPTIONS: u64 = 20;

/// One of the coach's uploads.
///
/// # Errors
/// When the database fails.
pub async fn upload(conn: &impl ConnectionTrait, coach: CoachId, id: UploadId) -> Result<Option<upload::Model>, Error> {
    Ok(upload::Entity::find_by_id(id).filter(upload::Column::CoachId.eq(coach)).one(conn).await?)
}

/// Uploads a coach can go on with, newest first; all webinars when `webinar` is `None`.
///
/// # Errors
/// When the database fails.
pub async fn open_uploads(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: Option<WebinarId>,
    now: Moment,
) -> Result<Vec<upload::Model>, Error> {
    let mut query = upload::Entity::find()
        .filter(upload::Column::CoachId.eq(coach))
        .filter(upload::Column::State.eq("open"))
        .filter(upload::Column::ExpiresAt.gt(now));
    if let Some(webinar) = webinar {
        query = query.filter(upload::Column::WebinarId.eq(webinar));
    }
    Ok(query.order_by_desc(upload::Column::CreatedAt).limit(MAX_OPEN_UPLOADS).all(conn).await?)
}

/// Uploads nobody went on with in time.
///
/// # Errors
/// When the database fails.
pub async fn stale_uploads(conn: &impl ConnectionTrait, now: Moment) -> Result<Vec<upload::Model>, Error> {
    Ok(upload::Entity::find()
        .filter(upload::Column::State.eq("open"))
        .filter(upload::Column::ExpiresAt.lte(now))
        .limit(500)
        .all(conn)
        .await?)
}

/// Notes how far an upload is durable, unless somebody else moved it from `offset_was` meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn advance_upload(
    conn: &impl ConnectionTrait,
    id: UploadId,
    offset_was: i64,
    offset: i64,
    staged: &str,
    now: Moment,
    expires_at: Moment,
) -> Result<bool, Error> {
    let done = upload::Entity::update_many()
        .col_expr(upload::Column::OffsetBytes, Expr::value(offset))
        .col_expr(upload::Column::Parts, Expr::value(staged))
        .col_expr(upload::Column::UpdatedAt, Expr::value(now))
        .col_expr(upload::Column::ExpiresAt, Expr::value(expires_at))
        .filter(upload::Column::Id.eq(id))
        .filter(upload::Column::OffsetBytes.eq(offset_was))
        .filter(upload::Column::State.eq("open"))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Ends an upload.
///
/// # Errors
/// When the database fails.
pub async fn end_upload(
    conn: &impl ConnectionTrait,
    id: UploadId,
    state: &str,
    note: Option<&str>,
    video: Option<VideoId>,
    now: Moment,
) -> Result<bool, Error> {
    let ended = upload::Entity::update_many()
        .col_expr(upload::Column::State, Expr::value(state))
        .col_expr(upload::Column::Note, Expr::value(note.map(str::to_owned)))
        .col_expr(upload::Column::VideoId, Expr::value(video))
        .col_expr(upload::Column::UpdatedAt, Expr::value(now))
        .filter(upload::Column::Id.eq(id))
        .filter(upload::Column::State.eq("open"))
        .exec(conn)
        .await?;
    Ok(ended.rows_affected == 1)
}

/// One of the coach's recordings.
///
/// # Errors
/// When the database fails.
pub async fn video(conn: &impl ConnectionTrait, coach: CoachId, id: VideoId) -> Result<Option<video::Model>, Error> {
    Ok(video::Entity::find_by_id(id).filter(video::Column::CoachId.eq(coach)).one(conn).await?)
}

/// The highest version of a webinar's recordings; 0 when there is none.
///
/// # Errors
/// When the database fails.
pub async fn last_version(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<i32, Error> {
    let last: Option<i32> = video::Entity::find()
        .select_only()
        .column(video::Column::Version)
        .filter(video::Column::WebinarId.eq(webinar))
        .order_by_desc(video::Column::Version)
        .into_tuple()
        .one(conn)
        .await?;
    Ok(last.unwrap_or(0))
}

/// Makes a recording the one a webinar plays.
///
/// # Errors
/// When the database fails.
pub async fn make_current(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    video: VideoId,
    now: Moment,
) -> Result<(), Error> {
    webinar::Entity::update_many()
        .col_expr(webinar::Column::CurrentVideoId, Expr::value(video))
        .col_expr(webinar::Column::UpdatedAt, Expr::value(now))
        .filter(webinar::Column::Id.eq(webinar))
        .filter(webinar::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    Ok(())
}

/// Bytes a coach's recordings and open uploads take.
///
/// # Errors
/// When the database fails.
pub async fn used_bytes(conn: &impl ConnectionTrait, coach: CoachId) -> Result<i64, Error> {
    let kept: Vec<i64> = video::Entity::find()
        .select_only()
        .column(video::Column::SizeBytes)
        .filter(video::Column::CoachId.eq(coach))
        .into_tuple()
        .all(conn)
        .await?;
    let arriving: Vec<i64> = upload::Entity::find()
        .select_only()
        .column(upload::Column::LengthBytes)
        .filter(upload::Column::CoachId.eq(coach))
        .filter(upload::Column::State.eq("open"))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(kept.into_iter().chain(arriving).sum())
}

/// Caption tracks of a recording, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn captions(conn: &impl ConnectionTrait, video: VideoId) -> Result<Vec<caption::Model>, Error> {
    Ok(caption::Entity::find()
        .filter(caption::Column::VideoId.eq(video))
        .order_by_asc(caption::Column::CreatedAt)
        .limit(MAX_CAPTIONS)
        .all(conn)
        .await?)
}

/// One caption track by id, without its owner: for addresses that carry their own proof.
///
/// # Errors
/// When the database fails.
pub async fn signed_caption(conn: &impl ConnectionTrait, id: CaptionId) -> Result<Option<caption::Model>, Error> {
    Ok(caption::Entity::find_by_id(id).one(conn).await?)
}

/// One recording by id, without its owner: for addresses that carry their own proof.
///
/// # Errors
/// When the database fails.
pub async fn signed_video(conn: &impl ConnectionTrait, id: VideoId) -> Result<Option<video::Model>, Error> {
    Ok(video::Entity::find_by_id(id).one(conn).await?)
}

/// Number of caption tracks of a recording.
///
/// # Errors
/// When the database fails.
pub async fn count_captions(conn: &impl ConnectionTrait, video: VideoId) -> Result<u64, Error> {
    Ok(caption::Entity::find().filter(caption::Column::VideoId.eq(video)).count(conn).await?)
}

/// Writes what the background work found.
///
/// # Errors
/// When the database fails.
pub async fn finish_processing(conn: &impl ConnectionTrait, video: video::Model, work: Processed) -> Result<(), Error> {
    let mut row: video::ActiveModel = video.into();
    row.state = Set(work.state.to_owned());
    row.note = Set(work.note);
    row.sha256 = Set(Some(work.sha256));
    row.playable_key = Set(work.playable_key);
    row.poster_count = Set(work.poster_count);
    row.update(conn).await?;
    Ok(())
}

/// What the background work found.
pub struct Processed {
    /// Stored form of the state.
    pub state: &'static str,
    /// What could not be done.
    pub note: Option<String>,
    /// Checksum of the uploaded bytes.
    pub sha256: Vec<u8>,
    /// What the player fetches.
    pub playable_key: String,
    /// Poster candidates made.
    pub poster_count: i32,
}
