//! Reading an archive somebody brought: nothing in it is believed before it was checked.
//!
//! Refused, each in one sentence: another form, names that lead elsewhere or come twice, entries that are packed in an
//! unknown way or unpack to more than they say, files the manifest does not know or that differ from it, tables and
//! columns this program does not have, rows that name what is not in the archive.

mod closure;
mod entries;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zip::ZipArchive;

use self::closure::Closure;
use self::entries::{names, whole};
use super::Error;
use super::manifest::{FileEntry, MANIFEST, Manifest, SIGNATURE, Signature, fingerprint};
use super::tables::{ArchivePlan, ArchiveTable, Home};
use crate::DataMap;
use crate::plan::Root;

pub(super) use self::closure::fits;

/// Files of one archive.
const MOST_FILES: usize = 100_000;
/// The manifest, unpacked: room for as many files.
const MANIFEST_BYTES: u64 = 32 * 1024 * 1024;
/// One row: a caption file, generously.
const ROW_BYTES: u64 = 8 * 1024 * 1024;

/// What was found in an archive that is in order.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its manifest.
    pub manifest: Manifest,
    /// The public key it is signed with, base64.
    pub key: String,
    /// That key, for people to compare.
    pub fingerprint: String,
    /// Rows another installation takes in.
    pub rows: u64,
    /// Rows named that are not in the archive, by table; to be looked for before anything is taken in.
    pub dangling: BTreeSet<(String, Uuid)>,
}

/// An archive whose manifest is in order.
pub struct Archive {
    zip: ZipArchive<BufReader<File>>,
    entries: BTreeMap<String, FileEntry>,
    manifest: Manifest,
    signature: Signature,
    plan: ArchivePlan,
}

/// A row as it stands in an archive.
pub type Row = Map<String, Value>;

impl Archive {
    /// Opens an archive and checks its names, sizes, manifest and signature; with a key, that it was signed with it.
    ///
    /// # Errors
    /// Says in one sentence why it is none, or not in order.
    pub fn open(path: &Path, key: Option<&str>) -> Result<Self, Error> {
        let file = File::open(path)?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|_| Error::refused("this is no ZIP archive"))?;
        if zip.len() > MOST_FILES {
            return Err(Error::refused("the archive has too many files"));
        }
        // Readers keep one of the two, and another one might keep the other.
        if zip.has_duplicate_names() {
            return Err(Error::refused("the archive has two files of the same name"));
        }
        // Entries that overlap, or say one thing at their head and another in the list.
        zip.validate_header_consistency().map_err(|_| Error::refused("the archive contradicts itself"))?;
        let sizes = names(&mut zip)?;
        let text = whole(&mut zip, MANIFEST, MANIFEST_BYTES)?;
        let signature: Signature = serde_json::from_slice(&whole(&mut zip, SIGNATURE, MANIFEST_BYTES)?)
            .map_err(|_| Error::refused("manifest.sig is no signature of ours"))?;
        let manifest = Manifest::read(&text)?;
        signature.check(&text, key)?;
        let entries = compare(&manifest, &sizes)?;
        let root = match manifest.kind.as_str() {
            "coach" => Root::Coach,
            "viewer" => Root::Subject,
            other => return Err(Error::refused(format!("the archive is of a {}", other.escape_debug()))),
        };
        let plan = ArchivePlan::new(DataMap::current(), root)?;
        Ok(Self { zip, entries, manifest, signature, plan })
    }

    /// Its manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it holds.
    #[must_use]
    pub const fn plan(&self) -> &ArchivePlan {
        &self.plan
    }

    /// Checks every file against the manifest, and every row against this program's tables.
    ///
    /// # Errors
    /// Says in one sentence what is not in order.
    pub fn check(&mut self) -> Result<Checked, Error> {
        let plan = self.plan.clone();
        let mut rows = Closure::new(&plan);
        let mut checked = BTreeSet::new();
        for table in plan.of(Home::Data) {
            for path in self.files_of(table) {
                self.each_row(table, &path, |row| rows.take(table, row))?;
                checked.insert(path);
            }
        }
        let left: Vec<String> = self.entries.keys().filter(|path| !checked.contains(*path)).cloned().collect();
        for path in left {
            if path.starts_with("data/") {
                return Err(Error::refused(format!("{path} is of a table this program does not have")));
            }
            self.check_bytes(&path)?;
        }
        if plan.root == Root::Coach {
            self.check_person(&rows)?;
        }
        Ok(Checked {
            manifest: self.manifest.clone(),
            key: self.signature.key.clone(),
            fingerprint: fingerprint(&self.signature.key),
            rows: rows.rows,
            dangling: rows.dangling()?,
        })
    }

    fn check_person(&self, rows: &Closure<'_>) -> Result<(), Error> {
        let id = Uuid::parse_str(&self.manifest.person).map_err(|_| Error::refused("the manifest names no person"))?;
        let is_one = rows.ids("coach").is_some_and(|ids| ids.len() == 1 && ids.contains(&id));
        if is_one && self.manifest.controller == self.manifest.person {
            return Ok(());
        }
        Err(Error::refused("the archive is not of the one account its manifest names"))
    }

    /// The files of a table, in order.
    #[must_use]
    pub fn files_of(&self, table: &ArchiveTable) -> Vec<String> {
        let mut found = Vec::new();
        let mut number = 1;
        while self.entries.contains_key(&table.path(number)) {
            found.push(table.path(number));
            if table.path(number) == table.path(number + 1) {
                break;
            }
            number += 1;
        }
        found
    }

    /// Hands on every row of a file, and checks the file as it goes.
    ///
    /// # Errors
    /// When the file is not what the manifest says, or a row is not taken.
    pub fn each_row(
        &mut self,
        table: &ArchiveTable,
        path: &str,
        mut take: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let entry = self.entries.get(path).cloned().ok_or_else(|| Error::refused(format!("{path} is missing")))?;
        if entry.schema.as_deref() != Some(table.schema().as_str()) {
            return Err(Error::refused(format!("{path} is not described by the schema of its table")));
        }
        let file = self.zip.by_name(path)?;
        let mut reader = BufReader::new(Hashing::new(file.take(entry.bytes + 1)));
        let (mut number, mut line) = (0_u64, Vec::new());
        loop {
            line.clear();
            let read = reader.by_ref().take(ROW_BYTES + 1).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            number += 1;
            if line.len() as u64 > ROW_BYTES {
                return Err(Error::refused(format!("line {number} of {path} is too long")));
            }
            let row = serde_json::from_slice(&line)
                .map_err(|_| Error::refused(format!("line {number} of {path} is no row")))?;
            take(row).map_err(|error| match error {
                Error::Refused(why) => Error::Refused(format!("line {number} of {path}: {why}")),
                error => error,
            })?;
        }
        reader.into_inner().compare(&entry)?;
        if entry.rows != Some(number) {
            return Err(Error::refused(format!("{path} has another number of rows than the manifest says")));
        }
        Ok(())
    }

    fn check_bytes(&mut self, path: &str) -> Result<(), Error> {
        let entry = self.entries.get(path).cloned().ok_or_else(|| Error::refused(format!("{path} is missing")))?;
        if let Some(name) = path.strip_prefix("media/") {
            let is_named_so = name.split('.').next() == Some(entry.sha256.as_str());
            // What the other storage had damaged is there under the name it should have, and the archive says so.
            if !is_named_so && self.manifest.state == "ready" {
                return Err(Error::refused(format!("{path} is not named by its checksum")));
            }
        }
        let file = self.zip.by_name(path)?;
        let mut reader = Hashing::new(file.take(entry.bytes + 1));
        std::io::copy(&mut reader, &mut std::io::sink())?;
        reader.compare(&entry)
    }

    /// Size of a file the manifest lists.
    #[must_use]
    pub fn size_of(&self, path: &str) -> Option<u64> {
        self.entries.get(path).map(|entry| entry.bytes)
    }

    /// Hands on the bytes of a file.
    ///
    /// # Errors
    /// When it cannot be read, or `give` refuses more.
    pub fn each_chunk(&mut self, path: &str, mut give: impl FnMut(Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
        let entry = self.entries.get(path).cloned().ok_or_else(|| Error::refused(format!("{path} is missing")))?;
        let mut reader = Hashing::new(self.zip.by_name(path)?.take(entry.bytes + 1));
        loop {
            let mut chunk = Vec::with_capacity(256 * 1024);
            if reader.by_ref().take(256 * 1024).read_to_end(&mut chunk)? == 0 {
                return reader.compare(&entry);
            }
            give(chunk)?;
        }
    }
}

/// Counts and hashes what is read through it.
struct Hashing<R> {
    from: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Hashing<R> {
    fn new(from: R) -> Self {
        Self { from, hash: Sha256::new(), bytes: 0 }
    }

    fn compare(mut self, entry: &FileEntry) -> Result<(), Error> {
        std::io::copy(&mut self.by_ref(), &mut std::io::sink())?;
        if self.bytes != entry.bytes || hex::encode(self.hash.finalize()) != entry.sha256 {
            return Err(Error::refused(format!("{} is not the file the manifest was signed for", entry.path)));
        }
        Ok(())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// The manifest against what is there, both ways.
fn compare(manifest: &Manifest, sizes: &BTreeMap<String, u64>) -> Result<BTreeMap<String, FileEntry>, Error> {
    let mut entries = BTreeMap::new();
    for entry in &manifest.files {
        let shown = entry.path.escape_debug();
        if entries.insert(entry.path.clone(), entry.clone()).is_some() {
            return Err(Error::refused(format!("the manifest lists {shown} twice")));
        }
        match sizes.get(&entry.path) {
            None => return Err(Error::refused(format!("{shown} is in the manifest and not in the archive"))),
            Some(size) if *size != entry.bytes => {
                return Err(Error::refused(format!("{shown} has another size than the manifest says")));
            }
            Some(_) => {}
        }
    }
    let stray =
        sizes.keys().find(|path| !entries.contains_key(*path) && ![MANIFEST, SIGNATURE].contains(&path.as_str()));
    match stray {
        Some(path) => Err(Error::refused(format!("{path} is in the archive and not in the manifest"))),
        None => Ok(entries),
    }
}
