//! From a rule to instants.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::Timed;
use crate::moment::Moment;

/// Where zones come from: the server has them all, each with its history.
pub trait Zones {
    /// The zone of an IANA name.
    fn zone(&self, name: &str) -> Option<TimeZone>;
}

/// What a change of the clocks did to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// The time does not exist on that day: it was moved forward by so many minutes.
    Forward(i64),
    /// The time exists twice on that day: the first of the two is meant.
    FirstOfTwo,
}

/// One session a rule yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// When it starts.
    pub starts_at: Moment,
    /// The time the rule says, on the wall of its zone.
    pub wall: DateTime,
    /// The zone it was resolved in.
    pub zone: String,
    /// What a change of the clocks did to it.
    pub shift: Option<Shift>,
}

/// A wall time as an instant: in a gap it moves forward by the length of the gap, in a fold the earlier one is taken.
/// Nothing at the very ends of time.
#[must_use]
pub fn resolve(wall: DateTime, zone: &TimeZone) -> Option<(Moment, Option<Shift>)> {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let shift = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { before, after } => {
            Some(Shift::Forward(i64::from(after.seconds() - before.seconds()) / 60))
        }
        AmbiguousOffset::Fold { .. } => Some(Shift::FirstOfTwo),
    };
    let starts_at = ambiguous.compatible().ok()?;
    Some((Moment::from_timestamp(starts_at), shift))
}

/// The sessions of a rule that start within `from` (inclusive) and `until` (exclusive), in order. `viewer` is the zone
/// of whoever looks, for a rule without one of its own. Without a known zone there are none.
pub fn occurrences<'a>(
    rule: &'a Timed,
    viewer: &'a str,
    blackouts: &'a [Date],
    zones: &impl Zones,
    (from, until): (Moment, Moment),
) -> impl Iterator<Item = Occurrence> + 'a {
    let name = rule.zone.as_deref().unwrap_or(viewer);
    let zone = zones.zone(name);
    // A gap may move a session into the next day, and zones differ by more than one.
    let day = |moment: Moment, days: i64| {
        let zone = zone.clone().unwrap_or(TimeZone::UTC);
        zone.to_datetime(moment.plus_days(days).timestamp()).date()
    };
    let (first, last) = (day(from, -2), day(until, 2));
    let days = first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last);
    let mut before = None;
    days.filter(move |date| rule.repeats.falls_on(*date) && !blackouts.contains(date)).filter_map(move |date| {
        let wall = rule.at.on(date);
        let (starts_at, shift) = resolve(wall, zone.as_ref()?)?;
        // A day the zone left out falls onto the next one, which has a session of its own.
        let is_new = before.is_none_or(|before| starts_at > before);
        before = Some(starts_at);
        (is_new && from <= starts_at && starts_at < until).then(|| Occurrence {
            starts_at,
            wall,
            zone: name.to_owned(),
            shift,
        })
    })
}
