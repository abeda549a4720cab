//! Which state a mail starts in for somebody who registered, and what becomes of it after a change.
//!
//! `now` is the moment of the change that makes planning necessary (a form sent, a session moved), not of the job that
//! does the work, so that a late worker loses nobody a mail. A row that was sent stays as it is, whatever changes.

use super::{DropReason, Template, Timing, TimingKind};
use crate::closed_list;
use crate::moment::Moment;

/// A reminder within so many minutes of the confirmation says nothing new (product.md §4.7). Follow-ups keep the same
/// distance from each other.
pub const TOO_CLOSE_MINUTES: i64 = 20;
/// A just-in-time session booked less than so many minutes ahead has its confirmation only (product.md §4.7).
pub const CONFIRMATION_ONLY_MINUTES: i64 = 15;
/// A reminder is of use until so many minutes after the start (product.md §4.7).
pub const REMINDER_USEFUL_MINUTES: i64 = 5;
/// A follow-up is of use for so many hours (product.md §4.7), and so is a confirmation without a session.
pub const FOLLOW_UP_USEFUL_HOURS: i64 = 48;

closed_list! {
    /// How somebody meets the recording, in the words sessions are stored with. Finer than
    /// [`SessionKind`](crate::webinar::SessionKind): one webinar can be booked at a set time, soon, or at once.
    BookingKind {
        /// At a set time.
        Scheduled = "scheduled",
        /// Minutes after they came to the page.
        JustInTime = "just_in_time",
        /// When they press play.
        OnDemand = "on_demand",
        /// When they press play, with full controls.
        Replay = "replay",
    }
}

impl BookingKind {
    /// Whether there is a start to be reminded of.
    #[must_use]
    pub const fn has_a_start(self) -> bool {
        matches!(self, Self::Scheduled | Self::JustInTime)
    }
}

/// What a plan depends on, of one person's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    /// When they chose the session they are booked on: when they registered, or switched to this session themselves.
    pub registered_at: Moment,
    /// When the mail that confirmed it goes: the confirmation, or the word about the new time.
    pub confirmed_at: Moment,
    /// How they meet the recording.
    pub kind: BookingKind,
    /// When their session starts; nothing where they watch when they like.
    pub starts_at: Option<Moment>,
    /// When it ends. Where they watch when they like: their first play plus the recording's length, and nothing before.
    pub ends_at: Option<Moment>,
}

closed_list! {
    /// Why a mail was never planned for somebody.
    SkipReason {
        /// Its time had passed when they registered.
        RegisteredTooLate = "registered_too_late",
        /// It would have come with the confirmation.
        TooClose = "too_close",
        /// There was no time to remind anybody of.
        ConfirmationOnly = "confirmation_only",
        /// Its time had passed when the coach added it.
        AddedTooLate = "added_too_late",
        /// Its time had passed when it was planned for some other reason: the session or the mail was moved.
        AlreadyPassed = "already_passed",
        /// The coach has it switched off.
        SwitchedOff = "switched_off",
        /// The coach took it out of the sequence.
        Removed = "removed",
    }
}

impl SkipReason {
    /// For the coach's timeline.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::RegisteredTooLate => "Not sent: registered too late for it.",
            Self::TooClose => "Not sent: too close to the confirmation, which says the same.",
            Self::ConfirmationOnly => "Not sent: with no wait before the recording, the confirmation is enough.",
            Self::AddedTooLate => "Not sent: it was added when its time had passed for this person.",
            Self::AlreadyPassed => "Not sent: the session or the mail was moved, and its new time had passed.",
            Self::SwitchedOff => "Not sent: it is switched off.",
            Self::Removed => "Not sent: it was removed from the sequence.",
        }
    }

    /// Whether the reason lies in the times, and may be another one once they change.
    const fn is_about_times(self) -> bool {
        matches!(self, Self::RegisteredTooLate | Self::TooClose | Self::ConfirmationOnly | Self::AddedTooLate)
    }
}

/// What is planned of a template for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// It goes, unless something happens until then.
    Waiting {
        /// When.
        send_at: Moment,
        /// Tried again until then; later it would say what is no longer so.
        useful_until: Moment,
    },
    /// It does not go.
    Skipped(SkipReason),
    /// Nothing to plan yet: there is no end before somebody who watches when they like has pressed play.
    NotYet,
}

/// Plans one template for somebody. Exact to the microsecond and in UTC, so that no clock change moves it.
///
/// The confirmation goes at once to whoever registers after it was added: a coach who has registrants already when her
/// sequence is made does not write to them again. It is of use until their session ends, because it carries the way in;
/// without a session for [`FOLLOW_UP_USEFUL_HOURS`], after which people have asked for their link again.
#[must_use]
pub fn plan<Id>(template: &Template<Id>, booking: &Booking, now: Moment) -> Planned {
    let is_reminder = template.timing.kind() == TimingKind::Before;
    let is_confirmation = template.timing == Timing::Confirmation;
    if !template.is_on && !is_confirmation {
        return Planned::Skipped(SkipReason::SwitchedOff);
    }
    if is_reminder && is_confirmed_only(booking) {
        return Planned::Skipped(SkipReason::ConfirmationOnly);
    }
    let Some(send_at) = template.timing.send_at(booking) else {
        return Planned::NotYet;
    };
    if is_confirmation {
        if template.added_at > booking.registered_at {
            return Planned::Skipped(SkipReason::AddedTooLate);
        }
    } else if send_at <= booking.registered_at {
        return Planned::Skipped(SkipReason::RegisteredTooLate);
    } else if send_at <= template.added_at {
        return Planned::Skipped(SkipReason::AddedTooLate);
    } else if is_reminder && is_within(send_at, booking.confirmed_at, TOO_CLOSE_MINUTES) {
        return Planned::Skipped(SkipReason::TooClose);
    } else if send_at < now {
        return Planned::Skipped(SkipReason::AlreadyPassed);
    }
    Planned::Waiting { send_at, useful_until: useful_until(template.timing, booking, send_at) }
}

/// Whether there is nothing to be reminded of: no start, or one that is minutes away.
fn is_confirmed_only(booking: &Booking) -> bool {
    let is_soon = |starts_at: Moment| starts_at < booking.registered_at.plus_seconds(CONFIRMATION_ONLY_MINUTES * 60);
    match booking.kind {
        BookingKind::OnDemand | BookingKind::Replay => true,
        BookingKind::JustInTime => booking.starts_at.is_none_or(is_soon),
        BookingKind::Scheduled => booking.starts_at.is_none(),
    }
}

/// Whether two moments are at most so many minutes apart, whichever is first: a confirmation may be late itself.
pub(super) fn is_within(one: Moment, other: Moment, minutes: i64) -> bool {
    one <= other.plus_seconds(minutes * 60) && other <= one.plus_seconds(minutes * 60)
}

fn useful_until(timing: Timing, booking: &Booking, send_at: Moment) -> Moment {
    let for_days = send_at.plus_seconds(FOLLOW_UP_USEFUL_HOURS * 3_600);
    match timing {
        Timing::Before { .. } => {
            booking.starts_at.map_or(send_at, |start| start.plus_seconds(REMINDER_USEFUL_MINUTES * 60))
        }
        Timing::After { .. } => for_days,
        Timing::Confirmation => {
            let has_a_session = booking.kind.has_a_start();
            booking.ends_at.filter(|end| has_a_session && *end > send_at).unwrap_or(for_days)
        }
    }
}

closed_list! {
    /// The stored word of a [`Row`].
    RowState {
        /// It goes when its time comes.
        Waiting = "waiting",
        /// It was never to go.
        Skipped = "skipped",
        /// It went.
        Sent = "sent",
        /// Its time came, and this person was not to be written to.
        Dropped = "dropped",
        /// It could not go while it was of use.
        Expired = "expired",
        /// A later one went in its place.
        Superseded = "superseded",
    }
}

/// One planned mail as it is kept: one per registration and template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// It goes when its time comes. A retry or a postponement is the caller's to remember; this time stays.
    Waiting {
        /// When.
        send_at: Moment,
        /// Tried again until then.
        useful_until: Moment,
    },
    /// It was never to go.
    Skipped(SkipReason),
    /// It went, or was handed over for good.
    Sent {
        /// When.
        at: Moment,
    },
    /// Its time came, and this person was not to be written to.
    Dropped {
        /// Why.
        reason: DropReason,
        /// When that was decided.
        at: Moment,
    },
    /// It could not go while it was of use.
    Expired {
        /// When that was found.
        at: Moment,
    },
    /// A later one went in its place.
    Superseded {
        /// When that was decided.
        at: Moment,
    },
}

/// A [`Row`] in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRow<'a> {
    /// A word of [`RowState`].
    pub state: &'a str,
    /// A word of [`SkipReason`] or [`DropReason`], by the state.
    pub reason: Option<&'a str>,
    /// Of a waiting row.
    pub send_at: Option<Moment>,
    /// Of a waiting row.
    pub useful_until: Option<Moment>,
    /// When it was sent, dropped, found expired or superseded.
    pub decided_at: Option<Moment>,
}

impl Row {
    /// The stored word.
    #[must_use]
    pub const fn state(&self) -> RowState {
        match self {
            Self::Waiting { .. } => RowState::Waiting,
            Self::Skipped(_) => RowState::Skipped,
            Self::Sent { .. } => RowState::Sent,
            Self::Dropped { .. } => RowState::Dropped,
            Self::Expired { .. } => RowState::Expired,
            Self::Superseded { .. } => RowState::Superseded,
        }
    }

    /// In columns.
    #[must_use]
    pub const fn stored(&self) -> StoredRow<'static> {
        let state = self.state().as_str();
        let bare = StoredRow { state, reason: None, send_at: None, useful_until: None, decided_at: None };
        match *self {
            Self::Waiting { send_at, useful_until } => {
                StoredRow { send_at: Some(send_at), useful_until: Some(useful_until), ..bare }
            }
            Self::Skipped(reason) => StoredRow { reason: Some(reason.as_str()), ..bare },
            Self::Dropped { reason, at } => StoredRow { reason: Some(reason.as_str()), decided_at: Some(at), ..bare },
            Self::Sent { at } | Self::Expired { at } | Self::Superseded { at } => {
                StoredRow { decided_at: Some(at), ..bare }
            }
        }
    }

    /// From columns; nothing where they do not fit together.
    #[must_use]
    pub fn from_stored(stored: StoredRow<'_>) -> Option<Self> {
        Some(match RowState::from_stored(stored.state)? {
            RowState::Waiting => Self::Waiting { send_at: stored.send_at?, useful_until: stored.useful_until? },
            RowState::Skipped => Self::Skipped(SkipReason::from_stored(stored.reason?)?),
            RowState::Sent => Self::Sent { at: stored.decided_at? },
            RowState::Dropped => {
                Self::Dropped { reason: DropReason::from_stored(stored.reason?)?, at: stored.decided_at? }
            }
            RowState::Expired => Self::Expired { at: stored.decided_at? },
            RowState::Superseded => Self::Superseded { at: stored.decided_at? },
        })
    }

    /// For the coach's timeline.
    #[must_use]
    pub const fn sentence(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "Waits for its time.",
            Self::Skipped(reason) => reason.sentence(),
            Self::Sent { .. } => "Sent.",
            Self::Dropped { reason, .. } => reason.sentence(),
            Self::Expired { .. } => "Not sent: it could not be delivered while it was of use.",
            Self::Superseded { .. } => "Not sent: superseded by a later mail, so that not several come at once.",
        }
    }
}

/// The row as it should be after a change; nothing where none should be kept yet. `None` for the row plans anew (a
/// template added later, a first play); `None` for the template means that it was removed.
///
/// - What was sent stays sent.
/// - What waits moves with its session and template. If the new time has passed it is skipped, unless it was due already
///   and only waits for the worker.
/// - What was skipped comes back when its time now lies ahead. Else it keeps its reason, unless the times now give
///   another; "already passed" is none, because every time passes.
/// - What was dropped, expired or superseded comes back when its time now lies ahead: it never arrived. A dropped
///   follow-up only with a new session: who belongs to a segment was asked once, and a mail whose time is
///   merely edited must not become a second follow-up after somebody watched on (scenario 6).
#[must_use]
pub fn replan<Id>(row: Option<Row>, template: Option<&Template<Id>>, booking: &Booking, now: Moment) -> Option<Row> {
    let planned = template.map_or(Planned::Skipped(SkipReason::Removed), |template| plan(template, booking, now));
    let is_follow_up = template.is_some_and(|template| template.timing.kind() == TimingKind::After);
    let anew = match planned {
        Planned::Waiting { send_at, useful_until } => Some(Row::Waiting { send_at, useful_until }),
        Planned::Skipped(reason) => Some(Row::Skipped(reason)),
        Planned::NotYet => None,
    };
    let Some(row) = row else {
        return anew;
    };
    let is_ahead = matches!(planned, Planned::Waiting { send_at, .. } if send_at > now);
    match row {
        Row::Sent { .. } => Some(row),
        Row::Waiting { send_at, .. } => match (planned, template) {
            (Planned::Skipped(SkipReason::AlreadyPassed), Some(template)) if send_at <= now => {
                overdue(template, booking).or(anew)
            }
            _ => anew,
        },
        Row::Skipped(_) if is_ahead => anew,
        Row::Skipped(_) => match planned {
            Planned::Skipped(reason) if reason.is_about_times() => anew,
            _ => Some(row),
        },
        Row::Dropped { at, .. } if is_ahead && is_follow_up => {
            let has_a_new_session = booking.ends_at.is_some_and(|end| end > at);
            if has_a_new_session { anew } else { Some(row) }
        }
        Row::Dropped { .. } | Row::Expired { .. } | Row::Superseded { .. } => {
            if is_ahead {
                anew
            } else {
                Some(row)
            }
        }
    }
}

/// A row whose time has come and that only waits for the worker, with its times as they are by now.
fn overdue<Id>(template: &Template<Id>, booking: &Booking) -> Option<Row> {
    let send_at = template.timing.send_at(booking)?;
    Some(Row::Waiting { send_at, useful_until: useful_until(template.timing, booking, send_at) })
}
