//! The coach's home page: what wants her attention, and her webinars.

use domain::Refusal;
use domain::results::{Attention, Home};
use domain::video::size_text;
use domain::webinar::WebinarState;
use persistence::webinars::CardRow;
use persistence::{results, videos, webinars as queries};

use super::{findings, form_of, state_of};
use crate::{Coach, Result};

/// Entries of the list; more would be a to-do list nobody reads.
const MAX_ATTENTION: usize = 8;
/// Part of the storage from which on it is worth a word.
const STORAGE_WORTH_A_WORD: f64 = 0.8;

fn attention(message: String, href: String, action: &str) -> Attention {
    Attention { message, href, action: action.to_owned() }
}

impl Coach {
    /// The home page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn home(&self) -> Result<Home> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let now = backend.now();
        let owner = queries::owner(reader, self.id).await?.ok_or_else(Refusal::sign_in)?;
        let rows = queries::cards(reader, self.id, None).await?;
        let (signups_this_week, watching_now) =
            queries::activity(reader, self.id, now.plus_days(-7), results::watching_since(now)).await?;
        let used_bytes = videos::used_bytes(reader, self.id).await?;
        let quota_bytes = backend.config().quota_bytes;

        let mut wanted = Vec::new();
        if !owner.email_confirmed {
            let message = "Your e-mail address is not confirmed yet. Until it is, nothing can be published.";
            wanted.push(attention(message.to_owned(), "/dashboard/account".to_owned(), "Send the mail again"));
        }
        if used_bytes as f64 > quota_bytes as f64 * STORAGE_WORTH_A_WORD {
            let message = format!(
                "{} of your {} of storage are in use.",
                size_text(used_bytes as f64),
                size_text(quota_bytes as f64)
            );
            wanted.push(attention(message, "/dashboard/webinars".to_owned(), "See what can go"));
        }
        for row in &rows {
            let times = backend.time_facts(&row.webinar).await?;
            wanted.extend(worth_a_look(row, owner.email_confirmed, times)?);
        }
        wanted.truncate(MAX_ATTENTION);
        Ok(Home {
            policy_notice: self.policy_notice().await?,
            attention: wanted,
            webinars: rows.iter().map(|row| backend.webinar_card(row)).collect::<Result<_>>()?,
            signups_this_week,
            watching_now,
            used_bytes,
            quota_bytes,
        })
    }
}

/// A draft that is ready, or a public page that leaves people out.
fn worth_a_look(row: &CardRow, email_confirmed: bool, times: (bool, usize)) -> Result<Option<Attention>> {
    let editor = format!("/dashboard/webinars/{}", row.webinar.id);
    let title = &row.webinar.title;
    match state_of(&row.webinar)? {
        WebinarState::Draft if row.video.is_some() => {
            // The wording is only read to be checked, and a stored one has been.
            let form = form_of(&row.webinar, "stored", "")?;
            let captions = usize::try_from(row.captions).unwrap_or(0);
            let found = findings(&form, true, captions, email_confirmed, times);
            let is_ready = found.iter().all(|finding| !finding.blocks);
            Ok(is_ready.then(|| {
                attention(format!("“{title}” is ready to publish."), format!("{editor}#publish"), "Look and publish")
            }))
        }
        WebinarState::Published if row.video.is_some() && row.captions == 0 => {
            let message = format!("“{title}” has no captions. Some people cannot hear it.");
            Ok(Some(attention(message, format!("{editor}#captions"), "Add captions")))
        }
        _ => Ok(None),
    }
}
