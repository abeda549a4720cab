//! Who gets data, and the only hosts this program may reach: one file for the public page and for the wall (promises
//! P19, P20, P47 and P48).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::DataMap;

const TEXT: &str = include_str!("../policy/recipients.toml");
/// Stands for every class of the data map.
const EVERYTHING: &str = "*";
/// Members of the European Economic Area by ISO 3166 code.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Documents of this repository a recipient can name, by their file.
pub const DOCUMENTS: [(&str, &str); 2] = [
    ("hosting.md", include_str!("../policy/documents/hosting.md")),
    ("ukraine.md", include_str!("../policy/documents/ukraine.md")),
];

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no TOML of this shape.
    #[error("the list of recipients cannot be read: {}", .0.message())]
    Shape(#[from] toml::de::Error),
    /// It leaves something open.
    #[error("the list of recipients is incomplete: {}", .0.join("; "))]
    Incomplete(Vec<String>),
}

/// What somebody is to us. There is no word for buying data, and none for advertising: such a recipient cannot be
/// written down (promise P19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Runs machines.
    Hosting,
    /// Delivers mail.
    Mail,
    /// Takes payments.
    Payment,
    /// Keeps a coach's own mailing list.
    MailList,
    /// Counts.
    Analytics,
    /// Has the law on its side.
    Authority,
}

impl Category {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hosting => "hosting",
            Self::Mail => "mail delivery",
            Self::Payment => "payment",
            Self::MailList => "the coach's mailing list",
            Self::Analytics => "analytics",
            Self::Authority => "authority",
        }
    }
}

/// Whether somebody gets anything today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They do.
    InUse,
    /// Not yet: nothing is sent, and their hosts cannot be reached.
    Planned,
}

/// What makes a transfer lawful (Art. 44 to 46 GDPR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// Nothing leaves France.
    Home,
    /// It stays in the European Economic Area.
    Eea,
    /// The Commission found the country adequate (Art. 45).
    Adequacy,
    /// Standard contractual clauses (Art. 46(2)(c)).
    Scc,
}

impl Mechanism {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Home => "none needed: France",
            Self::Eea => "none needed: European Economic Area",
            Self::Adequacy => "adequacy decision (Art. 45 GDPR)",
            Self::Scc => "standard contractual clauses (Art. 46(2)(c) GDPR)",
        }
    }

    /// Whether it carries data to a country.
    fn reaches(self, country: &str) -> bool {
        match self {
            Self::Home => country == "FR",
            Self::Eea => EEA.contains(&country),
            // A country outside needs one of these, and inside they do no harm.
            Self::Adequacy | Self::Scc => true,
        }
    }
}

/// A document that can be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// One of [`DOCUMENTS`], when it is public.
    pub file: Option<String>,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// Its day.
    pub date: String,
}

/// A place the service is operated from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPlace {
    /// Its two letters.
    pub country: String,
    /// Its name.
    pub name: String,
    /// What covers it.
    pub mechanism: Mechanism,
    /// The document that says how.
    pub document: Option<Document>,
}

/// Somebody who gets data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// A short word for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is to us.
    pub category: Category,
    /// Whether it gets anything today.
    pub state: State,
    /// What for, in a sentence.
    pub what_for: String,
    /// Which classes of the data map; `*` for all.
    pub classes: Vec<String>,
    /// Where it keeps them.
    pub countries: Vec<String>,
    /// What covers that.
    pub mechanism: Mechanism,
    /// The hosts it is reached at.
    pub hosts: Vec<String>,
    /// The document that covers it.
    pub document: Option<Document>,
}

impl Recipient {
    /// Whether it gets data of a class.
    #[must_use]
    pub fn gets(&self, class: &str) -> bool {
        self.state == State::InUse && self.classes.iter().any(|one| one == class || one == EVERYTHING)
    }
}

/// The list, complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// The day of its last change.
    pub published: String,
    /// From where the service is operated.
    #[serde(rename = "place")]
    pub places: Vec<OperatingPlace>,
    /// Who gets data.
    #[serde(rename = "recipient")]
    pub recipients: Vec<Recipient>,
}

/// A host that is not on the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is on no public list of recipients, so it is not contacted; name it in the file of MW_RECIPIENTS first")]
pub struct Unlisted(pub String);

impl Recipients {
    /// The list this program was built with.
    ///
    /// # Panics
    /// When it is broken; the tests keep such a one from being released.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static LIST: LazyLock<Recipients> = LazyLock::new(|| {
            Recipients::parse(TEXT, DataMap::current()).expect("the tests keep a broken list from being released")
        });
        &LIST
    }

    /// Reads a list.
    ///
    /// # Errors
    /// Names everything that is missing from it.
    pub fn parse(text: &str, map: &DataMap) -> Result<Self, Error> {
        let list: Self = toml::from_str(text)?;
        let mut faults = Vec::new();
        if !is_day(&list.published) {
            faults.push("the day it was published is no day".to_owned());
        }
        if list.places.is_empty() {
            faults.push("it does not say from where the service is operated".to_owned());
        }
        for place in &list.places {
            place.check(&mut faults);
        }
        let mut ids = BTreeSet::new();
        for recipient in &list.recipients {
            if !ids.insert(recipient.id.as_str()) {
                faults.push(format!("{} is on it twice", recipient.id));
            }
            recipient.check(map, &mut faults);
        }
        if faults.is_empty() { Ok(list) } else { Err(Error::Incomplete(faults)) }
    }

    /// Whether a host may be contacted: it is on the list of somebody in use, or on the installation's own network.
    /// Decided by its name alone, before anything is looked up or connected.
    ///
    /// # Errors
    /// Names the host when it may not.
    pub fn admit(&self, host: &str) -> Result<(), Unlisted> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let in_use = self.recipients.iter().filter(|recipient| recipient.state == State::InUse);
        if is_own(&host) || in_use.flat_map(|recipient| &recipient.hosts).any(|pattern| fits(pattern, &host)) {
            Ok(())
        } else {
            Err(Unlisted(host))
        }
    }
}

fn fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => pattern == host,
    }
}

/// Whether a host is this machine or a neighbour on a private network: nobody else gets anything there. A name without
/// a dot, and one below `.internal`, cannot be resolved outside.
#[must_use]
pub fn is_own(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => !bare.contains('.') || bare.ends_with(".internal") || bare.ends_with(".localhost"),
    }
}

fn is_day(text: &str) -> bool {
    format!("{text}T00:00:00Z").parse::<domain::Moment>().is_ok()
}

impl Document {
    fn check(&self, whose: &str, faults: &mut Vec<String>) {
        if !is_day(&self.date) {
            faults.push(format!("the document of {whose} has no day"));
        }
        if hex::decode(&self.sha256).map_or(0, |bytes| bytes.len()) != 32 {
            faults.push(format!("the document of {whose} has no SHA-256"));
        }
        let Some(file) = &self.file else { return };
        match DOCUMENTS.iter().find(|(name, _)| name == file) {
            None => faults.push(format!("{whose} names {file}, which does not exist")),
            Some((_, text)) if hex::encode(Sha256::digest(text)) != self.sha256 => {
                faults.push(format!("{file} is not what its digest says; a change needs a new date and digest"));
            }
            Some(_) => {}
        }
    }
}

impl OperatingPlace {
    fn check(&self, faults: &mut Vec<String>) {
        if !self.mechanism.reaches(&self.country) {
            faults.push(format!("{} needs a mechanism that reaches it", self.country));
        }
        match &self.document {
            Some(document) => document.check(&self.name, faults),
            None if !EEA.contains(&self.country.as_str()) => {
                faults.push(format!("{} has no document that covers it", self.country));
            }
            None => {}
        }
    }
}

impl Recipient {
    fn check(&self, map: &DataMap, faults: &mut Vec<String>) {
        let mut fault = |text: String| faults.push(format!("{} {text}", self.id));
        if self.what_for.trim().is_empty() || self.name.trim().is_empty() {
            fault("says neither who it is nor what for".to_owned());
        }
        if self.countries.is_empty() {
            fault("names no country".to_owned());
        }
        for country in self.countries.iter().filter(|country| !self.mechanism.reaches(country)) {
            fault(format!("is in {country} and needs a mechanism that reaches it"));
        }
        for class in self.classes.iter().filter(|class| *class != EVERYTHING && !map.classes.contains_key(*class)) {
            fault(format!("gets {class}, which is no class of the data map"));
        }
        for host in self.hosts.iter().filter(|host| !is_pattern(host)) {
            fault(format!("is reached at {host}, which is no host"));
        }
        let is_provider = self.state == State::InUse && self.category != Category::Authority;
        match &self.document {
            Some(document) => document.check(&self.id, faults),
            None if is_provider => fault("is in use without a document".to_owned()),
            None => {}
        }
    }
}

/// A name, or everything below one; never everything.
fn is_pattern(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.contains('.') && name.split('.').all(is_label)
}
