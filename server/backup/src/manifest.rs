//! What a backup says of itself under its seal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Migrations that were applied, in order.
    pub migrations: Vec<String>,
    /// Size of the database's copy, opened.
    pub database_bytes: u64,
    /// Its SHA-256, opened.
    pub database_sha256: String,
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    /// Recordings, pictures and logos as of that moment, a little later at most.
    pub media: Vec<MediaEntry>,
    /// The installation's secret, with copies of the keyring: it opens nothing without it, and a machine that burned
    /// took both along.
    pub secret: Option<String>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaEntry {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Under which name the backups have it.
    pub name: String,
    /// What the store said of its content, so that the next backup need not read it again.
    pub e_tag: Option<String>,
    /// When the store says it was written.
    pub changed_at_micros: i64,
}
