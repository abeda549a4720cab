//! When a webinar takes place: the rules a coach sets, and the sessions they yield.
//!
//! A rule is wall time and a zone. The zone is either the rule's own, or the one of whoever looks (a floating rule).
//! Nothing here reads a clock; zones are handed in, because only the server carries their history.
//! Sources: product.md §4.1.

mod booked;
mod describe;
pub(crate) mod form;
mod occurrences;
mod offering;
mod single;

use serde::{Deserialize, Serialize};

use crate::closed_list;
use crate::moment::Moment;

pub use booked::{BookedSession, MAX_CHANGE_NOTE_CHARS, MoveForm, MovedTo};
pub use describe::{describe_rule, in_one_line, in_words, shift_text, wall_text};
pub use form::{MAX_BLACKOUTS, MAX_DATES, MAX_RULES, RuleForm, ScheduleForm, TickedDays, parse_dates};
pub use occurrences::{Occurrence, Shift, Zones, occurrences, resolve};
pub use offering::{Offered, Offering, Slot, next_boundary, offered};
pub use single::{CalledOff, Coming, ExtraDate, MAX_CHANGED_DATES, NoSessionName, SessionName};

closed_list! {
    /// A day of the week.
    Day {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

impl Day {
    /// The day a date falls on.
    #[must_use]
    pub fn of(date: jiff::civil::Date) -> Self {
        Self::ALL[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())]
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}

closed_list! {
    /// Which of a month's Tuesdays, say.
    Nth {
        /// The first.
        First = "first",
        /// The second.
        Second = "second",
        /// The third.
        Third = "third",
        /// The fourth.
        Fourth = "fourth",
        /// The last, be it the fourth or the fifth.
        Last = "last",
    }
}

closed_list! {
    /// How a rule repeats.
    RuleKind {
        /// Every day.
        Daily = "daily",
        /// Monday to Friday.
        Weekdays = "weekdays",
        /// On chosen days of every week.
        Weekly = "weekly",
        /// Every fourteen days from a day on.
        Fortnightly = "fortnightly",
        /// On a day of the month.
        MonthlyDate = "monthly_date",
        /// On the nth weekday of the month.
        MonthlyWeekday = "monthly_weekday",
        /// On these dates.
        Dates = "dates",
        /// Soon after whoever looks has come, on their own clock.
        JustInTime = "just_in_time",
    }
}

impl RuleKind {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Daily => "Every day",
            Self::Weekdays => "Monday to Friday",
            Self::Weekly => "Every week",
            Self::Fortnightly => "Every two weeks",
            Self::MonthlyDate => "Every month, by date",
            Self::MonthlyWeekday => "Every month, by weekday",
            Self::Dates => "On fixed dates",
            Self::JustInTime => "Just in time",
        }
    }
}

/// Minutes between two just-in-time sessions a coach can choose.
pub const JUST_IN_TIME_MINUTES: [u8; 5] = [5, 10, 15, 30, 60];
/// A just-in-time session is never closer than this: there is a form to fill.
pub const LEAST_WAIT_SECONDS: i64 = 120;
/// Sessions this close to each other are one.
pub const MERGED_SECONDS: i64 = 300;
/// How far ahead sessions are offered.
pub const OFFERED_DAYS: i64 = 14;
/// Most sessions offered at once.
pub const MOST_OFFERED: u8 = 10;

/// A time on the wall, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WallTime {
    hour: i8,
    minute: i8,
}

impl WallTime {
    /// Reads `18:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let number = |text: &str, most: i8| {
            let all_digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|value: &i8| all_digits && *value <= most)
        };
        Some(Self { hour: number(hour, 23)?, minute: number(minute, 59)? })
    }

    /// On the clock of a day.
    #[must_use]
    pub const fn on(self, date: jiff::civil::Date) -> jiff::civil::DateTime {
        date.at(self.hour, self.minute, 0, 0)
    }
}

impl TryFrom<String> for WallTime {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a time looks like 18:00")
    }
}

impl From<WallTime> for String {
    fn from(time: WallTime) -> Self {
        time.to_string()
    }
}

impl std::fmt::Display for WallTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// How a rule repeats, with what each way needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "repeats", rename_all = "snake_case")]
pub enum Repeats {
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// On these days of every week.
    Weekly {
        /// At least one.
        days: Vec<Day>,
    },
    /// Every fourteen days, counted from here in the rule's zone.
    Fortnightly {
        /// The first one; earlier days are none.
        anchor: jiff::civil::Date,
    },
    /// On this day of every month that has it.
    MonthlyDate {
        /// 1 to 31; a month without it is left out.
        day: i8,
    },
    /// On the nth of a weekday.
    MonthlyWeekday {
        /// Which.
        nth: Nth,
        /// Of which.
        day: Day,
    },
    /// On these dates alone.
    Dates {
        /// At least one, in order.
        dates: Vec<jiff::civil::Date>,
    },
}

impl Repeats {
    /// Whether a session falls on a date, as counted in the rule's zone.
    #[must_use]
    pub fn falls_on(&self, date: jiff::civil::Date) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekdays => !matches!(Day::of(date), Day::Saturday | Day::Sunday),
            Self::Weekly { days } => days.contains(&Day::of(date)),
            Self::Fortnightly { anchor } => date >= *anchor && days_between(*anchor, date) % 14 == 0,
            Self::MonthlyDate { day } => date.day() == *day,
            Self::MonthlyWeekday { nth, day } => Day::of(date) == *day && nth.holds(date),
            Self::Dates { dates } => dates.contains(&date),
        }
    }
}

impl Nth {
    fn holds(self, date: jiff::civil::Date) -> bool {
        let week = (date.day() - 1) / 7;
        match self {
            Self::First => week == 0,
            Self::Second => week == 1,
            Self::Third => week == 2,
            Self::Fourth => week == 3,
            Self::Last => date.day() + 7 > date.days_in_month(),
        }
    }
}

fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    (to.duration_since(from).as_hours()) / 24
}

/// A rule that yields sessions at fixed times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// How it repeats.
    #[serde(flatten)]
    pub repeats: Repeats,
    /// At what time of the day.
    pub at: WallTime,
    /// In which zone; in that of whoever looks without one.
    pub zone: Option<String>,
}

/// A rule that yields a session soon after whoever looks has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JustInTime {
    /// On the clock boundaries of so many minutes: one of [`JUST_IN_TIME_MINUTES`].
    pub every_minutes: u8,
    /// Not before this time on their own clock.
    pub opens: WallTime,
    /// The last one starts at this time at the latest.
    pub closes: WallTime,
}

/// Any rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rule {
    /// At fixed times.
    Timed(Timed),
    /// Just in time.
    JustInTime(JustInTime),
}

impl Rule {
    /// How it repeats.
    #[must_use]
    pub const fn kind(&self) -> RuleKind {
        match self {
            Self::JustInTime(_) => RuleKind::JustInTime,
            Self::Timed(timed) => match timed.repeats {
                Repeats::Daily => RuleKind::Daily,
                Repeats::Weekdays => RuleKind::Weekdays,
                Repeats::Weekly { .. } => RuleKind::Weekly,
                Repeats::Fortnightly { .. } => RuleKind::Fortnightly,
                Repeats::MonthlyDate { .. } => RuleKind::MonthlyDate,
                Repeats::MonthlyWeekday { .. } => RuleKind::MonthlyWeekday,
                Repeats::Dates { .. } => RuleKind::Dates,
            },
        }
    }
}

closed_list! {
    /// What happens to somebody who comes after the start.
    LateJoin {
        /// The recording starts for them from its beginning.
        FromTheStart = "from_the_start",
        /// They join where it is by now, and are told so.
        WhereItIs = "where_it_is",
    }
}

/// Everything a webinar's times depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// The rules, in the coach's order; each is stored by itself.
    #[serde(skip)]
    pub rules: Vec<Rule>,
    /// Whether the recording can be watched at once as well.
    pub on_demand: bool,
    /// Days on which nothing takes place, in each rule's own zone.
    pub blackouts: Vec<jiff::civil::Date>,
    /// Minutes before the start until which one can still register for a session.
    pub notice_minutes: u16,
    /// Minutes before the start at which the doors open.
    pub doors_minutes: u8,
    /// What happens to somebody who comes after the start.
    pub late_join: LateJoin,
    /// How many sessions a visitor is shown.
    pub shown: u8,
    /// Days after the session's end in which the recording can still be watched; 0 for none.
    pub replay_days: u16,
    /// Starts that are not offered any more, whatever the rules say: the coach called them off, or moved them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub called_off: Vec<CalledOff>,
    /// Dates that take place besides, whatever the rules and the days off say: sessions were moved to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<ExtraDate>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            on_demand: false,
            blackouts: Vec::new(),
            notice_minutes: 10,
            doors_minutes: 15,
            late_join: LateJoin::FromTheStart,
            shown: 3,
            replay_days: 7,
            called_off: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl Schedule {
    /// When the doors of a session open.
    #[must_use]
    pub const fn doors_open(&self, starts_at: Moment) -> Moment {
        starts_at.plus_seconds(-(self.doors_minutes as i64) * 60)
    }
}

/// A rule as the coach sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// Which.
    pub id: crate::ids::ScheduleRuleId,
    /// In a sentence.
    pub text: String,
}

/// One coming session as the coach sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewLine {
    /// When it starts.
    pub starts_at: Moment,
    /// In the zone she looks at.
    pub text: String,
    /// On the wall of the rule's own zone, where that is another one.
    pub own_text: Option<String>,
    /// What a change of the clocks did to it.
    pub note: Option<String>,
    /// People booked on it.
    pub booked: i64,
    /// How forms name it.
    pub name: String,
    /// Its time as the form to move it starts with; without a zone it is every visitor's own.
    pub form: MoveForm,
}

/// A single date that was changed by hand, as the coach sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDate {
    /// How forms name it.
    pub name: String,
    /// When.
    pub text: String,
    /// Whether it was called off; otherwise it takes place besides.
    pub is_off: bool,
}

/// Everything the page of times shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// The webinar's title.
    pub title: String,
    /// Whether the webinar takes place at set times.
    pub is_scheduled: bool,
    /// Its rules.
    pub rules: Vec<RuleView>,
    /// What goes for all of them.
    pub form: ScheduleForm,
    /// The zone of the preview.
    pub zone: String,
    /// Every zone there is.
    pub zones: Vec<String>,
    /// The next sessions; empty when there is none.
    pub next: Vec<PreviewLine>,
    /// Sessions to come with people on them.
    pub booked: Vec<BookedSession>,
    /// Single dates to come that were called off or added by hand.
    pub changed: Vec<ChangedDate>,
}

#[cfg(test)]
mod tests;
