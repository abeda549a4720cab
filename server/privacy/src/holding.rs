//! What is held about somebody, straight from the data map: how much of each kind, the values themselves where they are
//! the person's own, why and until when (Art. 15, promise P26).
//!
//! What the map's plan of an erasure would remove is what is held: the two can never differ, because they are one list.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::DekId;
use domain::processing::ProcessingPurpose;
use persistence::keyring::Keyring;
use persistence::sealed::Place as Sealed;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement, Value};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::erasure::Person;
use crate::map::{DataMap, Export, Form, Place, Store, Subject};
use crate::plan::{Plan, Root, Rows};

/// Rows a disclosure reads of one table: more than any order was ever about.
const DISCLOSED_ROWS: u64 = 10_000;

/// It could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no plan.
    #[error("plan what is held")]
    Plan(#[from] crate::plan::Error),
    /// The database answered with an error.
    #[error("read what is held")]
    Database(#[from] DbErr),
    /// The keyring could not be used.
    #[error("read keys")]
    Keyring(#[from] persistence::Error),
}

/// Everything held of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The kind, a key of [`DataMap::classes`].
    pub class: String,
    /// In plain words.
    pub title: String,
    /// What for.
    pub purposes: Vec<String>,
    /// On which legal basis.
    pub bases: Vec<String>,
    /// How long.
    pub retentions: Vec<String>,
    /// Where, and what.
    pub places: Vec<HeldPlace>,
}

impl Held {
    /// How many values of this kind there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.places.iter().map(|place| place.count).sum()
    }
}

/// One column with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPlace {
    /// The table, as the data map names it.
    pub table: String,
    /// What it is called.
    pub name: String,
    /// Whether it is about the people registered with a coach, and not about her.
    pub is_viewers: bool,
    /// How many values there are.
    pub count: u64,
    /// The first of them, where they are the person's own and can be shown.
    pub values: Vec<String>,
    /// Why none is shown or given, in the map's words.
    pub never: Option<String>,
}

fn ask(conn: &impl ConnectionTrait, person: Person, sql: String) -> Statement {
    Statement::from_sql_and_values(conn.get_database_backend(), sql, [Value::from(person.id())])
}

/// Tables of a person with the condition that finds her rows, those no link leads to included.
fn tables(map: &DataMap, person: Person) -> Result<Vec<(String, String)>, Error> {
    let plan = Plan::new(map, person.root())?;
    let mut tables: Vec<(String, String)> = plan
        .rows
        .iter()
        .filter(|rows| rows.store == Store::Business)
        .map(|rows| (rows.table.clone(), rows.filter.clone()))
        .collect();
    let names = match person.root() {
        Root::Coach => "coach_id",
        Root::Subject => "subject_id",
    };
    for (store, table) in plan.apart.keys().filter(|(store, _)| *store == Store::Business) {
        if map.columns(*store).any(|(of, column, _)| of == table && column == names) {
            tables.push((table.clone(), format!("\"{names}\" = $1")));
        }
    }
    tables.sort();
    Ok(tables)
}

/// How many rows of each table belong to a person: what the preview of an erasure counts.
///
/// # Errors
/// When the database fails.
pub async fn rows(conn: &impl ConnectionTrait, person: Person) -> Result<BTreeMap<String, u64>, Error> {
    let mut counts = BTreeMap::new();
    for (table, filter) in tables(DataMap::current(), person)? {
        counts.insert(table.clone(), count(conn, person, &table, &filter).await?);
    }
    Ok(counts)
}

async fn count(conn: &impl ConnectionTrait, person: Person, table: &str, filter: &str) -> Result<u64, Error> {
    let sql = format!("SELECT COUNT(*) AS \"rows\" FROM \"{table}\" WHERE {filter}");
    let row = conn.query_one_raw(ask(conn, person, sql)).await?;
    let rows: i64 = row.map(|row| row.try_get("", "rows")).transpose()?.unwrap_or_default();
    Ok(rows.unsigned_abs())
}

/// Everything held about a person by kind, with up to `most` values a column.
///
/// # Errors
/// When the database fails.
pub async fn held(conn: &impl ConnectionTrait, person: Person, most: u64) -> Result<Vec<Held>, Error> {
    let map = DataMap::current();
    let mut kinds: BTreeMap<&str, Held> = BTreeMap::new();
    for (table, filter) in tables(map, person)? {
        let found = count(conn, person, &table, &filter).await?;
        if found == 0 {
            continue;
        }
        let columns: Vec<(&str, &Place)> = map
            .columns(Store::Business)
            .filter(|(of, _, place)| *of == table && place.is_personal())
            .map(|(_, column, place)| (column, place))
            .collect();
        let shown: Vec<&str> =
            columns.iter().filter(|(_, place)| is_shown(place, person)).map(|(column, _)| *column).collect();
        let mut values = first_values(conn, person, &table, &filter, &shown, most).await?;
        for (column, place) in columns {
            let held = kinds.entry(place.class.as_str()).or_insert_with(|| kind(map, &place.class));
            note(map, held, place);
            held.places.push(HeldPlace {
                table: table.clone(),
                name: place.export_name.replace('_', " "),
                is_viewers: place.subject == Subject::Viewer && person.root() == Root::Coach,
                count: found,
                values: values.remove(column).unwrap_or_default(),
                never: match &place.export {
                    Some(Export::Never(reason)) => Some(reason.clone()),
                    _ => None,
                },
            });
        }
    }
    Ok(kinds.into_values().collect())
}

fn kind(map: &DataMap, class: &str) -> Held {
    let title = map.classes.get(class).map(|class| class.title.clone()).unwrap_or_default();
    Held {
        class: class.to_owned(),
        title,
        purposes: Vec::new(),
        bases: Vec::new(),
        retentions: Vec::new(),
        places: Vec::new(),
    }
}

fn note(map: &DataMap, held: &mut Held, place: &Place) {
    let add = |texts: &mut Vec<String>, text: Option<String>| {
        if let Some(text) = text.filter(|text| !texts.contains(text)) {
            texts.push(text);
        }
    };
    for purpose in &place.purposes {
        add(&mut held.purposes, map.purposes.get(purpose).cloned());
    }
    let basis = place.basis.as_ref().and_then(|basis| map.bases.get(basis));
    add(&mut held.bases, basis.map(|basis| format!("{} ({})", basis.text, basis.article)));
    let retention = place.retention.as_ref().and_then(|retention| map.retentions.get(retention));
    add(&mut held.retentions, retention.map(|retention| retention.text.clone()));
}

/// Whether a column's values can stand on a page: the person's own, readable, and given to her at all.
fn is_shown(place: &Place, person: Person) -> bool {
    let own = match person.root() {
        Root::Coach => place.subject == Subject::Coach,
        Root::Subject => place.subject == Subject::Viewer,
    };
    own && place.form == Form::Plain
        && place.class != "identifier"
        && matches!(place.export, Some(Export::Access | Export::Portable))
}

async fn first_values(
    conn: &impl ConnectionTrait,
    person: Person,
    table: &str,
    filter: &str,
    columns: &[&str],
    most: u64,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if columns.is_empty() {
        return Ok(found);
    }
    let list: Vec<String> = columns.iter().map(|column| as_text(conn.get_database_backend(), column)).collect();
    let sql = format!("SELECT {} FROM \"{table}\" WHERE {filter} LIMIT {most}", list.join(", "));
    for row in conn.query_all_raw(ask(conn, person, sql)).await? {
        for column in columns {
            let value: Option<String> = row.try_get("", column)?;
            let values = found.entry((*column).to_owned()).or_default();
            if let Some(value) = value.filter(|value| !value.is_empty()).map(|value| for_people(column, value))
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
    }
    Ok(found)
}

/// A column as text, whatever it is; bytes such as digests in hexadecimal, as PostgreSQL writes them by itself.
fn as_text(backend: DatabaseBackend, column: &str) -> String {
    let text = format!("CAST(\"{column}\" AS TEXT)");
    if backend == DatabaseBackend::Sqlite {
        format!("CASE typeof(\"{column}\") WHEN 'blob' THEN lower(hex(\"{column}\")) ELSE {text} END AS \"{column}\"")
    } else {
        format!("{text} AS \"{column}\"")
    }
}

/// Whether a column holds a moment, as all of them are named.
fn is_moment(column: &str) -> bool {
    ["at", "since"].contains(&column) || ["_at", "_until", "_to"].iter().any(|end| column.ends_with(end))
}

fn for_people(column: &str, value: String) -> String {
    match value.parse::<i64>() {
        Ok(micros) if is_moment(column) => Moment(micros).utc_text(),
        _ => value,
    }
}

/// Where a sealed column is bound to; nothing for one that is nobody's to give.
fn seal_of(table: &str, column: &str) -> Option<Sealed> {
    match (table, column) {
        ("subject", "email_ct") => Some(Sealed::SubjectEmail),
        ("subject", "name_ct") => Some(Sealed::SubjectName),
        ("registration", "answers_ct") => Some(Sealed::RegistrationAnswers),
        _ => None,
    }
}

/// What an authority gets: the classes two operators agreed on, of one person, and nothing beside (promise P25). Of a
/// coach it is what is hers alone, never her viewers'.
///
/// # Errors
/// When a database fails.
pub async fn disclose(
    conn: &impl ConnectionTrait,
    keyring: &Keyring,
    person: Person,
    classes: &[String],
) -> Result<Json, Error> {
    let map = DataMap::current();
    let plan = Plan::new(map, person.root())?;
    let key = key_of(conn, keyring, person).await?;
    let mut tables = Map::new();
    for rows in plan.rows.iter().filter(|rows| rows.store == Store::Business) {
        let wanted: Vec<(&str, &Place)> = map
            .columns(Store::Business)
            .filter(|(table, _, place)| *table == rows.table && classes.contains(&place.class))
            .filter(|(_, _, place)| matches!(place.export, Some(Export::Access | Export::Portable)))
            .filter(|(_, _, place)| (place.subject == Subject::Coach) == (person.root() == Root::Coach))
            .map(|(_, column, place)| (column, place))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let lines = disclosed_rows(conn, person, rows, &wanted, key.as_ref()).await?;
        if !lines.is_empty() {
            tables.insert(rows.table.clone(), Json::Array(lines));
        }
    }
    Ok(Json::Object(tables))
}

async fn key_of(
    conn: &impl ConnectionTrait,
    keyring: &Keyring,
    person: Person,
) -> Result<Option<persistence::sealed::SubjectKey>, Error> {
    if person.root() == Root::Coach {
        return Ok(None);
    }
    let sql = "SELECT \"dek_id\" FROM \"subject\" WHERE \"id\" = $1".to_owned();
    let Some(row) = conn.query_one_raw(ask(conn, person, sql)).await? else { return Ok(None) };
    let id = DekId(row.try_get::<Uuid>("", "dek_id")?);
    Ok(keyring.keys(&[id]).await?.remove(&id))
}

async fn disclosed_rows(
    conn: &impl ConnectionTrait,
    person: Person,
    rows: &Rows,
    wanted: &[(&str, &Place)],
    key: Option<&persistence::sealed::SubjectKey>,
) -> Result<Vec<Json>, Error> {
    let needs_id = wanted.iter().any(|(_, place)| place.form == Form::Sealed);
    let mut list: Vec<String> = wanted
        .iter()
        .map(|(column, place)| match place.form {
            Form::Sealed => format!("\"{column}\""),
            _ => as_text(conn.get_database_backend(), column),
        })
        .collect();
    if needs_id {
        list.push("\"id\"".to_owned());
    }
    let sql =
        format!("SELECT {} FROM \"{}\" WHERE {} LIMIT {DISCLOSED_ROWS}", list.join(", "), rows.table, rows.filter);
    let mut lines = Vec::new();
    for row in conn.query_all_raw(ask(conn, person, sql)).await? {
        let mut line = Map::new();
        for (column, place) in wanted {
            let text = if place.form == Form::Sealed {
                let sealed: Option<Vec<u8>> = row.try_get("", column)?;
                let id: Uuid = row.try_get("", "id")?;
                match (sealed, key, seal_of(&rows.table, column)) {
                    (Some(sealed), Some(key), Some(seal)) => {
                        let opened = key.open(ProcessingPurpose::Provide, seal, id.as_bytes(), &sealed)?;
                        Some(String::from_utf8_lossy(&opened).into_owned())
                    }
                    _ => None,
                }
            } else {
                row.try_get::<Option<String>>("", column)?.map(|value| for_people(column, value))
            };
            if let Some(text) = text {
                line.insert(place.export_name.clone(), Json::String(text));
            }
        }
        if !line.is_empty() {
            lines.push(Json::Object(line));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_their_names() {
        assert_eq!(for_people("created_at", "1795000000000000".to_owned()), "18 November 2026, 11:06 UTC");
        assert_eq!(for_people("length_bytes", "1795000000000000".to_owned()), "1795000000000000");
        assert_eq!(for_people("state", "at".to_owned()), "at");
    }

    #[test]
    fn what_is_held_is_what_would_be_erased() {
        let map = DataMap::current();
        let coach = Person::Coach(domain::ids::CoachId::new());
        let held: Vec<String> = tables(map, coach).expect("a plan").into_iter().map(|(table, _)| table).collect();
        for table in
            ["coach", "login", "webinar", "subject", "beat", "operator_access", "dsr_request", "export_archive"]
        {
            assert!(held.iter().any(|name| name == table), "{table} is not shown");
        }
        let plan = Plan::new(map, Root::Coach).expect("a plan");
        for rows in plan.rows.iter().filter(|rows| rows.store == Store::Business) {
            assert!(held.contains(&rows.table), "{} goes and is not shown", rows.table);
        }
    }
}
