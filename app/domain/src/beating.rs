//! The viewer's side of watch measurement: from what a media element does to the beats that report it.
//!
//! [`Meter`] turns observations of the element into played ranges; [`outbox::Outbox`] decides what is sent when.
//! Both are pure and take the time, so that every odd network and every odd player can be tried without a browser.
//! A second counts only while the element plays, neither seeks nor stalls, and its media time moves no faster than
//! the wall clock allows (product.md §4.3).

pub mod outbox;

use crate::watching::BEAT_RATES;

/// Seconds of play after which a beat is cut.
pub const BEAT_EVERY_SECONDS: f64 = 10.0;
/// A step that gains more than this on the wall clock was a jump, whatever the element called it.
const STEP_SLACK_SECONDS: f64 = 1.0;
/// Shorter ranges say nothing: a control was touched twice.
const SHORTEST_MS: u64 = 20;
/// Browsers may know a recording as slightly longer than the server does; the server allows one second.
const END_TOLERANCE_MS: u64 = 900;

/// The element as it is at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Position in media seconds.
    pub media_seconds: f64,
    /// A clock that never goes back, in seconds.
    pub wall_seconds: f64,
    /// Playing: neither paused, ended nor waiting for data.
    pub moving: bool,
    /// On its way to another position.
    pub seeking: bool,
    /// How it plays.
    pub manner: Manner,
}

/// How a range was played; a change begins a new range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Playback rate in thousandths.
    pub rate_milli: u32,
    /// Whether the page was hidden.
    pub hidden: bool,
    /// Whether the sound was off.
    pub muted: bool,
    /// Whether captions were showing.
    pub captions: bool,
}

impl Manner {
    /// Media seconds per second of wall time.
    #[must_use]
    pub fn rate(self) -> f64 {
        f64::from(self.rate_milli) / 1000.0
    }
}

/// A range of the recording that was really played, in media milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Start.
    pub from_ms: u64,
    /// End, after `from_ms`.
    pub to_ms: u64,
    /// How.
    pub manner: Manner,
}

impl Played {
    /// Length in media seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1000.0
    }

    /// Whether `next` goes on exactly where this ends, in the same manner.
    #[must_use]
    pub fn goes_on_with(&self, next: &Self) -> bool {
        self.to_ms == next.from_ms && self.manner == next.manner
    }
}

struct Run {
    from_ms: u64,
    to_seconds: f64,
    wall_seconds: f64,
    played_seconds: f64,
    manner: Manner,
}

/// Turns observations into played ranges.
pub struct Meter {
    duration_ms: u64,
    run: Option<Run>,
}

impl Meter {
    /// For a recording of this length.
    #[must_use]
    pub fn new(duration_seconds: f64) -> Self {
        Self { duration_ms: millis(duration_seconds), run: None }
    }

    /// Takes over play that began before anybody observed it, when the wall clock allows it.
    pub fn adopt(&mut self, from_seconds: f64, now: &Sample) {
        let length = now.media_seconds - from_seconds;
        let fits = length > 0.0 && length <= now.wall_seconds * now.manner.rate();
        if self.run.is_none() && now.moving && !now.seeking && fits && is_measurable(now.manner) {
            self.run = Some(Run {
                from_ms: millis(from_seconds),
                to_seconds: now.media_seconds,
                wall_seconds: now.wall_seconds,
                played_seconds: length / now.manner.rate(),
                manner: now.manner,
            });
        }
    }

    /// Takes one observation; a range is handed out when it is complete: every [`BEAT_EVERY_SECONDS`] of play, and
    /// when play halts, jumps or changes its manner.
    pub fn observe(&mut self, sample: &Sample) -> Option<Played> {
        let mut finished = None;
        let mut goes_on_from = None;
        if let Some(mut run) = self.run.take() {
            let advance = sample.media_seconds - run.to_seconds;
            let allowed = (sample.wall_seconds - run.wall_seconds).max(0.0) * run.manner.rate() + STEP_SLACK_SECONDS;
            let is_step = !sample.seeking && (0.0..=allowed).contains(&advance);
            if is_step {
                run.to_seconds = sample.media_seconds;
                run.played_seconds += advance / run.manner.rate();
            }
            run.wall_seconds = sample.wall_seconds;
            let is_over = !is_step || !sample.moving || sample.manner != run.manner;
            if !is_over && run.played_seconds < BEAT_EVERY_SECONDS {
                self.run = Some(run);
                return None;
            }
            finished = self.finish(&run);
            if is_step {
                // A range too short to report is not lost: the next one begins where it began.
                goes_on_from = Some(finished.map_or(run.from_ms, |played: Played| played.to_ms));
            }
        }
        if sample.moving && !sample.seeking && is_measurable(sample.manner) {
            self.run = Some(Run {
                from_ms: goes_on_from.unwrap_or_else(|| millis(sample.media_seconds)),
                to_seconds: sample.media_seconds,
                wall_seconds: sample.wall_seconds,
                played_seconds: 0.0,
                manner: sample.manner,
            });
        }
        finished
    }

    fn finish(&self, run: &Run) -> Option<Played> {
        let to_ms = millis(run.to_seconds).min(self.duration_ms + END_TOLERANCE_MS);
        let is_worth_it = run.from_ms < self.duration_ms && to_ms >= run.from_ms + SHORTEST_MS;
        is_worth_it.then_some(Played { from_ms: run.from_ms, to_ms, manner: run.manner })
    }
}

fn is_measurable(manner: Manner) -> bool {
    BEAT_RATES.contains(&manner.rate())
}

fn millis(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watching::{CreditedRange, WatchMap};
    use proptest::prelude::*;

    const PLAIN: Manner = Manner { rate_milli: 1000, hidden: false, muted: false, captions: false };

    fn at(media_seconds: f64, wall_seconds: f64, moving: bool) -> Sample {
        Sample { media_seconds, wall_seconds, moving, seeking: false, manner: PLAIN }
    }

    fn ranges(meter: &mut Meter, samples: &[Sample]) -> Vec<(u64, u64)> {
        samples.iter().filter_map(|sample| meter.observe(sample)).map(|played| (played.from_ms, played.to_ms)).collect()
    }

    #[test]
    fn a_beat_is_cut_every_ten_seconds_of_play_and_on_pause() {
        let samples: Vec<_> = (0..=100).map(|i| at(f64::from(i) / 4.0, f64::from(i) / 4.0, i < 100)).collect();
        assert_eq!(ranges(&mut Meter::new(60.0), &samples), [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]);
    }

    #[test]
    fn at_double_speed_a_beat_still_takes_ten_seconds_of_wall_time() {
        let manner = Manner { rate_milli: 2000, ..PLAIN };
        let samples: Vec<_> =
            (0..=40).map(|i| Sample { manner, ..at(f64::from(i) / 2.0, f64::from(i) / 4.0, true) }).collect();
        assert_eq!(ranges(&mut Meter::new(60.0), &samples), [(0, 20_000)]);
    }

    #[test]
    fn seeking_credits_nothing_of_what_was_skipped() {
        let mut meter = Meter::new(3600.0);
        let samples = [
            at(0.0, 0.0, true),
            at(1.0, 1.0, true),
            Sample { seeking: true, ..at(3000.0, 1.1, true) },
            at(3000.0, 1.5, true),
            at(3001.0, 2.5, false),
        ];
        assert_eq!(ranges(&mut meter, &samples), [(0, 1000), (3_000_000, 3_001_000)]);
    }

    #[test]
    fn a_jump_the_element_did_not_announce_is_no_play() {
        let mut meter = Meter::new(3600.0);
        assert_eq!(
            ranges(&mut meter, &[at(0.0, 0.0, true), at(1.0, 1.0, true), at(900.0, 2.0, true), at(901.0, 3.0, false)]),
            [(0, 1000), (900_000, 901_000)]
        );
        let mut meter = Meter::new(3600.0);
        assert_eq!(
            ranges(&mut meter, &[at(50.0, 0.0, true), at(51.0, 1.0, true), at(20.0, 2.0, false)]),
            [(50_000, 51_000)]
        );
    }

    #[test]
    fn waiting_for_data_takes_no_credit() {
        let mut meter = Meter::new(60.0);
        assert_eq!(
            ranges(&mut meter, &[at(0.0, 0.0, true), at(2.0, 2.0, true), at(2.0, 30.0, true), at(2.5, 30.5, false)]),
            [(0, 2500)]
        );
    }

    #[test]
    fn a_change_of_manner_begins_a_new_range_without_a_gap() {
        let hidden = Manner { hidden: true, ..PLAIN };
        let mut meter = Meter::new(60.0);
        let samples = [
            at(0.0, 0.0, true),
            at(3.0, 3.0, true),
            Sample { manner: hidden, ..at(3.2, 3.2, true) },
            Sample { manner: hidden, ..at(6.0, 6.0, false) },
        ];
        assert_eq!(ranges(&mut meter, &samples), [(0, 3200), (3200, 6000)]);
    }

    #[test]
    fn the_last_beat_stays_within_what_the_server_allows() {
        let mut meter = Meter::new(60.0);
        assert_eq!(ranges(&mut meter, &[at(55.0, 0.0, true), at(61.5, 6.5, false)]), [(55_000, 60_900)]);
    }

    #[test]
    fn play_before_the_page_woke_up_is_taken_over_within_reason() {
        let mut meter = Meter::new(60.0);
        meter.adopt(0.0, &at(2.0, 3.0, true));
        assert_eq!(ranges(&mut meter, &[at(3.0, 4.0, false)]), [(0, 3000)]);
        let mut meter = Meter::new(60.0);
        meter.adopt(0.0, &at(40.0, 3.0, true));
        assert_eq!(ranges(&mut meter, &[at(40.0, 3.0, true), at(41.0, 4.0, false)]), [(40_000, 41_000)]);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Play(f64),
        Pause(f64),
        Stall(f64),
        Seek(f64),
        Rate(u32),
        Hide(bool),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0.3f64..25.0).prop_map(Act::Play),
            1 => (0.1f64..40.0).prop_map(Act::Pause),
            1 => (0.1f64..20.0).prop_map(Act::Stall),
            2 => (0.0f64..1.0).prop_map(Act::Seek),
            1 => prop::sample::select(vec![500u32, 1000, 1500, 2000]).prop_map(Act::Rate),
            1 => any::<bool>().prop_map(Act::Hide),
        ]
    }

    proptest! {
        #[test]
        fn what_is_reported_is_what_was_played(acts in prop::collection::vec(act(), 1..30)) {
            const DURATION: f64 = 300.0;
            let (mut meter, mut media, mut wall, mut manner) = (Meter::new(DURATION), 0.0f64, 0.0f64, PLAIN);
            let mut truth = WatchMap::empty(DURATION);
            let mut reported = WatchMap::empty(DURATION);
            let (mut truly, mut reported_ms) = (0.0, 0);
            let mut take = |played: Option<Played>| {
                if let Some(p) = played {
                    assert!(p.to_ms > p.from_ms && p.seconds() <= (BEAT_EVERY_SECONDS + 1.0) * p.manner.rate() + 1e-6);
                    reported_ms += p.to_ms - p.from_ms;
                    reported.mark(CreditedRange { from: p.from_ms as f64 / 1000.0, to: (p.to_ms as f64 / 1000.0).min(DURATION) });
                }
            };
            for act in acts {
                let sample = |media, wall, moving, seeking, manner| Sample { media_seconds: media, wall_seconds: wall, moving, seeking, manner };
                match act {
                    Act::Play(seconds) => {
                        let from = media;
                        take(meter.observe(&sample(media, wall, true, false, manner)));
                        let mut left = seconds;
                        while left > 0.0 && media < DURATION {
                            let step = left.min(0.25);
                            wall += step;
                            media = (media + step * manner.rate()).min(DURATION);
                            left -= step;
                            take(meter.observe(&sample(media, wall, media < DURATION, false, manner)));
                        }
                        truly += media - from;
                        if media > from { truth.mark(CreditedRange { from, to: media }); }
                    }
                    Act::Pause(seconds) => {
                        take(meter.observe(&sample(media, wall, false, false, manner)));
                        wall += seconds;
                    }
                    Act::Stall(seconds) => {
                        take(meter.observe(&sample(media, wall, false, false, manner)));
                        wall += seconds;
                        take(meter.observe(&sample(media, wall, true, false, manner)));
                    }
                    Act::Seek(share) => {
                        media = share * DURATION;
                        take(meter.observe(&sample(media, wall, true, true, manner)));
                        wall += 0.05;
                    }
                    Act::Rate(rate_milli) => {
                        manner.rate_milli = rate_milli;
                        take(meter.observe(&sample(media, wall, media < DURATION, false, manner)));
                    }
                    Act::Hide(hidden) => {
                        manner.hidden = hidden;
                        take(meter.observe(&sample(media, wall, media < DURATION, false, manner)));
                    }
                }
            }
            take(meter.observe(&Sample { media_seconds: media, wall_seconds: wall, moving: false, seeking: false, manner }));
            prop_assert!((reported_ms as f64 / 1000.0 - truly).abs() < 0.5, "{reported_ms} ms of {truly} s");
            prop_assert!((i64::from(reported.unique_seconds()) - i64::from(truth.unique_seconds())).abs() <= 2);
        }
    }
}
