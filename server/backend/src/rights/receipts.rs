//! The receipt: written once, kept without the nonce, mailed with it.

use domain::Moment;
use domain::rights::{SubjectKind, authority};
use mail::{Button, Letter, Outgoing, SendError};
use persistence::entities::{dsr_request, dsr_task};
use persistence::rights as queries;
use privacy::DataMap;
use privacy::receipt::{self, Kept, Line, NONCE_BYTES, Receipt, Scan, Signed, Signer, backup_dates};
use privacy::scan::{Depth, Needles};
use sea_orm::{ActiveModelTrait, Set};

use super::messages::COMPLAINT_PAGE;
use crate::{Backend, Error, Result};

/// Where anybody checks a receipt.
pub const RECEIPT_PAGE: &str = "/privacy/receipt";

impl Backend {
    /// The key receipts are signed with.
    #[must_use]
    pub fn receipt_signer(&self) -> Signer {
        Signer::from_seed(&self.secrets().derive("receipts"))
    }

    /// Writes the receipt of an erasure, unless a try before did, and mails the person her copy.
    pub(super) async fn receipt_for(
        &self,
        row: &dsr_request::Model,
        tasks: &[dsr_task::Model],
        lines: Vec<Line>,
        now: Moment,
    ) -> Result<()> {
        let address = self.request_details(row).await?.and_then(|details| details.answer_to);
        let nonce = self.receipt_nonce(row).await?;
        let (stored, is_kept) = match &row.receipt {
            Some(text) => {
                let stored: Signed = serde_json::from_str(text)?;
                // A hold has ended since, or a try before got this far.
                let is_same = kept(tasks)? == stored.receipt.retained;
                (Some(stored), is_same)
            }
            None => (None, false),
        };
        let signed = match stored {
            Some(stored) if is_kept => stored,
            before => {
                let commitment = match (&address, &nonce, &before) {
                    (Some(address), Some(nonce), _) => receipt::commitment(address, nonce),
                    (_, _, Some(before)) => before.receipt.commitment.clone(),
                    _ => String::new(),
                };
                let content = self.receipt_content(row, tasks, lines, (commitment, address.as_deref()), now).await?;
                let signed = self.receipt_signer().sign(content).map_err(|e| Error::fault("sign a receipt", e))?;
                let change = dsr_request::ActiveModel {
                    id: Set(row.id),
                    receipt: Set(Some(serde_json::to_string(&signed)?)),
                    ..Default::default()
                };
                let transaction = self.db().begin().await?;
                change.update(&transaction).await?;
                transaction.commit().await?;
                signed
            }
        };
        match (address, nonce) {
            (Some(address), Some(nonce)) => {
                let copy = Signed { nonce: Some(hex::encode(nonce)), ..signed };
                self.mail_receipt(row, &address, &copy, now).await
            }
            // The copy was mailed when the hold began; the address went with its key.
            _ => Ok(()),
        }
    }

    /// The same at every try, and gone with the request's own key.
    async fn receipt_nonce(&self, row: &dsr_request::Model) -> Result<Option<Vec<u8>>> {
        let key = self.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id);
        Ok(key.map(|key| key.reference(b"receipt nonce")[..NONCE_BYTES].to_vec()))
    }

    async fn receipt_content(
        &self,
        row: &dsr_request::Model,
        tasks: &[dsr_task::Model],
        results: Vec<Line>,
        (commitment, address): (String, Option<&str>),
        now: Moment,
    ) -> Result<Receipt> {
        let needles: Vec<String> = address.map(str::to_owned).into_iter().collect();
        let failed = |error| Error::fault("scan the databases", error);
        let needles = Needles::new(&needles).map_err(failed)?;
        let report = privacy::scan::scan(&self.stores(), &[], Depth::Databases, &needles).await.map_err(failed)?;
        let whose = SubjectKind::from_stored(&row.subject_kind).unwrap_or(SubjectKind::Coach);
        let (unreadable, gone) = backup_dates(now, whose);
        Ok(Receipt {
            format: receipt::FORMAT.to_owned(),
            request: row.id.to_string(),
            kind: row.kind.clone(),
            subject_kind: row.subject_kind.clone(),
            received_at: row.received_at.to_string(),
            verified_at: row.verified_at.map(|at| at.to_string()),
            completed_at: now.to_string(),
            map_sha256: hex::encode(DataMap::hash()),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            results,
            retained: kept(tasks)?,
            recipients: Vec::new(),
            backups_unreadable_since: unreadable.to_string(),
            backups_gone_by: gone.to_string(),
            scan: Scan {
                sha256: hex::encode(report.digest()),
                hits: i64::try_from(report.total()).unwrap_or(i64::MAX),
            },
            commitment,
        })
    }

    async fn mail_receipt(&self, row: &dsr_request::Model, to: &str, copy: &Signed, now: Moment) -> Result<()> {
        // The request's own id: a mail sent twice by a crash is recognisably the same.
        let letter = self.receipt_letter(row, copy)?;
        // When nobody is there any more, the receipt stays with the record.
        self.send_letter(row.id.to_string(), to, &letter, "receipt", now).await.map(drop)
    }

    /// Sends a letter of ours to an address that is in no account and no registration; tells whether it was taken, and
    /// not refused for good.
    pub(super) async fn send_letter(
        &self,
        id: String,
        to: &str,
        letter: &Letter,
        template: &'static str,
        now: Moment,
    ) -> Result<bool> {
        let outgoing = Outgoing {
            id,
            to: to.to_owned(),
            from_name: "My Mini Webinar".to_owned(),
            from: self.config().mail_from.clone(),
            return_path: None,
            reply_to: Some(self.config().contact_email.clone()),
            content: letter.render().map_err(|error| Error::fault("render a mail", error))?,
            headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
            attachment: None,
        };
        match self.mailer().send(&outgoing, now).await {
            Ok(()) => Ok(true),
            Err(SendError::Permanent(_)) => {
                tracing::warn!(template, "a mail was refused for good");
                Ok(false)
            }
            Err(error @ (SendError::Transient(_) | SendError::NotBefore(..))) => {
                Err(Error::fault("send a letter", error))
            }
        }
    }

    fn receipt_letter(&self, row: &dsr_request::Model, copy: &Signed) -> Result<Letter> {
        let is_coach = SubjectKind::from_stored(&row.subject_kind) == Some(SubjectKind::Coach);
        let what = if is_coach {
            "your account was deleted, with everything in it and everybody registered there."
        } else {
            "everything one of our coaches held about you was deleted."
        };
        let receipt = &copy.receipt;
        let kept = match receipt.retained.as_slice() {
            [] => "Nothing was kept.".to_owned(),
            retained => {
                let items: Vec<String> = retained
                    .iter()
                    .map(|item| match &item.until {
                        Some(until) => format!("{} ({}, until {until})", item.class, item.ground),
                        None => format!("{} ({})", item.class, item.ground),
                    })
                    .collect();
                format!("Kept, because the law asks for it or you did: {}.", items.join("; "))
            }
        };
        let leads = authority("FR");
        Ok(Letter {
            subject: "Your data was deleted: the receipt".to_owned(),
            accent: crate::mails::HOUSE_ACCENT.to_owned(),
            before: vec![
                "Hello,".to_owned(),
                what.to_owned(),
                kept,
                format!(
                    "Backups cannot be read from {} on, and the last one is gone by {}.",
                    receipt.backups_unreadable_since, receipt.backups_gone_by
                ),
                "Below is your signed receipt. Keep it: only this copy can prove that it is about you. Check it on our \
                 page, or with any tool that knows Ed25519."
                    .to_owned(),
            ],
            button: Some(Button { label: "Check the receipt".to_owned(), url: self.config().absolute(RECEIPT_PAGE) }),
            after: vec![serde_json::to_string(copy)?],
            footer: vec![
                format!("Questions: {}", self.config().contact_email),
                format!(
                    "You can complain to us on {}, and to the {}, {}.",
                    self.config().absolute(COMPLAINT_PAGE),
                    leads.name,
                    leads.url
                ),
            ],
        })
    }

    /// A finished request's receipt, as it is kept: without the nonce.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_receipt(&self, id: domain::ids::RequestId) -> Result<Option<String>> {
        Ok(queries::request(self.db().reader(), id).await?.and_then(|row| row.receipt))
    }
}

/// What every step had to keep, once each.
fn kept(tasks: &[dsr_task::Model]) -> Result<Vec<Kept>> {
    let mut all: Vec<privacy::erasure::Retained> = Vec::new();
    for task in tasks {
        all.extend(serde_json::from_str::<Vec<_>>(&task.retained)?);
    }
    all.sort();
    all.dedup();
    Ok(all.iter().map(Kept::from).collect())
}
