//! How a mail leaves: SMTP as lettre speaks it, or the dev mailbox.

use std::sync::Arc;

use crate::connections::Connections;
use crate::dkim::Signer;
use crate::message::message;
use crate::{Consequence, DevMailbox, Dkim, DkimError, Outgoing, Pacing, Reply, consequence, is_too_fast};
use domain::Moment;

/// How long one answer of the mail server may take.
pub(crate) const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Connections kept open to the mail server, and mails worth handing over side by side: one more would open a connection
/// of its own and close it again.
pub const CONNECTIONS: usize = 16;

/// Where SMTP goes.
#[derive(Clone)]
pub struct SmtpSettings {
    /// `smtp(s)://user:pass@host:port`
    pub url: String,
    /// Signs every mail; without it, the mail server does, or nobody.
    pub dkim: Option<Dkim>,
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SmtpSettings").field("dkim", &self.dkim).finish_non_exhaustive()
    }
}

/// Settings with which no mail can be sent. Repeats neither password nor key.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The URL cannot be read.
    #[error("read the address of the mail server: {0}")]
    Url(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Mails cannot be signed.
    #[error("sign mails: {0}")]
    Dkim(#[from] DkimError),
}

impl SmtpSettings {
    /// Whether the settings can be read; nothing is connected.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        Connections::to(&self.url).map_err(SettingsError::Url)?;
        self.dkim.as_ref().map(Signer::new).transpose()?;
        Ok(())
    }
}

/// Why a mail was not taken. Where a server answered, the source is its [`Reply`], which holds no address.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Worth trying again: no connection, an answer for now (4xx), a full mailbox (5.2.2), a sign-in refused, which
    /// operators can mend.
    #[error("the mail was not taken for now")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its domain takes mail slowly at the moment, see [`Pacing`]: nothing was tried, or nothing more than that.
    #[error("mail to this domain goes slowly for a while")]
    NotBefore(domain::Moment, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not worth trying again: any other 5xx answer, an address that cannot be written.
    #[error("the mail was refused")]
    Permanent(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SendError {
    pub(crate) fn of(error: lettre::transport::smtp::Error) -> Self {
        let Some(code) = error.status() else { return Self::Transient(error.into()) };
        let words = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Self::answered(Reply::new(Some(code.into()), &words))
    }

    fn answered(reply: Reply) -> Self {
        let is_sign_in = matches!(reply.code, Some(530 | 534 | 535 | 538));
        if is_sign_in || consequence(reply.code, reply.enhanced).is_for_now() {
            Self::Transient(reply.into())
        } else {
            Self::Permanent(reply.into())
        }
    }

    const fn cause(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        match self {
            Self::Transient(cause) | Self::NotBefore(_, cause) | Self::Permanent(cause) => &**cause,
        }
    }

    /// What the mail server said; without a code, what happened in its place. Safe to store.
    ///
    /// No answer after the mail was handed over means that it may have been taken: a second try repeats its Message-ID.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let cause = self.cause();
        cause.downcast_ref::<Reply>().cloned().unwrap_or_else(|| Reply::without_answer(cause))
    }

    /// What follows for the mail and its address, see [`consequence`]. A mail that could not even be written is refused:
    /// its address is none.
    #[must_use]
    pub fn consequence(&self) -> Consequence {
        match (self, self.cause().downcast_ref::<Reply>()) {
            (_, Some(reply)) => consequence(reply.code, reply.enhanced),
            (Self::Transient(_) | Self::NotBefore(..), None) => Consequence::WaitForServer,
            (Self::Permanent(_), None) => Consequence::RefuseMail,
        }
    }
}

/// The way out.
#[derive(Clone)]
pub enum Mailer {
    /// A folder in the data directory.
    Dev(DevMailbox),
    /// A mail server.
    Smtp(SmtpMailer),
}

/// Connections to a mail server, and what signs for it.
#[derive(Clone)]
pub struct SmtpMailer {
    connections: Arc<Connections>,
    signer: Option<Arc<Signer>>,
    pacing: Arc<Pacing>,
}

impl SmtpMailer {
    async fn send(&self, mail: &Outgoing, now: Moment) -> Result<(), SendError> {
        self.pacing.ask(&mail.to, now).map_err(|until| SendError::NotBefore(until, "its turn has not come".into()))?;
        match self.hand_over(mail, now).await {
            Ok(()) => {
                self.pacing.taken(&mail.to);
                Ok(())
            }
            Err(SendError::Transient(cause)) if too_fast(&*cause) => {
                Err(SendError::NotBefore(self.pacing.slow_down(&mail.to, now), cause))
            }
            Err(error) => Err(error),
        }
    }

    async fn hand_over(&self, mail: &Outgoing, now: Moment) -> Result<(), SendError> {
        let mut message = message(mail, now).map_err(SendError::Permanent)?;
        if let Some(signer) = self.signer.clone() {
            // An RSA signature takes milliseconds, too long for a thread that serves viewers.
            let signed = tokio::task::spawn_blocking(move || signer.sign(&mut message).map(|()| message));
            let signed = signed.await.map_err(|error| SendError::Transient(error.into()))?;
            message = signed.map_err(|error| SendError::Permanent(error.into()))?;
        }
        self.connections.send(message.envelope(), &message.formatted()).await
    }
}

fn too_fast(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    cause.downcast_ref::<Reply>().is_some_and(|reply| is_too_fast(reply.code, reply.enhanced))
}

impl Mailer {
    /// A pooled SMTP transport.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub fn smtp(settings: &SmtpSettings) -> Result<Self, SettingsError> {
        let connections = Arc::new(Connections::to(&settings.url).map_err(SettingsError::Url)?);
        let signer = settings.dkim.as_ref().map(Signer::new).transpose()?.map(Arc::new);
        Ok(Self::Smtp(SmtpMailer { connections, signer, pacing: Arc::default() }))
    }

    /// Whether mails can leave: greets the mail server and signs in; a folder needs nothing.
    ///
    /// # Errors
    /// Says what the mail server or the way to it did.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Self::Dev(_) => Ok(()),
            Self::Smtp(mailer) => mailer.connections.probe().await,
        }
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// [`SendError`] tells whether trying again makes sense.
    pub async fn send(&self, mail: &Outgoing, now: Moment) -> Result<(), SendError> {
        match self {
            Self::Dev(mailbox) => mailbox.put(mail, now).await.map_err(|error| SendError::Transient(error.into())),
            Self::Smtp(mailer) => mailer.send(mail, now).await,
        }
    }

    /// The dev mailbox, when that is where mail goes.
    #[must_use]
    pub const fn dev_mailbox(&self) -> Option<&DevMailbox> {
        match self {
            Self::Dev(mailbox) => Some(mailbox),
            Self::Smtp(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rendered;

    fn outgoing(to: &str) -> Outgoing {
        Outgoing {
            id: "0199-abc".into(),
            to: to.into(),
            from_name: "Maya via My Mini Webinar".into(),
            from: "hello@example.com".into(),
            return_path: None,
            reply_to: Some("maya@example.com".into()),
            content: Rendered { subject: "Your link".into(), text: "Hello".into(), html: "<p>Hello</p>".into() },
            headers: vec![("List-Unsubscribe".into(), "<https://example.com/u/x>".into())],
            attachment: None,
        }
    }

    #[test]
    fn a_message_carries_its_headers_and_one_identity() {
        let now = Moment::from_unix_seconds(1_795_000_000);
        let text =
            String::from_utf8(message(&outgoing("tom@example.com"), now).expect("builds").formatted()).expect("text");
        assert!(text.contains("Message-ID: <0199-abc@example.com>"));
        assert!(text.contains("Reply-To: maya@example.com"));
        assert!(text.contains("List-Unsubscribe: <https://example.com/u/x>"));
        assert!(text.contains("multipart/alternative"));
    }

    #[test]
    fn bounces_and_answers_go_where_they_should() {
        let now = Moment::from_unix_seconds(0);
        let return_path = Some("bounces+abc@example.com".to_owned());
        let mail = Outgoing { return_path, ..outgoing("tom@example.com") };
        let built = message(&mail, now).expect("builds");
        assert_eq!(built.envelope().from().map(ToString::to_string).as_deref(), Some("bounces+abc@example.com"));
        assert_eq!(built.envelope().to()[0].to_string(), "tom@example.com");
        let text = String::from_utf8(built.formatted()).expect("text");
        assert!(text.contains("<hello@example.com>") && !text.contains("bounces+abc"), "{text}");
        let built = message(&outgoing("tom@example.com"), now).expect("builds");
        assert_eq!(built.envelope().from().map(ToString::to_string).as_deref(), Some("hello@example.com"));
    }

    #[test]
    fn a_mail_reads_as_it_was_written() {
        let mut mail = outgoing("tom@example.com");
        mail.content.text = format!("Grüße\n.\n{}\n", "long ".repeat(500));
        mail.attachment = Some(crate::Attachment {
            name: "Einladung für Tom.ics".into(),
            content_type: "text/calendar; charset=utf-8; method=PUBLISH".into(),
            content: "BEGIN:VCALENDAR\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n".into(),
        });
        let written = message(&mail, Moment::from_unix_seconds(0)).expect("builds").formatted();
        assert!(written.is_ascii(), "seven bits pass every server");
        let read = mail_parser::MessageParser::new().parse(&written).expect("a mail");
        let names: Vec<_> = read.headers().iter().map(|header| header.name().to_ascii_lowercase()).collect();
        for name in ["content-type", "mime-version", "content-transfer-encoding", "message-id", "from"] {
            assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name} once");
        }
        assert_eq!(read.body_text(0).expect("text").replace("\r\n", "\n"), mail.content.text);
        assert_eq!(read.body_html(0).expect("HTML").trim(), mail.content.html);
        let calendar = read.parts.iter().find(|part| part.contents().starts_with(b"BEGIN")).expect("the attachment");
        assert_eq!(Some(calendar.contents()), mail.attachment.as_ref().map(|file| file.content.as_bytes()));
    }

    #[test]
    fn a_mail_written_down_before_return_paths_is_read() {
        let mut stored = serde_json::to_value(outgoing("tom@example.com")).expect("written");
        stored.as_object_mut().expect("an object").remove("return_path");
        let read: Outgoing = serde_json::from_value(stored).expect("read");
        assert_eq!(read.return_path, None);
    }

    #[test]
    fn an_address_with_a_line_break_is_refused() {
        let now = Moment::from_unix_seconds(0);
        let injected = "tom@example.com\r\nBcc: x@example.com";
        assert!(message(&outgoing(injected), now).is_err());
        assert!(message(&Outgoing { return_path: Some(injected.into()), ..outgoing("tom@example.com") }, now).is_err());
    }

    #[tokio::test]
    async fn the_dev_mailbox_shows_the_newest_first() {
        let folder = std::env::temp_dir().join(format!("mw-mailbox-{}", std::process::id()));
        let mailer = Mailer::Dev(DevMailbox::open(&folder).expect("folder"));
        for id in ["a", "b", "a"] {
            let mail = Outgoing { id: id.into(), ..outgoing("tom@example.com") };
            mailer.send(&mail, Moment::from_unix_seconds(1)).await.expect("sent");
        }
        let ids: Vec<_> = mailer.dev_mailbox().expect("dev").list().expect("list").into_iter().map(|m| m.id).collect();
        std::fs::remove_dir_all(folder).expect("clean up");
        assert_eq!(ids, ["b", "a"]);
    }
}
