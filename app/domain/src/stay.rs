//! What a booked place comes with: how long its link works, when its outcome becomes final, where a latecomer begins,
//! and what a calendar holds of it.
//!
//! These are the rules between a booking and its end, for whoever needs them: the server that stores and measures, and
//! the [rehearsal](crate::rehearsal) that plays them through. Sources: product.md §4.1, §4.4 and §4.8.

use crate::moment::Moment;
use crate::schedule::{LateJoin, Schedule};
use crate::watching::{FINAL_AFTER_SECONDS, IDLE_SECONDS};

/// Seconds after the end of a session from which its outcome can become final (product.md §4.4).
pub const SESSION_FINAL_AFTER_SECONDS: i64 = 15 * 60;
/// An entry made so many seconds before the start, or fewer, helps nobody any more (product.md §4.8).
pub const ENTRY_TOO_LATE_SECONDS: i64 = 30 * 60;
/// Lengths in calendars are rounded up to quarters of an hour (product.md §4.8).
pub const ENTRY_QUARTER_SECONDS: i64 = 15 * 60;

/// Whether a session is far enough away to be put into a calendar.
#[must_use]
pub fn is_worth_an_entry(starts_at: Moment, now: Moment) -> bool {
    starts_at > now.plus_seconds(ENTRY_TOO_LATE_SECONDS)
}

/// When the entry of a session ends. `duration_seconds` is the recording's.
#[must_use]
pub fn entry_ends_at(starts_at: Moment, duration_seconds: i64) -> Moment {
    let quarters = (duration_seconds.max(1) + ENTRY_QUARTER_SECONDS - 1) / ENTRY_QUARTER_SECONDS;
    starts_at.plus_seconds(quarters * ENTRY_QUARTER_SECONDS)
}

/// Whether nothing was played for [`IDLE_SECONDS`]: a pause is not the end, this is.
#[must_use]
pub fn is_idle(last_credit_at: Option<Moment>, now: Moment) -> bool {
    last_credit_at.is_none_or(|last| last.plus_seconds(IDLE_SECONDS) <= now)
}

/// Left this close to the end, the recording starts over: nobody comes back for the last words.
const NEAR_END_SECONDS: f64 = 10.0;

/// Where the recording begins for somebody who opens the room.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arrival {
    /// The second of the recording.
    pub at_second: f64,
    /// Whether that is where they left it.
    pub goes_on: bool,
}

/// Where somebody begins who opens the room now. `starts_at` is their session's, if it has a time; `left_at` the second
/// of the recording at which they left it, if they have played any of it. While a session runs and its coach lets people
/// join where it is, they do; otherwise everybody goes on where they left, on whatever device (product.md §2.7).
#[must_use]
pub fn opens_at_second(
    late_join: LateJoin,
    (starts_at, now): (Option<Moment>, Moment),
    duration_seconds: f64,
    left_at: Option<f64>,
) -> Arrival {
    let running = starts_at.map_or(0.0, |starts_at| now.seconds_since(starts_at));
    if late_join == LateJoin::WhereItIs && running > 0.0 && running < duration_seconds {
        return Arrival { at_second: running, goes_on: false };
    }
    let left_at = left_at.filter(|left_at| (0.0..duration_seconds - NEAR_END_SECONDS).contains(left_at));
    Arrival { at_second: left_at.unwrap_or_default(), goes_on: left_at.is_some_and(|left_at| left_at > 0.0) }
}

/// The times of one booked place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Until when the link plays anything.
    pub expires_at: Moment,
    /// From when the outcome can become final; nothing where people watch when they like.
    pub finalises_at: Option<Moment>,
}

impl Stay {
    /// Of a session that starts then. `duration_seconds` is the recording's, in whole seconds.
    #[must_use]
    pub const fn in_a_session(schedule: &Schedule, starts_at: Moment, duration_seconds: i64) -> Self {
        let ends_at = starts_at.plus_seconds(duration_seconds);
        Self {
            // Whoever came late and watches from the start is not cut off before the end.
            expires_at: ends_at.plus_seconds(duration_seconds).plus_days(schedule.replay_days as i64),
            finalises_at: Some(ends_at.plus_seconds(SESSION_FINAL_AFTER_SECONDS)),
        }
    }

    /// Of the recording at once: counted from registering, and from the first real play once there is one (product.md
    /// §4.1). `link_days` is the webinar's.
    #[must_use]
    pub const fn at_once(from: Moment, link_days: i64) -> Self {
        Self { expires_at: from.plus_days(link_days), finalises_at: None }
    }

    /// When the follow-ups start counting: at the end of the session, or, for who watches when they like, when the
    /// outcome is final. Nothing before that.
    #[must_use]
    pub fn over_at(&self, finalised_at: Option<Moment>) -> Option<Moment> {
        self.finalises_at.map(|at| at.plus_seconds(-SESSION_FINAL_AFTER_SECONDS)).or(finalised_at)
    }

    /// When the outcome becomes final if nothing is played after `last_credit_at`: when the link runs out, when the last
    /// play is [a day](FINAL_AFTER_SECONDS) old, or when the session is over and nobody is watching any more.
    #[must_use]
    pub fn final_at(&self, last_credit_at: Option<Moment>) -> Moment {
        let is_a_day_old = last_credit_at.map(|last| last.plus_seconds(FINAL_AFTER_SECONDS));
        let has_left = self.finalises_at.map(|at| {
            let stopped_at = last_credit_at.map(|last| last.plus_seconds(IDLE_SECONDS));
            stopped_at.map_or(at, |stopped_at| stopped_at.max(at))
        });
        [is_a_day_old, has_left].into_iter().flatten().fold(self.expires_at, Moment::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn start() -> Moment {
        Moment::from_unix_seconds(1_796_148_900)
    }

    #[test]
    fn a_session_is_final_once_it_is_over_and_nobody_watches() {
        let stay = Stay::in_a_session(&Schedule::default(), start(), HOUR);
        let end = start().plus_seconds(HOUR);
        assert_eq!(stay.final_at(None), end.plus_seconds(900));
        assert_eq!(stay.final_at(Some(end)), end.plus_seconds(900));
        assert_eq!(stay.final_at(Some(end.plus_seconds(600))), end.plus_seconds(1_200));
        assert_eq!(stay.expires_at, end.plus_seconds(HOUR).plus_days(7));
        assert_eq!(stay.over_at(None), Some(end));
    }

    #[test]
    fn watching_when_one_likes_is_final_a_day_after_the_last_play_or_with_the_link() {
        let stay = Stay::at_once(start(), 7);
        assert_eq!(stay.final_at(None), start().plus_days(7));
        assert_eq!(stay.final_at(Some(start().plus_days(2))), start().plus_days(3));
        assert_eq!(stay.final_at(Some(start().plus_days(7))), start().plus_days(7));
        assert_eq!(stay.over_at(None), None);
        assert_eq!(stay.over_at(Some(start())), Some(start()));
    }

    #[test]
    fn calendars_round_up_and_are_not_offered_in_the_last_half_hour() {
        assert!(!is_worth_an_entry(start(), start().plus_seconds(-1_800)));
        assert!(is_worth_an_entry(start(), start().plus_seconds(-1_801)));
        assert_eq!(entry_ends_at(start(), 1), start().plus_seconds(900));
        assert_eq!(entry_ends_at(start(), 900), start().plus_seconds(900));
        assert_eq!(entry_ends_at(start(), 901), start().plus_seconds(1_800));
    }

    fn opens(late_join: LateJoin, late: i64, left_at: Option<f64>) -> Arrival {
        opens_at_second(late_join, (Some(start()), start().plus_seconds(late)), 3_600.0, left_at)
    }

    #[test]
    fn latecomers_begin_where_the_coach_chose() {
        let from_the_start = Arrival::default();
        assert_eq!(opens(LateJoin::FromTheStart, 300, None), from_the_start);
        assert_eq!(opens(LateJoin::WhereItIs, 300, None), Arrival { at_second: 300.0, goes_on: false });
        assert_eq!(opens(LateJoin::WhereItIs, 300, Some(60.0)), Arrival { at_second: 300.0, goes_on: false });
        assert_eq!(opens(LateJoin::WhereItIs, 3_600, None), from_the_start);
        assert_eq!(opens(LateJoin::WhereItIs, 0, None), from_the_start);
    }

    #[test]
    fn going_on_where_one_left_except_at_the_very_end() {
        let going_on = |second| Arrival { at_second: second, goes_on: true };
        assert_eq!(opens(LateJoin::FromTheStart, 300, Some(1_200.0)), going_on(1_200.0));
        assert_eq!(opens(LateJoin::WhereItIs, 7_200, Some(1_200.0)), going_on(1_200.0));
        assert_eq!(opens(LateJoin::FromTheStart, 300, Some(3_595.0)), Arrival::default());
        let without_a_time = opens_at_second(LateJoin::WhereItIs, (None, start()), 3_600.0, Some(90.0));
        assert_eq!(without_a_time, going_on(90.0));
        let short = opens_at_second(LateJoin::FromTheStart, (None, start()), 8.0, Some(5.0));
        assert_eq!(short, Arrival::default());
    }
}
