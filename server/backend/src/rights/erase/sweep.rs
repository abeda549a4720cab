//! After the end: late writers are caught, grounds to keep something run out, and at last nothing names anybody.

use domain::rights::RequestState;
use persistence::entities::dsr_request;
use persistence::rights as queries;
use privacy::erasure::Retained;
use privacy::{Person, Target};
use sea_orm::{IntoActiveModel, Set};

use super::{Run, SCRUB_STEP, SWEEP_HOURS, Step};
use crate::Result;

impl Run<'_> {
    /// Repeats every eraser. It has to find nothing; what it finds is removed, scrubbed, and noted as an event.
    pub(super) async fn sweep(&self) -> Result<Step> {
        let Some(completed_at) = self.row.completed_at else { return Ok(Step::Wait) };
        let tasks = self.tasks().await?;
        let erasure = self.erasure().await?.gone_since(Some(completed_at));
        let found = self.repeat(&erasure, &tasks).await?;
        let [.., last] = SWEEP_HOURS;
        let is_last = self.now >= completed_at.plus_seconds(last * 3600);
        if found > 0 {
            // What it found is on record as erased; that there was anything is for somebody to look into.
            tracing::error!(reference = %self.id(), "a sweep after an erasure found data");
            if let Some(task) = tasks.into_iter().find(|task| task.target == SCRUB_STEP) {
                self.ask_for_scrub(&task).await?;
            }
            if is_last {
                return self.look_again(self.now.plus_seconds(3600)).await;
            }
        } else if is_last {
            self.forget_ids().await?;
            // Free pages and the log still held the ids.
            if let Some(task) = tasks.into_iter().find(|task| task.target == SCRUB_STEP) {
                self.ask_for_scrub(&task).await?;
            }
        }
        Ok(Step::Wait)
    }

    /// From here on the record says that something was asked and done, and not by whom.
    async fn forget_ids(&self) -> Result<()> {
        let mut change = dsr_request::ActiveModel { subject_id: Set(None), ..Default::default() };
        if matches!(self.person, Person::Coach(_)) {
            change.coach_id = Set(None);
        }
        let transaction = self.backend.db().begin().await?;
        queries::move_request(&transaction, self.id(), RequestState::Done, RequestState::Done, change).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Looks whether a ground to keep something has run out; then what it kept goes the way of the rest, also when
    /// another ground still keeps something else.
    pub(super) async fn after_the_hold(&self) -> Result<Step> {
        let backend = self.backend;
        let failed = |error| crate::Error::fault("look at the holds", error);
        let holds = privacy::erasure::Hold::of(backend.db().reader(), self.person, self.now).await.map_err(failed)?;
        let tasks = self.tasks().await?;
        let mut kept: Vec<Retained> = Vec::new();
        for task in tasks.iter().filter(|task| task.state == "held") {
            kept.extend(serde_json::from_str::<Vec<Retained>>(&task.retained)?);
        }
        let stands = |kept: &Retained| {
            holds.iter().any(|hold| {
                hold.ground == kept.ground && Some(hold.until) == kept.until && hold.classes.contains(&kept.class)
            })
        };
        if let Some(until) = holds.iter().map(|hold| hold.until).min()
            && kept.iter().filter(|kept| kept.until.is_some()).all(stands)
        {
            return self.look_again(until).await;
        }
        let erasure = self.erasure().await?;
        for task in &tasks {
            // Keys were kept when something sealed was, and that step counts as done.
            let Some(target) = Target::parse(&task.target).filter(|it| task.state == "held" || *it == Target::Keys)
            else {
                continue;
            };
            let outcome = erasure
                .erase(&target, self.now)
                .await
                .map_err(|error| crate::Error::fault("erase what was held", error))?;
            let is_held = outcome.retained.iter().any(|retained| retained.until.is_some());
            self.finish(&erasure, task.clone(), if is_held { "held" } else { "done" }, &outcome).await?;
        }
        let transaction = backend.db().begin().await?;
        for task in tasks.into_iter().filter(|task| Target::parse(&task.target).is_none()) {
            let mut change = task.into_active_model();
            change.state = Set("pending".to_owned());
            change.attempts = Set(0);
            change.finished_at = Set(None);
            queries::put_task(&transaction, change).await?;
        }
        let change = dsr_request::ActiveModel::default();
        queries::move_request(&transaction, self.id(), RequestState::Held, RequestState::Verifying, change).await?;
        transaction.commit().await?;
        Ok(Step::Again)
    }
}
