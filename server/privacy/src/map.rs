//! Loading `datamap.toml`: typed, without unknown fields, and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

const TEXT: &str = include_str!("../datamap.toml");
/// The format this code reads.
const VERSION: u32 = 1;

/// Why a data map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no TOML of this shape.
    #[error("the data map cannot be read")]
    Shape(#[source] toml::de::Error),
    /// It contradicts itself or leaves something open.
    #[error("the data map is incomplete:\n{}", .0.join("\n"))]
    Incomplete(Vec<String>),
}

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A coach's.
    Coach,
    /// A registrant's, who is a viewer later.
    Viewer,
    /// Nobody's.
    None,
}

/// What a person gets of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Export {
    /// With the answer to an access request (Art. 15).
    Access,
    /// That, and in the archive for another service (Art. 20): given by the person, or observed.
    Portable,
    /// Nothing, for this reason; the archive's list of omissions says so.
    Never(String),
}

/// What erasing its subject does to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erase {
    /// The row goes.
    Delete,
    /// The value goes, the row stays.
    Null,
    /// The key that opens it is destroyed; the row goes too, backups keep what nobody can read.
    Shred,
    /// Kept under this hold of the closed list (privacy-design §2.4).
    Retain(Hold),
}

/// Why something outlives an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Invoices, ten years in France.
    #[serde(rename = "invoice_10y_fr")]
    Invoice10yFr,
    /// Value added tax.
    TaxVat,
    /// A dispute is open.
    DisputeOpen,
    /// A claim is made or defended (Art. 17(3)(e)).
    LegalClaim,
    /// An authority ordered it.
    AuthorityOrder,
    /// Evidence of abuse, twelve months at most.
    AbuseEvidence,
    /// "Do not write to me" has to be remembered.
    Suppression,
}

/// What restricting its subject does to it (privacy-design §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restrict {
    /// Stays, and is shown to nobody but its subject.
    Hide,
    /// Stays as it is, and is not changed.
    Freeze,
    /// Is not collected while the restriction lasts.
    Drop,
}

/// How a value lies on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    #[default]
    Plain,
    /// Under the subject's own key.
    Sealed,
    /// A keyed hash that finds equal values and shows none.
    BlindIndex,
    /// A hash; the value itself is nowhere.
    Hashed,
    /// A key under the key-encryption key.
    Wrapped,
}

impl Form {
    /// Whether it can only be bytes: in a text column it would be a mistake, or not what it says.
    #[must_use]
    pub const fn is_bytes(self) -> bool {
        matches!(self, Self::Sealed | Self::BlindIndex | Self::Wrapped)
    }
}

/// How erasing or exporting what a reference names concerns the row that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// The row belongs to what it names and shares its fate.
    Deep,
    /// The row only mentions it.
    Shallow,
    /// The row goes with the last one that names it.
    Refcount,
    /// Several subjects own it.
    CoOwned,
}

/// A reference to a row elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The table of that row.
    pub to: String,
    /// What the reference means for erasure and export.
    pub path: Path,
}

/// Where a piece of data sits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// A column.
    Column {
        /// Which database.
        store: Store,
        /// Its table.
        table: String,
        /// Its name.
        column: String,
    },
    /// Objects under a prefix.
    Object(String),
    /// A field of a job's payload.
    Payload {
        /// The job's kind.
        job: String,
        /// The field.
        field: String,
    },
    /// A cookie.
    Cookie(String),
    /// A field of a log line.
    Log(String),
    /// A label of a metric.
    Metric(String),
    /// A part of a mail on its way.
    Mail(String),
    /// A kind of file beside the backups.
    Backup(String),
}

impl std::fmt::Display for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Column { store, table, column } => write!(formatter, "{store}.{table}.{column}"),
            Self::Object(prefix) => write!(formatter, "objects {prefix}"),
            Self::Payload { job, field } => write!(formatter, "queue {job}.{field}"),
            Self::Cookie(name) => write!(formatter, "cookie {name}"),
            Self::Log(field) => write!(formatter, "log field {field}"),
            Self::Metric(label) => write!(formatter, "metric label {label}"),
            Self::Mail(part) => write!(formatter, "mail {part}"),
            Self::Backup(file) => write!(formatter, "backups {file}"),
        }
    }
}

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// Everything but keys.
    Business,
    /// Keys only.
    Keyring,
}

impl Hold {
    /// The stored word, the same as [`domain::rights::HoldGround`]'s.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice10yFr => "invoice_10y_fr",
            Self::TaxVat => "tax_vat",
            Self::DisputeOpen => "dispute_open",
            Self::LegalClaim => "legal_claim",
            Self::AuthorityOrder => "authority_order",
            Self::AbuseEvidence => "abuse_evidence",
            Self::Suppression => "suppression",
        }
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Business => "business",
            Self::Keyring => "keyring",
        })
    }
}

/// Everything the map says of one place.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where.
    pub location: Location,
    /// What kind of data, a key of [`DataMap::classes`].
    pub class: String,
    /// Whose.
    pub subject: Subject,
    /// What for, keys of [`DataMap::purposes`].
    pub purposes: Vec<String>,
    /// On which legal basis, a key of [`DataMap::bases`].
    pub basis: Option<String>,
    /// How long, a key of [`DataMap::retentions`].
    pub retention: Option<String>,
    /// What its subject gets of it.
    pub export: Option<Export>,
    /// What it is called there.
    pub export_name: String,
    /// What erasing its subject does to it.
    pub erase: Option<Erase>,
    /// Whether its subject can correct it.
    pub rectify: bool,
    /// What restricting its subject does to it.
    pub restrict: Option<Restrict>,
    /// How it lies on the disk.
    pub form: Form,
    /// Which row elsewhere it names.
    pub link: Option<Link>,
}

impl Place {
    /// Whether it says anything about a person.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.subject != Subject::None
    }
}

/// A legal basis.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Where the law says so.
    pub article: String,
    /// In plain words.
    pub text: String,
}

/// How long something is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// In plain words.
    pub text: String,
    /// What the days are counted from.
    pub starts: String,
    /// Days kept after that.
    pub days: u32,
    /// The job that removes it; without one only an erasure does.
    pub enforced_by: Option<String>,
}

/// Where a kind of data comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person gives it.
    Given,
    /// It is noted while the person uses the service.
    Observed,
    /// The service makes it.
    #[default]
    Made,
}

impl Source {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Given => "given by the person",
            Self::Observed => "noted while the service is used",
            Self::Made => "made by the service",
        }
    }
}

/// A kind of data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// In plain words.
    pub title: String,
    /// Where it comes from.
    #[serde(default)]
    pub source: Source,
    /// Whether it always concerns somebody.
    #[serde(default)]
    pub identifies: bool,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: String,
}

/// The data map, resolved and consistent.
#[derive(Clone, Debug)]
pub struct DataMap {
    /// The closed list of purposes, with their texts.
    pub purposes: BTreeMap<String, String>,
    /// Legal bases.
    pub bases: BTreeMap<String, Basis>,
    /// How long things are kept.
    pub retentions: BTreeMap<String, Retention>,
    /// Kinds of data.
    pub classes: BTreeMap<String, Class>,
    /// Every kind of job, also those that carry nothing.
    pub jobs: BTreeSet<String>,
    /// Every place, sorted.
    pub places: Vec<Place>,
    /// Tables whose rows are reached by no reference, and why that is in order.
    unlinked: BTreeMap<(Store, String), String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[expect(dead_code, reason = "its only value is its meaning: anything else does not parse")]
    log: Never,
    purposes: BTreeMap<String, String>,
    bases: BTreeMap<String, Basis>,
    retentions: BTreeMap<String, Retention>,
    classes: BTreeMap<String, Class>,
    presets: BTreeMap<String, Entry>,
    business: BTreeMap<String, Group>,
    keyring: BTreeMap<String, Group>,
    objects: Group,
    backups: Group,
    queue: BTreeMap<String, Group>,
    cookies: Group,
    logs: Group,
    metrics: Group,
    mail: Group,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Never {
    Never,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    like: Option<String>,
    #[serde(default)]
    defaults: Entry,
    unlinked: Option<String>,
    #[serde(default)]
    holds: BTreeMap<String, Entry>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    class: Option<String>,
    subject: Option<Subject>,
    purpose: Option<Vec<String>>,
    basis: Option<String>,
    retention: Option<String>,
    export: Option<Export>,
    name: Option<String>,
    erase: Option<Erase>,
    rectify: Option<bool>,
    restrict: Option<Restrict>,
    form: Option<Form>,
    link: Option<Link>,
}

impl DataMap {
    /// The map this program was built with.
    ///
    /// # Errors
    /// When it is malformed or incomplete; the tests keep such a one from being released.
    pub fn load() -> Result<Self, Error> {
        Self::parse(TEXT)
    }

    /// Reads a map from its text.
    ///
    /// # Errors
    /// When it is malformed or incomplete.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(Error::Shape)?;
        if file.version != VERSION {
            return Err(Error::Incomplete(vec![format!("version {} is not {VERSION}", file.version)]));
        }
        let mut faults = Vec::new();
        let mut places = Vec::new();
        let mut unlinked = BTreeMap::new();
        let jobs = file.queue.keys().cloned().collect();
        for (store, tables) in [(Store::Business, file.business), (Store::Keyring, file.keyring)] {
            for (table, group) in tables {
                if let Some(reason) = &group.unlinked {
                    unlinked.insert((store, table.clone()), reason.clone());
                }
                let location = |column| Location::Column { store, table: table.clone(), column };
                group.resolve(location, &file.presets, &mut places, &mut faults);
            }
        }
        for (job, group) in file.queue {
            group.resolve(
                |field| Location::Payload { job: job.clone(), field },
                &file.presets,
                &mut places,
                &mut faults,
            );
        }
        file.objects.resolve(Location::Object, &file.presets, &mut places, &mut faults);
        file.backups.resolve(Location::Backup, &file.presets, &mut places, &mut faults);
        file.cookies.resolve(Location::Cookie, &file.presets, &mut places, &mut faults);
        file.logs.resolve(Location::Log, &file.presets, &mut places, &mut faults);
        file.metrics.resolve(Location::Metric, &file.presets, &mut places, &mut faults);
        file.mail.resolve(Location::Mail, &file.presets, &mut places, &mut faults);
        places.sort_by(|one, other| one.location.cmp(&other.location));
        let File { purposes, bases, retentions, classes, .. } = file;
        let map = Self { purposes, bases, retentions, classes, jobs, places, unlinked };
        map.check(&mut faults);
        if faults.is_empty() { Ok(map) } else { Err(Error::Incomplete(faults)) }
    }

    /// Names this map: a receipt and a record say under which one they were made.
    #[must_use]
    pub fn hash() -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(TEXT).into()
    }

    /// The map this program was built with, read once.
    ///
    /// # Panics
    /// When the map is broken; the tests keep such a one from being released.
    #[must_use]
    pub fn current() -> &'static Self {
        static MAP: std::sync::LazyLock<DataMap> =
            std::sync::LazyLock::new(|| DataMap::load().expect("the tests keep a broken map from being released"));
        &MAP
    }

    /// Why nothing links a table's rows to a person, where that is in order.
    #[must_use]
    pub fn unlinked(&self, store: Store, table: &str) -> Option<&str> {
        self.unlinked.get(&(store, table.to_owned())).map(String::as_str)
    }

    /// The entries of one database's columns, as (table, column, entry).
    pub fn columns(&self, of: Store) -> impl Iterator<Item = (&str, &str, &Place)> {
        self.places.iter().filter_map(move |place| match &place.location {
            Location::Column { store, table, column } if *store == of => Some((table.as_str(), column.as_str(), place)),
            _ => None,
        })
    }
}

impl Group {
    fn resolve(
        self,
        location: impl Fn(String) -> Location,
        presets: &BTreeMap<String, Entry>,
        places: &mut Vec<Place>,
        faults: &mut Vec<String>,
    ) {
        let preset = self.like.as_ref().map(|like| presets.get(like).ok_or(like)).transpose();
        let preset = preset.unwrap_or_else(|like| {
            faults.push(format!("{} is like {like}, which does not exist", location("*".to_owned())));
            None
        });
        let defaults = self.defaults.or(preset.cloned().unwrap_or_default());
        for (name, own) in self.holds {
            let location = location(name.clone());
            let entry = own.or(defaults.clone());
            let Some(class) = entry.class else {
                faults.push(format!("{location} has no class"));
                continue;
            };
            let Some(subject) = entry.subject else {
                faults.push(format!("{location} does not say whose it is"));
                continue;
            };
            places.push(Place {
                location,
                class,
                subject,
                purposes: entry.purpose.unwrap_or_default(),
                basis: entry.basis,
                retention: entry.retention,
                export: entry.export,
                export_name: entry.name.unwrap_or(name),
                erase: entry.erase,
                rectify: entry.rectify.unwrap_or(false),
                restrict: entry.restrict,
                form: entry.form.unwrap_or_default(),
                link: entry.link,
            });
        }
    }
}

impl Entry {
    fn or(self, other: Self) -> Self {
        Self {
            class: self.class.or(other.class),
            subject: self.subject.or(other.subject),
            purpose: self.purpose.or(other.purpose),
            basis: self.basis.or(other.basis),
            retention: self.retention.or(other.retention),
            export: self.export.or(other.export),
            name: self.name.or(other.name),
            erase: self.erase.or(other.erase),
            rectify: self.rectify.or(other.rectify),
            restrict: self.restrict.or(other.restrict),
            form: self.form.or(other.form),
            link: self.link.or(other.link),
        }
    }
}

/// Tables that are a person, rather than about one.
const ROOTS: [&str; 2] = ["coach", "subject"];

impl DataMap {
    fn check(&self, faults: &mut Vec<String>) {
        for place in &self.places {
            self.check_references(place, faults);
            if place.is_personal() {
                check_personal(place, faults);
            }
        }
        for (name, retention) in &self.retentions {
            if let Some(job) = retention.enforced_by.as_ref().filter(|job| !self.jobs.contains(*job)) {
                faults.push(format!("retention {name} is enforced by {job}, which is no job"));
            }
        }
        self.check_use(faults);
        self.check_paths(faults);
    }

    fn check_references(&self, place: &Place, faults: &mut Vec<String>) {
        let mut fault = |text: String| faults.push(format!("{} {text}", place.location));
        match self.classes.get(&place.class) {
            None => fault(format!("is of class {}, which does not exist", place.class)),
            Some(class) if class.identifies && !place.is_personal() => {
                fault(format!("is of class {}, which is always about somebody; it names nobody", place.class));
            }
            Some(_) => {}
        }
        for purpose in place.purposes.iter().filter(|purpose| !self.purposes.contains_key(*purpose)) {
            fault(format!("has purpose {purpose}, which does not exist"));
        }
        if let Some(basis) = place.basis.as_ref().filter(|basis| !self.bases.contains_key(*basis)) {
            fault(format!("has basis {basis}, which does not exist"));
        }
        if let Some(retention) = place.retention.as_ref().filter(|name| !self.retentions.contains_key(*name)) {
            fault(format!("has retention {retention}, which does not exist"));
        }
        if let Some(link) = place.link.as_ref().filter(|link| !self.tables().contains(link.to.as_str())) {
            fault(format!("names table {}, which does not exist", link.to));
        }
    }

    /// What nothing refers to is a leftover, and the public page would show it.
    fn check_use(&self, faults: &mut Vec<String>) {
        let used: BTreeSet<&str> = self.places.iter().map(|place| place.class.as_str()).collect();
        let unused = self.classes.keys().filter(|name| !used.contains(name.as_str()));
        faults.extend(unused.map(|name| format!("nothing is of class {name}")));
        let used: BTreeSet<&str> = self.places.iter().filter_map(|place| place.basis.as_deref()).collect();
        let unused = self.bases.keys().filter(|name| !used.contains(name.as_str()));
        faults.extend(unused.map(|name| format!("nothing has basis {name}")));
        let used: BTreeSet<&str> = self.places.iter().filter_map(|place| place.retention.as_deref()).collect();
        let unused = self.retentions.keys().filter(|name| !used.contains(name.as_str()));
        faults.extend(unused.map(|name| format!("nothing has retention {name}")));
    }

    fn tables(&self) -> BTreeSet<&str> {
        let columns = self.columns(Store::Business).chain(self.columns(Store::Keyring));
        columns.map(|(table, _, _)| table).collect()
    }

    /// An eraser that starts at a person has to reach every row about her.
    fn check_paths(&self, faults: &mut Vec<String>) {
        let mut reached: BTreeSet<&str> = ROOTS.into_iter().collect();
        let deep: Vec<(&str, &str)> = [Store::Business, Store::Keyring]
            .into_iter()
            .flat_map(|store| self.columns(store))
            .filter_map(|(table, _, place)| place.link.as_ref().map(|link| (table, link)))
            .filter(|(_, link)| link.path == Path::Deep)
            .map(|(table, link)| (table, link.to.as_str()))
            .collect();
        loop {
            let before = reached.len();
            for (table, to) in &deep {
                if reached.contains(to) {
                    reached.insert(table);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        for store in [Store::Business, Store::Keyring] {
            let personal: BTreeSet<&str> =
                self.columns(store).filter(|(_, _, place)| place.is_personal()).map(|(table, _, _)| table).collect();
            for table in personal {
                let excused = self.unlinked.contains_key(&(store, table.to_owned()));
                match (reached.contains(table), excused) {
                    (false, false) => faults.push(format!("no deep link leads from {store}.{table} to a person")),
                    (true, true) => faults.push(format!("{store}.{table} is said to be unlinked, and is linked")),
                    _ => {}
                }
            }
        }
    }
}

fn check_personal(place: &Place, faults: &mut Vec<String>) {
    let missing = [
        (place.purposes.is_empty(), "purpose"),
        (place.basis.is_none(), "basis"),
        (place.retention.is_none(), "retention"),
        (place.erase.is_none(), "erasure"),
        (place.export.is_none(), "export"),
        (place.restrict.is_none(), "restriction"),
    ];
    for (_, what) in missing.into_iter().filter(|(is_missing, _)| *is_missing) {
        faults.push(format!("{} is personal and has no {what}", place.location));
    }
    if place.export.as_ref().is_some_and(|export| matches!(export, Export::Never(reason) if reason.trim().is_empty())) {
        faults.push(format!("{} is not exported, and no reason is given", place.location));
    }
    // Backups keep the row for 90 days more; only the lost key makes it unreadable there.
    if place.form == Form::Sealed && place.subject == Subject::Viewer && place.erase != Some(Erase::Shred) {
        faults.push(format!("{} is sealed under the person's key, and erasing does not destroy it", place.location));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_after(from: &str, to: &str) -> Vec<String> {
        assert!(TEXT.contains(from), "{from} is in the map");
        match DataMap::parse(&TEXT.replacen(from, to, 1)) {
            Ok(_) => Vec::new(),
            Err(Error::Incomplete(faults)) => faults,
            Err(Error::Shape(error)) => vec![error.message().to_owned()],
        }
    }

    #[test]
    fn the_map_of_this_build_is_complete() {
        let map = DataMap::load().unwrap_or_else(|error| panic!("{error}"));
        assert!(map.columns(Store::Business).count() > 200);
        assert_eq!(map.columns(Store::Keyring).count(), 15);
    }

    #[test]
    fn an_entry_overrules_its_tables_defaults() {
        let map = DataMap::load().expect("loads");
        let (_, _, email) =
            map.columns(Store::Business).find(|(t, c, _)| (*t, *c) == ("subject", "email_ct")).expect("there");
        assert_eq!((email.subject, email.form, &email.erase), (Subject::Viewer, Form::Sealed, &Some(Erase::Shred)));
        assert_eq!((email.export_name.as_str(), &email.export), ("email", &Some(Export::Portable)));
        assert_eq!(email.basis.as_deref(), Some("on_behalf"));
    }

    #[test]
    fn what_does_not_exist_cannot_be_named() {
        let coach = "[business.coach.holds]\nid = { class = \"identifier\"";
        for (change, fault) in [
            ("[business.coach.holds]\nid = { class = \"identity\"", "is of class identity, which does not exist"),
            ("[business.coach.holds]\nid = { purpose = [\"sell\"]", "has purpose sell, which does not exist"),
            ("[business.coach.holds]\nid = { basis = \"habit\"", "has basis habit, which does not exist"),
            ("[business.coach.holds]\nid = { retention = \"forever\"", "has retention forever, which does not exist"),
            (
                "[business.coach.holds]\nid = { link = { to = \"nobody\", path = \"deep\" }",
                "names table nobody, which does not exist",
            ),
        ] {
            assert_eq!(faults_after(coach, change), [format!("business.coach.id {fault}")]);
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        for change in
            ["id = { clas = \"x\", class = \"identifier\"", "id = { erase = \"later\", class = \"identifier\""]
        {
            let faults = faults_after("id = { class = \"identifier\"", change);
            assert!(faults.len() == 1 && faults[0].starts_with("unknown "), "{faults:?}");
        }
        let faults = faults_after("log = \"never\"", "log = \"sometimes\"");
        assert!(faults.len() == 1 && faults[0].starts_with("unknown variant"), "{faults:?}");
    }

    #[test]
    fn personal_data_needs_every_answer() {
        let faults = faults_after(
            "[business.coach]\nlike = \"account\"",
            "[business.coach]\ndefaults = { class = \"account_event\", subject = \"coach\" }",
        );
        for what in ["purpose", "basis", "retention", "erasure", "export", "restriction"] {
            let fault = format!("business.coach.created_at is personal and has no {what}");
            assert!(faults.contains(&fault), "{fault}: {faults:?}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let sealed = "form = \"sealed\", name = \"answers\", erase = \"shred\"";
        assert_eq!(
            faults_after(sealed, "form = \"sealed\", name = \"answers\""),
            ["business.registration.answers_ct is sealed under the person's key, and erasing does not destroy it"]
        );
        assert_eq!(
            faults_after("applied_at = {}", "applied_at = { class = \"email\" }"),
            ["business.seaql_migrations.applied_at is of class email, which is always about somebody; it names nobody"]
        );
        assert_eq!(
            faults_after("enforced_by = \"sweep_uploads\"", "enforced_by = \"sweep\""),
            ["retention upload is enforced by sweep, which is no job"]
        );
        assert_eq!(
            faults_after(
                "view_id = { class = \"identifier\", export = \"access\", link = { to = \"view\", path = \"deep\" } }",
                "view_id = {}"
            ),
            ["no deep link leads from business.beat to a person"]
        );
        assert_eq!(
            faults_after("[business.coach]\nlike = \"account\"", "[business.coach]\nlike = \"me\"")[0],
            "business.coach.* is like me, which does not exist"
        );
        assert_eq!(faults_after("export = { never = \"A credential.\" }", "export = { never = \" \" }").len(), 1);
        assert_eq!(
            faults_after("[classes.work]", "[classes.spare]\ntitle = \"\"\ndpv = \"\"\n[classes.work]"),
            ["nothing is of class spare"]
        );
    }
}
