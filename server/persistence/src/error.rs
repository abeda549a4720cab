//! What can go wrong below the engine.

use sea_orm::{DbErr, RuntimeErr};

/// An operation on a database or a sealed value failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database answered with an error.
    #[error("{operation}")]
    Db {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: DbErr,
    },
    /// The bundled SQLite is one that can corrupt a WAL database (versions before 3.51.3).
    #[error("SQLite {0} is too old; 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// The URL names no database we know. It may hold a password, so it is not repeated.
    #[error("expected sqlite://path?mode=rwc or postgres://user:password@host:port/database")]
    Url,
    /// A value does not open under this key, or is no sealed value.
    #[error("a sealed value does not open")]
    Sealed,
    /// Sealed data was to be opened for something it is not kept for, or the work under way has not declared.
    #[error("{place} is not opened to {purpose}")]
    Purpose {
        /// What for.
        purpose: &'static str,
        /// What.
        place: &'static str,
    },
    /// The key was destroyed, or never existed.
    #[error("the key is not in the keyring")]
    NoKey,
    /// A file beside a database cannot be used.
    #[error("{0}")]
    File(&'static str, #[source] std::io::Error),
    /// A copy of a database is not what it should be.
    #[error("a copy of a database cannot be used: {0}")]
    Copy(String),
    /// Whoever takes a copy of the database stopped taking it.
    #[error("nobody takes the copy of the database any more")]
    Unwanted,
    /// A tombstone could not be written where backups lie.
    #[error("note an erasure beside the backups")]
    TombstoneLog(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DbErr> for Error {
    fn from(source: DbErr) -> Self {
        Self::Db { operation: "query the database", source }
    }
}

impl Error {
    pub(crate) fn db(operation: &'static str) -> impl FnOnce(DbErr) -> Self {
        move |source| Self::Db { operation, source }
    }

    pub(crate) fn sqlx(operation: &'static str) -> impl FnOnce(sea_orm::sqlx::Error) -> Self {
        move |error| Self::Db { operation, source: DbErr::Conn(RuntimeErr::SqlxError(error.into())) }
    }
}

/// The unique index an error complains of: PostgreSQL names it, SQLite names its columns as `table.a, table.b`.
#[must_use]
pub fn unique_violation(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return None;
    };
    let error = error.as_database_error()?;
    if !error.is_unique_violation() {
        return None;
    }
    Some(
        error
            .constraint()
            .map_or_else(|| error.message().rsplit(": ").next().unwrap_or_default().to_owned(), str::to_owned),
    )
}
