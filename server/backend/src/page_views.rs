//! Views of a registration page: a daily counter by coarse names, and nothing about anybody.
//!
//! No cookie, no address, no visitor id: a view cannot be told from another by the same person, and is not meant to be.
//!
//! A view is counted in memory and written with all others of the same second, because a transaction for each would
//! cost more than the page. Whoever reads the numbers has them written first. A process that is killed loses the views
//! of that second; nothing was promised about them to anybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Slug;
use domain::rights::AccountState;
use persistence::results::SeenPage;
use persistence::{results, rights, webinars};

use crate::{Backend, Client, Result, Visitor};

/// How long views wait at most.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Different counters that wait; beyond this a view loses its source, which strangers can make up.
const MAX_WAITING: usize = 10_000;
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

/// Views that wait to be written.
#[derive(Default)]
pub(crate) struct PageViewCounter(Mutex<BTreeMap<SeenPage, i64>>);

impl PageViewCounter {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<SeenPage, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, mut seen: SeenPage, views: i64) {
        let mut waiting = self.waiting();
        if waiting.len() >= MAX_WAITING && !waiting.contains_key(&seen) {
            seen.source.clear();
        }
        *waiting.entry(seen).or_default() += views;
    }
}

impl Backend {
    /// Writes the page views that were counted and not yet written.
    ///
    /// # Errors
    /// When the database cannot keep them; then they go on waiting.
    pub async fn write_page_views(&self) -> Result<()> {
        let waiting = std::mem::take(&mut *self.page_views().waiting());
        if waiting.is_empty() {
            return Ok(());
        }
        let written = self.add_page_views(&waiting).await;
        if written.is_err() {
            for (seen, views) in waiting {
                self.page_views().add(seen, views);
            }
        }
        written
    }

    async fn add_page_views(&self, waiting: &BTreeMap<SeenPage, i64>) -> Result<()> {
        let transaction = self.db().begin().await?;
        for (seen, views) in waiting {
            // A page that was closed in the same second counts nothing.
            let Some(webinar) = webinars::published_at_slug(&transaction, &seen.slug).await? else { continue };
            let account = rights::hold_account(&transaction, webinar.coach_id).await?;
            if account.is_some_and(AccountState::is_public) {
                results::count_page_views(&transaction, webinar.id, seen, *views).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes page views every second until `stop` resolves, and the last of them then.
    pub async fn keep_page_views(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut is_over = false;
        while !is_over {
            is_over = tokio::select! {
                () = &mut stop => true,
                () = tokio::time::sleep(WRITE_EVERY) => false,
            };
            if let Err(error) = self.write_page_views().await {
                tracing::warn!(error = crate::error::chain(&error), "page views were not written");
            }
        }
    }
}

impl Visitor {
    /// Counts one view of a published page that was just shown. Machines that say so are not counted, and neither are
    /// previews, because only published pages are; the caller leaves out the coach looking at her own page.
    pub fn count_page_view(&self, slug: &str, client: &Client, source: &str) {
        let Ok(slug) = Slug::parse(slug) else { return };
        if client.device.starts_with("Bot/") {
            return;
        }
        let seen = SeenPage {
            slug: slug.as_str().to_owned(),
            day: self.backend.now().day(),
            device: client.device.clone(),
            country: client.country.clone(),
            source: clean_source(source),
        };
        self.backend.page_views().add(seen, 1);
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
