//! The part of a webinar's address a coach may choose: `/w/{slug}`.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// Longest slug, in characters: fits a printed address and every mail line.
pub const MAX_SLUG_CHARS: usize = 60;

/// Lower-case letters, digits and single hyphens, 3 to [`MAX_SLUG_CHARS`] long.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// Checks an address typed into the field `slug`.
    ///
    /// # Errors
    /// Refuses other characters, a hyphen at either end or doubled, and lengths outside 3..=60.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim().to_lowercase();
        let refuse = |message: &str| Err(Refusal::field("slug", message));
        if text.len() < 3 || text.len() > MAX_SLUG_CHARS {
            return refuse("The address needs between 3 and 60 characters.");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return refuse("The address can hold only the letters a to z, digits and hyphens.");
        }
        if text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return refuse("Hyphens go between words, one at a time.");
        }
        Ok(Self(text))
    }

    /// A slug made from a title: what can be kept is kept, the rest becomes hyphens. Falls back to `webinar`.
    #[must_use]
    pub fn from_title(title: &str) -> Self {
        let mut text = String::new();
        for character in title.to_lowercase().chars() {
            let plain = match character {
                'à' | 'á' | 'â' | 'ã' | 'å' => "a",
                'ä' => "ae",
                'ç' => "c",
                'è' | 'é' | 'ê' | 'ë' => "e",
                'ì' | 'í' | 'î' | 'ï' => "i",
                'ñ' => "n",
                'ò' | 'ó' | 'ô' | 'õ' => "o",
                'ö' | 'œ' => "oe",
                'ù' | 'ú' | 'û' => "u",
                'ü' => "ue",
                'ß' => "ss",
                '\'' | '’' => continue,
                other if other.is_ascii_alphanumeric() => {
                    text.push(other);
                    continue;
                }
                _ => "-",
            };
            if plain != "-" || !(text.is_empty() || text.ends_with('-')) {
                text.push_str(plain);
            }
        }
        text.truncate(MAX_SLUG_CHARS - 8);
        let text = text.trim_matches('-');
        Self(if text.len() < 3 { "webinar".to_owned() } else { text.to_owned() })
    }

    /// The same slug with a number behind it, for when it is taken.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }

    /// The text of the slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Slug {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_title_gives_a_slug_that_parses(title in "\\PC{0,120}") {
            let slug = Slug::from_title(&title);
            prop_assert!(Slug::parse(slug.as_str()).is_ok(), "{slug}");
            prop_assert!(Slug::parse(slug.numbered(4_294_967).as_str()).is_ok());
        }
    }

    #[test]
    fn titles_become_readable_addresses() {
        assert_eq!(Slug::from_title("Où sont tes clients ?").as_str(), "ou-sont-tes-clients");
        assert_eq!(Slug::from_title("Über-Coaching: 5 Fehler!").as_str(), "ueber-coaching-5-fehler");
        assert_eq!(Slug::from_title("…").as_str(), "webinar");
    }
}
