//! How a mail leaves: SMTP through lettre, or the dev mailbox.

use domain::Moment;
use lettre::message::{MultiPart, header};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::{DevMailbox, Outgoing};

/// Where SMTP goes.
#[derive(Clone)]
pub struct SmtpSettings {
    /// `smtp(s)://user:pass@host:port`
    pub url: String,
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SmtpSettings(…)")
    }
}

impl SmtpSettings {
    /// Whether the URL can be read; nothing is connected.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), lettre::transport::smtp::Error> {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.url).map(drop)
    }
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Worth trying again: no connection, a 4xx answer.
    #[error("the mail was not taken for now")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not worth trying again: a 5xx answer, an address that cannot be written.
    #[error("the mail was refused")]
    Permanent(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The way out.
#[derive(Clone)]
pub enum Mailer {
    /// A folder in the data directory.
    Dev(DevMailbox),
    /// A mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Mailer {
    /// A pooled SMTP transport.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn smtp(settings: &SmtpSettings) -> Result<Self, lettre::transport::smtp::Error> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url)?
            .timeout(Some(std::time::Duration::from_secs(30)))
            .build();
        Ok(Self::Smtp(transport))
    }

    /// Whether mails can leave: greets the mail server and signs in; a folder needs nothing.
    ///
    /// # Errors
    /// Says what the mail server or the way to it did.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Self::Dev(_) => Ok(()),
            Self::Smtp(transport) => match transport.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(SendError::Transient("the mail server did not greet".into())),
                Err(error) => Err(SendError::Transient(error.into())),
            },
        }
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// [`SendError`] tells whether trying again makes sense.
    pub async fn send(&self, mail: &Outgoing, now: Moment) -> Result<(), SendError> {
        match self {
            Self::Dev(mailbox) => mailbox.put(mail, now).await.map_err(|error| SendError::Transient(error.into())),
            Self::Smtp(transport) => {
                let message = message(mail, now).map_err(SendError::Permanent)?;
                transport.send(message).await.map(drop).map_err(|error| {
                    if error.is_permanent() {
                        SendError::Permanent(error.into())
                    } else {
                        SendError::Transient(error.into())
                    }
                })
            }
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

/// The same for every attempt, so that a mail sent twice after a crash can be told to be one.
pub(crate) fn message_id(mail: &Outgoing) -> String {
    let host = mail.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    format!("<{}@{host}>", mail.id)
}

fn message(mail: &Outgoing, now: Moment) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
    let from = lettre::message::Mailbox::new(Some(mail.from_name.clone()), mail.from.parse()?);
    let date = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now.unix_seconds().unsigned_abs());
    let mut builder = Message::builder()
        .from(from)
        .to(lettre::message::Mailbox::new(None, mail.to.parse()?))
        .subject(mail.content.subject.clone())
        .message_id(Some(message_id(mail)))
        .date(date);
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(lettre::message::Mailbox::new(None, reply_to.parse()?));
    }
    for (name, value) in &mail.headers {
        let name = header::HeaderName::new_from_ascii(name.clone())?;
        builder = builder.raw_header(header::HeaderValue::new(name, value.clone()));
    }
    let content = MultiPart::alternative_plain_html(mail.content.text.clone(), mail.content.html.clone());
    let Some(file) = &mail.attachment else { return Ok(builder.multipart(content)?) };
    let kind = header::ContentType::parse(&file.content_type)?;
    let attachment = lettre::message::Attachment::new(file.name.clone()).body(file.content.clone(), kind);
    Ok(builder.multipart(MultiPart::mixed().multipart(content).singlepart(attachment))?)
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
    fn an_address_with_a_line_break_is_refused() {
        let now = Moment::from_unix_seconds(0);
        assert!(message(&outgoing("tom@example.com\r\nBcc: x@example.com"), now).is_err());
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
