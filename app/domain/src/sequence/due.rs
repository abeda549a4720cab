//! Which of somebody's mails go now, when the time of more than one has come.
//!
//! In quiet times one mail is due at a time. After downtime several are, and a person must not pay for that with a
//! burst: of reminders only the one nearest to the start goes, and follow-ups keep their distance (scenario 5).

use super::planning::is_within;
use super::{DropReason, Segment, TOO_CLOSE_MINUTES, Timing, TimingKind, Verdict};
use crate::moment::Moment;
use crate::watching::IDLE_SECONDS;

/// A reminder so many minutes behind its time is late: it gives way to the next one if that comes soon.
pub const LATE_MINUTES: i64 = 5;

/// A waiting mail of one registration. Those whose time is still to come are given as well: a late reminder gives way
/// to one that follows within minutes.
#[derive(Clone, Copy, Debug)]
pub struct DueRow<'a, Id> {
    /// Which template's.
    pub id: Id,
    /// The template's timing.
    pub timing: Timing,
    /// The template's segment.
    pub segment: &'a Segment,
    /// When it was planned to go.
    pub send_at: Moment,
    /// Until when it is of use.
    pub useful_until: Moment,
    /// What [`Template::verdict`](super::Template::verdict) says of it now.
    pub verdict: Verdict,
}

/// What becomes of a mail whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes.
    Send,
    /// It is asked about again then. Its planned time stays what it was.
    Later {
        /// When.
        at: Moment,
    },
    /// This person is not to get it.
    Drop(DropReason),
    /// It is of no use any more.
    Expired,
    /// Another one goes in its place.
    Superseded,
}

/// Decides over the mails of one registration whose time has come; the others get no decision. `last_follow_up_at` is
/// when the last follow-up went to this registration.
///
/// - Past its use: expired. Not to be written to: dropped. Both count for nothing in what follows.
/// - Of reminders the one with the latest time goes, alone; the first given of two at the same time. The others are
///   superseded, and so is one that is more than [`LATE_MINUTES`] late when another follows within
///   [`TOO_CLOSE_MINUTES`], and every one that is due together with a confirmation, which says the same.
/// - Follow-ups for the same people are a series: after downtime the latest of them goes, the others are superseded.
///   Two for different segments that both fit somebody are two different things to say, so both go: one now, the other
///   [`TOO_CLOSE_MINUTES`] later. Who is still watching is not judged before they stopped.
#[must_use]
pub fn due<Id: Copy>(rows: &[DueRow<'_, Id>], last_follow_up_at: Option<Moment>, now: Moment) -> Vec<(Id, Decision)> {
    let is_due = |row: &DueRow<'_, Id>| row.send_at <= now;
    let may_go = |row: &DueRow<'_, Id>| row.useful_until >= now && row.verdict == Verdict::Send;
    let places = |kind: TimingKind| {
        let is_candidate = move |row: &DueRow<'_, Id>| row.timing.kind() == kind && is_due(row) && may_go(row);
        (0..rows.len()).filter(move |place| is_candidate(&rows[*place]))
    };

    let confirms = places(TimingKind::Confirmation).next().is_some();
    let reminder = latest(rows, places(TimingKind::Before)).filter(|place| {
        let send_at = rows[*place].send_at;
        let is_late = send_at.plus_seconds(LATE_MINUTES * 60) < now;
        let is_next = |next: &DueRow<'_, Id>| {
            let is_reminder = next.timing.kind() == TimingKind::Before && may_go(next);
            is_reminder && next.send_at > now && is_within(next.send_at, now, TOO_CLOSE_MINUTES)
        };
        !(confirms || is_late && rows.iter().any(is_next))
    });
    // One per segment, then the one among them that has waited longest.
    let heads_its_segment = |place: &usize| {
        let same = places(TimingKind::After).filter(|other| rows[*other].segment == rows[*place].segment);
        latest(rows, same) == Some(*place)
    };
    let follow_ups: Vec<usize> = places(TimingKind::After).filter(heads_its_segment).collect();
    let free_at = last_follow_up_at.map(|last| last.plus_seconds(TOO_CLOSE_MINUTES * 60)).filter(|free| *free > now);
    let follow_up = match free_at {
        None => follow_ups.iter().copied().min_by_key(|place| (rows[*place].send_at, *place)),
        Some(_) => None,
    };
    let next_free_at = free_at.unwrap_or_else(|| now.plus_seconds(TOO_CLOSE_MINUTES * 60));

    let decide = |place: usize, row: &DueRow<'_, Id>| match (row.verdict, row.timing) {
        _ if row.useful_until < now => Decision::Expired,
        (Verdict::Drop(reason), _) => Decision::Drop(reason),
        (Verdict::Wait, _) => Decision::Later { at: now.plus_seconds(IDLE_SECONDS) },
        (Verdict::Send, Timing::Confirmation) => Decision::Send,
        (Verdict::Send, Timing::Before { .. }) if reminder == Some(place) => Decision::Send,
        (Verdict::Send, Timing::After { .. }) if follow_up == Some(place) => Decision::Send,
        (Verdict::Send, Timing::After { .. }) if follow_ups.contains(&place) => Decision::Later { at: next_free_at },
        (Verdict::Send, _) => Decision::Superseded,
    };
    rows.iter().enumerate().filter(|(_, row)| is_due(row)).map(|(place, row)| (row.id, decide(place, row))).collect()
}

/// The place of the row with the latest time; the first of several.
fn latest<Id>(rows: &[DueRow<'_, Id>], places: impl Iterator<Item = usize>) -> Option<usize> {
    places.max_by_key(|place| (rows[*place].send_at, std::cmp::Reverse(*place)))
}
