//! Words that claim what the settings do not make true: "live" over a recording, "only 3 seats left" without a limit,
//! "ends tonight" where nothing ends.
//!
//! [`untrue_claims`] reads a coach's text in English, French, German and Ukrainian, whichever it is in, and points at
//! such words. It knows phrases and a little of what stands around them, no grammar: it would rather miss a claim than
//! find one in "people who live in Berlin", and a coach may overrule it. What is denied ("this is not live") or told of
//! the recording itself ("recorded live in May") is no claim. Sources: product.md §0.1, §2.2 and §3.

mod live;
mod phrases;
mod tokens;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use tokens::Tokens;

/// What the settings make true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Truth {
    /// Somebody answers in a chat while the session runs.
    pub has_live_chat: bool,
    /// A session takes so many people and no more.
    pub has_seat_limit: bool,
    /// The recording cannot be watched for ever.
    pub has_replay_expiry: bool,
    /// Something that is offered has a deadline, kept by the server.
    pub has_deadline: bool,
}

/// Words that claim something the settings do not make true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Where they stand, in bytes of the text.
    pub range: Range<usize>,
    /// The words, as they stand there.
    pub words: String,
    /// Why they are not true, and what could stand there instead.
    pub sentence: String,
}

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// That it happens now, with somebody there.
    Live,
    /// That there is no room for everybody.
    Seats,
    /// That it will soon be over.
    End,
}

/// The languages we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    French,
    German,
    Ukrainian,
}

impl Truth {
    const fn bears(self, kind: Kind) -> bool {
        match kind {
            Kind::Live => self.has_live_chat,
            Kind::Seats => self.has_seat_limit,
            Kind::End => self.has_replay_expiry || self.has_deadline,
        }
    }
}

/// The claims of a text that the settings do not bear, in order; no two overlap. The text may be Markdown with
/// placeholders; addresses in it are not read.
#[must_use]
pub fn untrue_claims(text: &str, truth: &Truth) -> Vec<Claim> {
    let tokens = Tokens::of(text);
    let mut claims = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        let Some((kind, language, count)) = claim_at(&tokens, place) else {
            place += 1;
            continue;
        };
        if !truth.bears(kind) && !tokens.is_denied(place) {
            let range = tokens.range(place, count);
            let words = text.get(range.clone()).unwrap_or_default().to_owned();
            let sentence = sentence(kind, language.unwrap_or_else(|| tokens.language()), &words);
            claims.push(Claim { range, words, sentence });
        }
        place += count.max(1);
    }
    claims
}

/// What is claimed from a word on, by how many words, and in which language if the words tell.
fn claim_at(tokens: &Tokens, place: usize) -> Option<(Kind, Option<Language>, usize)> {
    let phrase = phrases::longest_at(tokens, place).map(|(kind, language, count)| (kind, Some(language), count));
    phrase.or_else(|| live::claimed_at(tokens, place).map(|count| (Kind::Live, None, count)))
}

fn sentence(kind: Kind, language: Language, words: &str) -> String {
    use Language::{English, French, German, Ukrainian};
    let why = match kind {
        Kind::Live => "is not so: people watch a recording, and no live chat is on",
        Kind::Seats => "is not so: there is room for everybody, as long as you set no limit",
        Kind::End => "is not so: nothing ends by your settings, neither the replay nor an offer",
    };
    let instead = match (kind, language) {
        (Kind::Live, English) => "Watch at 20:00",
        (Kind::Live, French) => "À regarder à 20:00",
        (Kind::Live, German) => "Zu sehen um 20:00",
        (Kind::Live, Ukrainian) => "Дивіться о 20:00",
        (Kind::Seats, English) => "There is room for everybody",
        (Kind::Seats, French) => "Il y a de la place pour tout le monde",
        (Kind::Seats, German) => "Es ist Platz für alle",
        (Kind::Seats, Ukrainian) => "Місця вистачить усім",
        (Kind::End, English) => "Watch when it suits you",
        (Kind::End, French) => "À regarder quand vous voulez",
        (Kind::End, German) => "Zu sehen, wann es Ihnen passt",
        (Kind::End, Ukrainian) => "Дивіться, коли вам зручно",
    };
    format!("“{words}” {why}. You could write: “{instead}”.")
}

#[cfg(test)]
mod tests;
