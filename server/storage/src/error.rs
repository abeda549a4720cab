//! What can go wrong with stored objects.

/// An operation on the storage failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage URL cannot be used.
    #[error("{0}")]
    Url(String),
    /// The object store answered with an error.
    #[error("{operation} {key}")]
    Store {
        /// What was tried.
        operation: &'static str,
        /// On which object.
        key: String,
        /// Why it failed.
        #[source]
        source: object_store::Error,
    },
    /// The file system answered with an error.
    #[error("{operation} {key}")]
    File {
        /// What was tried.
        operation: &'static str,
        /// On which object.
        key: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn store(operation: &'static str, key: &str) -> impl FnOnce(object_store::Error) -> Self {
        let key = key.to_owned();
        move |source| Self::Store { operation, key, source }
    }

    pub(crate) fn file(operation: &'static str, key: &str) -> impl FnOnce(std::io::Error) -> Self {
        let key = key.to_owned();
        move |source| Self::File { operation, key, source }
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Store { source, .. } => matches!(source, object_store::Error::NotFound { .. }),
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Self::Url(_) => false,
        }
    }

    /// Whether the disk is full: writes are refused clearly until there is room again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::StorageFull) {
                return true;
            }
            source = error.source();
        }
        false
    }
}
