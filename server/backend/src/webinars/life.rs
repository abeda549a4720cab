//! The life of a webinar: publish, unpublish, archive, reopen, delete a draft.
//!
//! People who booked are served in every state; only "close now" turns them away.

use domain::ids::WebinarId;
use domain::webinar::{WebinarState, WebinarView};
use domain::{Refusal, RefusalKind};
use persistence::entities::webinar;
use persistence::videos;
use persistence::webinars::{self as queries, Life};
use sea_orm::DatabaseTransaction;

use super::{findings, form_of, state_of};
use crate::rights::fence::hold_changeable;
use crate::{Coach, Result};

fn not_from_here(message: &str) -> Refusal {
    Refusal::new(RefusalKind::Conflict, message)
}

impl Coach {
    /// Opens registration, once nothing blocks it any more.
    ///
    /// # Errors
    /// Refuses with every blocking finding of the publish check, and an archived webinar. Refuses one that is not
    /// hers.
    pub async fn publish(&self, id: WebinarId) -> Result<WebinarView> {
        let (transaction, row) = self.hold(id).await?;
        if state_of(&row)? == WebinarState::Archived {
            return Err(not_from_here("This webinar is archived. Reopen it first, then publish it.").into());
        }
        let form = form_of(&row, &self.backend.consent_wording(&transaction, &row).await?, "")?;
        let video = self.backend.current_recording(&transaction, &row).await?;
        let captions = match &video {
            Some(video) => videos::captions(&transaction, video.id).await?.len(),
            None => 0,
        };
        let owner = queries::owner(&transaction, self.id).await?.ok_or_else(Refusal::sign_in)?;
        let times = self.backend.time_facts(&row).await?;
        let findings = findings(&form, video.is_some(), captions, owner.email_confirmed, times);
        let blocking: Vec<_> = findings.into_iter().filter(|finding| finding.blocks).collect();
        if let Some(first) = blocking.first() {
            let message = blocking.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join(" ");
            return Err(Refusal::field(&first.about, message).into());
        }
        let published_at = row.published_at.or(Some(self.backend.now()));
        self.move_on(transaction, id, Life { state: WebinarState::Published, closed_at: None, published_at }).await
    }

    /// Closes registration. With `close_now`, rooms close as well, until it is published again.
    ///
    /// # Errors
    /// Refuses a webinar that is not published (an unpublished one may still be closed), or not hers.
    pub async fn unpublish(&self, id: WebinarId, close_now: bool) -> Result<WebinarView> {
        let (transaction, row) = self.hold(id).await?;
        let state = state_of(&row)?;
        if state != WebinarState::Published && !(state == WebinarState::Unpublished && close_now) {
            return Err(not_from_here("Only a published webinar can be unpublished.").into());
        }
        let closed_at = row.closed_at.or(close_now.then(|| self.backend.now()));
        let life = Life { state: WebinarState::Unpublished, closed_at, published_at: row.published_at };
        self.move_on(transaction, id, life).await
    }

    /// Puts a webinar away. Registration closes; people who booked and all numbers stay.
    ///
    /// # Errors
    /// Refuses one that is archived already, or not hers.
    pub async fn archive(&self, id: WebinarId) -> Result<WebinarView> {
        let (transaction, row) = self.hold(id).await?;
        if state_of(&row)? == WebinarState::Archived {
            return Err(not_from_here("This webinar is archived already.").into());
        }
        let life = Life { state: WebinarState::Archived, closed_at: row.closed_at, published_at: row.published_at };
        self.move_on(transaction, id, life).await
    }

    /// Takes a webinar out of the archive: unpublished if it ever was public, a draft otherwise.
    ///
    /// # Errors
    /// Refuses one that is not archived, or not hers.
    pub async fn reopen(&self, id: WebinarId) -> Result<WebinarView> {
        let (transaction, row) = self.hold(id).await?;
        if state_of(&row)? != WebinarState::Archived {
            return Err(not_from_here("Only an archived webinar can be reopened.").into());
        }
        let state = if row.published_at.is_some() { WebinarState::Unpublished } else { WebinarState::Draft };
        let life = Life { state, closed_at: row.closed_at, published_at: row.published_at };
        self.move_on(transaction, id, life).await
    }

    /// A writing transaction with one of her webinars in it, and her account held.
    async fn hold(&self, id: WebinarId) -> Result<(DatabaseTransaction, webinar::Model)> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = queries::webinar(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        Ok((transaction, row))
    }

    async fn move_on(&self, transaction: DatabaseTransaction, id: WebinarId, life: Life) -> Result<WebinarView> {
        queries::set_life(&transaction, self.id, id, life, self.backend.now()).await?;
        transaction.commit().await?;
        self.webinar(id).await
    }

    /// Deletes a draft with its recordings. The rows go first: an object nobody names is only wasted room, a row
    /// without its object would be a broken page.
    ///
    /// # Errors
    /// Refuses anything but a draft, and one that is not hers.
    pub async fn delete_draft(&self, id: WebinarId) -> Result<()> {
        let row = self.own_webinar(id).await?;
        if state_of(&row)? != WebinarState::Draft {
            let message =
                "Only a draft can be deleted, because people may have registered. Archive this webinar instead.";
            return Err(not_from_here(message).into());
        }
        for upload in self.uploads(id).await? {
            self.uploader().terminate_upload(upload.id).await?;
        }
        let (transaction, row) = self.hold(id).await?;
        if state_of(&row)? != WebinarState::Draft {
            return Err(not_from_here("This webinar was published a moment ago, so it is kept.").into());
        }
        let recordings = queries::recording_keys(&transaction, self.id, id).await?;
        queries::delete(&transaction, self.id, id).await?;
        transaction.commit().await?;
        for recording in recordings {
            // Posters and the faststart copy lie beside the original.
            let folder = recording.rsplit_once('/').map_or(recording.as_str(), |(folder, _)| folder);
            self.remove_objects(folder).await;
        }
        if let Some(key) = row.logo_key {
            self.remove_object(&key).await;
        }
        Ok(())
    }

    async fn remove_objects(&self, folder: &str) {
        match self.backend.bucket().list(folder).await {
            Ok(keys) => {
                for key in keys {
                    self.remove_object(&key).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = crate::error::chain(&error), "objects of a deleted draft were left behind")
            }
        }
    }

    pub(super) async fn remove_object(&self, key: &str) {
        if let Err(error) = self.backend.bucket().delete(key).await {
            tracing::warn!(error = crate::error::chain(&error), "an object nobody names was left behind");
        }
    }
}
