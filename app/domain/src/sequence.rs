//! The mails around a webinar: which are planned for whom, when each goes, and why one does not go.
//!
//! A coach edits a *sequence* of templates. Whoever registers gets one row per template: [`plan`] says which state it
//! starts in, [`replan`] what becomes of it after a change, [`due`] which of the rows whose time has come go now, and
//! [`Template::verdict`] whether this person may be written to at all. The server stores the rows and sends; nothing
//! here reads a clock or a database. What is written is filled in by [`placeholders`], with this person's values.
//! The browser uses the same checks while a coach types. Sources: product.md §4.7, scenarios 3 to 6 and 9.

mod default_set;
mod due;
pub mod form;
pub mod placeholders;
mod planning;
mod segment;
mod segment_words;
mod verdict;

use serde::{Deserialize, Serialize};

use crate::closed_list;
use crate::moment::Moment;
use crate::refusal::Refusal;

pub use default_set::{DefaultTemplate, default_set};
pub use due::{Decision, DueRow, LATE_MINUTES, due};
pub use planning::{
    Booking, BookingKind, CONFIRMATION_ONLY_MINUTES, FOLLOW_UP_USEFUL_HOURS, Planned, REMINDER_USEFUL_MINUTES, Row,
    RowState, SkipReason, StoredRow, TOO_CLOSE_MINUTES, plan, replan,
};
pub use segment::{Behaviour, Condition, Joined, MAX_CONDITIONS, MAX_SEGMENT_SECONDS, PollAnswer, Segment};
pub use verdict::{DropReason, Facts, Purpose, Suppression, Verdict, may_send};

/// Most reminders before a session (product.md §4.7).
pub const MAX_BEFORE: usize = 10;
/// Most follow-ups after a session (product.md §4.7).
pub const MAX_AFTER: usize = 10;
/// A reminder goes 5 minutes to 30 days before the start: any later, and it could arrive after it; any earlier, and
/// nobody has been offered the session yet.
pub const BEFORE_MINUTES: std::ops::RangeInclusive<u32> = 5..=43_200;
/// A follow-up goes at the end itself, or up to 30 days after it.
pub const AFTER_MINUTES: std::ops::RangeInclusive<u32> = 0..=43_200;

closed_list! {
    /// What a template's time is counted from: the stored word of a [`Timing`], beside its minutes.
    TimingKind {
        /// Registering.
        Confirmation = "confirmation",
        /// The start of the session, backwards.
        Before = "before",
        /// The end of the session.
        After = "after",
    }
}

/// When a mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum Timing {
    /// As soon as somebody registered.
    Confirmation,
    /// Before the session starts.
    Before {
        /// How long before, within [`BEFORE_MINUTES`].
        minutes: u32,
    },
    /// After the session ended.
    After {
        /// How long after, within [`AFTER_MINUTES`].
        minutes: u32,
    },
}

impl Timing {
    /// What it is counted from.
    #[must_use]
    pub const fn kind(self) -> TimingKind {
        match self {
            Self::Confirmation => TimingKind::Confirmation,
            Self::Before { .. } => TimingKind::Before,
            Self::After { .. } => TimingKind::After,
        }
    }

    /// How many minutes from there; 0 for the confirmation.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Confirmation => 0,
            Self::Before { minutes } | Self::After { minutes } => minutes,
        }
    }

    /// From the stored word and minutes; nothing where they break the bounds, as a stored row never should.
    #[must_use]
    pub fn from_stored(word: &str, minutes: i32) -> Option<Self> {
        let minutes = u32::try_from(minutes).ok()?;
        let timing = match TimingKind::from_stored(word)? {
            TimingKind::Confirmation => Self::Confirmation,
            TimingKind::Before => Self::Before { minutes },
            TimingKind::After => Self::After { minutes },
        };
        timing.check().ok().map(|()| timing)
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// Refuses minutes outside [`BEFORE_MINUTES`] and [`AFTER_MINUTES`].
    pub fn check(self) -> Result<(), Refusal> {
        let message = match self {
            Self::Before { minutes } if !BEFORE_MINUTES.contains(&minutes) => {
                "A reminder can go from 30 days to 5 minutes before the start."
            }
            Self::After { minutes } if !AFTER_MINUTES.contains(&minutes) => {
                "A follow-up can go right at the end, or up to 30 days after it."
            }
            _ => return Ok(()),
        };
        Err(Refusal::field("minutes", message))
    }

    /// When it goes for somebody, to the microsecond; nothing while its session has no start or no end.
    #[must_use]
    pub const fn send_at(self, booking: &Booking) -> Option<Moment> {
        let (from, minutes) = match self {
            Self::Confirmation => (Some(booking.confirmed_at), 0),
            Self::Before { minutes } => (booking.starts_at, -(minutes as i64)),
            Self::After { minutes } => (booking.ends_at, minutes as i64),
        };
        match from {
            Some(from) => Some(from.plus_seconds(minutes * 60)),
            None => None,
        }
    }

    /// For people, such as `1 day before the start`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Confirmation => "Right after registering".to_owned(),
            Self::Before { minutes } => format!("{} before the start", span_text(minutes)),
            Self::After { minutes: 0 } => "Right at the end".to_owned(),
            Self::After { minutes } => format!("{} after the end", span_text(minutes)),
        }
    }
}

/// Minutes for people, in at most two units: `1 day`, `1 hour and 30 minutes`, `2 days and 5 minutes`.
fn span_text(minutes: u32) -> String {
    let counted = |count: u32, unit: &str| match count {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{count} {unit}s")),
    };
    let parts = [counted(minutes / 1_440, "day"), counted(minutes / 60 % 24, "hour"), counted(minutes % 60, "minute")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.split_last() {
        None => "0 minutes".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Everything a planner knows of a template. `Id` is what the caller tells its templates apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<Id> {
    /// Which.
    pub id: Id,
    /// When it goes.
    pub timing: Timing,
    /// To whom; only a follow-up may be choosy.
    pub segment: Segment,
    /// Whether it sells something: then it goes only to those who agreed to that, and never to who has bought.
    pub is_promotional: bool,
    /// Whether it is switched on. The confirmation always is, because it carries the way in.
    pub is_on: bool,
    /// When the coach added it to the sequence.
    pub added_at: Moment,
}

impl<Id> Template<Id> {
    /// What its mails are for, in the eyes of the law.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        match self.timing {
            Timing::Confirmation => Purpose::Confirmation,
            Timing::Before { .. } => Purpose::Reminder,
            Timing::After { .. } if self.is_promotional => Purpose::Promotion,
            Timing::After { .. } => Purpose::FollowUp,
        }
    }

    /// Checks one template by itself. `duration_seconds` is the recording's, where there is one.
    ///
    /// # Errors
    /// Refuses, by field: a time out of bounds; a confirmation that is switched off; a confirmation or reminder that
    /// sells or that goes to some people only; a segment that is none.
    pub fn check(&self, duration_seconds: Option<f64>) -> Result<(), Refusal> {
        self.timing.check()?;
        let is_confirmation = self.timing == Timing::Confirmation;
        if is_confirmation && !self.is_on {
            let message = "The confirmation cannot be switched off: it brings people their link.";
            return Err(Refusal::field("is_on", message));
        }
        if self.timing.kind() != TimingKind::After {
            if self.is_promotional {
                let message = "Only a mail after the session can be an offer. People booked this one to be reminded.";
                return Err(Refusal::field("is_promotional", message));
            }
            if !self.segment.is_everybody() {
                let message = "Before the session everybody gets the same mails: nobody has watched anything yet.";
                return Err(Refusal::field("segment", message));
            }
        }
        self.segment.check(duration_seconds)
    }
}

/// Checks a whole sequence as it would be after a change. Templates that are switched off count, so that switching one
/// on is never refused for their number.
///
/// # Errors
/// Refuses a sequence without exactly one confirmation, one that is too long, and two templates that would reach the
/// same people at the same time.
pub fn check_sequence<Id>(templates: &[Template<Id>]) -> Result<(), Refusal> {
    let count = |kind| templates.iter().filter(|template| template.timing.kind() == kind).count();
    let message = match (count(TimingKind::Confirmation), count(TimingKind::Before), count(TimingKind::After)) {
        (0, ..) => "A sequence needs its confirmation: it brings people their link.".to_owned(),
        (2.., ..) => "There is a confirmation already. Please change that one.".to_owned(),
        (_, before, _) if before > MAX_BEFORE => {
            format!("At most {MAX_BEFORE} mails can go before a session. Please remove one first.")
        }
        (.., after) if after > MAX_AFTER => {
            format!("At most {MAX_AFTER} mails can go after a session. Please remove one first.")
        }
        _ => {
            let is_twice = |(place, one): (usize, &Template<Id>)| {
                let earlier = &templates[..place];
                earlier.iter().any(|other| other.timing == one.timing && other.segment == one.segment)
            };
            if !templates.iter().enumerate().any(is_twice) {
                return Ok(());
            }
            "There is a mail to the same people at this time already. Please choose another time.".to_owned()
        }
    };
    Err(Refusal::field("timing", message))
}

#[cfg(test)]
mod tests;
