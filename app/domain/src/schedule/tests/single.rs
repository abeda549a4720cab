//! Single dates that are off or on by hand.

use super::*;

fn daily(zone: Option<&str>) -> Rule {
    Rule::Timed(Timed { repeats: Repeats::Daily, at: time("18:00"), zone: zone.map(str::to_owned) })
}

fn off(starts_at: &str) -> CalledOff {
    CalledOff { starts_at: at(starts_at), zone: None, wall: None }
}

fn extra(day: Date, text: &str, zone: Option<&str>) -> ExtraDate {
    ExtraDate { date: day, at: time(text), zone: zone.map(str::to_owned) }
}

fn starts(schedule: &Schedule, viewer: &str) -> Vec<String> {
    let now = at("2026-12-01T12:00:00Z");
    offered(schedule, &Bundled, Offering { viewer, now }).iter().map(|slot| slot.starts_at.rfc3339()).collect()
}

#[test]
fn a_date_that_was_moved_takes_place_on_a_day_off_and_beside_any_number_of_rules() {
    let mut schedule = Schedule {
        rules: vec![daily(Some("UTC")); MAX_RULES],
        blackouts: vec![date(2026, 12, 2), date(2026, 12, 3)],
        called_off: vec![off("2026-12-01T18:00:00Z")],
        ..Schedule::default()
    };
    assert_eq!(starts(&schedule, "UTC"), ["2026-12-04T18:00:00Z", "2026-12-05T18:00:00Z", "2026-12-06T18:00:00Z"]);
    schedule.extra = vec![extra(date(2026, 12, 2), "09:30", Some("Europe/Paris"))];
    let with_it = ["2026-12-02T08:30:00Z", "2026-12-04T18:00:00Z", "2026-12-05T18:00:00Z"];
    assert_eq!(starts(&schedule, "America/New_York"), with_it);
    // It can be called off like any other, and comes back with that.
    schedule.called_off.push(off("2026-12-02T08:30:00Z"));
    assert_eq!(starts(&schedule, "UTC")[0], "2026-12-04T18:00:00Z");
}

#[test]
fn everybodys_own_evening_is_off_and_moved_in_every_zone() {
    let evening = date(2026, 12, 2).at(18, 0, 0, 0);
    let schedule = Schedule {
        rules: vec![daily(None)],
        called_off: vec![CalledOff { wall: Some(evening), ..off("2026-12-02T17:00:00Z") }],
        extra: vec![extra(date(2026, 12, 2), "20:00", None)],
        shown: 2,
        ..Schedule::default()
    };
    assert_eq!(starts(&schedule, "Europe/Paris"), ["2026-12-01T17:00:00Z", "2026-12-02T19:00:00Z"]);
    assert_eq!(starts(&schedule, "America/New_York"), ["2026-12-01T23:00:00Z", "2026-12-03T01:00:00Z"]);
    // Where a rule has a zone of its own, the same wall is another session.
    let fixed = Schedule { rules: vec![daily(Some("UTC"))], extra: Vec::new(), ..schedule };
    assert_eq!(starts(&fixed, "UTC"), ["2026-12-01T18:00:00Z", "2026-12-02T18:00:00Z"]);
}

#[test]
fn what_was_off_for_one_zone_stays_off_for_that_one_alone() {
    let paris = CalledOff { zone: Some("Europe/Paris".to_owned()), ..off("2026-12-01T17:00:00Z") };
    let schedule = Schedule { rules: vec![daily(None)], called_off: vec![paris], shown: 1, ..Schedule::default() };
    assert_eq!(starts(&schedule, "Europe/Paris"), ["2026-12-02T17:00:00Z"]);
    // Berlin shows the same time at the same moment.
    assert_eq!(starts(&schedule, "Europe/Berlin"), ["2026-12-01T17:00:00Z"]);
}

#[test]
fn names_are_read_as_they_are_written_and_settings_of_yesterday_still_are() {
    let id: crate::ids::SessionId = "0190a0b0-0000-7000-8000-000000000001".parse().expect("an id");
    for (name, text) in [
        (SessionName::Booked(id), "0190a0b0-0000-7000-8000-000000000001"),
        (SessionName::Yielded { starts_at: at("2026-12-01T18:00:00Z"), zone: None }, "2026-12-01T18:00:00Z"),
        (
            SessionName::Yielded { starts_at: at("2026-12-01T18:00:00Z"), zone: Some("Etc/GMT+5".to_owned()) },
            "2026-12-01T18:00:00Z@Etc/GMT+5",
        ),
    ] {
        assert_eq!(name.to_string(), text);
        assert_eq!(text.parse(), Ok(name));
    }
    for text in ["", "soon", "@UTC", "2026-12-01T18:00:00", "2026-12-01"] {
        assert_eq!(text.parse::<SessionName>(), Err(NoSessionName), "{text}");
    }
    let stored = r#"{"notice_minutes":5,"called_off":[{"starts_at":1764612000000000}]}"#;
    let read: Schedule = serde_json::from_str(stored).expect("is read");
    assert_eq!((read.called_off[0].wall, read.extra.len()), (None, 0));
    // No two that differ share a name.
    let wall = Some(date(2026, 12, 1).at(18, 0, 0, 0));
    let everywhere = CalledOff { wall, ..off("2026-12-01T18:00:00Z") };
    let one_zone = CalledOff { zone: Some("UTC".to_owned()), ..off("2026-12-01T18:00:00Z") };
    let names = [off("2026-12-01T18:00:00Z").name(), everywhere.name(), one_zone.name()];
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2], "{names:?}");
}

#[test]
fn changes_are_forgotten_once_nobody_can_meet_them() {
    let now = at("2026-12-03T12:00:00Z");
    assert!(!off("2026-12-03T11:00:00Z").is_ahead(now) && off("2026-12-03T13:00:00Z").is_ahead(now));
    let wall = Some(date(2026, 12, 2).at(18, 0, 0, 0));
    assert!(CalledOff { wall, ..off("2026-12-02T18:00:00Z") }.is_ahead(now), "somewhere it is still that day");
    assert!(extra(date(2026, 12, 2), "18:00", None).is_ahead(now));
    assert!(!extra(date(2026, 11, 30), "18:00", None).is_ahead(now));
}
