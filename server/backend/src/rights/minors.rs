//! Reported children (promise P50): what is held under the address rests at once and is erased within 72 hours, over
//! every coach, without papers. Who was reported wrongly is told and has two days to say so.

use domain::ids::{CoachId, RegistrationId, RequestId, SubjectId, WebinarId};
use domain::messages::REPORT_HOURS;
use domain::rights::{Regime, RequestState, RestrictionGround, RightKind};
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::sealed::Standing;
use persistence::{messages as queries, registrations, rights};
use privacy::audit::Role;
use privacy::restriction::{self, Purpose};
use sea_orm::Set;

use super::{Asked, Details, RequestKey, Whose};
use crate::mails::about_rights::REPORTED;
use crate::operators::children::CHILD_REMOVED;
use crate::{Backend, Coach, Error, Result};

/// How soon a reported person's data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// In two days, unless the report turns out to be wrong.
    Soon,
    /// Now: somebody who answers for it said so.
    Now,
}

impl Backend {
    /// Everybody registered with an address who is not being erased already.
    async fn viewers_with(&self, address: &str) -> Result<Vec<(CoachId, SubjectId)>> {
        let mut found = Vec::new();
        for (coach, id) in self.held_everywhere(&EmailAddress::parse(address)?).await?.held {
            let person = registrations::subject(self.db().reader(), coach, id).await?;
            if person.is_some_and(|person| !matches!(person.standing, Standing::Erasing)) {
                found.push((coach, id));
            }
        }
        Ok(found)
    }

    /// Sets to rest what is held under a reported address and plans its erasure; tells how many were found.
    pub(super) async fn report_address(&self, address: &str) -> Result<usize> {
        let found = self.viewers_with(address).await?;
        for (coach, subject) in &found {
            self.report_viewer((*coach, *subject), When::Soon, Role::Viewer).await?;
        }
        Ok(found.len())
    }

    /// One action of an operator: erases everything held under a child's address at every coach, now.
    ///
    /// # Errors
    /// Refuses an address nothing is held under.
    pub async fn purge_child(&self, address: &str) -> Result<Vec<RequestId>> {
        let requests = self.purge_viewers(address).await?;
        if requests.is_empty() {
            return Err(Refusal::new(RefusalKind::NotFound, "Nothing is held under this address.").into());
        }
        self.run_due_jobs("console").await?;
        Ok(requests)
    }

    /// Fences everything held under a child's address at every coach and has it erased now.
    pub(crate) async fn purge_viewers(&self, address: &str) -> Result<Vec<RequestId>> {
        let mut requests = Vec::new();
        for person in self.viewers_with(address).await? {
            requests.push(self.report_viewer(person, When::Now, Role::Operator).await?);
        }
        Ok(requests)
    }

    /// Calls off what a wrong report began: the data is used again.
    ///
    /// # Errors
    /// Refuses a request that is none of a report, or runs already.
    pub async fn call_report_off(&self, id: RequestId) -> Result<()> {
        let row = rights::request(self.db().reader(), id).await?.ok_or_else(Refusal::not_found)?;
        let (Some(coach), Some(subject)) = (row.coach_id, row.subject_id) else {
            return Err(Refusal::not_found().into());
        };
        if row.kind != RightKind::Minor.as_str() {
            return Err(Refusal::not_found().into());
        }
        let now = self.now();
        self.end_request(&row, RequestState::Cancelled, now).await?;
        let backend = self.clone();
        let lifted = self.fence(move |transaction| {
            let backend = backend.clone();
            async move {
                let ground = Some(RestrictionGround::Reported);
                backend.lift(transaction, (coach, subject), ground, Role::Operator, now).await
            }
            .boxed()
        });
        match lifted.await {
            // Lifted meanwhile.
            Ok(()) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn report_viewer(&self, person: (CoachId, SubjectId), when: When, by: Role) -> Result<RequestId> {
        let now = self.now();
        let key = self.request_key(now).await?;
        let backend = self.clone();
        let id = self
            .fence(move |transaction| {
                let (backend, key) = (backend.clone(), key.clone());
                async move { backend.report_in(transaction, &key, person, when, by, now).await }.boxed()
            })
            .await?;
        self.wake_worker();
        Ok(id)
    }

    /// The transaction: the data rests from the moment the request exists, and never the one without the other.
    async fn report_in(
        &self,
        transaction: &sea_orm::DatabaseTransaction,
        key: &RequestKey,
        (coach, subject): (CoachId, SubjectId),
        when: When,
        by: Role,
        now: Moment,
    ) -> Result<RequestId> {
        self.restrict(transaction, (coach, subject), RestrictionGround::Reported, by, now).await?;
        if when == When::Now && by == Role::Operator {
            self.tell_of_account(transaction, coach, CHILD_REMOVED, now).await?;
        }
        if let Some(row) = queries::report_under_way(transaction, coach, subject).await? {
            let is_waiting = Self::request_state(&row)? == RequestState::Undo;
            if when == When::Now && is_waiting {
                let change = dsr_request::ActiveModel { undo_until: Set(Some(now)), ..Default::default() };
                rights::move_request(transaction, row.id, RequestState::Undo, RequestState::Undo, change).await?;
                self.plan_run(transaction, row.id, now, now).await?;
            }
            return Ok(row.id);
        }
        let undo_until = (when == When::Soon).then(|| now.plus_seconds(REPORT_HOURS * 3_600));
        let asked = Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Minor,
            whose: Whose::Viewer(coach, subject),
            undo_until,
            details: Details::default(),
        };
        let id = self.open_request(transaction, key, &asked, now).await?;
        if undo_until.is_some() {
            self.write_about_rights(transaction, (coach, subject), REPORTED, now).await?;
        }
        Ok(id)
    }
}

impl Coach {
    /// One action of a coach who learns that a registrant is a child: the data rests and is erased now.
    ///
    /// # Errors
    /// Refuses a registration that is not hers, in the same words as one that does not exist.
    pub async fn forget_child(&self, webinar: WebinarId, id: RegistrationId) -> Result<()> {
        let backend = &self.backend;
        let found = registrations::registration(backend.db().reader(), self.id, webinar, id).await?;
        let booking = match found.ok_or_else(Refusal::not_found)? {
            Standing::Active(booking) => booking.into_inner(),
            Standing::Restricted(booking) => restriction::open(booking, Purpose::OwnErasure),
            Standing::Erasing => return Err(Refusal::not_found().into()),
        };
        backend.report_viewer((self.id, booking.subject_id), When::Now, Role::Coach).await.map(drop)
    }
}
