//! Is the sender's domain ready for mail? Gmail and Outlook want SPF, DKIM and DMARC, the sender address in line with
//! one of the first two, and bounces need somewhere to go (product.md §4.9).
//!
//! [`facts`] asks the DNS, [`judge`] decides and does nothing else. What is found in the DNS was written by somebody
//! else: no bytes in it are trusted, and none make this fail.
//!
//! The organisational domain (RFC 7489 section 3.2) is taken to be the last two labels. That is a fair approximation
//! without the list of public suffixes; below `co.uk` and its like it looks one label too high, which at worst reports
//! a registry's own DMARC record or calls two strangers below one suffix aligned.
//!
//! Not looked at: what the records named by `include` and `redirect` say, and the name the sending address points back
//! to (PTR), which belongs to the server's operator and not to the domain.

mod dkim_record;
mod dmarc;
mod lookup;
mod mx;
mod spf;
mod tags;

use std::net::IpAddr;

pub use lookup::{LIMIT, facts};

/// Who sends, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Domain of the address in `From`. Our signature names the same one (`d=`).
    pub from_domain: String,
    /// Domain of the return path (SMTP's `MAIL FROM`), where bounces go and SPF looks; the sender address's when there
    /// is none.
    pub return_path_domain: Option<String>,
    /// The selector and the public key we sign with, as [`crate::public_key_of`] gives it; none when we do not sign.
    pub dkim: Option<(String, String)>,
    /// The addresses mail leaves from. Empty when a provider carries it and its addresses are not known.
    pub sends_from: Vec<IpAddr>,
}

impl Sender {
    fn sender_domain(&self) -> String {
        normal(&self.from_domain)
    }

    /// Where bounces go and where SPF is looked up (RFC 7208 section 2.4).
    fn bounce_domain(&self) -> String {
        normal(self.return_path_domain.as_deref().unwrap_or(&self.from_domain))
    }

    fn dkim_name(&self) -> Option<String> {
        self.dkim.as_ref().map(|(selector, _)| format!("{}._domainkey.{}", normal(selector), self.sender_domain()))
    }

    fn dmarc_name(&self) -> String {
        format!("_dmarc.{}", self.sender_domain())
    }

    /// Where DMARC is looked for next; none when that is the same name.
    fn organisational_dmarc_name(&self) -> Option<String> {
        let from = self.sender_domain();
        let organisation = organisational(&from);
        (organisation != from).then(|| format!("_dmarc.{organisation}"))
    }
}

/// The resolver said nothing, or that it could not find out. Not the same as an answer without records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the DNS did not answer")]
pub struct NoAnswer;

/// What the DNS holds at a name; empty when it says that there is nothing.
pub type Records<T> = Result<Vec<T>, NoAnswer>;

/// One TXT record: its strings, which are read as if there were no border between them (RFC 7208 section 3.3, RFC 6376
/// section 3.6.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txt(pub Vec<Vec<u8>>);

impl Txt {
    /// The strings joined. Bytes that are no UTF-8 become replacement characters: no key, name or
    /// policy has them.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.concat()).into_owned()
    }
}

impl From<&str> for Txt {
    fn from(text: &str) -> Self {
        Self(vec![text.as_bytes().to_vec()])
    }
}

/// What the DNS says about a [`Sender`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsFacts {
    /// TXT at the return path's domain, where SPF is.
    pub bounce_domain: Records<Txt>,
    /// TXT at `selector._domainkey.domain`; empty without a selector.
    pub dkim: Records<Txt>,
    /// TXT at `_dmarc.domain`.
    pub dmarc: Records<Txt>,
    /// TXT at `_dmarc.` of the organisational domain; empty when that is the domain itself.
    pub organisational_dmarc: Records<Txt>,
    /// MX at the return path's domain: names of hosts, `.` for “takes no mail” (RFC 7505).
    pub mail_exchangers: Records<String>,
    /// A and AAAA at the return path's domain, where mail goes without MX (RFC 5321 section 5.1).
    pub addresses: Records<IpAddr>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Which servers may send for the return path's domain (RFC 7208).
    Spf,
    /// The public key of our signature (RFC 6376).
    Dkim,
    /// What readers do with mail that is not in line with the sender address (RFC 7489).
    Dmarc,
    /// Whether bounces can arrive (RFC 5321 section 5.1).
    Mx,
}

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing to do.
    Good,
    /// Mail is taken, but it should be better.
    Weak,
    /// There is nothing.
    Missing,
    /// There is something, and it does harm or is ignored.
    Wrong,
    /// The DNS did not answer: ask again later, and change nothing.
    Unknown,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: Check,
    /// How it looks.
    pub state: State,
    /// The same in words, for a person who has never seen a DNS record.
    pub sentence: String,
    /// The TXT record to publish in place of what is there: its name, `TXT`, and the value, unquoted and in one piece,
    /// as DNS panels take it (a zone file wants quotes, and strings of at most 255 bytes). None when nothing is to be
    /// published, or when what belongs there is known to somebody else.
    pub record: Option<String>,
}

impl Finding {
    fn new(what: Check, state: State, sentence: impl Into<String>) -> Self {
        Self { what, state, sentence: sentence.into(), record: None }
    }

    fn unknown(what: Check, name: &str) -> Self {
        let sentence = format!("The DNS gave no answer about {name}. This may pass by itself: please try again later.");
        Self::new(what, State::Unknown, sentence)
    }

    fn publish(self, name: &str, value: &str) -> Self {
        Self { record: Some(format!("{name} TXT {value}")), ..self }
    }
}

/// Judges what the DNS says: one finding for each [`Check`], in its order. Never fails.
#[must_use]
pub fn judge(facts: &DnsFacts, about: &Sender) -> Vec<Finding> {
    vec![
        spf::judge(facts, about),
        dkim_record::judge(facts, about),
        dmarc::judge(facts, about),
        mx::judge(facts, about),
    ]
}

/// A domain in one spelling: lower case, without the root's dot.
fn normal(domain: &str) -> String {
    domain.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// The last two labels, see the module's words on it.
fn organisational(domain: &str) -> &str {
    domain.rmatch_indices('.').nth(1).map_or(domain, |(dot, _)| &domain[dot + 1..])
}
