//! Rows in pages, from one snapshot, in the order of their keys, with bounded memory.
//!
//! Rows with an id are found by their ids, which are collected first: of any number, never more than [`MOST_IDS`] at
//! once. Rows without one are found by what they belong to, page by page. Neither asks the database to sort more than a
//! page.

use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use futures::TryStreamExt;
use persistence::catalog::Kind;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, Statement, StreamTrait, Value};
use uuid::Uuid;

use super::Error;
use super::tables::{ArchivePlan, ArchiveTable};

/// Ids in memory at once: 8 MB.
const MOST_IDS: usize = 500_000;
/// Rows of a page.
const PAGE_ROWS: usize = 5_000;
/// Rows others belong to, taken at once.
const PARENTS: usize = 200;

/// A snapshot and whose rows are wanted of it.
#[derive(Clone, Copy)]
pub(super) struct Snapshot<'a> {
    pub(super) conn: &'a DatabaseTransaction,
    pub(super) person: Uuid,
}

impl Snapshot<'_> {
    fn backend(&self) -> DbBackend {
        // Both traits in use here know it.
        ConnectionTrait::get_database_backend(self.conn)
    }

    /// How many rows of a table are wanted.
    pub(super) async fn count(&self, table: &ArchiveTable) -> Result<u64, Error> {
        let sql = format!("SELECT COUNT(*) FROM \"{}\" WHERE {}", table.name, table.filter);
        self.number(sql).await
    }

    /// One number about the person.
    pub(super) async fn number(&self, sql: String) -> Result<u64, Error> {
        let ask = Statement::from_sql_and_values(self.backend(), sql, [Value::from(self.person)]);
        let row = self.conn.query_one_raw(ask).await?;
        let number: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        Ok(number.unsigned_abs())
    }

    /// The least ids of a table after one, sorted: as many as may be in memory.
    async fn ids_after(&self, table: &ArchiveTable, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        let mut sql = format!("SELECT \"id\" FROM \"{}\" WHERE ({})", table.name, table.filter);
        let mut values = vec![Value::from(self.person)];
        if let Some(after) = after {
            sql.push_str(" AND \"id\" > $2");
            values.push(after.into());
        }
        let mut found = self.conn.stream_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?;
        let mut least = BinaryHeap::new();
        while let Some(row) = found.try_next().await? {
            let id: Uuid = row.try_get_by_index(0)?;
            if least.len() < MOST_IDS {
                least.push(id);
            } else if least.peek().is_some_and(|greatest| id < *greatest) {
                least.pop();
                least.push(id);
            }
        }
        Ok(least.into_sorted_vec())
    }

    async fn ask(&self, sql: String, values: Vec<Value>) -> Result<Vec<QueryResult>, Error> {
        Ok(self.conn.query_all_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?)
    }
}

fn places(from: usize, count: usize) -> String {
    (from..from + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

enum Way {
    /// By id: those still to come, and whether there may be more after them.
    Ids {
        waiting: VecDeque<Uuid>,
        last: Option<Uuid>,
        is_all: bool,
    },
    /// By what they belong to.
    Parents {
        waiting: VecDeque<Uuid>,
        last: Option<Uuid>,
        is_all: bool,
        done: usize,
        after: Option<(Uuid, Value)>,
    },
    /// Few: by position.
    Few {
        done: usize,
    },
    Over,
}

/// The pages of one table.
pub(super) struct Pages<'a> {
    from: Snapshot<'a>,
    table: &'a ArchiveTable,
    parent: Option<&'a ArchiveTable>,
    /// What is asked for of each row.
    select: String,
    way: Way,
}

impl<'a> Pages<'a> {
    /// Rows of a table with these expressions of each.
    pub(super) fn new(from: Snapshot<'a>, plan: &'a ArchivePlan, table: &'a ArchiveTable, select: &[String]) -> Self {
        let parent = table.parent.as_deref().and_then(|name| plan.data(name)).filter(|parent| parent.key == ["id"]);
        let nothing = || (VecDeque::new(), None, false);
        let way = if table.key == ["id"] {
            let (waiting, last, is_all) = nothing();
            Way::Ids { waiting, last, is_all }
        } else if parent.is_some() {
            let (waiting, last, is_all) = nothing();
            Way::Parents { waiting, last, is_all, done: 0, after: None }
        } else {
            Way::Few { done: 0 }
        };
        Self { from, table, parent, select: select.join(", "), way }
    }

    /// The key, as bytes sort it on both databases.
    fn order(&self) -> String {
        let bytewise = if self.from.backend() == DbBackend::Postgres { " COLLATE \"C\"" } else { "" };
        let columns = self.table.key.iter().zip(&self.table.key_kinds);
        let columns = columns.map(|(name, kind)| match kind {
            Kind::Text => format!("\"{name}\"{bytewise}"),
            _ => format!("\"{name}\""),
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Whether the second part of the key can be compared in the same way on both databases.
    fn is_comparable(&self) -> bool {
        self.table.key.len() == 2 && matches!(self.table.key_kinds.get(1), Some(Kind::Id | Kind::Number | Kind::Moment))
    }

    /// The next page; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<QueryResult>>, Error> {
        loop {
            let page = match &mut self.way {
                Way::Over => return Ok(None),
                Way::Ids { .. } => self.by_ids().await?,
                Way::Parents { .. } => self.by_parents().await?,
                Way::Few { .. } => self.few().await?,
            };
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
    }

    async fn by_ids(&mut self) -> Result<Vec<QueryResult>, Error> {
        let Way::Ids { waiting, last, is_all } = &mut self.way else { return Ok(Vec::new()) };
        if waiting.is_empty() && !*is_all {
            let ids = self.from.ids_after(self.table, *last).await?;
            *is_all = ids.len() < MOST_IDS;
            *last = ids.last().copied();
            *waiting = ids.into();
        }
        let some: Vec<Value> = waiting.drain(..waiting.len().min(PAGE_ROWS)).map(Value::from).collect();
        if some.is_empty() {
            self.way = Way::Over;
            return Ok(Vec::new());
        }
        let (table, select) = (self.table.name, &self.select);
        let sql =
            format!("SELECT {select} FROM \"{table}\" WHERE \"id\" IN ({}) ORDER BY \"id\"", places(1, some.len()));
        self.from.ask(sql, some).await
    }

    async fn by_parents(&mut self) -> Result<Vec<QueryResult>, Error> {
        let (order, is_comparable) = (self.order(), self.is_comparable());
        let Way::Parents { waiting, last, is_all, done, after } = &mut self.way else { return Ok(Vec::new()) };
        let Some(parent) = self.parent else { return Ok(Vec::new()) };
        if waiting.is_empty() && !*is_all {
            let ids = self.from.ids_after(parent, *last).await?;
            *is_all = ids.len() < MOST_IDS;
            *last = ids.last().copied();
            *waiting = ids.into();
        }
        // Where places cannot be compared they are counted, one parent at a time.
        let batch = waiting.len().min(if is_comparable { PARENTS } else { 1 });
        if batch == 0 {
            self.way = Way::Over;
            return Ok(Vec::new());
        }
        let (table, select, first) = (self.table.name, &self.select, self.table.key[0]);
        // Within one parent the next page begins where the index has its place, however many rows lie before it.
        if let (Some((parent, place)), Some(second)) = (after.take(), self.table.key.get(1)) {
            let sql = format!(
                "SELECT {select} FROM \"{table}\" WHERE \"{first}\" = $1 AND \"{second}\" > $2 ORDER BY \"{second}\" LIMIT {PAGE_ROWS}"
            );
            let page = self.from.ask(sql, vec![Value::from(parent), place]).await?;
            match page.last().filter(|_| page.len() == PAGE_ROWS) {
                Some(row) => *after = Some(place_of(row, self.table)?),
                None => drop(waiting.pop_front()),
            }
            return Ok(page);
        }
        let values: Vec<Value> = waiting.iter().take(batch).copied().map(Value::from).collect();
        let sql = format!(
            "SELECT {select} FROM \"{table}\" WHERE \"{first}\" IN ({}) ORDER BY {order} LIMIT {PAGE_ROWS} OFFSET {}",
            places(1, batch),
            if is_comparable { 0 } else { *done }
        );
        let page = self.from.ask(sql, values).await?;
        *done += page.len();
        match page.last().filter(|_| page.len() == PAGE_ROWS) {
            Some(row) if is_comparable => {
                let (at, place) = place_of(row, self.table)?;
                while waiting.front().is_some_and(|parent| *parent < at) {
                    waiting.pop_front();
                }
                *after = Some((at, place));
            }
            Some(_) => {}
            None => {
                waiting.drain(..batch);
                *done = 0;
            }
        }
        Ok(page)
    }

    async fn few(&mut self) -> Result<Vec<QueryResult>, Error> {
        let order = self.order();
        let Way::Few { done } = &mut self.way else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT {} FROM \"{}\" WHERE {} ORDER BY {order} LIMIT {PAGE_ROWS} OFFSET {done}",
            self.select, self.table.name, self.table.filter
        );
        let page = self.from.ask(sql, vec![self.from.person.into()]).await?;
        *done += page.len();
        if page.len() < PAGE_ROWS {
            self.way = Way::Over;
        }
        Ok(page)
    }
}

/// Where a row of two keys is. The keys are the last things asked for.
fn place_of(row: &QueryResult, table: &ArchiveTable) -> Result<(Uuid, Value), Error> {
    let first: Uuid = row.try_get("", &key_name(0))?;
    let second = match table.key_kinds.get(1) {
        Some(Kind::Id) => row.try_get::<Uuid>("", &key_name(1))?.into(),
        _ => match row.try_get::<i64>("", &key_name(1)) {
            Ok(number) => number.into(),
            Err(_) => row.try_get::<i32>("", &key_name(1))?.into(),
        },
    };
    Ok((first, second))
}

/// What a part of the key is called in an answer.
pub(super) fn key_name(part: usize) -> String {
    format!("key_{part}")
}

/// Keys of the people of a page, each once.
pub(super) fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}
