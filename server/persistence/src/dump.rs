//! A database as a stream of bytes, consistent as of one moment, and back.
//!
//! SQLite is written anew by `VACUUM INTO`: a copy of the file would carry deleted rows along (privacy-design §2.8).
//! PostgreSQL is read table by table with `COPY` in one REPEATABLE READ snapshot, the way its own tools do, so no
//! foreign program is needed and its version does not matter.

mod frames;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures::stream::BoxStream;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Database, Error};

pub use postgres::{count_postgres, load_postgres};
pub use sqlite::{examine_sqlite, sync_file};

/// Which kind of database a copy is of, and can be loaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// SQLite: the copy is a database file.
    Sqlite,
    /// PostgreSQL: the copy is a series of tables.
    Postgres,
}

impl std::fmt::Display for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Rows by table.
pub type Counts = BTreeMap<String, u64>;

/// The pieces of a copy.
pub type Pieces = mpsc::Sender<Result<Bytes, Error>>;

impl Database {
    /// Which kind it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        if self.is_sqlite() { Engine::Sqlite } else { Engine::Postgres }
    }

    /// Writes a consistent copy piece by piece, and tells how many rows of which table are in it. `scratch` is a file
    /// that SQLite's copy takes on the way; it is gone at the end.
    ///
    /// # Errors
    /// When the database or the file fails; the last piece is then an error, too, so that nobody takes what came for
    /// the whole.
    pub async fn dump(&self, scratch: &Path, pieces: Pieces) -> Result<Counts, Error> {
        let done = if self.is_sqlite() {
            sqlite::dump(self, scratch, &pieces).await
        } else {
            postgres::dump(self, &pieces).await
        };
        if let Err(error) = &done {
            let told = Error::Copy(error.to_string());
            if pieces.send(Err(told)).await.is_err() {
                tracing::debug!("whoever took the copy was gone already");
            }
        }
        done
    }

    /// Whether none of these tables has a row; one that is missing has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_empty_of(&self, tables: &[&str]) -> Result<bool, Error> {
        let failed = "look whether the database is empty";
        let is_there = if self.is_sqlite() {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1"
        } else {
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname::text = $1 \
             AND relnamespace = current_schema()::regnamespace"
        };
        let reader = self.reader();
        let backend = reader.get_database_backend();
        for table in tables {
            let ask = Statement::from_sql_and_values(backend, is_there, [(*table).into()]);
            if reader.query_one_raw(ask).await.map_err(Error::db(failed))?.is_none() {
                continue;
            }
            let ask = Statement::from_string(backend, format!("SELECT 1 FROM \"{table}\" LIMIT 1"));
            if reader.query_one_raw(ask).await.map_err(Error::db(failed))?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn hand_on(pieces: &Pieces, piece: Bytes) -> Result<(), Error> {
    pieces.send(Ok(piece)).await.map_err(|_| Error::Unwanted)
}

/// A copy as it is read back.
pub type Incoming<'a, E> = BoxStream<'a, Result<Bytes, E>>;
