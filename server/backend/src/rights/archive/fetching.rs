//! Fetching an archive: a path that works for one person in one session for ten minutes, and the bytes it leads to,
//! opened piece by piece.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use domain::archive::LINK_SECONDS;
use domain::ids::{CoachId, ExportId, LoginId, SubjectId};
use domain::{Moment, Refusal, RefusalKind};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use persistence::entities::export_archive;
use persistence::exports as queries;
use persistence::sealed_file::{FileOpener, HEADER_BYTES};
use privacy::audit::Event;
use sha2::{Digest, Sha256};

use super::{CLASS, Whose, hold, person, role, state_of};
use crate::mails::about_rights::ARCHIVE_FETCHED;
use crate::secrets::same;
use crate::{Backend, Result};

/// In which session somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A signed-in browser of a coach.
    Login(LoginId),
    /// A session of the viewers' portal, by the hash of its token.
    Portal(Vec<u8>),
}

impl Session {
    /// The portal session a cookie's text stands for.
    #[must_use]
    pub fn portal(token: &str) -> Self {
        Self::Portal(Sha256::digest(token.as_bytes()).to_vec())
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Login(id) => id.as_bytes(),
            Self::Portal(hash) => hash,
        }
    }
}

/// An archive that may be fetched now.
pub struct Fetch {
    id: ExportId,
    coach: CoachId,
    subject: Option<SubjectId>,
    object: String,
    opener: FileOpener,
    expiry: i64,
    /// Bytes of the ZIP.
    pub size_bytes: u64,
    /// Its checksum, hex: what tells one archive from another.
    pub sha256: String,
    /// What the file is called.
    pub file_name: String,
    /// When it was whole.
    pub ready_at: Moment,
}

fn over() -> Refusal {
    Refusal::new(RefusalKind::Gone, "This archive is over: it was ended, or its seven days are. Ask for a new one.")
}

impl Backend {
    /// Where a viewer can fetch an archive for ten minutes, in this session of the portal and no other.
    ///
    /// # Errors
    /// Refuses one that is not theirs as one that is not there, and one that is not ready or over.
    pub async fn archive_link(&self, whose: Whose, id: ExportId, session: &str) -> Result<String> {
        self.signed_archive_path(whose, id, &Session::portal(session)).await
    }

    pub(super) async fn signed_archive_path(&self, whose: Whose, id: ExportId, session: &Session) -> Result<String> {
        let (coach, subject) = person(whose)?;
        let row = queries::own(self.db().reader(), coach, subject, id).await?.ok_or_else(Refusal::not_found)?;
        self.fetchable(&row)?;
        let expiry = self.now().unix_seconds() + LINK_SECONDS;
        let signature = self.archive_signature(&row, session, expiry);
        Ok(format!("/privacy/archives/{id}?e={expiry}&s={signature}"))
    }

    fn archive_signature(&self, row: &export_archive::Model, session: &Session, expiry: i64) -> String {
        let subject = row.subject_id.map_or(*row.coach_id.as_bytes(), |subject| *subject.as_bytes());
        let parts: [&[u8]; 4] = [row.id.as_bytes(), &subject, session.bytes(), &expiry.to_be_bytes()];
        URL_SAFE_NO_PAD.encode(self.secrets().mac("archive link", &parts))
    }

    fn fetchable(&self, row: &export_archive::Model) -> Result<()> {
        let state = state_of(row)?;
        if state.is_under_way() {
            let message = "This archive is still being written. You get a mail as soon as it is whole.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        if !state.can_be_fetched() || row.expires_at <= self.now() { Err(over().into()) } else { Ok(()) }
    }

    /// The session of whoever asks for this row, if it is one that may; nobody else learns that there is such a row.
    async fn session_for(
        &self,
        row: &export_archive::Model,
        login: Option<&str>,
        portal: Option<&str>,
    ) -> Result<Option<Session>> {
        if row.subject_id.is_none() {
            let Some(token) = login else { return Ok(None) };
            let coach = self.coach_by_token(token).await?;
            return Ok(coach.filter(|coach| coach.id() == row.coach_id).map(|coach| Session::Login(coach.login())));
        }
        let Some(token) = portal else { return Ok(None) };
        let session = Session::portal(token);
        let stands = queries::portal_session_stands(self.db().reader(), session.bytes(), self.now()).await?;
        Ok(stands.then_some(session))
    }

    /// An archive by its path. What was not signed for this session answers like an archive that is not there.
    ///
    /// # Errors
    /// Refuses a path that is not this session's, has run out, or leads to an archive that is over.
    pub async fn archive_to_fetch(
        &self,
        id: ExportId,
        (expiry, signature): (i64, &str),
        login: Option<&str>,
        portal: Option<&str>,
    ) -> Result<Fetch> {
        let row = queries::archive(self.db().reader(), id).await?.ok_or_else(Refusal::not_found)?;
        let session = self.session_for(&row, login, portal).await?.ok_or_else(Refusal::not_found)?;
        if !same(signature.as_bytes(), self.archive_signature(&row, &session, expiry).as_bytes()) {
            return Err(Refusal::not_found().into());
        }
        if Moment::from_unix_seconds(expiry) <= self.now() {
            let message = "This address worked for ten minutes, and they are over. Ask for the download once more.";
            return Err(Refusal::new(RefusalKind::Gone, message).into());
        }
        self.fetchable(&row)?;
        let key = self.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id).ok_or_else(over)?;
        let (Some(object), Some(size), Some(sha256), Some(ready_at)) =
            (row.object_key, row.size_bytes, row.sha256, row.ready_at)
        else {
            return Err(over().into());
        };
        let header = match self.bucket().get_range(&object, 0..HEADER_BYTES as u64).await {
            Err(error) if error.is_missing() => return Err(over().into()),
            header => header?,
        };
        let size_bytes = size.unsigned_abs();
        let opener = FileOpener::new(&key, *row.id.as_bytes(), &header, size_bytes)?;
        let day = ready_at.to_string();
        Ok(Fetch {
            id,
            coach: row.coach_id,
            subject: row.subject_id,
            object,
            opener,
            expiry,
            size_bytes,
            sha256: hex::encode(sha256),
            file_name: format!("mmw-export-{}-{id}.zip", day.get(..10).unwrap_or_default()),
            ready_at,
        })
    }

    /// Notes that an archive goes out, and tells its person: once for each path, however often it is tried.
    ///
    /// # Errors
    /// Refuses somebody who is being erased; and when the database fails.
    pub async fn note_fetch(&self, fetch: &Fetch) -> Result<()> {
        let now = self.now();
        let whose = (fetch.coach, fetch.subject);
        let transaction = self.db().begin().await?;
        hold(&transaction, fetch.coach, fetch.subject).await?;
        if !queries::note_download(&transaction, fetch.id, Moment::from_unix_seconds(fetch.expiry)).await? {
            // Going on with a download is no new one.
            return Ok(transaction.rollback().await?);
        }
        self.audit(&transaction, Event::Exported, role(fetch.subject), None, (CLASS, 1), now).await?;
        let once = format!("{}:{}", fetch.id, fetch.expiry);
        self.tell_of_archive(&transaction, whose, ARCHIVE_FETCHED, &once, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }

    /// The bytes of an archive, opened on the way.
    ///
    /// # Errors
    /// When the storage fails; an error later on ends the stream.
    pub async fn read_archive(
        &self,
        fetch: Fetch,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, storage::Error>>> {
        if range.is_empty() {
            return Ok(futures::stream::empty().boxed());
        }
        let lying = fetch.opener.lying(&range)?;
        let sealed = self.bucket().read(&fetch.object, lying.sealed.clone()).await?;
        let pieces = Pieces {
            sealed,
            opener: fetch.opener,
            object: fetch.object,
            buffer: BytesMut::new(),
            number: lying.first,
            skip: lying.skip,
            left: range.end - range.start,
        };
        let stream = futures::stream::try_unfold(pieces, |mut pieces| async move {
            Ok(pieces.next().await?.map(|bytes| (bytes, pieces)))
        });
        Ok(stream.boxed())
    }
}

/// Pieces on their way from the storage to whoever fetches them.
struct Pieces {
    sealed: BoxStream<'static, Result<Bytes, storage::Error>>,
    opener: FileOpener,
    object: String,
    buffer: BytesMut,
    number: u32,
    skip: usize,
    left: u64,
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, storage::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        while self.buffer.len() < FileOpener::SEALED_PIECE_BYTES {
            match self.sealed.try_next().await? {
                Some(more) => self.buffer.extend_from_slice(&more),
                None => break,
            }
        }
        let piece = self.buffer.split_to(self.buffer.len().min(FileOpener::SEALED_PIECE_BYTES));
        let damaged = |error: persistence::Error| storage::Error::File {
            operation: "open",
            key: self.object.clone(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        };
        let open = Bytes::from(self.opener.open(self.number, &piece).map_err(damaged)?);
        let open = open.slice(self.skip.min(open.len())..);
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(open.len());
        (self.number, self.skip) = (self.number + 1, 0);
        self.left -= wanted as u64;
        Ok(Some(open.slice(..wanted)))
    }
}
