//! What the viewers' portal shows and takes: everything held about one address, coach by coach, and what its owner can
//! ask for (privacy-design §2.6). Data and words alone; nothing here reads a clock or a database.

use crate::archive::ArchiveView;
use crate::ids::{CoachId, RegistrationId, RequestId};
use crate::moment::Moment;
use crate::rights::{ObjectionScope, RestrictionGround, SubjectState};
use crate::webinar::RegistrationField;

/// Minutes a mailed link and its code work.
pub const PROOF_MINUTES: i64 = 15;
/// Minutes what they open stays open.
pub const SESSION_MINUTES: i64 = 30;
/// Wrong codes before a code is dead.
pub const CODE_TRIES: i32 = 5;
/// Days a receipt can be fetched from the portal.
pub const RECEIPT_DAYS: i64 = 90;
/// Longest reason for an objection, in characters.
pub const MAX_REASON_CHARS: usize = 1_000;

crate::closed_list! {
    /// What somebody wants the mailed proof for. An agent (promise P36) names a right of this closed list and nothing in
    /// words: whoever types a stranger's address must not be able to write them a letter in our name.
    #[derive(Default)]
    Errand {
        /// To see one's own data.
        #[default]
        Myself = "myself",
        /// An agent asks for access.
        AgentAccess = "agent_access",
        /// An agent asks for erasure.
        AgentErase = "agent_erase",
        /// An agent opts the person out of mail and of any sale, which there is none of.
        AgentOptOut = "agent_opt_out",
    }
}

impl Errand {
    /// What an agent asks for, as the person reads it; nothing when nobody asks for them.
    #[must_use]
    pub const fn asked(self) -> Option<&'static str> {
        match self {
            Self::Myself => None,
            Self::AgentAccess => Some("to see everything that is held about you"),
            Self::AgentErase => Some("to have everything that is held about you erased"),
            Self::AgentOptOut => Some("to stop all mail that is not about your own registrations"),
        }
    }
}

/// Something a person asks for about their data at a coach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Keep it and do not use it.
    Restrict(RestrictionGround),
    /// Use it again.
    Lift(RestrictionGround),
    /// Stop a use; with the person's reason.
    Object(ObjectionScope, String),
    /// Take back what was agreed to for a purpose.
    Withdraw(String),
    /// Erase it; whether the mark "do not write to me" goes as well.
    Erase {
        /// Forget even the mark.
        forget_mark: bool,
    },
}

/// Everything held about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyData {
    /// The proven address.
    pub address: String,
    /// Until when this browser sees it.
    pub until: Moment,
    /// One for each coach who holds something.
    pub cards: Vec<Card>,
    /// Erasures of the last ninety days.
    pub erased: Vec<Erased>,
    /// Where to write to.
    pub contact: String,
}

/// What one coach holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which coach.
    pub coach: CoachId,
    /// Her name.
    pub coach_name: String,
    /// Her address.
    pub coach_email: String,
    /// Where the person is.
    pub state: SubjectState,
    /// Since when something is held.
    pub since: Moment,
    /// What the coach calls the person; may be empty.
    pub name: String,
    /// Registrations, newest first.
    pub bookings: Vec<BookingTold>,
    /// Every value, by class of the data map.
    pub classes: Vec<ClassTold>,
    /// Who else got something.
    pub recipients: Vec<String>,
    /// Agreements, newest first.
    pub agreements: Vec<AgreementTold>,
    /// Restrictions that stand.
    pub restrictions: Vec<RestrictionTold>,
    /// Objections, newest first.
    pub objections: Vec<ObjectionTold>,
    /// Whether mail of the coach's own wish has ended.
    pub is_unsubscribed: bool,
    /// Requests that are under way.
    pub requests: Vec<RequestTold>,
    /// Archives of the last seven days, newest first.
    pub archives: Vec<ArchiveView>,
}

/// One registration, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingTold {
    /// Which.
    pub id: RegistrationId,
    /// Title of the webinar.
    pub title: String,
    /// What was watched, in sentences.
    pub history: Vec<String>,
    /// Until when it is kept.
    pub kept: String,
    /// The webinar's questions with the answers: which, whether one is needed, the answer.
    pub answers: Vec<(RegistrationField, bool, String)>,
}

/// Everything of one class of the data map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassTold {
    /// The class in words.
    pub title: String,
    /// What for.
    pub purposes: Vec<String>,
    /// On which basis.
    pub bases: Vec<String>,
    /// Until when.
    pub kept: Vec<String>,
    /// Names and values.
    pub facts: Vec<(String, String)>,
}

/// An agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementTold {
    /// What for, as stored.
    pub purpose: String,
    /// The wording that was agreed to.
    pub wording: String,
    /// When.
    pub given_at: Moment,
    /// When it was taken back.
    pub withdrawn_at: Option<Moment>,
}

/// A restriction that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionTold {
    /// On which ground.
    pub ground: RestrictionGround,
    /// Since when.
    pub since: Moment,
    /// When its end was announced.
    pub ends_announced: Option<Moment>,
}

/// An objection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectionTold {
    /// To what.
    pub scope: ObjectionScope,
    /// When.
    pub made_at: Moment,
    /// By when the coach has to answer.
    pub due_at: Moment,
    /// How it ended, as stored.
    pub decision: Option<String>,
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTold {
    /// Which.
    pub id: RequestId,
    /// What was asked, in words.
    pub what: &'static str,
    /// Where it is, in words.
    pub state: &'static str,
    /// When it was asked.
    pub received_at: Moment,
    /// By when the law wants it done.
    pub due_at: Moment,
}

/// An erasure that is over or nearly so: nothing is left by which it could be told any other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The request.
    pub request: RequestId,
    /// At which coach.
    pub coach_name: String,
    /// Where it is, in words.
    pub state: &'static str,
    /// When it was asked.
    pub received_at: Moment,
    /// By when the law wants it done.
    pub due_at: Moment,
    /// Until when its receipt can be fetched; nothing before there is one.
    pub receipt_until: Option<Moment>,
}

/// What an erasure at one coach would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Which coach.
    pub coach: CoachId,
    /// Her name.
    pub coach_name: String,
    /// What goes: how many of what.
    pub goes: Vec<(u64, String)>,
    /// What stays, why and until when, in sentences.
    pub stays: Vec<String>,
    /// Whether there is a mark not to write to the person.
    pub has_mark: bool,
    /// From when backups cannot be read, and when the last one is gone.
    pub backups: (Moment, Moment),
}

/// What a restriction ground means, in the person's words.
#[must_use]
pub const fn ground_in_words(ground: RestrictionGround) -> &'static str {
    match ground {
        RestrictionGround::Accuracy => "something is wrong, and it has to be checked",
        RestrictionGround::Unlawful => "it should not be held, but I do not want it erased",
        RestrictionGround::Claim => "I need it for a legal claim",
        RestrictionGround::Objection => "an objection",
        RestrictionGround::Reported => "somebody reported that this is a child's address",
    }
}

/// To what an objection is, in words.
#[must_use]
pub const fn scope_in_words(scope: ObjectionScope) -> &'static str {
    match scope {
        ObjectionScope::Marketing => "mail that is not about a registration",
        ObjectionScope::Analytics => "measuring what is watched",
        ObjectionScope::All => "every use",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errands_come_back_and_nothing_else_is_one() {
        for errand in Errand::ALL {
            assert_eq!(Errand::from_stored(errand.as_str()), Some(*errand));
        }
        assert_eq!(Errand::from_stored("Dear customer, please pay"), None);
        assert_eq!(Errand::Myself.asked(), None);
    }
}
