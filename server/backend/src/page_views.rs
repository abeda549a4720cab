//! Views of a registration page: a daily counter by coarse names, and nothing about anybody.
//!
//! No cookie, no address, no visitor id: a view cannot be told from another by the same person, and is not meant to be.

use domain::Slug;
use domain::rights::AccountState;
use persistence::{results, rights, webinars};

use crate::{Client, Result, Visitor};

/// Longest kept `utm_source`.
const MAX_SOURCE_CHARS: usize = 50;

/// A `utm_source` as it may be kept: lower case, a closed set of characters, cut to [`MAX_SOURCE_CHARS`], so that
/// nobody can write an address or a sentence into the numbers. Anything else reads as "not given".
#[must_use]
pub fn clean_source(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    if fits { text.chars().take(MAX_SOURCE_CHARS).collect() } else { String::new() }
}

impl Visitor {
    /// Counts one view of a published page. Machines that say so are not counted, and neither are previews, because
    /// only published pages are; the caller leaves out the coach looking at her own page.
    ///
    /// # Errors
    /// When the database cannot keep it. An unknown address is no error and counts nothing.
    pub async fn count_page_view(&self, slug: &str, client: &Client, source: &str) -> Result<()> {
        let Ok(slug) = Slug::parse(slug) else { return Ok(()) };
        if client.device.starts_with("Bot/") {
            return Ok(());
        }
        let Some(webinar) = webinars::published_at_slug(self.backend.db().reader(), slug.as_str()).await? else {
            return Ok(());
        };
        let now = self.backend.now();
        let transaction = self.backend.db().begin().await?;
        if !rights::hold_account(&transaction, webinar.coach_id).await?.is_some_and(AccountState::is_public) {
            return Ok(());
        }
        let source = clean_source(source);
        results::count_page_view(&transaction, webinar.id, now, &client.device, &client.country, &source).await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_short_plain_word_or_nothing() {
        assert_eq!(clean_source(" Newsletter_2026-11 "), "newsletter_2026-11");
        assert_eq!(clean_source("anna@example.com"), "");
        assert_eq!(clean_source("<script>"), "");
        assert_eq!(clean_source("a b"), "");
        assert_eq!(clean_source(&"x".repeat(80)).len(), 50);
    }
}
