//! Scenes in sentences, for the coach.

use super::What;
use crate::watching::Attendance;

impl<Id> What<Id> {
    /// For the coach, about "they": whoever is rehearsed.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::PageSeen { slots, at_once } => page(slots.len(), *at_once).to_owned(),
            Self::Registered { session, is_next, wants_offers } => {
                let offers = if *wants_offers { " They tick the box for offers." } else { "" };
                match session {
                    None => format!("They register and can watch the recording at once.{offers}"),
                    Some(session) if *is_next => format!(
                        "The time they chose had passed. They are registered for the next one, {}.{offers}",
                        session.text
                    ),
                    Some(session) => format!("They register for {}.{offers}", session.text),
                }
            }
            Self::CalendarEntry { .. } => "The page and the confirmation bring an entry for their calendar.".to_owned(),
            Self::Mail { subject, .. } => format!("They get the mail “{subject}”."),
            Self::MailNot { subject, sentence, .. } => format!("“{subject}”: {sentence}"),
            Self::Unsubscribed => {
                "They unsubscribe. Mails that belong to the booking itself still reach them.".to_owned()
            }
            Self::CalledOff => {
                "You call the session off. They are told once, and the link offers other times.".to_owned()
            }
            Self::DoorsOpen => "The doors open: their page counts down to the start.".to_owned(),
            Self::RoomOpens => "The recording starts.".to_owned(),
            Self::Joined { at_second: 0, .. } => "They press play and watch from the beginning.".to_owned(),
            Self::Joined { at_second, goes_on: true } => {
                format!("They come back, press play, and go on where they left, at {}.", clock(*at_second))
            }
            Self::Joined { at_second, goes_on: false } => {
                format!("They press play and join where it is by then, at {}.", clock(*at_second))
            }
            Self::FoundOver => "They open their link. It plays nothing any more.".to_owned(),
            Self::Left { at_second } => format!("They leave at {} of the recording.", clock(*at_second)),
            Self::SessionEnds => "The session ends.".to_owned(),
            Self::OutcomeFinal { status } => format!("The outcome is final: {}.", outcome(*status)),
            Self::OutcomeRaised { status } => {
                format!("They watched after all, and count as more than before: {}.", outcome(*status))
            }
            Self::ReplayOpens { .. } => "From now on their link plays the recording as a replay.".to_owned(),
            Self::ReplayEnds => "The replay ends. Their link plays nothing any more.".to_owned(),
            Self::LinkEnds => "Their link plays nothing any more.".to_owned(),
        }
    }
}

const fn page(times: usize, at_once: bool) -> &'static str {
    match (times, at_once) {
        (0, true) => "They see the page, and can watch as soon as they have registered.",
        (0, false) => "They see the page, and no time to choose.",
        (1, false) => "They see the page, and one time to choose.",
        (1, true) => "They see the page, and can choose one time or watch at once.",
        (_, false) => "They see the page, and several times to choose from.",
        (_, true) => "They see the page, and can choose a time or watch at once.",
    }
}

const fn outcome(status: Attendance) -> &'static str {
    match status {
        Attendance::AttendedToEnd => "they attended to the end",
        Attendance::LeftEarly => "they left early",
        Attendance::Missed => "they missed it",
        Attendance::Registered => "they are registered",
        Attendance::Watching => "they are watching",
    }
}

/// Media time as a player shows it: `5:00`, `1:05:00`.
fn clock(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
