//! The eraser: carries a plan out, one target after the other. Each target is one step that can be repeated: what is
//! gone stays gone, and doing it again removes nothing and says so.

mod apart;
mod files;
mod held;
mod rows;

use std::path::PathBuf;

use domain::Moment;
use domain::ids::{CoachId, RequestId, SubjectId};
use persistence::Database;
use persistence::keyring::Keyring;
use sea_orm::{DatabaseBackend, DbErr, Statement, Value};
use serde::{Deserialize, Serialize};
use storage::Bucket;

pub use apart::hash_of;
pub use held::Hold;

use crate::map::{DataMap, Store};
use crate::plan::{Plan, Root};

/// A step of an erasure failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database answered with an error.
    #[error("erase rows")]
    Database(#[from] DbErr),
    /// The database or the keyring could not be used.
    #[error("erase rows or keys")]
    Persistence(#[from] persistence::Error),
    /// The storage answered with an error.
    #[error("erase objects")]
    Storage(#[from] storage::Error),
    /// A file could not be removed.
    #[error("erase files")]
    File(#[from] std::io::Error),
    /// A stored text is not what it should be.
    #[error("read a stored text")]
    Stored(#[from] serde_json::Error),
    /// There is no plan.
    #[error("plan an erasure")]
    Plan(#[from] crate::plan::Error),
    /// The map cannot be read.
    #[error("read the data map")]
    Map(#[from] crate::map::Error),
}

/// Everywhere a person's data sits. Cloning is cheap.
#[derive(Clone)]
pub struct Stores {
    /// The business database.
    pub database: Database,
    /// Keys.
    pub keyring: Keyring,
    /// Objects.
    pub bucket: Bucket,
    /// The folder that takes the place of a mail server, where one does.
    pub mailbox: Option<PathBuf>,
    /// Where tools write while they work.
    pub work: PathBuf,
}

/// Who is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// A coach with her account.
    Coach(CoachId),
    /// A viewer of one coach.
    Viewer(CoachId, SubjectId),
}

impl Person {
    /// From where the plan starts.
    #[must_use]
    pub const fn root(self) -> Root {
        match self {
            Self::Coach(_) => Root::Coach,
            Self::Viewer(..) => Root::Subject,
        }
    }

    /// The account, or the controller.
    #[must_use]
    pub const fn coach(self) -> CoachId {
        match self {
            Self::Coach(coach) | Self::Viewer(coach, _) => coach,
        }
    }

    /// The id of the person's own row.
    #[must_use]
    pub fn id(self) -> uuid::Uuid {
        match self {
            Self::Coach(coach) => coach.0,
            Self::Viewer(_, subject) => subject.0,
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The mark that keeps machines from bringing the person back: keyring first.
    Tombstone,
    /// Archives with their objects and keys.
    Archives,
    /// Jobs that name what goes.
    Jobs,
    /// Mail in the folder that takes the place of a mail server, and what tools left in the work folder.
    Files,
    /// Objects, whole or in parts.
    Objects,
    /// The keys of what is sealed.
    Keys,
    /// Rows of one table.
    Rows(String),
    /// Earlier requests: ended and emptied.
    Requests,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tombstone => formatter.write_str("tombstone"),
            Self::Archives => formatter.write_str("archives"),
            Self::Jobs => formatter.write_str("jobs"),
            Self::Files => formatter.write_str("files"),
            Self::Objects => formatter.write_str("objects"),
            Self::Keys => formatter.write_str("keys"),
            Self::Rows(table) => write!(formatter, "rows:{table}"),
            Self::Requests => formatter.write_str("requests"),
        }
    }
}

impl Target {
    /// From its written form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "tombstone" => Self::Tombstone,
            "archives" => Self::Archives,
            "jobs" => Self::Jobs,
            "files" => Self::Files,
            "objects" => Self::Objects,
            "keys" => Self::Keys,
            "requests" => Self::Requests,
            other => Self::Rows(other.strip_prefix("rows:")?.to_owned()),
        })
    }
}

/// What had to stay, why and until when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Retained {
    /// Which kind of data.
    pub class: String,
    /// On which ground of the closed list.
    pub ground: String,
    /// When it goes by itself.
    pub until: Option<Moment>,
}

/// What came of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows, objects, keys or files removed by this try.
    pub removed: u64,
    /// What had to stay.
    pub retained: Vec<Retained>,
}

impl Outcome {
    pub(crate) fn removed(removed: u64) -> Self {
        Self { removed, retained: Vec::new() }
    }
}

/// One person's erasure.
pub struct Erasure {
    stores: Stores,
    plan: Plan,
    map: DataMap,
    person: Person,
    request: RequestId,
    /// What must stay, at the moment of asking.
    holds: Vec<Hold>,
    /// With an account: where each of its viewers' data lies.
    viewers: Option<Plan>,
    /// Archives made later cannot have the person in them.
    archives_until: Option<Moment>,
    /// The person wants even the mark "do not write to me" forgotten.
    forgets_mark: bool,
    /// A step that is left out; only the proof that leaving one out is noticed does so.
    disabled: Option<Target>,
}

impl Erasure {
    /// Makes the plan of a person's erasure.
    ///
    /// # Errors
    /// When the map has no plan for her.
    pub fn new(stores: Stores, person: Person, request: RequestId) -> Result<Self, Error> {
        let map = DataMap::load()?;
        let plan = Plan::new(&map, person.root())?;
        let viewers = match person.root() {
            Root::Coach => Some(Plan::new(&map, Root::Subject)?),
            Root::Subject => None,
        };
        Ok(Self {
            stores,
            plan,
            map,
            person,
            request,
            holds: Vec::new(),
            viewers,
            archives_until: None,
            forgets_mark: false,
            disabled: None,
        })
    }

    /// With what must stay.
    #[must_use]
    pub fn holding(mut self, holds: Vec<Hold>) -> Self {
        self.holds = holds;
        self
    }

    /// With archives made after this left alone: by then everything was gone.
    #[must_use]
    pub const fn gone_since(mut self, gone: Option<Moment>) -> Self {
        self.archives_until = gone;
        self
    }

    /// Forgetting the mark "do not write to me" as well.
    #[must_use]
    pub fn forgetting_the_mark(mut self, forgets: bool) -> Self {
        self.forgets_mark = forgets;
        self
    }

    /// Leaving one step out: a proof of erasure is only worth something when this makes it fail.
    #[must_use]
    pub fn without(mut self, target: Option<Target>) -> Self {
        self.disabled = target;
        self
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Every step, in order: first what keeps the person from coming back, then what is found by the rows, then the
    /// keys, then the rows themselves, children first.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = vec![Target::Tombstone, Target::Archives, Target::Jobs, Target::Files];
        if !self.plan.objects.is_empty() {
            targets.push(Target::Objects);
        }
        targets.push(Target::Keys);
        targets.extend(self.plan.rows.iter().map(|rows| Target::Rows(rows.table.clone())));
        targets.push(Target::Requests);
        targets
    }

    /// Kinds of data a step concerns.
    #[must_use]
    pub fn classes_of(&self, target: &Target) -> Vec<String> {
        let class = match target {
            Target::Rows(table) => {
                let rows = self.plan.rows_of(table);
                let classes: std::collections::BTreeSet<_> =
                    rows.iter().flat_map(|rows| rows.classes.values().cloned()).collect();
                return classes.into_iter().collect();
            }
            Target::Tombstone => "suppression",
            Target::Archives => "archive",
            Target::Jobs => "work",
            Target::Files => "message",
            Target::Objects => "media",
            Target::Keys => "key",
            Target::Requests => "right",
        };
        vec![class.to_owned()]
    }

    /// Does one step.
    ///
    /// # Errors
    /// When a store fails; the step can be repeated.
    pub async fn erase(&self, target: &Target, now: Moment) -> Result<Outcome, Error> {
        if self.disabled.as_ref() == Some(target) {
            return Ok(Outcome::default());
        }
        match target {
            Target::Tombstone => self.bury(now).await,
            Target::Archives => self.erase_archives().await,
            Target::Jobs => self.erase_jobs().await,
            Target::Files => self.erase_files().await,
            Target::Objects => self.erase_objects().await,
            Target::Keys => self.erase_keys().await,
            Target::Rows(table) => self.erase_rows(table).await,
            Target::Requests => self.end_requests(now).await,
        }
    }

    /// Asks with the person's id as `$1`.
    fn ask(&self, backend: DatabaseBackend, sql: impl Into<String>) -> Statement {
        Statement::from_sql_and_values(backend, sql, [Value::from(self.person.id())])
    }

    fn database(&self, store: Store) -> &Database {
        match store {
            Store::Business => &self.stores.database,
            Store::Keyring => self.stores.keyring.database(),
        }
    }
}
