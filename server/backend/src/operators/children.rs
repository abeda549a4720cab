//! A reported child: one action removes what every coach holds under an address, without papers and without putting
//! the name on record (promise P50, scenario 15).

use std::sync::Arc;

use domain::ids::{CoachId, RequestId, SubjectId};
use domain::rights::{Regime, RequestState, RightKind, SubjectState};
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::sealed::Standing;
use persistence::{registrations, rights, seats as queries};

use super::Operator;
use crate::rights::{Asked, Details, Whose};
use crate::{Backend, Result};

/// Mail: a child's registration goes.
pub(crate) const CHILD_REMOVED: &str = "rights_child_removed";
/// The choice of a report that holds the child's address.
pub const ADDRESS: &str = "address";
/// Coaches looked at in one go.
const COACHES: u64 = 500;

/// A report that waits.
#[derive(Clone, Debug)]
pub struct Report {
    /// The request that holds it.
    pub id: RequestId,
    /// The child's address.
    pub address: String,
    /// What was said.
    pub words: String,
    /// When it came in.
    pub received_at: Moment,
    /// By when the data has to be gone.
    pub due_at: Moment,
}

impl Operator {
    /// Reports that wait, the most urgent first.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn reported_children(&self) -> Result<Vec<Report>> {
        let backend = &self.backend;
        let mut reports = Vec::new();
        for row in rights::unfinished(backend.db().reader()).await? {
            if row.kind != RightKind::Minor.as_str() || row.subject_id.is_some() {
                continue;
            }
            let details = backend.request_details(&row).await?.unwrap_or_default();
            reports.push(Report {
                id: row.id,
                address: details.choices.get(ADDRESS).cloned().unwrap_or_default(),
                words: details.words,
                received_at: row.received_at,
                due_at: row.due_at,
            });
        }
        Ok(reports)
    }

    /// Removes what every coach holds under an address: from this moment nothing of it is used, and the worker erases
    /// it. Each coach is told that, and not whom. Answers with how many coaches held something.
    ///
    /// # Errors
    /// Refuses what is no address, and a report that is not one, or over.
    pub async fn purge_child(&self, address: &str, report: Option<RequestId>) -> Result<u64> {
        let backend = &self.backend;
        let address = EmailAddress::parse(address)?.normalised();
        let report = match report {
            Some(id) => Some(self.report(id).await?),
            None => None,
        };
        let mut removed = 0;
        let mut after = None;
        loop {
            let coaches = queries::coaches_after(backend.db().reader(), after, COACHES).await?;
            let Some(last) = coaches.last() else { break };
            after = Some(*last);
            for coach in coaches {
                removed += u64::from(backend.purge_at(coach, &address).await?);
            }
        }
        if let Some(report) = report {
            self.close(&report, removed > 0).await?;
        }
        backend.wake_worker();
        Ok(removed)
    }

    async fn report(&self, id: RequestId) -> Result<dsr_request::Model> {
        let row = rights::request(self.backend.db().reader(), id).await?;
        let is_open = |row: &dsr_request::Model| {
            row.kind == RightKind::Minor.as_str()
                && row.subject_id.is_none()
                && RequestState::from_stored(&row.state) == Some(RequestState::Verified)
        };
        Ok(row.filter(is_open).ok_or_else(Refusal::not_found)?)
    }

    /// A report ends as done, or as one under whose address nothing is held.
    async fn close(&self, report: &dsr_request::Model, was_found: bool) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        if !was_found {
            return backend.end_request(report, RequestState::Denied, now).await;
        }
        let transaction = backend.db().begin().await?;
        for (from, to) in
            [(RequestState::Verified, RequestState::Running), (RequestState::Running, RequestState::Verifying)]
        {
            domain::rights::step(from, to)?;
            rights::move_request(&transaction, report.id, from, to, dsr_request::ActiveModel::default()).await?;
        }
        transaction.commit().await?;
        let row = rights::request(backend.db().reader(), report.id).await?.ok_or_else(Refusal::not_found)?;
        backend.end_request(&row, RequestState::Done, now).await
    }
}

impl Backend {
    /// Whether this coach held something under the address.
    async fn purge_at(&self, coach: CoachId, address: &str) -> Result<bool> {
        let now = self.now();
        let index = self.keyring().pepper(coach, now).await?.blind_index(address);
        let found = registrations::subject_by_index(self.db().reader(), coach, &index).await?;
        let Some(person) = found.filter(|person| !matches!(person.standing, Standing::Erasing)) else {
            return Ok(false);
        };
        let key = Arc::new(self.request_key(now).await?);
        let (engine, subject): (Self, SubjectId) = (self.clone(), person.id);
        let raised = self
            .fence(move |transaction| {
                let (engine, key) = (engine.clone(), key.clone());
                async move {
                    let from = [SubjectState::Active, SubjectState::Restricted];
                    let erasing = SubjectState::Erasing;
                    if !rights::set_subject_state(transaction, coach, subject, &from, erasing).await? {
                        // Somebody else's erasure began in between.
                        let message = "It is being erased already.";
                        return Err(Refusal::new(RefusalKind::Conflict, message).into());
                    }
                    let asked = Asked {
                        regime: Regime::Gdpr,
                        kind: RightKind::Minor,
                        whose: Whose::Viewer(coach, subject),
                        undo_until: None,
                        details: Details::default(),
                    };
                    engine.open_request(transaction, &key, &asked, now).await?;
                    engine.tell_coach(transaction, coach, CHILD_REMOVED, now).await
                }
                .boxed()
            })
            .await;
        match raised {
            Ok(()) => Ok(true),
            Err(crate::Error::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
