//! What is held about one viewer, for that viewer: every value the data map says is theirs to see, under the words of
//! its class, with what it is for, on which basis and until when (Art. 15 GDPR).
//!
//! Tables, columns and how a person's rows are found come from the map alone, so a new column shows up by itself.

use std::collections::{BTreeMap, BTreeSet};

use domain::Moment;
use domain::ids::SubjectId;
use domain::processing::ProcessingPurpose;
use domain::registration::Answers;
use persistence::Database;
use persistence::sealed::{Place as Sealed, SubjectKey};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::map::{DataMap, Erase, Export, Form, Place, Store};
use crate::plan::{Plan, Root, Rows};
use crate::schema;

/// Rows of a table that are shown one by one; of more, the number is.
const FEW: u64 = 5;

/// Columns that hold a word of a closed list and nothing anybody typed.
const WORDS: [&str; 12] = [
    "cause",
    "channel",
    "decision",
    "from_status",
    "ground",
    "method",
    "outcome",
    "purpose",
    "scope",
    "state",
    "template",
    "to_status",
];

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database answered with an error.
    #[error("read what is held")]
    Database(#[from] DbErr),
    /// A sealed value does not open.
    #[error("open what is held")]
    Sealed(#[from] persistence::Error),
    /// There is no plan of where it sits.
    #[error("plan where it is held")]
    Plan(#[from] crate::plan::Error),
}

/// One value with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name, in words.
    pub label: String,
    /// The value, in words.
    pub value: String,
}

/// Everything held of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldClass {
    /// The class, a key of the map.
    pub class: String,
    /// Its words.
    pub title: String,
    /// What it is for.
    pub purposes: BTreeSet<String>,
    /// On which bases.
    pub bases: BTreeSet<String>,
    /// Until when.
    pub kept: BTreeSet<String>,
    /// The values.
    pub facts: Vec<Fact>,
}

/// Rows of one kind, counted before they are erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What they are, in words.
    pub what: String,
    /// How many.
    pub rows: u64,
    /// Whether they outlive an erasure on purpose.
    pub is_kept: bool,
}

/// What rows of a table are called: one of them before its fields, and a number of them.
struct Words {
    label: String,
    one: String,
    several: String,
}

fn words(table: &str) -> Words {
    let (label, one, several) = match table {
        "subject" => ("You", "entry with your name and address", "entries with your name and address"),
        "registration" => ("Registration", "registration, with your answers", "registrations, with your answers"),
        "consent" => ("Agreement", "agreement", "agreements"),
        "view" => ("Visit", "visit to the room", "visits to the room"),
        "beat" => ("Report of play", "report of what was played", "reports of what was played"),
        "watch_map" => ("Watched seconds", "map of watched seconds", "maps of watched seconds"),
        "status_change" => ("Change of status", "change of status", "changes of status"),
        "mail" => ("Mail", "entry about mail to you", "entries about mail to you"),
        "restriction" => ("Restriction", "restriction", "restrictions"),
        "objection" => ("Objection", "objection", "objections"),
        "suppression" => ("Mark", "mark not to write to you", "marks not to write to you"),
        // A table that is newer than these words is still told.
        other => {
            let name = other.replace('_', " ");
            return Words { label: name.clone(), one: name.clone(), several: name };
        }
    };
    Words { label: label.to_owned(), one: one.to_owned(), several: several.to_owned() }
}

/// Where a sealed column's values open; nothing for one this does not know.
fn sealed_place(table: &str, column: &str) -> Option<Sealed> {
    match (table, column) {
        ("subject", "email_ct") => Some(Sealed::SubjectEmail),
        ("subject", "name_ct") => Some(Sealed::SubjectName),
        ("registration", "answers_ct") => Some(Sealed::RegistrationAnswers),
        ("objection", "reason_ct") => Some(Sealed::ObjectionReason),
        ("objection", "answer_ct") => Some(Sealed::ObjectionAnswer),
        _ => None,
    }
}

/// How a column's value becomes words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bytes,
    Flag,
    Text,
}

/// The kinds of all columns. They are the same on both databases and change only with the program.
async fn kinds(database: &Database) -> Result<&'static BTreeMap<schema::ColumnName, Kind>, Error> {
    static KINDS: OnceCell<BTreeMap<schema::ColumnName, Kind>> = OnceCell::const_new();
    KINDS
        .get_or_try_init(|| async {
            let found = schema::introspect(database).await?;
            let kind = |name: &str| match name {
                "blob" | "bytea" => Kind::Bytes,
                name if name.contains("bool") => Kind::Flag,
                _ => Kind::Text,
            };
            Ok(found.columns.into_iter().map(|(column, name)| (column, kind(&name))).collect())
        })
        .await
}

/// One column that is shown.
struct Shown<'a> {
    column: &'a str,
    place: &'a Place,
    kind: Kind,
}

fn shown<'a>(map: &'a DataMap, rows: &Rows, kinds: &BTreeMap<schema::ColumnName, Kind>) -> Vec<Shown<'a>> {
    map.columns(Store::Business)
        .filter(|(table, _, place)| {
            let is_theirs = matches!(place.export, Some(Export::Access | Export::Portable));
            // Ids say nothing to a person; the archive has them.
            *table == rows.table && is_theirs && place.link.is_none() && place.class != "identifier"
        })
        .map(|(table, column, place)| {
            let kind = kinds.get(&(table.to_owned(), column.to_owned())).copied().unwrap_or(Kind::Text);
            Shown { column, place, kind }
        })
        .collect()
}

/// Everything held about a viewer, by class. Sealed values are opened with the person's own key; without one, the key
/// is gone, and so are they.
///
/// # Errors
/// When the database fails or a value was tampered with.
pub async fn everything(
    database: &Database,
    map: &DataMap,
    subject: SubjectId,
    key: Option<&SubjectKey>,
) -> Result<Vec<HeldClass>, Error> {
    let kinds = kinds(database).await?;
    let plan = Plan::new(map, Root::Subject)?;
    let mut classes: BTreeMap<String, HeldClass> = BTreeMap::new();
    // Parents first: a person reads from the registration to its beats.
    for rows in plan.rows.iter().rev().filter(|rows| rows.store == Store::Business) {
        let shown = shown(map, rows, kinds);
        let count = if shown.is_empty() { 0 } else { count(database, rows, subject).await? };
        if count == 0 {
            continue;
        }
        let found = if count <= FEW { read(database, rows, &shown, subject).await? } else { Vec::new() };
        let Words { label, several, .. } = words(&rows.table);
        for (index, column) in shown.iter().enumerate() {
            let place = column.place;
            let class = classes.entry(place.class.clone()).or_insert_with(|| HeldClass {
                class: place.class.clone(),
                title: map.classes.get(&place.class).map_or_else(String::new, |class| class.title.clone()),
                purposes: BTreeSet::new(),
                bases: BTreeSet::new(),
                kept: BTreeSet::new(),
                facts: Vec::new(),
            });
            tell_about(class, map, place);
            if count > FEW {
                let fact = Fact { label: capitalised(&several), value: count.to_string() };
                if !class.facts.contains(&fact) {
                    class.facts.push(fact);
                }
            }
            for (number, row) in found.iter().enumerate() {
                let number = (count > 1).then_some(number + 1);
                class.facts.extend(facts(row, (index, column), (&rows.table, &label), number, key)?);
            }
        }
    }
    Ok(classes.into_values().filter(|class| !class.facts.is_empty()).collect())
}

fn tell_about(class: &mut HeldClass, map: &DataMap, place: &Place) {
    class.purposes.extend(place.purposes.iter().filter_map(|name| map.purposes.get(name).cloned()));
    let basis = place.basis.as_ref().and_then(|name| map.bases.get(name));
    class.bases.extend(basis.map(|basis| format!("{} ({})", basis.text, basis.article)));
    let kept = place.retention.as_ref().and_then(|name| map.retentions.get(name));
    class.kept.extend(kept.map(|kept| kept.text.clone()));
}

async fn count(database: &Database, rows: &Rows, subject: SubjectId) -> Result<u64, Error> {
    let reader = database.reader();
    let sql = format!("SELECT COUNT(*) AS \"held\" FROM \"{}\" WHERE {}", rows.table, rows.filter);
    let statement = Statement::from_sql_and_values(reader.get_database_backend(), sql, [Value::from(subject.0)]);
    let row = reader.query_one_raw(statement).await?;
    let held: i64 = row.map_or(Ok(0), |row| row.try_get("", "held"))?;
    Ok(held.unsigned_abs())
}

/// Bytes come as they are, everything else as text, which both databases write the same way.
async fn read(
    database: &Database,
    rows: &Rows,
    shown: &[Shown<'_>],
    subject: SubjectId,
) -> Result<Vec<QueryResult>, Error> {
    let reader = database.reader();
    let mut columns: Vec<String> = shown
        .iter()
        .enumerate()
        .map(|(index, Shown { column, kind, .. })| match kind {
            Kind::Bytes => format!("\"{column}\" AS \"c{index}\""),
            Kind::Flag | Kind::Text => format!("CAST(\"{column}\" AS TEXT) AS \"c{index}\""),
        })
        .collect();
    if shown.iter().any(|column| column.place.form == Form::Sealed) {
        columns.push("\"id\" AS \"row_id\"".to_owned());
    }
    let sql =
        format!("SELECT {} FROM \"{}\" WHERE {} ORDER BY 1 LIMIT {FEW}", columns.join(", "), rows.table, rows.filter);
    let statement = Statement::from_sql_and_values(reader.get_database_backend(), sql, [Value::from(subject.0)]);
    Ok(reader.query_all_raw(statement).await?)
}

/// One column of one row, in words; nothing when it is empty.
fn facts(
    row: &QueryResult,
    (index, column): (usize, &Shown<'_>),
    (table, one): (&str, &str),
    number: Option<usize>,
    key: Option<&SubjectKey>,
) -> Result<Vec<Fact>, Error> {
    let named = |name: &str| {
        let name = name.replace('_', " ");
        match (number, table) {
            (None, "subject") => capitalised(&name),
            (None, _) => format!("{one}: {name}"),
            (Some(number), _) => format!("{one} {number}: {name}"),
        }
    };
    let name = plain_name(&column.place.export_name);
    let alias = format!("c{index}");
    if column.kind != Kind::Bytes {
        let value: Option<String> = row.try_get("", &alias)?;
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(Vec::new()) };
        let value = if column.kind == Kind::Flag {
            if matches!(value.as_str(), "1" | "true") { "yes" } else { "no" }.to_owned()
        } else {
            in_words(column.column, &value)
        };
        return Ok(vec![Fact { label: named(name), value }]);
    }
    let bytes: Option<Vec<u8>> = row.try_get("", &alias)?;
    let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(Vec::new()) };
    if column.place.form != Form::Sealed {
        return Ok(vec![Fact { label: named(name), value: format!("{} bytes", bytes.len()) }]);
    }
    let (Some(place), Some(key)) = (sealed_place(table, column.column), key) else { return Ok(Vec::new()) };
    let id: Uuid = row.try_get("", "row_id")?;
    let opened = key.open(ProcessingPurpose::Provide, place, id.as_bytes(), &bytes)?;
    if place == Sealed::RegistrationAnswers {
        let answers: Answers = serde_json::from_slice(&opened).unwrap_or_default();
        let fact = |(field, text): (domain::webinar::RegistrationField, String)| Fact {
            label: named(&field.label().to_lowercase()),
            value: text,
        };
        return Ok(answers.given.into_iter().map(fact).collect());
    }
    Ok(vec![Fact { label: named(name), value: String::from_utf8_lossy(&opened).into_owned() }])
}

/// A name without the ending that only says how the value is written down.
fn plain_name(name: &str) -> &str {
    ["_ms", "_milli"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A number as what it measures, by the ending of its column's name.
fn in_words(column: &str, text: &str) -> String {
    let number = text.parse::<i64>().ok();
    match number {
        Some(at) if column == "at" || column.ends_with("_at") => Moment(at).utc_text(),
        Some(thousandths) if column.ends_with("_ms") => format!("{:.1} seconds", thousandths as f64 / 1000.0),
        Some(thousandths) if column.ends_with("percent_milli") => format!("{:.1} %", thousandths as f64 / 1000.0),
        Some(thousandths) if column.ends_with("_milli") => format!("{:.2}", thousandths as f64 / 1000.0),
        _ if WORDS.contains(&column) => text.replace('_', " "),
        _ => text.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", rest.as_str())
}

/// What an erasure would remove, and what it would leave, row by row.
///
/// # Errors
/// When the database fails.
pub async fn counts(database: &Database, map: &DataMap, subject: SubjectId) -> Result<Vec<Counted>, Error> {
    let plan = Plan::new(map, Root::Subject)?;
    let mut counted = Vec::new();
    for rows in plan.rows.iter().rev().filter(|rows| rows.store == Store::Business) {
        let held = count(database, rows, subject).await?;
        if held > 0 {
            let is_kept = rows.asks.values().all(|ask| matches!(ask, Erase::Retain(_)));
            let Words { one, several, .. } = words(&rows.table);
            counted.push(Counted { what: if held == 1 { one } else { several }, rows: held, is_kept });
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sealed_column_a_viewer_may_see_can_be_opened() {
        let map = DataMap::current();
        let plan = Plan::new(map, Root::Subject).expect("a plan");
        let mut seen = 0;
        for (table, column, place) in map.columns(Store::Business) {
            let is_theirs = matches!(place.export, Some(Export::Access | Export::Portable));
            if place.form == Form::Sealed && is_theirs && plan.rows_of(table).is_some() {
                assert!(sealed_place(table, column).is_some(), "{table}.{column} would stay hidden from its person");
                seen += 1;
            }
        }
        assert!(seen >= 4, "only {seen} were looked at");
    }

    #[test]
    fn every_table_of_a_viewer_has_words() {
        let plan = Plan::new(DataMap::current(), Root::Subject).expect("a plan");
        for rows in plan.rows.iter().filter(|rows| rows.store == Store::Business) {
            let Words { one, several, .. } = words(&rows.table);
            assert_ne!(one, several, "{} is told by its bare name", rows.table);
        }
    }

    #[test]
    fn numbers_are_told_as_what_they_measure() {
        assert_eq!(in_words("registered_at", "1795000000000000"), Moment::from_unix_seconds(1_795_000_000).utc_text());
        assert_eq!(in_words("total_ms", "90500"), "90.5 seconds");
        assert_eq!(in_words("percent_milli", "20000"), "20.0 %");
        assert_eq!(in_words("outcome", "left_early"), "left early");
        assert_eq!(plain_name("total_ms"), "total");
    }
}
