use super::*;

#[test]
fn watching_at_once_is_followed_up_a_day_after_the_last_play() {
    let open = Schedule { on_demand: true, ..tuesdays() };
    let signs_up_at = at("2026-12-01T09:00:00Z");
    let conduct = comes(90, Some(20));
    let dev = Figure { choice: Choice::AtOnce, ..figure(signs_up_at, conduct) };
    let scenes = rehearsed(&open, &dev);
    let (played_at, left_at) = (signs_up_at.plus_seconds(90 * MINUTE), signs_up_at.plus_seconds(110 * MINUTE));
    assert_eq!(when(&scenes, |what| matches!(what, What::Joined { at_second: 0, .. })), Some(played_at));
    let final_at = left_at.plus_days(1);
    assert_eq!(when(&scenes, |what| matches!(what, What::OutcomeFinal { .. })), Some(final_at));
    assert_eq!(when(&scenes, |what| *what == What::LinkEnds), Some(played_at.plus_days(7)));
    assert_eq!(mails(&scenes), [(CONFIRMATION, signs_up_at), (LEFT_EARLY, final_at.plus_seconds(30 * MINUTE))]);
    // Without a first play the link runs out unwatched.
    let scenes = rehearsed(&open, &Figure { conduct: Conduct::NeverComes, ..dev });
    assert_eq!(status(&scenes), Some(Attendance::Missed));
    assert_eq!(when(&scenes, |what| *what == What::LinkEnds), Some(signs_up_at.plus_days(7)));
}

#[test]
fn latecomers_are_waited_for_and_their_outcome_can_rise() {
    let early = start().plus_seconds(-72 * HOUR);
    let end = start().plus_seconds(LONG);
    let late = |after_minutes| figure(early, comes(after_minutes, None));
    // From the start, forty minutes late: final ten minutes after they stop.
    let scenes = rehearsed(&tuesdays(), &late(40));
    let final_at = when(&scenes, |what| matches!(what, What::OutcomeFinal { .. }));
    assert_eq!((final_at, status(&scenes)), (Some(end.plus_seconds(50 * MINUTE)), Some(Attendance::AttendedToEnd)));
    // They still watch when the follow-up is due: it waits for them.
    assert_eq!(mails(&scenes).last(), Some(&(ATTENDED, end.plus_seconds(50 * MINUTE))));
    // Where it is by then, there is less to watch.
    let where_it_is = Schedule { late_join: LateJoin::WhereItIs, ..tuesdays() };
    let scenes = rehearsed(&where_it_is, &late(40));
    assert!(when(&scenes, |what| matches!(what, What::Joined { at_second: 2_400, goes_on: false })).is_some());
    assert_eq!(when(&scenes, |what| matches!(what, What::Left { at_second: 3_600 })), Some(end));
    assert_eq!(status(&scenes), Some(Attendance::LeftEarly));
    // The next day, in the replay.
    let scenes = rehearsed(&tuesdays(), &late(24 * 60));
    assert_eq!(status(&scenes), Some(Attendance::Missed));
    let raised = |what: &What<u32>| *what == What::OutcomeRaised { status: Attendance::AttendedToEnd };
    assert_eq!(when(&scenes, raised), Some(start().plus_days(1).plus_seconds(LONG)));
    assert_eq!(mails(&scenes).last(), Some(&(MISSED, end.plus_seconds(30 * MINUTE))));
    // When nothing plays any more.
    let without = Schedule { replay_days: 0, ..tuesdays() };
    let scenes = rehearsed(&without, &late(24 * 60));
    assert!(when(&scenes, |what| *what == What::FoundOver).is_some());
    assert!(when(&scenes, |what| matches!(what, What::ReplayOpens { .. } | What::Joined { .. })).is_none());
    assert_eq!(when(&scenes, |what| *what == What::LinkEnds), Some(end.plus_seconds(LONG)));
}

#[test]
fn the_nights_the_clocks_change() {
    // (zone, rule's time, signs up, start, note): a gap and a fold in each.
    let nights = [
        ("America/New_York", "02:30", "2026-03-06T12:00:00Z", "2026-03-08T07:30:00Z", Some("60 minutes later")),
        ("America/New_York", "01:30", "2026-10-30T12:00:00Z", "2026-11-01T05:30:00Z", Some("the first time")),
        ("Australia/Lord_Howe", "02:15", "2026-10-02T12:00:00Z", "2026-10-03T15:45:00Z", Some("30 minutes later")),
        ("Australia/Lord_Howe", "01:45", "2026-04-03T02:00:00Z", "2026-04-04T14:45:00Z", Some("the first time")),
    ];
    for (zone, time, signs_up, starts, note) in nights {
        let sunday = schedule(rule(Repeats::Weekly { days: vec![Day::Sunday] }, time, None));
        let anna = Figure { zone: zone.to_owned(), ..figure(at(signs_up), Conduct::StaysToTheEnd) };
        let scenes = rehearsed(&sunday, &anna);
        let starts = at(starts);
        assert_eq!(when(&scenes, |what| *what == What::RoomOpens), Some(starts), "{zone} {time}");
        assert_eq!(when(&scenes, |what| *what == What::DoorsOpen), Some(starts.plus_seconds(-15 * MINUTE)));
        let ahead: Vec<_> = mails(&scenes).into_iter().skip(1).take(3).collect();
        let wanted = [(DAY_BEFORE, 24 * HOUR), (HOUR_BEFORE, HOUR), (TEN_BEFORE, 10 * MINUTE)];
        assert_eq!(ahead, wanted.map(|(id, seconds)| (id, starts.plus_seconds(-seconds))), "{zone} {time}");
        let said = scenes.iter().find_map(|scene| match &scene.what {
            What::Registered { session, .. } => session.as_ref()?.note.clone(),
            _ => None,
        });
        assert!(said.zip(note).is_some_and(|(said, note)| said.contains(note)), "{zone} {time}");
    }
}

#[test]
fn just_in_time_needs_no_reminder() {
    let opening = |text| WallTime::parse(text).expect("a time");
    let soon = JustInTime { every_minutes: 15, opens: opening("07:00"), closes: opening("22:00") };
    let soon = Schedule { notice_minutes: 0, ..schedule(Rule::JustInTime(soon)) };
    let scenes = rehearsed(&soon, &figure(at("2026-12-01T10:20:00Z"), Conduct::StaysToTheEnd));
    let starts = at("2026-12-01T10:30:00Z");
    assert_eq!(when(&scenes, |what| *what == What::RoomOpens), Some(starts));
    let only = "Not sent: with no wait before the recording, the confirmation is enough.";
    assert_eq!(not_mailed(&scenes)[..3].iter().map(|not| not.2).collect::<Vec<_>>(), [only; 3]);
}
