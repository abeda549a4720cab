//! The privacy policy and the terms: every version ever published, read from files that cannot be changed any more.
//!
//! A policy is a list of sentences, each with the promises it makes (`[P03 P04]`) and the classes of the data map it
//! names (`{email}`). The tests of promises P01 and P52 hold what makes the date on the page true: a published version
//! has the digest written down here, so a changed word needs a new file with a newer date.

mod differences;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::Moment;
use sha2::{Digest, Sha256};

pub use differences::{Change, differences};

use crate::DataMap;

/// Every version of the policy with its digest, oldest first. Lines are only ever added.
const POLICIES: &[(&str, &str)] =
    &[(include_str!("../policy/2026-11-26.md"), "1fd96563013829bf82fa1a62a8bd47b568ec3f748679e0c8002d0e19fd8947ef")];
/// Every version of the terms with the data-processing agreement, as above.
const TERMS: &[(&str, &str)] = &[(
    include_str!("../policy/terms-2026-11-26.md"),
    "28783aba98dbab52b775e87a7ec845ec23082190564f0acc68056ebcd96f8d5b",
)];
/// Days between the announcement of a change that matters and its effect.
pub const NOTICE_DAYS: i64 = 30;

/// Why a text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{version}: {fault}")]
pub struct Error {
    /// Which version, as far as it says.
    pub version: String,
    /// What is wrong with it.
    pub fault: String,
}

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A class of the data map, by its key.
    Class(String),
}

/// A sentence and the promises it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it says.
    pub pieces: Vec<Piece>,
    /// Ids of promises.
    pub promises: Vec<String>,
}

impl Sentence {
    /// As plain text, classes by their titles.
    #[must_use]
    pub fn text(&self, map: &DataMap) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Class(key) => map.classes.get(key).map_or_else(|| key.clone(), |class| class.title.clone()),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// A heading and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Its sentences.
    pub sentences: Vec<Sentence>,
}

/// One version of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name: the day it was published, `2026-11-26`.
    pub name: String,
    /// When it was published: the beginning of that day in UTC.
    pub published: Moment,
    /// When it takes effect.
    pub effective: Moment,
    /// Whether the change matters to people, so that they are told before it takes effect.
    pub is_material: bool,
    /// What is new, in a sentence.
    pub summary: String,
    /// SHA-256 of the whole file.
    pub sha256: [u8; 32],
    /// What it says.
    pub sections: Vec<Section>,
}

fn day(text: &str) -> Option<Moment> {
    format!("{text}T00:00:00Z").parse().ok()
}

impl Version {
    /// Reads a version from its file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(file: &str) -> Result<Self, Error> {
        let (front, body) = file
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| Error { version: "?".to_owned(), fault: "has no front matter".to_owned() })?;
        let field = |name: &str| {
            front
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim().to_owned())
        };
        let name = field("version").unwrap_or_default();
        let wrong = |fault: &str| Error { version: name.clone(), fault: fault.to_owned() };
        let version = Self {
            published: day(&name).ok_or_else(|| wrong("the version is no day"))?,
            effective: field("effective")
                .and_then(|text| day(&text))
                .ok_or_else(|| wrong("the day it takes effect is missing"))?,
            is_material: match field("material").as_deref() {
                Some("yes") => true,
                Some("no") => false,
                _ => return Err(wrong("material is neither yes nor no")),
            },
            summary: field("summary").filter(|text| !text.is_empty()).ok_or_else(|| wrong("has no summary"))?,
            sha256: Sha256::digest(file).into(),
            sections: sections(body).map_err(|fault| wrong(&fault))?,
            name: name.clone(),
        };
        if version.effective < version.published {
            return Err(wrong("takes effect before it was published"));
        }
        Ok(version)
    }

    /// Its digest in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(self.sha256)
    }

    /// Every sentence.
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        self.sections.iter().flat_map(|section| &section.sentences)
    }

    /// What is wrong with it as a policy: sentences without a promise, promises and classes that do not exist, and
    /// those it leaves out.
    #[must_use]
    pub fn faults(&self, map: &DataMap, promises: &BTreeSet<&str>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut kept = BTreeSet::new();
        let mut named = BTreeSet::new();
        for sentence in self.sentences() {
            let text = sentence.text(map);
            if sentence.promises.is_empty() {
                faults.push(format!("this sentence names no promise: {text}"));
            }
            for id in &sentence.promises {
                kept.insert(id.as_str());
                if !promises.contains(id.as_str()) {
                    faults.push(format!("there is no promise {id}: {text}"));
                }
            }
            for piece in &sentence.pieces {
                match piece {
                    Piece::Class(key) if map.classes.contains_key(key) => drop(named.insert(key.as_str())),
                    Piece::Class(key) => faults.push(format!("there is no class {key}: {text}")),
                    Piece::Text(_) => {}
                }
            }
        }
        faults.extend(promises.difference(&kept).map(|id| format!("no sentence makes promise {id}")));
        let unnamed = map.classes.keys().filter(|key| !named.contains(key.as_str()));
        faults.extend(unnamed.map(|key| format!("the class {key} is not named")));
        faults
    }
}

fn sections(body: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("## ") {
            sections.push(Section { title: title.to_owned(), sentences: Vec::new() });
            continue;
        }
        let section =
            sections.last_mut().ok_or_else(|| format!("a sentence stands above the first heading: {line}"))?;
        section.sentences.push(sentence(line)?);
    }
    if sections.is_empty() { Err("says nothing".to_owned()) } else { Ok(sections) }
}

/// One line is one sentence: `Words with {classes}. [P01 P02]`
fn sentence(line: &str) -> Result<Sentence, String> {
    let (text, promises) = match line.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) {
        Some((text, ids)) => (text, ids.split_whitespace().map(str::to_owned).collect()),
        None => (line, Vec::new()),
    };
    if !text.ends_with(['.', '?', '!']) {
        return Err(format!("a line is no whole sentence: {line}"));
    }
    if has_more_than_one(text) {
        return Err(format!("a line holds more than one sentence: {line}"));
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (class, after) = after.split_once('}').ok_or_else(|| format!("a brace is left open: {line}"))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Class(class.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(Sentence { pieces, promises })
}

/// Whether a second sentence begins in a text: behind an end, a space and a capital letter.
fn has_more_than_one(text: &str) -> bool {
    ['.', '?', '!'].iter().any(|end| {
        text.match_indices(*end).any(|(at, _)| {
            // "(Art. 28 GDPR)" and "U.K. Law" are none.
            let is_short = text[..at].rsplit([' ', '(']).next().is_some_and(|word| word.len() <= 3);
            let mut next = text[at + 1..].chars();
            !is_short && next.next() == Some(' ') && next.next().is_some_and(char::is_uppercase)
        })
    })
}

/// Every version of one text, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(Vec<Version>);

impl Versions {
    /// Reads versions with their digests.
    ///
    /// # Errors
    /// When a file is malformed, was changed after it was published, or is not newer than the one before it.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Error> {
        let mut versions: Vec<Version> = Vec::new();
        for (file, digest) in files {
            let version = Version::parse(file)?;
            let wrong = |fault: &str| Error { version: version.name.clone(), fault: fault.to_owned() };
            if version.digest() != *digest {
                return Err(wrong("was changed after it was published; a change is a new file with a newer date"));
            }
            if let Some(before) = versions.last() {
                if version.published <= before.published {
                    return Err(wrong("is not newer than the version before it"));
                }
                if version.is_material && version.effective < version.published.plus_days(NOTICE_DAYS) {
                    return Err(wrong("matters to people and takes effect before they can have been told"));
                }
            }
            versions.push(version);
        }
        if versions.is_empty() {
            return Err(Error { version: "?".to_owned(), fault: "there is no version at all".to_owned() });
        }
        Ok(Self(versions))
    }

    /// The policy's.
    ///
    /// # Panics
    /// When a file is broken; the tests keep such a one from being released.
    #[must_use]
    pub fn of_the_policy() -> &'static Self {
        static POLICY: LazyLock<Versions> =
            LazyLock::new(|| Versions::parse(POLICIES).expect("the tests keep a broken policy from being released"));
        &POLICY
    }

    /// The terms'.
    ///
    /// # Panics
    /// As [`Self::of_the_policy`].
    #[must_use]
    pub fn of_the_terms() -> &'static Self {
        static TERMS_READ: LazyLock<Versions> =
            LazyLock::new(|| Versions::parse(TERMS).expect("the tests keep broken terms from being released"));
        &TERMS_READ
    }

    /// The one in force; before the first takes effect, the first.
    ///
    /// # Panics
    /// Never: there is at least one.
    #[must_use]
    pub fn current(&self, now: Moment) -> &Version {
        let in_force = self.0.iter().rev().find(|version| version.effective <= now);
        in_force.or(self.0.first()).expect("there is at least one version")
    }

    /// Those published by now, oldest first.
    pub fn published(&self, now: Moment) -> impl DoubleEndedIterator<Item = &Version> {
        self.0.iter().filter(move |version| version.published <= now)
    }

    /// One by its name, with the one before it.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<(&Version, Option<&Version>)> {
        let at = self.0.iter().position(|version| version.name == name)?;
        Some((&self.0[at], at.checked_sub(1).map(|before| &self.0[before])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: &str, effective: &str, body: &str) -> String {
        format!("---\nversion: {version}\neffective: {effective}\nmaterial: yes\nsummary: New.\n---\n{body}")
    }

    fn digest(file: &str) -> String {
        hex::encode(Sha256::digest(file))
    }

    #[test]
    fn a_line_is_one_whole_sentence() {
        for line in ["We keep nothing", "We keep nothing. We sell nothing. [P19]", "We keep {email. [P03]"] {
            assert!(sentence(line).is_err(), "{line}");
        }
        let read = sentence("We keep {email}, {name} (Art. 28 GDPR). [P03 P09]").expect("reads");
        assert_eq!(read.promises, ["P03", "P09"]);
        assert_eq!(read.text(DataMap::current()), "We keep E-mail address, Name (Art. 28 GDPR).");
    }

    #[test]
    fn a_change_that_matters_leaves_time_to_be_told() {
        let first = file("2026-01-01", "2026-01-01", "## One\nWe keep nothing. [P19]\n");
        let hasty = file("2026-02-01", "2026-02-20", "## One\nWe keep little. [P19]\n");
        let patient = file("2026-02-01", "2026-03-03", "## One\nWe keep little. [P19]\n");
        let both = |second: &str| Versions::parse(&[(&first, &digest(&first)), (second, &digest(second))]);
        assert!(both(&hasty).expect_err("too soon").fault.contains("before they can have been told"));
        let versions = both(&patient).expect("in time");
        let at = |text: &str| text.parse::<Moment>().expect("a moment");
        assert_eq!(versions.current(at("2026-03-02T23:59:59Z")).name, "2026-01-01");
        assert_eq!(versions.current(at("2026-03-03T00:00:00Z")).name, "2026-02-01");
        assert_eq!(versions.published(at("2026-02-15T00:00:00Z")).count(), 2);
        let (second, before) = versions.named("2026-02-01").expect("there");
        assert_eq!((second.summary.as_str(), before.map(|one| one.name.as_str())), ("New.", Some("2026-01-01")));
    }

    #[test]
    fn what_was_published_can_be_read() {
        assert!(Versions::of_the_policy().published(Moment(i64::MAX)).count() >= 1);
        assert!(Versions::of_the_terms().published(Moment(i64::MAX)).count() >= 1);
    }
}
