//! Recordings: adopting an upload, the background work on it, and how pages see it.

use std::path::PathBuf;

use bytes::Bytes;
use domain::ids::{CoachId, VideoId, WebinarId};
use domain::rights::AccountState;
use domain::video::{PosterCandidate, VideoState, VideoView};
use domain::{Refusal, RefusalKind};
use futures::StreamExt;
use media::source::ReadAt;
use persistence::entities::{upload, video};
use persistence::{rights, videos as queries};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use sha2::{Digest, Sha256};
use storage::Bucket;

use crate::links::MediaKind;
use crate::rights::fence::{hold_changeable, public};
use crate::{Backend, Coach, Error, Result};

/// Kind of the job that does the background work on a recording.
pub const PROCESS_VIDEO: &str = "process_video";
/// Poster candidates taken from a recording.
const POSTERS: usize = 6;
/// Largest recording fetched from S3 to make posters of it; larger ones keep the first frame.
const POSTER_FETCH_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// A stored object, read by offset.
struct ObjectSource {
    bucket: Bucket,
    key: String,
    length: u64,
}

impl ReadAt for ObjectSource {
    fn len(&self) -> u64 {
        self.length
    }

    async fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Bytes> {
        let end = offset.saturating_add(length as u64).min(self.length);
        if offset >= end {
            return Ok(Bytes::new());
        }
        self.bucket.get_range(&self.key, offset..end).await.map_err(std::io::Error::other)
    }
}

/// Objects the background work made.
struct Made {
    original: String,
    playable: String,
    posters: i32,
}

impl Backend {
    async fn object_source(&self, key: &str) -> Result<ObjectSource> {
        Ok(ObjectSource { bucket: self.bucket().clone(), key: key.to_owned(), length: self.bucket().size(key).await? })
    }

    /// Makes a recording of a whole upload, or refuses it with the reason.
    pub(crate) async fn adopt_recording(&self, upload: &upload::Model) -> Result<()> {
        let source = self.object_source(&upload.object_key).await?;
        let probe = match media::probe::probe(&source).await {
            Ok(probe) => probe,
            Err(error) if error.is_refusal() => {
                return Err(Refusal::new(RefusalKind::Invalid, error.to_string()).into());
            }
            Err(error) => return Err(Error::fault("look into a recording", error)),
        };
        let now = self.now();
        let id = VideoId::new();
        let transaction = self.db().begin().await?;
        hold_changeable(&transaction, upload.coach_id).await?;
        // The request that brought the last byte and the job behind it may both be here.
        if !queries::end_upload(&transaction, upload.id, "complete", None, Some(id), now).await? {
            return Ok(());
        }
        let version = queries::last_version(&transaction, upload.webinar_id).await? + 1;
        let row = video::ActiveModel {
            id: Set(id),
            coach_id: Set(upload.coach_id),
            webinar_id: Set(upload.webinar_id),
            version: Set(version),
            state: Set(VideoState::Processing.as_str().to_owned()),
            note: Set(None),
            file_name: Set(upload.file_name.clone()),
            size_bytes: Set(upload.length_bytes),
            sha256: Set(None),
            content_type: Set(probe.content_type.to_owned()),
            container: Set(probe.container.as_str().to_owned()),
            duration_ms: Set((probe.duration_seconds * 1000.0).round() as i64),
            width: Set(i32::try_from(probe.width).unwrap_or(0)),
            height: Set(i32::try_from(probe.height).unwrap_or(0)),
            video_codec: Set(probe.video_codec.to_owned()),
            audio_codec: Set(probe.audio_codec.unwrap_or_default().to_owned()),
            object_key: Set(upload.object_key.clone()),
            playable_key: Set(upload.object_key.clone()),
            poster_count: Set(0),
            poster_index: Set(0),
            created_at: Set(now),
        };
        row.insert(&transaction).await?;
        queries::make_current(&transaction, upload.coach_id, upload.webinar_id, id, now).await?;
        let job = jobs::NewJob {
            kind: PROCESS_VIDEO,
            payload: serde_json::json!({ "video": id }),
            run_at: now,
            idempotency_key: Some(format!("{PROCESS_VIDEO}:{id}")),
            max_attempts: 5,
        };
        jobs::enqueue(&transaction, job, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }

    /// The background work: checksum, faststart, posters. Every step can be done again; nothing partial is visible,
    /// because objects appear whole and the row is written last. When the account or the recording went meanwhile, what
    /// was made goes as well: the eraser may have looked before it was there.
    pub(crate) async fn process_video(&self, id: VideoId) -> Result<()> {
        let Some(row) = video::Entity::find_by_id(id).one(self.db().reader()).await? else {
            return Ok(());
        };
        if row.state != VideoState::Processing.as_str() {
            return Ok(());
        }
        let sha256 = self.checksum(&row).await?;
        let playable_key = self.make_faststart(&row).await?;
        let (poster_count, note) = match self.make_posters(&row, &playable_key).await {
            Ok(count) => (count, None),
            Err(error) => {
                tracing::warn!(error = crate::error::chain(&error), "posters could not be made");
                (
                    0,
                    Some(
                        "The recording plays. Pictures could not be taken from it, so the page shows its first frame."
                            .to_owned(),
                    ),
                )
            }
        };
        let state = if note.is_some() { VideoState::ReadyWithoutExtras } else { VideoState::Ready };
        let made = Made { original: row.object_key.clone(), playable: playable_key.clone(), posters: poster_count };
        let work = queries::Processed { state: state.as_str(), note, sha256, playable_key, poster_count };
        let transaction = self.db().begin().await?;
        let account = rights::hold_account(&transaction, row.coach_id).await?;
        let is_kept = account.is_some_and(|state| state != AccountState::Erasing)
            && queries::video(&transaction, row.coach_id, row.id).await?.is_some();
        if !is_kept {
            drop(transaction);
            return self.remove_made(&made).await;
        }
        queries::finish_processing(&transaction, row, work).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn remove_made(&self, made: &Made) -> Result<()> {
        if made.playable != made.original {
            self.bucket().delete(&made.playable).await?;
        }
        for index in 0..usize::try_from(made.posters).unwrap_or(0) {
            self.bucket().delete(&poster_key(&made.original, index)).await?;
        }
        Ok(())
    }

    async fn checksum(&self, row: &video::Model) -> Result<Vec<u8>> {
        let mut hash = Sha256::new();
        let mut bytes = self.bucket().read(&row.object_key, 0..row.size_bytes.unsigned_abs()).await?;
        while let Some(chunk) = bytes.next().await {
            hash.update(&chunk?);
        }
        Ok(hash.finalize().to_vec())
    }

    async fn make_faststart(&self, row: &video::Model) -> Result<String> {
        let source = self.object_source(&row.object_key).await?;
        let plan = match media::faststart::faststart_plan(&source).await {
            Ok(Some(plan)) => plan,
            Ok(None) => return Ok(row.object_key.clone()),
            Err(error) => {
                // It plays as it is, only a little later.
                tracing::warn!(error = crate::error::chain(&error), "a recording was left as it is");
                return Ok(row.object_key.clone());
            }
        };
        let key = row.object_key.replace("/original", "/playable");
        let bucket = self.bucket().clone();
        let from = row.object_key.clone();
        let bytes = futures::stream::iter(plan.segments)
            .then(move |segment| {
                let (bucket, from) = (bucket.clone(), from.clone());
                async move {
                    match segment {
                        media::faststart::Segment::Bytes(bytes) => {
                            Ok(futures::stream::once(async move { Ok(bytes) }).boxed())
                        }
                        media::faststart::Segment::Copy { offset, length } => {
                            bucket.read(&from, offset..offset + length).await
                        }
                    }
                }
            })
            .flat_map(|opened| match opened {
                Ok(stream) => stream,
                Err(error) => futures::stream::once(async move { Err(error) }).boxed(),
            });
        self.bucket().put_stream(&key, bytes.boxed()).await?;
        Ok(key)
    }

    async fn make_posters(&self, row: &video::Model, playable_key: &str) -> Result<i32> {
        let Some(tool) = self.still_maker().await else {
            return Ok(0);
        };
        let folder = self.config().work_dir.join(format!("posters-{}", row.id));
        tokio::fs::create_dir_all(&folder).await.map_err(|error| Error::fault("make a work folder", error))?;
        let made = self.posters_in(tool, row, playable_key, &folder).await;
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await {
            tracing::warn!(%error, "a work folder was left behind");
        }
        made
    }

    async fn posters_in(
        &self,
        tool: &media::ffmpeg::Tool,
        row: &video::Model,
        key: &str,
        folder: &std::path::Path,
    ) -> Result<i32> {
        let Some(input) = self.poster_input(key, folder).await? else {
            return Ok(0);
        };
        let duration = row.duration_ms as f64 / 1000.0;
        let at: Vec<f64> = (0..POSTERS).map(|i| duration * (i as f64 + 0.5) / POSTERS as f64).collect();
        let pictures = tool
            .posters(&input, &at, folder)
            .await
            .map_err(|error| Error::fault("take pictures of a recording", error))?;
        // A place past the end gives none, so candidates are numbered by what was made.
        for (index, picture) in pictures.iter().enumerate() {
            let bytes = tokio::fs::read(picture).await.map_err(|error| Error::fault("read a picture", error))?;
            self.bucket().put(&poster_key(&row.object_key, index), bytes.into()).await?;
        }
        Ok(i32::try_from(pictures.len()).unwrap_or(0))
    }

    /// A file ffmpeg can open: the object itself, or a copy fetched from S3 when it is not too large.
    async fn poster_input(&self, key: &str, folder: &std::path::Path) -> Result<Option<PathBuf>> {
        if let Some(path) = self.bucket().local_path(key) {
            return Ok(Some(path));
        }
        let length = self.bucket().size(key).await?;
        if length > POSTER_FETCH_BYTES {
            return Ok(None);
        }
        let path = folder.join("recording");
        let fault = |error| Error::fault("fetch a recording", error);
        let mut file = tokio::fs::File::create(&path).await.map_err(fault)?;
        let mut bytes = self.bucket().read(key, 0..length).await?;
        while let Some(chunk) = bytes.next().await {
            tokio::io::AsyncWriteExt::write_all(&mut file, &chunk?).await.map_err(fault)?;
        }
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(fault)?;
        Ok(Some(path))
    }

    /// Signed address of a recording's chosen poster.
    #[must_use]
    pub fn poster_url(&self, row: &video::Model) -> Option<String> {
        (row.poster_count > 0).then(|| self.media_url(MediaKind::Poster, &format!("{}-{}", row.id, row.poster_index)))
    }

    /// A recording as the editor shows it.
    pub(crate) async fn video_view(&self, conn: &impl ConnectionTrait, row: &video::Model) -> Result<VideoView> {
        let captions = queries::captions(conn, row.id).await?.iter().map(|track| self.caption_track(track)).collect();
        let candidates = (0..row.poster_count)
            .map(|index| PosterCandidate {
                index,
                url: self.media_url(MediaKind::Poster, &format!("{}-{index}", row.id)),
                chosen: index == row.poster_index,
            })
            .collect();
        Ok(VideoView {
            id: row.id,
            version: row.version,
            state: VideoState::from_stored(&row.state).unwrap_or(VideoState::ReadyWithoutExtras),
            note: row.note.clone(),
            file_name: row.file_name.clone(),
            size_bytes: row.size_bytes,
            duration_seconds: row.duration_ms as f64 / 1000.0,
            width: row.width,
            height: row.height,
            media_url: self.recording_url(row),
            content_type: row.content_type.clone(),
            poster_url: self.poster_url(row),
            poster_candidates: candidates,
            captions,
            created_at: row.created_at,
        })
    }

    /// Where a recording is played from. What was uploaded and what was put in order for a faster start are two files
    /// with two addresses: whoever began to watch one goes on with its bytes.
    pub(crate) fn recording_url(&self, row: &video::Model) -> String {
        let is_reordered = u8::from(row.playable_key != row.object_key);
        self.media_url(MediaKind::Video, &format!("{}-{is_reordered}", row.id))
    }

    /// Whether media of a coach are served: to anybody while her account is public, to herself as long as it is there.
    async fn serves(&self, coach: CoachId, token: Option<&str>) -> Result<()> {
        let state = persistence::accounts::state(self.db().reader(), coach).await?;
        let served = public(state);
        match (served, state, token) {
            (Err(_), Some(_), Some(token)) if self.coach_by_token(token).await?.is_some_and(|c| c.id == coach) => {
                Ok(())
            }
            (served, ..) => served,
        }
    }

    /// What a signed media address stands for. The caller has checked the signature; `token` is the session of whoever
    /// asks, if there is one.
    ///
    /// # Errors
    /// Refuses what is no longer there, and media of a coach who closes or rests her account, except to herself.
    pub async fn signed_object(&self, kind: MediaKind, name: &str, token: Option<&str>) -> Result<SignedObject> {
        let reader = self.db().reader();
        match kind {
            MediaKind::Video => {
                let (id, which) = name.rsplit_once('-').ok_or_else(Refusal::not_found)?;
                let id: VideoId = id.parse().map_err(|_| Refusal::not_found())?;
                let row = queries::signed_video(reader, id).await?.ok_or_else(Refusal::not_found)?;
                self.serves(row.coach_id, token).await?;
                let (key, length) = match which {
                    "0" => (row.object_key, row.size_bytes.unsigned_abs()),
                    _ => (row.playable_key.clone(), self.bucket().size(&row.playable_key).await?),
                };
                let etag = format!("\"{}-{which}\"", row.id.0.simple());
                Ok(SignedObject::Stored { key, length, content_type: row.content_type, etag, modified: row.created_at })
            }
            MediaKind::Poster => {
                let (id, index) = name.rsplit_once('-').ok_or_else(Refusal::not_found)?;
                let id: VideoId = id.parse().map_err(|_| Refusal::not_found())?;
                let index: usize = index.parse().map_err(|_| Refusal::not_found())?;
                let row = queries::signed_video(reader, id).await?.ok_or_else(Refusal::not_found)?;
                self.serves(row.coach_id, token).await?;
                self.small_object(poster_key(&row.object_key, index), "image/jpeg", row.created_at).await
            }
            MediaKind::Caption => {
                let id = name.parse().map_err(|_| Refusal::not_found())?;
                let row = queries::signed_caption(reader, id).await?.ok_or_else(Refusal::not_found)?;
                let video = queries::signed_video(reader, row.video_id).await?.ok_or_else(Refusal::not_found)?;
                self.serves(video.coach_id, token).await?;
                Ok(SignedObject::Text { content_type: "text/vtt; charset=utf-8", text: row.webvtt })
            }
            MediaKind::Logo => {
                let id = name.rsplit_once('-').map(|(id, _key)| id).ok_or_else(Refusal::not_found)?;
                let id: WebinarId = id.parse().map_err(|_| Refusal::not_found())?;
                let row = persistence::entities::webinar::Entity::find_by_id(id)
                    .one(reader)
                    .await?
                    .ok_or_else(Refusal::not_found)?;
                self.serves(row.coach_id, token).await?;
                let key = row.logo_key.ok_or_else(Refusal::not_found)?;
                self.small_object(key, "image/png", row.updated_at).await
            }
        }
    }

    async fn small_object(&self, key: String, content_type: &str, modified: domain::Moment) -> Result<SignedObject> {
        let length = match self.bucket().size(&key).await {
            Ok(length) => length,
            Err(error) if error.is_missing() => return Err(Refusal::not_found().into()),
            Err(error) => return Err(error.into()),
        };
        let mac = self.secrets().mac("etag", &[key.as_bytes()]);
        Ok(SignedObject::Stored {
            key,
            length,
            content_type: content_type.to_owned(),
            etag: format!("\"{}\"", hex::encode(&mac[..8])),
            modified,
        })
    }
}

/// What a signed media address leads to.
#[derive(Clone, Debug)]
pub enum SignedObject {
    /// An object in the bucket.
    Stored {
        /// Its key.
        key: String,
        /// Its size.
        length: u64,
        /// By content, never by name.
        content_type: String,
        /// Strong validator.
        etag: String,
        /// For `Last-Modified`.
        modified: domain::Moment,
    },
    /// A small text.
    Text {
        /// MIME type.
        content_type: &'static str,
        /// The text.
        text: String,
    },
}

fn poster_key(object_key: &str, index: usize) -> String {
    object_key.replace("/original", &format!("/poster-{index}.jpg"))
}

impl Coach {
    /// Chooses the picture viewers see before they press play.
    ///
    /// # Errors
    /// Refuses a recording that is not hers and a picture that does not exist.
    pub async fn choose_poster(&self, id: VideoId, index: i32) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = queries::video(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if !(0..row.poster_count).contains(&index) {
            return Err(Refusal::not_found().into());
        }
        let mut row: video::ActiveModel = row.into();
        row.poster_index = Set(index);
        row.update(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl Coach {
    /// The webinar a recording of hers belongs to.
    ///
    /// # Errors
    /// Refuses a recording that is not hers.
    pub async fn webinar_of(&self, id: VideoId) -> Result<WebinarId> {
        let row = queries::video(self.backend.db().reader(), self.id, id).await?.ok_or_else(Refusal::not_found)?;
        Ok(row.webinar_id)
    }
}
