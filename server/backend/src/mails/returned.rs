//! What mail servers say to a mail, at once or days later: for the mail, for its address, for us.
//!
//! Every mail to a registrant leaves with a return address of its own, signed by us. What comes back there names the mail
//! by it, and by nothing else: addresses inside a report are claims anybody can write. Source: product.md §4.9.

use domain::ids::MailId;
use domain::{Refusal, RefusalKind};
use mail::bounce::{self, Action, Returned};
use mail::{Consequence, verp};
use persistence::bounces::{self, Bounce};
use persistence::entities::mail as outbox;
use persistence::{mails as queries, rights};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::secrets::same;
use crate::{Backend, Result};

/// Bytes of a mail's signature in its return address: 64 bits, and nothing is won by guessing one.
const SIGNATURE_BYTES: usize = 8;
/// What the coach reads beside a mail its reader reported.
const REPORTED: &str = "Its reader reported it as unwanted. Nothing more goes there.";

impl Backend {
    /// Where a mail to this address, by its keyed hash, comes back to; nothing where nobody reads such mail.
    pub(crate) fn return_path(&self, id: MailId, email_index: &[u8]) -> Option<String> {
        verp::return_path(self.config().bounce_mailbox.as_deref()?, &self.return_token(id, email_index))
    }

    /// In one case of letters: mail servers on the way may change it.
    fn return_token(&self, id: MailId, email_index: &[u8]) -> String {
        let mac = self.secrets().mac("return-path", &[id.as_bytes(), email_index]);
        format!("{}{}", hex::encode(id.as_bytes()), hex::encode(&mac[..SIGNATURE_BYTES]))
    }

    /// The mail one of these addresses names, if it is signed by us and its person has the address still it went to:
    /// what the old one does says nothing about a corrected one.
    async fn mail_named(&self, conn: &impl ConnectionTrait, addresses: &[String]) -> Result<Option<MailId>> {
        let Some(mailbox) = self.config().bounce_mailbox.as_deref() else { return Ok(None) };
        for address in addresses {
            let Some(token) = verp::token_in(address, mailbox).map(str::to_ascii_lowercase) else { continue };
            let id = token.get(..32).and_then(|hex| hex::decode(hex).ok()).and_then(|id| <[u8; 16]>::try_from(id).ok());
            let Some(id) = id.map(|id| MailId(Uuid::from_bytes(id))) else { continue };
            let Some(index) = queries::address_of(conn, id).await? else { continue };
            if same(token.as_bytes(), self.return_token(id, &index).as_bytes()) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Takes one mail from the mailbox undeliverable mail comes back to. Whether it meant anything: vacation replies,
    /// reports about mails that are not ours and what nobody can read do not.
    ///
    /// # Errors
    /// When it cannot be kept; the same mail may be brought again.
    pub async fn take_returned(&self, raw: &[u8]) -> Result<bool> {
        match bounce::read(raw) {
            Returned::Delivery(report) => {
                let Some(id) = self.mail_named(self.db().reader(), &report.sent_to).await? else { return Ok(false) };
                // One mail goes to one person; a list behind the address may have answered for several.
                let failed = report.recipients.iter().filter(|one| one.action == Action::Failed);
                let Some((one, consequence)) = failed.filter_map(|one| Some((one, one.consequence()?))).next() else {
                    return Ok(false);
                };
                let said = format!("It came back: {} {}", one.status, one.diagnostic);
                self.came_back(id, "failed", (said.trim(), Some(consequence))).await
            }
            Returned::Complaint(report) if report.kind.is_complaint() => {
                let named: Vec<String> = report.sent_to.into_iter().chain(report.original_return_path).collect();
                let Some(id) = self.mail_named(self.db().reader(), &named).await? else { return Ok(false) };
                self.came_back(id, "sent", (REPORTED, None)).await
            }
            Returned::Complaint(_) | Returned::AutoReply | Returned::Other => Ok(false),
        }
    }

    /// Writes down what became of a mail that was sent, once. Without a consequence it was reported as unwanted.
    async fn came_back(
        &self,
        id: MailId,
        state: &str,
        (said, consequence): (&str, Option<Consequence>),
    ) -> Result<bool> {
        let transaction = self.db().begin().await?;
        let Some(row) = queries::mail(&transaction, id).await? else { return Ok(false) };
        if row.state == "sending" {
            let message = "This mail has just left and is not written down as sent yet. Please bring its answer again.";
            return Err(Refusal::new(RefusalKind::Busy, message).into());
        }
        if !queries::settle(&transaction, id, "sent", state, Some(said), row.sent_at).await? {
            return Ok(false);
        }
        match consequence {
            Some(consequence) => self.judge_answer(&transaction, &row, consequence, said).await?,
            None => self.note_complaint(&transaction, &row).await?,
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn note_complaint(&self, conn: &impl ConnectionTrait, row: &outbox::Model) -> Result<()> {
        if let Some(person) = self.person_written_to(conn, row).await? {
            bounces::complained(conn, row.coach_id, person, self.now()).await?;
        }
        Ok(())
    }

    /// Draws the consequence of an answer that was not a yes: once for each mail, however often it was tried.
    pub(crate) async fn judge_answer(
        &self,
        conn: &impl ConnectionTrait,
        row: &outbox::Model,
        consequence: Consequence,
        said: &str,
    ) -> Result<()> {
        let bounce = match consequence {
            Consequence::SuppressAddress => Bounce::ForGood,
            Consequence::TryLater | Consequence::RefuseMail => Bounce::ForNow,
            Consequence::AlertOperators => {
                tracing::error!(said, "a mail server refuses us: look at sender, signature and reputation");
                metrics::counter!("mail_refused_for_us_total").increment(1);
                return Ok(());
            }
            Consequence::WaitForServer => return Ok(()),
        };
        if let Some(person) = self.person_written_to(conn, row).await? {
            bounces::bounced(conn, row.coach_id, person, bounce, self.now()).await?;
        }
        Ok(())
    }

    /// Whom a mail was for, with account and person held; nobody once they are gone.
    async fn person_written_to(
        &self,
        conn: &impl ConnectionTrait,
        row: &outbox::Model,
    ) -> Result<Option<domain::ids::SubjectId>> {
        let Some(booking) = row.registration_id else { return Ok(None) };
        if rights::hold_account(conn, row.coach_id).await?.is_none() {
            return Ok(None);
        }
        let Some(person) = queries::person_of(conn, row.coach_id, booking).await? else { return Ok(None) };
        let state = rights::hold_subject(conn, row.coach_id, person).await?;
        Ok(state.filter(|state| *state != domain::rights::SubjectState::Erasing).map(|_| person))
    }
}

#[cfg(test)]
mod tests;
