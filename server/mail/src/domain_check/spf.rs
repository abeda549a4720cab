//! Which servers may send for the return path's domain (RFC 7208).

use std::net::IpAddr;

use super::{Check, DnsFacts, Finding, NoAnswer, Sender, State, Txt};

const VERSION: &str = "v=spf1";
/// Most terms that make a reader ask the DNS (RFC 7208 section 4.6.4). Those inside what is included count as well, but
/// do not stand in the record.
const MOST_LOOKUPS: usize = 10;

pub(super) fn judge(facts: &DnsFacts, about: &Sender) -> Finding {
    let name = about.bounce_domain();
    let records = match &facts.bounce_domain {
        Err(NoAnswer) => return Finding::unknown(Check::Spf, &name),
        Ok(records) => records.iter().map(Txt::text).collect::<Vec<_>>(),
    };
    let found: Vec<&str> = records.iter().map(String::as_str).filter(|text| is_spf(text)).collect();
    let hidden: Vec<&str> = records.iter().map(|text| text.trim()).filter(|text| is_spf(text)).collect();
    let meant = if found.is_empty() { &hidden } else { &found };
    let parsed: Option<Vec<Record>> = meant.iter().map(|text| Record::read(text)).collect();
    let (state, sentence) = match (found.as_slice(), parsed.as_deref()) {
        ([], _) if hidden.is_empty() => (
            State::Missing,
            format!(
                "{name} does not say which servers may send its mail, and large mailbox providers want that (SPF)."
            ),
        ),
        ([], _) => {
            (State::Wrong, format!("The SPF record of {name} begins with white space, so that readers overlook it."))
        }
        ([_, _, ..], _) => (
            State::Wrong,
            format!("{name} has more than one SPF record, so readers ignore all. Please put them into a single one."),
        ),
        ([_], Some([record])) => of_record(record, &name, &about.sends_from),
        ([_], _) => (State::Wrong, format!("The SPF record of {name} holds a mistake, so readers ignore it.")),
    };
    let finding = Finding::new(Check::Spf, state, sentence);
    match parsed.as_deref().and_then(|records| better(records, &about.sends_from)) {
        Some(value) if state != State::Good => finding.publish(&name, &value),
        None if state == State::Missing => Finding {
            sentence: format!("{} Your mail provider tells you what to publish.", finding.sentence),
            ..finding
        },
        _ => finding,
    }
}

/// Whether a reader takes it for an SPF record (RFC 7208 section 4.5).
fn is_spf(text: &str) -> bool {
    let version = text.split(' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case(VERSION)
}

fn of_record(record: &Record, name: &str, sends_from: &[IpAddr]) -> (State, String) {
    let lookups = record.lookups();
    if lookups > MOST_LOOKUPS {
        let sentence = format!(
            "The SPF record of {name} makes readers ask the DNS {lookups} times. They stop after {MOST_LOOKUPS} and \
             ignore it. Please remove services you no longer use."
        );
        return (State::Wrong, sentence);
    }
    let all = record.all();
    if all == Some(Qualifier::Pass) {
        let sentence = format!("The SPF record of {name} lets every server in the world send its mail (+all).");
        return (State::Wrong, sentence);
    }
    let verdicts = || sends_from.iter().map(|address| (address, record.verdict(*address)));
    if let Some((address, _)) = verdicts().find(|(_, verdict)| *verdict == Verdict::NotNamed) {
        let sentence = format!("The SPF record of {name} does not name {address}, from where your mail is sent.");
        return (State::Wrong, sentence);
    }
    if matches!(all, None | Some(Qualifier::Neutral)) && !record.redirects() {
        let sentence = format!(
            "The SPF record of {name} does not say what to think of other servers, so it hardly protects your name. \
             It should end with ~all."
        );
        return (State::Weak, sentence);
    }
    let is_all_named = !sends_from.is_empty() && verdicts().all(|(_, verdict)| verdict == Verdict::Named);
    let sentence = if is_all_named {
        format!("{name} names the servers that send your mail.")
    } else {
        format!(
            "{name} names servers that may send its mail. Whether yours is among them does not stand in the record \
             itself: your mail provider tells you what has to be in it."
        )
    };
    (State::Good, sentence)
}

/// One record that allows what all of these allow, and the addresses mail is sent from; none when that would name no
/// server, or when readers could not follow it.
fn better(records: &[Record], sends_from: &[IpAddr]) -> Option<String> {
    let mut kept: Vec<Term> = Vec::new();
    for term in records.iter().flat_map(|record| &record.terms).filter(|term| !matches!(term.kind, Kind::All)) {
        if !kept.iter().any(|known| known.text.eq_ignore_ascii_case(&term.text)) {
            kept.push(term.clone());
        }
    }
    let redirects = records.iter().any(Record::redirects);
    if redirects && records.len() > 1 {
        return None;
    }
    // Behind an `all` it never had a meaning, and it must not get one.
    kept.retain(|term| redirects || !matches!(term.kind, Kind::Redirect));
    let kept = Record { terms: kept };
    let unnamed = sends_from.iter().filter(|address| kept.verdict(**address) != Verdict::Named);
    let ours = unnamed.map(|address| match address.to_canonical() {
        IpAddr::V4(address) => format!("ip4:{address}"),
        IpAddr::V6(address) => format!("ip6:{address}"),
    });
    let mut terms: Vec<String> = ours.chain(kept.terms.iter().map(|term| term.text.clone())).collect();
    if terms.is_empty() {
        return None;
    }
    let is_hard = !records.is_empty() && records.iter().all(|record| record.all() == Some(Qualifier::Fail));
    if !redirects {
        terms.push(if is_hard { "-all" } else { "~all" }.to_owned());
    }
    let value = format!("{VERSION} {}", terms.join(" "));
    let is_followed = Record::read(&value).is_some_and(|record| record.lookups() <= MOST_LOOKUPS);
    is_followed.then_some(value)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

#[derive(Clone)]
enum Kind {
    All,
    /// `ip4` or `ip6`: an address and how many of its bits count.
    Network(IpAddr, u8),
    /// `include`, `a`, `mx`, `ptr`, `exists`: the DNS has to be asked.
    Asks,
    Redirect,
    /// A modifier without meaning for the result: `exp`, or an unknown one (RFC 7208 section 6).
    Modifier,
}

#[derive(Clone)]
struct Term {
    qualifier: Qualifier,
    kind: Kind,
    text: String,
}

struct Record {
    terms: Vec<Term>,
}

/// What the text of a record says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Named,
    NotNamed,
    /// It depends on what the DNS says elsewhere.
    Elsewhere,
}

impl Record {
    /// None where RFC 7208 section 4.6 has readers give up (“permerror”).
    fn read(text: &str) -> Option<Self> {
        let terms =
            text.split(' ').skip(1).filter(|term| !term.is_empty()).map(Term::read).collect::<Option<Vec<_>>>()?;
        let is_single = |prefix: &str| {
            let starts =
                |term: &&Term| term.text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
            terms.iter().filter(starts).count() <= 1
        };
        (is_single("redirect=") && is_single("exp=")).then_some(Self { terms })
    }

    fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find(|term| matches!(term.kind, Kind::All)).map(|term| term.qualifier)
    }

    /// Whether another record decides in the end; not when there is an `all` (RFC 7208 section 6.1).
    fn redirects(&self) -> bool {
        self.all().is_none() && self.terms.iter().any(|term| matches!(term.kind, Kind::Redirect))
    }

    /// How often a reader asks the DNS because of this record's own terms. What follows `all` is never reached (RFC 7208
    /// section 5.1).
    fn lookups(&self) -> usize {
        let reached = self.terms.iter().take_while(|term| !matches!(term.kind, Kind::All));
        reached.filter(|term| matches!(term.kind, Kind::Asks)).count() + usize::from(self.redirects())
    }

    fn verdict(&self, address: IpAddr) -> Verdict {
        let mut otherwise = Verdict::NotNamed;
        for term in &self.terms {
            let matches = match term.kind {
                Kind::All => true,
                Kind::Network(network, bits) => contains(network, bits, address),
                Kind::Asks if term.qualifier == Qualifier::Pass => {
                    otherwise = Verdict::Elsewhere;
                    false
                }
                Kind::Asks | Kind::Redirect | Kind::Modifier => false,
            };
            if matches {
                return if term.qualifier == Qualifier::Pass { Verdict::Named } else { otherwise };
            }
        }
        if self.redirects() { Verdict::Elsewhere } else { otherwise }
    }
}

impl Term {
    fn read(text: &str) -> Option<Self> {
        let (qualifier, rest) = match text.as_bytes().first()? {
            b'+' => (Qualifier::Pass, &text[1..]),
            b'-' => (Qualifier::Fail, &text[1..]),
            b'~' => (Qualifier::SoftFail, &text[1..]),
            b'?' => (Qualifier::Neutral, &text[1..]),
            _ => (Qualifier::Pass, text),
        };
        let end = rest.find([':', '/', '=']).unwrap_or(rest.len());
        let (name, value) = (rest[..end].to_ascii_lowercase(), &rest[end..]);
        let argument = value.strip_prefix(':');
        let has_domain = argument.is_some_and(|domain| !domain.is_empty() && !domain.starts_with('/'));
        let kind = if let Some(value) = value.strip_prefix('=') {
            // A modifier has no qualifier, and its name is one word.
            let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
            match name.as_str() {
                _ if !is_word || rest.len() != text.len() => return None,
                "redirect" | "exp" if value.is_empty() => return None,
                "redirect" => Kind::Redirect,
                _ => Kind::Modifier,
            }
        } else {
            match name.as_str() {
                "all" if value.is_empty() => Kind::All,
                "include" | "exists" if has_domain => Kind::Asks,
                "a" | "mx" if value.is_empty() || value.starts_with('/') || has_domain => Kind::Asks,
                "ptr" if value.is_empty() || has_domain => Kind::Asks,
                "ip4" | "ip6" => network(&name, argument?)?,
                _ => return None,
            }
        };
        // Also what keeps control characters out of the record that is advised.
        text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Self { qualifier, kind, text: text.to_owned() })
    }
}

fn network(name: &str, argument: &str) -> Option<Kind> {
    let (address, bits) = match argument.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (argument, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (address.is_ipv4() == (name == "ip4") && bits <= most).then_some(Kind::Network(address, bits))
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let bits = u32::from(bits);
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}
