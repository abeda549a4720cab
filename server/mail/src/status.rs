//! Enhanced mail system status codes: `5.1.1` and its kind (RFC 3463).

use serde::{Deserialize, Serialize};

/// Three numbers by which a mail server says what became of a mail (RFC 3463 section 2). Stored as its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnhancedStatus {
    class: u8,
    subject: u16,
    detail: u16,
}

/// A text is no enhanced status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a status such as 5.1.1")]
pub struct NotAStatus;

impl EnhancedStatus {
    /// From its numbers; `None` when the class is not 2, 4 or 5, or a number is above 999.
    #[must_use]
    pub const fn new(class: u8, subject: u16, detail: u16) -> Option<Self> {
        if !matches!(class, 2 | 4 | 5) || subject > 999 || detail > 999 {
            return None;
        }
        Some(Self { class, subject, detail })
    }

    /// 2 success, 4 failure for now, 5 failure for good.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    /// What it is about: 1 the address, 2 the mailbox, 3 the mail system, 4 the network, 5 the protocol, 6 the
    /// content, 7 security and policy.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The case within its subject; 0 says nothing more.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// Whether it tells no more than its class.
    #[must_use]
    pub const fn is_bare(self) -> bool {
        self.subject == 0 && self.detail == 0
    }

    /// The status at the beginning of a text, as in `5.1.1 User unknown`.
    #[must_use]
    pub fn leading(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        // Exim and some gateways write `#5.1.1` or put a colon or bracket behind it.
        word.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()
    }
}

impl std::str::FromStr for EnhancedStatus {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        let number = |part: Option<&str>, most_digits: usize| {
            part.filter(|part| part.len() <= most_digits && part.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
        };
        let mut parts = text.split('.');
        let class = number(parts.next(), 1).and_then(|class| u8::try_from(class).ok());
        let (subject, detail) = (number(parts.next(), 3), number(parts.next(), 3));
        match (class, subject, detail, parts.next()) {
            (Some(class), Some(subject), Some(detail), None) => Self::new(class, subject, detail).ok_or(NotAStatus),
            _ => Err(NotAStatus),
        }
    }
}

impl std::fmt::Display for EnhancedStatus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl TryFrom<String> for EnhancedStatus {
    type Error = NotAStatus;

    fn try_from(text: String) -> Result<Self, NotAStatus> {
        text.parse()
    }
}

impl From<EnhancedStatus> for String {
    fn from(status: EnhancedStatus) -> Self {
        status.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_as_it_is_written() {
        for text in ["5.1.1", "4.7.28", "2.0.0", "5.7.509"] {
            let status: EnhancedStatus = text.parse().expect(text);
            assert_eq!(status.to_string(), text);
            let stored = serde_json::to_string(&status).expect("written");
            assert_eq!(serde_json::from_str::<EnhancedStatus>(&stored).expect("read"), status);
        }
        for text in ["", "5", "5.1", "5.1.1.1", "3.1.1", "55.1.1", "5.1000.1", "5.-1.1", "5.1.x", "5. 1.1", "+5.1.1"] {
            assert_eq!(text.parse::<EnhancedStatus>(), Err(NotAStatus), "{text}");
        }
    }

    #[test]
    fn a_text_may_begin_with_one() {
        let leading = |text| EnhancedStatus::leading(text).map(|status| status.to_string());
        assert_eq!(leading("5.1.1 User unknown").as_deref(), Some("5.1.1"));
        assert_eq!(leading("#5.2.2: over quota").as_deref(), Some("5.2.2"));
        assert_eq!(leading("User 5.1.1 unknown"), None);
        assert_eq!(leading("192.0.2.1 is blocked"), None);
    }
}
