//! The little of MIME that reports need, on top of `mail-parser`.
//!
//! Only one level is ever read. `mail-parser` would read a mail in a mail in a mail, as deep as whoever sent it liked,
//! and the stack would not hold some ten thousand of them when they are let go.

use mail_parser::{HeaderForm, HeaderName, HeaderValue, Message, MessageParser};

/// Most parts of a report that are looked at; RFC 3462 knows three.
const MOST_PARTS: usize = 16;
/// Most addresses read from the headers of one mail.
const MOST_ADDRESSES: usize = 32;
/// Most octets of an address or id that are read, a header line's (RFC 5322 section 2.1.1).
const MOST_OCTETS: usize = 998;

/// A mail or a part of one: its headers and what is below them, undecoded.
pub(crate) struct Entity<'x> {
    headers: Message<'x>,
    raw: &'x [u8],
    body: &'x [u8],
}

impl<'x> Entity<'x> {
    /// `None` when there is not a single header.
    pub(crate) fn read(raw: &'x [u8]) -> Option<Self> {
        let headers = MessageParser::new().parse_headers(raw).filter(|message| !message.parts.is_empty())?;
        Some(Self { headers, raw, body: below_headers(raw) })
    }

    /// What is below the headers, undecoded.
    pub(crate) const fn body(&self) -> &'x [u8] {
        self.body
    }

    /// Media type in lower case, `text/plain` when there is none (RFC 2045 section 5.2).
    pub(crate) fn media_type(&self) -> String {
        self.headers.header(HeaderName::ContentType).and_then(HeaderValue::as_content_type).map_or_else(
            || "text/plain".to_owned(),
            |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase(),
        )
    }

    /// A parameter of the media type.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.headers.header(HeaderName::ContentType)?.as_content_type()?.attribute(name)
    }

    /// A header's words as they stand, folding included.
    pub(crate) fn text(&self, name: &'static str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// The words of every header of that name.
    pub(crate) fn texts(&self, name: &'static str) -> Vec<String> {
        let values = self.headers.header_as(name_of(name), HeaderForm::Raw).into_iter();
        values.filter_map(|value| value.as_text().map(str::to_owned)).filter(|text| !text.is_empty()).collect()
    }

    /// Every address in the headers of these names, each once, in the order of the names.
    pub(crate) fn addresses(&self, names: &[&'static str]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for name in names {
            for value in self.headers.header_as(name_of(name), HeaderForm::Addresses) {
                let listed = value.as_address().into_iter().flat_map(mail_parser::Address::iter);
                for address in listed.filter_map(|address| address.address()) {
                    let is_sound = address.contains('@') && address.len() <= MOST_OCTETS;
                    if is_sound && found.len() < MOST_ADDRESSES && !found.iter().any(|known| known == address) {
                        found.push(address.to_owned());
                    }
                }
            }
        }
        found
    }

    /// The Message-ID without its angle brackets.
    pub(crate) fn message_id(&self) -> Option<String> {
        let text = self.text("Message-ID")?;
        let id = text.split(['<', '>']).map(str::trim).find(|part| !part.is_empty())?;
        let is_sound = id.len() <= MOST_OCTETS && !id.contains(|c: char| c.is_control() || c.is_whitespace());
        is_sound.then(|| id.to_owned())
    }

    /// The parts directly inside, when this is a multipart.
    pub(crate) fn parts(&self) -> Vec<Entity<'x>> {
        let Some(boundary) = self.parameter("boundary").filter(|boundary| !boundary.is_empty()) else {
            return Vec::new();
        };
        between(self.body, boundary.as_bytes()).into_iter().filter_map(Entity::read).collect()
    }

    /// The body decoded; of a mail inside or a multipart, nothing.
    pub(crate) fn decoded(&self) -> Vec<u8> {
        let media_type = self.media_type();
        let is_leaf = !media_type.starts_with("multipart/")
            && !matches!(media_type.as_str(), "message/rfc822" | "message/global");
        let parsed = is_leaf.then(|| MessageParser::new().parse(self.raw)).flatten();
        parsed.map_or_else(Vec::new, |message| message.root_part().contents().to_vec())
    }

    /// The blocks of fields in a machine-readable part (RFC 3464 section 2.1), at most `most` of them.
    pub(crate) fn for_each_block(&self, most: usize, mut read: impl FnMut(&Entity<'_>)) {
        let decoded = self.decoded();
        let mut rest = decoded.as_slice();
        for _ in 0..most {
            // Blocks may be more than one empty line apart.
            while let Some(end) =
                rest.iter().position(|byte| *byte == b'\n').filter(|end| rest[..*end].trim_ascii().is_empty())
            {
                rest = &rest[end + 1..];
            }
            let Some(block) = Entity::read(rest) else { return };
            read(&block);
            rest = block.body;
        }
    }
}

fn name_of(name: &'static str) -> HeaderName<'static> {
    HeaderName::parse(name).unwrap_or(HeaderName::Other(name.into()))
}

/// What follows the first empty line; the parser does not say where that is.
fn below_headers(raw: &[u8]) -> &[u8] {
    let mut place = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        place += line.len();
        if line.trim_ascii().is_empty() {
            break;
        }
    }
    &raw[place..]
}

/// What lies between lines that are a boundary (RFC 2046 section 5.1.1); the last may be cut off.
fn between<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut place = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let after = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)).map(<[u8]>::trim_ascii_end);
        if let Some(after @ (b"" | b"--")) = after {
            parts.extend(start.map(|start| &body[start..place]));
            start = after.is_empty().then_some(place + line.len());
            if !after.is_empty() || parts.len() >= MOST_PARTS {
                return parts;
            }
        }
        place += line.len();
    }
    parts.extend(start.map(|start| &body[start..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"To: a@example.com, \"B\" <b@example.com>\r\nDelivered-To: a@example.com\r\n\
        Message-ID: <1@example.com>\r\nContent-Type: multipart/Mixed; boundary=\"x y\"\r\n\r\npreamble\r\n\
        --x y\r\n\r\nfirst\r\n--x yz\r\n--x y  \r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nc2Vjb25k\r\n--x y--\r\n--x y\r\nnever\r\n";

    #[test]
    fn one_level_is_read() {
        let mail = Entity::read(MAIL).expect("headers");
        assert_eq!(mail.media_type(), "multipart/mixed");
        assert_eq!(mail.addresses(&["Delivered-To", "To"]), ["a@example.com", "b@example.com"]);
        assert_eq!(mail.message_id().as_deref(), Some("1@example.com"));
        // A part without headers has nothing to say about itself.
        let parts = between(mail.body(), b"x y");
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], b"\r\nfirst\r\n--x yz\r\n");
        assert_eq!(Entity::read(parts[1]).expect("headers").decoded().trim_ascii(), b"second");
    }

    #[test]
    fn a_mail_cut_off_keeps_its_last_part() {
        let parts = between(b"--b\nA: 1\n\nwhole\n--b\nA: 2\n\ncut o", b"b");
        assert_eq!(parts, [&b"A: 1\n\nwhole\n"[..], b"A: 2\n\ncut o"]);
    }

    #[test]
    fn blocks_of_fields_are_read_one_by_one() {
        let part = b"Content-Type: message/delivery-status\r\n\r\nA: 1\r\n folded\r\n\r\nA: 2\r\n\r\n\r\nA: 3\r\n";
        let mut seen = Vec::new();
        Entity::read(part).expect("headers").for_each_block(8, |block| seen.extend(block.text("A")));
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert_eq!((seen[1].as_str(), seen[2].as_str()), ("2", "3"));
    }
}
