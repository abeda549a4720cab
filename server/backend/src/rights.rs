//! Rights over one's own data: how a request is written down, and who answers for it.
//!
//! Who: a coach about her account, a viewer through the portal, an operator for a reported child. How the data
//! travels: the asking verb proves the person and opens a request in the same transaction as the fence it raises →
//! the job `run_request` does its steps, each idempotent → the receipt. What was asked in words, and where the answer
//! goes, is sealed under the request's own key, which is destroyed at the end, so that what stays names nobody.

pub mod archive;
#[cfg(test)]
mod audit_tests;
mod console;
#[cfg(test)]
mod corner_tests;
mod erase;
pub(crate) mod fence;
#[cfg(test)]
mod fence_tests;
pub mod handling;
#[cfg(test)]
mod handling_tests;
pub mod keep_promises;
pub mod leaving;
pub mod messages;
mod minors;
pub mod my_data;
pub mod portal;
mod receipts;
pub mod resting;
mod run;
mod scrubbing;

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::{CoachId, DekId, RequestId, SubjectId};
use domain::processing::ProcessingPurpose;
use domain::rights::{Regime, RequestState, RightKind, SubjectKind, due_at};
use persistence::entities::dsr_request;
use persistence::rights as queries;
use persistence::sealed::{Place, SubjectKey};
use privacy::DataMap;
use privacy::audit::{Class, Event, Happened, Role};
use sea_orm::{ConnectionTrait, Set};
use serde::{Deserialize, Serialize};

use crate::{Backend, Error, Result};

pub use console::{ErasureProgress, RequestLine};
pub use erase::Step;
pub(crate) use erase::raise as raise_fence;
pub use receipts::RECEIPT_PAGE;
pub use scrubbing::SCRUB;

/// Kind of the job that takes a request a step further.
pub const RUN_REQUEST: &str = "run_request";
/// A choice of [`Details`]: `yes` forgets even the mark not to write to somebody.
pub const FORGET_MARK: &str = "forget_mark";
/// Tries of that job; the watchdog of the periodic job takes up what failed even then.
const RUN_TRIES: i32 = 20;

/// Whose data a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A coach's own.
    Coach(CoachId),
    /// A viewer's, whose controller is a coach.
    Viewer(CoachId, SubjectId),
    /// Nobody's yet, such as a complaint or a report.
    Open,
}

/// What was asked in words. Sealed; gone when the request is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Where the answer goes.
    pub answer_to: Option<String>,
    /// The person's own words.
    pub words: String,
    /// Corrections or choices by name.
    pub choices: BTreeMap<String, String>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose law sets the clock.
    pub regime: Regime,
    /// Which right.
    pub kind: RightKind,
    /// Whose data.
    pub whose: Whose,
    /// Until when it can be called off; without one it runs at once.
    pub undo_until: Option<Moment>,
    /// In words.
    pub details: Details,
}

/// The key of a request to come, made before the transaction that writes it.
#[derive(Clone)]
pub struct RequestKey {
    id: DekId,
    key: SubjectKey,
}

impl Backend {
    /// Makes the key of a request. One whose request is never written does no harm and is swept.
    ///
    /// # Errors
    /// When the keyring cannot keep it.
    pub async fn request_key(&self, now: Moment) -> Result<RequestKey> {
        let (id, key) = self.keyring().create_key(now).await?;
        Ok(RequestKey { id, key })
    }

    /// Writes a proven request and plans its run, in the caller's transaction. One about nobody yet has no run: whoever
    /// opens it plans what happens to it.
    ///
    /// # Errors
    /// When the database cannot keep it.
    pub async fn open_request(
        &self,
        conn: &impl ConnectionTrait,
        key: &RequestKey,
        asked: &Asked,
        now: Moment,
    ) -> Result<RequestId> {
        let id = RequestId::new();
        let (subject_kind, coach, subject) = match asked.whose {
            Whose::Coach(coach) => (SubjectKind::Coach, Some(coach), None),
            Whose::Viewer(coach, subject) => (SubjectKind::Viewer, Some(coach), Some(subject)),
            Whose::Open => (SubjectKind::Viewer, None, None),
        };
        let person = subject.map(|one| *one.as_bytes()).or(coach.map(|one| *one.as_bytes())).unwrap_or_default();
        let details = serde_json::to_vec(&asked.details)?;
        let new = queries::NewRequest {
            id,
            regime: asked.regime,
            kind: asked.kind,
            subject_kind,
            coach,
            subject,
            subject_ref: key.key.reference(&person),
            dek: key.id,
            details_sealed: Some(key.key.seal(Place::RequestDetails, id.as_bytes(), &details)),
            state: if asked.undo_until.is_some() { RequestState::Undo } else { RequestState::Verified },
            undo_until: asked.undo_until,
            due_at: due_at(asked.regime, asked.kind, now),
            verified_at: Some(now),
        };
        queries::insert_request(conn, new, now).await?;
        let by = if subject_kind == SubjectKind::Coach { Role::Coach } else { Role::Viewer };
        self.audit(conn, Event::Opened, by, Some(id), ("right", 1), now).await?;
        if asked.whose != Whose::Open {
            self.plan_run(conn, id, asked.undo_until.unwrap_or(now), now).await?;
        }
        Ok(id)
    }

    /// Puts something on record, in the caller's transaction: a class of the data map, and how much of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &self,
        conn: &impl ConnectionTrait,
        event: Event,
        by: Role,
        request: Option<RequestId>,
        (class, count): (&str, u64),
        now: Moment,
    ) -> Result<()> {
        let class = Class::of(DataMap::current(), class).unwrap_or_else(Class::none);
        privacy::audit::append(conn, &Happened { event, by, request, class, count }, now).await?;
        Ok(())
    }

    /// Ends a request: what was asked in words goes, whose it was is emptied, and its key is destroyed, so that what
    /// stays names nobody.
    ///
    /// # Errors
    /// Refuses an end its state does not lead to; and when the database or the keyring fails.
    pub async fn end_request(&self, row: &dsr_request::Model, to: RequestState, now: Moment) -> Result<()> {
        let from = Self::request_state(row)?;
        let to = domain::rights::step(from, to)?;
        let change = dsr_request::ActiveModel {
            coach_id: Set(None),
            subject_id: Set(None),
            details_ct: Set(None),
            completed_at: Set(Some(now)),
            ..Default::default()
        };
        let event = match to {
            RequestState::Denied => Event::Denied,
            RequestState::Cancelled => Event::Cancelled,
            RequestState::Expired => Event::Expired,
            _ => Event::Done,
        };
        let transaction = self.db().begin().await?;
        if !queries::move_request(&transaction, row.id, from, to, change).await? {
            // It went on meanwhile, and whoever runs it still needs its key.
            return Ok(transaction.rollback().await?);
        }
        self.audit(&transaction, event, Role::System, Some(row.id), ("right", 1), now).await?;
        transaction.commit().await?;
        // After the commit: a request whose key went first could not be answered if the commit failed.
        Ok(self.keyring().destroy(row.dek_id).await?)
    }

    /// Plans a look at a request.
    pub(crate) async fn plan_run(
        &self,
        conn: &impl ConnectionTrait,
        id: RequestId,
        run_at: Moment,
        now: Moment,
    ) -> Result<()> {
        let job = jobs::NewJob {
            kind: RUN_REQUEST,
            payload: serde_json::json!({ "request": id }),
            run_at,
            idempotency_key: Some(format!("{RUN_REQUEST}:{id}:{}", run_at.0)),
            max_attempts: RUN_TRIES,
        };
        jobs::enqueue(conn, job, now).await?;
        Ok(())
    }

    /// What was asked in words; nothing once the request is over.
    ///
    /// # Errors
    /// When the keyring or the database fails.
    pub async fn request_details(&self, row: &dsr_request::Model) -> Result<Option<Details>> {
        let Some(sealed) = &row.details_ct else { return Ok(None) };
        let Some(key) = self.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id) else { return Ok(None) };
        let opened = key.open(ProcessingPurpose::Provide, Place::RequestDetails, row.id.as_bytes(), sealed)?;
        Ok(Some(serde_json::from_slice(&opened)?))
    }

    /// Reads where a request stands.
    pub(crate) fn request_state(row: &dsr_request::Model) -> Result<RequestState> {
        RequestState::from_stored(&row.state)
            .ok_or_else(|| Error::fault("read a request", format!("no state is called {}", row.state)))
    }
}
