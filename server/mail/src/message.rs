//! A mail as its bytes: headers, envelope, parts.

use domain::Moment;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Attachment, Body, Mailbox, MultiPart};

use crate::Outgoing;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The same for every attempt, so that a mail sent twice after a crash can be told to be one.
pub(crate) fn message_id(mail: &Outgoing) -> String {
    let host = mail.from.rsplit_once('@').map_or("localhost", |(_, host)| host);
    format!("<{}@{host}>", mail.id)
}

pub(crate) fn message(mail: &Outgoing, now: Moment) -> Result<Message, BoxError> {
    let from: lettre::Address = mail.from.parse()?;
    let to: lettre::Address = mail.to.parse()?;
    let return_path = mail.return_path.as_ref().map_or_else(|| Ok(from.clone()), |address| address.parse())?;
    let date = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now.unix_seconds().unsigned_abs());
    let mut builder = Message::builder()
        .envelope(Envelope::new(Some(return_path), vec![to.clone()])?)
        .from(Mailbox::new(Some(mail.from_name.clone()), from))
        .to(Mailbox::new(None, to))
        .subject(mail.content.subject.clone())
        .message_id(Some(message_id(mail)))
        .date(date);
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(Mailbox::new(None, reply_to.parse()?));
    }
    for (name, value) in &mail.headers {
        let name = HeaderName::new_from_ascii(name.clone())?;
        builder = builder.raw_header(HeaderValue::new(name, value.clone()));
    }
    // lettre keeps the Content-Type of a multipart with the part, where its DKIM does not see it: named in the signature
    // and left out of the sum, it would break every one. So the parts are written here and the header set by hand.
    let parts = parts(mail)?;
    let kind = parts.headers().get::<ContentType>().ok_or("a multipart has a content type")?;
    let written = parts.formatted();
    let end_of_headers = written.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("a part has headers")?;
    // Every part inside is written in seven bits already.
    let body = Body::dangerous_pre_encoded(written[end_of_headers + 4..].to_vec(), ContentTransferEncoding::SevenBit);
    Ok(builder.header(MIME_VERSION_1_0).header(kind).body(body)?)
}

fn parts(mail: &Outgoing) -> Result<MultiPart, BoxError> {
    let content = MultiPart::alternative_plain_html(mail.content.text.clone(), mail.content.html.clone());
    let Some(file) = &mail.attachment else { return Ok(content) };
    let kind = ContentType::parse(&file.content_type)?;
    let attachment = Attachment::new(file.name.clone()).body(file.content.clone(), kind);
    Ok(MultiPart::mixed().multipart(content).singlepart(attachment))
}
