//! Single dates a coach changed by hand: what a rule yields and does not take place, and what takes place besides.
//!
//! Rules stay as they are; each change is listed, and can be taken back. A session is named by its start until somebody
//! books it, because only then is there a row of it (product.md §4.1).

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{MovedTo, Occurrence, Repeats, Rule, Schedule, Timed, WallTime, Zones, occurrences};
use crate::ids::SessionId;
use crate::moment::Moment;

/// Most single dates of a webinar that are off or on by hand.
pub const MAX_CHANGED_DATES: usize = 400;
/// Days for which a time on every wall of the world may still be to come somewhere.
const AROUND_THE_WORLD_DAYS: i64 = 2;

/// A start that is not offered any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledOff {
    /// When it would have started.
    pub starts_at: Moment,
    /// The zone it would have started in, where a rule without a zone of its own made it for that one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What every wall would have shown, where a rule without a zone of its own is off for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<DateTime>,
}

impl CalledOff {
    /// Whether it would still be to come.
    #[must_use]
    pub fn is_ahead(&self, now: Moment) -> bool {
        let days = if self.wall.is_some() { AROUND_THE_WORLD_DAYS } else { 0 };
        self.starts_at.plus_days(days) > now
    }

    /// Whether a date that is named anew is this one.
    #[must_use]
    pub fn is_undone_by(&self, starts_at: Moment, date: &ExtraDate) -> bool {
        match (self.wall, &date.zone) {
            (Some(wall), None) => wall == date.wall(),
            (None, Some(_)) => self.zone.is_none() && self.starts_at == starts_at,
            _ => false,
        }
    }

    /// As forms name it.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.wall, &self.zone) {
            (Some(wall), _) => wall.to_string(),
            (None, zone) => SessionName::Yielded { starts_at: self.starts_at, zone: zone.clone() }.to_string(),
        }
    }
}

/// A date that takes place whatever the rules say, on a day off as well: a session was moved to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraDate {
    /// The day.
    pub date: Date,
    /// The time on the wall.
    pub at: WallTime,
    /// In which zone; in that of whoever looks without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl ExtraDate {
    /// Where a session was moved to; `floats`: for everybody on their own wall.
    #[must_use]
    pub fn of(to: &MovedTo, floats: bool) -> Self {
        let zone = (!floats).then(|| to.zone.clone());
        Self { date: to.wall.date(), at: WallTime { hour: to.wall.hour(), minute: to.wall.minute() }, zone }
    }

    /// Whether it may still be to come for somebody.
    #[must_use]
    pub fn is_ahead(&self, now: Moment) -> bool {
        let long_ago = TimeZone::UTC.to_datetime(now.plus_days(-AROUND_THE_WORLD_DAYS).timestamp());
        self.wall() > long_ago
    }

    /// What the wall shows.
    #[must_use]
    pub const fn wall(&self) -> DateTime {
        self.at.on(self.date)
    }

    /// As forms name it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{}@{zone}", self.wall()),
            None => self.wall().to_string(),
        }
    }

    fn timed(&self) -> Timed {
        Timed { repeats: Repeats::Dates { dates: vec![self.date] }, at: self.at, zone: self.zone.clone() }
    }
}

/// A session to come, as a form of its coach names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionName {
    /// Somebody has booked it.
    Booked(SessionId),
    /// A rule yields it.
    Yielded {
        /// When it starts.
        starts_at: Moment,
        /// The zone it was seen in, where it starts at this time in every zone by itself.
        zone: Option<String>,
    },
}

impl fmt::Display for SessionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Booked(id) => write!(formatter, "{id}"),
            Self::Yielded { starts_at, zone: None } => formatter.write_str(&starts_at.rfc3339()),
            Self::Yielded { starts_at, zone: Some(zone) } => write!(formatter, "{}@{zone}", starts_at.rfc3339()),
        }
    }
}

/// A text that names no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSessionName;

impl FromStr for SessionName {
    type Err = NoSessionName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Booked(id));
        }
        let (start, zone) = match text.split_once('@') {
            Some((start, zone)) => (start, Some(zone.to_owned())),
            None => (text, None),
        };
        let starts_at = Moment::parse(start).ok_or(NoSessionName)?;
        Ok(Self::Yielded { starts_at, zone })
    }
}

/// A session at a set time that a schedule yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// When it starts, and what every clock says.
    pub session: Occurrence,
    /// The rule it comes from, by its place in the schedule; without one it is a single date.
    pub rule: Option<usize>,
    /// Whether it exists for this zone alone.
    pub floats: bool,
}

impl Schedule {
    /// Whether a start was called off. `floating` is the zone it exists for alone, and what its wall shows.
    #[must_use]
    pub fn is_called_off(&self, starts_at: Moment, floating: Option<(&str, DateTime)>) -> bool {
        self.called_off.iter().any(|off| match (off.wall, floating) {
            (Some(wall), Some((_, shown))) => wall == shown,
            (Some(_), None) => false,
            (None, _) => off.starts_at == starts_at && off.zone.as_deref() == floating.map(|(zone, _)| zone),
        })
    }

    /// The sessions at set times that start within `from` (inclusive) and `until` (exclusive), as somebody in `viewer`
    /// meets them, in order: what the rules yield and what was added by hand, without what was called off. At most so
    /// many of each rule.
    #[must_use]
    pub fn coming(&self, viewer: &str, zones: &impl Zones, span: (Moment, Moment), most: usize) -> Vec<Coming> {
        let mut all = Vec::new();
        let mut add = |timed: &Timed, rule: Option<usize>, blackouts: &[Date]| {
            let floats = timed.zone.is_none();
            let takes_place =
                |one: &Occurrence| !self.is_called_off(one.starts_at, floats.then_some((one.zone.as_str(), one.wall)));
            let found = occurrences(timed, viewer, blackouts, zones, span).filter(takes_place).take(most);
            all.extend(found.map(|session| Coming { session, rule, floats }));
        };
        for (place, rule) in self.rules.iter().enumerate() {
            if let Rule::Timed(timed) = rule {
                add(timed, Some(place), &self.blackouts);
            }
        }
        for date in &self.extra {
            add(&date.timed(), None, &[]);
        }
        all.sort_by_key(|one| (one.session.starts_at, one.rule));
        all
    }
}
