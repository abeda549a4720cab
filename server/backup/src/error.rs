//! What can go wrong with backups, in sentences for whoever runs the installation.

use persistence::dump::Engine;

/// Something about a backup went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place of the backups answered with an error, or the one of the recordings did.
    #[error("the storage failed: {0}")]
    Storage(#[from] storage::Error),
    /// A database answered with an error.
    #[error("a database failed: {0}")]
    Database(#[from] persistence::Error),
    /// A file of this machine cannot be used.
    #[error("{0}")]
    File(&'static str, #[source] std::io::Error),
    /// Something that was written by us does not read as that.
    #[error("{0} cannot be read")]
    Json(&'static str, #[source] serde_json::Error),
    /// Sealed with another key than the one given.
    #[error("{0} was sealed with another key; expected in MW_BACKUP_KEY the one it was made with")]
    AnotherKey(String),
    /// Changed, cut off, or no such file at all.
    #[error("{0} was changed or cut off since it was written, and cannot be trusted")]
    Broken(String),
    /// A deletion would leave the object's older versions behind.
    #[error(
        "the storage of the backups keeps old versions of objects, so nothing in it could be removed for good; expected a bucket without versioning"
    )]
    KeepsVersions,
    /// There is no such backup.
    #[error("there is no backup {0}")]
    NotFound(String),
    /// Nothing has been backed up yet.
    #[error("there is no backup yet")]
    None,
    /// It is restored into an empty instance only.
    #[error("{0} is not empty; a backup is restored into an empty instance only")]
    NotEmpty(&'static str),
    /// Somebody is served from it at this moment.
    #[error("a server is running on this database; stop it before a backup is restored")]
    InUse,
    /// Another process makes a backup, or removes some.
    #[error("another backup is being made at the moment")]
    Busy,
    /// It was made of another kind of database.
    #[error("the backup is of {made_of}, and the database here is {here}")]
    Engine {
        /// What it was made of.
        made_of: Engine,
        /// What is here.
        here: Engine,
    },
    /// It was made by a newer version of this program.
    #[error("the backup was made by a newer version, which knows the migration {0}")]
    Newer(String),
    /// The database here is further than the backup.
    #[error("the database here has migrations the backup does not know; expected one that was just made")]
    Further,
    /// Recordings that a backup names and that are not there.
    #[error("{} recordings are missing in the backup, the first of them {}", .0.len(), .0.first().map_or("", String::as_str))]
    MediaMissing(Vec<String>),
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// As the storage's own error, for what is streamed into it.
    pub(crate) fn into_storage(self, key: &str) -> storage::Error {
        storage::Error::File { operation: "take bytes for", key: key.to_owned(), source: std::io::Error::other(self) }
    }
}
