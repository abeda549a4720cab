//! SQLite: the database written anew into a file of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Connection, query, query_scalar};
use tokio::io::AsyncReadExt;

use super::{Counts, Pieces, hand_on};
use crate::{Database, Error};

/// Bytes of a piece.
const PIECE: usize = 1 << 20;
/// How long the copy waits for a writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) async fn dump(database: &Database, scratch: &Path, pieces: &Pieces) -> Result<Counts, Error> {
    remove_left_behind(scratch).await?;
    // A copy whose asker was dropped is written on by SQLite for a while: no other may meet it in its file.
    let mut own = scratch.as_os_str().to_owned();
    own.push(format!(".{:016x}", getrandom::u64().map_err(|error| Error::Copy(error.to_string()))?));
    let own = PathBuf::from(own);
    let done = dump_by_way_of(database, &own, pieces).await;
    remove(&own).await?;
    done
}

/// Removes copies nobody waits for any more.
async fn remove_left_behind(scratch: &Path) -> Result<(), Error> {
    let failed = |error| Error::File("look for earlier copies of the database", error);
    let (Some(folder), Some(name)) = (scratch.parent(), scratch.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let mut entries = tokio::fs::read_dir(folder).await.map_err(failed)?;
    while let Some(entry) = entries.next_entry().await.map_err(failed)? {
        if entry.file_name().to_str().is_some_and(|found| found.starts_with(name)) {
            remove(&entry.path()).await?;
        }
    }
    Ok(())
}

async fn dump_by_way_of(database: &Database, scratch: &Path, pieces: &Pieces) -> Result<Counts, Error> {
    let file = database.file().await?.ok_or_else(|| Error::Copy("a database in memory has no file".to_owned()))?;
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    // A connection of its own: the pool's readers may not write, not even into another file.
    let mut connection = options.connect().await.map_err(Error::sqlx("open the database for a copy"))?;
    let target = scratch.to_str().ok_or_else(|| Error::Copy("its path is not UTF-8".to_owned()))?;
    let copied = query("VACUUM INTO ?1").bind(target).execute(&mut connection).await;
    connection.close().await.map_err(Error::sqlx("close the database after a copy"))?;
    copied.map_err(Error::sqlx("copy the database"))?;
    let counts = examine_sqlite(scratch).await?;
    let failed = |error| Error::File("read the copy of the database", error);
    let mut file = tokio::fs::File::open(scratch).await.map_err(failed)?;
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        if file.read_buf(&mut piece).await.map_err(failed)? == 0 {
            return Ok(counts);
        }
        hand_on(pieces, piece.freeze()).await?;
    }
}

async fn remove(path: &Path) -> Result<(), Error> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File("remove the copy of the database", error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Checks a database file page by page and reference by reference, and counts the rows of every table.
///
/// # Errors
/// When it is no database, or a damaged one.
pub async fn examine_sqlite(path: &Path) -> Result<Counts, Error> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).read_only(true);
    let mut connection = options.connect().await.map_err(Error::sqlx("open a copy of a database"))?;
    let counts = examine(&mut connection).await;
    connection.close().await.map_err(Error::sqlx("close a copy of a database"))?;
    counts
}

async fn examine(connection: &mut SqliteConnection) -> Result<Counts, Error> {
    let failed = "examine a copy of a database";
    let found: String =
        query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await.map_err(Error::sqlx(failed))?;
    if found != "ok" {
        return Err(Error::Copy(format!("the integrity check says: {found}")));
    }
    let orphan = query("PRAGMA foreign_key_check").fetch_optional(&mut *connection).await;
    if orphan.map_err(Error::sqlx(failed))?.is_some() {
        return Err(Error::Copy("a row belongs to one that is not there".to_owned()));
    }
    let tables: Vec<String> =
        query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::sqlx(failed))?;
    let mut counts = Counts::new();
    for table in tables {
        let ask = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\""));
        let rows: i64 = query_scalar(ask).fetch_one(&mut *connection).await.map_err(Error::sqlx(failed))?;
        counts.insert(table, rows.unsigned_abs());
    }
    Ok(counts)
}

/// Makes sure that a file, and its name in its folder, are on the disk.
///
/// # Errors
/// When they are not.
pub fn sync_file(path: &Path) -> Result<(), Error> {
    let failed = |error| Error::File("write a database to the disk", error);
    std::fs::File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
