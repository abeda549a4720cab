//! What must not pass unnoticed. It says what happened and how much, never about whom.

use domain::ids::RequestId;
use domain::rights::count_bucket;

use crate::Backend;

/// Something an operator has to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A sweep after an erasure found data.
    SweepFoundData,
    /// A coach's deletion is not done on its 25th day.
    DeletionLate,
    /// A coach's deletion reached its hard stop and was begun whatever it waited for.
    DeletionForced,
}

impl Event {
    /// The stored word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SweepFoundData => "sweep_found_data",
            Self::DeletionLate => "deletion_late",
            Self::DeletionForced => "deletion_forced",
        }
    }
}

impl Backend {
    /// Notes an event: in the log, where alarms are set, and as a counter.
    pub(crate) fn note_event(&self, event: Event, request: RequestId, count: u64) {
        metrics::counter!("mw_rights_events_total", "kind" => event.as_str()).increment(1);
        tracing::error!(
            kind = event.as_str(),
            reference = %request,
            error = count_bucket(count),
            "a right needs somebody to look"
        );
    }
}
