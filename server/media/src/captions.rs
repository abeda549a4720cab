//! Captions as coaches have them: WebVTT or SubRip (SRT), read with patience and written back as sound WebVTT.
//!
//! Source: W3C WebVTT; SRT has no standard, so the habits of the common editors count. Placement settings are dropped:
//! our player places captions itself.

mod markup;

use std::fmt::Write;

use thiserror::Error;

pub use markup::{Dialect, canonical, plain};

/// A day of dense speech is below one megabyte.
pub const MAX_CAPTION_BYTES: usize = 2 * 1024 * 1024;

/// More than a new caption every second for five hours.
pub const MAX_CUES: usize = 20_000;

/// One caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// From the start of the video; whole milliseconds.
    pub start_seconds: f64,
    /// Later than the start.
    pub end_seconds: f64,
    /// What is said, for search and the transcript; lines parted by `\n`.
    pub text: String,
    /// The same with `<i>`, `<b>` and `<u>`, and `&`, `<`, `>` escaped: WebVTT cue text.
    pub markup: String,
}

impl Cue {
    /// A caption from WebVTT cue text, cleaned; none when nothing is left to show.
    #[must_use]
    pub fn new(start_seconds: f64, end_seconds: f64, markup: &str) -> Option<Self> {
        let markup = canonical(markup, Dialect::Webvtt);
        let text = plain(&markup);
        (!text.trim().is_empty()).then_some(Self { start_seconds, end_seconds, text, markup })
    }
}

/// Why a captions file is not taken, as a sentence for the person who chose it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence of each says it better")]
pub enum CaptionError {
    #[error("This captions file is larger than 2 MB. Captions for a day of speech are smaller; is it the right file?")]
    TooLarge,
    #[error("Line {line} of this file is not UTF-8 text. Save the captions again with the encoding UTF-8.")]
    NotUtf8 { line: usize },
    #[error("This file holds no captions.")]
    NoCue,
    #[error("This file holds more than 20,000 captions.")]
    TooManyCues,
    #[error(
        "Line {line}: a time such as “00:01:02.000 --> 00:01:05.000” was expected here. Captions are taken as WebVTT or SRT."
    )]
    NoTime { line: usize },
    #[error("Line {line}: the time “{text}” cannot be read. Write it like 00:01:02.000.")]
    BadTime { line: usize, text: String },
    #[error("Line {line}: this caption ends before it starts, or at the same moment.")]
    EndsBeforeStart { line: usize },
}

/// Reads WebVTT or SRT and puts the captions in order of their start.
///
/// # Errors
/// A sentence that names the line at fault.
pub fn parse(bytes: &[u8]) -> Result<Vec<Cue>, CaptionError> {
    if bytes.len() > MAX_CAPTION_BYTES {
        return Err(CaptionError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        CaptionError::NotUtf8 { line: 1 + before.iter().filter(|byte| **byte == b'\n').count() }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let mut cues = Reader { webvtt: is_header(lines[0]), lines: &lines, at: 0 }.read()?;
    if cues.is_empty() {
        return Err(CaptionError::NoCue);
    }
    cues.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
    Ok(cues)
}

/// Writes captions as WebVTT. Whatever the cues hold, the file is sound: their text is cleaned on the way.
#[must_use]
pub fn to_webvtt(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for cue in cues {
        let markup = canonical(&cue.markup, Dialect::Webvtt);
        if !markup.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\n{} --> {}\n{markup}\n", clock(cue.start_seconds), clock(cue.end_seconds));
        }
    }
    out
}

fn clock(seconds: f64) -> String {
    let ms = (seconds.max(0.0) * 1000.0).round() as u64;
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000)
}

fn is_header(line: &str) -> bool {
    line.strip_prefix("WEBVTT").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

struct Reader<'a> {
    webvtt: bool,
    lines: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Result<Vec<Cue>, CaptionError> {
        let mut cues = Vec::new();
        if self.webvtt {
            self.skip_block();
        }
        while let Some(line) = self.line() {
            if line.trim().is_empty() {
                self.at += 1;
            } else if self.webvtt && is_aside(line) {
                self.skip_block();
            } else if let Some(cue) = self.cue()? {
                if cues.len() == MAX_CUES {
                    return Err(CaptionError::TooManyCues);
                }
                cues.push(cue);
            }
        }
        Ok(cues)
    }

    fn line(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    /// Up to the next empty line, or to a time line where the empty one was forgotten.
    fn skip_block(&mut self) {
        while self.line().is_some_and(|line| !line.trim().is_empty() && !line.contains("-->")) {
            self.at += 1;
        }
    }

    fn cue(&mut self) -> Result<Option<Cue>, CaptionError> {
        // An identifier, or the number SRT counts with.
        if self.line().is_some_and(|line| !line.contains("-->")) {
            self.at += 1;
        }
        let line = self.at + 1;
        let Some((start, end)) = self.line().and_then(|line| line.split_once("-->")) else {
            return Err(CaptionError::NoTime { line });
        };
        let start_seconds = time(start.trim(), line)?;
        // Settings may follow the end.
        let end_seconds = time(end.split_whitespace().next().unwrap_or_default(), line)?;
        if end_seconds <= start_seconds {
            return Err(CaptionError::EndsBeforeStart { line });
        }
        self.at += 1;
        let first = self.at;
        self.skip_block();
        let mut words = &self.lines[first..self.at];
        if self.line().is_some_and(|line| line.contains("-->")) && words.last().is_some_and(|last| is_number(last)) {
            // The next caption's number, where the empty line between was forgotten.
            words = &words[..words.len() - 1];
        }
        let dialect = if self.webvtt { Dialect::Webvtt } else { Dialect::Srt };
        Ok(Cue::new(start_seconds, end_seconds, &canonical(&words.join("\n"), dialect)))
    }
}

/// Notes, styles and regions are no captions.
fn is_aside(line: &str) -> bool {
    let word = line.split([' ', '\t']).next().unwrap_or_default();
    !line.contains("-->") && (word == "NOTE" || matches!(line.trim_end(), "STYLE" | "REGION"))
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[hours:]minutes:seconds[.,]milliseconds`, the fraction optional.
fn time(text: &str, line: usize) -> Result<f64, CaptionError> {
    milliseconds(text)
        .map(|ms| ms as f64 / 1000.0)
        .ok_or_else(|| CaptionError::BadTime { line, text: text.chars().take(40).collect() })
}

fn milliseconds(text: &str) -> Option<u64> {
    let number = |digits: &str, longest: usize| {
        let sound = (1..=longest).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if sound { digits.parse::<u64>().ok() } else { None }
    };
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = whole.rsplit(':');
    let seconds = number(parts.next()?, 2).filter(|seconds| *seconds < 60)?;
    let minutes = number(parts.next()?, 2).filter(|minutes| *minutes < 60)?;
    let hours = parts.next().map_or(Some(0), |hours| number(hours, 4))?;
    if parts.next().is_some() {
        return None;
    }
    let thousandths = number(fraction, 3)? * 10u64.pow(3 - fraction.len() as u32);
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths)
}

#[cfg(test)]
mod tests;
