//! Placeholders in a coach's mails: `{{first_name}}`, or `{{first_name|there}}` with words for when it is not known.
//!
//! [`check`] runs while a coach types and before a text is stored; [`fill_body`] and [`fill_subject`] for each mail.
//! A text is read once, from left to right: what a value says is never read as Markdown or as another placeholder. A
//! name, spaces around it allowed, stands on one line; anything else in double braces stays as it was typed. With a bar
//! and nothing after it, nothing stands there.

mod filling;

use serde::{Deserialize, Serialize};

use crate::closed_list;
use crate::refusal::{Refusal, RefusalKind};

pub use filling::{Values, escape_markdown, fill, fill_body, fill_subject, one_line};

/// Longest body, in characters of Markdown.
pub const MAX_BODY_CHARS: usize = 20_000;
/// Longest subject, in characters, placeholders included: inboxes show about a third of that.
pub const MAX_SUBJECT_CHARS: usize = 150;
/// Problems told at once; the rest shows when these are solved.
pub const MAX_PROBLEMS: usize = 20;
/// No character takes more bytes in UTF-8, so a text of more bytes than this per character is too long unread.
const MAX_CHAR_BYTES: usize = 4;

closed_list! {
    /// What can be filled in.
    Placeholder {
        /// First name.
        FirstName = "first_name",
        /// First and last name.
        Name = "name",
        /// The webinar's title.
        Webinar = "webinar",
        /// Who speaks.
        Presenter = "presenter",
        /// The time of day at which the session starts, in the person's own zone: `18:00`.
        SessionTime = "session_time",
        /// The day of the session, in the person's own zone: `Tuesday, 1 December 2026`.
        SessionDay = "session_day",
        /// The person's zone: `CET, UTC+1, Europe/Paris`.
        TimeZone = "time_zone",
        /// The person's own link.
        Link = "link",
        /// Where the entry for the person's calendar is.
        CalendarLink = "calendar_link",
        /// How long the recording is: `45 minutes`.
        Duration = "duration",
        /// Minutes the person watched, each counted once.
        MinutesWatched = "minutes_watched",
        /// Share the person watched, without the percent sign.
        PercentWatched = "percent_watched",
        /// Until when the person can watch the replay.
        ReplayUntil = "replay_until",
    }
}

impl Placeholder {
    /// For the list beside the editor.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FirstName => "First name",
            Self::Name => "Full name",
            Self::Webinar => "Title of the webinar",
            Self::Presenter => "Who speaks",
            Self::SessionTime => "Time of their session",
            Self::SessionDay => "Day of their session",
            Self::TimeZone => "Their time zone",
            Self::Link => "Their own link",
            Self::CalendarLink => "Link to the calendar entry",
            Self::Duration => "Length of the recording",
            Self::MinutesWatched => "Minutes they watched",
            Self::PercentWatched => "Percent they watched",
            Self::ReplayUntil => "Until when they can watch it",
        }
    }

    /// What stands there when nothing is known and the coach gave no words of her own: it reads on within a sentence
    /// and claims nothing. There is always a link and a title, so theirs are a last resort.
    #[must_use]
    pub const fn when_unknown(self) -> &'static str {
        match self {
            Self::FirstName | Self::Name => "there",
            Self::Webinar => "the webinar",
            Self::Presenter => "your host",
            Self::SessionTime => "the time you booked",
            Self::SessionDay => "the day you booked",
            Self::TimeZone => "your time zone",
            Self::Link => "the link in your confirmation",
            Self::CalendarLink => "the calendar entry in your confirmation",
            Self::Duration => "some time",
            Self::MinutesWatched | Self::PercentWatched => "0",
            Self::ReplayUntil => "the day shown on the page",
        }
    }

    /// Whether its value is an address.
    #[must_use]
    pub const fn is_link(self) -> bool {
        matches!(self, Self::Link | Self::CalendarLink)
    }
}

/// What is wrong at one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Flaw {
    /// There is no placeholder of this name.
    Unknown {
        /// As typed; cut when it is long.
        name: String,
        /// The one that was probably meant.
        nearest: Option<Placeholder>,
    },
    /// `{{` without `}}` on the same line.
    Unclosed,
    /// `}}` without `{{` on the same line.
    Unopened,
    /// So long that it was not read.
    TooLong,
}

/// A flaw and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub flaw: Flaw,
    /// Where it begins, in bytes.
    pub at_byte: usize,
    /// Where it begins, in characters.
    pub at_char: usize,
}

impl Problem {
    /// For whoever types.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.flaw {
            Flaw::Unknown { name, .. } if name.is_empty() => {
                "There is nothing between the braces. Please name what is to stand there.".to_owned()
            }
            Flaw::Unknown { name, nearest: Some(nearest) } => {
                format!("There is no placeholder “{name}”. Did you mean {{{{{}}}}}?", nearest.as_str())
            }
            Flaw::Unknown { name, nearest: None } => {
                format!("There is no placeholder “{name}”. Please choose one from the list.")
            }
            Flaw::Unclosed => "These braces are not closed. A placeholder ends in }} on the same line.".to_owned(),
            Flaw::Unopened => "These braces are not opened. A placeholder begins with {{ on the same line.".to_owned(),
            Flaw::TooLong => format!("The text is longer than {} characters.", grouped(MAX_BODY_CHARS)),
        }
    }
}

/// Everything wrong with the placeholders of a text, in order, at most [`MAX_PROBLEMS`]. A text that cannot fit is not
/// read at all.
#[must_use]
pub fn check(text: &str) -> Vec<Problem> {
    if text.len() > MAX_BODY_CHARS * MAX_CHAR_BYTES {
        return vec![Problem { flaw: Flaw::TooLong, at_byte: 0, at_char: 0 }];
    }
    let mut problems = Vec::new();
    let (mut at_byte, mut at_char) = (0, 0);
    for part in Parts::of(text) {
        let flaw = match part {
            Part::Named { name, .. } if Placeholder::from_stored(name).is_none() => {
                Some(Flaw::Unknown { name: name.chars().take(MAX_NAME_CHARS).collect(), nearest: nearest(name) })
            }
            Part::Open => Some(Flaw::Unclosed),
            Part::Close => Some(Flaw::Unopened),
            Part::Words(_) | Part::Named { .. } => None,
        };
        problems.extend(flaw.map(|flaw| Problem { flaw, at_byte, at_char }));
        if problems.len() == MAX_PROBLEMS {
            break;
        }
        at_byte += part.text().len();
        at_char += part.text().chars().count();
    }
    problems
}

/// Checks a body before it is stored.
///
/// # Errors
/// Refuses an empty one, one that is too long (without reading it), and the first problem of its placeholders.
pub fn check_body(text: &str) -> Result<(), Refusal> {
    check_text("body", text, MAX_BODY_CHARS)
}

/// Checks a subject before it is stored.
///
/// # Errors
/// Refuses an empty one, one that is too long or has more than one line, and the first problem of its placeholders.
pub fn check_subject(text: &str) -> Result<(), Refusal> {
    check_text("subject", text, MAX_SUBJECT_CHARS)?;
    if text.chars().any(char::is_control) {
        return Err(Refusal::field("subject", "Please keep the subject on one line of ordinary characters."));
    }
    Ok(())
}

fn check_text(field: &str, text: &str, most_chars: usize) -> Result<(), Refusal> {
    if text.len() > most_chars * MAX_CHAR_BYTES || text.chars().count() > most_chars {
        let message = format!("Please keep it within {} characters. Nothing was changed.", grouped(most_chars));
        return Err(Refusal { kind: RefusalKind::TooLarge, ..Refusal::field(field, message) });
    }
    if text.trim().is_empty() {
        return Err(Refusal::field(field, "Please write something here: an empty mail helps nobody."));
    }
    match check(text).first() {
        Some(problem) => Err(Refusal::field(field, problem.message())),
        None => Ok(()),
    }
}

/// `20,000`
fn grouped(number: usize) -> String {
    match (number / 1_000, number % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    /// Nothing to fill in.
    Words(&'a str),
    /// Something in closed double braces.
    Named {
        /// All of it, braces included.
        whole: &'a str,
        /// Trimmed.
        name: &'a str,
        /// What stands after the bar.
        fallback: Option<&'a str>,
    },
    /// `{{` alone.
    Open,
    /// `}}` alone.
    Close,
}

impl<'a> Part<'a> {
    const fn text(&self) -> &'a str {
        match self {
            Self::Words(text) | Self::Named { whole: text, .. } => text,
            Self::Open => "{{",
            Self::Close => "}}",
        }
    }
}

/// Cuts a text into its parts, which together are the text again. Looks at no byte more than twice, so that a text of
/// nothing but braces takes no longer than any other.
struct Parts<'a> {
    rest: &'a str,
}

/// What a search for double braces comes upon first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Open,
    Close,
    LineEnd,
}

impl<'a> Parts<'a> {
    const fn of(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The first mark from a byte on, and where it is. All marks are ASCII, so every such place is a border of
    /// characters.
    fn mark(&self, from: usize) -> Option<(usize, Mark)> {
        let bytes = self.rest.as_bytes();
        let mark = |at: usize| match (bytes[at], bytes.get(at + 1)) {
            (b'{', Some(b'{')) => Some((at, Mark::Open)),
            (b'}', Some(b'}')) => Some((at, Mark::Close)),
            (b'\n', _) => Some((at, Mark::LineEnd)),
            _ => None,
        };
        (from..bytes.len()).find_map(mark)
    }

    fn cut(&mut self, bytes: usize) -> &'a str {
        let (part, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        part
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        match self.mark(0) {
            None if self.rest.is_empty() => None,
            None => Some(Part::Words(self.cut(self.rest.len()))),
            Some((at, Mark::LineEnd)) => Some(Part::Words(self.cut(at + 1))),
            Some((0, Mark::Close)) => {
                self.cut(2);
                Some(Part::Close)
            }
            Some((0, Mark::Open)) => match self.mark(1) {
                // A third brace belongs to the words around the placeholder.
                Some((1, Mark::Open)) => Some(Part::Words(self.cut(1))),
                Some((close, Mark::Close)) => {
                    let whole = self.cut(close + 2);
                    let inside = &whole[2..close];
                    let (name, fallback) =
                        inside.split_once('|').map_or((inside, None), |(name, words)| (name, Some(words)));
                    Some(Part::Named { whole, name: name.trim(), fallback: fallback.map(str::trim) })
                }
                // Of braces that open twice the last ones count: the name directly precedes the closing ones.
                Some(_) | None => {
                    self.cut(2);
                    Some(Part::Open)
                }
            },
            Some((at, Mark::Open | Mark::Close)) => Some(Part::Words(self.cut(at))),
        }
    }
}

/// Longest name that is quoted back or compared with the real ones.
const MAX_NAME_CHARS: usize = 40;

/// The placeholder somebody probably meant: at most a third of its letters away, or a part of its name.
fn nearest(typed: &str) -> Option<Placeholder> {
    if typed.chars().count() > MAX_NAME_CHARS {
        return None;
    }
    let typed: String = typed.to_lowercase().replace([' ', '-', '.'], "_");
    let distances = Placeholder::ALL.iter().map(|real| (edits(&typed, real.as_str()), *real));
    let close = distances.min().filter(|(distance, real)| *distance * 3 <= real.as_str().len().max(3));
    let is_part = |real: &&Placeholder| real.as_str().split('_').any(|part| part == typed);
    close.map(|(_, real)| real).or_else(|| Placeholder::ALL.iter().find(is_part).copied())
}

/// Letters to add, drop or change to get from one word to another (Levenshtein's distance).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (done, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = done + 1;
        for (place, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
