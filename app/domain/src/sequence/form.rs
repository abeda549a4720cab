//! A template as a coach types it, and as her page shows it.
//!
//! The form knows the conditions a coach can put together today; others a template may have come with, such as from an
//! archive, are kept beside them.

use serde::{Deserialize, Serialize};

use super::placeholders::{check_body, check_subject};
use super::{Condition, Joined, Segment, Timing, TimingKind};
use crate::ids::MailTemplateId;
use crate::refusal::Refusal;
use crate::watching::Attendance;

/// A template as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateForm {
    /// Which; empty for a new one.
    pub template: String,
    /// A word of [`TimingKind`].
    pub timing: String,
    /// How many of `unit`.
    pub amount: String,
    /// `minutes`, `hours` or `days`.
    pub unit: String,
    /// One line with placeholders.
    pub subject: String,
    /// Markdown with placeholders.
    pub body: String,
    /// Whether it goes at all.
    pub is_on: Option<String>,
    /// Whether it is an offer; only a mail after the session can be one.
    pub is_promotional: Option<String>,
    /// A word of [`Joined`].
    pub joined: String,
    /// Goes to who attended to the end.
    pub attended_to_end: Option<String>,
    /// Goes to who left early.
    pub left_early: Option<String>,
    /// Goes to who missed it.
    pub missed: Option<String>,
    /// Percent seen at least, or empty.
    pub percent_at_least: String,
    /// Percent seen at most, or empty.
    pub percent_at_most: String,
    /// Minute before which they left, or empty.
    pub left_before: String,
    /// Minute past which they stayed, or empty.
    pub stayed_past: String,
}

/// What a coach wrote, checked by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// When it goes.
    pub timing: Timing,
    /// To whom.
    pub segment: Segment,
    /// Whether it sells something.
    pub is_promotional: bool,
    /// Whether it goes at all.
    pub is_on: bool,
    /// One line with placeholders.
    pub subject: String,
    /// Markdown with placeholders.
    pub body: String,
}

/// A template on its coach's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// Which.
    pub id: MailTemplateId,
    /// When it goes, for people.
    pub when: String,
    /// To whom it goes, for people; nothing when to everybody.
    pub to: Option<String>,
    /// Whether it is the one that cannot be taken away.
    pub is_confirmation: bool,
    /// As it is edited.
    pub form: TemplateForm,
}

/// Everything the page of mails shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceView {
    /// The webinar's title.
    pub title: String,
    /// In the order they go.
    pub templates: Vec<TemplateView>,
    /// Whether there is a start to be reminded of.
    pub has_a_start: bool,
}

fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, Refusal> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let message = "Please use digits only, such as 30.";
            text.parse().map(Some).map_err(|_| Refusal::field(field, message))
        }
    }
}

/// Whether the form can show a condition.
fn is_shown(condition: &Condition) -> bool {
    let is_whole = |seconds: &u32| seconds.is_multiple_of(60);
    match condition {
        Condition::Status { one_of } => one_of
            .iter()
            .all(|status| matches!(status, Attendance::AttendedToEnd | Attendance::LeftEarly | Attendance::Missed)),
        Condition::PercentAtLeast { .. } | Condition::PercentAtMost { .. } => true,
        Condition::LeftBefore { seconds } | Condition::StayedPast { seconds } => is_whole(seconds),
        _ => false,
    }
}

impl TemplateForm {
    /// Checks what was typed. `before` is the segment it had, of which the form may not show everything.
    ///
    /// # Errors
    /// Refuses, by field, what is missing, too long, no number, or no placeholder.
    pub fn parse(&self, before: Option<&Segment>) -> Result<Written, Refusal> {
        let subject = self.subject.trim().to_owned();
        check_subject(&subject)?;
        check_body(&self.body)?;
        let kind = TimingKind::from_stored(&self.timing)
            .ok_or_else(|| Refusal::field("timing", "Please choose whether it goes before or after the session."))?;
        let timing = match kind {
            TimingKind::Confirmation => Timing::Confirmation,
            TimingKind::Before => Timing::Before { minutes: self.minutes()? },
            TimingKind::After => Timing::After { minutes: self.minutes()? },
        };
        timing.check().map_err(|refusal| Refusal { field: Some("amount".to_owned()), ..refusal })?;
        if timing == Timing::Confirmation && !self.body.contains("{{link") {
            let message = "The confirmation brings people their link. Please keep {{link}} in it.";
            return Err(Refusal::field("body", message));
        }
        let segment = match kind {
            TimingKind::After => self.segment(before)?,
            TimingKind::Confirmation | TimingKind::Before => Segment::everybody(),
        };
        let is_on = self.is_on.is_some() || kind == TimingKind::Confirmation;
        let is_promotional = kind == TimingKind::After && self.is_promotional.is_some();
        Ok(Written { timing, segment, is_promotional, is_on, subject, body: self.body.clone() })
    }

    fn minutes(&self) -> Result<u32, Refusal> {
        let amount: u32 = number("amount", &self.amount)?
            .ok_or_else(|| Refusal::field("amount", "Please say how long before or after."))?;
        let unit = match self.unit.as_str() {
            "days" => 1_440,
            "hours" => 60,
            _ => 1,
        };
        Ok(amount.saturating_mul(unit))
    }

    fn segment(&self, before: Option<&Segment>) -> Result<Segment, Refusal> {
        let mut conditions = Vec::new();
        let ticked = [
            (&self.attended_to_end, Attendance::AttendedToEnd),
            (&self.left_early, Attendance::LeftEarly),
            (&self.missed, Attendance::Missed),
        ];
        let one_of: Vec<Attendance> =
            ticked.into_iter().filter(|(ticked, _)| ticked.is_some()).map(|(_, status)| status).collect();
        // All of them is everybody whose session is over.
        if !one_of.is_empty() && one_of.len() < 3 {
            conditions.push(Condition::Status { one_of });
        }
        if let Some(percent) = number("percent_at_least", &self.percent_at_least)? {
            conditions.push(Condition::PercentAtLeast { percent });
        }
        if let Some(percent) = number("percent_at_most", &self.percent_at_most)? {
            conditions.push(Condition::PercentAtMost { percent });
        }
        if let Some(minutes) = number::<u32>("left_before", &self.left_before)? {
            conditions.push(Condition::LeftBefore { seconds: minutes.saturating_mul(60) });
        }
        if let Some(minutes) = number::<u32>("stayed_past", &self.stayed_past)? {
            conditions.push(Condition::StayedPast { seconds: minutes.saturating_mul(60) });
        }
        conditions
            .extend(before.into_iter().flat_map(|segment| &segment.conditions).filter(|one| !is_shown(one)).cloned());
        Ok(Segment { joined: Joined::from_stored(&self.joined).unwrap_or(Joined::All), conditions })
    }

    /// The form of a template that is there.
    #[must_use]
    pub fn of(id: MailTemplateId, written: &Written) -> Self {
        let minutes = written.timing.minutes();
        let (amount, unit) = match minutes {
            0 => (0, "minutes"),
            whole if whole % 1_440 == 0 => (whole / 1_440, "days"),
            whole if whole % 60 == 0 => (whole / 60, "hours"),
            _ => (minutes, "minutes"),
        };
        let mut form = Self {
            template: id.to_string(),
            timing: written.timing.kind().as_str().to_owned(),
            amount: amount.to_string(),
            unit: unit.to_owned(),
            subject: written.subject.clone(),
            body: written.body.clone(),
            is_on: written.is_on.then(|| "on".to_owned()),
            is_promotional: written.is_promotional.then(|| "on".to_owned()),
            joined: written.segment.joined.as_str().to_owned(),
            ..Self::default()
        };
        let ticked = |one_of: &[Attendance], status| one_of.contains(&status).then(|| "on".to_owned());
        for condition in written.segment.conditions.iter().filter(|condition| is_shown(condition)) {
            match condition {
                Condition::Status { one_of } => {
                    form.attended_to_end = ticked(one_of, Attendance::AttendedToEnd);
                    form.left_early = ticked(one_of, Attendance::LeftEarly);
                    form.missed = ticked(one_of, Attendance::Missed);
                }
                Condition::PercentAtLeast { percent } => form.percent_at_least = percent.to_string(),
                Condition::PercentAtMost { percent } => form.percent_at_most = percent.to_string(),
                Condition::LeftBefore { seconds } => form.left_before = (seconds / 60).to_string(),
                Condition::StayedPast { seconds } => form.stayed_past = (seconds / 60).to_string(),
                _ => {}
            }
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> TemplateForm {
        TemplateForm {
            timing: "after".to_owned(),
            amount: "2".to_owned(),
            unit: "hours".to_owned(),
            subject: "Thank you".to_owned(),
            body: "Hello {{first_name|there}}".to_owned(),
            is_on: Some("on".to_owned()),
            joined: "all".to_owned(),
            left_early: Some("on".to_owned()),
            stayed_past: "20".to_owned(),
            ..TemplateForm::default()
        }
    }

    fn field(form: &TemplateForm) -> String {
        form.parse(None).expect_err("refused").field.expect("a field")
    }

    #[test]
    fn what_is_typed_comes_back_as_it_was() {
        let written = form().parse(None).expect("in order");
        assert_eq!(written.timing, Timing::After { minutes: 120 });
        assert_eq!(written.segment.conditions.len(), 2);
        let again = TemplateForm::of(MailTemplateId(uuid::Uuid::nil()), &written);
        assert_eq!(again.parse(None).expect("in order"), written);
        assert_eq!((again.amount.as_str(), again.unit.as_str()), ("2", "hours"));
    }

    #[test]
    fn a_refusal_names_the_field() {
        assert_eq!(field(&TemplateForm { amount: String::new(), ..form() }), "amount");
        assert_eq!(field(&TemplateForm { amount: "40".to_owned(), unit: "days".to_owned(), ..form() }), "amount");
        assert_eq!(field(&TemplateForm { percent_at_least: "half".to_owned(), ..form() }), "percent_at_least");
        assert_eq!(field(&TemplateForm { timing: "sometime".to_owned(), ..form() }), "timing");
        assert_eq!(field(&TemplateForm { subject: "{{frist_name}}".to_owned(), ..form() }), "subject");
        assert_eq!(field(&TemplateForm { body: "{{nothing}}".to_owned(), ..form() }), "body");
        assert_eq!(field(&TemplateForm { timing: "confirmation".to_owned(), ..form() }), "body");
    }

    #[test]
    fn a_condition_the_form_does_not_show_is_kept() {
        let before = Segment { joined: Joined::All, conditions: vec![Condition::AskedQuestion] };
        let segment = form().parse(Some(&before)).expect("in order").segment;
        assert!(segment.conditions.contains(&Condition::AskedQuestion));
        assert_eq!(segment.conditions.len(), 3);
    }
}
