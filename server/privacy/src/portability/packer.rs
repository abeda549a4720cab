//! The thread that packs: ZIP, checksums and seal, in a bounded stream from a bounded stream.
//!
//! Entries are written with data descriptors, so nothing has to be known in advance and nothing is gone back to
//! (APPNOTE 4.3.9). Media is stored as it is; everything else is deflated at its fastest.

use std::io::{self, Write};

use bytes::Bytes;
use domain::Moment;
use persistence::sealed::SubjectKey;
use persistence::sealed_file::FileSealer;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Error;
use super::manifest::FileEntry;

/// Bytes handed on at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// Pieces that may wait on either side.
const WAITING: usize = 4;
/// A file as large as this needs the long form of its sizes (APPNOTE 4.4.9), with room for what deflating may add.
const LARGE_BYTES: u64 = 0xF000_0000;

/// One file of an archive to be written.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// Not deflated: it is packed already.
    pub is_stored: bool,
    /// Its size, when it is known.
    pub size_bytes: Option<u64>,
    /// The path of the schema of its rows.
    pub schema: Option<String>,
    /// Kinds of data in it.
    pub classes: Vec<String>,
}

enum Command {
    Begin(Entry),
    Bytes(Bytes),
    End(Option<u64>),
    Entries(oneshot::Sender<Vec<FileEntry>>),
    Close,
}

/// What was packed.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Bytes of the ZIP, open.
    pub size_bytes: u64,
    /// Their checksum.
    pub sha256: [u8; 32],
}

/// What comes out of the thread, ready to be stored.
pub type Packing = mpsc::Receiver<Result<Bytes, storage::Error>>;

/// Hands files to the thread.
pub struct Packer {
    commands: mpsc::Sender<Command>,
}

impl Packer {
    /// Starts the thread. With a key what comes out is sealed under it, as the file of that id.
    #[must_use]
    pub fn start(
        seal: Option<(SubjectKey, [u8; 16])>,
        at: Moment,
    ) -> (Self, Packing, JoinHandle<Result<Packed, Error>>) {
        let (commands, taken) = mpsc::channel(WAITING);
        let (out, packing) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || {
            let end = out.clone();
            let packed = pack(taken, Out::new(out, seal), at);
            if packed.is_err() {
                let source = io::Error::other("the writing was given up");
                // Whoever stores it must not take what is there for the whole; when nobody listens any more, nobody does.
                let _told =
                    end.blocking_send(Err(storage::Error::File { operation: "write", key: String::new(), source }));
            }
            packed
        });
        (Self { commands }, packing, thread)
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Stopped)
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn begin(&self, entry: Entry) -> Result<(), Error> {
        self.send(Command::Begin(entry)).await
    }

    /// Adds to the file.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn bytes(&self, bytes: impl Into<Bytes> + Send) -> Result<(), Error> {
        self.send(Command::Bytes(bytes.into())).await
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn end(&self, rows: Option<u64>) -> Result<(), Error> {
        self.send(Command::End(rows)).await
    }

    /// A whole small file.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn file(&self, entry: Entry, bytes: impl Into<Bytes> + Send) -> Result<(), Error> {
        self.begin(entry).await?;
        self.bytes(bytes).await?;
        self.end(None).await
    }

    /// Everything written so far, by path.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn entries(&self) -> Result<Vec<FileEntry>, Error> {
        let (ask, answer) = oneshot::channel();
        self.send(Command::Entries(ask)).await?;
        answer.await.map_err(|_| Error::Stopped)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When the thread has given up.
    pub async fn close(self) -> Result<(), Error> {
        self.send(Command::Close).await
    }
}

fn pack(mut commands: mpsc::Receiver<Command>, out: Out, at: Moment) -> Result<Packed, Error> {
    let mut zip = ZipWriter::new_stream(out);
    let mut entries: Vec<FileEntry> = Vec::new();
    let mut hash = Sha256::new();
    loop {
        match commands.blocking_recv() {
            Some(Command::Begin(entry)) => {
                zip.start_file(entry.path.as_str(), options(&entry, at))?;
                hash = Sha256::new();
                let Entry { path, schema, classes, .. } = entry;
                entries.push(FileEntry { path, sha256: String::new(), bytes: 0, rows: None, schema, classes });
            }
            Some(Command::Bytes(bytes)) => {
                zip.write_all(&bytes)?;
                hash.update(&bytes);
                if let Some(entry) = entries.last_mut() {
                    entry.bytes += bytes.len() as u64;
                }
            }
            Some(Command::End(rows)) => {
                if let Some(entry) = entries.last_mut() {
                    entry.rows = rows;
                    entry.sha256 = hex::encode(hash.finalize_reset());
                }
            }
            Some(Command::Entries(ask)) => {
                let mut sorted = entries.clone();
                sorted.sort_by(|one, other| one.path.cmp(&other.path));
                // Whoever asked and went away does not need the answer.
                let _told = ask.send(sorted);
            }
            Some(Command::Close) => return zip.finish()?.into_inner().end(),
            None => return Err(Error::Stopped),
        }
    }
}

fn options(entry: &Entry, at: Moment) -> SimpleFileOptions {
    let method = if entry.is_stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    SimpleFileOptions::default()
        .compression_method(method)
        .compression_level((!entry.is_stored).then_some(1))
        .large_file(entry.size_bytes.is_some_and(|size| size >= LARGE_BYTES))
        .last_modified_time(dos_time(at))
        .unix_permissions(0o644)
}

/// The time of the snapshot, to the two seconds a ZIP knows.
fn dos_time(at: Moment) -> DateTime {
    let text = at.to_string();
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u16>().ok()).unwrap_or_default();
    let byte = |from: usize, to: usize| u8::try_from(part(from, to)).unwrap_or_default();
    DateTime::from_date_and_time(part(0, 4), byte(5, 7), byte(8, 10), byte(11, 13), byte(14, 16), byte(17, 19))
        .unwrap_or_default()
}

/// The end of the thread's pipe: counts, seals, and hands on.
struct Out {
    sealer: Option<FileSealer>,
    ready: Vec<u8>,
    hash: Sha256,
    size_bytes: u64,
    sender: mpsc::Sender<Result<Bytes, storage::Error>>,
}

impl Out {
    fn new(sender: mpsc::Sender<Result<Bytes, storage::Error>>, seal: Option<(SubjectKey, [u8; 16])>) -> Self {
        let mut ready = Vec::with_capacity(2 * CHUNK_BYTES);
        let sealer = seal.map(|(key, file)| {
            let (sealer, header) = FileSealer::begin(&key, file);
            ready.extend(header);
            sealer
        });
        Self { sealer, ready, hash: Sha256::new(), size_bytes: 0, sender }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::replace(&mut self.ready, Vec::with_capacity(2 * CHUNK_BYTES)));
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    fn end(mut self) -> Result<Packed, Error> {
        if let Some(sealer) = self.sealer.take() {
            sealer.end(&mut self.ready)?;
        }
        self.hand_on()?;
        Ok(Packed { size_bytes: self.size_bytes, sha256: self.hash.finalize().into() })
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.size_bytes += bytes.len() as u64;
        match &mut self.sealer {
            Some(sealer) => sealer.seal(bytes, &mut self.ready).map_err(io::Error::other)?,
            None => self.ready.extend_from_slice(bytes),
        }
        if self.ready.len() >= CHUNK_BYTES {
            self.hand_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_given_up_never_looks_whole() {
        let (packer, mut packing, thread) = Packer::start(None, Moment(0));
        packer.begin(Entry { path: "a.txt".to_owned(), ..Entry::default() }).await.expect("begins");
        packer.bytes("half").await.expect("takes");
        drop(packer);
        let mut last = None;
        while let Some(chunk) = packing.recv().await {
            last = Some(chunk);
        }
        assert!(matches!(last, Some(Err(_))), "the storage is told");
        assert!(matches!(thread.await.expect("ends"), Err(Error::Stopped)));
    }

    #[tokio::test]
    async fn checksums_are_of_the_open_bytes() {
        let at = Moment::from_unix_seconds(1_795_000_000);
        let (packer, mut packing, thread) = Packer::start(None, at);
        packer.file(Entry { path: "b.txt".to_owned(), ..Entry::default() }, "text").await.expect("packs");
        packer.file(Entry { path: "a.bin".to_owned(), is_stored: true, ..Entry::default() }, "").await.expect("packs");
        let entries = packer.entries().await.expect("answers");
        packer.close().await.expect("closes");
        let mut file = Vec::new();
        while let Some(chunk) = packing.recv().await {
            file.extend_from_slice(&chunk.expect("a chunk"));
        }
        let packed = thread.await.expect("ends").expect("packs");
        assert_eq!((packed.size_bytes, packed.sha256), (file.len() as u64, Sha256::digest(&file).into()));
        assert_eq!(entries.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["a.bin", "b.txt"]);
        assert_eq!(entries[1].sha256, hex::encode(Sha256::digest("text")));
        let mut zip = zip::ZipArchive::new(io::Cursor::new(file)).expect("opens");
        assert_eq!(io::read_to_string(zip.by_name("b.txt").expect("there")).expect("reads"), "text");
    }
}
