//! What a visitor is offered: the next sessions in their own zone, and what was clicked is what is booked.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{
    JustInTime, LEAST_WAIT_SECONDS, MERGED_SECONDS, MOST_OFFERED, OFFERED_DAYS, Rule, Schedule, Shift, Zones,
    occurrences, resolve,
};
use crate::moment::Moment;

/// One session somebody can book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it starts.
    pub starts_at: Moment,
    /// The rule it comes from, by its place in the schedule.
    pub rule: usize,
    /// The zone its wall time was resolved in.
    pub zone: String,
    /// The time on the wall of that zone, as the rule says it.
    pub wall: DateTime,
    /// Whether it exists for this visitor's zone alone.
    pub floats: bool,
    /// What a change of the clocks did to it.
    pub shift: Option<Shift>,
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
    let mut slots: Vec<Slot> = Vec::new();
    for (place, rule) in schedule.rules.iter().enumerate() {
        match rule {
            Rule::Timed(timed) => {
                let found = occurrences(timed, viewer, &schedule.blackouts, zones, (from, until));
                let floats = timed.zone.is_none();
                let found = found
                    .filter(|found| !schedule.is_called_off(found.starts_at, floats.then_some(found.zone.as_str())));
                slots.extend(found.take(most).map(|found| Slot {
                    starts_at: found.starts_at,
                    rule: place,
                    zone: found.zone,
                    wall: found.wall,
                    floats: timed.zone.is_none(),
                    shift: found.shift,
                }));
            }
            Rule::JustInTime(rule) => {
                let zone = zones.zone(viewer);
                slots.extend(zone.and_then(|zone| next_boundary(*rule, &zone, now)).map(|(starts_at, wall)| Slot {
                    starts_at,
                    rule: place,
                    zone: viewer.to_owned(),
                    wall,
                    floats: true,
                    shift: None,
                }));
            }
        }
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
/// the one after when it is under two minutes away; within the opening hours.
#[must_use]
pub fn next_boundary(rule: JustInTime, zone: &TimeZone, now: Moment) -> Option<(Moment, DateTime)> {
    let mut from = now.plus_seconds(LEAST_WAIT_SECONDS);
    // Today, or one of the next days; a change of the clocks may take one boundary away.
    for _ in 0..4 {
        let (starts_at, wall) = rounded_up(from, zone, rule.every_minutes)?;
        let (opens, closes) = (rule.opens.on(wall.date()), rule.closes.on(wall.date()));
        if wall < opens {
            from = resolve(opens, zone)?.0;
        } else if wall > closes {
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
