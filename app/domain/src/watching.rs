//! Watch measurement: which seconds of a recording a person has really played (product.md §4.3 and §4.4).
//!
//! A beat reports one played range of media time. A second counts when its midpoint lies in the range, so ranges
//! that touch neither overlap nor leave a gap, wherever they are cut. Percent and status come from unique seconds
//! only; link opens, seeking and waiting count for nothing.

use serde::{Deserialize, Serialize};

use crate::ids::ViewId;
use crate::moment::Moment;

/// Slack between a browser's play time and our wall clock, in seconds: one late timer and one slow network trip.
pub const BEAT_SLACK_SECONDS: f64 = 3.0;
/// Beats of one visit the server takes a minute, and as many at once (quality.md §4).
pub const BEATS_PER_MINUTE: u32 = 12;
/// Playback rates browsers offer.
pub const BEAT_RATES: std::ops::RangeInclusive<f64> = 0.25..=4.0;
/// Media players report up to this much past the container's duration.
const END_TOLERANCE_SECONDS: f64 = 1.0;
/// Play within this many seconds is "watching now".
pub const WATCHING_SECONDS: i64 = 60;
/// An on-demand registration is final this long after its last beat.
pub const FINAL_AFTER_SECONDS: i64 = 24 * 3600;
/// Somebody who came late to a session and plays nothing for this long has left it (product.md §4.4).
pub const IDLE_SECONDS: i64 = 600;

/// One report of played media time, as the browser sends it to `/api/beats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// The visit it belongs to.
    pub view: ViewId,
    /// Number within the visit; the server keeps the first of each.
    pub seq: u32,
    /// Media seconds.
    pub from: f64,
    /// Media seconds, after `from`.
    pub to: f64,
    /// Playback rate.
    pub rate: f64,
    /// Whether the page was hidden.
    #[serde(default)]
    pub hidden: bool,
    /// Whether the sound was off.
    #[serde(default)]
    pub muted: bool,
    /// Whether captions were showing.
    #[serde(default)]
    pub captions: bool,
}

/// Why a beat changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatFlaw {
    /// Not numbers, backwards, empty, or at a rate no player has.
    Malformed,
    /// Past the end of the recording.
    OutOfRange,
    /// More media time than wall time allows.
    TooFast,
}

impl BeatFlaw {
    /// In a sentence.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "A beat needs 0 ≤ from < to and a rate between 0.25 and 4.",
            Self::OutOfRange => "The range lies outside the recording.",
            Self::TooFast => "The range is longer than the time that has passed.",
        }
    }
}

/// A played range that may be credited, in media seconds within the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CreditedRange {
    /// Start.
    pub from: f64,
    /// End, after `from`.
    pub to: f64,
}

/// The clamp: what of a beat is believed.
///
/// `since_last_seconds` is the wall time since the last accepted beat of this view, or since the room was opened.
///
/// # Errors
/// A beat that is malformed, out of range or faster than time is rejected whole.
pub fn credit(beat: &Beat, duration_seconds: f64, since_last_seconds: f64) -> Result<CreditedRange, BeatFlaw> {
    let finite = beat.from.is_finite() && beat.to.is_finite() && beat.rate.is_finite();
    if !finite || beat.from < 0.0 || beat.to <= beat.from || !BEAT_RATES.contains(&beat.rate) {
        return Err(BeatFlaw::Malformed);
    }
    if beat.from >= duration_seconds || beat.to > duration_seconds + END_TOLERANCE_SECONDS {
        return Err(BeatFlaw::OutOfRange);
    }
    if beat.to - beat.from > since_last_seconds.max(0.0) * beat.rate + BEAT_SLACK_SECONDS {
        return Err(BeatFlaw::TooFast);
    }
    Ok(CreditedRange { from: beat.from, to: beat.to.min(duration_seconds) })
}

/// Number of whole-second cells of a recording; at least one.
#[must_use]
pub fn second_cells(duration_seconds: f64) -> usize {
    (duration_seconds.max(0.0).round() as usize).max(1)
}

/// Which seconds a person has played, one bit each: once, and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchMap {
    cells: usize,
    seen: Vec<u8>,
    again: Vec<u8>,
}

impl WatchMap {
    /// Nothing watched yet.
    #[must_use]
    pub fn empty(duration_seconds: f64) -> Self {
        let cells = second_cells(duration_seconds);
        let bytes = cells.div_ceil(8);
        Self { cells, seen: vec![0; bytes], again: vec![0; bytes] }
    }

    /// From the stored bits. Missing bytes read as "not seen", surplus ones are dropped.
    #[must_use]
    pub fn from_stored(duration_seconds: f64, seen: &[u8], again: &[u8]) -> Self {
        let mut map = Self::empty(duration_seconds);
        for (own, stored) in [(&mut map.seen, seen), (&mut map.again, again)] {
            let length = own.len().min(stored.len());
            own[..length].copy_from_slice(&stored[..length]);
            let surplus = own.len() * 8 - map.cells;
            if surplus > 0
                && let Some(last) = own.last_mut()
            {
                *last &= 0xFF >> surplus;
            }
        }
        map
    }

    /// The bits to store: seen, again. Bit `i % 8` (lowest first) of byte `i / 8` stands for second `i`.
    #[must_use]
    pub fn stored(&self) -> (&[u8], &[u8]) {
        (&self.seen, &self.again)
    }

    /// Marks a played range.
    pub fn mark(&mut self, range: CreditedRange) {
        let first = range.from.round() as usize;
        let end = (range.to.round() as usize).min(self.cells);
        for second in first..end {
            let (byte, bit) = (second / 8, 1u8 << (second % 8));
            if self.seen[byte] & bit == 0 {
                self.seen[byte] |= bit;
            } else {
                self.again[byte] |= bit;
            }
        }
    }

    /// Number of seconds of the recording.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// Number of different seconds played.
    #[must_use]
    pub fn unique_seconds(&self) -> u32 {
        self.seen.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Unique share in percent, 0 to 100.
    #[must_use]
    pub fn percent(&self) -> f64 {
        f64::from(self.unique_seconds()) * 100.0 / self.cells as f64
    }

    /// Whether second `index` was played, and whether again.
    #[must_use]
    pub fn at(&self, index: usize) -> (bool, bool) {
        let bit = |bits: &[u8]| bits.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0);
        (bit(&self.seen), bit(&self.again))
    }

    /// The map as a strip of at most `width` cells for a picture: 0 not seen, 1 seen, 2 seen again. A cell shows the
    /// state most of its seconds have; "again" wins a tie.
    #[must_use]
    pub fn strip(&self, width: usize) -> Vec<u8> {
        let width = width.clamp(1, self.cells);
        (0..width)
            .map(|cell| {
                let (start, end) =
                    (cell * self.cells / width, ((cell + 1) * self.cells / width).max(cell * self.cells / width + 1));
                let (mut none, mut once, mut twice) = (0, 0, 0);
                for second in start..end {
                    match self.at(second) {
                        (false, _) => none += 1,
                        (true, false) => once += 1,
                        (true, true) => twice += 1,
                    }
                }
                if twice >= once && twice >= none && twice > 0 {
                    2
                } else if once >= none {
                    1
                } else {
                    0
                }
            })
            .collect()
    }

    /// The played segments in xAPI's form: `0[.]12[,]30[.]95`.
    #[must_use]
    pub fn xapi_segments(&self) -> String {
        let mut segments = Vec::new();
        let mut start = None;
        for second in 0..=self.cells {
            match (second < self.cells && self.at(second).0, start) {
                (true, None) => start = Some(second),
                (false, Some(from)) => {
                    segments.push(format!("{from}[.]{second}"));
                    start = None;
                }
                _ => {}
            }
        }
        segments.join("[,]")
    }
}

/// What became of a registration (product.md §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// Booked; nothing watched past the floor yet.
    Registered,
    /// Playing within the last minute.
    Watching,
    /// Unique share at or above the end threshold.
    AttendedToEnd,
    /// Past the floor, below the end threshold.
    LeftEarly,
    /// Below the floor when it was finalised.
    Missed,
}

impl Attendance {
    /// Every status, in the order of a funnel.
    pub const ALL: [Self; 5] = [Self::Registered, Self::Watching, Self::AttendedToEnd, Self::LeftEarly, Self::Missed];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Watching => "watching",
            Self::AttendedToEnd => "attended_to_end",
            Self::LeftEarly => "left_early",
            Self::Missed => "missed",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Watching => "Watching now",
            Self::AttendedToEnd => "Attended to end",
            Self::LeftEarly => "Left early",
            Self::Missed => "Missed",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// The two thresholds a coach may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Unique percent that counts as "to the end".
    pub end_percent: i32,
    /// Unique seconds that count as attending at all; a tenth of a recording shorter than ten times this.
    pub floor_seconds: i32,
}

impl Thresholds {
    /// The floor for a recording of this length, in unique seconds.
    #[must_use]
    pub fn floor_for(self, duration_seconds: f64) -> f64 {
        f64::from(self.floor_seconds).min(duration_seconds / 10.0)
    }

    /// Whether so many unique seconds count as attending.
    #[must_use]
    pub fn attended(self, unique_seconds: u32, duration_seconds: f64) -> bool {
        unique_seconds > 0 && f64::from(unique_seconds) >= self.floor_for(duration_seconds)
    }

    /// Whether so many unique seconds count as attending to the end.
    #[must_use]
    pub fn to_end(self, unique_seconds: u32, duration_seconds: f64) -> bool {
        unique_seconds > 0
            && f64::from(unique_seconds) * 100.0 >= f64::from(self.end_percent) * second_cells(duration_seconds) as f64
    }
}

/// What is known of one registration's watching.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// Unique seconds.
    pub unique_seconds: u32,
    /// When play was last credited.
    pub last_credit_at: Option<Moment>,
    /// Whether the outcome was made final.
    pub finalised: bool,
}

/// The status to show at `now`.
#[must_use]
pub fn attendance(watched: &Watched, duration_seconds: f64, thresholds: Thresholds, now: Moment) -> Attendance {
    let playing = watched.last_credit_at.is_some_and(|at| now < at.plus_seconds(WATCHING_SECONDS));
    if playing { Attendance::Watching } else { outcome(watched, duration_seconds, thresholds) }
}

/// The status apart from whether somebody is watching this minute: what is logged, filtered and finalised.
#[must_use]
pub fn outcome(watched: &Watched, duration_seconds: f64, thresholds: Thresholds) -> Attendance {
    if thresholds.to_end(watched.unique_seconds, duration_seconds) {
        Attendance::AttendedToEnd
    } else if thresholds.attended(watched.unique_seconds, duration_seconds) {
        Attendance::LeftEarly
    } else if watched.finalised {
        Attendance::Missed
    } else {
        Attendance::Registered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn beat(from: f64, to: f64, rate: f64) -> Beat {
        Beat { view: ViewId(uuid::Uuid::nil()), seq: 1, from, to, rate, hidden: false, muted: false, captions: false }
    }

    #[test]
    fn a_beat_longer_than_the_wall_time_is_rejected() {
        assert!(credit(&beat(0.0, 10.0, 1.0), 3600.0, 10.0).is_ok());
        assert!(credit(&beat(0.0, 13.0, 1.0), 3600.0, 10.0).is_ok());
        assert_eq!(credit(&beat(0.0, 13.1, 1.0), 3600.0, 10.0), Err(BeatFlaw::TooFast));
        assert!(credit(&beat(0.0, 20.0, 2.0), 3600.0, 10.0).is_ok());
        assert_eq!(credit(&beat(0.0, 3600.0, 1.0), 3600.0, 0.0), Err(BeatFlaw::TooFast));
    }

    #[test]
    fn impossible_numbers_are_rejected() {
        for (from, to, rate) in [
            (-1.0, 5.0, 1.0),
            (5.0, 5.0, 1.0),
            (6.0, 5.0, 1.0),
            (f64::NAN, 5.0, 1.0),
            (0.0, f64::INFINITY, 1.0),
            (0.0, 5.0, 0.0),
            (0.0, 5.0, -1.0),
            (0.0, 5.0, 16.0),
        ] {
            assert_eq!(credit(&beat(from, to, rate), 60.0, 1000.0), Err(BeatFlaw::Malformed), "{from} {to} {rate}");
        }
        assert_eq!(credit(&beat(60.0, 60.5, 1.0), 60.0, 1000.0), Err(BeatFlaw::OutOfRange));
        assert_eq!(credit(&beat(50.0, 70.0, 1.0), 60.0, 1000.0), Err(BeatFlaw::OutOfRange));
        assert_eq!(credit(&beat(50.0, 60.7, 1.0), 60.0, 1000.0), Ok(CreditedRange { from: 50.0, to: 60.0 }));
    }

    #[test]
    fn rewinding_counts_once_for_unique_and_again_for_effort() {
        let mut map = WatchMap::empty(3600.0);
        map.mark(CreditedRange { from: 0.0, to: 1200.0 });
        map.mark(CreditedRange { from: 600.0, to: 1200.0 });
        assert_eq!(map.unique_seconds(), 1200);
        assert_eq!(map.at(599), (true, false));
        assert_eq!(map.at(600), (true, true));
        assert_eq!(map.at(1200), (false, false));
        assert_eq!(map.xapi_segments(), "0[.]1200");
    }

    #[test]
    fn the_whole_of_a_recording_is_one_hundred_percent() {
        for duration in [0.4, 1.0, 59.4, 59.5, 60.0, 5400.9] {
            let mut map = WatchMap::empty(duration);
            map.mark(CreditedRange { from: 0.0, to: duration.max(0.5) });
            assert!((map.percent() - 100.0).abs() < f64::EPSILON, "{duration}");
        }
    }

    #[test]
    fn statuses_follow_the_table() {
        let thresholds = Thresholds { end_percent: 95, floor_seconds: 60 };
        let now = Moment::from_unix_seconds(1_000_000);
        let status = |unique, ago: Option<i64>, finalised| {
            let watched =
                Watched { unique_seconds: unique, last_credit_at: ago.map(|s| now.plus_seconds(-s)), finalised };
            attendance(&watched, 3600.0, thresholds, now)
        };
        assert_eq!(status(0, None, false), Attendance::Registered);
        assert_eq!(status(0, None, true), Attendance::Missed);
        assert_eq!(status(30, Some(59), false), Attendance::Watching);
        assert_eq!(status(59, Some(60), false), Attendance::Registered);
        assert_eq!(status(60, Some(60), false), Attendance::LeftEarly);
        assert_eq!(status(3419, Some(600), true), Attendance::LeftEarly);
        assert_eq!(status(3420, Some(600), false), Attendance::AttendedToEnd);
        // A short recording: a tenth of it is the floor.
        assert!(thresholds.attended(3, 30.0));
        assert!(!thresholds.attended(2, 30.0));
        assert!(!thresholds.attended(0, 0.5));
    }

    proptest! {
        #[test]
        fn cutting_a_range_anywhere_changes_nothing(duration in 1.0f64..8000.0, a in 0.0f64..1.0, b in 0.0f64..1.0, cut in 0.0f64..1.0) {
            let (from, to) = (a.min(b) * duration, a.max(b) * duration);
            let middle = from + (to - from) * cut;
            let mut whole = WatchMap::empty(duration);
            whole.mark(CreditedRange { from, to });
            let mut parts = WatchMap::empty(duration);
            parts.mark(CreditedRange { from, to: middle });
            parts.mark(CreditedRange { from: middle, to });
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn a_map_survives_storage(duration in 1.0f64..4000.0, ranges in prop::collection::vec((0.0f64..1.0, 0.0f64..1.0), 0..8)) {
            let mut map = WatchMap::empty(duration);
            for (a, b) in ranges {
                map.mark(CreditedRange { from: a.min(b) * duration, to: a.max(b) * duration });
            }
            let (seen, again) = map.stored();
            prop_assert_eq!(&WatchMap::from_stored(duration, seen, again), &map);
            prop_assert!(map.unique_seconds() as usize <= map.cells());
            prop_assert!(again.iter().zip(seen).all(|(a, s)| a & !s == 0));
            prop_assert_eq!(map.strip(100).len(), map.cells().min(100));
        }

        #[test]
        fn no_beat_ever_credits_more_than_time_allows(from in -10.0f64..4000.0, length in -10.0f64..4000.0, rate in 0.0f64..20.0, since in -5.0f64..4000.0) {
            if let Ok(range) = credit(&beat(from, from + length, rate), 3600.0, since) {
                prop_assert!(range.from >= 0.0 && range.from < range.to && range.to <= 3600.0);
                prop_assert!(range.to - range.from <= since.max(0.0) * 4.0 + BEAT_SLACK_SECONDS + 1e-9);
            }
        }
    }
}
