//! The bucket: one place for objects, local or S3.

use std::io::Read;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use tokio::io::AsyncSeekExt;

use crate::{Error, Location};

/// Bytes read from a local file at once: few system calls, little memory per viewer.
const READ_BYTES: usize = 256 * 1024;

/// What S3 asks for; read from the environment by the binary.
#[derive(Clone)]
pub struct S3Credentials {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: String,
}

/// An object as a listing tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// What the store says of its content, when it says anything.
    pub e_tag: Option<String>,
    /// When it was last written, by the store's clock.
    pub changed_at_micros: i64,
}

/// Where objects live. Cloning is cheap.
#[derive(Clone)]
pub struct Bucket {
    pub(crate) place: Place,
    prefix: String,
}

#[derive(Clone)]
pub(crate) enum Place {
    Local { root: Arc<PathBuf>, store: Arc<LocalFileSystem> },
    S3(Arc<AmazonS3>),
}

impl Bucket {
    /// Opens `file:///folder` (made when missing) or `s3://bucket/prefix?endpoint=…&region=…`.
    ///
    /// # Errors
    /// When the URL is malformed or the folder cannot be made.
    pub fn open(url: &str, credentials: Option<&S3Credentials>) -> Result<Self, Error> {
        match Location::parse(url)? {
            Location::Folder(root) => {
                std::fs::create_dir_all(&root).map_err(Error::file("make the storage folder", url))?;
                let store = LocalFileSystem::new_with_prefix(&root)
                    .map_err(Error::store("open", url))?
                    .with_automatic_cleanup(true);
                Ok(Self { place: Place::Local { root: Arc::new(root), store: Arc::new(store) }, prefix: String::new() })
            }
            Location::S3 { bucket, prefix, endpoint, region } => {
                let mut builder = AmazonS3Builder::new().with_bucket_name(&bucket);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
                }
                if let Some(region) = region {
                    builder = builder.with_region(region);
                }
                if let Some(credentials) = credentials {
                    builder = builder
                        .with_access_key_id(&credentials.access_key_id)
                        .with_secret_access_key(&credentials.secret_access_key);
                }
                let store = builder.build().map_err(Error::store("open", &bucket))?;
                Ok(Self { place: Place::S3(Arc::new(store)), prefix })
            }
        }
    }

    pub(crate) fn path(&self, key: &str) -> Path {
        if self.prefix.is_empty() { Path::from(key) } else { Path::from(format!("{}/{key}", self.prefix)) }
    }

    fn store(&self) -> &dyn ObjectStore {
        match &self.place {
            Place::Local { store, .. } => store.as_ref(),
            Place::S3(store) => store.as_ref(),
        }
    }

    /// The file behind an object, for tools that want a path; nothing in S3.
    #[must_use]
    pub fn local_path(&self, key: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Local { root, .. } => Some(root.join(FilePath::new(key))),
            Place::S3(_) => None,
        }
    }

    /// Writes a small object.
    ///
    /// # Errors
    /// When the storage does.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.store()
            .put(&self.path(key), PutPayload::from_bytes(bytes))
            .await
            .map(drop)
            .map_err(Error::store("write", key))
    }

    /// Writes an object of any size from a stream; nothing is visible under the key until all of it is there.
    ///
    /// # Errors
    /// When the storage or the stream does.
    pub async fn put_stream(&self, key: &str, mut bytes: BoxStream<'_, Result<Bytes, Error>>) -> Result<(), Error> {
        let upload = self.store().put_multipart(&self.path(key)).await.map_err(Error::store("write", key))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, 8 * 1024 * 1024);
        while let Some(chunk) = bytes.next().await {
            match chunk {
                Ok(chunk) => {
                    writer.wait_for_capacity(2).await.map_err(Error::store("write", key))?;
                    writer.put(chunk);
                }
                Err(error) => {
                    writer.abort().await.map_err(Error::store("give up writing", key))?;
                    return Err(error);
                }
            }
        }
        writer.finish().await.map(drop).map_err(Error::store("finish writing", key))
    }

    /// Reads a small object whole.
    ///
    /// # Errors
    /// When it is missing or the storage fails.
    pub async fn get(&self, key: &str) -> Result<Bytes, Error> {
        let found = self.store().get(&self.path(key)).await.map_err(Error::store("read", key))?;
        found.bytes().await.map_err(Error::store("read", key))
    }

    /// Reads a short range into memory.
    ///
    /// # Errors
    /// When it is missing or the storage fails.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, Error> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.store().get_range(&self.path(key), range).await.map_err(Error::store("read", key))
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// When it is missing or the storage fails.
    pub async fn size(&self, key: &str) -> Result<u64, Error> {
        Ok(self.store().head(&self.path(key)).await.map_err(Error::store("look at", key))?.size)
    }

    /// Streams a range.
    ///
    /// # Errors
    /// When it is missing or the storage fails; an error later on ends the stream.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        if range.is_empty() {
            return Ok(futures::stream::empty().boxed());
        }
        if let Some(path) = self.local_path(key) {
            let mut file = tokio::fs::File::open(path).await.map_err(Error::file("read", key))?;
            file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(Error::file("read", key))?;
            let file = file.into_std().await;
            let key = key.to_owned();
            let pieces = futures::stream::try_unfold((file, range.end - range.start), |(file, left)| async move {
                let piece = next_piece(file, left).await?;
                Ok(piece.map(|(file, bytes)| {
                    let left = left - bytes.len() as u64;
                    (bytes, (file, left))
                }))
            });
            return Ok(pieces
                .map_err(move |source| Error::File { operation: "read", key: key.clone(), source })
                .boxed());
        }
        let options = object_store::GetOptions { range: Some(range.into()), ..Default::default() };
        let found = self.store().get_opts(&self.path(key), options).await.map_err(Error::store("read", key))?;
        let key = key.to_owned();
        Ok(found
            .into_stream()
            .map_err(move |source| Error::Store { operation: "read", key: key.clone(), source })
            .boxed())
    }

    /// Removes an object; one that is already gone is no error.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.store().delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(Error::store("remove", key)(error)),
        }
    }

    /// Keys below a prefix.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let cut = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let path = self.path(prefix);
        let found: Vec<_> = self.store().list(Some(&path)).try_collect().await.map_err(Error::store("list", prefix))?;
        Ok(found.into_iter().map(|meta| meta.location.as_ref()[cut..].to_owned()).collect())
    }

    /// Objects below a prefix, with what tells whether one was changed.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn list_with_facts(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let cut = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let path = self.path(prefix);
        let found: Vec<_> = self.store().list(Some(&path)).try_collect().await.map_err(Error::store("list", prefix))?;
        let listed = found.into_iter().map(|meta| Listed {
            key: meta.location.as_ref()[cut..].to_owned(),
            size_bytes: meta.size,
            e_tag: meta.e_tag,
            changed_at_micros: meta.last_modified.timestamp_micros(),
        });
        Ok(listed.collect())
    }

    /// Whether the storage keeps an object's older versions: a deletion would only hide them (privacy-design §2.8).
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn keeps_versions(&self) -> Result<bool, Error> {
        let key = "probe/versions";
        let path = self.path(key);
        let payload = PutPayload::from_bytes(Bytes::from_static(b"versions"));
        let written = self.store().put(&path, payload).await.map_err(Error::store("write", key))?;
        self.delete(key).await?;
        // S3 calls the only version of an object in a bucket without versioning `null`, when it names one at all.
        Ok(written.version.is_some_and(|version| version != "null"))
    }

    /// Writes, reads back and removes a small object: the storage part of readiness.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn probe(&self) -> Result<(), Error> {
        // A key of its own: somebody else's probe would take the object away between the two.
        let key = format!("probe/{}", uuid::Uuid::now_v7());
        self.put(&key, Bytes::from_static(b"ready")).await?;
        self.get(&key).await?;
        self.delete(&key).await
    }
}

/// The next bytes of a file, read straight into the buffer that is sent: an asynchronous file would copy them once more.
async fn next_piece(file: std::fs::File, left: u64) -> std::io::Result<Option<(std::fs::File, Bytes)>> {
    if left == 0 {
        return Ok(None);
    }
    let read = move || {
        let wanted = left.min(READ_BYTES as u64);
        let mut buffer = Vec::with_capacity(READ_BYTES.min(usize::try_from(wanted).unwrap_or(READ_BYTES)));
        (&file).take(wanted).read_to_end(&mut buffer)?;
        Ok((!buffer.is_empty()).then(|| (file, Bytes::from(buffer))))
    };
    tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)?
}
