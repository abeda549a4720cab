//! Who may do what at the same time, across processes: servers serve together, a restore is alone, one backup is made
//! at a time.
//!
//! SQLite: a lock on a file beside the database, which the system lifts when its process ends, however it does.
//! PostgreSQL: an advisory lock of a session, which ends with the session.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{AssertSqlSafe, Postgres, query_scalar};

use crate::{Database, Error};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// People are served.
    Serving,
    /// A backup is made, or cleaned up behind.
    BackingUp,
}

impl Turn {
    const fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::BackingUp => "backing-up",
        }
    }

    /// Any numbers do that nobody else uses.
    const fn number(self) -> i64 {
        match self {
            Self::Serving => 0x6d77_7365_7276_6501,
            Self::BackingUp => 0x6d77_6261_636b_7501,
        }
    }

    fn file_beside(self, database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".");
        name.push(self.name());
        name.into()
    }
}

/// Held until it is dropped.
#[must_use = "a turn ends when it is dropped"]
pub struct Held {
    _file: Option<File>,
    _session: Option<PoolConnection<Postgres>>,
}

/// Takes a turn at a SQLite file, which need not exist yet, together with others or alone; nothing when somebody is in
/// the way.
///
/// # Errors
/// When the file of the lock cannot be used.
pub fn take_beside(database: &Path, turn: Turn, alone: bool) -> Result<Option<Held>, Error> {
    let failed = |error| Error::File("use the lock beside the database", error);
    let path = turn.file_beside(database);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match if alone { file.try_lock() } else { file.try_lock_shared() } {
        Ok(()) => Ok(Some(Held { _file: Some(file), _session: None })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

impl Database {
    /// Takes a turn together with others who do the same; nothing when somebody is alone.
    ///
    /// # Errors
    /// When the database or the file of the lock cannot be used.
    pub async fn take_part(&self, turn: Turn) -> Result<Option<Held>, Error> {
        self.take(turn, false).await
    }

    /// Takes a turn alone; nothing when anybody is in the way.
    ///
    /// # Errors
    /// When the database or the file of the lock cannot be used.
    pub async fn take_alone(&self, turn: Turn) -> Result<Option<Held>, Error> {
        self.take(turn, true).await
    }

    async fn take(&self, turn: Turn, alone: bool) -> Result<Option<Held>, Error> {
        if self.is_sqlite() {
            return match self.file().await? {
                Some(file) => take_beside(&file, turn, alone),
                // In memory it is this process's alone.
                None => Ok(Some(Held { _file: None, _session: None })),
            };
        }
        let failed = "take a lock of the database";
        let mut session = self.reader().get_postgres_connection_pool().acquire().await.map_err(Error::sqlx(failed))?;
        // Back in the pool, the session would keep what it took.
        session.close_on_drop();
        let lock = if alone { "pg_try_advisory_lock" } else { "pg_try_advisory_lock_shared" };
        let ask = AssertSqlSafe(format!("SELECT {lock}({})", turn.number()));
        let taken: bool = query_scalar(ask).fetch_one(&mut *session).await.map_err(Error::sqlx(failed))?;
        Ok(taken.then_some(Held { _file: None, _session: Some(session) }))
    }
}
