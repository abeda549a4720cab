//! What readers are told to do with mail that only claims to be from the domain (RFC 7489).

use super::tags::Tags;
use super::{Check, DnsFacts, Finding, NoAnswer, Sender, State, Txt, organisational};

/// What to start with: changes nothing for any mail, and is what Gmail and Outlook ask for.
const FIRST_RECORD: &str = "v=DMARC1; p=none";

pub(super) fn judge(facts: &DnsFacts, about: &Sender) -> Finding {
    let name = about.dmarc_name();
    let Ok(records) = &facts.dmarc else { return Finding::unknown(Check::Dmarc, &name) };
    let found = dmarc_records(records);
    if !found.is_empty() {
        return of_records(&found, &name, about, false);
    }
    let missing = || {
        let sentence =
            format!("There is no DMARC record for {}, and large mailbox providers want one.", about.sender_domain());
        Finding::new(Check::Dmarc, State::Missing, sentence).publish(&name, FIRST_RECORD)
    };
    let Some(above) = about.organisational_dmarc_name() else { return missing() };
    match &facts.organisational_dmarc {
        Err(NoAnswer) => Finding::unknown(Check::Dmarc, &above),
        Ok(records) => match dmarc_records(records) {
            found if found.is_empty() => missing(),
            found => of_records(&found, &above, about, true),
        },
    }
}

/// The records that are meant as DMARC; readers drop the others (RFC 7489 section 6.6.3).
fn dmarc_records(records: &[Txt]) -> Vec<String> {
    let is_meant = |text: &String| {
        let first = text.split(';').next().unwrap_or_default();
        first.split_once('=').is_some_and(|(tag, value)| {
            tag.trim().eq_ignore_ascii_case("v") && value.trim().eq_ignore_ascii_case("DMARC1")
        })
    };
    records.iter().map(Txt::text).filter(is_meant).collect()
}

fn of_records(found: &[String], name: &str, about: &Sender, is_above: bool) -> Finding {
    let finding = |state, sentence: String| Finding::new(Check::Dmarc, state, sentence);
    let [record] = found else {
        let sentence =
            format!("There is more than one DMARC record at {name}, so readers ignore all. Please leave only one.");
        let keep = found.iter().map(|record| record.trim()).find(|record| is_complete(record)).unwrap_or(FIRST_RECORD);
        return finding(State::Wrong, sentence).publish(name, keep);
    };
    let Some((tags, policy)) = complete(record) else {
        let sentence = format!(
            "The DMARC record at {name} cannot be read: it begins with v=DMARC1 and then says with p= what to do, each \
             once, and p= is none, quarantine or reject."
        );
        return finding(State::Wrong, sentence).publish(name, FIRST_RECORD);
    };
    let below = tags.get("sp").filter(|_| is_above).and_then(known_policy);
    let policy = below.unwrap_or(policy);
    if !is_aligned(&tags, about) {
        let sentence = format!(
            "Mail that cannot be delivered goes back to {}, another domain than {} in the sender address, and we do not \
             sign for yours. To readers such mail is a forgery{}. Please have a signing key set up, or let bounces go to \
             your own domain.",
            about.bounce_domain(),
            about.sender_domain(),
            if policy == Policy::None { "" } else { ", and your DMARC record asks them not to deliver it" },
        );
        return finding(State::Wrong, sentence);
    }
    let place = if is_above {
        format!("The record at {name} holds for {} as well", about.sender_domain())
    } else {
        format!("There is a DMARC record at {name}")
    };
    let sentence = match policy {
        Policy::None => format!(
            "{place}. It lets readers deliver forged mail too, which is right for the start; when everything has gone \
             well for some weeks, p=quarantine protects your name better."
        ),
        Policy::Quarantine => format!("{place}. It asks readers to put forged mail into the spam folder."),
        Policy::Reject => format!("{place}. It asks readers to refuse forged mail."),
    };
    finding(State::Good, sentence)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    None,
    Quarantine,
    Reject,
}

fn known_policy(value: &str) -> Option<Policy> {
    [("none", Policy::None), ("quarantine", Policy::Quarantine), ("reject", Policy::Reject)]
        .into_iter()
        .find_map(|(word, policy)| value.eq_ignore_ascii_case(word).then_some(policy))
}

fn complete(record: &str) -> Option<(Tags, Policy)> {
    let tags = Tags::read(record).ok()?;
    // The version is the one value that has to be in capitals (RFC 7489 section 6.4).
    tags.get("v").filter(|version| *version == "DMARC1")?;
    let policy = tags.get("p").and_then(known_policy)?;
    Some((tags, policy))
}

/// Whether it may be advised as it is: somebody else wrote it, and it is shown.
fn is_complete(record: &str) -> bool {
    complete(record).is_some() && record.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether the sender address is in line with the signature or with the return path (RFC 7489 section 3.1). Our
/// signature always is: it names the sender address's domain.
fn is_aligned(tags: &Tags, about: &Sender) -> bool {
    let (from, bounces) = (about.sender_domain(), about.bounce_domain());
    let is_strict = tags.get("aspf").is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
    about.dkim.is_some() || from == bounces || (!is_strict && organisational(&from) == organisational(&bounces))
}
