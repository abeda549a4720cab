//! The point of no return: the fence goes up, the plan is written down, the address the receipt goes to is put aside.

use domain::processing::ProcessingPurpose;
use domain::rights::{AccountState, RequestState, SubjectState};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::sealed::Place;
use persistence::{accounts, rights as queries};
use privacy::audit::{Event, Role};
use privacy::restriction::{self, Purpose};
use privacy::{Person, Target};
use sea_orm::{ConnectionTrait, Set};

use super::{RECEIPT, REPEAT, Run, SCRUB_STEP, Step};
use crate::{Error, Result};

/// Nobody writes about the person any more, and nobody is signed in to the account.
pub(crate) async fn raise(conn: &impl ConnectionTrait, person: Person) -> Result<()> {
    match person {
        Person::Viewer(coach, subject) => {
            let from = [SubjectState::Active, SubjectState::Restricted];
            queries::set_subject_state(conn, coach, subject, &from, SubjectState::Erasing).await?;
        }
        Person::Coach(coach) => {
            let from: Vec<_> =
                AccountState::ALL.iter().copied().filter(|state| *state != AccountState::Erasing).collect();
            queries::set_account_state(conn, coach, &from, AccountState::Erasing).await?;
            accounts::delete_logins(conn, coach, None).await?;
        }
    }
    Ok(())
}

impl Run<'_> {
    /// From here on nothing stops it.
    pub(super) async fn begin(&self, from: RequestState) -> Result<Step> {
        domain::rights::step(from, RequestState::Running)?;
        let backend = self.backend;
        let details = self.details_with_address().await?;
        let erasure = self.erasure().await?;
        let steps: Vec<String> = erasure
            .targets()
            .iter()
            .map(Target::to_string)
            .chain([REPEAT, SCRUB_STEP, RECEIPT].map(str::to_owned))
            .collect();
        let (id, person, now) = (self.id(), self.person, self.now);
        let engine = backend.clone();
        backend
            .fence(move |transaction| {
                let (engine, details, steps) = (engine.clone(), details.clone(), steps.clone());
                async move {
                    raise(transaction, person).await?;
                    for step in &steps {
                        queries::plan_task(transaction, id, step, now).await?;
                    }
                    let change = dsr_request::ActiveModel { details_ct: Set(details), ..Default::default() };
                    queries::move_request(transaction, id, from, RequestState::Running, change).await?;
                    engine.audit(transaction, Event::Started, Role::System, Some(id), ("right", 1), now).await
                }
                .boxed()
            })
            .await?;
        Ok(Step::Again)
    }

    /// What was asked, with the person's address, so that the receipt finds her when nothing else is left.
    async fn details_with_address(&self) -> Result<Option<Vec<u8>>> {
        let backend = self.backend;
        let mut details = backend.request_details(&self.row).await?.unwrap_or_default();
        if details.answer_to.is_none() {
            details.answer_to = self.address().await?;
        }
        let Some(key) = backend.keyring().keys(&[self.row.dek_id]).await?.remove(&self.row.dek_id) else {
            return Ok(None);
        };
        let plain = serde_json::to_vec(&details)?;
        Ok(Some(key.seal(Place::RequestDetails, self.row.id.as_bytes(), &plain)))
    }

    async fn address(&self) -> Result<Option<String>> {
        let backend = self.backend;
        let reader = backend.db().reader();
        match self.person {
            Person::Coach(coach) => Ok(accounts::coach(reader, coach).await?.map(|row| row.email)),
            Person::Viewer(coach, subject) => {
                let Some(row) = queries::sealed_address(reader, coach, subject).await? else { return Ok(None) };
                let row = restriction::open(row, Purpose::OwnErasure);
                let Some(key) = backend.keyring().keys(&[row.dek]).await?.remove(&row.dek) else {
                    return Ok(None);
                };
                let opened =
                    key.open(ProcessingPurpose::Provide, Place::SubjectEmail, subject.as_bytes(), &row.email_ct)?;
                let address = String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?;
                Ok(Some(address))
            }
        }
    }
}
