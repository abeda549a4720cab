//! Archives: everything held about somebody, in a form people read and machines take (promises P26, P27 and P30,
//! privacy-design §3), and the way back in on another installation.
//!
//! What goes into one, under which name and with which mark, comes from the data map alone ([`tables`]): a new column
//! flows in by itself, or the test that compares map, catalog and schema is red. Rows come from one read snapshot in
//! pages ([`rows`]); the ZIP is packed, hashed and sealed on a thread of its own ([`packer`]) and streamed on, so that
//! neither an archive nor a table is ever held in memory.

pub mod access;
pub mod import;
pub mod manifest;
pub mod packer;
pub mod read;
mod rows;
pub mod schemas;
pub mod tables;
mod values;
pub mod write;

use sea_orm::DbErr;

pub use manifest::{FORMAT, Manifest};
pub use write::{Made, Outlet, Progress, Writing};

/// An archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database answered with an error.
    #[error("read or write rows")]
    Database(#[from] DbErr),
    /// The database or the keyring could not be used.
    #[error("use the database or the keyring")]
    Persistence(#[from] persistence::Error),
    /// The storage answered with an error.
    #[error("use the storage")]
    Storage(#[from] storage::Error),
    /// A file could not be read or written.
    #[error("read or write a file")]
    File(#[from] std::io::Error),
    /// The archive's own form could not be read or written.
    #[error("read or write the ZIP")]
    Zip(#[from] zip::result::ZipError),
    /// A text is not what it should be.
    #[error("read or write JSON")]
    Json(#[from] serde_json::Error),
    /// A number has no agreed form.
    #[error(transparent)]
    Canonical(#[from] crate::canonical::Error),
    /// CSV could not be written.
    #[error("write CSV")]
    Csv(#[from] csv::Error),
    /// The map has no plan for it.
    #[error(transparent)]
    Plan(#[from] crate::plan::Error),
    /// A thread died.
    #[error("wait for a thread")]
    Thread(#[from] tokio::task::JoinError),
    /// Nobody wants it any more: revoked, or its person is being erased.
    #[error("the archive is not wanted any more")]
    Stopped,
    /// Not an archive that may be taken in, in one sentence for whoever brought it.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}
