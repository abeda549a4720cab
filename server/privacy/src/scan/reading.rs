//! Reading files that SQLite has open in this very process.
//!
//! POSIX gives up every lock a process has on a file as soon as the process closes any descriptor of it. SQLite's
//! locks would be gone with the first look at its files, another process would take itself for the only one, and end
//! by deleting the journal this one goes on writing. So a descriptor of such a file, once opened, is never closed.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A file by device and inode: a journal that was made anew is another file of the same name.
type Identity = (u64, u64);

static OPEN: LazyLock<Mutex<HashMap<Identity, &'static File>>> = LazyLock::new(Mutex::default);
/// How every SQLite database begins.
const DATABASE: [u8; 16] = *b"SQLite format 3\0";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file to be read from its beginning.
pub(super) enum Reading {
    /// Nobody locks it.
    Plain(File),
    /// A database or what lies beside one, and how much of it was read.
    OfDatabase(&'static File, u64),
}

impl Reading {
    /// Opens a file, or goes back to a descriptor that must stay open.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked before anything is opened: the name may be that of a file already open here.
        if let Some(known) = open.get(&identity(&path.metadata()?)) {
            return Ok(Self::OfDatabase(known, 0));
        }
        let file = File::open(path)?;
        if !is_locked_by_sqlite(path, &file)? {
            return Ok(Self::Plain(file));
        }
        let identity = identity(&file.metadata()?);
        let kept = *open.entry(identity).or_insert(Box::leak(Box::new(file)));
        Ok(Self::OfDatabase(kept, 0))
    }

    /// How long it is by now.
    pub(super) fn length(&self) -> io::Result<u64> {
        match self {
            Self::Plain(file) => file.metadata(),
            Self::OfDatabase(file, _) => file.metadata(),
        }
        .map(|metadata| metadata.len())
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::OfDatabase(file, at) => {
                let read = file.read_at(buffer, *at)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

fn is_locked_by_sqlite(path: &Path, file: &File) -> io::Result<bool> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if BESIDE.iter().any(|ending| name.ends_with(ending)) {
        return Ok(true);
    }
    let mut first = [0; DATABASE.len()];
    // An empty one is locked as well while it is being filled.
    let read = file.read_at(&mut first, 0)?;
    Ok(first[..read] == DATABASE[..read]
        && (read == DATABASE.len() || name.ends_with(".db") || name.ends_with(".sqlite")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_opened_once_and_read_from_its_beginning_each_time() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.db");
        std::fs::write(&path, [DATABASE.as_slice(), b"one"].concat()).expect("written");
        let mut read = Vec::new();
        let mut first = Reading::open(&path).expect("opens");
        first.read_to_end(&mut read).expect("reads");
        assert!(read.ends_with(b"one") && first.length().expect("known") == 19);
        let again = Reading::open(&path).expect("opens");
        let (Reading::OfDatabase(first, _), Reading::OfDatabase(second, at)) = (first, again) else {
            panic!("both are of a database");
        };
        assert!(std::ptr::eq(first, second) && at == 0);
        let text = folder.path().join("text");
        std::fs::write(&text, "SQLite").expect("written");
        assert!(matches!(Reading::open(&text), Ok(Reading::Plain(_))));
    }
}
