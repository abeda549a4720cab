//! What anybody can write to the operators: a complaint, or a report about a child. And when such a message rings.
//!
//! Sources: promises P34, P38, P50 and P53; the 30 days are those of the UK's Data (Use and Access) Act 2025.

use serde::{Deserialize, Serialize};

use crate::email_address::EmailAddress;
use crate::ids::RequestId;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::rights::{Regime, RightKind};

/// Longest message, in characters: a few pages.
pub const MAX_WORDS_CHARS: usize = 5_000;
/// Days after which a complaint that nobody could acknowledge rings; the law's last day is the 30th.
pub const ACKNOWLEDGE_ALARM_DAYS: i64 = 20;
/// Days after which an unanswered complaint rings.
pub const ANSWER_ALARM_DAYS: i64 = 25;
/// Hours after which a message nobody opened rings (promise P53).
pub const UNREAD_ALARM_HOURS: i64 = 72;
/// Hours in which a report about a child can turn out to be wrong before everything is erased, and after which one
/// that matches nobody rings. A day of the promise's 72 hours is left for the erasure itself.
pub const REPORT_HOURS: i64 = 48;

/// A complaint as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComplaintForm {
    /// Where the answer goes.
    pub email: String,
    /// Whose law: a stored word of [`Regime`].
    pub law: String,
    /// What is wrong.
    pub words: String,
    /// People do not see it; machines fill it in.
    pub website: String,
}

/// A complaint that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where the answer goes.
    pub email: EmailAddress,
    /// Whose law sets the clock.
    pub regime: Regime,
    /// What is wrong.
    pub words: String,
}

/// A report about a child as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChildReportForm {
    /// The address the child registered with, when it is known.
    pub child_email: String,
    /// Where the child registered, and what else helps to find it.
    pub words: String,
    /// Where the answer goes, when one is wanted.
    pub email: String,
    /// People do not see it; machines fill it in.
    pub website: String,
}

/// A report that can be acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildReport {
    /// The address the child registered with.
    pub child_email: Option<EmailAddress>,
    /// What else helps.
    pub words: String,
    /// Where the answer goes.
    pub email: Option<EmailAddress>,
}

fn words(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > MAX_WORDS_CHARS {
        let message =
            format!("Please keep it below {MAX_WORDS_CHARS} characters; the rest can go into your answer to us.");
        return Err(Refusal::field("words", message));
    }
    Ok(text.to_owned())
}

fn optional(field: &str, text: &str) -> Result<Option<EmailAddress>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let address = EmailAddress::parse(text).map_err(|refusal| Refusal { field: Some(field.to_owned()), ..refusal })?;
    Ok(Some(address))
}

impl ComplaintForm {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Refuses, by field, what is missing or too long.
    pub fn check(&self) -> Result<Complaint, Refusal> {
        let email = EmailAddress::parse(&self.email)?;
        let words = words(&self.words)?;
        if words.is_empty() {
            return Err(Refusal::field("words", "Please say what is wrong. A sentence is enough."));
        }
        Ok(Complaint { email, regime: Regime::from_stored(&self.law).unwrap_or(Regime::Gdpr), words })
    }
}

impl ChildReportForm {
    /// Checks what was typed.
    ///
    /// # Errors
    /// Refuses, by field, an address that is none, and a report that names nothing.
    pub fn check(&self) -> Result<ChildReport, Refusal> {
        let child_email = optional("child_email", &self.child_email)?;
        let email = optional("email", &self.email)?;
        let words = words(&self.words)?;
        if child_email.is_none() && words.is_empty() {
            let message = "Please give us the address the child registered with, or say below where it was.";
            return Err(Refusal::field("child_email", message));
        }
        Ok(ChildReport { child_email, words, email })
    }
}

/// A step of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The operators are told that it came in.
    Notify,
    /// The person is told that it came in.
    Acknowledge,
    /// The registrations of a reported child are looked for.
    Match,
    /// An operator opens it.
    Read,
    /// An operator answers it.
    Answer,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 5] = [Self::Notify, Self::Acknowledge, Self::Match, Self::Read, Self::Answer];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Acknowledge => "acknowledge",
            Self::Match => "match",
            Self::Read => "read",
            Self::Answer => "answer",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// Why a message rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alarm {
    /// Nobody opened it for three days.
    Unread,
    /// A complaint could not be acknowledged.
    Unacknowledged,
    /// A complaint is not answered.
    Unanswered,
    /// A child was reported and not found.
    ChildNotFound,
}

impl Alarm {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "alarm:unread",
            Self::Unacknowledged => "alarm:unacknowledged",
            Self::Unanswered => "alarm:unanswered",
            Self::ChildNotFound => "alarm:child_not_found",
        }
    }

    /// For the operators.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unread => "nobody has opened it for three days",
            Self::Unacknowledged => "it could not be acknowledged, and the 30th day is near",
            Self::Unanswered => "it is not answered, and the 30th day is near",
            Self::ChildNotFound => "no registration was found, and the 72 hours are running out",
        }
    }
}

/// Why a message rings at this moment; `left` are its steps that are not done.
#[must_use]
pub fn alarms(kind: RightKind, received: Moment, left: &[Step], now: Moment) -> Vec<Alarm> {
    let is_left = |step| left.contains(&step);
    let after_days = |days| received.plus_days(days) <= now;
    let after_hours = |hours: i64| received.plus_seconds(hours * 3_600) <= now;
    let is_complaint = kind == RightKind::Complaint;
    [
        (Alarm::Unread, is_left(Step::Read) && after_hours(UNREAD_ALARM_HOURS)),
        (Alarm::Unacknowledged, is_complaint && is_left(Step::Acknowledge) && after_days(ACKNOWLEDGE_ALARM_DAYS)),
        (Alarm::Unanswered, is_complaint && is_left(Step::Answer) && after_days(ANSWER_ALARM_DAYS)),
        (Alarm::ChildNotFound, kind == RightKind::Minor && is_left(Step::Answer) && after_hours(REPORT_HOURS)),
    ]
    .into_iter()
    .filter(|(_, rings)| *rings)
    .map(|(alarm, _)| alarm)
    .collect()
}

/// A message as the operators see it in their list: without its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageLine {
    /// Its id, which the person knows as the reference.
    pub id: RequestId,
    /// `complaint` or `minor`.
    pub kind: String,
    /// When it came in.
    pub received_at: Moment,
    /// Until when the law wants it done.
    pub due_at: Moment,
    /// Whether an operator opened it.
    pub is_read: bool,
    /// Whether the person was told that it came in.
    pub is_acknowledged: bool,
}

/// A change of the privacy policy a coach has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNotice {
    /// The version.
    pub version: String,
    /// What is new.
    pub summary: String,
    /// When it takes effect.
    pub effective: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: Moment = Moment::from_unix_seconds(1_795_000_000);

    #[test]
    fn a_complaint_needs_an_address_and_words_and_says_which_is_missing() {
        let field = |form: ComplaintForm| form.check().expect_err("refused").field.expect("a field");
        assert_eq!(field(ComplaintForm::default()), "email");
        let addressed = ComplaintForm { email: "ann@example.org".to_owned(), ..ComplaintForm::default() };
        assert_eq!(field(addressed.clone()), "words");
        let long = "x".repeat(MAX_WORDS_CHARS + 1);
        assert_eq!(field(ComplaintForm { words: long, ..addressed.clone() }), "words");
        let whole = ComplaintForm { words: " It is late. ".to_owned(), law: "uk".to_owned(), ..addressed };
        let complaint = whole.check().expect("complete");
        assert_eq!((complaint.regime, complaint.words.as_str()), (Regime::Uk, "It is late."));
    }

    #[test]
    fn a_report_needs_something_to_go_by_and_no_name_of_the_reporter() {
        let form = |child_email: &str, words: &str| ChildReportForm {
            child_email: child_email.to_owned(),
            words: words.to_owned(),
            ..ChildReportForm::default()
        };
        assert_eq!(form("", " ").check().expect_err("names nothing").field.as_deref(), Some("child_email"));
        assert_eq!(form("kid", "").check().expect_err("no address").field.as_deref(), Some("child_email"));
        assert!(form("kid@example.org", "").check().is_ok() && form("", "On Maya's page.").check().is_ok());
    }

    #[test]
    fn each_alarm_rings_on_its_day() {
        let left = [Step::Acknowledge, Step::Read, Step::Answer];
        let on = |days: i64| alarms(RightKind::Complaint, RECEIVED, &left, RECEIVED.plus_days(days));
        assert_eq!(on(2), []);
        assert_eq!(on(3), [Alarm::Unread]);
        assert_eq!(on(19), [Alarm::Unread]);
        assert_eq!(on(20), [Alarm::Unread, Alarm::Unacknowledged]);
        assert_eq!(on(25), [Alarm::Unread, Alarm::Unacknowledged, Alarm::Unanswered]);
        assert_eq!(alarms(RightKind::Complaint, RECEIVED, &[], RECEIVED.plus_days(300)), []);
        let child =
            |hours: i64| alarms(RightKind::Minor, RECEIVED, &[Step::Answer], RECEIVED.plus_seconds(hours * 3_600));
        assert_eq!((child(47), child(48)), (vec![], vec![Alarm::ChildNotFound]));
    }
}
