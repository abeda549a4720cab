//! Rules and times in words.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Day, Nth, Repeats, Rule, Shift};
use crate::moment::{MONTHS, Moment};

/// A rule in one sentence, such as `Every week on Tuesday at 18:00 (Europe/Paris)`.
#[must_use]
pub fn describe_rule(rule: &Rule) -> String {
    let timed = match rule {
        Rule::JustInTime(rule) => {
            return format!(
                "Just in time, every {} minutes from {} to {} on the visitor’s own clock",
                rule.every_minutes, rule.opens, rule.closes
            );
        }
        Rule::Timed(timed) => timed,
    };
    let repeats = match &timed.repeats {
        Repeats::Daily => "Every day".to_owned(),
        Repeats::Weekdays => "Monday to Friday".to_owned(),
        Repeats::Weekly { days } => format!("Every week on {}", list(days.iter().map(|day| day.label().to_owned()))),
        Repeats::Fortnightly { anchor } => {
            format!("Every second {} from {anchor} on", Day::of(*anchor).label())
        }
        Repeats::MonthlyDate { day } => {
            let unless = if *day > 28 { " that has it" } else { "" };
            format!("On the {} of every month{unless}", ordinal(*day))
        }
        Repeats::MonthlyWeekday { nth, day } => format!("On the {} {} of every month", which(*nth), day.label()),
        Repeats::Dates { dates } if dates.len() > 4 => {
            format!("On {} dates, the first of them {}", dates.len(), dates[0])
        }
        Repeats::Dates { dates } => format!("On {}", list(dates.iter().map(ToString::to_string))),
    };
    match &timed.zone {
        Some(zone) => format!("{repeats} at {} ({zone})", timed.at),
        None => format!("{repeats} at {} in the visitor’s own zone", timed.at),
    }
}

const fn which(nth: Nth) -> &'static str {
    match nth {
        Nth::First => "first",
        Nth::Second => "second",
        Nth::Third => "third",
        Nth::Fourth => "fourth",
        Nth::Last => "last",
    }
}

fn ordinal(day: i8) -> String {
    let suffix = match (day % 10, day / 10) {
        (1, tens) if tens != 1 => "st",
        (2, tens) if tens != 1 => "nd",
        (3, tens) if tens != 1 => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What a change of the clocks did to a session, for people.
#[must_use]
pub fn shift_text(shift: Shift) -> String {
    match shift {
        Shift::Forward(minutes) => format!("The clocks go forward that day, so it starts {minutes} minutes later."),
        Shift::FirstOfTwo => {
            "The clocks go back that day and show this time twice; it starts the first time.".to_owned()
        }
    }
}

/// A time on a wall, such as `Tuesday, 1 December 2026, 18:00`.
#[must_use]
pub fn wall_text(wall: DateTime) -> String {
    let month = MONTHS[usize::from(wall.month().unsigned_abs()) - 1];
    format!(
        "{}, {} {month} {}, {:02}:{:02}",
        Day::of(wall.date()).label(),
        wall.day(),
        wall.year(),
        wall.hour(),
        wall.minute()
    )
}

/// A moment on the wall of a zone, and which zone that is: `Tuesday, 1 December 2026, 18:00` and
/// `CET, UTC+1, Europe/Paris` (its name with spaces, as people write it). `name` is the zone's.
#[must_use]
pub fn in_words(at: Moment, name: &str, zone: &TimeZone) -> (String, String) {
    let wall = zone.to_datetime(at.timestamp());
    let info = zone.to_offset_info(at.timestamp());
    let (hours, minutes) = (info.offset().seconds() / 3_600, info.offset().seconds().abs() / 60 % 60);
    let sign = if info.offset().seconds() < 0 { '\u{2212}' } else { '+' };
    let offset = match (info.offset().seconds(), minutes) {
        (0, _) => "UTC".to_owned(),
        (_, 0) => format!("UTC{sign}{}", hours.abs()),
        _ => format!("UTC{sign}{}:{minutes:02}", hours.abs()),
    };
    // Where a zone has no abbreviation, its history says the offset again.
    let short = info.abbreviation();
    let is_a_name = short.chars().all(char::is_alphabetic) && short != "UTC";
    let mut words = Vec::new();
    if is_a_name {
        words.push(short.to_owned());
    }
    words.push(offset);
    if name != "UTC" {
        words.push(name.replace('_', " "));
    }
    (wall_text(wall), words.join(", "))
}

/// [`in_words`] in one line: `Tuesday, 1 December 2026, 18:00 (CET, UTC+1, Europe/Paris)`.
#[must_use]
pub fn in_one_line(at: Moment, name: &str, zone: &TimeZone) -> String {
    let (text, zone_text) = in_words(at, name, zone);
    format!("{text} ({zone_text})")
}
