//! The schema a database really has, and how it differs from the map.

use std::collections::{BTreeMap, BTreeSet};

use persistence::Database;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::map::{DataMap, Store};

/// Every column, also of views: what can be selected can be somebody's.
const SQLITE_COLUMNS: &str = "SELECT holder.name AS holder, col.name AS col, lower(col.type) AS kind \
     FROM sqlite_schema AS holder JOIN pragma_table_xinfo(holder.name) AS col \
     WHERE holder.type IN ('table', 'view') AND holder.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const SQLITE_REFERENCES: &str = "SELECT holder.name AS holder, reference.\"from\" AS col, \
     reference.\"table\" AS target FROM sqlite_schema AS holder \
     JOIN pragma_foreign_key_list(holder.name) AS reference WHERE holder.type = 'table'";
/// Not `information_schema`: it hides what belongs to another role, and has no materialised views.
const POSTGRES_COLUMNS: &str = "SELECT holder.relname::text AS holder, col.attname::text AS col, \
     format_type(col.atttypid, NULL) AS kind \
     FROM pg_attribute AS col JOIN pg_class AS holder ON holder.oid = col.attrelid \
     JOIN pg_namespace AS space ON space.oid = holder.relnamespace \
     WHERE col.attnum > 0 AND NOT col.attisdropped AND holder.relkind IN ('r', 'p', 'v', 'm', 'f') \
     AND space.nspname NOT LIKE 'pg\\_%' AND space.nspname <> 'information_schema'";
const POSTGRES_REFERENCES: &str = "SELECT holder.relname::text AS holder, col.attname::text AS col, \
     target.relname::text AS target \
     FROM pg_constraint AS reference JOIN pg_class AS holder ON holder.oid = reference.conrelid \
     JOIN pg_class AS target ON target.oid = reference.confrelid \
     JOIN pg_attribute AS col ON col.attrelid = holder.oid AND col.attnum = ANY (reference.conkey) \
     WHERE reference.contype = 'f'";

/// A column by its table's name and its own.
pub type ColumnName = (String, String);

/// The columns and references of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Every column, with the type the database gives it, in lower case.
    pub columns: BTreeMap<ColumnName, String>,
    /// Every foreign key: which column names a row of which table.
    pub references: BTreeSet<(ColumnName, String)>,
}

/// One difference between the schema and the map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Difference {
    /// A column the map does not know.
    #[error("{store}.{table}.{column} is in the database and not in datamap.toml: say what it is")]
    Unclassified {
        /// Which database.
        store: Store,
        /// Its table.
        table: String,
        /// Its name.
        column: String,
    },
    /// An entry without a column.
    #[error("{store}.{table}.{column} is in datamap.toml and not in the database: take it out")]
    Stale {
        /// Which database.
        store: Store,
        /// The table it names.
        table: String,
        /// The column it names.
        column: String,
    },
    /// A foreign key the map does not follow.
    #[error("{store}.{table}.{column} is a foreign key to {target}, and datamap.toml has no such link")]
    Unlinked {
        /// Which database.
        store: Store,
        /// Its table.
        table: String,
        /// Its name.
        column: String,
        /// The table it names.
        target: String,
    },
    /// Bytes that lie in a column for something else.
    #[error("{store}.{table}.{column} is said to be sealed or a blind index, and is of type {kind}")]
    NotBytes {
        /// Which database.
        store: Store,
        /// Its table.
        table: String,
        /// Its name.
        column: String,
        /// The type the database gives it.
        kind: String,
    },
}

/// Reads the schema a database really has.
///
/// # Errors
/// When the database fails.
pub async fn introspect(database: &Database) -> Result<Schema, DbErr> {
    let reader = database.reader();
    let (columns, references) = if database.is_sqlite() {
        (SQLITE_COLUMNS, SQLITE_REFERENCES)
    } else {
        (POSTGRES_COLUMNS, POSTGRES_REFERENCES)
    };
    let ask = |sql: &str| Statement::from_string(reader.get_database_backend(), sql);
    let mut schema = Schema::default();
    for row in reader.query_all_raw(ask(columns)).await? {
        let name = (row.try_get("", "holder")?, row.try_get("", "col")?);
        schema.columns.insert(name, row.try_get("", "kind")?);
    }
    for row in reader.query_all_raw(ask(references)).await? {
        let name = (row.try_get("", "holder")?, row.try_get("", "col")?);
        schema.references.insert((name, row.try_get("", "target")?));
    }
    Ok(schema)
}

/// Compares one database's schema with the map, both ways.
#[must_use]
pub fn compare(map: &DataMap, store: Store, schema: &Schema) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut known = BTreeMap::new();
    for (table, column, place) in map.columns(store) {
        known.insert((table.to_owned(), column.to_owned()), place);
    }
    for (table, column) in schema.columns.keys().filter(|name| !known.contains_key(*name)).cloned() {
        differences.push(Difference::Unclassified { store, table, column });
    }
    for ((table, column), place) in &known {
        let (table, column) = (table.clone(), column.clone());
        match schema.columns.get(&(table.clone(), column.clone())) {
            None => differences.push(Difference::Stale { store, table, column }),
            Some(kind) if place.form.is_bytes() && !is_bytes(kind) => {
                differences.push(Difference::NotBytes { store, table, column, kind: kind.clone() });
            }
            Some(_) => {}
        }
    }
    for (name, target) in &schema.references {
        let linked = known.get(name).is_none_or(|place| place.link.as_ref().is_some_and(|link| link.to == *target));
        if !linked {
            let (table, column) = name.clone();
            differences.push(Difference::Unlinked { store, table, column, target: target.clone() });
        }
    }
    differences
}

fn is_bytes(kind: &str) -> bool {
    matches!(kind, "blob" | "bytea")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema_of(map: &DataMap, store: Store) -> Schema {
        let mut schema = Schema::default();
        for (table, column, place) in map.columns(store) {
            let kind = if place.form.is_bytes() { "blob" } else { "text" };
            schema.columns.insert((table.to_owned(), column.to_owned()), kind.to_owned());
        }
        schema
    }

    fn name(table: &str, column: &str) -> ColumnName {
        (table.to_owned(), column.to_owned())
    }

    #[test]
    fn nothing_is_said_of_what_agrees() {
        let map = DataMap::load().expect("loads");
        assert_eq!(compare(&map, Store::Business, &schema_of(&map, Store::Business)), []);
        assert_eq!(compare(&map, Store::Keyring, &schema_of(&map, Store::Keyring)), []);
    }

    #[test]
    fn an_extra_and_a_missing_column_are_both_named() {
        let map = DataMap::load().expect("loads");
        let mut schema = schema_of(&map, Store::Business);
        schema.columns.insert(name("coach", "phone"), "text".to_owned());
        schema.columns.remove(&name("webinar", "slug"));
        let messages: Vec<String> = compare(&map, Store::Business, &schema).iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "business.coach.phone is in the database and not in datamap.toml: say what it is",
                "business.webinar.slug is in datamap.toml and not in the database: take it out",
            ]
        );
    }

    #[test]
    fn the_same_column_in_the_other_database_does_not_count() {
        let map = DataMap::load().expect("loads");
        let mut schema = schema_of(&map, Store::Keyring);
        schema.columns.insert(name("coach", "email"), "text".to_owned());
        let messages: Vec<String> = compare(&map, Store::Keyring, &schema).iter().map(ToString::to_string).collect();
        assert_eq!(messages, ["keyring.coach.email is in the database and not in datamap.toml: say what it is"]);
    }

    #[test]
    fn a_sealed_text_column_and_an_unknown_foreign_key_are_named() {
        let map = DataMap::load().expect("loads");
        let mut schema = schema_of(&map, Store::Business);
        schema.columns.insert(name("subject", "email_ct"), "text".to_owned());
        schema.references.insert((name("beat", "seq"), "coach".to_owned()));
        schema.references.insert((name("beat", "view_id"), "view".to_owned()));
        let messages: Vec<String> = compare(&map, Store::Business, &schema).iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "business.subject.email_ct is said to be sealed or a blind index, and is of type text",
                "business.beat.seq is a foreign key to coach, and datamap.toml has no such link",
            ]
        );
    }
}
