//! Messages to the operators: complaints and reports about children, from the form to the answer.
//!
//! Who: anybody writes one, an operator opens and answers it. How it travels: the form writes a request about nobody,
//! its words and addresses sealed under a key of its own → the job `run_request` tells the operators and the person
//! that it came in → an operator answers, and with the answer the key is destroyed, so that what stays names nobody.
//! Nothing but an answer ends one (promise P53).

use std::collections::BTreeMap;

use domain::ids::RequestId;
use domain::messages::{Alarm, ChildReportForm, ComplaintForm, MessageLine, Step, alarms};
use domain::rights::{Regime, RequestState, RightKind, authority};
use domain::{Moment, Refusal, RefusalKind};
use mail::{Button, Letter};
use persistence::entities::dsr_request;
use persistence::{messages as queries, rights};
use privacy::audit::{Event, Role};

use super::{Asked, Details, Whose};
use crate::limits::Limit;
use crate::mails::HOUSE_ACCENT;
use crate::{Backend, Client, Error, Result, Visitor};

/// Where anybody complains.
pub const COMPLAINT_PAGE: &str = "/privacy/complain";
/// A choice of [`Details`]: the address a reported child registered with.
pub(crate) const CHILD: &str = "address";

/// A message an operator opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedMessage {
    /// What the list says of it.
    pub line: MessageLine,
    /// Where the answer goes.
    pub answer_to: Option<String>,
    /// The person's words.
    pub words: String,
    /// The address a reported child registered with.
    pub child: Option<String>,
}

impl Visitor {
    /// Takes a complaint; answers the reference it can be asked about by.
    ///
    /// # Errors
    /// Refuses a field that is not acceptable, by name, and too many from one network or to one address.
    pub async fn complain(&self, form: &ComplaintForm, client: &Client) -> Result<RequestId> {
        let complaint = form.check()?;
        if !form.website.is_empty() {
            // A machine fills what people do not see. It is told what it wants to hear.
            return Ok(RequestId::new());
        }
        let backend = &self.backend;
        backend.limit(Limit::Message, &hex::encode(client.network)).await?;
        backend.limit(Limit::AccountMail, &complaint.email.normalised()).await?;
        let asked = Asked {
            regime: complaint.regime,
            kind: RightKind::Complaint,
            whose: Whose::Open,
            undo_until: None,
            details: Details {
                answer_to: Some(complaint.email.as_str().to_owned()),
                words: complaint.words,
                choices: BTreeMap::new(),
            },
        };
        backend.write_message(&asked, &[Step::Notify, Step::Acknowledge, Step::Read, Step::Answer]).await
    }

    /// Takes a report about a child; answers the reference it can be asked about by, and nothing about whether the child
    /// is known. What is held is looked for by a job, so that not even the time tells.
    ///
    /// # Errors
    /// As [`Self::complain`].
    pub async fn report_child(&self, form: &ChildReportForm, client: &Client) -> Result<RequestId> {
        let report = form.check()?;
        if !form.website.is_empty() {
            return Ok(RequestId::new());
        }
        let backend = &self.backend;
        backend.limit(Limit::Message, &hex::encode(client.network)).await?;
        for address in report.email.iter().chain(&report.child_email) {
            backend.limit(Limit::AccountMail, &address.normalised()).await?;
        }
        let mut steps = vec![Step::Match, Step::Notify, Step::Read, Step::Answer];
        if report.email.is_some() {
            steps.push(Step::Acknowledge);
        }
        let child = report.child_email.map(|address| (CHILD.to_owned(), address.as_str().to_owned()));
        let asked = Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Minor,
            whose: Whose::Open,
            undo_until: None,
            details: Details {
                answer_to: report.email.map(|address| address.as_str().to_owned()),
                words: report.words,
                choices: child.into_iter().collect(),
            },
        };
        backend.write_message(&asked, &steps).await
    }
}

fn gone() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "There is no open message with this reference.")
}

impl Backend {
    /// Whether a request is a message: about nobody, and waiting for a person.
    pub(super) fn is_message(row: &dsr_request::Model) -> bool {
        let kind = RightKind::from_stored(&row.kind);
        matches!(kind, Some(RightKind::Complaint | RightKind::Minor))
            && row.coach_id.is_none()
            && row.subject_id.is_none()
    }

    async fn write_message(&self, asked: &Asked, steps: &[Step]) -> Result<RequestId> {
        let now = self.now();
        let key = self.request_key(now).await?;
        let transaction = self.db().begin().await?;
        let id = self.open_request(&transaction, &key, asked, now).await?;
        for step in steps {
            rights::plan_task(&transaction, id, step.as_str(), now).await?;
        }
        self.plan_run(&transaction, id, now, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(id)
    }

    /// Does those steps of a message that need no person. Doing it again changes nothing.
    pub(super) async fn look_at_message(&self, row: &dsr_request::Model) -> Result<()> {
        if Self::request_state(row)?.is_over() {
            return Ok(());
        }
        let Some(details) = self.request_details(row).await? else { return Ok(()) };
        let left = self.steps_left(row.id).await?;
        if left.contains(&Step::Match) {
            let found = match details.choices.get(CHILD) {
                Some(address) => self.report_address(address).await?,
                None => 0,
            };
            self.finish_step(row.id, Step::Match).await?;
            if found > 0 {
                // It rests and is being erased; nobody has to look for it any more.
                self.finish_step(row.id, Step::Answer).await?;
                self.finish_step(row.id, Step::Read).await?;
            }
        }
        if left.contains(&Step::Notify) {
            let (letter, to) = (self.letter_to_operators(row, None), self.config().contact_email.clone());
            self.send_letter(format!("{}-notify", row.id), &to, &letter, "message_notify", self.now()).await?;
            self.finish_step(row.id, Step::Notify).await?;
        }
        if left.contains(&Step::Acknowledge)
            && let Some(to) = &details.answer_to
        {
            let letter = self.acknowledgement(row)?;
            let id = format!("{}-acknowledge", row.id);
            if self.send_letter(id, to, &letter, "message_acknowledge", self.now()).await? {
                self.finish_step(row.id, Step::Acknowledge).await?;
            }
        }
        if self.steps_left(row.id).await?.is_empty() {
            self.close_message(row.id).await?;
        }
        Ok(())
    }

    /// A report about a child whose data an operator just had removed: nobody has to read or answer it any more.
    ///
    /// # Errors
    /// Refuses a reference no open report has.
    pub(crate) async fn settle_report(&self, id: RequestId) -> Result<()> {
        let row = self.open_message(id).await?;
        if row.kind != RightKind::Minor.as_str() {
            return Err(gone().into());
        }
        for step in [Step::Match, Step::Read, Step::Answer] {
            self.finish_step(id, step).await?;
        }
        self.look_at_message(&row).await
    }

    async fn steps_left(&self, id: RequestId) -> Result<Vec<Step>> {
        let tasks = rights::tasks(self.db().reader(), id).await?;
        Ok(tasks
            .iter()
            .filter(|task| task.state != "done")
            .filter_map(|task| Step::from_stored(&task.target))
            .collect())
    }

    async fn finish_step(&self, id: RequestId, step: Step) -> Result<()> {
        let transaction = self.db().begin().await?;
        queries::finish(&transaction, id, step.as_str(), self.now()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a message: words, addresses and key go, the record stays.
    async fn close_message(&self, id: RequestId) -> Result<()> {
        let now = self.now();
        for (from, to) in
            [(RequestState::Verified, RequestState::Running), (RequestState::Running, RequestState::Verifying)]
        {
            let transaction = self.db().begin().await?;
            rights::move_request(&transaction, id, from, domain::rights::step(from, to)?, Default::default()).await?;
            transaction.commit().await?;
        }
        let Some(row) = rights::request(self.db().reader(), id).await? else { return Ok(()) };
        self.end_request(&row, RequestState::Done, now).await
    }

    fn line_of(row: &dsr_request::Model, left: &[Step]) -> MessageLine {
        MessageLine {
            id: row.id,
            kind: row.kind.clone(),
            received_at: row.received_at,
            due_at: row.due_at,
            is_read: !left.contains(&Step::Read),
            is_acknowledged: !left.contains(&Step::Acknowledge),
        }
    }

    async fn open_messages(&self) -> Result<Vec<(dsr_request::Model, Vec<Step>)>> {
        let reader = self.db().reader();
        let mut left: BTreeMap<RequestId, Vec<Step>> = BTreeMap::new();
        for (id, step) in queries::unfinished_steps(reader).await? {
            left.entry(id).or_default().extend(Step::from_stored(&step));
        }
        let rows = queries::open(reader).await?;
        let with_steps = |row: dsr_request::Model| {
            let steps = left.remove(&row.id).unwrap_or_default();
            (row, steps)
        };
        Ok(rows.into_iter().map(with_steps).collect())
    }

    /// Messages that wait for somebody, oldest first, without their words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages(&self) -> Result<Vec<MessageLine>> {
        Ok(self.open_messages().await?.iter().map(|(row, left)| Self::line_of(row, left)).collect())
    }

    async fn open_message(&self, id: RequestId) -> Result<dsr_request::Model> {
        let row = rights::request(self.db().reader(), id).await?.ok_or_else(gone)?;
        if Self::is_message(&row) && !Self::request_state(&row)?.is_over() { Ok(row) } else { Err(gone().into()) }
    }

    /// Opens a message for an operator: it counts as read from now on, and that somebody looked is on record.
    ///
    /// # Errors
    /// Refuses a reference no open message has.
    pub async fn read_message(&self, id: RequestId) -> Result<OpenedMessage> {
        let row = self.open_message(id).await?;
        let details = self.request_details(&row).await?.ok_or_else(gone)?;
        let now = self.now();
        let transaction = self.db().begin().await?;
        queries::finish(&transaction, id, Step::Read.as_str(), now).await?;
        self.audit(&transaction, Event::Looked, Role::Operator, Some(id), ("right", 1), now).await?;
        transaction.commit().await?;
        let left = self.steps_left(id).await?;
        Ok(OpenedMessage {
            line: Self::line_of(&row, &left),
            answer_to: details.answer_to,
            words: details.words,
            child: details.choices.get(CHILD).cloned(),
        })
    }

    /// Mails an operator's answer and ends the message. A report without an address to answer to is only ended.
    ///
    /// # Errors
    /// Refuses a reference no open message has, and an answer without words where one is wanted.
    pub async fn answer_message(&self, id: RequestId, words: &str) -> Result<()> {
        let row = self.open_message(id).await?;
        let details = self.request_details(&row).await?.ok_or_else(gone)?;
        if let Some(to) = &details.answer_to {
            if words.trim().is_empty() {
                return Err(Refusal::new(RefusalKind::Invalid, "An answer needs words.").into());
            }
            let letter = self.answer_letter(&row, words)?;
            self.send_letter(format!("{id}-answer"), to, &letter, "message_answer", self.now()).await?;
        }
        for step in Step::ALL {
            self.finish_step(id, step).await?;
        }
        self.close_message(id).await
    }

    /// Rings for messages that wait for too long: once each by mail to the operators, and in the numbers for as long as it lasts.
    pub(crate) async fn watch_messages(&self, now: Moment) -> Result<()> {
        let open = self.open_messages().await?;
        let unread = open.iter().find(|(_, left)| left.contains(&Step::Read)).map(|(row, _)| row.received_at);
        metrics::gauge!("messages_oldest_unread_seconds").set(unread.map_or(0.0, |since| now.seconds_since(since)));
        let mut late = 0;
        for (row, left) in &open {
            let Some(kind) = RightKind::from_stored(&row.kind) else { continue };
            for alarm in alarms(kind, row.received_at, left, now) {
                late += 1;
                self.ring(row, alarm, now).await?;
            }
        }
        metrics::gauge!("messages_late").set(f64::from(late));
        if late > 0 {
            tracing::error!(late, "messages wait for longer than they may");
        }
        Ok(())
    }

    async fn ring(&self, row: &dsr_request::Model, alarm: Alarm, now: Moment) -> Result<()> {
        let tasks = rights::tasks(self.db().reader(), row.id).await?;
        if tasks.iter().any(|task| task.target == alarm.as_str() && task.state == "done") {
            return Ok(());
        }
        let letter = self.letter_to_operators(row, Some(alarm));
        let to = self.config().contact_email.clone();
        self.send_letter(format!("{}-{}", row.id, alarm.as_str()), &to, &letter, "message_alarm", now).await?;
        let transaction = self.db().begin().await?;
        rights::plan_task(&transaction, row.id, alarm.as_str(), now).await?;
        queries::finish(&transaction, row.id, alarm.as_str(), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Says that something came in or rings; neither whose nor what, because mailboxes are copied.
    fn letter_to_operators(&self, row: &dsr_request::Model, alarm: Option<Alarm>) -> Letter {
        let what = if row.kind == RightKind::Minor.as_str() { "report about a child" } else { "complaint" };
        let (subject, news) = match alarm {
            None => (format!("A {what} came in"), format!("a {what} came in on {}.", row.received_at.utc_text())),
            Some(alarm) => (
                format!("A {what} waits"),
                format!("the {what} of {} waits: {}.", row.received_at.utc_text(), alarm.label()),
            ),
        };
        Letter {
            subject,
            accent: HOUSE_ACCENT.to_owned(),
            before: vec![
                "Hello,".to_owned(),
                news,
                format!("Read it with “mini-webinar privacy message {}”, and answer it in the same way.", row.id),
            ],
            button: None,
            after: vec![format!("Due on {}.", row.due_at.utc_text())],
            footer: vec![format!("Sent by {}", self.config().absolute("/"))],
        }
    }

    fn acknowledgement(&self, row: &dsr_request::Model) -> Result<Letter> {
        let is_report = row.kind == RightKind::Minor.as_str();
        let said = if is_report {
            "your report arrived. What we hold under the address you named rests from now on and is erased within 72 hours. \
             Where you named none, one of us looks for it in the same time. For the child's sake we do not say what was found."
        } else {
            "your complaint arrived. One of the two founders reads it and answers within 30 days."
        };
        self.letter_to_person(
            row,
            "We have your message",
            vec![said.to_owned(), format!("Its reference is {}.", row.id)],
        )
    }

    fn answer_letter(&self, row: &dsr_request::Model, words: &str) -> Result<Letter> {
        let paragraphs = words.trim().split("\n\n").map(|text| text.replace('\n', " ").trim().to_owned());
        let said = std::iter::once(format!("this is our answer to your message {}:", row.id)).chain(paragraphs);
        self.letter_to_person(row, "The answer to your message", said.filter(|text| !text.is_empty()).collect())
    }

    fn letter_to_person(&self, row: &dsr_request::Model, subject: &str, said: Vec<String>) -> Result<Letter> {
        let regime = Regime::from_stored(&row.regime)
            .ok_or_else(|| Error::fault("read a request", format!("no law is called {}", row.regime)))?;
        let authority = authority(country_of(regime));
        Ok(Letter {
            subject: subject.to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: std::iter::once("Hello,".to_owned()).chain(said).collect(),
            button: Some(Button { label: "Our privacy policy".to_owned(), url: self.config().absolute("/privacy") }),
            after: vec![format!(
                "Not content with how we deal with it? Answer this mail, complain to us on {}, or to the {} ({}).",
                self.config().absolute(COMPLAINT_PAGE),
                authority.name,
                authority.url
            )],
            footer: vec![format!("Questions: {}", self.config().contact_email)],
        })
    }
}

/// Whose authority answers for a law; the French one leads for everybody else.
const fn country_of(regime: Regime) -> &'static str {
    match regime {
        Regime::Uk => "GB",
        Regime::California => "US",
        Regime::Gdpr | Regime::Other => "FR",
    }
}
