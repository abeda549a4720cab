//! What a coach types to rehearse a journey, and what the page shows of it.

use serde::{Deserialize, Serialize};

use super::{Choice, Conduct, Figure, SeenTime, Visit, on_the_wall};
use crate::closed_list;
use crate::ids::MailTemplateId;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::schedule::{Zones, form};
use crate::webinar::AT_ONCE;

/// Longest first name of a figure, in characters.
const MAX_NAME_CHARS: usize = 60;
/// Longest wait and longest stay that can be typed, in minutes: ten days.
const MAX_MINUTES: u32 = 14_400;
/// Longest time until they come back, in hours: ten days.
const MAX_HOURS: u32 = 240;
/// Minutes of a day: who missed a session looks at its mail the next day.
const NEXT_DAY_MINUTES: u32 = 24 * 60;

closed_list! {
    /// What a figure does, as the form names it.
    Manner {
        /// On time, to the end.
        Stays = "stays",
        /// At a time of their own, or until a minute of their own; once or several times.
        Comes = "comes",
        /// Misses the session and opens the link a day later.
        NextDay = "next_day",
        /// Never opens the link.
        StaysAway = "stays_away",
        /// Ends reminders with the first, and does not come.
        Unsubscribes = "unsubscribes",
    }
}

/// The form. Every field may be empty: then the rehearsal is the plainest one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RehearsalForm {
    /// First name.
    pub name: String,
    /// IANA name of the zone they live in.
    pub zone: String,
    /// The day they register on, there; today when empty.
    pub day: String,
    /// The time they register at, there; now when empty.
    pub at: String,
    /// Start of the time they take, or [`AT_ONCE`]; the first one offered when empty.
    pub takes: String,
    /// Ticked when they tick the box for offers.
    pub offers: String,
    /// A word of [`Manner`].
    pub manner: String,
    /// Minutes after the start at which they come.
    pub late: String,
    /// The minute of the recording at which they leave; at its end when empty.
    pub leaves: String,
    /// Hours after leaving at which they come back; they do not when empty.
    pub back: String,
    /// The minute of the recording at which they leave then; at its end when empty.
    pub back_leaves: String,
    /// Hours after leaving at which they come back once more; they do not when empty.
    pub again: String,
    /// The minute of the recording at which they leave then; at its end when empty.
    pub again_leaves: String,
}

/// One thing that happens, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneView {
    /// When.
    pub at: Moment,
    /// When, in the figure's zone.
    pub text: String,
    /// What happens.
    pub sentence: String,
    /// What a change of the clocks did to the session.
    pub note: Option<String>,
    /// What there is to look at.
    pub look: Look,
}

/// What there is to look at in a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Nothing.
    Nothing,
    /// The registration page.
    Page,
    /// A mail that goes out.
    Mail(MailTemplateId),
    /// A mail that does not.
    NoMail,
}

/// A time the figure can take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOption {
    /// What the form sends.
    pub value: String,
    /// For people.
    pub text: String,
}

/// Everything the page of a rehearsal shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalView {
    /// The webinar's title.
    pub title: String,
    /// Its address.
    pub slug: String,
    /// The form as it was understood.
    pub form: RehearsalForm,
    /// Whether the page has a box for offers.
    pub asks_about_offers: bool,
    /// Every zone there is.
    pub zones: Vec<String>,
    /// The times the figure can take.
    pub times: Vec<TimeOption>,
    /// What happens, in order.
    pub scenes: Vec<SceneView>,
    /// Why nothing does.
    pub problem: Option<Refusal>,
}

impl RehearsalForm {
    /// The figure. `own_zone` is the webinar's, for a form that names none.
    ///
    /// # Errors
    /// Names the field that is not understood.
    pub fn parse(&self, own_zone: &str, zones: &impl Zones, now: Moment) -> Result<Figure, Refusal> {
        let first_name = self.name.trim().to_owned();
        if first_name.chars().count() > MAX_NAME_CHARS || first_name.chars().any(char::is_control) {
            return Err(Refusal::field("name", "Please use at most 60 ordinary characters."));
        }
        let zone = Some(self.zone.trim()).filter(|zone| !zone.is_empty()).unwrap_or(own_zone).to_owned();
        let there = zones.zone(&zone).ok_or_else(|| Refusal::field("zone", "We know no time zone of this name."))?;
        let wall = there.to_datetime(now.timestamp());
        let signs_up_at = match (self.day.trim(), self.at.trim()) {
            ("", "") => now,
            (day, at) => {
                let day = if day.is_empty() { wall.date() } else { form::date("day", day)? };
                let at = match at {
                    "" => day.to_datetime(wall.time()),
                    at => form::time("at", at)?.on(day),
                };
                on_the_wall(at, &zone, zones)?
            }
        };
        let choice = match self.takes.trim() {
            "" => Choice::FirstOffered,
            AT_ONCE => Choice::AtOnce,
            start => match start.parse() {
                Ok(starts_at) => Choice::At { starts_at },
                Err(_) => return Err(Refusal::field("takes", "Please choose one of the times once more.")),
            },
        };
        let conduct = match Manner::from_stored(&self.manner).unwrap_or(Manner::Stays) {
            Manner::Stays => Conduct::StaysToTheEnd,
            Manner::StaysAway => Conduct::NeverComes,
            Manner::Unsubscribes => Conduct::UnsubscribesAfterFirstReminder,
            Manner::NextDay => {
                Conduct::Comes { visits: vec![Visit { after_minutes: NEXT_DAY_MINUTES, leaves_at_minute: None }] }
            }
            Manner::Comes => Conduct::Comes { visits: self.visits()? },
        };
        let wants_offers = !self.offers.is_empty();
        Ok(Figure { first_name, zone, signs_up_at, reads_minutes: 0, choice, wants_offers, conduct })
    }

    fn visits(&self) -> Result<Vec<Visit>, Refusal> {
        let after_minutes = minutes("late", &self.late)?.unwrap_or(0);
        let mut visits = vec![Visit { after_minutes, leaves_at_minute: minutes("leaves", &self.leaves)? }];
        let returns = [
            (("back", &self.back), ("back_leaves", &self.back_leaves)),
            (("again", &self.again), ("again_leaves", &self.again_leaves)),
        ];
        for ((field, hours), (leaves, minute)) in returns {
            let leaves_at_minute = minutes(leaves, minute)?;
            if let Some(hours) = whole(field, hours, MAX_HOURS, "hours")? {
                visits.push(Visit { after_minutes: hours * 60, leaves_at_minute });
            }
        }
        Ok(visits)
    }
}

fn minutes(field: &str, text: &str) -> Result<Option<u32>, Refusal> {
    whole(field, text, MAX_MINUTES, "minutes")
}

fn whole(field: &str, text: &str, most: u32, unit: &str) -> Result<Option<u32>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = text.trim().parse().ok().filter(|number| *number <= most);
    read.map(Some).ok_or_else(|| Refusal::field(field, format!("Please give whole {unit}, at most {most}.")))
}

/// The times of a page as the form offers them.
#[must_use]
pub fn options(slots: &[SeenTime], at_once: bool) -> Vec<TimeOption> {
    let slots = slots.iter().map(|slot| TimeOption { value: slot.starts_at.rfc3339(), text: slot.text.clone() });
    let at_once = at_once.then(|| TimeOption { value: AT_ONCE.to_owned(), text: "Watch at once".to_owned() });
    slots.chain(at_once).collect()
}
