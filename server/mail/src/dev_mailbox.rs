//! The dev mailbox: mails as JSON files in the data folder, shown under `/dev/mailbox`.

use std::path::{Path, PathBuf};

use domain::Moment;
use serde::{Deserialize, Serialize};

use crate::{Attachment, Outgoing};

/// Mails kept; older ones are dropped.
const KEEP: usize = 2_000;

/// A folder that takes the place of a mail server.
#[derive(Clone, Debug)]
pub struct DevMailbox {
    folder: PathBuf,
}

/// A mail as `/dev/mailbox.json` shows it (contract.md).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredMail {
    /// Names the mail.
    pub id: String,
    /// When it was sent, RFC 3339.
    pub at: String,
    /// Recipient.
    pub to: String,
    /// Sender with its display name.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// Further headers by name.
    pub headers: std::collections::BTreeMap<String, String>,
    /// Plain text part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// Attachments.
    pub attachments: Vec<Attachment>,
}

impl DevMailbox {
    /// A mailbox in `folder`, which is made when missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the mails lie, one file each, named by the mail's id.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) async fn put(&self, mail: &Outgoing, now: Moment) -> std::io::Result<()> {
        let mut headers: std::collections::BTreeMap<_, _> = mail.headers.iter().cloned().collect();
        if let Some(reply_to) = &mail.reply_to {
            headers.insert("Reply-To".to_owned(), reply_to.clone());
        }
        if let Some(return_path) = &mail.return_path {
            headers.insert("Return-Path".to_owned(), return_path.clone());
        }
        headers.insert("Message-ID".to_owned(), crate::message::message_id(mail));
        let stored = StoredMail {
            id: mail.id.clone(),
            at: now.to_string(),
            to: mail.to.clone(),
            from: format!("{} <{}>", mail.from_name, mail.from),
            subject: mail.content.subject.clone(),
            headers,
            text: mail.content.text.clone(),
            html: mail.content.html.clone(),
            attachments: mail.attachment.iter().cloned().collect(),
        };
        let json = serde_json::to_vec_pretty(&stored).map_err(std::io::Error::other)?;
        // The name sorts by time; a mail sent twice replaces itself.
        let staged = self.folder.join(format!(".{}.part", mail.id));
        tokio::fs::write(&staged, json).await?;
        tokio::fs::rename(&staged, self.folder.join(format!("{}.json", mail.id))).await?;
        self.prune()
    }

    fn names(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut names: Vec<_> = std::fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        names.sort();
        Ok(names)
    }

    fn prune(&self) -> std::io::Result<()> {
        let names = self.names()?;
        for name in names.iter().take(names.len().saturating_sub(KEEP)) {
            std::fs::remove_file(name)?;
        }
        Ok(())
    }

    /// Every mail, newest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> std::io::Result<Vec<StoredMail>> {
        let mut mails = Vec::new();
        for name in self.names()?.into_iter().rev() {
            mails.push(serde_json::from_slice(&std::fs::read(name)?).map_err(std::io::Error::other)?);
        }
        Ok(mails)
    }
}
