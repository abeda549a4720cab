//! The plan of an erasure, from the data map alone: which rows, in which order, found how; which files, jobs and keys.
//!
//! A table belongs to a person when `deep` links lead from it to her. Its rows are found by the chain of these links,
//! written as one SQL condition with the person's id as `$1`, which both databases read. What no link reaches is named
//! in the map as such and has to be known here by name, or there is no plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::map::{DataMap, Erase, Form, Location, Path, Place, Store, Subject};

/// Whose data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A whole account, with everybody registered there.
    Coach,
    /// One viewer of one coach.
    Subject,
}

impl Root {
    /// The table whose row is the person.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Coach => "coach",
            Self::Subject => "subject",
        }
    }

    const fn concerns(self, whose: Subject) -> bool {
        match self {
            Self::Coach => !matches!(whose, Subject::None),
            Self::Subject => matches!(whose, Subject::Viewer),
        }
    }
}

/// Rows that go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// In which database.
    pub store: Store,
    /// Of which table.
    pub table: String,
    /// Which of them: SQL with the person's id as `$1`.
    pub filter: String,
    /// What each personal column asks for.
    pub asks: BTreeMap<String, Erase>,
    /// Each column's class.
    pub classes: BTreeMap<String, String>,
    /// Columns that find the person without showing her.
    pub indexes: BTreeSet<String>,
}

/// A table no link leads to, and what becomes of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Requests: ended, emptied, their keys destroyed.
    Requests,
    /// Archives: row, object and key go.
    Archives,
    /// Jobs: found by what their payload names.
    Jobs,
    /// Keys: named by the rows they seal.
    Keys,
    /// Outlives the person on purpose, until its date.
    Stays,
    /// Nobody can be found by it, and it is gone within a day or two.
    Expires,
}

/// Tables no link leads to that an eraser knows.
const APART: [(Store, &str, Apart); 10] = [
    (Store::Business, "dsr_request", Apart::Requests),
    (Store::Business, "export_archive", Apart::Archives),
    (Store::Business, "job", Apart::Jobs),
    (Store::Keyring, "dek", Apart::Keys),
    (Store::Business, "tombstone", Apart::Stays),
    (Store::Keyring, "tombstone", Apart::Stays),
    (Store::Business, "legal_hold", Apart::Stays),
    (Store::Business, "portal_proof", Apart::Expires),
    (Store::Business, "portal_session", Apart::Expires),
    (Store::Business, "rate_limit", Apart::Expires),
];

/// A field of a job's payload that names a row which goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The job's kind.
    pub job: String,
    /// The field.
    pub field: String,
    /// The table of the row.
    pub table: String,
    /// Which of its rows go.
    pub filter: String,
}

/// A column that names a key which goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Which of its rows go.
    pub filter: String,
}

/// Everything an erasure does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// For whom.
    pub root: Root,
    /// Rows, children before what they belong to.
    pub rows: Vec<Rows>,
    /// Tables with an eraser of their own.
    pub apart: BTreeMap<(Store, String), Apart>,
    /// Prefixes of objects, with `{coach}` for her id.
    pub objects: BTreeSet<String>,
    /// Jobs by what they name.
    pub payloads: Vec<Payload>,
    /// Keys by the rows that name them.
    pub keys: Vec<KeyColumn>,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Personal rows nobody would find.
    #[error("no deep link leads from {0}.{1} to the person, and no eraser knows the table")]
    NoPath(Store, String),
    /// Links that lead back to where they came from.
    #[error("the deep links of {0} lead back to it")]
    Circle(String),
    /// Objects whose prefix does not name the coach.
    #[error("nobody could tell whose the objects {0} are")]
    Object(String),
}

/// What the map says of links, in a form to walk along.
struct Links<'a> {
    /// By table: its deep links, as column and table.
    deep: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    root: Root,
}

impl<'a> Links<'a> {
    fn of(map: &'a DataMap, root: Root) -> Self {
        let mut deep: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (table, column, place) in columns(map) {
            if let Some(link) = place.link.as_ref().filter(|link| link.path == Path::Deep) {
                deep.entry(table).or_default().push((column, &link.to));
            }
        }
        Self { deep, root }
    }

    /// The condition under which a row of the table is the person's; nothing when no path leads to her.
    fn filter(&self, table: &'a str, above: &mut Vec<&'a str>) -> Result<Option<String>, Error> {
        if table == self.root.table() {
            return Ok(Some("\"id\" = $1".to_owned()));
        }
        if above.contains(&table) {
            return Err(Error::Circle(table.to_owned()));
        }
        above.push(table);
        let mut ways = Vec::new();
        for (column, to) in self.deep.get(table).into_iter().flatten() {
            if *to == self.root.table() {
                ways.push(format!("\"{column}\" = $1"));
            } else if let Some(filter) = self.filter(to, above)? {
                ways.push(format!("\"{column}\" IN (SELECT \"id\" FROM \"{to}\" WHERE {filter})"));
            }
        }
        above.pop();
        Ok((!ways.is_empty()).then(|| ways.join(" OR ")))
    }
}

fn columns(map: &DataMap) -> impl Iterator<Item = (&str, &str, &Place)> {
    [Store::Business, Store::Keyring].into_iter().flat_map(|store| map.columns(store))
}

/// Finds the same person's rows by blind index, within the same coach.
fn by_index(column: &str) -> String {
    let of_person = |what: &str| format!("(SELECT \"{what}\" FROM \"subject\" WHERE \"id\" = $1)");
    format!("\"{column}\" = {} AND \"coach_id\" = {}", of_person("email_bidx"), of_person("coach_id"))
}

impl Plan {
    /// Makes the plan.
    ///
    /// # Errors
    /// When rows about a person would be forgotten.
    pub fn new(map: &DataMap, root: Root) -> Result<Self, Error> {
        let links = Links::of(map, root);
        let mut rows = Vec::new();
        let mut apart = BTreeMap::new();
        for store in [Store::Business, Store::Keyring] {
            let mut tables: BTreeMap<&str, Vec<(&str, &Place)>> = BTreeMap::new();
            for (table, column, place) in map.columns(store) {
                tables.entry(table).or_default().push((column, place));
            }
            for (table, entries) in tables {
                let filter = match links.filter(table, &mut Vec::new())? {
                    None if root == Root::Subject => {
                        let index = entries.iter().find(|(_, place)| place.form == Form::BlindIndex);
                        index.filter(|_| map.unlinked(store, table).is_none()).map(|(column, _)| by_index(column))
                    }
                    found => found,
                };
                if let Some(filter) = filter {
                    rows.push(rows_of(store, table, filter, &entries));
                } else if entries.iter().any(|(_, place)| root.concerns(place.subject)) {
                    let known = APART.iter().find(|(of, name, _)| *of == store && *name == table);
                    let (.., how) = known.ok_or_else(|| Error::NoPath(store, table.to_owned()))?;
                    apart.insert((store, table.to_owned()), *how);
                }
            }
        }
        let rows = children_first(map, rows);
        let payloads = payloads(map, &rows);
        let keys = keys(map, &rows);
        Ok(Self { root, rows, apart, objects: objects(map, root)?, payloads, keys })
    }

    /// The rows of one table.
    #[must_use]
    pub fn rows_of(&self, table: &str) -> Option<&Rows> {
        self.rows.iter().find(|rows| rows.table == table)
    }
}

fn rows_of(store: Store, table: &str, filter: String, entries: &[(&str, &Place)]) -> Rows {
    let named = |column: &&str| (*column).to_owned();
    Rows {
        store,
        table: table.to_owned(),
        filter,
        asks: entries.iter().filter_map(|(column, place)| Some((named(column), place.erase.clone()?))).collect(),
        classes: entries.iter().map(|(column, place)| (named(column), place.class.clone())).collect(),
        indexes: entries
            .iter()
            .filter(|(_, place)| place.form == Form::BlindIndex)
            .map(|(column, _)| named(column))
            .collect(),
    }
}

/// Rows that name others go before these. Where mentions go round in a circle, ownership decides: it never does.
fn children_first(map: &DataMap, mut left: Vec<Rows>) -> Vec<Rows> {
    let mut mentions: BTreeMap<&str, Vec<(&str, bool)>> = BTreeMap::new();
    for (table, _, place) in columns(map) {
        if let Some(link) = place.link.as_ref().filter(|link| link.to != table) {
            mentions.entry(table).or_default().push((&link.to, link.path == Path::Deep));
        }
    }
    let is_named = |table: &str, left: &[Rows], by_owner: bool| {
        left.iter().any(|rows| {
            mentions
                .get(rows.table.as_str())
                .into_iter()
                .flatten()
                .any(|(to, is_deep)| *to == table && (*is_deep || !by_owner))
        })
    };
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = |by_owner: bool| left.iter().position(|rows| !is_named(&rows.table, &left, by_owner));
        let next = free(false).or_else(|| free(true)).unwrap_or_default();
        ordered.push(left.remove(next));
    }
    ordered
}

fn payloads(map: &DataMap, rows: &[Rows]) -> Vec<Payload> {
    let fields = map.places.iter().filter_map(|place| match (&place.location, &place.link) {
        (Location::Payload { job, field }, Some(link)) => Some((job, field, &link.to)),
        _ => None,
    });
    fields
        .filter_map(|(job, field, to)| {
            let found = rows.iter().find(|rows| rows.table == *to)?;
            Some(Payload { job: job.clone(), field: field.clone(), table: to.clone(), filter: found.filter.clone() })
        })
        .collect()
}

fn keys(map: &DataMap, rows: &[Rows]) -> Vec<KeyColumn> {
    map.columns(Store::Business)
        .filter(|(.., place)| place.link.as_ref().is_some_and(|link| link.to == "dek"))
        .filter_map(|(table, column, _)| {
            let found = rows.iter().find(|rows| rows.table == table)?;
            Some(KeyColumn { table: table.to_owned(), column: column.to_owned(), filter: found.filter.clone() })
        })
        .collect()
}

fn objects(map: &DataMap, root: Root) -> Result<BTreeSet<String>, Error> {
    let mut prefixes = BTreeSet::new();
    for place in map.places.iter().filter(|place| root.concerns(place.subject)) {
        let Location::Object(template) = &place.location else { continue };
        // An archive's object is named by its row.
        if place.class == "archive" {
            continue;
        }
        let (before, _) = template.split_once("{coach}/").ok_or_else(|| Error::Object(template.clone()))?;
        prefixes.insert(format!("{before}{{coach}}/"));
    }
    Ok(prefixes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(root: Root) -> Plan {
        Plan::new(&DataMap::load().expect("loads"), root).unwrap_or_else(|error| panic!("{error}"))
    }

    fn place_of(plan: &Plan, table: &str) -> usize {
        plan.rows.iter().position(|rows| rows.table == table).unwrap_or_else(|| panic!("{table} is not in the plan"))
    }

    #[test]
    fn every_personal_table_is_in_the_plan() {
        let map = DataMap::load().expect("loads");
        for root in [Root::Coach, Root::Subject] {
            let plan = plan(root);
            for store in [Store::Business, Store::Keyring] {
                for (table, column, place) in map.columns(store).filter(|(.., place)| root.concerns(place.subject)) {
                    let linked = plan.rows.iter().any(|rows| rows.store == store && rows.table == table);
                    let apart = plan.apart.contains_key(&(store, table.to_owned()));
                    assert!(linked != apart, "{root:?}: {store}.{table}.{column}: {place:?}");
                }
            }
        }
    }

    #[test]
    fn children_go_before_what_they_belong_to_or_name() {
        for root in [Root::Coach, Root::Subject] {
            let plan = plan(root);
            for (child, parent) in [("beat", "view"), ("view", "registration"), ("registration", "subject")] {
                assert!(place_of(&plan, child) < place_of(&plan, parent), "{root:?}: {child} after {parent}");
            }
        }
        let plan = plan(Root::Coach);
        for (child, parent) in
            [("registration", "session"), ("consent", "consent_text"), ("video", "webinar"), ("webinar", "coach")]
        {
            assert!(place_of(&plan, child) < place_of(&plan, parent), "{child} after {parent}");
        }
    }

    #[test]
    fn rows_are_found_along_the_links() {
        let plan = plan(Root::Subject);
        assert_eq!(
            plan.rows_of("beat").expect("there").filter,
            "\"view_id\" IN (SELECT \"id\" FROM \"view\" WHERE \"registration_id\" IN \
             (SELECT \"id\" FROM \"registration\" WHERE \"subject_id\" = $1))"
        );
        assert!(plan.rows_of("webinar").is_none() && plan.rows_of("coach").is_none());
        assert_eq!(plan.keys.iter().map(|key| key.table.as_str()).collect::<Vec<_>>(), ["subject"]);
        assert_eq!(plan.payloads.iter().map(|payload| payload.job.as_str()).collect::<Vec<_>>(), ["send_mail"]);
        assert!(plan.objects.is_empty());
    }

    #[test]
    fn an_account_takes_its_files_and_its_pepper_along() {
        let plan = plan(Root::Coach);
        assert_eq!(plan.objects.iter().map(String::as_str).collect::<Vec<_>>(), ["coaches/{coach}/"]);
        assert!(plan.rows.iter().any(|rows| rows.store == Store::Keyring && rows.table == "pepper"));
    }

    #[test]
    fn what_nobody_would_find_has_no_plan() {
        let text = include_str!("../datamap.toml");
        let table = "[business.diary]\nunlinked = \"We forgot.\"\nlike = \"booking\"\n[business.diary.holds]\n\
                     entry = {}\n\n[business.job]";
        let map = DataMap::parse(&text.replacen("[business.job]", table, 1)).expect("parses");
        for root in [Root::Coach, Root::Subject] {
            let expected = Error::NoPath(Store::Business, "diary".to_owned());
            assert_eq!(Plan::new(&map, root).expect_err("no eraser knows it"), expected);
        }
    }

    #[test]
    fn objects_have_to_say_whose_they_are() {
        let text = include_str!("../datamap.toml");
        let lost = "\"pictures/{logo}.png\" = {}\n\"coaches/{coach}/logos/{logo}.png\"";
        let map = DataMap::parse(&text.replacen("\"coaches/{coach}/logos/{logo}.png\"", lost, 1)).expect("parses");
        assert!(matches!(Plan::new(&map, Root::Coach), Err(Error::Object(template)) if template.contains("pictures")));
    }
}
