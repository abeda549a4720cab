//! Everything a database holds, as text, so that "nothing changed" can be said of all of it and not of the tables
//! somebody thought of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use persistence::Database;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

const SQLITE_TABLES: &str = "SELECT name AS answer FROM sqlite_schema WHERE type = 'table' \
     AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const POSTGRES_TABLES: &str = "SELECT tablename::text AS answer FROM pg_tables WHERE schemaname = 'public'";

/// The rows of every table at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    tables: BTreeMap<String, BTreeSet<String>>,
}

impl Snapshot {
    /// Reads every table.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn of(database: &Database) -> Self {
        let is_sqlite = database.is_sqlite();
        let mut tables = BTreeMap::new();
        for table in strings(database, if is_sqlite { SQLITE_TABLES } else { POSTGRES_TABLES }).await {
            let statement = if is_sqlite {
                let columns = format!("SELECT name AS answer FROM pragma_table_info('{table}')");
                let columns: Vec<_> = strings(database, &columns).await;
                // `quote` also tells bytes from text, and both from nothing.
                let values: Vec<_> =
                    columns.iter().map(|column| format!("'{column}=' || quote(\"{column}\")")).collect();
                format!("SELECT {} AS answer FROM \"{table}\"", values.join(" || ' ' || "))
            } else {
                format!("SELECT row_to_json(held)::text AS answer FROM \"{table}\" AS held")
            };
            tables.insert(table, strings(database, &statement).await.into_iter().collect());
        }
        Self { tables }
    }

    /// With the tables of another database beside these, as `name.table`.
    #[must_use]
    pub fn beside(mut self, name: &str, other: Self) -> Self {
        self.tables.extend(other.tables.into_iter().map(|(table, rows)| (format!("{name}.{table}"), rows)));
        self
    }

    /// The same without some tables.
    #[must_use]
    pub fn without(mut self, tables: &[&str]) -> Self {
        self.tables.retain(|name, _| !tables.contains(&name.as_str()));
        self
    }

    /// The same without the rows that hold one of these texts.
    #[must_use]
    pub fn without_rows_with(mut self, texts: &[String]) -> Self {
        for rows in self.tables.values_mut() {
            rows.retain(|row| !texts.iter().any(|text| row.contains(text.as_str())));
        }
        self
    }

    /// Rows of one table.
    ///
    /// # Panics
    /// When there is no such table.
    #[must_use]
    pub fn rows(&self, table: &str) -> usize {
        self.tables.get(table).unwrap_or_else(|| panic!("there is no table {table}")).len()
    }

    /// Rows that are gone or changed in `after`, one a line; empty when everything is still there.
    #[must_use]
    pub fn lost_in(&self, after: &Self) -> String {
        let mut lines = String::new();
        for (table, rows) in &self.tables {
            for row in rows {
                if !after.tables.get(table).is_some_and(|rows| rows.contains(row)) {
                    writeln!(lines, "{table}: {row}").expect("text takes every line");
                }
            }
        }
        lines
    }

    /// What is different in `after`, one row a line, `-` before and `+` now; empty when nothing is.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> String {
        let marked = |sign: &str, lines: &str| lines.lines().map(|line| format!("{sign} {line}\n")).collect::<String>();
        marked("-", &self.lost_in(after)) + &marked("+", &after.lost_in(self))
    }
}

async fn strings(database: &Database, sql: &str) -> Vec<String> {
    let backend = if database.is_sqlite() { DbBackend::Sqlite } else { DbBackend::Postgres };
    let rows = database.reader().query_all_raw(Statement::from_string(backend, sql)).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.try_get_by_index(0).expect("one text column")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::each_empty_database;

    async fn run(database: &Database, sql: &str) {
        let transaction = database.begin().await.expect("begins");
        transaction.execute_unprepared(sql).await.expect("runs");
        transaction.commit().await.expect("commits");
    }

    #[tokio::test]
    async fn every_difference_is_seen() {
        each_empty_database("snapshot", |test| async move {
            run(&test.database, "CREATE TABLE shelf (id INTEGER PRIMARY KEY, title TEXT, pages INTEGER)").await;
            run(&test.database, "INSERT INTO shelf VALUES (1, 'A', NULL), (2, 'B', 7)").await;
            let before = Snapshot::of(&test.database).await;
            assert_eq!(before.rows("shelf"), 2);
            assert_eq!(before.changes_to(&Snapshot::of(&test.database).await), "");

            run(&test.database, "INSERT INTO shelf VALUES (3, 'C', 1)").await;
            let added = Snapshot::of(&test.database).await;
            assert_eq!(before.lost_in(&added), "");
            assert!(before.changes_to(&added).starts_with("+ shelf: "), "{}", before.changes_to(&added));

            run(&test.database, "UPDATE shelf SET pages = 0 WHERE id = 1").await;
            let changed = Snapshot::of(&test.database).await;
            assert_eq!(added.changes_to(&changed).lines().count(), 2, "one row before, one now");
            assert_eq!(added.without(&["shelf"]), changed.without(&["shelf"]));
        })
        .await;
    }
}
