//! Databases: SQLite's files with their journals; PostgreSQL row by row, with its statistics, and the files of the
//! database where they can be read.

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use persistence::Database;
use sea_orm::{ConnectionTrait, Statement, StreamTrait};

use super::needles::Seen;
use super::{Error, Needles, Report, files};

/// What SQLite keeps beside a file.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];
const TABLES: &str = "SELECT relname::text AS name FROM pg_class \
     WHERE relkind IN ('r', 'm') AND relnamespace = current_schema()::regnamespace ORDER BY relname";
const STATISTICS: &str = "SELECT concat_ws(' ', most_common_vals::text, histogram_bounds::text, \
     most_common_elems::text) AS line FROM pg_stats WHERE schemaname = current_schema()";
/// The folder of this one database, which only a superuser is told.
const FOLDER: &str = "SELECT current_setting('data_directory') || '/base/' || oid::text AS folder FROM pg_database \
     WHERE datname = current_database()";

pub(super) async fn look(
    database: &Database,
    store: &str,
    needles: &Needles,
    report: &mut Report,
) -> Result<(), Error> {
    report.open(store);
    if let Some(file) = database.file().await? {
        for beside in BESIDE {
            let mut name = file.clone().into_os_string();
            name.push(beside);
            files::look(Path::new(&name), store, needles, report).await?;
        }
        return Ok(());
    }
    if database.is_sqlite() {
        return Ok(());
    }
    let reader = database.reader();
    let ask = |sql: String| Statement::from_string(reader.get_database_backend(), sql);
    for row in reader.query_all_raw(ask(TABLES.to_owned())).await? {
        let name: String = row.try_get("", "name")?;
        let rows = format!("SELECT whole::text AS line FROM \"{name}\" AS whole");
        look_at_lines(database, ask(rows), store, &name, needles, report).await?;
    }
    look_at_lines(database, ask(STATISTICS.to_owned()), store, "pg_stats", needles, report).await?;
    if let Some(folder) = own_folder(database).await {
        files::look(&folder, store, needles, report).await?;
    }
    Ok(())
}

async fn look_at_lines(
    database: &Database,
    sql: Statement,
    store: &str,
    place: &str,
    needles: &Needles,
    report: &mut Report,
) -> Result<(), Error> {
    let mut seen = Seen::default();
    let mut rows = database.reader().stream_raw(sql).await?;
    while let Some(row) = rows.try_next().await? {
        let line: Option<String> = row.try_get("", "line")?;
        needles.feed(&mut seen, line.unwrap_or_default().as_bytes());
        needles.feed(&mut seen, b"\n");
    }
    report.add(store, place, &seen);
    Ok(())
}

/// Where the server keeps this database, when it runs here and may be looked at; a foreign server's rows were read.
async fn own_folder(database: &Database) -> Option<PathBuf> {
    let reader = database.reader();
    let row = reader.query_one_raw(Statement::from_string(reader.get_database_backend(), FOLDER)).await.ok()??;
    let folder = PathBuf::from(row.try_get::<String>("", "folder").ok()?);
    std::fs::read_dir(&folder).is_ok().then_some(folder)
}
