//! Loading `datamap.toml`: typed, without unknown fields, and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

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

/// A kind of data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// In plain words.
    pub title: String,
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
    business: BTreeMap<String, Group>,
    keyring: BTreeMap<String, Group>,
    objects: Group,
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
                group.resolve(location, &mut places, &mut faults);
            }
        }
        for (job, group) in file.queue {
            group.resolve(|field| Location::Payload { job: job.clone(), field }, &mut places, &mut faults);
        }
        file.objects.resolve(Location::Object, &mut places, &mut faults);
        file.cookies.resolve(Location::Cookie, &mut places, &mut faults);
        file.logs.resolve(Location::Log, &mut places, &mut faults);
        file.metrics.resolve(Location::Metric, &mut places, &mut faults);
        file.mail.resolve(Location::Mail, &mut places, &mut faults);
        places.sort_by(|one, other| one.location.cmp(&other.location));
        let File { purposes, bases, retentions, classes, .. } = file;
        let map = Self { purposes, bases, retentions, classes, jobs, places, unlinked };
        map.check(&mut faults);
        if faults.is_empty() { Ok(map) } else { Err(Error::Incomplete(faults)) }
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
    fn resolve(self, location: impl Fn(String) -> Location, places: &mut Vec<Place>, faults: &mut Vec<String>) {
        let defaults = self.defaults;
        for (name, own) in self.holds {
            let location = location(name.clone());
            let Some(class) = own.class.or_else(|| defaults.class.clone()) else {
                faults.push(format!("{location} has no class"));
                continue;
            };
            let Some(subject) = own.subject.or(defaults.subject) else {
                faults.push(format!("{location} does not say whose it is"));
                continue;
            };
            places.push(Place {
                location,
                class,
                subject,
                purposes: own.purpose.or_else(|| defaults.purpose.clone()).unwrap_or_default(),
                basis: own.basis.or_else(|| defaults.basis.clone()),
                retention: own.retention.or_else(|| defaults.retention.clone()),
                export: own.export.or_else(|| defaults.export.clone()),
                export_name: own.name.unwrap_or(name),
                erase: own.erase.or_else(|| defaults.erase.clone()),
                rectify: own.rectify.or(defaults.rectify).unwrap_or(false),
                restrict: own.restrict.or(defaults.restrict),
                form: own.form.or(defaults.form).unwrap_or_default(),
                link: own.link,
            });
        }
    }
}
