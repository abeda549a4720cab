//! An object that arrives in pieces over hours, and survives a crash between any two of them.
//!
//! Locally it is one growing file, flushed at every checkpoint and renamed into place at the end. In S3 it is a
//! multipart upload; what does not fill a part yet waits in a small object of its own. What a checkpoint returns is
//! durable: after a crash the upload goes on from there, so at most one part is sent again.

use bytes::{Bytes, BytesMut};
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use crate::bucket::Place;
use crate::{Bucket, Error};

/// Size of an S3 part: above the 5 MiB minimum, and 10 GiB stay far below 10,000 parts.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Bytes gathered before a write to a local file.
const WRITE_BYTES: usize = 1024 * 1024;

/// How far a staged upload is durable. Stored between requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedUpload {
    /// Durable bytes.
    pub offset: u64,
    /// S3's name for the multipart upload.
    pub multipart_id: Option<String>,
    /// S3's receipts for the full parts.
    pub parts: Vec<String>,
    /// Bytes waiting in the tail object.
    pub tail_bytes: u64,
}

/// Takes the bytes of one request.
pub struct StagedWriter {
    bucket: Bucket,
    key: String,
    state: StagedUpload,
    buffer: BytesMut,
    sink: Sink,
}

enum Sink {
    Local(tokio::fs::File),
    S3,
}

fn staged_key(key: &str) -> String {
    format!("staged/{}", key.replace('/', "-"))
}

/// A tail is named by the offset it reaches, so that a crash between writing it and noting it leaves the older,
/// noted one as it was.
fn tail_key(key: &str, offset: u64) -> String {
    format!("{}/{offset}", staged_key(key))
}

impl Bucket {
    /// Opens a staged upload where it was durable. Nothing is begun in S3 before its first part is full, so that what is
    /// refused by its first bytes leaves nothing behind. Bytes a crash left behind that point are dropped.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn staged_writer(&self, key: &str, state: StagedUpload) -> Result<StagedWriter, Error> {
        let mut buffer = BytesMut::new();
        let sink = match &self.place {
            Place::Local { root, .. } => {
                let path = root.join(staged_key(key));
                if let Some(folder) = path.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(Error::file("make a folder for", key))?;
                }
                let mut file = tokio::fs::OpenOptions::new()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(&path)
                    .await
                    .map_err(Error::file("open", key))?;
                file.set_max_buf_size(WRITE_BYTES);
                file.set_len(state.offset).await.map_err(Error::file("cut", key))?;
                file.seek(std::io::SeekFrom::Start(state.offset)).await.map_err(Error::file("open", key))?;
                Sink::Local(file)
            }
            Place::S3(_) => {
                if state.tail_bytes > 0 {
                    buffer.extend_from_slice(&self.get(&tail_key(key, state.offset)).await?);
                }
                self.remove_tails(key, Some(state.offset)).await?;
                Sink::S3
            }
        };
        Ok(StagedWriter { bucket: self.clone(), key: key.to_owned(), state, buffer, sink })
    }

    /// The first durable bytes of an upload that has not filled a part yet.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn staged_start(&self, key: &str, state: &StagedUpload) -> Result<Vec<u8>, Error> {
        let waiting = match &self.place {
            _ if state.offset == 0 => return Ok(Vec::new()),
            Place::Local { .. } => staged_key(key),
            Place::S3(_) => tail_key(key, state.offset),
        };
        let mut start = self.get(&waiting).await?.to_vec();
        start.truncate(usize::try_from(state.offset).unwrap_or(usize::MAX));
        Ok(start)
    }

    /// Makes the object visible under its key.
    ///
    /// # Errors
    /// When the storage fails; calling again is safe as long as the upload is not visible yet.
    pub async fn finish_staged(&self, key: &str, state: &StagedUpload) -> Result<(), Error> {
        match &self.place {
            Place::Local { root, .. } => {
                let (staged, target) = (root.join(staged_key(key)), root.join(key));
                if let Some(folder) = target.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(Error::file("make a folder for", key))?;
                }
                match tokio::fs::rename(&staged, &target).await {
                    // A crash right after an earlier rename: the object is already there.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound && target.exists() => Ok(()),
                    other => other.map_err(Error::file("finish", key)),
                }
            }
            Place::S3(store) => {
                // A crash right after an earlier finish: the object is there, its parts are no more.
                if self.size(key).await.ok() == Some(state.offset) {
                    return self.remove_tails(key, None).await;
                }
                let Some(id) = &state.multipart_id else {
                    // It never filled a part.
                    let whole =
                        if state.tail_bytes > 0 { self.get(&tail_key(key, state.offset)).await? } else { Bytes::new() };
                    self.put(key, whole).await?;
                    return self.remove_tails(key, None).await;
                };
                let mut parts: Vec<_> = state.parts.iter().map(|part| PartId { content_id: part.clone() }).collect();
                if state.tail_bytes > 0 {
                    let tail = self.get(&tail_key(key, state.offset)).await?;
                    parts.push(put_part(store, self, key, id, parts.len(), tail).await?);
                }
                store.complete_multipart(&self.path(key), id, parts).await.map_err(Error::store("finish", key))?;
                self.remove_tails(key, None).await
            }
        }
    }

    async fn remove_tails(&self, key: &str, keep: Option<u64>) -> Result<(), Error> {
        let keep = keep.map(|offset| tail_key(key, offset));
        for found in self.list(&staged_key(key)).await? {
            if keep.as_ref() != Some(&found) {
                self.delete(&found).await?;
            }
        }
        Ok(())
    }

    /// Where pieces of uploads to keys below `prefix` wait.
    #[must_use]
    pub fn staged_prefix(prefix: &str) -> String {
        staged_key(prefix)
    }

    /// Gives a staged upload up and removes what arrived.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn abort_staged(&self, key: &str, state: &StagedUpload) -> Result<(), Error> {
        if let (Place::S3(store), Some(id)) = (&self.place, &state.multipart_id) {
            match store.abort_multipart(&self.path(key), id).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(Error::store("give up", key)(error)),
            }
        }
        match &self.place {
            Place::S3(_) => self.remove_tails(key, None).await,
            Place::Local { .. } => self.delete(&staged_key(key)).await,
        }
    }
}

async fn put_part(
    store: &AmazonS3,
    bucket: &Bucket,
    key: &str,
    id: &String,
    index: usize,
    bytes: Bytes,
) -> Result<PartId, Error> {
    store
        .put_part(&bucket.path(key), id, index, PutPayload::from_bytes(bytes))
        .await
        .map_err(Error::store("send a part of", key))
}

impl StagedWriter {
    /// Takes more bytes. They are durable only after [`Self::checkpoint`].
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.sink {
            Sink::Local(file) => file.write_all(bytes).await.map_err(Error::file("write", &self.key))?,
            Sink::S3 => {
                self.buffer.extend_from_slice(bytes);
                while self.buffer.len() >= PART_BYTES {
                    let part = self.buffer.split_to(PART_BYTES).freeze();
                    self.send_part(part).await?;
                }
            }
        }
        self.state.offset += bytes.len() as u64;
        Ok(())
    }

    async fn send_part(&mut self, part: Bytes) -> Result<(), Error> {
        let Place::S3(store) = &self.bucket.place else {
            return Ok(());
        };
        let known = self.state.multipart_id.clone();
        let id = match &known {
            Some(id) => id.clone(),
            None => {
                let path = self.bucket.path(&self.key);
                store.create_multipart(&path).await.map_err(Error::store("begin", &self.key))?
            }
        };
        match put_part(store, &self.bucket, &self.key, &id, self.state.parts.len(), part).await {
            Ok(receipt) => {
                self.state.parts.push(receipt.content_id);
                self.state.multipart_id = Some(id);
                Ok(())
            }
            Err(error) => {
                // Begun here and noted nowhere: nobody else could ever end it.
                if known.is_none() {
                    let path = self.bucket.path(&self.key);
                    store.abort_multipart(&path, &id).await.map_err(Error::store("give up", &self.key))?;
                }
                Err(error)
            }
        }
    }

    /// Makes what can be made durable cheaply while more is coming, and says how far that is: everything locally,
    /// full parts in S3.
    ///
    /// # Errors
    /// When the storage fails; nothing after the last checkpoint counts then.
    pub async fn progress(&mut self) -> Result<StagedUpload, Error> {
        if matches!(self.sink, Sink::Local(_)) {
            return self.checkpoint().await;
        }
        let offset = self.state.offset - self.buffer.len() as u64;
        Ok(StagedUpload { offset, tail_bytes: 0, ..self.state.clone() })
    }

    /// Makes everything taken so far durable and says how far that is.
    ///
    /// # Errors
    /// When the storage fails; nothing after the last checkpoint counts then.
    pub async fn checkpoint(&mut self) -> Result<StagedUpload, Error> {
        match &mut self.sink {
            Sink::Local(file) => {
                file.flush().await.map_err(Error::file("flush", &self.key))?;
                file.sync_data().await.map_err(Error::file("flush", &self.key))?;
            }
            Sink::S3 => {
                self.state.tail_bytes = self.buffer.len() as u64;
                if !self.buffer.is_empty() {
                    let tail = Bytes::copy_from_slice(&self.buffer);
                    let path = self.bucket.path(&tail_key(&self.key, self.state.offset));
                    if let Place::S3(store) = &self.bucket.place {
                        store
                            .put(&path, PutPayload::from_bytes(tail))
                            .await
                            .map_err(Error::store("keep the tail of", &self.key))?;
                    }
                }
            }
        }
        Ok(self.state.clone())
    }
}
