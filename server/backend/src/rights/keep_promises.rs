//! The periodic job that keeps promises about time: removes what is over, ends what was announced, and takes up
//! requests that were left lying.
//!
//! What has to go is decided by [`privacy::retention`], which knows no database; this carries it out in small batches,
//! each of which can be done again.

use domain::ids::{CoachId, DekId, RequestId, WebinarId};
use domain::rights::{RequestState, RightKind, SubjectKind, SubjectState};
use domain::{Moment, RefusalKind};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::retention::{self as queries, Over};
use persistence::{audits, mails, rights};
use privacy::DataMap;
use privacy::audit::{Event, Role};
use privacy::retention::{Care, Removal, Waiting, WebinarRule, What, care, is_alarming, plan};

use crate::{Backend, Error, Result};

/// Kind of the job.
pub const KEEP_PROMISES: &str = "keep_promises";
/// Seconds between two runs; also the grain in which a request is run again.
pub const KEEP_SECONDS: i64 = 3_600;

impl Backend {
    /// Everything a promise about time asks for by now. Doing it again changes nothing.
    pub(crate) async fn keep_promises(&self) -> Result<()> {
        let now = self.now();
        let transaction = self.db().begin().await?;
        mails::give_back_stale(&transaction, now).await?;
        transaction.commit().await?;
        self.settle_rights(now).await?;
        self.end_closed_accounts(now).await?;
        self.look_after_incidents(now).await?;
        for removal in plan(DataMap::current(), &self.webinar_rules().await?, now) {
            match self.remove(removal, now).await {
                Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Busy => {
                    // An hour later is early enough, and what else is due is not kept waiting.
                    tracing::warn!("a mail on its way keeps something from being removed; it is tried again");
                }
                removed => removed?,
            }
        }
        self.keyring().prune_tombstones(now).await?;
        self.look_after_backups(now).await?;
        self.announce_policy(privacy::policy::Versions::of_the_policy(), now).await?;
        self.watch_messages(now).await?;
        self.look_after_requests(now).await
    }

    async fn webinar_rules(&self) -> Result<Vec<WebinarRule>> {
        let mut rules: Vec<WebinarRule> = Vec::new();
        loop {
            let after = rules.last().map(|rule| rule.webinar);
            let rows = queries::webinar_rules(self.db().reader(), after).await?;
            if rows.is_empty() {
                return Ok(rules);
            }
            let rule = |(coach, webinar, days)| WebinarRule { coach, webinar, days: i64::from(days) };
            rules.extend(rows.into_iter().map(rule));
        }
    }

    async fn remove(&self, Removal { what, before }: Removal, now: Moment) -> Result<()> {
        let class = match what {
            What::Viewers(coach, webinar) => return self.forget_viewers(coach, webinar, before, now).await,
            What::Requests => return self.forget_requests(before, now).await,
            What::Exports => return self.remove_archives(before, now).await,
            What::AuditEntries | What::Disclosures => "right",
            What::Tombstones | What::Strikes => "suppression",
            What::Proofs => "credential",
            What::Holds => "restriction",
        };
        let transaction = self.db().begin().await?;
        let gone = match what {
            What::AuditEntries => audits::prune(&transaction, before).await?,
            What::Disclosures => queries::delete_disclosures(&transaction, before).await?,
            What::Tombstones => queries::delete_tombstones(&transaction, before).await?,
            What::Proofs => queries::delete_proofs(&transaction, before).await?,
            What::Strikes => queries::delete_strikes(&transaction, before).await?,
            _ => queries::delete_holds(&transaction, before).await?,
        };
        // That the chain itself is cut is no news: an entry about it would keep it from ever getting shorter.
        if gone > 0 && what != What::AuditEntries {
            self.audit(&transaction, Event::TimeOver, Role::System, None, (class, gone), now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Viewers of a webinar whose time is over: first the fence, so that nothing is added any more, then their keys, so
    /// that every copy is unreadable, then the rows.
    async fn forget_viewers(&self, coach: CoachId, webinar: WebinarId, before: Moment, now: Moment) -> Result<()> {
        loop {
            let (over, people) = self
                .fence(|transaction| {
                    async move {
                        let over = queries::bookings_over(transaction, coach, webinar, before, now).await?;
                        let people = queries::without_others(transaction, &over).await?;
                        for (subject, _) in &people {
                            let from = [SubjectState::Active, SubjectState::Restricted];
                            rights::set_subject_state(transaction, coach, *subject, &from, SubjectState::Erasing)
                                .await?;
                        }
                        Ok((over, people))
                    }
                    .boxed()
                })
                .await?;
            if over.is_empty() {
                return Ok(());
            }
            self.forget_batch(coach, &over, &people, now).await?;
        }
    }

    pub(super) async fn forget_batch(
        &self,
        coach: CoachId,
        over: &[Over],
        people: &[(domain::ids::SubjectId, DekId)],
        now: Moment,
    ) -> Result<()> {
        for (_, key) in people {
            self.keyring().destroy(*key).await?;
        }
        for (subject, _) in people {
            self.end_corrections(coach, *subject, now).await?;
        }
        let bookings: Vec<_> = over.iter().map(|one| one.booking).collect();
        let people: Vec<_> = people.iter().map(|(subject, _)| *subject).collect();
        let transaction = self.db().begin().await?;
        let gone = queries::forget(&transaction, coach, &bookings, &people).await?;
        self.audit(&transaction, Event::TimeOver, Role::System, None, ("watching", gone), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Corrections that still wait for a restriction to end go with the person: there is nothing left to correct.
    async fn end_corrections(&self, coach: CoachId, subject: domain::ids::SubjectId, now: Moment) -> Result<()> {
        let reader = self.db().reader();
        for id in persistence::portal::pending_corrections(reader, coach, subject).await? {
            if let Some(row) = rights::request(reader, id).await? {
                self.end_request(&row, RequestState::Cancelled, now).await?;
            }
        }
        Ok(())
    }

    async fn forget_requests(&self, before: Moment, now: Moment) -> Result<()> {
        loop {
            let over = queries::requests_over(self.db().reader(), before).await?;
            if over.is_empty() {
                return Ok(());
            }
            for (_, key) in &over {
                self.keyring().destroy(*key).await?;
            }
            let ids: Vec<RequestId> = over.into_iter().map(|(id, _)| id).collect();
            let transaction = self.db().begin().await?;
            let gone = queries::delete_requests(&transaction, &ids).await?;
            self.audit(&transaction, Event::TimeOver, Role::System, None, ("right", gone), now).await?;
            transaction.commit().await?;
        }
    }

    /// Archives whose days are over: the key, the object, the row, in this order, so that nothing readable outlives it.
    async fn remove_archives(&self, before: Moment, now: Moment) -> Result<()> {
        loop {
            let over = queries::exports_over(self.db().reader(), before).await?;
            if over.is_empty() {
                return Ok(());
            }
            for archive in &over {
                self.keyring().destroy(archive.dek).await?;
                if let Some(key) = &archive.object_key {
                    self.drop_archive_object(key).await?;
                }
            }
            let ids: Vec<_> = over.into_iter().map(|archive| archive.id).collect();
            let transaction = self.db().begin().await?;
            let gone = queries::delete_exports(&transaction, &ids).await?;
            self.audit(&transaction, Event::TimeOver, Role::System, None, ("archive", gone), now).await?;
            transaction.commit().await?;
        }
    }

    /// The watchdog: what was left lying is taken up, what nobody proved ends, what is late rings.
    async fn look_after_requests(&self, now: Moment) -> Result<()> {
        let mut late = 0;
        for row in rights::unfinished(self.db().reader()).await? {
            if Self::is_message(&row) {
                // They wait for a person, and have a watch of their own.
                continue;
            }
            let waiting = waiting(&row)?;
            if is_alarming(&waiting, now) {
                late += 1;
            }
            match care(&waiting, now) {
                Care::Leave => {}
                Care::Expire => self.end_request(&row, RequestState::Expired, now).await?,
                Care::Run => self.run_again(row.id, None, now).await?,
                Care::Resume => self.run_again(row.id, Some(waiting.state), now).await?,
            }
        }
        metrics::gauge!("rights_requests_late").set(f64::from(late));
        if late > 0 {
            tracing::error!(late, "erasures are close to the last day the promise allows");
        }
        Ok(())
    }

    async fn run_again(&self, id: RequestId, failed: Option<RequestState>, now: Moment) -> Result<()> {
        let transaction = self.db().begin().await?;
        if let Some(failed) = failed {
            let to = domain::rights::step(failed, RequestState::Running)?;
            if rights::move_request(&transaction, id, failed, to, dsr_request::ActiveModel::default()).await? {
                self.audit(&transaction, Event::Resumed, Role::System, Some(id), ("right", 1), now).await?;
            }
        }
        let this_hour = Moment::from_unix_seconds(now.unix_seconds().div_euclid(KEEP_SECONDS) * KEEP_SECONDS);
        self.plan_run(&transaction, id, this_hour, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }
}

/// What the rules of waiting want to know of a request.
pub(crate) fn waiting(row: &dsr_request::Model) -> Result<Waiting> {
    let unknown = |what: &str| Error::fault("read a request", format!("nothing is called {what}"));
    Ok(Waiting {
        state: Backend::request_state(row)?,
        kind: RightKind::from_stored(&row.kind).ok_or_else(|| unknown(&row.kind))?,
        whose: SubjectKind::from_stored(&row.subject_kind).ok_or_else(|| unknown(&row.subject_kind))?,
        received_at: row.received_at,
        undo_until: row.undo_until,
    })
}
