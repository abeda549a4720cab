//! The record of our signature's public key (RFC 6376 section 3.6.1).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::tags::{NotTags, Tags};
use super::{Check, DnsFacts, Finding, NoAnswer, Sender, State};

/// Length of an Ed25519 public key in bytes; every RSA key is longer.
const ED25519_BYTES: usize = 32;

pub(super) fn judge(facts: &DnsFacts, about: &Sender) -> Finding {
    let (Some((_, key)), Some(name)) = (&about.dkim, about.dkim_name()) else {
        let sentence = format!(
            "We do not sign mail for {} yet, and large mailbox providers want a signature. Please have a signing key \
             set up; the record to publish follows from it.",
            about.sender_domain()
        );
        return Finding::new(Check::Dkim, State::Missing, sentence);
    };
    let records = match &facts.dkim {
        Err(NoAnswer) => return Finding::unknown(Check::Dkim, &name),
        Ok(records) => records,
    };
    let (state, sentence) = match records.as_slice() {
        [] => (State::Missing, format!("There is no key at {name}, so nobody can check our signature.")),
        [record] => match Tags::read(&record.text()) {
            Ok(tags) => of_tags(&tags, key, &name),
            Err(NotTags::Shape) => (State::Wrong, format!("What is published at {name} cannot be read as a key.")),
            Err(NotTags::Twice) => {
                (State::Wrong, format!("The record at {name} says one thing twice, so readers must ignore it."))
            }
        },
        _ => (
            State::Wrong,
            format!(
                "There is more than one record at {name}, and readers may take the wrong one. Please leave only one."
            ),
        ),
    };
    let finding = Finding::new(Check::Dkim, state, sentence);
    if state == State::Good { finding } else { finding.publish(&name, &value(key)) }
}

/// Our record.
fn value(key: &str) -> String {
    format!("v=DKIM1; k={}; p={}", kind(key), bare(key))
}

fn kind(key: &str) -> &'static str {
    let is_ed25519 = BASE64_STANDARD.decode(bare(key)).is_ok_and(|bytes| bytes.len() == ED25519_BYTES);
    if is_ed25519 { "ed25519" } else { "rsa" }
}

/// Base64 without white space, which may stand anywhere in it (RFC 6376 section 2.10).
fn bare(base64: &str) -> String {
    base64.split_whitespace().collect()
}

fn of_tags(tags: &Tags, ours: &str, name: &str) -> (State, String) {
    let wrong = |sentence: String| (State::Wrong, sentence);
    if tags.get("v").is_some_and(|version| version != "DKIM1") || tags.is_late("v") {
        return wrong(format!("The record at {name} does not begin with v=DKIM1, so readers ignore it."));
    }
    let Some(published) = tags.get("p").map(bare) else {
        return wrong(format!("The record at {name} holds no key."));
    };
    if published.is_empty() {
        return wrong(format!("The key at {name} was revoked, so our signature counts as broken."));
    }
    // Padding may have been lost on the way through a form.
    if published.trim_end_matches('=') != bare(ours).trim_end_matches('=') {
        return wrong(format!("The key at {name} is not the one we sign with, so our signature counts as broken."));
    }
    if !tags.get("k").unwrap_or("rsa").eq_ignore_ascii_case(kind(ours)) {
        return wrong(format!("The record at {name} holds our key but calls it another kind of key."));
    }
    let allows = |tag, wanted: &[&str]| {
        tags.list(tag).is_none_or(|listed| listed.iter().any(|item| wanted.contains(&item.as_str())))
    };
    if !allows("h", &["sha256"]) || !allows("s", &["*", "email"]) {
        return wrong(format!("The record at {name} holds our key but does not let it sign mail the way we do."));
    }
    let flags = tags.list("t").unwrap_or_default();
    if flags.iter().any(|flag| flag == "y") {
        let sentence =
            format!("The key at {name} is ours but marked as a test, so readers may act as if it were not there.");
        return (State::Weak, sentence);
    }
    if tags.has_capitals() {
        let sentence =
            format!("The key at {name} is ours, but its tags are written in capitals, which some readers overlook.");
        return (State::Weak, sentence);
    }
    (State::Good, format!("The key at {name} is ours, so readers can check that mail really comes from you."))
}
