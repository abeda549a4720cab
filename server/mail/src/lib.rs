//! Outgoing mail: a letter written once, rendered to HTML and its plain-text twin, carried by SMTP or put into the
//! dev mailbox.
//!
//! Nothing is kept here: who gets what, and whether it was sent, is the outbox's business.

mod coach_letter;
mod dev_mailbox;
mod letter;
mod transport;

pub use coach_letter::{CoachLetter, MOST_HTML_BYTES, one_click};
pub use dev_mailbox::{DevMailbox, StoredMail};
pub use letter::{Button, Letter, Rendered};
pub use transport::{Mailer, SendError, SmtpSettings};

use serde::{Deserialize, Serialize};

/// One mail, complete and addressed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outgoing {
    /// Also the left part of the Message-ID: a mail sent twice by a crash is recognisably the same.
    pub id: String,
    /// Recipient address.
    pub to: String,
    /// Display name of the sender; the address is the installation's.
    pub from_name: String,
    /// Sender address.
    pub from: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// The letter, rendered.
    pub content: Rendered,
    /// Further headers, name and value.
    pub headers: Vec<(String, String)>,
    /// A file that comes with it.
    #[serde(default)]
    pub attachment: Option<Attachment>,
}

/// A text file that comes with a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// MIME type with its parameters.
    pub content_type: String,
    /// The text.
    pub content: String,
}
