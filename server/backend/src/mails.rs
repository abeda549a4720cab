//! The outbox: every mail is a row and a job written in the transaction that causes it, rendered when it is sent.
//!
//! Neither the address nor the text is stored with the mail: both come from their one place at the moment of
//! sending, so an erasure between planning and sending leaves nothing to send. Who may still be written to is decided
//! in the transaction that claims the mail, with account and person held: a mail is sent before an erasure, a
//! restriction or a withdrawal commits, or never.

mod about_leaving;
pub(crate) mod about_rights;
mod about_the_account;
pub(crate) mod about_the_booking;
mod returned;
mod to_registrants;

use std::time::Duration;

use domain::Moment;
use domain::fence::{MailVerdict, mail_to_coach, mail_to_viewer};
use domain::ids::{CoachId, MailId, OneTimeTokenId, RegistrationId};
use mail::{Consequence, Outgoing, SendError};
use persistence::entities::mail as outbox;
use persistence::mailing::{self, Case, Recipient, Standing};
use persistence::mails as queries;
use persistence::{accounts, rights};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Set};

use self::about_the_account::{CoachMail, LeadsTo};
use crate::{Backend, Result};

/// Accent of mails that belong to no webinar.
pub(crate) const HOUSE_ACCENT: &str = "#b4532a";
/// Kind of the job that sends one mail.
pub const SEND_MAIL: &str = "send_mail";
/// A mail server that takes longer is given up; well within what a claim lasts.
const SEND_TIMEOUT: Duration = Duration::from_secs(queries::SENDING_SECONDS as u64 - 30);

/// What a send attempt led to.
pub(crate) enum Sent {
    /// Sent, or there was nothing to send any more.
    Settled,
    /// Worth trying again.
    Later(String),
}

/// What came of handing a mail over.
pub(crate) enum Handed {
    /// The mail server took it.
    Taken,
    /// There is nobody to send it to any more.
    Nobody,
    /// It was refused for good: what was said, and what follows from it.
    Refused(String, Consequence),
    /// Worth trying again, and when, where that is known.
    Later(String, Option<Moment>),
}

/// What came of asking for a mail.
pub(crate) enum Claim {
    /// It is ours to send.
    Taken(Box<outbox::Model>),
    /// It was sent, or never will be, or waits.
    Settled,
    /// Another worker has it.
    Busy,
}

impl Backend {
    /// Plans a mail inside the transaction that causes it. A second mail with the same `dedupe_key` is not planned, and
    /// neither is one to somebody who is being erased; one to somebody whose data rests waits.
    ///
    /// # Errors
    /// When the database cannot keep it.
    #[expect(clippy::too_many_arguments, reason = "one row, each column once")]
    pub async fn enqueue_mail(
        &self,
        transaction: &impl ConnectionTrait,
        coach: CoachId,
        template: &str,
        dedupe_key: &str,
        registration: Option<RegistrationId>,
        token: Option<OneTimeTokenId>,
        now: Moment,
    ) -> Result<()> {
        let state = match self.verdict(transaction, coach, template, registration).await? {
            MailVerdict::Send => "queued",
            MailVerdict::Hold(_) => "held",
            MailVerdict::Drop(_) => return Ok(()),
        };
        let id = MailId::new();
        let row = outbox::ActiveModel {
            id: Set(id),
            coach_id: Set(coach),
            registration_id: Set(registration),
            one_time_token_id: Set(token),
            template: Set(template.to_owned()),
            dedupe_key: Set(dedupe_key.to_owned()),
            state: Set(state.to_owned()),
            note: Set(None),
            created_at: Set(now),
            sent_at: Set(None),
            template_id: Set(None),
            send_at: Set(None),
            due_at: Set(None),
            useful_until_at: Set(None),
            decided_at: Set(None),
            reason: Set(None),
        };
        let inserted = outbox::Entity::insert(row)
            .on_conflict(OnConflict::column(outbox::Column::DedupeKey).do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        if inserted == 0 || state == "held" {
            return Ok(());
        }
        let job = jobs::NewJob {
            kind: SEND_MAIL,
            payload: serde_json::json!({ "mail": id }),
            run_at: now,
            idempotency_key: Some(format!("{SEND_MAIL}:{id}")),
            max_attempts: 12,
        };
        jobs::enqueue(transaction, job, now).await?;
        Ok(())
    }

    /// Whether a mail may go out, with the account and the person held until the transaction ends.
    async fn verdict(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        template: &str,
        booking: Option<RegistrationId>,
    ) -> Result<MailVerdict> {
        let nobody = MailVerdict::Drop("There is nobody to send it to any more.");
        let Some(booking) = booking else {
            let account = rights::hold_account(conn, coach).await?;
            return Ok(account.map_or(nobody, |account| mail_to_coach(template, account)));
        };
        let standing = self.standing(conn, coach, booking).await?;
        Ok(standing.map_or(nobody, |Standing { account, person, marks, agreed, .. }| {
            mail_to_viewer(template, account, person, (marks.objected, agreed), marks.suppression)
        }))
    }

    /// How a registrant stands to mail, with the account and the person held until the transaction ends; nothing when
    /// they are gone.
    async fn standing(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        registration: RegistrationId,
    ) -> Result<Option<Standing>> {
        let Some(subject) = queries::person_of(conn, coach, registration).await? else { return Ok(None) };
        let recipient = Recipient { coach, subject, registration };
        Ok(mailing::hold(conn, &[recipient], self.now()).await?.remove(&registration))
    }

    /// Sends one planned mail.
    pub(crate) async fn send_planned_mail(&self, id: MailId) -> Result<Sent> {
        let row = match self.claim_mail(id).await? {
            Claim::Taken(row) => row,
            Claim::Settled => return Ok(Sent::Settled),
            Claim::Busy => return Ok(Sent::Later("another worker is sending it".to_owned())),
        };
        let sent = self.deliver(&row).await;
        if sent.is_err() {
            self.settle_mail(&row, "queued", None).await?;
        }
        self.mail_settled().notify_waiters();
        sent
    }

    /// Takes a mail to send it, if it may be sent at this moment.
    pub(crate) async fn claim_mail(&self, id: MailId) -> Result<Claim> {
        let now = self.now();
        let transaction = self.db().begin().await?;
        let Some(row) = queries::mail(&transaction, id).await? else { return Ok(Claim::Settled) };
        let stale = now.plus_seconds(-queries::SENDING_SECONDS);
        match row.state.as_str() {
            "queued" => {}
            // Its worker died while sending: the same Message-ID tells the mailbox that it is the same mail.
            "sending" if row.sent_at.is_none_or(|since| since <= stale) => {}
            "sending" => return Ok(Claim::Busy),
            _ => return Ok(Claim::Settled),
        }
        let claim = match self.verdict(&transaction, row.coach_id, &row.template, row.registration_id).await? {
            MailVerdict::Send if queries::claim(&transaction, &row, now).await? => {
                Claim::Taken(Box::new(outbox::Model { state: "sending".to_owned(), sent_at: Some(now), ..row }))
            }
            MailVerdict::Send => Claim::Busy,
            MailVerdict::Hold(note) => {
                queries::settle(&transaction, id, &row.state, "held", Some(note), None).await?;
                Claim::Settled
            }
            MailVerdict::Drop(note) => {
                queries::settle(&transaction, id, &row.state, "dropped", Some(note), None).await?;
                Claim::Settled
            }
        };
        transaction.commit().await?;
        Ok(claim)
    }

    /// Renders a claimed mail and hands it over. What was rendered lives no longer than this call.
    pub(crate) async fn deliver(&self, row: &outbox::Model) -> Result<Sent> {
        match self.hand_over(row).await? {
            Handed::Taken => self.settle_mail(row, "sent", None).await?,
            Handed::Nobody => {
                self.settle_mail(row, "dropped", Some("There is nobody to send it to any more.")).await?;
            }
            Handed::Refused(said, consequence) => {
                let transaction = self.db().begin().await?;
                queries::settle(&transaction, row.id, "sending", "failed", Some(&said), None).await?;
                self.judge_answer(&transaction, row, consequence, &said).await?;
                transaction.commit().await?;
            }
            Handed::Later(reason, _) => {
                self.settle_mail(row, "queued", None).await?;
                return Ok(Sent::Later(reason));
            }
        }
        Ok(Sent::Settled)
    }

    /// Puts a claimed mail together and hands it over; what became of it is the caller's to write down.
    async fn hand_over(&self, row: &outbox::Model) -> Result<Handed> {
        let reader = self.db().reader();
        if row.registration_id.is_some() {
            let case = mailing::cases(reader, std::slice::from_ref(row)).await?.remove(&row.id);
            return self.hand_over_to_registrant(row, case).await;
        }
        let Some(coach) = accounts::coach(reader, row.coach_id).await? else { return Ok(Handed::Nobody) };
        let outgoing = self.compose_for_coach(row, &coach).await?;
        Ok(self.post(row, outgoing).await)
    }

    /// The same for one of many whose cases were read together.
    pub(crate) async fn hand_over_to_registrant(&self, row: &outbox::Model, case: Option<Case>) -> Result<Handed> {
        let Some(case) = case else { return Ok(Handed::Nobody) };
        let outgoing = self.compose_for_registrant(row, case).await?;
        Ok(self.post(row, outgoing).await)
    }

    async fn post(&self, row: &outbox::Model, outgoing: Option<Outgoing>) -> Handed {
        let Some(outgoing) = outgoing else { return Handed::Nobody };
        let sent = tokio::time::timeout(SEND_TIMEOUT, self.mailer().send(&outgoing, self.now())).await;
        match sent.unwrap_or_else(|late| Err(SendError::Transient(late.into()))) {
            Ok(()) => Handed::Taken,
            Err(error @ SendError::Permanent(_)) => {
                tracing::warn!(template = row.template, "a mail was refused for good");
                Handed::Refused(said(&error), error.consequence())
            }
            Err(SendError::NotBefore(at, said)) => Handed::Later(said.to_string(), Some(at)),
            Err(error @ SendError::Transient(_)) => {
                if error.consequence() == Consequence::AlertOperators {
                    tracing::error!(said = said(&error), "a mail server refuses us: look at user name and password");
                }
                Handed::Later(said(&error), None)
            }
        }
    }

    async fn settle_mail(&self, row: &outbox::Model, state: &str, note: Option<&str>) -> Result<()> {
        let transaction = self.db().begin().await?;
        let sent_at = (state == "sent").then(|| self.now());
        queries::settle(&transaction, row.id, "sending", state, note, sent_at).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// What the mail server said, for whoever reads the mail's line.
fn said(error: &SendError) -> String {
    let reply = error.reply();
    if reply.text.is_empty() { error.to_string() } else { format!("The mail server said: {}", reply.text) }
}
