//! Sessions people have booked: their coach moves one with everybody on it, or calls it off.
//!
//! A changed rule leaves booked sessions alone (product.md §4.1), so this is the only way one changes. Whoever is booked
//! is told once, keeps their link, and has their calendar moved.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::{Zones, form, resolve};
use crate::ids::SessionId;
use crate::moment::Moment;
use crate::refusal::Refusal;

/// Longest word of a coach to the people booked, in characters.
pub const MAX_CHANGE_NOTE_CHARS: usize = 500;

/// A session to come that somebody has booked, as its coach sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedSession {
    /// Which.
    pub id: SessionId,
    /// When it starts, in the zone the coach looks at.
    pub text: String,
    /// On the wall of the session's own zone, where that is another one.
    pub own_text: Option<String>,
    /// How many come.
    pub people: i64,
    /// What changed about it without anybody's doing.
    pub note: Option<String>,
    /// Its time as the form to move it starts with.
    pub form: MoveForm,
}

/// The form that moves a session or, without a time, calls it off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveForm {
    /// The day, such as `2026-12-01`.
    pub date: String,
    /// The time on the wall, such as `18:00`.
    pub at: String,
    /// The zone of both.
    pub zone: String,
    /// What the coach has to say about it, in a line or two; nothing is fine.
    pub note: String,
}

/// Where a session is moved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTo {
    /// When it starts now.
    pub starts_at: Moment,
    /// The time the wall shows.
    pub wall: DateTime,
    /// In which zone.
    pub zone: String,
}

impl MoveForm {
    /// Where to.
    ///
    /// # Errors
    /// Names the field: no date, no time, a zone we do not know, a time that has passed.
    pub fn parse(&self, zones: &impl Zones, now: Moment) -> Result<MovedTo, Refusal> {
        let wall = form::time("at", &self.at)?.on(form::date("date", &self.date)?);
        let zone = zones.zone(self.zone.trim());
        let zone = zone.ok_or_else(|| Refusal::field("zone", "We do not know this time zone."))?;
        let far = || Refusal::field("date", "This day is too far away.");
        let (starts_at, _) = resolve(wall, &zone).ok_or_else(far)?;
        if starts_at <= now {
            return Err(Refusal::field("date", "This time has passed. Please choose one to come."));
        }
        Ok(MovedTo { starts_at, wall, zone: self.zone.trim().to_owned() })
    }

    /// What the coach has to say about it.
    ///
    /// # Errors
    /// Refuses more than [`MAX_CHANGE_NOTE_CHARS`].
    pub fn words(&self) -> Result<Option<String>, Refusal> {
        let words = self.note.trim();
        if words.chars().count() > MAX_CHANGE_NOTE_CHARS {
            return Err(Refusal::field("note", "Please say it in 500 characters: it stands in a short mail."));
        }
        Ok((!words.is_empty()).then(|| words.to_owned()))
    }
}
