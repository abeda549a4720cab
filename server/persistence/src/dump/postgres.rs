//! PostgreSQL: every table by `COPY`, in one snapshot, parents before children, so that loading needs no tricks.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use futures::TryStreamExt;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, Row, query};

use super::frames::{Frame, Frames, Stopped, TableHead};
use super::{Counts, Incoming, Pieces, hand_on};
use crate::{Database, Error};

/// Rows are gathered up to this size before they are handed on.
const PIECE: usize = 256 << 10;
/// Written by the migrations themselves.
const OF_THE_MIGRATIONS: &str = "seaql_migrations";
const COLUMNS: &str = "SELECT holder.relname::text AS holder, col.attname::text AS col \
     FROM pg_attribute AS col JOIN pg_class AS holder ON holder.oid = col.attrelid \
     WHERE holder.relkind = 'r' AND holder.relnamespace = current_schema()::regnamespace \
     AND col.attnum > 0 AND NOT col.attisdropped AND col.attgenerated = '' ORDER BY holder.relname, col.attnum";
const REFERENCES: &str = "SELECT child.relname::text AS child, parent.relname::text AS parent \
     FROM pg_constraint AS reference JOIN pg_class AS child ON child.oid = reference.conrelid \
     JOIN pg_class AS parent ON parent.oid = reference.confrelid \
     WHERE reference.contype = 'f' AND reference.connamespace = current_schema()::regnamespace";

pub(super) async fn dump(database: &Database, pieces: &Pieces) -> Result<Counts, Error> {
    let failed = "copy the database";
    let pool = database.reader().get_postgres_connection_pool();
    // Of its own and never given back: a `COPY` that is broken off, because the place it goes to fails or the server
    // stops, leaves an answer behind that the next user of the connection would take for theirs.
    let mut own = pool.acquire().await.map_err(Error::sqlx(failed))?.detach();
    // Whoever had the connection before may have been dropped in the middle of a BEGIN, and it is in a transaction still.
    own.execute("ROLLBACK").await.map_err(Error::sqlx(failed))?;
    let mut snapshot =
        own.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(Error::sqlx(failed))?;
    let mut counts = Counts::new();
    for table in tables(&mut snapshot).await? {
        let name = table.name.clone();
        let copy = format!("COPY {} TO STDOUT", named(&table));
        send(pieces, &Frame::Table(table)).await?;
        let mut rows = 0;
        let mut gathered = BytesMut::new();
        let mut data = snapshot.copy_out_raw(&copy).await.map_err(Error::sqlx(failed))?;
        while let Some(some) = data.try_next().await.map_err(Error::sqlx(failed))? {
            rows += lines(&some);
            gathered.extend_from_slice(&some);
            if gathered.len() >= PIECE {
                send(pieces, &Frame::Data(gathered.split().freeze())).await?;
            }
        }
        drop(data);
        if !gathered.is_empty() {
            send(pieces, &Frame::Data(gathered.freeze())).await?;
        }
        send(pieces, &Frame::TableEnd { rows }).await?;
        counts.insert(name, rows);
    }
    send(pieces, &Frame::End).await?;
    snapshot.rollback().await.map_err(Error::sqlx(failed))?;
    own.close().await.map_err(Error::sqlx(failed))?;
    Ok(counts)
}

/// The text form of `COPY` ends every row with a line feed and escapes those within.
fn lines(data: &[u8]) -> u64 {
    data.iter().filter(|byte| **byte == b'\n').count() as u64
}

async fn send(pieces: &Pieces, frame: &Frame) -> Result<(), Error> {
    hand_on(pieces, frame.written().map_err(|error| Error::Copy(error.to_string()))?).await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn named(table: &TableHead) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quoted(column)).collect();
    format!("{} ({})", quoted(&table.name), columns.join(", "))
}

/// Every table with its columns, those that others name first.
async fn tables(connection: &mut PgConnection) -> Result<Vec<TableHead>, Error> {
    let failed = "read the schema";
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in query(COLUMNS).fetch_all(&mut *connection).await.map_err(Error::sqlx(failed))? {
        let table: String = row.try_get("holder").map_err(Error::sqlx(failed))?;
        columns.entry(table).or_default().push(row.try_get("col").map_err(Error::sqlx(failed))?);
    }
    columns.remove(OF_THE_MIGRATIONS);
    let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in query(REFERENCES).fetch_all(&mut *connection).await.map_err(Error::sqlx(failed))? {
        let child: String = row.try_get("child").map_err(Error::sqlx(failed))?;
        parents.entry(child).or_default().insert(row.try_get("parent").map_err(Error::sqlx(failed))?);
    }
    let order = parents_first(columns.keys().cloned().collect(), &parents)?;
    Ok(order.into_iter().filter_map(|name| Some(TableHead { columns: columns.remove(&name)?, name })).collect())
}

fn parents_first(
    mut left: BTreeSet<String>,
    parents: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<String>, Error> {
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |table: &String| {
            parents.get(table).is_some_and(|parents| parents.iter().any(|one| one != table && left.contains(one)))
        };
        let free: Vec<String> = left.iter().filter(|table| !waits(table)).cloned().collect();
        if free.is_empty() {
            return Err(Error::Copy("tables name each other in a circle".to_owned()));
        }
        left.retain(|table| !free.contains(table));
        order.extend(free);
    }
    Ok(order)
}

fn stopped<E: std::error::Error + Send + Sync + 'static>(error: Stopped<E>) -> Error {
    Error::Copy(error.to_string())
}

/// Loads a copy in one transaction: what the tables held before is gone, and with an error nothing is changed.
/// `afterwards` is run in the same transaction.
///
/// # Errors
/// When the database refuses it, or the copy is not whole.
pub async fn load_postgres<E>(
    database: &Database,
    pieces: Incoming<'_, E>,
    afterwards: Option<String>,
) -> Result<Counts, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = "load a copy of a database";
    let pool = database.reader().get_postgres_connection_pool();
    let mut transaction = pool.begin().await.map_err(Error::sqlx(failed))?;
    let emptied: Vec<String> = tables(&mut transaction).await?.iter().map(|table| quoted(&table.name)).collect();
    if !emptied.is_empty() {
        let truncate = AssertSqlSafe(format!("TRUNCATE {}", emptied.join(", ")));
        transaction.execute(truncate).await.map_err(Error::sqlx(failed))?;
    }
    let counts = load(&mut transaction, &mut Frames::of(pieces)).await?;
    if let Some(sql) = afterwards {
        transaction.execute(AssertSqlSafe(sql)).await.map_err(Error::sqlx(failed))?;
    }
    transaction.commit().await.map_err(Error::sqlx(failed))?;
    Ok(counts)
}

async fn load<E>(connection: &mut PgConnection, frames: &mut Frames<'_, E>) -> Result<Counts, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = "load a table of a copy";
    let mut counts = Counts::new();
    loop {
        let table = match frames.next().await.map_err(stopped)? {
            Frame::Table(table) => table,
            Frame::End => return Ok(counts),
            Frame::Data(_) | Frame::TableEnd { .. } => return Err(Error::Copy("data without a table".to_owned())),
        };
        let mut copy =
            connection.copy_in_raw(&format!("COPY {} FROM STDIN", named(&table))).await.map_err(Error::sqlx(failed))?;
        let told = loop {
            match frames.next().await {
                Ok(Frame::Data(data)) => {
                    copy.send(data).await.map_err(Error::sqlx(failed))?;
                }
                Ok(Frame::TableEnd { rows }) => break rows,
                Ok(Frame::Table(_) | Frame::End) => return Err(Error::Copy("a table without an end".to_owned())),
                Err(error) => return Err(stopped(error)),
            }
        };
        let rows = copy.finish().await.map_err(Error::sqlx(failed))?;
        if rows != told {
            return Err(Error::Copy(format!("{} has {rows} rows instead of {told}", table.name)));
        }
        counts.insert(table.name, rows);
    }
}

/// Reads a copy without loading it: whether it is whole, and how many rows of which table are in it.
///
/// # Errors
/// When it is not whole.
pub async fn count_postgres<E>(pieces: Incoming<'_, E>) -> Result<Counts, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut frames = Frames::of(pieces);
    let mut counts = Counts::new();
    let mut open: Option<(String, u64)> = None;
    loop {
        match (frames.next().await.map_err(stopped)?, open.take()) {
            (Frame::Table(table), None) => open = Some((table.name, 0)),
            (Frame::Data(data), Some((table, rows))) => open = Some((table, rows + lines(&data))),
            (Frame::TableEnd { rows: told }, Some((table, rows))) if told == rows => {
                counts.insert(table, rows);
            }
            (Frame::End, None) => return Ok(counts),
            _ => return Err(Error::Copy("its tables are out of order".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_comes_first() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let parents = BTreeMap::from([
            ("beat".to_owned(), set(&["view"])),
            ("view".to_owned(), set(&["webinar", "video"])),
            ("video".to_owned(), set(&["webinar", "video"])),
        ]);
        let order = parents_first(set(&["beat", "video", "view", "webinar"]), &parents).expect("an order");
        assert_eq!(order, ["webinar", "video", "view", "beat"]);
        let circle = BTreeMap::from([("a".to_owned(), set(&["b"])), ("b".to_owned(), set(&["a"]))]);
        assert!(parents_first(set(&["a", "b"]), &circle).is_err());
        assert_eq!(lines(b"1\tx\n2\ty\\nz\n"), 2);
    }
}
