use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn timings() -> impl Strategy<Value = Timing> {
    prop_oneof![
        Just(Timing::Confirmation),
        BEFORE_MINUTES.prop_map(|minutes| Timing::Before { minutes }),
        (5u32..120).prop_map(|minutes| Timing::Before { minutes }),
        AFTER_MINUTES.prop_map(|minutes| Timing::After { minutes }),
    ]
}

/// Within some days around one moment, so that everything comes before and after everything else.
fn moments() -> impl Strategy<Value = Moment> {
    prop_oneof![-4_000_000i64..4_000_000, -7_200i64..7_200]
        .prop_map(|seconds| Moment(start().0 + seconds * 1_000_000 + seconds % 7))
}

fn templates() -> impl Strategy<Value = Template<u32>> {
    (timings(), prop::bool::weighted(0.8), moments()).prop_map(|(timing, is_on, added_at)| Template {
        is_on,
        added_at,
        ..template(timing)
    })
}

fn bookings() -> impl Strategy<Value = Booking> {
    let kinds = prop::sample::select(BookingKind::ALL.to_vec());
    (moments(), kinds, moments(), 60i64..10_000, any::<bool>()).prop_map(
        |(registered_at, kind, from, length, ended)| {
            let has_an_end = kind.has_a_start() || ended;
            Booking {
                registered_at,
                confirmed_at: registered_at.plus_seconds(length % 90),
                kind,
                starts_at: kind.has_a_start().then_some(from),
                ends_at: has_an_end.then(|| from.plus_seconds(length)),
            }
        },
    )
}

fn rows() -> impl Strategy<Value = Row> {
    prop_oneof![
        3 => (moments(), 1i64..200_000).prop_map(|(at, long)| waiting(at, at.plus_seconds(long))),
        1 => prop::sample::select(SkipReason::ALL.to_vec()).prop_map(Row::Skipped),
        1 => (prop::sample::select(DropReason::ALL.to_vec()), moments())
            .prop_map(|(reason, at)| Row::Dropped { reason, at }),
        1 => moments().prop_map(|at| Row::Sent { at }),
        1 => moments().prop_map(|at| Row::Expired { at }),
        1 => moments().prop_map(|at| Row::Superseded { at }),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    let id = || any::<u128>().prop_map(Uuid::from_u128);
    let statuses = prop::collection::vec(prop::sample::select(Attendance::ALL.to_vec()), 0..4);
    prop_oneof![
        statuses.prop_map(|one_of| Condition::Status { one_of }),
        any::<u8>().prop_map(|percent| Condition::PercentAtLeast { percent }),
        any::<u8>().prop_map(|percent| Condition::PercentAtMost { percent }),
        any::<u32>().prop_map(|seconds| Condition::LeftBefore { seconds }),
        any::<u32>().prop_map(|seconds| Condition::StayedPast { seconds }),
        any::<u32>().prop_map(|seconds| Condition::JoinedAfter { seconds }),
        prop::option::of(id()).prop_map(|offer| Condition::SawOffer { offer }),
        prop::option::of(id()).prop_map(|offer| Condition::ClickedOffer { offer }),
        Just(Condition::Converted),
        Just(Condition::NotConverted),
        Just(Condition::AskedQuestion),
        (id(), prop::option::of(id())).prop_map(|(poll, answer)| Condition::AnsweredPoll { poll, answer }),
        Just(Condition::ReplayWatched),
        Just(Condition::OnDemandOpened),
    ]
}

proptest! {
    #[test]
    fn a_planned_time_is_its_anchor_and_its_minutes_exactly(
        template in templates(), booking in bookings(), now in moments(),
    ) {
        if let Planned::Waiting { send_at, useful_until } = plan(&template, &booking, now) {
            let micros = i64::from(template.timing.minutes()) * 60_000_000;
            let wanted = match template.timing {
                Timing::Confirmation => Some(booking.confirmed_at.0),
                Timing::Before { .. } => booking.starts_at.map(|start| start.0 - micros),
                Timing::After { .. } => booking.ends_at.map(|end| end.0 + micros),
            };
            prop_assert_eq!(Some(send_at.0), wanted);
            prop_assert!(send_at < useful_until);
            prop_assert!(template.timing == Timing::Confirmation || send_at > now);
        }
    }

    #[test]
    fn planning_again_changes_nothing_more_and_sent_is_sent(
        row in prop::option::of(rows()), template in prop::option::of(templates()), booking in bookings(),
        now in moments(), wait in 0i64..100_000,
    ) {
        let once = replan(row, template.as_ref(), &booking, now);
        prop_assert_eq!(replan(once, template.as_ref(), &booking, now), once);
        if let Some(Row::Sent { .. }) = row {
            prop_assert_eq!(once, row);
        } else {
            prop_assert!(!matches!(once, Some(Row::Sent { .. })), "{:?} became sent by planning", row);
        }
        // Time alone changes no row: what waits keeps waiting for the worker, what does not go keeps its reason.
        if let Some(once) = once {
            let later = replan(Some(once), template.as_ref(), &booking, now.plus_seconds(wait));
            prop_assert!(later.is_none_or(|later| later == once || once.state() == RowState::Waiting && {
                matches!(once, Row::Waiting { send_at, .. } if send_at > now)
            }), "{:?} became {:?}", once, later);
        }
    }

    #[test]
    fn a_row_comes_back_from_its_columns(row in rows()) {
        prop_assert_eq!(Row::from_stored(row.stored()), Some(row));
        prop_assert!(row.sentence().ends_with('.'));
    }

    #[test]
    fn a_timing_comes_back_from_its_columns(timing in timings()) {
        let minutes = i32::try_from(timing.minutes()).expect("fits");
        prop_assert_eq!(Timing::from_stored(timing.kind().as_str(), minutes), Some(timing));
    }

    #[test]
    fn at_once_there_is_at_most_one_reminder_and_one_follow_up(
        given in prop::collection::vec((timings(), moments(), 0i64..200_000, 0usize..5, 0usize..3), 0..12),
        last in prop::option::of(moments()), now in moments(),
    ) {
        let segments = [Attendance::LeftEarly, Attendance::Missed, Attendance::Watching].map(Segment::with_status);
        let verdicts = [
            Verdict::Send, Verdict::Send, Verdict::Send, Verdict::Wait, Verdict::Drop(DropReason::Unsubscribed),
        ];
        let rows: Vec<_> = given.iter().enumerate().map(|(id, (timing, send_at, useful, verdict, segment))| DueRow {
            id, timing: *timing, segment: &segments[*segment], send_at: *send_at,
            useful_until: send_at.plus_seconds(*useful), verdict: verdicts[*verdict],
        }).collect();
        let decided = due(&rows, last, now);
        let is_due: Vec<usize> = rows.iter().filter(|row| row.send_at <= now).map(|row| row.id).collect();
        prop_assert_eq!(decided.iter().map(|(id, _)| *id).collect::<Vec<_>>(), is_due);
        for kind in [TimingKind::Before, TimingKind::After] {
            let goes = |(id, decision): &&(usize, Decision)| {
                rows[*id].timing.kind() == kind && *decision == Decision::Send
            };
            prop_assert!(decided.iter().filter(goes).count() <= 1);
        }
        for (id, decision) in &decided {
            prop_assert_eq!(*decision == Decision::Expired, rows[*id].useful_until < now);
            prop_assert!(*decision != Decision::Send || rows[*id].verdict == Verdict::Send);
            let is_now = matches!(decision, Decision::Later { at } if *at <= now);
            prop_assert!(!is_now);
        }
    }

    #[test]
    fn a_segment_comes_back_from_its_stored_form(
        joined in prop::sample::select(Joined::ALL.to_vec()),
        conditions in prop::collection::vec(conditions(), 0..6),
    ) {
        let segment = Segment { joined, conditions };
        let stored = serde_json::to_string(&segment).expect("is written");
        prop_assert!(!segment.sentence().is_empty());
        prop_assert_eq!(serde_json::from_str::<Segment>(&stored).expect("is read"), segment);
    }
}
