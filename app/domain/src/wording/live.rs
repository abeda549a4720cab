//! The word "live": a claim over a recording, and an everyday verb.
//!
//! What stands beside it tells which. In doubt it is the verb, because nobody trusts a check that stumbles over
//! "people who live in Berlin".

use super::phrases::is_number;
use super::tokens::Tokens;

/// How many words claim that something is live, if the word at a place is "live" and does.
pub(super) fn claimed_at(tokens: &Tokens, place: usize) -> Option<usize> {
    if tokens.word(place) != Some("live") {
        return None;
    }
    let next = tokens.next(place);
    if next.is_some_and(|next| THINGS.contains(&next)) {
        return None;
    }
    if next.is_some_and(|next| EVENTS.contains(&next)) {
        return Some(2);
    }
    (!is_verb(tokens, place)).then_some(1)
}

fn is_verb(tokens: &Tokens, place: usize) -> bool {
    let before = tokens.before(place);
    let is_said_of_somebody = match before {
        // "See you live" is a claim, "where you live" is none.
        Some("you" | "us" | "me") => {
            let meets = place.checked_sub(1).and_then(|at| tokens.before(at));
            !meets.is_some_and(|word| MEETING.contains(&word))
        }
        Some(before) => SUBJECTS.contains(&before),
        None => false,
    };
    is_said_of_somebody || (!before.is_some_and(|before| BEING.contains(&before)) && goes_on_as_a_verb(tokens, place))
}

fn goes_on_as_a_verb(tokens: &Tokens, place: usize) -> bool {
    // "Live, laugh, love": a comma parts them.
    if tokens.word(place + 1).is_some_and(|next| ALONGSIDE.contains(&next)) {
        return true;
    }
    let Some(next) = tokens.next(place) else { return false };
    let after = tokens.next(place + 1);
    let is_name = after.is_some() && tokens.is_capital(place + 2);
    let is_a_time = after.is_some_and(|after| is_number(after) || TIMES.contains(&after));
    match next {
        // "Live in 10 minutes", but "live in 10 countries".
        "in" => {
            let unit = after.filter(|after| is_number(after)).and_then(|_| tokens.next(place + 2));
            !unit.is_some_and(|unit| unit.starts_with("minute") || unit.starts_with("hour") || unit.starts_with("day"))
        }
        "at" => !is_a_time,
        "on" => !is_a_time && !after.is_some_and(|after| CHANNELS.contains(&after)),
        "from" => !is_name && !matches!(after, Some("my" | "our" | "studio")),
        "with" => !is_name && !matches!(after, Some("me" | "us")),
        "and" => !matches!(after, Some("online" | "interactive" | "direct" | "free" | "in")),
        "or" => !matches!(after, Some("on" | "recorded" | "later")),
        next => FOLLOWERS.contains(&next),
    }
}

/// What is live over a recording only by claim.
const EVENTS: [&str; 30] = [
    "webinar",
    "webinars",
    "session",
    "sessions",
    "event",
    "events",
    "class",
    "classes",
    "masterclass",
    "workshop",
    "workshops",
    "training",
    "broadcast",
    "call",
    "calls",
    "q",
    "qa",
    "chat",
    "demo",
    "talk",
    "lesson",
    "lessons",
    "seminar",
    "show",
    "coaching",
    "presentation",
    "tonight",
    "today",
    "tomorrow",
    "online",
];
/// What is live in another sense, and what was live once: a recording of it.
const THINGS: [&str; 23] = [
    "wire",
    "wires",
    "bait",
    "food",
    "foods",
    "yeast",
    "plants",
    "plant",
    "cultures",
    "culture",
    "yoghurt",
    "yogurt",
    "animals",
    "animal",
    "birth",
    "births",
    "action",
    "oak",
    "recording",
    "recordings",
    "mitschnitt",
    "aufzeichnung",
    "performances",
];
/// Who, or what before a verb, lives.
const SUBJECTS: [&str; 52] = [
    "i", "we", "they", "who", "people", "to", "where", "how", "must", "can", "could", "should", "would", "will",
    "might", "may", "shall", "do", "did", "does", "don", "t", "ll", "d", "ve", "let", "never", "always", "still",
    "actually", "really", "truly", "long", "both", "all", "women", "men", "families", "family", "parents", "children",
    "kids", "animals", "that", "which", "those", "friends", "clients", "couples", "coaches", "and", "or",
];
/// Whom one meets live.
const MEETING: [&str; 16] = [
    "see", "meet", "watch", "join", "with", "teach", "show", "catch", "hear", "ask", "coach", "guide", "for", "greet",
    "tell", "help",
];
/// After these it is no verb, whatever follows.
const BEING: [&str; 12] = ["are", "am", "re", "m", "be", "go", "going", "goes", "us", "air", "streamed", "broadcast"];
/// After "at" and "on".
const TIMES: [&str; 22] = [
    "noon",
    "midnight",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "the",
];
/// Verbs it is listed with.
const ALONGSIDE: [&str; 5] = ["laugh", "love", "learn", "grow", "work"];
/// After "on".
const CHANNELS: [&str; 7] = ["zoom", "youtube", "facebook", "instagram", "linkedin", "air", "camera"];
/// What follows the verb.
const FOLLOWERS: [&str; 57] = [
    "your",
    "my",
    "his",
    "her",
    "their",
    "our",
    "its",
    "a",
    "an",
    "the",
    "life",
    "lives",
    "it",
    "this",
    "more",
    "less",
    "longer",
    "better",
    "well",
    "fully",
    "happily",
    "freely",
    "simply",
    "slowly",
    "calmly",
    "healthy",
    "healthier",
    "happier",
    "happy",
    "free",
    "like",
    "as",
    "by",
    "through",
    "without",
    "within",
    "near",
    "nearby",
    "close",
    "far",
    "alone",
    "together",
    "apart",
    "abroad",
    "here",
    "there",
    "up",
    "out",
    "off",
    "among",
    "under",
    "for",
    "to",
    "long",
    "every",
    "each",
    "authentically",
];
