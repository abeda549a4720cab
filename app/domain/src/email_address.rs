//! An e-mail address a mail server would accept, and its normal form for comparing.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// Longest address SMTP can carry (RFC 5321 §4.5.3.1.3: a 256-octet path less its angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

/// A checked e-mail address, as the person typed it (trimmed).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Checks an address typed into the field `email`.
    ///
    /// # Errors
    /// Refuses what no mail server would take: no `@`, empty parts, spaces, control characters, a domain without a
    /// dot, or more than [`MAX_EMAIL_BYTES`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Refusal::field("email", "Please type your e-mail address."));
        }
        let wrong = || {
            Refusal::field("email", "This does not look like an e-mail address. It needs the form name@example.com.")
        };
        if text.len() > MAX_EMAIL_BYTES {
            return Err(wrong());
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"()<>[]:;@\\,\"".contains(c));
        let label_fits = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let domain_fits = domain.contains('.') && domain.split('.').all(label_fits);
        if local_fits && domain_fits { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    /// As typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which two spellings of one mailbox are the same: lower case throughout. (RFC 5321 lets the local
    /// part be case-sensitive; no mailbox provider in use makes it so.)
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Addresses never reach a log by accident.
impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EmailAddress(…)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_people_have() {
        for good in ["anna@example.com", " Anna.B+tag@sub.example.co.uk ", "o'neil@example.ie", "ü@bücher.example"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_what_no_server_takes() {
        for bad in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@example",
            "a b@example.com",
            "a@b@c.com",
            "a@exa\r\nmple.com",
            "a@-x.com",
            "a..b@example.com",
            "<a@example.com>",
        ] {
            let refusal = EmailAddress::parse(bad).expect_err(bad);
            assert_eq!(refusal.field.as_deref(), Some("email"));
        }
    }

    #[test]
    fn capitals_do_not_make_another_mailbox() {
        let one = EmailAddress::parse("Gita@Example.com").expect("valid");
        let two = EmailAddress::parse("gita@example.COM").expect("valid");
        assert_eq!(one.normalised(), two.normalised());
    }
}
