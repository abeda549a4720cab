//! Who may look at data whose person asked for restriction, and what for (Art. 18(2) GDPR).
//!
//! The one place that issues a warrant. Everybody else gets such a row closed, and whoever opens it says here why.

use persistence::sealed::Restricted;

/// Why a restricted row is opened: nothing else is a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The person looks at their own data or takes it along.
    OwnAccess,
    /// The person corrects it.
    OwnCorrection,
    /// The person is answered about their own request.
    OwnRequest,
    /// The person wants it erased.
    OwnErasure,
    /// A legal claim is made or defended.
    LegalClaim,
}

impl Purpose {
    /// For the counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnAccess => "own_access",
            Self::OwnCorrection => "own_correction",
            Self::OwnRequest => "own_request",
            Self::OwnErasure => "own_erasure",
            Self::LegalClaim => "legal_claim",
        }
    }
}

/// Opens a restricted row for a purpose the law knows.
///
/// Without it there is no way in: the crate of the warrant is in nobody else's manifest.
///
/// ```compile_fail
/// fn look(row: persistence::sealed::Restricted<String>) -> String {
///     row.open(&persistence::sealed::Warrant(()))
/// }
/// ```
/// ```
/// use privacy::restriction::{Purpose, open};
///
/// fn look(row: persistence::sealed::Restricted<String>) -> String {
///     open(row, Purpose::OwnAccess)
/// }
/// ```
pub fn open<T>(row: Restricted<T>, purpose: Purpose) -> T {
    // How often, and what for, over everybody: an operator can see that nobody looks without a reason.
    metrics::counter!("restricted_rows_opened_total", "purpose" => purpose.as_str()).increment(1);
    row.open(&warrant::issue())
}
