//! The point of no return: the fence goes up, the plan is written down, the address the receipt goes to is put aside.

use domain::rights::{AccountState, RequestState, SubjectState};
use persistence::entities::dsr_request;
use persistence::sealed::Place;
use persistence::{accounts, rights as queries};
use privacy::Person;
use privacy::restriction::{self, Purpose};
use sea_orm::Set;

use super::{RECEIPT, REPEAT, Run, SCRUB_STEP, Step};
use crate::{Error, Result};

impl Run<'_> {
    /// From here on nothing stops it.
    pub(super) async fn begin(&self, from: RequestState) -> Result<Step> {
        domain::rights::step(from, RequestState::Running)?;
        let backend = self.backend;
        let details = self.details_with_address().await?;
        let erasure = self.erasure().await?;
        let transaction = backend.db().begin().await?;
        match self.person {
            Person::Viewer(coach, subject) => {
                let from = [SubjectState::Active, SubjectState::Restricted];
                queries::set_subject_state(&transaction, coach, subject, &from, SubjectState::Erasing).await?;
            }
            Person::Coach(coach) => {
                let from: Vec<_> =
                    AccountState::ALL.iter().copied().filter(|state| *state != AccountState::Erasing).collect();
                queries::set_account_state(&transaction, coach, &from, AccountState::Erasing).await?;
                accounts::delete_logins(&transaction, coach, None).await?;
            }
        }
        for target in erasure.targets() {
            queries::plan_task(&transaction, self.id(), &target.to_string(), self.now).await?;
        }
        for step in [REPEAT, SCRUB_STEP, RECEIPT] {
            queries::plan_task(&transaction, self.id(), step, self.now).await?;
        }
        let change = dsr_request::ActiveModel { details_ct: Set(details), ..Default::default() };
        queries::move_request(&transaction, self.id(), from, RequestState::Running, change).await?;
        transaction.commit().await?;
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
                let opened = key.open(Place::SubjectEmail, subject.as_bytes(), &row.email_ct)?;
                let address = String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?;
                Ok(Some(address))
            }
        }
    }
}
