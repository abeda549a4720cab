//! What a deletion leaves behind in free pages, statistics and logs is scrubbed (privacy-design §2.8, measured there).
//!
//! SQLite: samples of the planner are taken anew, the file is written anew, and the write-ahead log is cut to nothing,
//! which a reader that is still open would prevent: that is waited for, and told when it does not end. PostgreSQL: the
//! tables and the statistics are written anew; its own log and the segments of its write-ahead log have to be set up
//! and recycled by whoever runs it, and what is set otherwise is said.

use std::time::Duration;

use persistence::Database;
use sea_orm::{ConnectionTrait, Statement};

/// Tries to cut the log while a reader is in the way, and the pause between two: readers answer pages and are short.
const TRUNCATE_TRIES: u32 = 100;
const TRUNCATE_PAUSE: Duration = Duration::from_millis(100);
/// Above this size a PostgreSQL table is not rewritten as a whole, which would lock it for long.
const REWRITE_BYTES: i64 = 1 << 30;

/// A scrub failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused a step.
    #[error("scrub the database")]
    Database(#[from] persistence::Error),
    /// The database could not be asked.
    #[error("look at the database before scrubbing it")]
    Query(#[from] sea_orm::DbErr),
    /// A reader was in the way for too long; what was deleted may still be in the log.
    #[error("a reader kept the write-ahead log open; it is scrubbed at the next try")]
    Busy,
}

/// What a scrub did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Settings of the database server that would let values slip into its own log.
    pub advice: Vec<String>,
}

/// Scrubs one database. Nobody writes to it meanwhile.
///
/// # Errors
/// When a step is refused, or a reader stays in the way.
pub async fn scrub(database: &Database) -> Result<Scrubbed, Error> {
    if database.is_sqlite() { scrub_sqlite(database).await } else { scrub_postgres(database).await }
}

async fn scrub_sqlite(database: &Database) -> Result<Scrubbed, Error> {
    if one_text(database, "SELECT name FROM sqlite_schema WHERE name = 'sqlite_stat1'").await?.is_some() {
        // Its samples hold values of rows, also of those that are gone.
        database.maintain("ANALYZE").await?;
    }
    // Once before, so that the file alone is rewritten, and once after, since that went through the log as well.
    truncate(database).await?;
    database.maintain("VACUUM").await?;
    truncate(database).await?;
    Ok(Scrubbed::default())
}

async fn truncate(database: &Database) -> Result<(), Error> {
    for _ in 0..TRUNCATE_TRIES {
        if !database.truncate_log().await? {
            return Ok(());
        }
        tokio::time::sleep(TRUNCATE_PAUSE).await;
    }
    Err(Error::Busy)
}

async fn scrub_postgres(database: &Database) -> Result<Scrubbed, Error> {
    let reader = database.reader();
    let tables = reader
        .query_all_raw(Statement::from_string(
            reader.get_database_backend(),
            "SELECT relname::text AS name, pg_total_relation_size(oid) AS bytes FROM pg_class \
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname",
        ))
        .await?;
    for row in tables {
        let (name, bytes): (String, i64) = (row.try_get("", "name")?, row.try_get("", "bytes")?);
        let how = if bytes <= REWRITE_BYTES { "FULL, ANALYZE" } else { "ANALYZE" };
        database.maintain(&format!("VACUUM ({how}) \"{name}\"")).await?;
    }
    // Most common values of the old statistics stay in their pages otherwise.
    if let Err(error) = database.maintain("VACUUM FULL pg_catalog.pg_statistic").await {
        tracing::warn!(%error, "the statistics could not be rewritten; the database's owner may do it");
    }
    if let Err(error) = database.maintain("CHECKPOINT").await {
        tracing::debug!(%error, "a checkpoint was not allowed; the server makes its own");
    }
    Ok(Scrubbed { advice: log_advice(database).await? })
}

/// Settings under which a failed statement would not write values into the server's log.
const LOG_SETTINGS: [(&str, &str); 3] = [
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("log_parameter_max_length_on_error", "0"),
];

/// What should be set otherwise on the database server.
///
/// # Errors
/// When the database cannot be asked.
pub async fn log_advice(database: &Database) -> Result<Vec<String>, Error> {
    let mut advice = Vec::new();
    if database.is_sqlite() {
        return Ok(advice);
    }
    for (name, wanted) in LOG_SETTINGS {
        let is = one_text(database, &format!("SELECT current_setting('{name}')")).await?.unwrap_or_default();
        if is != wanted {
            advice.push(format!("{name} is {is}; {wanted} keeps values out of the server's log"));
        }
    }
    Ok(advice)
}

async fn one_text(database: &Database, sql: &str) -> Result<Option<String>, Error> {
    let reader = database.reader();
    let row = reader.query_one_raw(Statement::from_string(reader.get_database_backend(), sql)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}
