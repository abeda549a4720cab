//! A journey rehearsed: everything one made-up registrant would meet, in time order, before anything is published.
//!
//! A coach names a figure, such as "Anna, in New York, registers on Tuesday at 20:50, takes the Thursday, comes five
//! minutes late and leaves at minute 30". [`rehearse`] plays that through with the very rules the real thing uses: what
//! is [offered](crate::schedule::offered), [planned](crate::sequence::replan), [judged](Template::verdict_until_final)
//! and [sent](crate::sequence::due), when a place [ends](crate::stay) and what [became of it](crate::watching::outcome).
//! Nothing here decides by itself, so that a rehearsal cannot promise what the real thing does not keep.
//!
//! It is played as if workers were never late, except where [`Mishaps`] say so. Sources: product.md §0.10, §2.1 and §4.

pub mod form;
mod mails;
mod playing;
mod words;

use serde::{Deserialize, Serialize};

use crate::ids::MailTemplateId;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::schedule::{Schedule, Zones, resolve};
use crate::sequence::Template;
use crate::watching::{Attendance, Thresholds};
use crate::webinar::SessionKind;

pub use playing::rehearse;

/// A mail of the sequence as far as a rehearsal needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter<Id> {
    /// When it goes, and to whom.
    pub template: Template<Id>,
    /// As the coach wrote it, with placeholders.
    pub subject: String,
}

/// Everything a coach set, as far as a registrant meets it.
#[derive(Clone, Debug)]
pub struct Setup<'a, Id> {
    /// The webinar's title.
    pub title: &'a str,
    /// Who speaks.
    pub presenter: &'a str,
    /// How the recording is met. Only a scheduled one has times to choose from.
    pub kind: SessionKind,
    /// Its times.
    pub schedule: &'a Schedule,
    /// Days for which the link to the recording at once works.
    pub link_days: u16,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// What counts as having been there, and as having stayed.
    pub thresholds: Thresholds,
    /// Whether the page has a box for offers.
    pub asks_about_offers: bool,
    /// The sequence.
    pub letters: &'a [Letter<Id>],
}

/// Which time a figure takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "takes", rename_all = "snake_case")]
pub enum Choice {
    /// The first one offered; the recording at once where no time is.
    #[default]
    FirstOffered,
    /// The one offered that starts then.
    At {
        /// The start.
        starts_at: Moment,
    },
    /// The recording at once, where the coach offers that.
    AtOnce,
}

/// One stay in the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Minutes until they open their link. Of the first visit: from the start of the session, or from registering where
    /// the recording is taken at once. Of every other one: from when they left.
    pub after_minutes: u32,
    /// The minute of the recording at which they leave; at its end without one.
    pub leaves_at_minute: Option<u32>,
}

/// What a figure does once registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum Conduct {
    /// Never opens the link.
    NeverComes,
    /// Opens the room, once or several times, and watches from wherever the recording begins or goes on for them.
    Comes {
        /// In order.
        visits: Vec<Visit>,
    },
    /// Presses "unsubscribe" in the first reminder, and does not come.
    UnsubscribesAfterFirstReminder,
    /// On time, to the end.
    #[default]
    StaysToTheEnd,
}

impl Conduct {
    /// Their visits, in order.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        match self {
            Self::NeverComes | Self::UnsubscribesAfterFirstReminder => Vec::new(),
            Self::Comes { visits } => visits.clone(),
            Self::StaysToTheEnd => vec![Visit::default()],
        }
    }
}

/// A made-up registrant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// First name, for the subjects of mails; may be empty.
    pub first_name: String,
    /// IANA name of the zone they live in.
    pub zone: String,
    /// When they send the form.
    pub signs_up_at: Moment,
    /// Minutes before that for which the page with the times was open to them.
    pub reads_minutes: u16,
    /// Which time they take.
    pub choice: Choice,
    /// Whether they tick the box for offers, where the page has one.
    pub wants_offers: bool,
    /// What they do then.
    pub conduct: Conduct,
}

/// What goes wrong meanwhile, if anything does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mishaps {
    /// When the coach calls the session off.
    pub called_off_at: Option<Moment>,
    /// From when (inclusive) until when (exclusive) no mail leaves.
    pub mails_rest: Option<(Moment, Moment)>,
}

/// A time as the figure sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenTime {
    /// When it starts.
    pub starts_at: Moment,
    /// In the figure's zone: `Tuesday, 1 December 2026, 18:00 (CET, UTC+1, Europe/Paris)`.
    pub text: String,
    /// What a change of the clocks did to it, in a sentence.
    pub note: Option<String>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum What<Id = MailTemplateId> {
    /// The figure sees the registration page.
    PageSeen {
        /// The times offered, in order.
        slots: Vec<SeenTime>,
        /// Whether the recording is offered at once as well.
        at_once: bool,
    },
    /// The figure is registered.
    Registered {
        /// For which session; without one for the recording at once.
        session: Option<SeenTime>,
        /// Whether the time chosen had passed when the form was sent, so that the next one was booked.
        is_next: bool,
        /// Whether they agreed to offers.
        wants_offers: bool,
    },
    /// They can put the session into their calendar.
    CalendarEntry {
        /// Start.
        starts: Moment,
        /// End, rounded up as calendars show it.
        ends: Moment,
    },
    /// A mail goes to them.
    Mail {
        /// Which template's.
        template: Id,
        /// Filled in for them.
        subject: String,
    },
    /// A mail does not go to them. It stands where that was decided.
    MailNot {
        /// Which template's.
        template: Id,
        /// Filled in for them.
        subject: String,
        /// Why, in a sentence.
        sentence: String,
    },
    /// They ended reminders and follow-ups.
    Unsubscribed,
    /// The session was called off.
    CalledOff,
    /// The waiting room counts down to the start.
    DoorsOpen,
    /// The recording starts.
    RoomOpens,
    /// They press play.
    Joined {
        /// At this second of the recording.
        at_second: u32,
        /// Whether it goes on where they left it.
        goes_on: bool,
    },
    /// They open the link when it plays nothing any more.
    FoundOver,
    /// They leave.
    Left {
        /// At this second of the recording.
        at_second: u32,
    },
    /// The session is over for those who came on time.
    SessionEnds,
    /// What they did counts from now on.
    OutcomeFinal {
        /// As what.
        status: Attendance,
    },
    /// They watched after that, and count as more than before.
    OutcomeRaised {
        /// As what.
        status: Attendance,
    },
    /// The recording can be watched again with the same link.
    ReplayOpens {
        /// Until then.
        until: Moment,
    },
    /// The link plays nothing any more, and neither did the replay last longer.
    ReplayEnds,
    /// The link plays nothing any more.
    LinkEnds,
}

/// One thing that happens, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene<Id = MailTemplateId> {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What<Id>,
}

/// What has happened by then, for the scrubber: everything up to that very moment. The scenes are those of
/// [`rehearse`], in order.
#[must_use]
pub fn scenes_until<Id>(scenes: &[Scene<Id>], clock: Moment) -> &[Scene<Id>] {
    &scenes[..scenes.partition_point(|scene| scene.at <= clock)]
}

/// When a wall in the figure's zone shows this time, resolved like any session's.
///
/// # Errors
/// Refuses a zone we do not know, and a time at the very ends of time.
pub fn on_the_wall(wall: jiff::civil::DateTime, zone: &str, zones: &impl Zones) -> Result<Moment, Refusal> {
    let zone = zones.zone(zone).ok_or_else(|| unknown_zone(zone))?;
    let out_of_time = || Refusal::field("signs_up_at", "Please choose a day within the coming years.");
    resolve(wall, &zone).map(|(at, _)| at).ok_or_else(out_of_time)
}

fn unknown_zone(name: &str) -> Refusal {
    let quoted: String = name.chars().take(40).collect();
    Refusal::field("zone", format!("We know no time zone called “{quoted}”. Please choose one from the list."))
}

#[cfg(test)]
mod tests;
