//! A segment in plain words, such as `people who left before 20:00 and have not bought`.

use uuid::Uuid;

use super::{Condition, Joined, Segment};
use crate::watching::Attendance;

impl Segment {
    /// In plain words, to stand inside a sentence. Offers and polls are not named; see [`Segment::sentence_naming`].
    #[must_use]
    pub fn sentence(&self) -> String {
        self.sentence_naming(&|_| None)
    }

    /// In plain words, with the names of offers, polls and answers where `name` knows them.
    #[must_use]
    pub fn sentence_naming(&self, name: &dyn Fn(Uuid) -> Option<String>) -> String {
        let phrases: Vec<String> = self.conditions.iter().map(|condition| condition.phrase(name)).collect();
        let joint = match self.joined {
            Joined::All => "and",
            Joined::Any => "or",
        };
        match phrases.split_last() {
            None => "everybody who registered".to_owned(),
            Some((last, [])) => format!("people who {last}"),
            Some((last, rest)) => format!("people who {} {joint} {last}", rest.join(", ")),
        }
    }
}

impl Condition {
    /// What such people did, to follow "people who".
    fn phrase(&self, name: &dyn Fn(Uuid) -> Option<String>) -> String {
        let named = |id: &Uuid, unnamed: &str| name(*id).map_or_else(|| unnamed.to_owned(), |name| format!("“{name}”"));
        let offer = |id: &Option<Uuid>| id.as_ref().map_or("an offer".to_owned(), |id| named(id, "the chosen offer"));
        match self {
            Self::Status { one_of } => {
                let words: Vec<&str> = one_of.iter().copied().map(status_phrase).collect();
                match words.split_last() {
                    // Refused before it is stored; it fits nobody, and says so.
                    None => "have no status at all".to_owned(),
                    Some((last, [])) => (*last).to_owned(),
                    Some((last, rest)) => format!("either {} or {last}", rest.join(", ")),
                }
            }
            Self::PercentAtLeast { percent } => format!("watched at least {percent} % of it"),
            Self::PercentAtMost { percent } => format!("watched at most {percent} % of it"),
            Self::LeftBefore { seconds } => format!("left before {}", clock_text(*seconds)),
            Self::StayedPast { seconds } => format!("stayed past {}", clock_text(*seconds)),
            Self::JoinedAfter { seconds } => format!("came more than {} after the start", clock_text(*seconds)),
            Self::SawOffer { offer: id } => format!("saw {}", offer(id)),
            Self::ClickedOffer { offer: id } => format!("clicked {}", offer(id)),
            Self::Converted => "have bought".to_owned(),
            Self::NotConverted => "have not bought".to_owned(),
            Self::AskedQuestion => "asked a question".to_owned(),
            Self::AnsweredPoll { poll, answer: None } => format!("answered {}", named(poll, "the chosen poll")),
            Self::AnsweredPoll { poll, answer: Some(answer) } => {
                format!("chose {} in {}", named(answer, "a certain answer"), named(poll, "the chosen poll"))
            }
            Self::ReplayWatched => "watched the replay".to_owned(),
            Self::OnDemandOpened => "opened the recording on demand".to_owned(),
        }
    }
}

const fn status_phrase(status: Attendance) -> &'static str {
    match status {
        Attendance::Registered => "have not come yet",
        Attendance::Watching => "are watching",
        Attendance::AttendedToEnd => "attended to the end",
        Attendance::LeftEarly => "left early",
        Attendance::Missed => "missed it",
    }
}

/// `20:00`, or `1:05:00` from an hour on, as players show it.
fn clock_text(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}
