//! Reviews of how the service is secured: a log with the day of the next one (promise P43).

use domain::ids::SecurityReviewId;
use domain::{Moment, Refusal};
use persistence::entities::security_review;
use persistence::seats as queries;

use super::{Operator, checked_line};
use crate::{Backend, Result};

/// The longest time between two reviews (promise P43).
pub const MOST_DAYS: i64 = 180;
const MOST_CHARS: usize = 4_000;
const LISTED: u64 = 100;

/// The last review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastReview {
    /// When it was held.
    pub held_at: Moment,
    /// By when the next one has to be.
    pub next_due_at: Moment,
    /// Whether that day has passed.
    pub is_overdue: bool,
}

impl Backend {
    /// The last review; nothing when there never was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_review(&self, now: Moment) -> Result<Option<LastReview>> {
        let last = queries::reviews(self.db().reader(), 1).await?.into_iter().next();
        Ok(last.map(|row| LastReview {
            held_at: row.held_at,
            next_due_at: row.next_due_at,
            is_overdue: row.next_due_at <= now,
        }))
    }
}

impl Operator {
    /// The log, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reviews(&self) -> Result<Vec<security_review::Model>> {
        Ok(queries::reviews(self.backend.db().reader(), LISTED).await?)
    }

    /// Enters a review held now.
    ///
    /// # Errors
    /// Refuses one that says nothing, and a next one later than the promise allows.
    pub async fn enter_review(&self, summary: &str, next_in_days: i64) -> Result<SecurityReviewId> {
        if !(1..=MOST_DAYS).contains(&next_in_days) {
            let message = format!("The next review has to be held within {MOST_DAYS} days, as the policy promises.");
            return Err(Refusal::field("next_in_days", message).into());
        }
        let now = self.backend.now();
        let row = security_review::Model {
            id: SecurityReviewId::new(),
            held_at: now,
            seat: self.seat,
            summary: checked_line("summary", summary, MOST_CHARS)?,
            next_due_at: now.plus_days(next_in_days),
        };
        let id = row.id;
        let transaction = self.backend.db().begin().await?;
        queries::insert_review(&transaction, row).await?;
        transaction.commit().await?;
        Ok(id)
    }
}
