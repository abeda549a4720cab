//! "No" as data: why a request was not done, in a sentence a person can read, with the field it concerns.

use serde::{Deserialize, Serialize};

/// What kind of "no": decides the HTTP status and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// What was sent is not acceptable as it stands (422).
    Invalid,
    /// Nobody is signed in, or a second factor is still missing (401).
    SignInNeeded,
    /// The person is known and may not (403).
    NotAllowed,
    /// There is nothing here, or it is somebody else's: both answer alike (404).
    NotFound,
    /// It clashes with what is stored (409).
    Conflict,
    /// It was here and is over (410).
    Gone,
    /// Larger than allowed (413).
    TooLarge,
    /// Not a kind of content we can use (415).
    WrongKind,
    /// Too often; try again after `retry_after_seconds` (429).
    TooOften,
    /// Something else has to end first; it is worth trying again in a minute (503).
    Busy,
    /// Something broke on our side; the message names the reference it was logged under (500).
    Fault,
    /// There is no room left to keep it in (507).
    Full,
}

/// A refusal, shown to the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Decides the status.
    pub kind: RefusalKind,
    /// The form field it concerns, by the name the form uses.
    pub field: Option<String>,
    /// What happened, what was kept, what to do.
    pub message: String,
    /// For [`RefusalKind::TooOften`]: when it is worth trying again.
    pub retry_after_seconds: Option<u32>,
}

impl Refusal {
    /// A refusal without a field.
    #[must_use]
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, field: None, message: message.into(), retry_after_seconds: None }
    }

    /// One field of a form is not acceptable.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(RefusalKind::Invalid, message) }
    }

    /// The answer for both "missing" and "somebody else's".
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(RefusalKind::NotFound, "There is nothing at this address. It may have been moved or removed.")
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn sign_in() -> Self {
        Self::new(RefusalKind::SignInNeeded, "Please sign in to go on. Nothing you typed was sent.")
    }

    /// Too often; try again after so many seconds.
    #[must_use]
    pub fn too_often(retry_after_seconds: u32) -> Self {
        let wait = if retry_after_seconds < 90 {
            "a minute".to_owned()
        } else {
            format!("{} minutes", retry_after_seconds.div_ceil(60))
        };
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(RefusalKind::TooOften, format!("That was tried too often. Please wait {wait} and try again."))
        }
    }

    /// The HTTP status this refusal answers with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            RefusalKind::Invalid => 422,
            RefusalKind::SignInNeeded => 401,
            RefusalKind::NotAllowed => 403,
            RefusalKind::NotFound => 404,
            RefusalKind::Conflict => 409,
            RefusalKind::Gone => 410,
            RefusalKind::TooLarge => 413,
            RefusalKind::WrongKind => 415,
            RefusalKind::TooOften => 429,
            RefusalKind::Busy => 503,
            RefusalKind::Fault => 500,
            RefusalKind::Full => 507,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
