//! The outbox against a model of the server, over networks of every mood.

use super::*;
use crate::beating::Manner;
use crate::ids::ViewId;
use crate::watching::{Beat, WatchMap, credit};
use proptest::prelude::*;
use std::collections::HashSet;

const PLAIN: Manner = Manner { rate_milli: 1000, hidden: false, muted: false, captions: false };
const DURATION: f64 = 3600.0;

fn played(from: u64, to: u64) -> Played {
    Played { from_ms: from * 1000, to_ms: to * 1000, manner: PLAIN }
}

#[test]
fn the_body_is_the_contract_s() {
    let body = Outgoing {
        seq: 7,
        played: Played { from_ms: 60_000, to_ms: 70_005, manner: Manner { captions: true, rate_milli: 1250, ..PLAIN } },
    }
    .json("00000000-0000-0000-0000-000000000000");
    let beat: Beat = serde_json::from_str(&body).expect("valid");
    assert_eq!((beat.seq, beat.from, beat.to, beat.rate), (7, 60.0, 70.005, 1.25));
    assert!(beat.captions && !beat.hidden && !beat.muted);
}

#[test]
fn a_repeat_keeps_its_number_and_a_join_takes_a_new_one() {
    let mut outbox = Outbox::new(0.0, 0.5);
    outbox.push(played(0, 10), 10.0);
    assert_eq!(outbox.next(10.0).map(|o| o.seq), Some(1));
    outbox.answered(1, Answer::Lost, 10.5);
    assert_eq!(outbox.next(10.6), None);
    assert_eq!(outbox.next(12.0).map(|o| (o.seq, o.played)), Some((1, played(0, 10))));
    outbox.answered(1, Answer::Lost, 12.5);
    outbox.push(played(10, 20), 20.0);
    assert_eq!(outbox.next(20.0).map(|o| (o.seq, o.played)), Some((2, played(0, 20))));
    outbox.answered(2, Answer::Rejected, 20.1);
    assert_eq!(outbox.next(20.1).map(|o| (o.seq, o.played)), Some((3, played(10, 20))));
    outbox.answered(3, Answer::Rejected, 20.2);
    // Once more, counted from the last try without an answer; then it is given up.
    assert_eq!(outbox.next(20.2).map(|o| (o.seq, o.played)), Some((4, played(10, 20))));
    outbox.answered(4, Answer::Rejected, 20.3);
    assert_eq!(outbox.due_in(20.3), None);
}

#[test]
fn ranges_that_do_not_touch_are_paced() {
    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 10), 10.0);
    outbox.push(played(100, 110), 10.0);
    let first = outbox.next(10.0).expect("due");
    assert_eq!(outbox.next(10.0), None);
    outbox.answered(first.seq, Answer::Accepted, 10.2);
    assert_eq!(outbox.next(10.3), None);
    assert_eq!(outbox.next(17.8).map(|o| o.played), Some(played(100, 110)));
}

#[test]
fn an_unknown_visit_ends_it_and_a_crowded_server_is_left_alone() {
    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 10), 10.0);
    let first = outbox.next(10.0).expect("due");
    outbox.answered(first.seq, Answer::from_status(429, Some(30.0)), 10.0);
    assert_eq!(outbox.next(39.0), None);
    let again = outbox.next(40.0).expect("due");
    outbox.answered(again.seq, Answer::from_status(410, None), 40.0);
    outbox.push(played(10, 20), 50.0);
    assert!(outbox.is_over() && outbox.next(60.0).is_none() && outbox.due_in(60.0).is_none());
}

#[test]
fn a_farewell_takes_what_the_server_would_believe() {
    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 5), 6.0);
    outbox.push(played(100, 102), 8.0);
    outbox.push(played(200, 209), 8.0);
    let taken: Vec<_> = outbox.take_for_farewell(8.0).into_iter().map(|o| o.played).collect();
    assert_eq!(taken, [played(0, 5), played(100, 102)]);
    assert!(outbox.due_in(8.0).is_some());
}

#[test]
fn a_farewell_after_a_request_for_patience_still_takes_what_fits() {
    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 5), 6.0);
    let first = outbox.next(6.0).expect("due");
    outbox.answered(first.seq, Answer::from_status(429, Some(30.0)), 6.1);
    outbox.push(played(100, 102), 8.0);
    let taken: Vec<_> = outbox.take_for_farewell(9.0).into_iter().map(|o| o.played).collect();
    assert_eq!(taken, [played(0, 5), played(100, 102)]);

    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 5), 6.0);
    let first = outbox.next(6.0).expect("due");
    outbox.answered(first.seq, Answer::Lost, 6.1);
    assert!(outbox.take_for_farewell(9.0).is_empty(), "with the network away it is kept");
    assert!(outbox.due_in(9.0).is_some());
}

/// What the server takes of one visit: `BEATS_PER_MINUTE` at once, then one each 60 s / `BEATS_PER_MINUTE`.
struct Gate {
    even_at: f64,
}

impl Gate {
    fn takes(&mut self, now: f64) -> bool {
        let next = self.even_at.max(now) + SPACING_SECONDS;
        let is_taken = next - now <= SPACING_SECONDS * f64::from(BEATS_PER_MINUTE);
        if is_taken {
            self.even_at = next;
        }
        is_taken
    }
}

proptest! {
    #[test]
    fn skipping_as_fast_as_one_likes_is_never_too_often_and_all_of_it_arrives(
        skips in prop::collection::vec((1u64..8, 0u64..9), 1..120),
        stays in 0usize..200,
    ) {
        let mut outbox = Outbox::new(0.0, 0.5);
        let mut gate = Gate { even_at: 0.0 };
        let mut arrived = Vec::new();
        let mut wanted = Vec::new();
        let (mut now, mut place) = (1.0, 0u64);
        for (index, (wait, length)) in skips.iter().enumerate() {
            // A quarter of a second to two seconds of play between two presses.
            now += *wait as f64 / 4.0;
            let range = Played { from_ms: place, to_ms: place + 200 + length * 100, manner: PLAIN };
            place += 20_000;
            outbox.push(range, now);
            wanted.push(range);
            while let Some(outgoing) = outbox.next(now) {
                prop_assert!(gate.takes(now), "beat {} at {now}", outgoing.seq);
                arrived.push(outgoing.played);
                outbox.answered(outgoing.seq, Answer::Accepted, now);
            }
            if index == stays {
                for outgoing in outbox.take_for_farewell(now) {
                    prop_assert!(gate.takes(now), "farewell {} at {now}", outgoing.seq);
                    arrived.push(outgoing.played);
                }
            }
        }
        while let Some(wait) = outbox.due_in(now) {
            now += wait.max(0.001);
            if let Some(outgoing) = outbox.next(now) {
                prop_assert!(gate.takes(now));
                arrived.push(outgoing.played);
                outbox.answered(outgoing.seq, Answer::Accepted, now);
            }
        }
        prop_assert_eq!(arrived, wanted);
    }
}

#[test]
fn no_answer_for_long_counts_as_lost() {
    let mut outbox = Outbox::new(0.0, 0.0);
    outbox.push(played(0, 10), 10.0);
    assert!(outbox.next(10.0).is_some());
    assert_eq!(outbox.due_in(10.0), Some(ANSWER_SECONDS));
    assert_eq!(outbox.next(30.0), None);
    assert_eq!(outbox.next(31.0).map(|o| o.seq), Some(1));
}

/// The server, as far as beats see it.
struct Server {
    map: WatchMap,
    total_seconds: f64,
    last: f64,
    known: HashSet<u32>,
}

impl Server {
    fn take(&mut self, outgoing: Outgoing, now: f64) -> Answer {
        let mut beat: Beat =
            serde_json::from_str(&outgoing.json("00000000-0000-0000-0000-000000000000")).expect("a beat");
        beat.view = ViewId(uuid::Uuid::nil());
        if self.known.contains(&beat.seq) {
            return Answer::Accepted;
        }
        match credit(&beat, DURATION, now - self.last) {
            Ok(range) => {
                self.known.insert(beat.seq);
                self.last = now;
                self.total_seconds += range.to - range.from;
                self.map.mark(range);
                Answer::Accepted
            }
            Err(_) => Answer::Rejected,
        }
    }
}

/// One viewer who plays without a break but jumps at times, over a network with these moods, one per second.
fn watch(moods: &[u8], jumps: &[usize]) -> (Server, f64, WatchMap) {
    let mut server = Server { map: WatchMap::empty(DURATION), total_seconds: 0.0, last: 0.0, known: HashSet::new() };
    let mut outbox = Outbox::new(0.0, 0.3);
    let mut truth = WatchMap::empty(DURATION);
    let (mut from, mut position, mut total) = (0u64, 0u64, 0.0);
    let seconds = moods.len();
    // Play lasts as long as the moods do; a quiet while follows in which everything can arrive.
    for second in 0..seconds + 1200 {
        let now = second as f64;
        if second < seconds {
            position += 1;
            let jump = jumps.contains(&second);
            if jump || position - from >= 10 || second + 1 == seconds {
                let range = played(from, position);
                truth.mark(crate::watching::CreditedRange { from: from as f64, to: position as f64 });
                total += range.seconds();
                outbox.push(range, now + 1.0);
                position = if jump { (position * 7 + 61) % 3000 } else { position };
                from = position;
            }
        }
        let now = now + 1.0;
        for _ in 0..4 {
            let Some(outgoing) = outbox.next(now) else { break };
            let answer = match moods.get(second).copied().unwrap_or(0) {
                0 => server.take(outgoing, now),
                1 => Answer::Lost,
                2 => Answer::Later(None),
                _ => {
                    server.take(outgoing, now);
                    Answer::Lost
                }
            };
            outbox.answered(outgoing.seq, answer, now);
        }
    }
    (server, total, truth)
}

#[test]
fn a_longer_try_may_have_been_believed_too_and_the_rest_waits_for_its_time() {
    let moods: Vec<u8> =
        [(23, 39), (16, 24), (21, 9)].iter().flat_map(|&(good, bad)| [vec![0; good], vec![3; bad]].concat()).collect();
    let (server, _, truth) = watch(&moods, &[]);
    assert_eq!(server.map.unique_seconds(), truth.unique_seconds());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_network_does_nothing_played_is_lost_and_nothing_counted_twice(
        gaps in prop::collection::vec((1usize..90, 1u8..3, 1usize..120), 1..6),
        jumps in prop::collection::vec(0usize..600, 0..4),
    ) {
        let moods: Vec<u8> = gaps.iter().flat_map(|&(good, mood, bad)| [vec![0; good], vec![mood; bad]].concat()).collect();
        let (server, total, truth) = watch(&moods, &jumps);
        prop_assert_eq!(&server.map, &truth);
        prop_assert!((server.total_seconds - total).abs() < 1e-6, "{} of {}", server.total_seconds, total);
    }

    #[test]
    fn answers_that_never_come_cost_no_second_either(
        gaps in prop::collection::vec((15usize..90, 1usize..40), 1..6),
    ) {
        let moods: Vec<u8> = gaps.iter().flat_map(|&(good, bad)| [vec![0; good], vec![3; bad]].concat()).collect();
        let (server, _, truth) = watch(&moods, &[]);
        let missing = truth.unique_seconds() - server.map.unique_seconds();
        prop_assert!(missing == 0, "{missing} missing");
    }
}
