//! What a verb can answer besides its result: a refusal for the person, or a fault for us.

use domain::{Refusal, RefusalKind};

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a verb gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// "No", in words for the person.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something broke; the person gets a reference, we get the chain.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Something broke while doing `operation`.
#[derive(Debug, thiserror::Error)]
#[error("{operation}")]
pub struct Fault {
    /// The verb that broke, in words.
    pub operation: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Error {
    /// A fault during `operation`.
    pub fn fault(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(Fault { operation, source: source.into() })
    }

    /// The refusal, when it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Fault(_) => None,
        }
    }

    /// Whether somebody's state could not change because a mail to them is on its way.
    pub(crate) fn is_mail_under_way(&self) -> bool {
        let Self::Fault(fault) = self else { return false };
        let below = match fault.source.downcast_ref::<persistence::Error>() {
            Some(persistence::Error::Db { source, .. }) => Some(source),
            _ => fault.source.downcast_ref::<sea_orm::DbErr>(),
        };
        below.is_some_and(persistence::mails::is_under_way)
    }

    /// The refusal the person is shown. A fault is logged here, once, under the reference its sentence names.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Fault(fault) if fault.is_full() => {
                tracing::error!(error = chain(&fault), "the disk is full");
                Refusal::new(
                    RefusalKind::Full,
                    "The disk is full at the moment, so nothing could be saved. What you had is safe; please try again later.",
                )
            }
            Self::Fault(fault) => {
                let reference = hex::encode(crate::secrets::random::<4>());
                tracing::error!(reference, error = chain(&fault), "a request failed");
                let message = format!(
                    "Something went wrong on our side. Please try again; if it stays, tell us the reference {reference}."
                );
                Refusal::new(RefusalKind::Fault, message)
            }
        }
    }
}

impl Fault {
    fn is_full(&self) -> bool {
        self.source.downcast_ref::<storage::Error>().is_some_and(storage::Error::is_full)
    }
}

impl From<persistence::Error> for Error {
    fn from(error: persistence::Error) -> Self {
        Self::fault("use the database", error)
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::fault("query the database", error)
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        Self::fault("use the storage", error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::fault("read or write JSON", error)
    }
}

/// An error with its causes on one line, for logs. Some libraries repeat a cause in their own text; it is told once.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let told = cause.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let disk = std::io::Error::other("the disk is gone");
        let fault = Error::fault("keep the recording", std::io::Error::other(disk));
        assert_eq!(chain(&fault), "keep the recording: the disk is gone");
        assert_eq!(chain(&Error::from(Refusal::not_found())), Refusal::not_found().message);
    }
}
