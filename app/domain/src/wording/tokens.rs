//! A text in words that can be compared: lower case, without accents, each with its place.

use std::ops::Range;

use super::Language;

/// One word.
struct Token {
    /// Folded: lower case, without accents.
    folded: String,
    /// In bytes of the text.
    range: Range<usize>,
    /// Whether it reads on from the word before it: nothing but spaces, hyphens, quotes and emphasis in between.
    reads_on: bool,
    /// Whether a sentence may begin with it.
    begins: bool,
    /// Whether it is written with a capital.
    is_capital: bool,
}

/// All of them.
pub(super) struct Tokens(Vec<Token>);

/// A letter without its accents; nothing for an accent that stands by itself. Only those of the four languages.
fn folded(letter: char) -> Option<char> {
    Some(match letter {
        '\u{300}'..='\u{36f}' => return None,
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'й' => 'и',
        'ї' => 'і',
        other => other,
    })
}

/// A word as it is compared.
pub(super) fn fold(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).filter_map(folded).collect()
}

/// Whether a character belongs to a word. An accent that stands by itself belongs to its letter.
fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&character)
}

/// Whether a stretch of text, without spaces, is an address of some kind.
fn is_address(stretch: &str) -> bool {
    let has_a_dot_within = stretch.trim_end_matches(['.', ',', '!', '?', ')', '…']).split('.').count() > 1;
    let parts_have_letters = || stretch.split('.').all(|part| part.starts_with(char::is_alphanumeric));
    stretch.contains("://") || stretch.contains("](/") || stretch.contains('@') && has_a_dot_within || {
        // Such as `live.example.org/now`; a sentence without a space after its dot begins with a capital.
        has_a_dot_within && parts_have_letters() && !stretch.chars().any(char::is_uppercase)
    }
}

impl Tokens {
    pub(super) fn of(text: &str) -> Self {
        let mut tokens: Vec<Token> = Vec::new();
        let mut at = 0;
        for stretch in text.split_inclusive(char::is_whitespace) {
            let begin = at;
            at += stretch.len();
            // The words of a link are read, its address is not.
            let read = match (stretch.find("]("), is_address(stretch.trim_end())) {
                (Some(address), true) => &stretch[..address],
                (None, true) => continue,
                (_, false) => stretch,
            };
            let mut word: Option<usize> = None;
            for (offset, character) in read.char_indices().chain([(read.len(), ' ')]) {
                match (word, is_of_a_word(character)) {
                    (None, true) => word = Some(offset),
                    (Some(from), false) => {
                        tokens.push(Token::of(text, begin + from..begin + offset, tokens.last()));
                        word = None;
                    }
                    _ => {}
                }
            }
        }
        Self(tokens)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The word at a place; nothing past the ends.
    pub(super) fn word(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(|token| token.folded.as_str())
    }

    /// The next word, if it reads on.
    pub(super) fn next(&self, place: usize) -> Option<&str> {
        self.0.get(place + 1).filter(|token| token.reads_on).map(|token| token.folded.as_str())
    }

    /// The word before, if this one reads on from it.
    pub(super) fn before(&self, place: usize) -> Option<&str> {
        let reads_on = self.0.get(place).is_some_and(|token| token.reads_on);
        let before = place.checked_sub(1).filter(|_| reads_on)?;
        self.word(before)
    }

    /// Whether a word is a name, going by its capital.
    pub(super) fn is_capital(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|token| token.is_capital)
    }

    /// Where so many words from a place on stand.
    pub(super) fn range(&self, place: usize, count: usize) -> Range<usize> {
        let words = self.0.get(place..place + count).unwrap_or_default();
        match (words.first(), words.last()) {
            (Some(first), Some(last)) => first.range.start..last.range.end,
            _ => 0..0,
        }
    }

    /// Whether what begins at a place is denied, or told of how the recording was made, within the same sentence.
    pub(super) fn is_denied(&self, place: usize) -> bool {
        let within = (0..3).map_while(|back| {
            let at = place.checked_sub(back)?;
            (!self.0.get(at)?.begins).then(|| at.checked_sub(1)).flatten()
        });
        within.into_iter().any(|at| {
            let is_a_warning = self.word(at + 1).is_some_and(|next| MISS.iter().any(|miss| next.starts_with(miss)));
            self.word(at).is_some_and(|word| DENIALS.contains(&word)) && !is_a_warning
        })
    }

    /// The language the text is in, going by its commonest words; English when they do not tell.
    pub(super) fn language(&self) -> Language {
        let count = |words: &[&str]| self.0.iter().filter(|token| words.contains(&token.folded.as_str())).count();
        let is_cyrillic = |token: &&Token| token.folded.starts_with(|letter| ('\u{400}'..='\u{4ff}').contains(&letter));
        let (german, french) = (count(&GERMAN), count(&FRENCH));
        if self.0.iter().filter(is_cyrillic).count() * 2 > self.len() {
            Language::Ukrainian
        } else if german > french && german > count(&ENGLISH) {
            Language::German
        } else if french > german && french > count(&ENGLISH) {
            Language::French
        } else {
            Language::English
        }
    }
}

impl Token {
    fn of(text: &str, range: Range<usize>, before: Option<&Self>) -> Self {
        let from = before.map_or(0, |before| before.range.end);
        let gap = text.get(from..range.start).unwrap_or_default();
        let glue = |character: char| character.is_whitespace() || "-\u{2010}\u{2011}'’*_~`“”„«»\"".contains(character);
        let word = text.get(range.clone()).unwrap_or_default();
        let is_paragraph = gap.matches('\n').count() > 1;
        Self {
            folded: fold(word),
            reads_on: before.is_some() && gap.chars().all(glue) && !is_paragraph,
            begins: before.is_none() || is_paragraph || gap.contains(['.', '!', '?', ';', ':', '…']),
            is_capital: word.starts_with(char::is_uppercase),
            range,
        }
    }
}

/// Words that deny what follows, or say that it is a recording of it; folded.
const DENIALS: [&str; 41] = [
    "not",
    "no",
    "never",
    "isn",
    "wasn",
    "aren",
    "nothing",
    "without",
    "recorded",
    "filmed",
    "recording",
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "keinem",
    "ohne",
    "nie",
    "aufgezeichnet",
    "aufzeichnung",
    "mitschnitt",
    "pas",
    "jamais",
    "aucun",
    "aucune",
    "sans",
    "enregistre",
    "enregistree",
    "enregistrement",
    "filme",
    "не",
    "ні",
    "ніколи",
    "без",
    "жодного",
    "жодних",
    "записано",
    "записании",
    "запис",
    "записали",
];
/// Beginnings of what nobody should do: "do not miss it live" denies nothing; folded.
const MISS: [&str; 8] = ["miss", "verpass", "manqu", "rate", "loup", "пропуст", "прогав", "wait"];
const ENGLISH: [&str; 16] =
    ["the", "and", "you", "your", "is", "of", "to", "for", "with", "how", "we", "us", "join", "this", "it", "our"];
const GERMAN: [&str; 20] = [
    "der", "die", "das", "und", "ist", "mit", "wir", "ein", "eine", "fur", "sei", "dabei", "im", "um", "uhr", "ich",
    "am", "sind", "auf", "zu",
];
const FRENCH: [&str; 18] = [
    "le",
    "la",
    "les",
    "et",
    "des",
    "vous",
    "nous",
    "une",
    "avec",
    "est",
    "un",
    "pour",
    "en",
    "notre",
    "rejoignez",
    "du",
    "au",
    "je",
];
