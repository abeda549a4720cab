//! What a coach types about times, and what is wrong with it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Day, JUST_IN_TIME_MINUTES, JustInTime, LateJoin, MOST_OFFERED, Nth, Repeats, Rule, RuleKind, Schedule, Timed,
    WallTime,
};
use crate::refusal::Refusal;

/// Most rules of one webinar.
pub const MAX_RULES: usize = 20;
/// Most dates of one rule.
pub const MAX_DATES: usize = 100;
/// Most days on which nothing takes place.
pub const MAX_BLACKOUTS: usize = 400;

/// Days of the week as ticked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TickedDays {
    /// Ticked or not.
    pub monday: Option<String>,
    /// Ticked or not.
    pub tuesday: Option<String>,
    /// Ticked or not.
    pub wednesday: Option<String>,
    /// Ticked or not.
    pub thursday: Option<String>,
    /// Ticked or not.
    pub friday: Option<String>,
    /// Ticked or not.
    pub saturday: Option<String>,
    /// Ticked or not.
    pub sunday: Option<String>,
}

impl TickedDays {
    /// Whether a day is ticked.
    #[must_use]
    pub const fn has(&self, day: Day) -> bool {
        match day {
            Day::Monday => self.monday.is_some(),
            Day::Tuesday => self.tuesday.is_some(),
            Day::Wednesday => self.wednesday.is_some(),
            Day::Thursday => self.thursday.is_some(),
            Day::Friday => self.friday.is_some(),
            Day::Saturday => self.saturday.is_some(),
            Day::Sunday => self.sunday.is_some(),
        }
    }
}

/// One rule, as its form sends it. Fields of other kinds may be filled and are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleForm {
    /// A [`RuleKind`].
    pub kind: String,
    /// `18:00`
    pub at: String,
    /// An IANA zone; empty for the visitor's own.
    pub zone: String,
    /// For [`RuleKind::Weekly`].
    pub days: TickedDays,
    /// For [`RuleKind::Fortnightly`]: `2026-12-01`.
    pub anchor: String,
    /// For [`RuleKind::MonthlyDate`]: 1 to 31.
    pub month_day: String,
    /// For [`RuleKind::MonthlyWeekday`]: a [`Nth`].
    pub nth: String,
    /// For [`RuleKind::MonthlyWeekday`]: a [`Day`].
    pub nth_day: String,
    /// For [`RuleKind::Dates`]: one a line.
    pub dates: String,
    /// For [`RuleKind::JustInTime`].
    pub every_minutes: String,
    /// For [`RuleKind::JustInTime`].
    pub opens: String,
    /// For [`RuleKind::JustInTime`].
    pub closes: String,
}

impl RuleForm {
    /// The rule meant.
    ///
    /// # Errors
    /// Names the field that makes it impossible. `is_zone` knows which zones there are.
    pub fn parse(&self, is_zone: impl Fn(&str) -> bool) -> Result<Rule, Refusal> {
        let kind = RuleKind::from_stored(&self.kind)
            .ok_or_else(|| Refusal::field("kind", "Please choose how the sessions repeat."))?;
        if kind == RuleKind::JustInTime {
            return self.just_in_time().map(Rule::JustInTime);
        }
        let repeats = match kind {
            RuleKind::Daily => Repeats::Daily,
            RuleKind::Weekdays => Repeats::Weekdays,
            RuleKind::Weekly => {
                let days: Vec<Day> = Day::ALL.iter().copied().filter(|day| self.days.has(*day)).collect();
                if days.is_empty() {
                    return Err(Refusal::field("days", "Please tick at least one day of the week."));
                }
                Repeats::Weekly { days }
            }
            RuleKind::Fortnightly => Repeats::Fortnightly { anchor: date("anchor", &self.anchor)? },
            RuleKind::MonthlyDate => {
                let day = self.month_day.trim().parse().ok().filter(|day| (1..=31).contains(day));
                let day = day.ok_or_else(|| Refusal::field("month_day", "Please name a day of the month, 1 to 31."))?;
                Repeats::MonthlyDate { day }
            }
            RuleKind::MonthlyWeekday => Repeats::MonthlyWeekday {
                nth: Nth::from_stored(&self.nth)
                    .ok_or_else(|| Refusal::field("nth", "Please choose which one of the month."))?,
                day: Day::from_stored(&self.nth_day)
                    .ok_or_else(|| Refusal::field("nth_day", "Please choose a day of the week."))?,
            },
            RuleKind::Dates | RuleKind::JustInTime => {
                let dates = parse_dates("dates", &self.dates, MAX_DATES)?;
                if dates.is_empty() {
                    return Err(Refusal::field("dates", "Please name at least one date, such as 2026-12-01."));
                }
                Repeats::Dates { dates }
            }
        };
        let zone = Some(self.zone.trim()).filter(|zone| !zone.is_empty());
        if let Some(zone) = zone.filter(|zone| !is_zone(zone)) {
            let message = format!("We know no time zone called “{zone}”. Please choose one from the list.");
            return Err(Refusal::field("zone", message));
        }
        Ok(Rule::Timed(Timed { repeats, at: time("at", &self.at)?, zone: zone.map(str::to_owned) }))
    }

    fn just_in_time(&self) -> Result<JustInTime, Refusal> {
        let every_minutes = self.every_minutes.trim().parse().ok();
        let every_minutes = every_minutes
            .filter(|minutes| JUST_IN_TIME_MINUTES.contains(minutes))
            .ok_or_else(|| Refusal::field("every_minutes", "Please choose 5, 10, 15, 30 or 60 minutes."))?;
        let (opens, closes) = (time("opens", &self.opens)?, time("closes", &self.closes)?);
        if closes <= opens {
            return Err(Refusal::field("closes", "The last session has to start after the first one."));
        }
        Ok(JustInTime { every_minutes, opens, closes })
    }
}

impl From<&Rule> for RuleForm {
    fn from(rule: &Rule) -> Self {
        let kind = rule.kind().as_str().to_owned();
        let timed = match rule {
            Rule::JustInTime(rule) => {
                return Self {
                    kind,
                    every_minutes: rule.every_minutes.to_string(),
                    opens: rule.opens.to_string(),
                    closes: rule.closes.to_string(),
                    ..Self::default()
                };
            }
            Rule::Timed(timed) => timed,
        };
        let mut form =
            Self { kind, at: timed.at.to_string(), zone: timed.zone.clone().unwrap_or_default(), ..Self::default() };
        match &timed.repeats {
            Repeats::Daily | Repeats::Weekdays => {}
            Repeats::Weekly { days } => {
                let ticked = |day| days.contains(&day).then(|| "yes".to_owned());
                form.days = TickedDays {
                    monday: ticked(Day::Monday),
                    tuesday: ticked(Day::Tuesday),
                    wednesday: ticked(Day::Wednesday),
                    thursday: ticked(Day::Thursday),
                    friday: ticked(Day::Friday),
                    saturday: ticked(Day::Saturday),
                    sunday: ticked(Day::Sunday),
                };
            }
            Repeats::Fortnightly { anchor } => form.anchor = anchor.to_string(),
            Repeats::MonthlyDate { day } => form.month_day = day.to_string(),
            Repeats::MonthlyWeekday { nth, day } => {
                form.nth = nth.as_str().to_owned();
                form.nth_day = day.as_str().to_owned();
            }
            Repeats::Dates { dates } => form.dates = lines(dates),
        }
        form
    }
}

/// What goes for every rule of a webinar, as its form sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleForm {
    /// Ticked when the recording can be watched at once as well.
    pub on_demand: Option<String>,
    /// Days on which nothing takes place, one a line.
    pub blackouts: String,
    /// Minutes.
    pub notice_minutes: String,
    /// Minutes, 5 to 60.
    pub doors_minutes: String,
    /// A [`LateJoin`].
    pub late_join: String,
    /// 1 to [`MOST_OFFERED`].
    pub shown: String,
    /// Days, 0 to 365.
    pub replay_days: String,
}

impl ScheduleForm {
    /// The schedule meant, with the rules it has.
    ///
    /// # Errors
    /// Names the field that is not acceptable.
    pub fn parse(&self, rules: Vec<Rule>) -> Result<Schedule, Refusal> {
        Ok(Schedule {
            rules,
            on_demand: self.on_demand.is_some(),
            blackouts: parse_dates("blackouts", &self.blackouts, MAX_BLACKOUTS)?,
            notice_minutes: number("notice_minutes", &self.notice_minutes, 0, 7 * 24 * 60)?,
            doors_minutes: number("doors_minutes", &self.doors_minutes, 5, 60)?,
            late_join: LateJoin::from_stored(&self.late_join)
                .ok_or_else(|| Refusal::field("late_join", "Please choose what happens to people who come late."))?,
            shown: number("shown", &self.shown, 1, MOST_OFFERED)?,
            replay_days: number("replay_days", &self.replay_days, 0, 365)?,
            called_off: Vec::new(),
            extra: Vec::new(),
        })
    }
}

impl From<&Schedule> for ScheduleForm {
    fn from(schedule: &Schedule) -> Self {
        Self {
            on_demand: schedule.on_demand.then(|| "yes".to_owned()),
            blackouts: lines(&schedule.blackouts),
            notice_minutes: schedule.notice_minutes.to_string(),
            doors_minutes: schedule.doors_minutes.to_string(),
            late_join: schedule.late_join.as_str().to_owned(),
            shown: schedule.shown.to_string(),
            replay_days: schedule.replay_days.to_string(),
        }
    }
}

fn lines(dates: &[Date]) -> String {
    dates.iter().map(Date::to_string).collect::<Vec<_>>().join("\n")
}

fn number<T>(field: &str, text: &str, least: T, most: T) -> Result<T, Refusal>
where
    T: std::str::FromStr + PartialOrd + Copy + std::fmt::Display,
{
    let value = text.trim().parse().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| Refusal::field(field, format!("Please give a whole number from {least} to {most}.")))
}

pub(crate) fn time(field: &str, text: &str) -> Result<WallTime, Refusal> {
    WallTime::parse(text).ok_or_else(|| Refusal::field(field, "Please give a time such as 18:00."))
}

pub(crate) fn date(field: &str, text: &str) -> Result<Date, Refusal> {
    parse_date(text).ok_or_else(|| Refusal::field(field, "Please give a date such as 2026-12-01."))
}

fn parse_date(text: &str) -> Option<Date> {
    text.trim().parse().ok().filter(|date: &Date| (1970..=2200).contains(&date.year()))
}

/// Dates, one a line or parted by commas: sorted, each once.
///
/// # Errors
/// Quotes the first that is none; refuses more than `most`.
pub fn parse_dates(field: &str, text: &str, most: usize) -> Result<Vec<Date>, Refusal> {
    let mut dates = Vec::new();
    for part in text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty()) {
        let quoted: String = part.chars().take(40).collect();
        let date = parse_date(part)
            .ok_or_else(|| Refusal::field(field, format!("“{quoted}” is no date we know; 2026-12-01 is one.")))?;
        dates.push(date);
        if dates.len() > most {
            return Err(Refusal::field(field, format!("At most {most} dates, please.")));
        }
    }
    dates.sort_unstable();
    dates.dedup();
    Ok(dates)
}
