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
    /// Where this mail comes back to; nothing where nobody reads such mail.
    pub(crate) fn return_path(&self, id: MailId) -> Option<String> {
        verp::return_path(self.config().bounce_mailbox.as_deref()?, &self.return_token(id))
    }

    /// In one case of letters: mail servers on the way may change it.
    fn return_token(&self, id: MailId) -> String {
        let mac = self.secrets().mac("return-path", &[id.as_bytes()]);
        format!("{}{}", hex::encode(id.as_bytes()), hex::encode(&mac[..SIGNATURE_BYTES]))
    }

    fn mail_in(&self, address: &str) -> Option<MailId> {
        let token = verp::token_in(address, self.config().bounce_mailbox.as_deref()?)?.to_ascii_lowercase();
        let id: [u8; 16] = hex::decode(token.get(..32)?).ok()?.try_into().ok()?;
        let id = MailId(Uuid::from_bytes(id));
        same(token.as_bytes(), self.return_token(id).as_bytes()).then_some(id)
    }

    /// Takes one mail from the mailbox undeliverable mail comes back to. Whether it meant anything: vacation replies,
    /// reports about mails that are not ours and what nobody can read do not.
    ///
    /// # Errors
    /// When it cannot be kept; the same mail may be brought again.
    pub async fn take_returned(&self, raw: &[u8]) -> Result<bool> {
        match bounce::read(raw) {
            Returned::Delivery(report) => {
                let Some(id) = report.sent_to.iter().find_map(|address| self.mail_in(address)) else {
                    return Ok(false);
                };
                // One mail goes to one person; a list behind the address may have answered for several.
                let failed = report.recipients.iter().filter(|one| one.action == Action::Failed);
                let Some((one, consequence)) = failed.filter_map(|one| Some((one, one.consequence()?))).next() else {
                    return Ok(false);
                };
                let said = format!("It came back: {} {}", one.status, one.diagnostic);
                self.came_back(id, "failed", (said.trim(), Some(consequence))).await
            }
            Returned::Complaint(report) if report.kind.is_complaint() => {
                let named = report.sent_to.iter().chain(report.original_return_path.iter());
                let Some(id) = named.into_iter().find_map(|address| self.mail_in(address)) else { return Ok(false) };
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
