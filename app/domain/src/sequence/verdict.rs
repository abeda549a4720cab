//! Whether somebody may be written to, looked at in the moment of sending and for each mail anew.
//!
//! Confirmation and cancellation are service mail: they go to whoever booked, even to somebody who wants no reminders.
//! Everything else can be unsubscribed from, and an offer needs an agreement of its own. Nobody whose data rests or
//! goes is written to at all. Sources: product.md §4.7 and §4.9.

use super::{Behaviour, Template, Timing};
use crate::closed_list;
use crate::rights::SubjectState;
use crate::webinar::WebinarState;

closed_list! {
    /// What a mail is for.
    Purpose {
        /// Tells somebody that they are booked, and how to get in.
        Confirmation = "confirmation",
        /// Tells somebody that their session does not take place.
        Cancellation = "cancellation",
        /// Reminds of a session.
        Reminder = "reminder",
        /// Follows a session.
        FollowUp = "follow_up",
        /// Follows a session with something to buy.
        Promotion = "promotion",
    }
}

impl Purpose {
    /// Whether it belongs to the booking itself, so that nobody can unsubscribe from it.
    #[must_use]
    pub const fn is_service(self) -> bool {
        matches!(self, Self::Confirmation | Self::Cancellation)
    }
}

closed_list! {
    /// Why an address is not written to.
    Suppression {
        /// It does not take mail.
        Bounced = "bounced",
        /// Its owner reported a mail as unwanted.
        Complained = "complained",
        /// Somebody asked not to be written to at all.
        Asked = "asked",
    }
}

/// What is known of a person and their session when a mail is about to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where the person is in their life; nothing once they are erased.
    pub person: Option<SubjectState>,
    /// Why their address is not written to, if it is not.
    pub suppression: Option<Suppression>,
    /// Whether they unsubscribed from reminders and follow-ups.
    pub is_unsubscribed: bool,
    /// Whether they took their agreement back.
    pub has_withdrawn: bool,
    /// Whether their session was called off.
    pub is_session_cancelled: bool,
    /// Where the webinar is in its life.
    pub webinar: WebinarState,
    /// Whether its coach closed it to people who have booked as well.
    pub is_closed_now: bool,
    /// Whether they agreed to offers, in the box of its own.
    pub agreed_to_promotion: bool,
    /// Whether they bought.
    pub has_converted: bool,
    /// Whether they played anything within the last [`IDLE_SECONDS`](crate::watching::IDLE_SECONDS): a pause is not
    /// the end.
    pub is_in_the_room: bool,
}

closed_list! {
    /// Why a mail was not sent when its time came.
    DropReason {
        /// Their data was erased.
        Erased = "erased",
        /// Their data is being erased.
        BeingErased = "being_erased",
        /// Their data rests.
        Restricted = "restricted",
        /// Their address does not take mail.
        Bounced = "bounced",
        /// They reported a mail as unwanted.
        Complained = "complained",
        /// They asked not to be written to.
        Suppressed = "suppressed",
        /// They took their agreement back.
        Withdrawn = "withdrawn",
        /// The webinar is not open.
        WebinarClosed = "webinar_closed",
        /// Their session was called off.
        SessionCancelled = "session_cancelled",
        /// They want no reminders and follow-ups.
        Unsubscribed = "unsubscribed",
        /// They did not agree to offers.
        NoPromotion = "no_promotion",
        /// They have bought.
        Converted = "converted",
        /// It is for other people.
        NotInSegment = "not_in_segment",
    }
}

impl DropReason {
    /// For the coach's timeline.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Erased => "Not sent: this person’s data was erased.",
            Self::BeingErased => "Not sent: this person’s data is being erased.",
            Self::Restricted => "Not sent: this person asked that their data rests.",
            Self::Bounced => "Not sent: the address does not take mail.",
            Self::Complained => "Not sent: this person reported an earlier mail as unwanted.",
            Self::Suppressed => "Not sent: this person asked not to be written to.",
            Self::Withdrawn => "Not sent: this person took their agreement back.",
            Self::WebinarClosed => "Not sent: the webinar is closed.",
            Self::SessionCancelled => "Not sent: the session was called off.",
            Self::Unsubscribed => "Not sent: this person unsubscribed from reminders.",
            Self::NoPromotion => "Not sent: this person did not agree to receive offers.",
            Self::Converted => "Not sent: this person has bought already.",
            Self::NotInSegment => "Not sent: it is meant for others, going by what this person watched and did.",
        }
    }
}

/// Whether a mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes.
    Send,
    /// Not while they are watching: what they will have watched is not known yet. To be asked again.
    Wait,
    /// It never goes.
    Drop(DropReason),
}

/// Whether a mail for this purpose may go to somebody, apart from its segment. The weightiest reason is the one named.
#[must_use]
pub const fn may_send(purpose: Purpose, facts: &Facts) -> Verdict {
    let reason = match (facts.person, facts.suppression) {
        (None, _) => Some(DropReason::Erased),
        (Some(SubjectState::Erasing), _) => Some(DropReason::BeingErased),
        (Some(SubjectState::Restricted), _) => Some(DropReason::Restricted),
        (Some(SubjectState::Active), Some(Suppression::Bounced)) => Some(DropReason::Bounced),
        (Some(SubjectState::Active), Some(Suppression::Complained)) => Some(DropReason::Complained),
        (Some(SubjectState::Active), Some(Suppression::Asked)) => Some(DropReason::Suppressed),
        (Some(SubjectState::Active), None) if facts.has_withdrawn => Some(DropReason::Withdrawn),
        (Some(SubjectState::Active), None) => about_the_session(purpose, facts),
    };
    match reason {
        Some(reason) => Verdict::Drop(reason),
        None if facts.is_in_the_room && matches!(purpose, Purpose::FollowUp | Purpose::Promotion) => Verdict::Wait,
        None => Verdict::Send,
    }
}

const fn about_the_session(purpose: Purpose, facts: &Facts) -> Option<DropReason> {
    // Whoever booked learns that it does not take place, however it ended.
    if matches!(purpose, Purpose::Cancellation) {
        return None;
    }
    // Unpublishing closes the form; people who booked are still served.
    let is_closed = facts.is_closed_now || matches!(facts.webinar, WebinarState::Draft | WebinarState::Archived);
    let is_promotion = matches!(purpose, Purpose::Promotion);
    if facts.is_session_cancelled {
        Some(DropReason::SessionCancelled)
    } else if is_closed {
        Some(DropReason::WebinarClosed)
    } else if facts.is_unsubscribed && !purpose.is_service() {
        Some(DropReason::Unsubscribed)
    } else if is_promotion && !facts.agreed_to_promotion {
        Some(DropReason::NoPromotion)
    } else if is_promotion && facts.has_converted {
        Some(DropReason::Converted)
    } else {
        None
    }
}

impl<Id> Template<Id> {
    /// Whether this mail goes to somebody now: [`may_send`], and whether it is meant for them by what they did.
    #[must_use]
    pub fn verdict(&self, facts: &Facts, behaviour: &Behaviour) -> Verdict {
        match may_send(self.purpose(), facts) {
            Verdict::Send if !self.segment.matches(behaviour) => Verdict::Drop(DropReason::NotInSegment),
            verdict => verdict,
        }
    }

    /// [`Self::verdict`] with patience: who somebody is by what they did is asked once the outcome is final, because
    /// until then they may still become somebody else.
    #[must_use]
    pub fn verdict_until_final(&self, facts: &Facts, behaviour: &Behaviour, is_final: bool) -> Verdict {
        let asks = !self.segment.is_everybody() && matches!(self.timing, Timing::After { .. });
        match self.verdict(facts, behaviour) {
            Verdict::Drop(DropReason::NotInSegment) if asks && !is_final => Verdict::Wait,
            verdict => verdict,
        }
    }
}
