use proptest::prelude::*;

use super::*;
use crate::sequence::{Condition, Joined, TimingKind};

fn timings() -> impl Strategy<Value = Timing> {
    let minutes = || prop_oneof![5u32..90, 5u32..43_200];
    prop_oneof![
        minutes().prop_map(|minutes| Timing::Before { minutes }),
        minutes().prop_map(|minutes| Timing::After { minutes }),
        Just(Timing::After { minutes: 0 }),
    ]
}

fn segments() -> impl Strategy<Value = Segment> {
    let status = prop::sample::select(Attendance::ALL.to_vec()).prop_map(Segment::with_status);
    let left = (1u32..3_600)
        .prop_map(|seconds| Segment { joined: Joined::All, conditions: vec![Condition::LeftBefore { seconds }] });
    prop_oneof![2 => Just(Segment::everybody()), 2 => status, 1 => left]
}

fn sequences() -> impl Strategy<Value = Vec<Letter<u32>>> {
    prop::collection::vec((timings(), segments(), prop::bool::weighted(0.9), any::<bool>()), 0..8).prop_map(|given| {
        let others = given.into_iter().zip(1..).map(|((timing, segment, is_on, is_promotional), id)| {
            let plain = letter(id, timing);
            let is_after = timing.kind() == TimingKind::After;
            let segment = if is_after { segment } else { Segment::everybody() };
            let is_promotional = is_after && is_promotional;
            Letter { template: Template { segment, is_on, is_promotional, ..plain.template }, ..plain }
        });
        std::iter::once(letter(CONFIRMATION, Timing::Confirmation)).chain(others).collect()
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let zone = prop::option::of(prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "Europe/Paris"]));
    let times = prop::sample::select(vec!["01:45", "02:15", "02:30", "19:00", "23:59"]);
    let late_join = prop::sample::select(LateJoin::ALL.to_vec());
    (zone, times, late_join, 5u8..60, 0u16..3, 0u16..60, any::<bool>(), any::<bool>()).prop_map(
        |(zone, time, late_join, doors_minutes, replay_days, notice_minutes, on_demand, just_in_time)| {
            let every = WallTime::parse("00:00").zip(WallTime::parse("23:59"));
            let (opens, closes) = every.expect("times");
            let rule = match just_in_time {
                true => Rule::JustInTime(JustInTime { every_minutes: 15, opens, closes }),
                false => rule(Repeats::Daily, time, zone),
            };
            Schedule { late_join, doors_minutes, replay_days, notice_minutes, on_demand, ..schedule(rule) }
        },
    )
}

fn conducts() -> impl Strategy<Value = Conduct> {
    let late = prop_oneof![0u32..90, 0u32..20_000];
    prop_oneof![
        Just(Conduct::NeverComes),
        Just(Conduct::UnsubscribesAfterFirstReminder),
        Just(Conduct::StaysToTheEnd),
        prop::collection::vec((late, prop::option::of(0u32..80)), 0..4).prop_map(|visits| {
            let visit = |(after_minutes, leaves_at_minute)| Visit { after_minutes, leaves_at_minute };
            Conduct::Comes { visits: visits.into_iter().map(visit).collect() }
        }),
    ]
}

/// Around every change of the clocks of a year, and anywhere else in it.
fn figures() -> impl Strategy<Value = Figure> {
    let days = prop_oneof![
        prop::sample::select(vec![63i64, 64, 65, 91, 92, 93, 272, 273, 274, 275, 301, 302, 303, 304]),
        0i64..365
    ];
    let zones = prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]);
    let choices = prop_oneof![3 => Just(Choice::FirstOffered), 1 => Just(Choice::AtOnce)];
    (days, 0i64..86_400, zones, 0u16..40, choices, conducts()).prop_map(
        |(day, second, zone, reads_minutes, choice, conduct)| Figure {
            zone: zone.to_owned(),
            reads_minutes,
            choice,
            ..figure(at("2027-01-01T00:00:00Z").plus_seconds(day * 86_400 + second), conduct)
        },
    )
}

fn mishaps() -> impl Strategy<Value = Mishaps> {
    let around = || at("2027-01-01T00:00:00Z").0 / 1_000_000..at("2028-01-01T00:00:00Z").0 / 1_000_000;
    let moment = move || around().prop_map(Moment::from_unix_seconds);
    (prop::option::of(moment()), prop::option::of((moment(), 1i64..2_000_000))).prop_map(|(called_off_at, rest)| {
        let mails_rest = rest.map(|(from, long)| (from, from.plus_seconds(long)));
        Mishaps { called_off_at, mails_rest }
    })
}

proptest! {
    #[test]
    fn scenes_are_in_order_and_every_mail_has_one(
        schedule in schedules(), letters in sequences(), figure in figures(), mishaps in mishaps(),
        minutes in 1i64..120,
    ) {
        let setup = Setup { duration_seconds: (minutes * MINUTE) as f64, ..setup(&schedule, &letters) };
        let Ok(scenes) = rehearse(&setup, &figure, mishaps, &Bundled) else {
            prop_assert!(figure.choice == Choice::AtOnce && !schedule.on_demand);
            return Ok(());
        };
        prop_assert!(scenes.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let is_page = |scene: &Scene<u32>| matches!(scene.what, What::PageSeen { .. });
        prop_assert!(is_page(&scenes[0]));
        let mut told: Vec<u32> = scenes.iter().filter_map(|scene| match scene.what {
            What::Mail { template, .. } | What::MailNot { template, .. } => Some(template),
            _ => None,
        }).collect();
        told.sort_unstable();
        prop_assert_eq!(told, letters.iter().map(|letter| letter.template.id).collect::<Vec<_>>());
        for scene in &scenes {
            prop_assert!(scene.what.sentence().ends_with('.'));
            prop_assert!(scene.at >= figure.signs_up_at || is_page(scene));
        }
        // Nobody is in the room twice at once, and nobody goes on where they have not been.
        let mut watched_until = None;
        let mut is_in = false;
        for scene in &scenes {
            match scene.what {
                What::Joined { at_second, goes_on } => {
                    prop_assert!(!std::mem::replace(&mut is_in, true));
                    prop_assert!(!goes_on || Some(at_second) == watched_until);
                }
                What::Left { at_second } => {
                    prop_assert!(std::mem::replace(&mut is_in, false));
                    watched_until = Some(at_second);
                }
                _ => {}
            }
        }
        prop_assert!(!is_in);
        // The scrubber shows what has been, whole.
        for clock in scenes.iter().map(|scene| scene.at) {
            let until = scenes_until(&scenes, clock);
            prop_assert!(until.iter().all(|scene| scene.at <= clock));
            prop_assert!(scenes[until.len()..].iter().all(|scene| scene.at > clock));
        }
    }

    #[test]
    fn reminders_go_their_minutes_before_the_start_exactly(
        schedule in schedules(), letters in sequences(), figure in figures(),
    ) {
        let Ok(scenes) = rehearse(&setup(&schedule, &letters), &figure, Mishaps::default(), &Bundled) else {
            return Ok(());
        };
        let start = when(&scenes, |what| *what == What::RoomOpens);
        let final_at = when(&scenes, |what| matches!(what, What::OutcomeFinal { .. })).expect("an outcome");
        for (id, sent_at) in mails(&scenes) {
            match letters[id as usize].template.timing {
                Timing::Confirmation => prop_assert_eq!(sent_at, figure.signs_up_at),
                Timing::Before { minutes } => {
                    prop_assert_eq!(Some(sent_at), start.map(|start| start.plus_seconds(-i64::from(minutes) * MINUTE)));
                }
                Timing::After { minutes } => {
                    let end = start.map_or(final_at, |start| start.plus_seconds(LONG));
                    prop_assert!(sent_at >= end.plus_seconds(i64::from(minutes) * MINUTE));
                }
            }
        }
        let reminders = |scene: &&Scene<u32>| matches!(scene.what, What::Mail { template, .. }
            if letters[template as usize].template.timing.kind() == TimingKind::Before);
        if figure.conduct == Conduct::UnsubscribesAfterFirstReminder {
            prop_assert!(scenes.iter().filter(reminders).count() <= 1);
        }
    }
}
