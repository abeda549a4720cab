//! What a mail server said, in a form that may be stored.

use crate::EnhancedStatus;

/// Most characters of a server's words that are kept.
const MOST_CHARACTERS: usize = 200;
/// Most characters of them that are looked at: looking for addresses takes longer than the text is long.
const MOST_READ: usize = 2_000;
/// What stands where an address stood.
const ADDRESS: &str = "<address>";

/// A mail server's answer. Its text is safe to store: one line, no control characters, no e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits (RFC 5321 section 4.2); `None` when no answer came.
    pub code: Option<u16>,
    /// The enhanced status, when the server gave one (RFC 2034).
    pub enhanced: Option<EnhancedStatus>,
    /// The server's words, or what happened on the way to it; at most 200 characters.
    pub text: String,
}

impl Reply {
    /// An answer from its code and words; the enhanced status is read from the beginning of the words.
    #[must_use]
    pub fn new(code: Option<u16>, words: &str) -> Self {
        Self { code, enhanced: EnhancedStatus::leading(words), text: storable(words) }
    }

    /// What is known when no server answered.
    pub(crate) fn without_answer(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_words = cause.to_string();
            // lettre's errors repeat their source in their own words.
            if !words.contains(&cause_words) {
                words = format!("{words}: {cause_words}");
            }
            source = cause.source();
        }
        Self { code: None, enhanced: None, text: storable(&words) }
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(formatter, "{code} {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

impl std::error::Error for Reply {}

/// Words as one line of at most 200 characters without control characters and e-mail addresses.
pub(crate) fn storable(words: &str) -> String {
    // Cut only after addresses are gone: half an address is still one.
    let read: String = words.chars().take(MOST_READ).collect();
    let line = without_addresses(&plain_line(&read));
    if line.chars().count() <= MOST_CHARACTERS {
        return line;
    }
    line.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}

/// Invisible characters that turn the direction of writing or hide between letters.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// One line: runs of white space and control characters become one space.
pub(crate) fn plain_line(words: &str) -> String {
    let visible: String =
        words.chars().filter(|c| !is_invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

const fn is_at(c: char) -> bool {
    matches!(c, '@' | '\u{ff20}' | '\u{fe6b}')
}

/// Whether a character may stand in an address without quotes; letters of any script do (RFC 6532).
fn is_of_address(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\\')
}

/// Everything around an at sign goes: rather a word too many than a person's address.
fn without_addresses(line: &str) -> String {
    // Links in answers carry addresses percent-encoded.
    let line: Vec<char> = line.replace("%40", "@").chars().collect();
    let mut kept: Vec<char> = Vec::with_capacity(line.len());
    let mut place = 0;
    while let Some(&c) = line.get(place) {
        if !is_at(c) {
            kept.push(c);
            place += 1;
            continue;
        }
        place += 1;
        take_local_part(&mut kept);
        place = past_domain(&line, place);
        if kept.last() == Some(&'<') && line.get(place) == Some(&'>') {
            kept.pop();
            place += 1;
        }
        kept.extend(ADDRESS.chars());
    }
    kept.into_iter().collect()
}

/// Takes away what stands directly before an at sign: a word, or a text in quotes.
fn take_local_part(kept: &mut Vec<char>) {
    if kept.last() == Some(&'"') {
        let opening = kept[..kept.len() - 1].iter().rposition(|c| *c == '"').unwrap_or(kept.len() - 1);
        kept.truncate(opening);
    }
    let start = kept.iter().rposition(|c| !is_of_address(*c)).map_or(0, |before| before + 1);
    kept.truncate(start);
}

/// The place behind the domain, or the bracketed number, that begins at `place`.
fn past_domain(line: &[char], mut place: usize) -> usize {
    if line.get(place) == Some(&'[') {
        let length = line[place..].iter().position(|c| *c == ']');
        return length.map_or(line.len(), |length| place + length + 1);
    }
    while line.get(place).is_some_and(|c| is_at(*c) || (is_of_address(*c) && !matches!(c, '/' | '?' | '\''))) {
        place += 1;
    }
    // A full stop ends the sentence, not the domain.
    while place > 0 && line.get(place - 1) == Some(&'.') {
        place -= 1;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_not_kept() {
        for (said, kept) in [
            ("5.1.1 <tom@example.com>: Recipient address rejected", "5.1.1 <address>: Recipient address rejected"),
            ("mailbox tom.o'brien+x@example.co.uk. is full", "mailbox <address>. is full"),
            ("user (tom@example.com) unknown", "user (<address>) unknown"),
            ("no \"tom smith\"@example.com here", "no <address> here"),
            ("no tom@[192.0.2.1] here", "no <address> here"),
            ("tom@a.example@b.example, ann@c.example", "<address>, <address>"),
            ("see https://help.example/?who=tom%40example.com/x", "see https:<address>/x"),
            ("postmaster＠example.com", "<address>"),
            ("jürgen@müller.example", "<address>"),
            ("line one\r\n550 line\ttwo\u{202e}\u{7}", "line one 550 line two"),
            ("no address at all", "no address at all"),
        ] {
            assert_eq!(storable(said), kept, "{said}");
        }
    }

    #[test]
    fn an_address_at_the_cut_is_not_left_in_half() {
        let said = format!("{} tom@example.com", "x".repeat(190));
        assert_eq!(storable(&said), format!("{} <address>", "x".repeat(190)));
        assert_eq!(storable(&"ü".repeat(500)).chars().count(), MOST_CHARACTERS);
    }

    #[test]
    fn endless_words_take_no_longer() {
        let kept = storable(&"\"@".repeat(500_000));
        assert!(kept.chars().count() <= MOST_CHARACTERS);
    }

    #[test]
    fn an_answer_shows_code_and_words() {
        let reply = Reply::new(Some(550), "5.1.1 No such user");
        assert_eq!(reply.enhanced, EnhancedStatus::new(5, 1, 1));
        assert_eq!(reply.to_string(), "550 5.1.1 No such user");
        assert_eq!(Reply::new(Some(550), "No such user").enhanced, None);
    }

    proptest! {
        #[test]
        fn whatever_is_said_may_be_stored(said in any::<String>()) {
            check(&said);
        }

        #[test]
        fn whatever_looks_like_an_address_goes(said in "[ab \"<>.@%40\\[\\]\r\n'/:é＠-]{0,60}") {
            check(&said);
        }
    }

    fn check(said: &str) {
        let kept = storable(said);
        assert!(kept.chars().count() <= MOST_CHARACTERS);
        assert!(!kept.chars().any(|c| c.is_control() || is_at(c)), "{said:?} → {kept:?}");
    }
}
