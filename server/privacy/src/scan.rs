//! Looking for somebody in every byte there is (privacy-design §2.9): an erasure is proven by finding nothing.
//!
//! Files are read as they lie on the disk, with their journals and whatever hides beside them; a database that is no
//! file is read row by row, its statistics too, and its own files where they can be read.

mod files;
mod needles;
mod reading;
mod tables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use needles::Needles;

use crate::erasure::Stores;

/// Something could not be looked at: then nothing is proven.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A needle that is found everywhere finds nothing.
    #[error("a needle needs at least {} bytes", needles::SHORTEST)]
    TooShort,
    /// The needles cannot be put together.
    #[error("prepare the needles")]
    Needles(#[from] aho_corasick::BuildError),
    /// A file cannot be read.
    #[error("read {0}")]
    File(String, #[source] std::io::Error),
    /// A database cannot be read.
    #[error("read the database")]
    Database(#[from] sea_orm::DbErr),
    /// A database cannot be used.
    #[error("use the database")]
    Persistence(#[from] persistence::Error),
    /// An object cannot be read.
    #[error("read the objects")]
    Storage(#[from] storage::Error),
}

/// A needle was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hit {
    /// In which store.
    pub store: String,
    /// In which file or table.
    pub place: String,
    /// Which needle, counted from 0.
    pub needle: usize,
    /// In which encoding.
    pub encoding: &'static str,
    /// How often.
    pub count: u64,
}

/// What was looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Bytes looked at, by store.
    pub bytes: BTreeMap<String, u64>,
    /// Hits, by store; a store without one is named with 0.
    pub hits: BTreeMap<String, u64>,
    /// Where.
    pub places: Vec<Hit>,
}

impl Report {
    /// Hits in all stores.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.hits.values().sum()
    }

    /// Names this report; a receipt carries it. What was looked for is not in it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (store, hits) in &self.hits {
            hash.update(format!("{store}\0{}\0{hits}\n", self.bytes.get(store).copied().unwrap_or_default()));
        }
        hash.finalize().into()
    }

    fn open(&mut self, store: &str) {
        self.bytes.entry(store.to_owned()).or_default();
        self.hits.entry(store.to_owned()).or_default();
    }

    fn add(&mut self, store: &str, place: &str, seen: &needles::Seen) {
        *self.bytes.entry(store.to_owned()).or_default() += seen.bytes;
        for ((needle, encoding), count) in &seen.found {
            *self.hits.entry(store.to_owned()).or_default() += count;
            self.places.push(Hit {
                store: store.to_owned(),
                place: place.to_owned(),
                needle: *needle,
                encoding,
                count: *count,
            });
        }
    }
}

/// Whether to look into objects and letters as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Databases and the work folder: what an erasure can leave residues in.
    Databases,
    /// Everything.
    Everything,
}

/// Looks for the needles in every store, and in further files or folders by the name of the store they belong to.
///
/// # Errors
/// When something cannot be read.
pub async fn scan(
    stores: &Stores,
    further: &[(String, PathBuf)],
    depth: Depth,
    needles: &Needles,
) -> Result<Report, Error> {
    let mut report = Report::default();
    tables::look(&stores.database, "database", needles, &mut report).await?;
    tables::look(stores.keyring.database(), "keyring", needles, &mut report).await?;
    files::look(&stores.work, "work", needles, &mut report).await?;
    if depth == Depth::Everything {
        match stores.bucket.local_root() {
            Some(root) => files::look(&root, "objects", needles, &mut report).await?,
            None => files::look_at_objects(&stores.bucket, "objects", needles, &mut report).await?,
        }
        if let Some(mailbox) = &stores.mailbox {
            files::look(mailbox, "mailbox", needles, &mut report).await?;
        }
    }
    for (store, path) in further {
        files::look(path, store, needles, &mut report).await?;
    }
    report.places.sort();
    Ok(report)
}
