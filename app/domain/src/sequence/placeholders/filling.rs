//! Filling a text in for one person.

use std::collections::BTreeMap;

use super::{Part, Parts, Placeholder};

/// What is known of one person, ready to be read. What is missing or blank is not known.
///
/// Holds personal data, so it is no more than what a mail says, and has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values {
    known: BTreeMap<Placeholder, String>,
}

impl Values {
    /// The same with one value more; it replaces an earlier one.
    #[must_use]
    pub fn with(mut self, placeholder: Placeholder, value: impl Into<String>) -> Self {
        self.known.insert(placeholder, value.into());
        self
    }

    /// What is known, if anything is.
    #[must_use]
    pub fn get(&self, placeholder: Placeholder) -> Option<&str> {
        self.known.get(&placeholder).map(String::as_str).filter(|value| !value.trim().is_empty())
    }
}

/// Fills a text in. Every value goes through `escape`, and so do the words for when it is not known: those after the
/// bar, else [`Placeholder::when_unknown`]. What is not a known placeholder stays as it is.
#[must_use]
pub fn fill(text: &str, values: &Values, escape: impl Fn(&str) -> String) -> String {
    filled(text, values, &escape, |_, value, _| escape(value))
}

/// Fills a body of Markdown in. A value is text to the reader, whatever characters it holds. A link that stands by
/// itself can be clicked; in `[words]({{link}})` it is the address of the words.
#[must_use]
pub fn fill_body(text: &str, values: &Values) -> String {
    filled(text, values, escape_markdown, |placeholder, value, before| {
        let is_address = before.ends_with("](") || before.ends_with('<');
        if placeholder.is_link() && !is_address && is_plain_address(value) {
            return format!("<{value}>");
        }
        // A backslash the coach typed right before would take the first of ours for itself.
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        let shown = if backslashes % 2 == 1 { "\\" } else { "" };
        format!("{shown}{}", escape_markdown(value))
    })
}

/// Fills a subject in: one line, no control characters. Braces in a value become round ones, so that a subject cannot
/// be read twice.
#[must_use]
pub fn fill_subject(text: &str, values: &Values) -> String {
    let round = |value: &str| one_line(value).replace('{', "(").replace('}', ")");
    one_line(&fill(text, values, round))
}

fn filled(
    text: &str,
    values: &Values,
    escape: impl Fn(&str) -> String,
    shape: impl Fn(Placeholder, &str, &str) -> String,
) -> String {
    let mut filled = String::with_capacity(text.len() + text.len() / 4);
    // Whether a value was just put in, and whether it was empty.
    let mut after_value = None;
    for part in Parts::of(text) {
        if let Part::Named { name, fallback, .. } = part
            && let Some(placeholder) = Placeholder::from_stored(name)
        {
            let known = values.get(placeholder).or(fallback).unwrap_or(placeholder.when_unknown());
            let shaped = shape(placeholder, known, &filled);
            after_value = Some(shaped.is_empty());
            filled.push_str(&shaped);
            continue;
        }
        let mut words = part.text();
        // A single brace of the coach's must not make a double one with what was filled in before it.
        if let (Some(was_empty), Some(brace @ ('{' | '}'))) = (after_value, words.chars().next())
            && (was_empty || filled.ends_with(brace))
        {
            filled.push_str(&escape(&words[..1]));
            words = &words[1..];
        }
        filled.push_str(words);
        after_value = None;
    }
    filled
}

/// Whether it can stand between `<` and `>`: an address of the web with nothing in it that ends it early.
fn is_plain_address(value: &str) -> bool {
    let has_scheme = value.starts_with("https://") || value.starts_with("http://");
    has_scheme && !value.chars().any(|letter| letter.is_whitespace() || letter.is_control() || "<>\\".contains(letter))
}

/// A text as Markdown that reads like it: on one line, with a backslash before everything Markdown could take for its
/// own (§2.4 of its specification: all of ASCII's punctuation).
#[must_use]
pub fn escape_markdown(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len() + line.len() / 8);
    for letter in line.chars() {
        if letter.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A text on one line: whatever breaks or moves a line becomes one space, and nothing stands around it.
#[must_use]
pub fn one_line(text: &str) -> String {
    let is_gap = |letter: char| letter.is_whitespace() || letter.is_control() || turns_text(letter);
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Invisible characters that turn the direction of what follows: a name must not reorder the words around it.
const fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
}
