//! Resumable uploads: the state behind the tus routes.
//!
//! Who: a coach's browser, or any tus client with her session. How the data travels: request body → sniff of the
//! first bytes → staged object, made durable every [`CHECKPOINT_BYTES`] and at the end of every request → the offset
//! in the database, moved only after the bytes are durable. A crash therefore loses at most what came since the last
//! checkpoint, and never a byte that was acknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::ids::{CoachId, UploadId, VideoId, WebinarId};
use domain::video::{MAX_UPLOAD_BYTES, UploadView};
use domain::{Moment, Refusal, RefusalKind};
use futures::{Stream, StreamExt};
use persistence::entities::upload;
use persistence::videos as queries;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use sha1::{Digest, Sha1};
use storage::StagedUpload;

use crate::limits::Limit;
use crate::rights::fence::hold_changeable;
use crate::secrets::same;
use crate::{Backend, Coach, Error, Result};

/// Bytes between two durable points of one long request.
const CHECKPOINT_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes looked at before anything is kept.
const SNIFF_BYTES: usize = 4096;
/// An upload nobody goes on with is given up after this many days.
const EXPIRES_DAYS: i64 = 7;
/// Days an upload token works.
const TOKEN_DAYS: i64 = 1;
/// Kind of the job that finishes an upload whose server died at the last moment.
pub const FINISH_UPLOAD: &str = "finish_upload";
/// Seconds after which that job looks: the request itself has normally finished long before.
const FINISH_AFTER_SECONDS: i64 = 30;

/// One request at a time may write to an upload of this server.
#[derive(Default)]
pub(crate) struct UploadLocks(Mutex<HashMap<UploadId, Arc<tokio::sync::Mutex<()>>>>);

impl UploadLocks {
    fn of(&self, id: UploadId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if locks.len() > 1_000 {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        locks.entry(id).or_default().clone()
    }
}

/// What a client says an upload is (tus `Upload-Metadata`, decoded).
#[derive(Clone, Debug, Default)]
pub struct UploadMetadata {
    /// `filename`
    pub file_name: String,
    /// `webinar`; a new draft is made when it is not given.
    pub webinar: Option<WebinarId>,
}

/// A checksum of one request's body (tus checksum extension).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1, the algorithm every tus server must know.
    Sha1(Vec<u8>),
    /// SHA-256.
    Sha256(Vec<u8>),
}

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// Which.
    pub id: UploadId,
    /// Durable bytes.
    pub offset: u64,
    /// Whole length.
    pub length: u64,
    /// When it is given up.
    pub expires_at: Moment,
    /// Whether all of it arrived and became a recording.
    pub complete: bool,
}

/// What came of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Durable up to here.
    Upto(UploadStatus),
    /// The piece was damaged on the way; nothing of it was kept (tus 460).
    ChecksumMismatch,
    /// The client is not where the server is (tus 409).
    WrongOffset,
}

enum Hasher {
    None,
    Sha1(Sha1, Vec<u8>),
    Sha256(sha2::Sha256, Vec<u8>),
}

impl Hasher {
    fn new(checksum: Option<Checksum>) -> Self {
        match checksum {
            None => Self::None,
            Some(Checksum::Sha1(wanted)) => Self::Sha1(Sha1::new(), wanted),
            Some(Checksum::Sha256(wanted)) => Self::Sha256(sha2::Sha256::new(), wanted),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Sha1(hash, _) => hash.update(bytes),
            Self::Sha256(hash, _) => hash.update(bytes),
        }
    }

    const fn is_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn agrees(self) -> bool {
        match self {
            Self::None => true,
            Self::Sha1(hash, wanted) => hash.finalize().as_slice() == wanted.as_slice(),
            Self::Sha256(hash, wanted) => hash.finalize().as_slice() == wanted.as_slice(),
        }
    }
}

/// Who may upload, and where to: proven by a session or by an upload token.
#[derive(Clone)]
pub struct Uploader {
    backend: Backend,
    id: CoachId,
    target: Target,
}

#[derive(Clone)]
enum Target {
    /// Any webinar of the signed-in coach.
    Account(Box<Coach>),
    /// The one webinar an upload token was made for.
    Webinar(WebinarId),
}

impl Coach {
    /// The right to upload to any webinar of hers.
    #[must_use]
    pub fn uploader(&self) -> Uploader {
        Uploader { backend: self.backend.clone(), id: self.id, target: Target::Account(Box::new(self.clone())) }
    }

    /// A token with which another program may upload to one webinar for a day, without her session.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn upload_token(&self, webinar: WebinarId) -> Result<String> {
        self.own_webinar(webinar).await?;
        let expiry = self.backend.now().plus_days(TOKEN_DAYS).unix_seconds();
        let mut bytes = [self.id.as_bytes().as_slice(), webinar.as_bytes(), &expiry.to_be_bytes()].concat();
        let mac = self.backend.secrets().mac("upload-token", &[&bytes]);
        bytes.extend_from_slice(&mac);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Uploads of a webinar that can be gone on with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uploads(&self, webinar: WebinarId) -> Result<Vec<UploadView>> {
        let rows =
            queries::open_uploads(self.backend.db().reader(), self.id, Some(webinar), self.backend.now()).await?;
        Ok(rows
            .into_iter()
            .map(|row| UploadView {
                id: row.id,
                url: format!("/uploads/{}", row.id),
                file_name: row.file_name,
                length_bytes: row.length_bytes,
                offset_bytes: row.offset_bytes,
                expires_at: row.expires_at,
            })
            .collect())
    }
}

impl Backend {
    /// The right an upload token proves.
    ///
    /// # Errors
    /// Refuses a token that is not ours or has expired.
    pub fn uploader_by_token(&self, token: &str) -> Result<Uploader> {
        let refuse = || Error::from(Refusal::sign_in());
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refuse())?;
        let (claims, mac) = bytes.split_at_checked(40).ok_or_else(refuse)?;
        if !same(mac, &self.secrets().mac("upload-token", &[claims])) {
            return Err(refuse());
        }
        let id = |range: std::ops::Range<usize>| {
            <[u8; 16]>::try_from(&claims[range]).map(uuid::Uuid::from_bytes).map_err(|_| refuse())
        };
        let expiry = i64::from_be_bytes(<[u8; 8]>::try_from(&claims[32..]).map_err(|_| refuse())?);
        if Moment::from_unix_seconds(expiry) <= self.now() {
            return Err(refuse());
        }
        Ok(Uploader { backend: self.clone(), id: CoachId(id(0..16)?), target: Target::Webinar(WebinarId(id(16..32)?)) })
    }
}

impl Uploader {
    /// Begins an upload.
    ///
    /// # Errors
    /// Refuses an empty file, one over [`MAX_UPLOAD_BYTES`], one over the quota, too many open uploads, and a webinar
    /// that is not hers.
    pub async fn create_upload(&self, length: u64, metadata: UploadMetadata) -> Result<UploadStatus> {
        let backend = &self.backend;
        backend.limit(Limit::Upload, &self.id.to_string()).await?;
        if length == 0 {
            return Err(
                Refusal::new(RefusalKind::Invalid, "This file is empty. Please choose the recording again.").into()
            );
        }
        if length > MAX_UPLOAD_BYTES {
            return Err(Refusal::new(RefusalKind::TooLarge, format!("This file is larger than {}. Export the recording at 1080p or with a lower bit rate, and upload that.", domain::video::max_upload_text())).into());
        }
        let now = backend.now();
        // Before a draft is made for it, and again where nothing can come between.
        self.check_room(backend.db().reader(), length, now).await?;
        let file_name = clean_file_name(&metadata.file_name);
        let webinar = match (&self.target, metadata.webinar) {
            (Target::Webinar(target), None) => *target,
            (Target::Webinar(target), Some(wanted)) if *target == wanted => wanted,
            (Target::Webinar(_), Some(_)) => return Err(Refusal::not_found().into()),
            (Target::Account(coach), Some(wanted)) => coach.own_webinar(wanted).await?.id,
            // A program that knows nothing of webinars: the recording becomes a draft of its own.
            (Target::Account(coach), None) => {
                coach.create_webinar(file_name.rsplit_once('.').map_or(file_name.as_str(), |(stem, _)| stem)).await?
            }
        };
        let row = upload::ActiveModel {
            id: Set(UploadId::new()),
            coach_id: Set(self.id),
            webinar_id: Set(webinar),
            file_name: Set(file_name),
            length_bytes: Set(i64::try_from(length).unwrap_or(i64::MAX)),
            offset_bytes: Set(0),
            object_key: Set(format!("coaches/{}/videos/{}/original", self.id, VideoId::new())),
            parts: Set(serde_json::to_string(&StagedUpload::default())?),
            state: Set("open".to_owned()),
            note: Set(None),
            video_id: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            expires_at: Set(now.plus_days(EXPIRES_DAYS)),
        };
        let transaction = backend.db().begin().await?;
        persistence::accounts::lock(&transaction, self.id).await?;
        hold_changeable(&transaction, self.id).await?;
        self.check_room(&transaction, length, now).await?;
        let row = row.insert(&transaction).await?;
        transaction.commit().await?;
        Ok(status(&row))
    }

    async fn check_room(&self, conn: &impl ConnectionTrait, length: u64, now: Moment) -> Result<()> {
        let quota = self.backend.config().quota_bytes;
        let used = queries::used_bytes(conn, self.id).await?;
        if used.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)) > quota {
            let left = domain::video::size_text((quota - used).max(0) as f64);
            return Err(Refusal::new(RefusalKind::TooLarge, format!("Your storage has {left} left, and this file is larger. Remove a draft with a recording you no longer need.")).into());
        }
        if queries::open_uploads(conn, self.id, None, now).await?.len() as u64 >= queries::MAX_OPEN_UPLOADS {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "There are already 20 unfinished uploads. Finish or cancel one first.",
            )
            .into());
        }
        Ok(())
    }

    async fn own_upload(&self, id: UploadId) -> Result<upload::Model> {
        let row = queries::upload(self.backend.db().reader(), self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if let Target::Webinar(target) = &self.target
            && row.webinar_id != *target
        {
            return Err(Refusal::not_found().into());
        }
        match row.state.as_str() {
            "open" if row.expires_at <= self.backend.now() => Err(gone().into()),
            "expired" => Err(gone().into()),
            "refused" => {
                let note = row.note.clone().unwrap_or_else(|| "This file could not be used.".to_owned());
                Err(Refusal::new(RefusalKind::Gone, note).into())
            }
            _ => Ok(row),
        }
    }

    /// Where an upload stands (tus HEAD).
    ///
    /// # Errors
    /// Refuses one that is unknown or somebody else's alike, and one that expired or was refused.
    pub async fn upload_status(&self, id: UploadId) -> Result<UploadStatus> {
        Ok(status(&self.own_upload(id).await?))
    }

    /// Takes a piece of an upload (tus PATCH). When the body breaks off, what arrived is kept.
    ///
    /// # Errors
    /// Refuses what is no recording as soon as its first bytes show it, more bytes than announced, and uploads that
    /// are not hers, over or gone. When the account was closed between two pieces, what arrived is removed.
    pub async fn append<S, E>(&self, id: UploadId, offset: u64, checksum: Option<Checksum>, body: S) -> Result<Appended>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let lock = self.backend.upload_locks().of(id);
        let _one_writer = lock.lock().await;
        let row = self.own_upload(id).await?;
        if row.state == "complete" || row.offset_bytes.unsigned_abs() != offset {
            return Ok(Appended::WrongOffset);
        }
        let staged: StagedUpload = serde_json::from_str(&row.parts)?;
        let mut piece = Piece { uploader: self, noted: row.offset_bytes, row, hasher: Hasher::new(checksum) };
        let taken = piece.take(staged, body).await;
        if self.backend.is_closed_for(self.id, &taken).await? {
            self.backend.abort_upload(id).await?;
        }
        taken
    }

    /// Gives an upload up (tus DELETE).
    ///
    /// # Errors
    /// Refuses one that is unknown or somebody else's alike.
    pub async fn terminate_upload(&self, id: UploadId) -> Result<()> {
        let lock = self.backend.upload_locks().of(id);
        let _one_writer = lock.lock().await;
        let row = self.own_upload(id).await?;
        if row.state == "complete" {
            return Err(Refusal::not_found().into());
        }
        self.backend.give_up_upload(&row, "expired", None).await
    }
}

fn gone() -> Refusal {
    Refusal::new(
        RefusalKind::Gone,
        "This upload was not finished within seven days and was removed. Please start it again.",
    )
}

fn status(row: &upload::Model) -> UploadStatus {
    UploadStatus {
        id: row.id,
        offset: row.offset_bytes.unsigned_abs(),
        length: row.length_bytes.unsigned_abs(),
        expires_at: row.expires_at,
        complete: row.state == "complete",
    }
}

/// A file name fit to be shown: no path, no control characters, at most 200 characters. It never names an object.
fn clean_file_name(text: &str) -> String {
    let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    if name.trim().is_empty() { "recording".to_owned() } else { name.trim().to_owned() }
}

struct Piece<'a> {
    uploader: &'a Uploader,
    row: upload::Model,
    /// Offset as the database has it.
    noted: i64,
    hasher: Hasher,
}

impl Piece<'_> {
    async fn take<S, E>(&mut self, staged: StagedUpload, mut body: S) -> Result<Appended>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let backend = &self.uploader.backend;
        let length = self.row.length_bytes.unsigned_abs();
        let mut received = staged.offset;
        // Its first bytes may come in several pieces.
        let mut head = match usize::try_from(received) {
            Ok(known) if known < SNIFF_BYTES => {
                Some(backend.bucket().staged_start(&self.row.object_key, &staged).await?)
            }
            _ => None,
        };
        let mut writer = backend.bucket().staged_writer(&self.row.object_key, staged).await?;
        let mut since_checkpoint = 0;
        let mut broke_off = false;
        loop {
            let bytes = match body.next().await {
                Some(Ok(bytes)) => bytes,
                Some(Err(_)) => {
                    broke_off = true;
                    break;
                }
                None => break,
            };
            received += bytes.len() as u64;
            if received > length {
                return Err(Refusal::new(
                    RefusalKind::TooLarge,
                    "More bytes arrived than the upload announced. Please start it again.",
                )
                .into());
            }
            if let Some(first) = &mut head {
                first.extend_from_slice(&bytes[..bytes.len().min(SNIFF_BYTES)]);
                if first.len() >= SNIFF_BYTES.min(usize::try_from(length).unwrap_or(SNIFF_BYTES)) {
                    self.sniff(first).await?;
                    head = None;
                }
            }
            self.hasher.update(&bytes);
            writer.write(&bytes).await?;
            since_checkpoint += bytes.len() as u64;
            // A piece with a checksum counts only as a whole.
            if since_checkpoint >= CHECKPOINT_BYTES && !self.hasher.is_wanted() {
                let durable = writer.progress().await?;
                self.note(&durable).await?;
                since_checkpoint = 0;
            }
        }
        let hasher = std::mem::replace(&mut self.hasher, Hasher::None);
        if hasher.is_wanted() && (broke_off || !hasher.agrees()) {
            return Ok(Appended::ChecksumMismatch);
        }
        let durable = writer.checkpoint().await?;
        self.note(&durable).await?;
        drop(writer);
        if durable.offset == length {
            backend.finish_upload(self.row.id).await?;
            self.row = self.uploader.own_upload(self.row.id).await?;
        }
        Ok(Appended::Upto(status(&self.row)))
    }

    async fn sniff(&self, first: &[u8]) -> Result<()> {
        if let Err(not_media) = media::sniff::sniff(first) {
            let message = not_media.to_string();
            self.uploader.backend.give_up_upload(&self.row, "refused", Some(&message)).await?;
            return Err(Refusal::new(RefusalKind::WrongKind, message).into());
        }
        Ok(())
    }

    /// Moves the offset in the database, and with the last byte enqueues the job that finishes the upload should this
    /// process die before it does so itself.
    async fn note(&mut self, durable: &StagedUpload) -> Result<()> {
        let backend = &self.uploader.backend;
        let now = backend.now();
        let offset = i64::try_from(durable.offset).unwrap_or(i64::MAX);
        let expires_at = now.plus_days(EXPIRES_DAYS);
        let transaction = backend.db().begin().await?;
        hold_changeable(&transaction, self.row.coach_id).await?;
        let parts = serde_json::to_string(durable)?;
        if !queries::advance_upload(&transaction, self.row.id, self.noted, offset, &parts, now, expires_at).await? {
            return Err(Refusal::new(RefusalKind::Conflict, "Another connection is sending the same upload.").into());
        }
        if offset == self.row.length_bytes {
            let job = jobs::NewJob {
                kind: FINISH_UPLOAD,
                payload: serde_json::json!({ "upload": self.row.id }),
                run_at: now.plus_seconds(FINISH_AFTER_SECONDS),
                idempotency_key: Some(format!("{FINISH_UPLOAD}:{}", self.row.id)),
                max_attempts: 10,
            };
            jobs::enqueue(&transaction, job, now).await?;
        }
        transaction.commit().await?;
        self.noted = offset;
        self.row.offset_bytes = offset;
        self.row.expires_at = expires_at;
        Ok(())
    }
}

impl Backend {
    /// Whether a piece was refused because the account it was for can no longer be changed.
    async fn is_closed_for(&self, coach: CoachId, taken: &Result<Appended>) -> Result<bool> {
        if !matches!(taken, Err(Error::Refused(_))) {
            return Ok(false);
        }
        let state = persistence::accounts::state(self.db().reader(), coach).await?;
        Ok(!state.is_some_and(domain::rights::AccountState::may_be_changed))
    }

    /// Ends an upload whose account was closed under it, with the bytes that arrived since they were last noted.
    async fn abort_upload(&self, id: UploadId) -> Result<()> {
        let Some(row) = upload::Entity::find_by_id(id).one(self.db().reader()).await? else { return Ok(()) };
        if row.state == "open" {
            self.give_up_upload(&row, "expired", None).await?;
        }
        Ok(())
    }

    /// Ends every upload of an account that was just closed, so that no part of a recording stays behind.
    pub(crate) async fn abort_uploads_of(&self, coach: CoachId) -> Result<()> {
        for row in queries::open_uploads(self.db().reader(), coach, None, self.now()).await? {
            let lock = self.upload_locks().of(row.id);
            // Somebody who is just sending finds the account closed at the next piece, and ends it then.
            if let Ok(_one_writer) = lock.try_lock() {
                self.abort_upload(row.id).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn give_up_upload(&self, row: &upload::Model, state: &str, note: Option<&str>) -> Result<()> {
        let staged: StagedUpload = serde_json::from_str(&row.parts)?;
        self.bucket().abort_staged(&row.object_key, &staged).await?;
        let transaction = self.db().begin().await?;
        queries::end_upload(&transaction, row.id, state, note, None, self.now()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes uploads nobody went on with in time.
    pub(crate) async fn sweep_uploads(&self) -> Result<()> {
        for row in queries::stale_uploads(self.db().reader(), self.now()).await? {
            self.give_up_upload(&row, "expired", None).await?;
        }
        Ok(())
    }

    /// Turns a whole upload into a recording; doing it again changes nothing.
    pub(crate) async fn finish_upload(&self, id: UploadId) -> Result<()> {
        let Some(row) = upload::Entity::find_by_id(id).one(self.db().reader()).await? else {
            return Ok(());
        };
        if row.state != "open" || row.offset_bytes != row.length_bytes {
            return Ok(());
        }
        if !persistence::accounts::state(self.db().reader(), row.coach_id)
            .await?
            .is_some_and(domain::rights::AccountState::may_be_changed)
        {
            return self.give_up_upload(&row, "expired", None).await;
        }
        let staged: StagedUpload = serde_json::from_str(&row.parts)?;
        self.bucket().finish_staged(&row.object_key, &staged).await?;
        match self.adopt_recording(&row).await {
            Err(Error::Refused(refusal)) => {
                let transaction = self.db().begin().await?;
                let note = Some(refusal.message.as_str());
                if queries::end_upload(&transaction, row.id, "refused", note, None, self.now()).await? {
                    self.bucket().delete(&row.object_key).await?;
                }
                transaction.commit().await?;
                Err(refusal.into())
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_for_showing_only() {
        assert_eq!(clean_file_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_file_name("C:\\videos\\talk.mp4"), "talk.mp4");
        assert_eq!(clean_file_name("\u{7}"), "recording");
        assert_eq!(clean_file_name(&"x".repeat(900)).len(), 200);
    }

    #[test]
    fn a_damaged_piece_is_noticed() {
        let right = Sha1::digest(b"piece").to_vec();
        let mut hasher = Hasher::new(Some(Checksum::Sha1(right.clone())));
        hasher.update(b"pie");
        hasher.update(b"ce");
        assert!(hasher.agrees());
        let mut hasher = Hasher::new(Some(Checksum::Sha1(right)));
        hasher.update(b"peace");
        assert!(!hasher.agrees());
    }
}
