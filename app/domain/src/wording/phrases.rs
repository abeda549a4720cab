//! The phrases that claim something, by language.
//!
//! A phrase is words: `a|b` is either, `word?` may be missing, `word*` is a beginning, `#` is a number or a vague one.
//! Accents and capitals do not matter; an apostrophe parts two words.

use super::tokens::{Tokens, fold};
use super::{Kind, Language};

/// The longest phrase that begins at a word: what it claims, its language, and how many words it has.
pub(super) fn longest_at(tokens: &Tokens, place: usize) -> Option<(Kind, Language, usize)> {
    let found = PHRASES.iter().flat_map(|(kind, language, phrases)| {
        let counts = phrases.iter().filter_map(|phrase| {
            let words: Vec<&str> = phrase.split(' ').collect();
            matched(tokens, place, 0, &words)
        });
        counts.map(|count| (*kind, *language, count))
    });
    found.max_by_key(|(.., count)| *count)
}

/// How many words the longest way to read these words has, beginning with the `done`th word from a place on.
fn matched(tokens: &Tokens, place: usize, done: usize, words: &[&str]) -> Option<usize> {
    let Some((word, rest)) = words.split_first() else { return Some(done) };
    let at = place + done;
    let reads_on = done == 0 || tokens.before(at).is_some();
    let without = || word.ends_with('?').then(|| matched(tokens, place, done, rest)).flatten();
    let found = tokens.word(at).filter(|found| reads_on && is_meant(word.trim_end_matches('?'), found));
    let Some(found) = found else { return without() };
    // A range is one number: "10–15", "two or three".
    let again = *word == "#" && is_number(found);
    let more = again.then(|| matched(tokens, place, done + 1, words)).flatten();
    more.or_else(|| matched(tokens, place, done + 1, rest)).or_else(without)
}

fn is_meant(word: &str, found: &str) -> bool {
    word.split('|').any(|one| match one.strip_suffix('*') {
        Some(beginning) => found.starts_with(&fold(beginning)),
        None if one == "#" => is_number(found),
        None => fold(one) == found,
    })
}

pub(super) fn is_number(found: &str) -> bool {
    found.bytes().all(|byte| byte.is_ascii_digit()) || NUMBERS.contains(&found)
}

/// Numbers in words, and vague ones; folded.
const NUMBERS: [&str; 49] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "few",
    "handful",
    "couple",
    "ein",
    "einen",
    "zwei",
    "drei",
    "vier",
    "funf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "paar",
    "wenige",
    "einige",
    "une",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "quelques",
    "одне",
    "два",
    "дві",
    "три",
    "чотири",
    "шість",
    "сім",
    "вісім",
    "десять",
    "кілька",
    "декілька",
];

const PHRASES: [(Kind, Language, &[&str]); 12] = [
    (
        Kind::Live,
        Language::English,
        &[
            "join|watch|see|meet|catch|ask us|me|him|her|them|it? live",
            "be|being there? live",
            "live and in person",
            "live stream*",
            "livestream*",
        ],
    ),
    (
        Kind::Live,
        Language::French,
        &[
            "en direct",
            "en live",
            "direct live",
            "le|un|ce|notre|mon direct live?",
            "webinaire|conférence|atelier live",
        ],
    ),
    (
        Kind::Live,
        Language::German,
        &[
            "live dabei",
            "live zuschalten",
            "sei|seid|seien|sind|bin|ist|gehe|gehen|geht wir|ich|sie? live dabei|in?",
            "live webinar|seminar|event|sendung|übertragung|veranstaltung|schaltung|training|kurs",
            "livewebinar*|liveseminar*|livesendung*|liveübertragung*|liveevent*|liveschaltung*",
        ],
    ),
    (
        Kind::Live,
        Language::Ukrainian,
        &[
            "наживо",
            "в|у прямому ефірі",
            "прямий ефір",
            "прямого ефіру",
            "прямі ефіри",
            "лайв|лайву|лайві|лайви|лайвом",
        ],
    ),
    (
        Kind::Seats,
        Language::English,
        &[
            "just|only a? # more? seat|seats|spot|spots|ticket|tickets left|remaining|available?",
            "just|only a? # place|places left|remaining|available",
            "a? # seat|seats|spot|spots|place|places|ticket|tickets are? left|remaining",
            "limited|last|final|remaining seats|spots|tickets|seating",
            "limited|last|final places",
            "seats|spots|places|space are|is strictly|very? limited",
            "seats|spots|places are going|filling up? fast|quickly",
            "almost|nearly|selling sold? full|out|booked",
            "almost|nearly fully booked",
        ],
    ),
    (
        Kind::Seats,
        Language::French,
        &[
            "plus que # places?",
            "plus que # place|places",
            "ne? reste plus? que # place|places",
            "reste seulement? # place|places",
            "seulement # place|places",
            "les? dernières places",
            "places sont? très? limitées|comptées",
            "nombre de places est? limité",
            "presque complet",
        ],
    ),
    (
        Kind::Seats,
        Language::German,
        &[
            "nur noch? # restplätze|plätze|platz frei|verfügbar?",
            "noch # restplätze|plätze|platz frei|verfügbar",
            "die? letzten|letzte|begrenzte|limitierte restplätze|plätze",
            "plätze sind? stark? begrenzt|limitiert|knapp",
            "begrenzte teilnehmerzahl|platzzahl|plätze",
            "fast|nahezu ausgebucht|ausverkauft",
        ],
    ),
    (
        Kind::Seats,
        Language::Ukrainian,
        &[
            "залишил*|лишил* лише|тільки|всього|ще? # вільних? місце|місця|місць",
            "лише|тільки|всього # вільних? місце|місця|місць",
            "останні місця",
            "кількість місць обмежена",
            "обмежена кількість місць",
            "місця обмежені",
            "місць майже не|нема|немає залишилося|лишилося?",
        ],
    ),
    (
        Kind::End,
        Language::English,
        &[
            "ends|expires|closes|ending|expiring|closing tonight|today|tomorrow|soon",
            "ends|expires|closes|ending|expiring|closing this week|evening|weekend",
            "ends|expires|closes at midnight",
            "ends|expires|closes in # hour|hours|minute|minutes|day|days",
            "only today|tonight",
            "today|tonight only",
            "one|your? last|final chance|call",
            "limited time only|offer?",
            "for a limited|short time",
            "only? # hour|hours|minute|minutes|day|days left|remaining",
            "before it s|is gone",
            "before it s|is too late",
        ],
    ),
    (
        Kind::End,
        Language::French,
        &[
            "se termine|finit|expire|ferme ce soir",
            "se? termine|finit|expire|ferme aujourd hui",
            "se? termine|finit|expire|ferme demain|bientôt",
            "se? termine|finit|expire|ferme à minuit",
            "se? termine|finit|expire|ferme dans # heure|heures|minutes|jour|jours",
            "prend fin ce soir",
            "aujourd hui seulement|uniquement",
            "seulement|uniquement aujourd hui",
            "ce soir seulement|uniquement",
            "seulement|uniquement ce soir",
            "dernière chance|occasion",
            "durée limitée",
            "temps limité",
            "plus que # heure|heures|minutes|jour|jours",
        ],
    ),
    (
        Kind::End,
        Language::German,
        &[
            "endet|schließt|verfällt heute|morgen|bald abend?",
            "endet|schließt|verfällt um mitternacht",
            "endet|schließt|verfällt in # stunde|stunden|minuten|tag|tagen",
            "läuft heute|morgen|bald abend? ab",
            "nur noch? heute abend?",
            "nur noch? bis heute|morgen|mitternacht abend?",
            "letzte|letzten chance|gelegenheit|möglichkeit",
            "nur für? kurze zeit",
            "nur noch # stunde|stunden|minuten|tag|tage",
            "zeitlich begrenzt|begrenzte|begrenztes",
        ],
    ),
    (
        Kind::End,
        Language::Ukrainian,
        &[
            "закінчується|завершується|спливає|закривається|закінчиться|завершиться сьогодні|завтра|скоро|незабаром|опівночі ввечері?",
            "закінчується|завершується|спливає|закривається через # годин*|хвилин*|день|дні|днів",
            "лише|тільки сьогодні ввечері?",
            "лише|тільки до опівночі|завтра|вечора",
            "останній шанс",
            "остання можливість|нагода",
            "обмежений час",
            "залишил*|лишил* лише|тільки|всього|ще? # годин*|хвилин*|день|дні|днів",
        ],
    ),
];
