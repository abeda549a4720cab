//! The text of a caption: which tags stay, which go, and how it is escaped.

/// Tags longer than this are text; it also keeps the work linear.
const MAX_TAG_BYTES: usize = 200;

/// The longest character reference known here is `&#1114111;`.
const MAX_REFERENCE_BYTES: usize = 10;

/// SRT borrows `{\an8}` placement codes from another format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// WebVTT.
    Webvtt,
    /// SubRip.
    Srt,
}

/// Cleans cue text: `<i>`, `<b>` and `<u>` stay and are balanced, every other tag goes, the rest is escaped, empty lines
/// vanish (they would end the caption). Cleaning twice changes nothing.
#[must_use]
pub fn canonical(source: &str, dialect: Dialect) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut open: Vec<char> = Vec::new();
    let mut rest = source.as_str();
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '<' => tag(rest).inspect(|length| apply(&rest[1..length - 1], &mut open, &mut out)),
            '{' if dialect == Dialect::Srt => placement(rest),
            '&' => reference(rest).map(|(length, character)| {
                escape(character, &mut out);
                length
            }),
            _ => None,
        };
        rest = &rest[taken.unwrap_or_else(|| {
            escape(next, &mut out);
            next.len_utf8()
        })..];
    }
    while let Some(name) = open.pop() {
        close(name, &mut out);
    }
    out.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What canonical cue text says, without tags and escapes.
#[must_use]
pub fn plain(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(next) = rest.chars().next() {
        let known = match next {
            '<' => tag(rest),
            '&' => reference(rest).map(|(length, character)| {
                out.push(character);
                length
            }),
            _ => None,
        };
        rest = &rest[known.unwrap_or_else(|| {
            out.push(next);
            next.len_utf8()
        })..];
    }
    out
}

/// The length of the tag at the start, if it is one: `<` before a letter, a slash, or a time. “a < b” and “<3” are text.
fn tag(text: &str) -> Option<usize> {
    let head = &text.as_bytes()[..text.len().min(MAX_TAG_BYTES)];
    let end = head.iter().position(|byte| matches!(byte, b'>' | b'\n'))?;
    if head[end] != b'>' {
        return None;
    }
    let inside = &head[1..end];
    let is_time = !inside.is_empty()
        && inside.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
        && inside.contains(&b':');
    let is_name = match inside {
        [b'/', name, ..] | [name, ..] => name.is_ascii_alphabetic(),
        [] => true,
    };
    (is_time || is_name).then_some(end + 1)
}

/// Opens or closes one of the three tags kept. Opening what is open already means nothing, so at most three are open.
fn apply(inside: &str, open: &mut Vec<char>, out: &mut String) {
    let (closing, name) = inside.strip_prefix('/').map_or((false, inside), |name| (true, name));
    let name = name.split(['.', ' ', '\t']).next().unwrap_or_default();
    let name = match name {
        "i" | "I" => 'i',
        "b" | "B" => 'b',
        "u" | "U" => 'u',
        _ => return,
    };
    match (closing, open.iter().position(|one| *one == name)) {
        (false, None) => {
            open.push(name);
            out.extend(['<', name, '>']);
        }
        (true, Some(place)) => {
            for name in open.drain(place..).rev() {
                close(name, out);
            }
        }
        _ => {}
    }
}

fn close(name: char, out: &mut String) {
    out.extend(['<', '/', name, '>']);
}

fn placement(text: &str) -> Option<usize> {
    let head = &text.as_bytes()[..text.len().min(MAX_TAG_BYTES)];
    if head.get(1) != Some(&b'\\') {
        return None;
    }
    let end = head.iter().position(|byte| matches!(byte, b'}' | b'\n'))?;
    (head[end] == b'}').then_some(end + 1)
}

/// The length and character of the reference at the start, if it is one known to WebVTT or XML.
fn reference(text: &str) -> Option<(usize, char)> {
    let head = &text.as_bytes()[..text.len().min(MAX_REFERENCE_BYTES)];
    let end = head.iter().position(|byte| *byte == b';')?;
    let name = text.get(1..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = number
                .strip_prefix(['x', 'X'])
                .map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
            char::from_u32(number?).filter(|character| !character.is_control())?
        }
    };
    Some((end + 1, character))
}

fn escape(character: char, out: &mut String) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\0' => out.push('\u{fffd}'),
        _ => out.push(character),
    }
}
