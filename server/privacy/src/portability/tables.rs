//! What an archive holds, from the data map: tables, columns, names and marks.
//!
//! `data/` is what another installation takes in: a table of the person's goes there unless it is about her dealings
//! with this installation alone, which goes to `access/records/` ([`choices::STAYS`]). A column the map gives to nobody is in
//! neither, and the list of omissions says why.

mod choices;

use std::collections::BTreeMap;

use persistence::catalog::{self, Kind};
use persistence::sealed::Place;
use serde_json::Value as Json;

use self::choices::{ATTACHMENTS, CONTEXT, DO_NOT_WRITE, FILES, STAYING, STAYS};
use crate::map::{DataMap, Export, Form, Place as Entry, Store};
use crate::plan::{self, Plan, Root};

/// Where in the archive a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// `data/`: taken in by another installation.
    Data,
    /// `access/records/`: what this installation alone has to do with the person.
    Access,
}

/// A file that belongs to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The column with its key in the storage.
    pub key: &'static str,
    /// What the row calls it.
    pub export: &'static str,
}

/// Where the value of a column comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The column itself.
    Column(&'static str),
    /// Something the database works out.
    Derived(&'static str),
    /// The archive's own name for a file.
    Attachment,
}

/// A column as an archive has it.
#[derive(Clone, Debug)]
pub struct ArchiveColumn {
    /// What it is called there.
    pub export: String,
    /// Where it comes from.
    pub source: Source,
    /// What it holds when it is open.
    pub kind: Kind,
    /// Numbers of 32 bits.
    pub is_short: bool,
    /// Whether it may be empty.
    pub is_optional: bool,
    /// Where it is sealed, when it is.
    pub sealed: Option<Place>,
    /// Its class in the data map.
    pub class: String,
    /// Whether it is in the archive for another service (Art. 20), not for its person alone (Art. 15).
    pub is_portable: bool,
    /// The table whose row it names.
    pub names: Option<String>,
    /// Whether its row belongs to the one it names.
    pub is_owned: bool,
}

impl ArchiveColumn {
    /// Whether its text is JSON once it is open.
    #[must_use]
    pub fn is_record(&self) -> bool {
        matches!(self.sealed, Some(Place::RegistrationAnswers | Place::RequestDetails))
    }
}

/// A table as an archive has it.
#[derive(Clone, Debug)]
pub struct ArchiveTable {
    /// Its name in the database.
    pub name: &'static str,
    /// Its file's name, without folder and ending.
    pub file: String,
    /// Where in the archive it is.
    pub home: Home,
    /// Columns, in the order of RFC 8785.
    pub columns: Vec<ArchiveColumn>,
    /// Its primary key.
    pub key: Vec<&'static str>,
    /// Kinds of the key's columns.
    pub key_kinds: Vec<Kind>,
    /// Which rows: SQL with the person's id as `$1`.
    pub filter: String,
    /// The same without leaving out people who rest: what is the person's at all.
    pub theirs: String,
    /// SQL of the key its sealed values lie under.
    pub dek: Option<&'static str>,
    /// The file that belongs to each row.
    pub attachment: Option<Attachment>,
    /// The table its key's first column names, when that is how its rows are found.
    pub parent: Option<String>,
}

impl ArchiveTable {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        match self.home {
            Home::Data => "data",
            Home::Access => "access/records",
        }
    }

    /// The path of its file number `number`, from 1. What was watched is cut into numbered files from the first.
    #[must_use]
    pub fn path(&self, number: u32) -> String {
        match (self.name, number) {
            ("coach", _) if self.home == Home::Data => format!("{}/{}.json", self.folder(), self.file),
            ("beat", _) | (_, 2..) => format!("{}/{}-{number:04}.jsonl", self.folder(), self.file),
            _ => format!("{}/{}.jsonl", self.folder(), self.file),
        }
    }

    /// The path of its schema.
    #[must_use]
    pub fn schema(&self) -> String {
        match self.home {
            Home::Data => format!("schemas/{}.json", self.file),
            Home::Access => format!("schemas/records.{}.json", self.file),
        }
    }

    /// Kinds of data in it.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        let classes: std::collections::BTreeSet<_> = self.columns.iter().map(|column| column.class.clone()).collect();
        classes.into_iter().collect()
    }
}

/// Something the map gives to nobody, or that cannot be given now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Omission {
    /// Its class in the data map.
    pub class: String,
    /// Where it would come from.
    pub what: Vec<String>,
    /// Why it is not here.
    pub reason: String,
    /// What the law says to that.
    pub ground: String,
}

/// The plan of an archive.
#[derive(Clone, Debug)]
pub struct ArchivePlan {
    /// Whose.
    pub root: Root,
    /// Tables, what others name before what names it.
    pub tables: Vec<ArchiveTable>,
    /// What the map gives to nobody.
    pub never: Vec<Omission>,
}

impl ArchivePlan {
    /// Makes the plan.
    ///
    /// # Errors
    /// When the map does not lead to everybody's rows.
    pub fn new(map: &DataMap, root: Root) -> Result<Self, plan::Error> {
        let plan = Plan::new(map, root)?;
        let catalog = catalog::tables();
        let mut entries: BTreeMap<&str, BTreeMap<&str, &Entry>> = BTreeMap::new();
        for (table, column, entry) in map.columns(Store::Business) {
            entries.entry(table).or_default().insert(column, entry);
        }
        let people = match root {
            Root::Coach => Some(Plan::new(map, Root::Subject)?),
            Root::Subject => None,
        };
        let linked = plan.rows.iter().rev().filter(|rows| rows.store == Store::Business);
        let mut found: Vec<(String, String)> = linked.map(|rows| (rows.table.clone(), rows.filter.clone())).collect();
        found.extend(apart(root));
        let mut tables = Vec::new();
        for (name, theirs) in found {
            let Some(table) = catalog.iter().find(|table| table.name == name) else { continue };
            let Some(columns) = entries.get(name.as_str()) else { continue };
            let filter = active_only(theirs.clone(), &name, people.as_ref());
            let made = archive_tables(table, columns, &filter);
            tables.extend(made.into_iter().map(|made| ArchiveTable { theirs: theirs.clone(), ..made }));
        }
        if root == Root::Subject {
            let context = CONTEXT.iter().filter_map(|(name, columns, which)| {
                let table = catalog.iter().find(|table| table.name == *name)?;
                Some(context(table, entries.get(name)?, columns, which))
            });
            tables.splice(0..0, context.collect::<Vec<_>>());
        }
        Ok(Self { root, tables, never: never(map, root) })
    }

    /// The tables of one part of the archive.
    pub fn of(&self, home: Home) -> impl Iterator<Item = &ArchiveTable> {
        self.tables.iter().filter(move |table| table.home == home)
    }

    /// A table of `data/` by its name in the database.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<&ArchiveTable> {
        self.of(Home::Data).find(|table| table.name == name)
    }
}

/// A coach's archive holds the people she may use the data of: who asked for rest is in no bulk copy (Art. 18), and who
/// is being erased is in none at all.
fn active_only(filter: String, table: &str, people: Option<&Plan>) -> String {
    let Some(theirs) = people.and_then(|plan| plan.rows_of(table)).filter(|rows| !rows.filter.contains("bidx")) else {
        return filter;
    };
    let resting = theirs
        .filter
        .replace("= $1", "IN (SELECT \"id\" FROM \"subject\" WHERE \"coach_id\" = $1 AND \"state\" <> 'active')");
    // A row that is about nobody has no answer to this, and stays.
    format!("({filter}) AND ({resting}) IS NOT TRUE")
}

/// Tables no link leads to, and which of their rows are the person's own.
fn apart(root: Root) -> Vec<(String, String)> {
    let rows = match root {
        Root::Coach => [
            ("dsr_request", "\"coach_id\" = $1 AND \"subject_kind\" = 'coach'"),
            ("export_archive", "\"coach_id\" = $1 AND \"subject_kind\" = 'coach'"),
            ("legal_hold", "\"coach_id\" = $1 AND \"subject_id\" IS NULL"),
        ],
        Root::Subject => [
            ("dsr_request", "\"subject_id\" = $1"),
            ("export_archive", "\"subject_id\" = $1"),
            ("legal_hold", "\"subject_id\" = $1"),
        ],
    };
    rows.into_iter().map(|(table, filter)| (table.to_owned(), filter.to_owned())).collect()
}

/// Compared as RFC 8785 sorts names.
fn in_order(columns: &mut [ArchiveColumn]) {
    columns.sort_by(|one, other| one.export.encode_utf16().cmp(other.export.encode_utf16()));
}

fn archive_column(table: &str, column: &catalog::Column, entry: &Entry) -> Option<ArchiveColumn> {
    let is_portable = match entry.export.as_ref()? {
        Export::Never(_) => return None,
        Export::Access => false,
        Export::Portable => true,
    };
    let sealed = (entry.form == Form::Sealed).then(|| Place::of_column(table, column.name)).flatten();
    Some(ArchiveColumn {
        export: entry.export_name.clone(),
        source: Source::Column(column.name),
        kind: if sealed.is_some() { Kind::Text } else { column.kind },
        is_short: column.is_short,
        is_optional: column.is_optional,
        sealed,
        class: entry.class.clone(),
        is_portable,
        names: entry.link.as_ref().map(|link| link.to.clone()),
        is_owned: entry.link.as_ref().is_some_and(|link| link.path == crate::map::Path::Deep),
    })
}

/// A table's part in `data/`, and what of it stays here.
fn archive_tables(table: &catalog::Table, entries: &BTreeMap<&str, &Entry>, filter: &str) -> Vec<ArchiveTable> {
    let all = table
        .columns
        .iter()
        .filter_map(|column| archive_column(table.name, column, entries.get(column.name).copied()?));
    let stays = |column: &ArchiveColumn| {
        STAYING.iter().any(|(of, name)| *of == table.name && column.source == Source::Column(name))
    };
    if STAYS.contains(&table.name) {
        let columns: Vec<_> = all.collect();
        return if columns.is_empty() { Vec::new() } else { vec![archive_table(table, Home::Access, columns, filter)] };
    }
    let (staying, mut going): (Vec<_>, Vec<_>) = all.partition(stays);
    let class = |name: &str| entries.get(name).map(|entry| entry.class.clone()).unwrap_or_default();
    if let Some((_, attachment)) = ATTACHMENTS.iter().find(|(of, _)| *of == table.name) {
        going.push(added(attachment.export, Source::Attachment, Kind::Text, class(attachment.key)));
    }
    if table.name == "subject" {
        let derived = Source::Derived(DO_NOT_WRITE);
        let column = added("do_not_write", derived, Kind::Flag, "suppression".to_owned());
        going.push(ArchiveColumn { is_optional: false, ..column });
    }
    let mut tables = Vec::new();
    if !going.is_empty() {
        tables.push(archive_table(table, Home::Data, going, filter));
    }
    if !staying.is_empty() {
        let key = table.columns.iter().filter(|column| table.key.contains(&column.name));
        let key = key.filter_map(|column| archive_column(table.name, column, entries.get(column.name).copied()?));
        let columns = key.chain(staying).collect();
        tables.push(archive_table(table, Home::Access, columns, filter));
    }
    tables
}

fn added(export: &str, source: Source, kind: Kind, class: String) -> ArchiveColumn {
    ArchiveColumn {
        export: export.to_owned(),
        source,
        kind,
        is_short: false,
        is_optional: true,
        sealed: None,
        class,
        is_portable: true,
        names: None,
        is_owned: false,
    }
}

fn archive_table(table: &catalog::Table, home: Home, mut columns: Vec<ArchiveColumn>, filter: &str) -> ArchiveTable {
    in_order(&mut columns);
    let has = |name: &str| table.columns.iter().any(|column| column.name == name);
    let kind = |name: &&str| table.columns.iter().find(|column| column.name == *name).map(|column| column.kind);
    let is_sealed = columns.iter().any(|column| column.sealed.is_some());
    let dek = if has("dek_id") {
        "\"dek_id\""
    } else {
        "(SELECT \"subject\".\"dek_id\" FROM \"subject\" WHERE \"subject\".\"id\" = \"subject_id\")"
    };
    let attachment = ATTACHMENTS.iter().find(|(of, _)| *of == table.name).map(|(_, attachment)| *attachment);
    let by_parent = table.key.len() > 1;
    let first = columns.iter().find(|column| column.source == Source::Column(table.key[0]));
    ArchiveTable {
        name: table.name,
        file: FILES.iter().find(|(name, _)| *name == table.name).map_or(table.name, |(_, file)| *file).to_owned(),
        home,
        key: table.key.clone(),
        key_kinds: table.key.iter().filter_map(kind).collect(),
        filter: filter.to_owned(),
        theirs: filter.to_owned(),
        dek: is_sealed.then_some(dek),
        attachment: attachment.filter(|_| home == Home::Data),
        parent: first.and_then(|column| column.names.clone()).filter(|_| by_parent),
        columns,
    }
}

fn context(table: &catalog::Table, entries: &BTreeMap<&str, &Entry>, columns: &[&str], which: &str) -> ArchiveTable {
    let wanted = table.columns.iter().filter(|column| columns.contains(&column.name));
    let wanted = wanted.filter_map(|column| archive_column(table.name, column, entries.get(column.name).copied()?));
    let filter = format!("\"id\" IN ({which})");
    let made = archive_table(table, Home::Access, wanted.collect(), &filter);
    ArchiveTable { attachment: None, ..made }
}

/// Everything about the person that the map gives to nobody, by reason.
fn never(map: &DataMap, root: Root) -> Vec<Omission> {
    let mut reasons: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for place in &map.places {
        let Some(Export::Never(reason)) = &place.export else { continue };
        let concerns = match root {
            Root::Coach => place.is_personal(),
            Root::Subject => place.subject == crate::map::Subject::Viewer,
        };
        if concerns {
            reasons.entry((place.class.clone(), reason.clone())).or_default().push(place.location.to_string());
        }
    }
    let ground = |class: &str| match class {
        "credential" | "key" => "Security of the account (Art. 32 GDPR); nothing is learnt about you from it.",
        _ => "It adds nothing to what is here (Art. 15(3) GDPR).",
    };
    let omission = |((class, reason), what): ((String, String), Vec<String>)| {
        let ground = ground(&class).to_owned();
        Omission { class, what, reason, ground }
    };
    reasons.into_iter().map(omission).collect()
}

/// What a column says in archives from before there was one.
pub(super) fn column_before(table: &str, column: &str) -> Option<Json> {
    match (table, column) {
        ("webinar", "schedule") => Some("{}".into()),
        ("registration", "calendar_sequence") => Some(0.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(root: Root) -> ArchivePlan {
        ArchivePlan::new(DataMap::current(), root).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every column the map gives to its person is in the archive, and none it gives to nobody.
    #[test]
    fn the_archive_holds_what_the_map_gives_and_nothing_else() {
        for root in [Root::Coach, Root::Subject] {
            let plan = plan(root);
            let erasure = Plan::new(DataMap::current(), root).expect("a plan");
            for (table, column, entry) in DataMap::current().columns(Store::Business) {
                let theirs = erasure.rows_of(table).is_some();
                let is_in = plan.tables.iter().filter(|one| one.name == table).any(|one| {
                    one.columns.iter().any(|it| matches!(it.source, Source::Column(name) if name == column))
                });
                match &entry.export {
                    Some(Export::Never(_)) | None => assert!(!is_in, "{root:?}: {table}.{column} is nobody's"),
                    Some(_) if theirs => assert!(is_in, "{root:?}: {table}.{column} is missing"),
                    Some(_) => {}
                }
            }
        }
    }

    #[test]
    fn what_is_named_comes_before_what_names_it() {
        let plan = plan(Root::Coach);
        let place = |name: &str| plan.of(Home::Data).position(|table| table.name == name).expect("there");
        for (first, then) in [("coach", "webinar"), ("webinar", "video"), ("session", "registration"), ("view", "beat")]
        {
            assert!(place(first) < place(then), "{first} before {then}");
        }
    }

    #[test]
    fn people_who_rest_are_in_no_coachs_archive() {
        let plan = plan(Root::Coach);
        for name in ["subject", "registration", "view", "beat", "mail", "consent", "watch_map"] {
            let filter = &plan.data(name).expect("there").filter;
            assert!(filter.contains("<> 'active'") && filter.ends_with("IS NOT TRUE"), "{name}: {filter}");
        }
        assert!(!plan.data("webinar").expect("there").filter.contains("active"));
    }

    #[test]
    fn no_credential_is_in_an_archive() {
        for root in [Root::Coach, Root::Subject] {
            for table in plan(root).tables {
                for column in &table.columns {
                    assert!(
                        !["credential", "key"].contains(&column.class.as_str()),
                        "{}.{}",
                        table.name,
                        column.export
                    );
                }
            }
        }
    }
}
