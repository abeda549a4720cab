//! Connections. SQLite: one writer whose transactions begin IMMEDIATE, and a pool of readers that cannot write.
//! PostgreSQL: one pool for both.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};

use crate::Error;

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers of one SQLite file.
const READERS: u32 = 8;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 24;
/// The first release in which two connections cannot corrupt a WAL database (quality.md §2.1).
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// The business database. Cloning is cheap.
#[derive(Clone)]
pub struct Database {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, Error> {
    Ok(with_pragmas(SqliteConnectOptions::from_str(url).map_err(|_| Error::Url)?))
}

fn with_pragmas(options: SqliteConnectOptions) -> SqliteConnectOptions {
    // Pragmas run in the order they are set: the busy timeout has to be there before WAL is asked for. Deleted text
    // is overwritten (privacy-design §2.8), and what was acknowledged survives a power cut.
    options
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .auto_vacuum(SqliteAutoVacuum::None)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(256)
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, Error> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(Error::Url);
    }
    PgConnectOptions::from_str(url).map_err(|_| Error::Url)
}

impl Database {
    /// Whether a URL can be read; nothing is connected.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_url(url: &str) -> Result<(), Error> {
        if url.starts_with("sqlite:") { sqlite_options(url).map(drop) } else { postgres_options(url).map(drop) }
    }

    /// The file a SQLite URL names; nothing for PostgreSQL.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn file_of(url: &str) -> Result<Option<std::path::PathBuf>, Error> {
        if !url.starts_with("sqlite:") {
            return postgres_options(url).map(|_| None);
        }
        Ok(Some(sqlite_options(url)?.get_filename().to_owned()))
    }

    /// Connects to `sqlite://path?mode=rwc` or `postgres://…`.
    ///
    /// # Errors
    /// When the URL is neither, the database cannot be reached, or the SQLite library is too old.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(sqlite_options(url)?).await
        } else {
            let options = postgres_options(url)?;
            let failed = |error: sea_orm::sqlx::Error| Error::Db {
                operation: "reach PostgreSQL",
                source: sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())),
            };
            let pool = PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(Duration::from_secs(30))
                .connect_with(options.clone())
                .await;
            let pool = match pool {
                Ok(pool) => pool,
                // A pool that waited in vain tells only that; one connection tells why.
                Err(waited @ sea_orm::sqlx::Error::PoolTimedOut) => {
                    return Err(failed(options.connect().await.err().unwrap_or(waited)));
                }
                Err(error) => return Err(failed(error)),
            };
            let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
            Ok(Self { writer: connection.clone(), reader: connection })
        }
    }

    /// Opens a SQLite file that is there.
    ///
    /// # Errors
    /// When it is no database, or the SQLite library is too old.
    pub async fn open_file(path: &std::path::Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        Self::open_sqlite(with_pragmas(options)).await
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self, Error> {
        let failed = |error: sea_orm::sqlx::Error| Error::Db {
            operation: "open SQLite",
            source: sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())),
        };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        // A reader's snapshot must not outlive its page by much, or checkpoints stall and deleted rows linger.
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .max_lifetime(Duration::from_secs(600))
            // A file does not hang up, and asking costs as much as a small query.
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.create_if_missing(false).pragma("query_only", "ON"))
            .await
            .map_err(failed)?;
        let database = Self {
            writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
            reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        };
        database.check_sqlite_version().await?;
        Ok(database)
    }

    async fn check_sqlite_version(&self) -> Result<(), Error> {
        let row = self
            .reader
            .query_one_raw(Statement::from_string(DbBackend::Sqlite, "SELECT sqlite_version() AS version"))
            .await
            .map_err(Error::db("ask SQLite for its version"))?;
        let text: String = row
            .map(|row| row.try_get("", "version"))
            .transpose()
            .map_err(Error::db("read SQLite's version"))?
            .unwrap_or_default();
        let version: Vec<u32> = text.split('.').filter_map(|part| part.parse().ok()).collect();
        if version.as_slice() < OLDEST_SQLITE.as_slice() { Err(Error::OldSqlite(text)) } else { Ok(()) }
    }

    /// For queries that only read.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The connection migrations run on.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a transaction that will write. On SQLite it is IMMEDIATE: a deferred one would skip the busy timeout
    /// when it turns from reading to writing (quality.md §2.2).
    ///
    /// # Errors
    /// When no connection can be had in time.
    pub async fn begin(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await.map_err(Error::db("begin a transaction"))
    }

    /// Begins a transaction that only reads, and sees everything as it is at its first look: what an archive is written
    /// from. Long ones keep deleted rows from being scrubbed, so whoever holds one does nothing else meanwhile.
    ///
    /// # Errors
    /// When no connection can be had in time.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction, Error> {
        let options = if self.is_sqlite() {
            TransactionOptions::default()
        } else {
            TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            }
        };
        self.reader.begin_with_options(options).await.map_err(Error::db("begin to read"))
    }

    /// Runs a statement that cannot be in a transaction, such as VACUUM, on the writer. Whoever writes waits meanwhile.
    ///
    /// # Errors
    /// When the database refuses it.
    pub async fn maintain(&self, sql: &str) -> Result<(), Error> {
        self.writer.execute_unprepared(sql).await.map(drop).map_err(Error::db("maintain the database"))
    }

    /// SQLite: moves the write-ahead log into the file and cuts it to nothing. Tells whether a reader was in the way;
    /// then the log still holds what was deleted. Elsewhere there is nothing to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn truncate_log(&self) -> Result<bool, Error> {
        if !self.is_sqlite() {
            return Ok(false);
        }
        let ask = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
        let failed = "truncate the write-ahead log";
        let row = self.writer.query_one_raw(ask).await.map_err(Error::db(failed))?;
        let busy: Option<i32> = row.map(|row| row.try_get_by_index(0)).transpose().map_err(Error::db(failed))?;
        Ok(busy != Some(0))
    }

    /// SQLite: where the file is, so that its bytes can be looked at. Nothing for another database or one in memory.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file(&self) -> Result<Option<std::path::PathBuf>, Error> {
        if !self.is_sqlite() {
            return Ok(None);
        }
        let ask =
            Statement::from_string(DbBackend::Sqlite, "SELECT file FROM pragma_database_list WHERE name = 'main'");
        let failed = "ask SQLite for its file";
        let row = self.reader.query_one_raw(ask).await.map_err(Error::db(failed))?;
        let file: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose().map_err(Error::db(failed))?;
        Ok(file.filter(|name| !name.is_empty()).map(Into::into))
    }

    /// Whether the database answers, for readiness.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop).map_err(Error::db("ping the database"))
    }

    /// SQLite, or PostgreSQL.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Closes every connection.
    pub async fn close(&self) {
        for connection in [&self.reader, &self.writer] {
            if let Err(error) = connection.clone().close().await {
                tracing::warn!(%error, "a database connection did not close well");
            }
        }
    }
}
