//! To whom a follow-up goes: conditions on what somebody watched and did, joined by "all of" or "any of".
//!
//! One level and no nesting, so that it can be read out in a sentence. It is asked when the mail goes, not when it is
//! planned. Offers, questions, polls and purchases are known here by their ids alone.
//! Source: product.md §4.7; what the numbers mean: §4.3 and §4.4.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::closed_list;
use crate::refusal::Refusal;
use crate::watching::Attendance;

/// Most conditions of one segment: more cannot be read in one go.
pub const MAX_CONDITIONS: usize = 10;
/// No time of a condition is further into a recording than a day, even where its length is not known yet.
pub const MAX_SEGMENT_SECONDS: u32 = 86_400;

closed_list! {
    /// How the conditions of a segment are joined.
    Joined {
        /// Every one of them holds.
        All = "all",
        /// At least one of them holds.
        Any = "any",
    }
}

/// One thing that is true of somebody, or not. The tags are stored and never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Their status is one of these.
    Status {
        /// At least one.
        one_of: Vec<Attendance>,
    },
    /// They saw at least this share of the recording, each second counted once.
    PercentAtLeast {
        /// 0 to 100.
        percent: u8,
    },
    /// They saw at most this share of the recording, each second counted once; also whoever did not come.
    PercentAtMost {
        /// 0 to 100.
        percent: u8,
    },
    /// They came, never got as far as this, and are gone.
    LeftBefore {
        /// Seconds into the recording.
        seconds: u32,
    },
    /// They got further than this.
    StayedPast {
        /// Seconds into the recording.
        seconds: u32,
    },
    /// They came later than this.
    JoinedAfter {
        /// Seconds after the start of their session.
        seconds: u32,
    },
    /// They saw an offer.
    SawOffer {
        /// Which; any without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<Uuid>,
    },
    /// They clicked an offer.
    ClickedOffer {
        /// Which; any without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<Uuid>,
    },
    /// They bought.
    Converted,
    /// They have not bought.
    NotConverted,
    /// They asked a question.
    AskedQuestion,
    /// They answered a poll.
    AnsweredPoll {
        /// Which.
        poll: Uuid,
        /// With which answer; any without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Uuid>,
    },
    /// They watched the replay.
    ReplayWatched,
    /// They opened the recording on demand.
    OnDemandOpened,
}

/// An answer somebody gave in a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollAnswer {
    /// The poll.
    pub poll: Uuid,
    /// The answer.
    pub answer: Uuid,
}

/// What somebody did, as far as it is known when a mail is about to go.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// Their status.
    pub status: Attendance,
    /// Unique share of the recording, 0 to 100.
    pub percent: f64,
    /// Furthest media second they played; nothing before the first one.
    pub furthest_seconds: Option<f64>,
    /// Seconds from the start of their session to their first play; nothing before it.
    pub joined_after_seconds: Option<f64>,
    /// Offers they saw.
    pub saw_offers: Vec<Uuid>,
    /// Offers they clicked.
    pub clicked_offers: Vec<Uuid>,
    /// Whether they bought.
    pub has_converted: bool,
    /// Whether they asked a question.
    pub has_asked: bool,
    /// What they answered in polls.
    pub poll_answers: Vec<PollAnswer>,
    /// Whether they watched the replay.
    pub has_watched_replay: bool,
    /// Whether they opened the recording on demand.
    pub has_opened_on_demand: bool,
}

impl Default for Behaviour {
    /// Somebody who registered and did nothing since.
    fn default() -> Self {
        Self {
            status: Attendance::Registered,
            percent: 0.0,
            furthest_seconds: None,
            joined_after_seconds: None,
            saw_offers: Vec::new(),
            clicked_offers: Vec::new(),
            has_converted: false,
            has_asked: false,
            poll_answers: Vec::new(),
            has_watched_replay: false,
            has_opened_on_demand: false,
        }
    }
}

impl Condition {
    /// Whether it holds for somebody.
    #[must_use]
    pub fn holds(&self, behaviour: &Behaviour) -> bool {
        let is_among = |wanted: &Option<Uuid>, found: &[Uuid]| match wanted {
            Some(id) => found.contains(id),
            None => !found.is_empty(),
        };
        match self {
            Self::Status { one_of } => one_of.contains(&behaviour.status),
            Self::PercentAtLeast { percent } => behaviour.percent >= f64::from(*percent),
            Self::PercentAtMost { percent } => behaviour.percent <= f64::from(*percent),
            Self::LeftBefore { seconds } => {
                // Who attended to the end closed the page in the last words, and who is watching has not left.
                let is_gone = !matches!(behaviour.status, Attendance::AttendedToEnd | Attendance::Watching);
                is_gone && behaviour.furthest_seconds.is_some_and(|furthest| furthest < f64::from(*seconds))
            }
            Self::StayedPast { seconds } => {
                behaviour.furthest_seconds.is_some_and(|furthest| furthest > f64::from(*seconds))
            }
            Self::JoinedAfter { seconds } => {
                behaviour.joined_after_seconds.is_some_and(|joined| joined > f64::from(*seconds))
            }
            Self::SawOffer { offer } => is_among(offer, &behaviour.saw_offers),
            Self::ClickedOffer { offer } => is_among(offer, &behaviour.clicked_offers),
            Self::Converted => behaviour.has_converted,
            Self::NotConverted => !behaviour.has_converted,
            Self::AskedQuestion => behaviour.has_asked,
            Self::AnsweredPoll { poll, answer } => behaviour
                .poll_answers
                .iter()
                .any(|given| given.poll == *poll && answer.is_none_or(|answer| answer == given.answer)),
            Self::ReplayWatched => behaviour.has_watched_replay,
            Self::OnDemandOpened => behaviour.has_opened_on_demand,
        }
    }

    fn objection(&self, duration_seconds: Option<f64>) -> Option<&'static str> {
        match self {
            Self::Status { one_of } if one_of.is_empty() => Some("Please choose at least one status."),
            Self::Status { one_of } if one_of.len() > Attendance::ALL.len() => {
                Some("A status is named twice. Please choose each of them once.")
            }
            Self::PercentAtLeast { percent } | Self::PercentAtMost { percent } if *percent > 100 => {
                Some("A share of the recording is 0 to 100 percent.")
            }
            Self::LeftBefore { seconds: 0 } => Some("Nobody can leave before the recording begins."),
            Self::LeftBefore { seconds } | Self::StayedPast { seconds } | Self::JoinedAfter { seconds }
                if *seconds > MAX_SEGMENT_SECONDS =>
            {
                Some("A time can be up to 24 hours.")
            }
            // Joining is counted on the clock of the session, where one can be later than the recording is long.
            Self::LeftBefore { seconds } | Self::StayedPast { seconds }
                if duration_seconds.is_some_and(|duration| f64::from(*seconds) >= duration) =>
            {
                Some("The recording is not that long. Please choose a time before its end.")
            }
            _ => None,
        }
    }
}

/// To whom a follow-up goes. Without conditions: to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// How the conditions are joined.
    pub joined: Joined,
    /// In the coach's order.
    pub conditions: Vec<Condition>,
}

impl Default for Segment {
    fn default() -> Self {
        Self::everybody()
    }
}

impl Segment {
    /// Everybody who registered.
    #[must_use]
    pub const fn everybody() -> Self {
        Self { joined: Joined::All, conditions: Vec::new() }
    }

    /// Everybody with this status.
    #[must_use]
    pub fn with_status(status: Attendance) -> Self {
        Self { conditions: vec![Condition::Status { one_of: vec![status] }], ..Self::everybody() }
    }

    /// Whether it leaves nobody out.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether somebody belongs to it by what they did until now.
    #[must_use]
    pub fn matches(&self, behaviour: &Behaviour) -> bool {
        let mut conditions = self.conditions.iter();
        match self.joined {
            _ if self.is_everybody() => true,
            Joined::All => conditions.all(|condition| condition.holds(behaviour)),
            Joined::Any => conditions.any(|condition| condition.holds(behaviour)),
        }
    }

    /// Checks what a coach put together. `duration_seconds` is the recording's, where there is one.
    ///
    /// # Errors
    /// Refuses too many conditions, one that says nothing or is out of bounds, and some that nobody can fulfil at once.
    pub fn check(&self, duration_seconds: Option<f64>) -> Result<(), Refusal> {
        let refuse = |message: String| Err(Refusal::field("segment", message));
        if self.conditions.len() > MAX_CONDITIONS {
            return refuse(format!("At most {MAX_CONDITIONS} conditions can be joined. Please remove some."));
        }
        if let Some(message) = self.conditions.iter().find_map(|condition| condition.objection(duration_seconds)) {
            return refuse(message.to_owned());
        }
        if self.joined == Joined::All && self.contradicts_itself() {
            return refuse("Nobody can be all of this at once. Please change one of the conditions.".to_owned());
        }
        Ok(())
    }

    fn contradicts_itself(&self) -> bool {
        let clash = |one: &Condition, other: &Condition| match (one, other) {
            (Condition::PercentAtLeast { percent: least }, Condition::PercentAtMost { percent: most }) => least > most,
            (Condition::LeftBefore { seconds: left }, Condition::StayedPast { seconds: stayed }) => left <= stayed,
            (Condition::Converted, Condition::NotConverted) => true,
            (Condition::Status { one_of: first }, Condition::Status { one_of: second }) => {
                !first.iter().any(|status| second.contains(status))
            }
            _ => false,
        };
        self.conditions.iter().any(|one| self.conditions.iter().any(|other| clash(one, other)))
    }
}
