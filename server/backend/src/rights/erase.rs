//! An erasure from its confirmation to its receipt: one step at a time, each repeatable, so that a server that dies
//! between two of them goes on where it was and ends with the same receipt.
//!
//! Fence → the plan's steps → everything once more, for what came in between → scrub → receipt; then, a day and three
//! days later, a sweep that must find nothing (privacy-design §2.3).

mod begin;
mod sweep;

use domain::Moment;
use domain::ids::RequestId;
use domain::rights::{RequestState, SubjectKind};
use persistence::entities::{dsr_request, dsr_task};
use persistence::rights as queries;
use privacy::audit::{Event, Role};
use privacy::erasure::{Hold, Retained};
use privacy::receipt::Line;
use privacy::retention::undo_ends;
use privacy::{Erasure, Outcome, Person, Stores, Target};
use sea_orm::{IntoActiveModel, Set};

use crate::{Backend, Error, Result};

pub(crate) use begin::raise;

/// Steps after the plan's own, in this order.
const REPEAT: &str = "repeat";
pub(super) const SCRUB_STEP: &str = "scrub";
const RECEIPT: &str = "receipt";
/// A step whose worker says nothing for this long is taken up again.
const LEASE_SECONDS: i64 = 15 * 60;
/// Rounds over every eraser before a writer that does not stop is a fault.
const MOST_ROUNDS: i32 = 5;
/// When every eraser is repeated after the end.
pub(super) const SWEEP_HOURS: [i64; 2] = [24, 72];

/// Where a request stands after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do now.
    Again,
    /// Nothing to do until something else happens; that is planned.
    Wait,
}

impl Backend {
    /// Everywhere a person's data sits.
    #[must_use]
    pub fn stores(&self) -> Stores {
        Stores {
            database: self.db().clone(),
            keyring: self.keyring().clone(),
            bucket: self.bucket().clone(),
            mailbox: self.mailer().dev_mailbox().map(|mailbox| mailbox.folder().to_owned()),
            work: self.config().work_dir.clone(),
        }
    }

    /// Does one step of an erasure. `left_out` is for the proof that a forgotten eraser is noticed, and for nothing
    /// else.
    ///
    /// # Errors
    /// When the step cannot be done; doing it again is safe.
    pub async fn step_erasure(&self, id: RequestId, left_out: Option<&Target>) -> Result<Step> {
        let Some(row) = queries::request(self.db().reader(), id).await? else {
            return Ok(Step::Wait);
        };
        let state = Self::request_state(&row)?;
        let Some(person) = person_of(&row) else {
            return Ok(Step::Wait);
        };
        let run = Run { backend: self, person, left_out, now: self.now(), row };
        match state {
            RequestState::Verified => run.begin(state).await,
            RequestState::Undo => match undo_ends(&super::keep_promises::waiting(&run.row)?) {
                until if until > run.now => run.look_again(until).await,
                _ => run.begin(state).await,
            },
            RequestState::Failed => run.go_to(state, RequestState::Running).await,
            RequestState::Running => run.erase_next(state).await,
            RequestState::Held => run.after_the_hold().await,
            RequestState::Verifying => run.verify_next().await,
            RequestState::Done => run.sweep().await,
            RequestState::Received
            | RequestState::AwaitingProof
            | RequestState::ExternalPending
            | RequestState::Denied
            | RequestState::Cancelled
            | RequestState::Expired => Ok(Step::Wait),
        }
    }
}

/// Whose erasure a request asks for; nobody's once its ids are emptied.
pub(super) fn person_of(row: &dsr_request::Model) -> Option<Person> {
    match (SubjectKind::from_stored(&row.subject_kind)?, row.coach_id, row.subject_id) {
        (SubjectKind::Coach, Some(coach), _) => Some(Person::Coach(coach)),
        (SubjectKind::Viewer, Some(coach), Some(subject)) => Some(Person::Viewer(coach, subject)),
        _ => None,
    }
}

/// One look at one request.
struct Run<'a> {
    backend: &'a Backend,
    row: dsr_request::Model,
    person: Person,
    left_out: Option<&'a Target>,
    now: Moment,
}

impl Run<'_> {
    fn id(&self) -> RequestId {
        self.row.id
    }

    async fn erasure(&self) -> Result<Erasure> {
        let backend = self.backend;
        let failed = |error| Error::fault("plan an erasure", error);
        let holds = Hold::of(backend.db().reader(), self.person, self.now).await.map_err(failed)?;
        let details = backend.request_details(&self.row).await?.unwrap_or_default();
        let forgets = details.choices.get(super::FORGET_MARK).is_some_and(|choice| choice == "yes");
        let erasure = Erasure::new(backend.stores(), self.person, self.id()).map_err(failed)?;
        Ok(erasure.holding(holds).forgetting_the_mark(forgets).without(self.left_out.cloned()))
    }

    async fn tasks(&self) -> Result<Vec<dsr_task::Model>> {
        Ok(queries::tasks(self.backend.db().reader(), self.id()).await?)
    }

    async fn look_again(&self, at: Moment) -> Result<Step> {
        let transaction = self.backend.db().begin().await?;
        self.backend.plan_run(&transaction, self.id(), at, self.now).await?;
        transaction.commit().await?;
        Ok(Step::Wait)
    }

    async fn go_to(&self, from: RequestState, to: RequestState) -> Result<Step> {
        domain::rights::step(from, to)?;
        let transaction = self.backend.db().begin().await?;
        queries::move_request(&transaction, self.id(), from, to, dsr_request::ActiveModel::default()).await?;
        transaction.commit().await?;
        Ok(Step::Again)
    }

    /// The next of the plan's steps; when there is none, the looking begins.
    async fn erase_next(&self, state: RequestState) -> Result<Step> {
        let tasks = self.tasks().await?;
        let next = tasks.iter().find_map(|task| {
            Target::parse(&task.target).filter(|_| task.state == "pending").map(|target| (task.clone(), target))
        });
        let Some((task, target)) = next else {
            return self.go_to(state, RequestState::Verifying).await;
        };
        if !self.take(&task).await? {
            return self.look_again(self.now.plus_seconds(LEASE_SECONDS)).await;
        }
        let erasure = self.erasure().await?;
        match erasure.erase(&target, self.now).await {
            Ok(outcome) => {
                let held = outcome.retained.iter().any(|retained| retained.until.is_some());
                let state = if held { "held" } else { "done" };
                self.finish(&erasure, task, state, &outcome).await?;
                Ok(Step::Again)
            }
            Err(error) => {
                self.fail(task, state).await?;
                Err(Error::fault("erase", error))
            }
        }
    }

    async fn take(&self, task: &dsr_task::Model) -> Result<bool> {
        let transaction = self.backend.db().begin().await?;
        let until = self.now.plus_seconds(LEASE_SECONDS);
        let taken = queries::take_task(&transaction, task.id, until, self.now).await?;
        transaction.commit().await?;
        Ok(taken)
    }

    /// Writes what came of one of the plan's steps, and puts on record what it removed.
    async fn finish(&self, erasure: &Erasure, task: dsr_task::Model, state: &str, outcome: &Outcome) -> Result<()> {
        let class = Target::parse(&task.target).map(|target| erasure.classes_of(&target)).unwrap_or_default();
        let class = class.into_iter().find(|class| class != "identifier").unwrap_or_default();
        let total = task.removed.saturating_add(i64::try_from(outcome.removed).unwrap_or(i64::MAX));
        let mut change = self.change(task, state);
        change.removed = Set(total);
        change.retained = Set(serde_json::to_string(&outcome.retained)?);
        let transaction = self.backend.db().begin().await?;
        queries::put_task(&transaction, change).await?;
        if outcome.removed > 0 {
            let erased = (class.as_str(), outcome.removed);
            self.backend.audit(&transaction, Event::Erased, Role::System, Some(self.id()), erased, self.now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes where one of the looking's steps stands.
    async fn note(&self, task: dsr_task::Model, state: &str) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        queries::put_task(&transaction, self.change(task, state)).await?;
        transaction.commit().await?;
        Ok(())
    }

    fn change(&self, task: dsr_task::Model, state: &str) -> dsr_task::ActiveModel {
        let mut change = task.into_active_model();
        change.state = Set(state.to_owned());
        change.lease_until = Set(None);
        change.note = Set(None);
        change.updated_at = Set(self.now);
        change.finished_at = Set((state == "done").then_some(self.now));
        change
    }

    /// Gives a failed step back; the watchdog and the job's own tries take it up again.
    async fn fail(&self, task: dsr_task::Model, state: RequestState) -> Result<()> {
        let mut change = dsr_task::ActiveModel { id: Set(task.id), ..Default::default() };
        change.lease_until = Set(None);
        change.note = Set(Some("It failed and is tried again.".to_owned()));
        change.updated_at = Set(self.now);
        let transaction = self.backend.db().begin().await?;
        queries::put_task(&transaction, change).await?;
        if state.may_become(RequestState::Failed) {
            let change = dsr_request::ActiveModel::default();
            queries::move_request(&transaction, self.id(), state, RequestState::Failed, change).await?;
            let right = ("right", 1);
            self.backend.audit(&transaction, Event::Failed, Role::System, Some(self.id()), right, self.now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The next of the looking's steps.
    async fn verify_next(&self) -> Result<Step> {
        let tasks = self.tasks().await?;
        let Some(task) = tasks.iter().find(|task| Target::parse(&task.target).is_none() && task.state != "done") else {
            return self.end(&tasks).await;
        };
        match task.target.as_str() {
            REPEAT => {
                let erasure = self.erasure().await?;
                let again = self.repeat(&erasure, &tasks).await?;
                let is_over = again == 0;
                if !is_over && task.attempts >= MOST_ROUNDS {
                    return Err(Error::fault("erase", "somebody keeps writing about a person being erased"));
                }
                if self.take(task).await? {
                    self.note(task.clone(), if is_over { "done" } else { "pending" }).await?;
                }
                Ok(Step::Again)
            }
            SCRUB_STEP => self.ask_for_scrub(task).await,
            _ => {
                self.give_receipt(&tasks).await?;
                self.note(task.clone(), "done").await?;
                Ok(Step::Again)
            }
        }
    }

    /// Repeats every eraser and adds what it found to its step. What a hold keeps is left alone.
    async fn repeat(&self, erasure: &Erasure, tasks: &[dsr_task::Model]) -> Result<u64> {
        let mut found = 0;
        for task in tasks.iter().filter(|task| task.state == "done") {
            let Some(target) = Target::parse(&task.target) else { continue };
            let outcome = erasure.erase(&target, self.now).await.map_err(|error| Error::fault("erase again", error))?;
            if outcome.removed > 0 {
                let removed = outcome.removed;
                let kept = serde_json::from_str(&task.retained)?;
                self.finish(erasure, task.clone(), "done", &Outcome { removed, retained: kept }).await?;
                found += removed;
            }
        }
        Ok(found)
    }

    /// Waits for the next scrub, which serves everybody who waits.
    async fn ask_for_scrub(&self, task: &dsr_task::Model) -> Result<Step> {
        if task.state != "waiting" {
            self.note(task.clone(), "waiting").await?;
        }
        let transaction = self.backend.db().begin().await?;
        self.backend.plan_scrub(&transaction, self.now).await?;
        transaction.commit().await?;
        Ok(Step::Wait)
    }

    /// Everything is gone and receipted: done, or held until a ground ends.
    async fn end(&self, tasks: &[dsr_task::Model]) -> Result<Step> {
        let held_until = tasks
            .iter()
            .filter(|task| task.state == "held")
            .filter_map(|task| serde_json::from_str::<Vec<Retained>>(&task.retained).ok())
            .flatten()
            .filter_map(|retained| retained.until)
            .min();
        let to = if held_until.is_some() { RequestState::Held } else { RequestState::Done };
        self.backend.keyring().destroy(self.row.dek_id).await?;
        let transaction = self.backend.db().begin().await?;
        let change = dsr_request::ActiveModel {
            details_ct: Set(None),
            completed_at: Set((to == RequestState::Done).then_some(self.now)),
            ..Default::default()
        };
        queries::move_request(&transaction, self.id(), RequestState::Verifying, to, change).await?;
        let event = if held_until.is_some() { Event::Held } else { Event::Done };
        let right = ("right", 1);
        self.backend.audit(&transaction, event, Role::System, Some(self.id()), right, self.now).await?;
        match held_until {
            Some(until) => self.backend.plan_run(&transaction, self.id(), until, self.now).await?,
            None => {
                for hours in SWEEP_HOURS {
                    let at = self.now.plus_seconds(hours * 3600);
                    self.backend.plan_run(&transaction, self.id(), at, self.now).await?;
                }
            }
        }
        transaction.commit().await?;
        Ok(Step::Wait)
    }
}

impl Run<'_> {
    /// Writes the receipt and mails the person's copy.
    async fn give_receipt(&self, tasks: &[dsr_task::Model]) -> Result<()> {
        let erasure = self.erasure().await?;
        let lines = tasks.iter().filter_map(|task| {
            let classes = erasure.classes_of(&Target::parse(&task.target)?);
            Some(Line { what: task.target.clone(), classes, removed: task.removed })
        });
        self.backend.receipt_for(&self.row, tasks, lines.collect(), self.now).await
    }
}
