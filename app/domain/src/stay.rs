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

/// The second of the recording at which somebody begins who opens the room of a session now and has not been there
/// before. Once the session is over everybody begins at the beginning.
#[must_use]
pub fn begins_at_second(late_join: LateJoin, starts_at: Moment, now: Moment, duration_seconds: f64) -> f64 {
    let running = now.seconds_since(starts_at);
    let joins_where_it_is = late_join == LateJoin::WhereItIs && (0.0..duration_seconds).contains(&running);
    if joins_where_it_is { running } else { 0.0 }
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

    #[test]
    fn latecomers_begin_where_the_coach_chose() {
        let begins = |late_join, late: i64| begins_at_second(late_join, start(), start().plus_seconds(late), 3_600.0);
        assert!(begins(LateJoin::FromTheStart, 300) == 0.0);
        assert!(begins(LateJoin::WhereItIs, 300) == 300.0);
        assert!(begins(LateJoin::WhereItIs, 3_600) == 0.0);
    }
}
