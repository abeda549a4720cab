//! Outgoing mail: a letter written once, rendered to HTML and its plain-text twin, carried by SMTP or put into the
//! dev mailbox; and what mail servers say to it, at once ([`SendError`]) or later ([`bounce`]).
//!
//! Nothing is kept here: who gets what, and whether it was sent, is the outbox's business. Nothing is decided here
//! either: [`consequence`] says what a server's answer means for the mail and its address. Whether a domain is ready to
//! send from is told by [`domain_check`].

pub mod bounce;
mod coach_letter;
mod connections;
mod consequence;
mod dev_mailbox;
mod dkim;
pub mod domain_check;
mod frame;
mod letter;
mod message;
mod mime;
mod pacing;
mod reply;
pub mod sender;
mod status;
mod transport;
pub mod verp;

pub use coach_letter::{CoachLetter, MOST_HTML_BYTES, one_click};
pub use consequence::{Consequence, consequence, consequence_at_recipient};
pub use dev_mailbox::{DevMailbox, StoredMail};
pub use dkim::{Dkim, DkimError, public_key_of};
pub use letter::{Button, Letter, Rendered};
pub use pacing::{Pacing, is_too_fast};
pub use reply::Reply;
pub use status::{EnhancedStatus, NotAStatus};
pub use transport::{CONNECTIONS, Mailer, SendError, SettingsError, SmtpMailer, SmtpSettings};

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
    /// Where undeliverable mail goes (SMTP's `MAIL FROM`), see [`verp`]; the sender address when there is none.
    #[serde(default)]
    pub return_path: Option<String>,
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
