//! Random access to bytes wherever they lie: memory, a file, or an object store behind the caller's own implementation.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// A thing of known length that can be read at any place.
pub trait ReadAt: Send + Sync {
    /// Length in bytes; fixed for the life of the value.
    fn len(&self) -> u64;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads `length` bytes from `offset`. Fewer come back only when the source ends first.
    ///
    /// # Errors
    /// What the store underneath answers.
    fn read_at(&self, offset: u64, length: usize) -> impl Future<Output = io::Result<Bytes>> + Send;
}

impl ReadAt for Bytes {
    fn len(&self) -> u64 {
        self.as_ref().len() as u64
    }

    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let total = self.as_ref().len();
        let start = usize::try_from(offset).unwrap_or(total).min(total);
        Ok(self.slice(start..start.saturating_add(length).min(total)))
    }
}

/// A file on the local disk, read without moving a shared cursor, so that reads may run side by side.
#[derive(Clone, Debug)]
pub struct FileSource {
    file: Arc<File>,
    length: u64,
}

impl FileSource {
    /// Opens a file for reading and remembers its length.
    ///
    /// # Errors
    /// When it cannot be opened or is not a plain file.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = tokio::fs::File::open(path).await?.into_std().await;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
        }
        Ok(Self { file: Arc::new(file), length: about.len() })
    }
}

impl ReadAt for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(left);
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            let mut buffer = BytesMut::zeroed(length);
            let mut filled = 0;
            while filled < length {
                match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            buffer.truncate(filled);
            Ok(buffer.freeze())
        })
        .await
        .map_err(io::Error::other)?
    }
}

/// Bytes around the last place read, so that walking neighbouring headers of a remote object costs few requests.
pub(crate) struct Window<'a, S> {
    source: &'a S,
    start: u64,
    held: Bytes,
}

/// One request's worth of headers: enough for a Matroska head or the small boxes before an index.
const WINDOW_BYTES: usize = 16 * 1024;

impl<'a, S: ReadAt> Window<'a, S> {
    pub(crate) fn new(source: &'a S) -> Self {
        Self { source, start: 0, held: Bytes::new() }
    }

    /// Like [`ReadAt::read_at`]; meant for a few bytes at a time.
    pub(crate) async fn read(&mut self, offset: u64, length: usize) -> io::Result<Bytes> {
        let end = offset.saturating_add(length as u64).min(self.source.len());
        if offset >= end {
            return Ok(Bytes::new());
        }
        if offset < self.start || end > self.start + self.held.len() as u64 {
            self.held = self.source.read_at(offset, length.max(WINDOW_BYTES)).await?;
            self.start = offset;
        }
        // Both differences are at most the length of `held`, which is a usize.
        let from = (offset - self.start) as usize;
        let to = ((end - self.start) as usize).min(self.held.len());
        Ok(self.held.slice(from.min(to)..to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_and_memory_answer_alike() {
        let bytes = Bytes::from((0..=255u8).cycle().take(70_000).collect::<Vec<_>>());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bytes");
        std::fs::write(&path, &bytes).expect("written");
        let file = FileSource::open(&path).await.expect("opened");
        assert_eq!(ReadAt::len(&bytes), file.len());
        let mut window = Window::new(&file);
        for (offset, length) in
            [(0, 0), (0, 10), (69_990, 10), (69_990, 50), (70_000, 1), (u64::MAX, 5), (3, usize::MAX), (20, 40_000)]
        {
            let expected = bytes.read_at(offset, length).await.expect("memory");
            assert_eq!(file.read_at(offset, length).await.expect("file"), expected, "{offset}+{length}");
            assert_eq!(window.read(offset, length).await.expect("window"), expected, "{offset}+{length}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_not_a_source() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(FileSource::open(folder.path()).await.is_err());
    }
}
