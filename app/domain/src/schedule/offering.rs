//! What a visitor is offered: the next sessions in their own zone, and what was clicked is what is booked.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{
    Coming, JustInTime, LEAST_WAIT_SECONDS, MERGED_SECONDS, MOST_OFFERED, OFFERED_DAYS, Occurrence, Rule, Schedule,
    Shift, Zones, resolve,
};
use crate::moment::Moment;

/// One session somebody can book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it starts.
    pub starts_at: Moment,
    /// The rule it comes from, by its place in the schedule; without one it is a single date.
    pub rule: Option<usize>,
    /// The zone its wall time was resolved in.
    pub zone: String,
    /// The time on the wall of that zone, as the rule says it.
    pub wall: DateTime,
    /// Whether it exists for this visitor's zone alone.
    pub floats: bool,
    /// What a change of the clocks did to it.
    pub shift: Option<Shift>,
}

impl From<Coming> for Slot {
    fn from(Coming { session, rule, floats }: Coming) -> Self {
        let Occurrence { starts_at, wall, zone, shift } = session;
        Self { starts_at, rule, zone, wall, floats, shift }
    }
}

/// What a visitor is offered.
pub type Offered = Vec<Slot>;

/// Who looks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Offering<'a> {
    /// The visitor's zone.
    pub viewer: &'a str,
    /// Now.
    pub now: Moment,
}

/// The next sessions of a schedule: those one can still come to, in order, close ones merged.
#[must_use]
pub fn offered(schedule: &Schedule, zones: &impl Zones, offering: Offering<'_>) -> Offered {
    let Offering { viewer, now } = offering;
    let from = now.plus_seconds(i64::from(schedule.notice_minutes) * 60);
    let until = now.plus_days(OFFERED_DAYS);
    let most = usize::from(schedule.shown.clamp(1, MOST_OFFERED));
    let set = schedule.coming(viewer, zones, (from, until), most);
    let mut slots: Vec<Slot> = set.into_iter().map(Slot::from).collect();
    for (place, rule) in schedule.rules.iter().enumerate() {
        let Rule::JustInTime(rule) = rule else { continue };
        let next = zones.zone(viewer).and_then(|zone| next_boundary(*rule, &zone, &schedule.blackouts, now));
        slots.extend(next.map(|(starts_at, wall)| Slot {
            starts_at,
            rule: Some(place),
            zone: viewer.to_owned(),
            wall,
            floats: true,
            shift: None,
        }));
    }
    slots.sort_by_key(|slot| (slot.starts_at, slot.rule));
    let mut last: Option<Moment> = None;
    slots.retain(|slot| {
        let is_apart = last.is_none_or(|last| slot.starts_at >= last.plus_seconds(MERGED_SECONDS));
        if is_apart {
            last = Some(slot.starts_at);
        }
        is_apart
    });
    slots.truncate(most);
    slots
}

/// The next just-in-time session on the wall clock of a zone, with the time the wall shows then: the next boundary, or
/// the one after when it is under two minutes away; within the opening hours, and not on a day off. Nothing where every
/// day is one for as long as sessions are offered.
#[must_use]
pub fn next_boundary(rule: JustInTime, zone: &TimeZone, blackouts: &[Date], now: Moment) -> Option<(Moment, DateTime)> {
    let mut from = now.plus_seconds(LEAST_WAIT_SECONDS);
    // Two looks a day, before and after opening; a change of the clocks may take one boundary away.
    for _ in 0..2 * OFFERED_DAYS + 4 {
        let (starts_at, wall) = rounded_up(from, zone, rule.every_minutes)?;
        let (opens, closes) = (rule.opens.on(wall.date()), rule.closes.on(wall.date()));
        let is_off = blackouts.contains(&wall.date());
        if starts_at >= now.plus_days(OFFERED_DAYS) {
            return None;
        } else if !is_off && wall < opens {
            from = resolve(opens, zone)?.0;
        } else if is_off || wall > closes {
            from = resolve(rule.opens.on(wall.date().tomorrow().ok()?), zone)?.0;
        } else {
            return Some((starts_at, wall));
        }
    }
    None
}

/// The first instant from here on at which the wall shows a multiple of so many minutes. Counted on from the instant,
/// so that neither an hour that comes twice nor one that is left out can lead back.
fn rounded_up(from: Moment, zone: &TimeZone, minutes: u8) -> Option<(Moment, DateTime)> {
    let step = i64::from(minutes.max(1)) * 60_000_000;
    let mut at = from;
    for _ in 0..3 {
        let wall = zone.to_datetime(at.timestamp());
        let since_midnight = wall.duration_since(wall.date().at(0, 0, 0, 0));
        let over = i64::try_from(since_midnight.as_micros()).ok()?.rem_euclid(step);
        if over == 0 {
            return Some((at, wall));
        }
        at = Moment(at.0.saturating_add(step - over));
    }
    None
}
