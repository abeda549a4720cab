//! The job that sends what is due: judged in the transaction that takes it, with account and person held.
//!
//! A mail is `waiting → sending → sent`, and whoever reads the row later sees why, when it did not go. The workers of two
//! servers hold the same person one after the other, and the second finds nothing left to take.

use std::collections::HashMap;

use domain::Moment;
use domain::fence::{NEW_DATES, SESSION_CALLED_OFF};
use domain::ids::{DekId, MailId, MailTemplateId, RegistrationId, WebinarId};
use domain::rights::AccountState;
use domain::rights::SubjectState;
use domain::sequence::{
    Behaviour, Decision, DueRow, Facts, Purpose, Row, Template, TimingKind, Verdict, due, may_send,
};
use domain::stay::is_idle;
use domain::watching::Attendance;
use domain::webinar::WebinarState;
use futures::StreamExt;
use persistence::entities::mail;
use persistence::mailing::{self, Standing};
use persistence::schedules::WAITING;
use persistence::sequences::{self as queries, BookingFacts};
use persistence::{declared, mails, webinars};

use super::template_of;
use crate::mails::Handed;
use crate::webinars::state_of;
use crate::{Backend, Error, Result};

/// Kind of the job.
pub(crate) const SEND_DUE_MAILS: &str = "send_due_mails";
/// Registrations judged in one transaction, and so about as many mails handed over before it is written down that they
/// went: what a server that dies may have sent without saying so. While they go, the next ones are judged.
const AT_ONCE: u64 = 128;
/// A mail server that takes nothing now is asked again after this long.
const AGAIN_SECONDS: i64 = 60;

impl Backend {
    /// Sends every mail of a sequence that is due, and plans the next look.
    pub(crate) async fn send_due_mails(&self) -> Result<()> {
        let transaction = self.db().begin().await?;
        queries::give_back_stale(&transaction, self.now()).await?;
        transaction.commit().await?;
        let mut taken = self.take_next().await?;
        while let Some(batch) = taken {
            // While some are handed over, the next ones are judged.
            let (sent, next) = tokio::join!(self.send_taken(batch), self.take_next());
            sent?;
            taken = next?;
        }
        let transaction = self.db().begin().await?;
        if let Some(at) = queries::next_look(&transaction).await? {
            let now = self.now();
            self.wake_for_mail(&transaction, at.max(now.plus_seconds(1)), now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Judges the next mails that are due and takes those that go; nothing when none is due.
    async fn take_next(&self) -> Result<Option<Vec<mail::Model>>> {
        let now = self.now();
        let due = queries::due_registrations(self.db().reader(), AT_ONCE, now).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let ids: Vec<RegistrationId> = due.into_iter().map(|(_, id)| id).collect();
        self.take_due(&ids, now).await.map(Some)
    }

    /// Judges what is due of these registrations and takes what goes.
    async fn take_due(&self, ids: &[RegistrationId], now: Moment) -> Result<Vec<mail::Model>> {
        let recipients = mailing::recipients(self.db().reader(), ids).await?;
        let transaction = self.db().begin().await?;
        let standings = mailing::hold(&transaction, &recipients, now).await?;
        // What they are now: another worker may have been here before the people were held.
        let mut rows = queries::rows_of(&transaction, ids).await?;
        let bookings = queries::facts_of(&transaction, ids).await?;
        let webinars = Webinars::of(&transaction, &bookings).await?;
        let mut judged: Vec<(Judged, Vec<MailId>)> = Vec::new();
        for facts in &bookings {
            let rows = rows.remove(&facts.id).unwrap_or_default();
            for (id, what) in judge(facts, standings.get(&facts.id), &webinars, &rows, now) {
                match judged.iter_mut().find(|(known, _)| *known == what) {
                    Some((_, ids)) => ids.push(id),
                    None => judged.push((what, vec![id])),
                }
            }
        }
        let mut taken = Vec::new();
        for (what, ids) in judged {
            match what {
                // Somebody may have called one off since it was read.
                Judged::Goes => taken = queries::take(&transaction, &ids, now).await?,
                Judged::Holds => queries::hold_waiting(&transaction, &ids, RESTS).await?,
                Judged::Waits(until) => queries::put_off(&transaction, &ids, until).await?,
                Judged::Ends(row) => queries::set_rows(&transaction, &ids, row).await?,
            }
        }
        transaction.commit().await?;
        Ok(taken)
    }

    async fn send_taken(&self, taken: Vec<mail::Model>) -> Result<()> {
        let mut cases = mailing::cases(self.db().reader(), &taken).await?;
        // Asked for together; each mail finds its own in memory.
        let keys: Vec<DekId> = cases.values().map(|case| case.key).collect();
        self.keyring().keys(&keys).await?;
        let handing = taken.iter().map(|row| {
            let (backend, row, case) = (self.clone(), row.clone(), cases.remove(&row.id));
            async move {
                let id = row.id;
                let work = async move { backend.hand_over_to_registrant(&row, case).await };
                // Each on a thread of its own choosing: putting mails together is work for every core there is.
                let handed = tokio::spawn(declared::serving(declared::purposes(), work));
                (id, handed.await.unwrap_or_else(|error| Err(Error::fault("put a mail together", error))))
            }
        });
        let handing: Vec<_> = handing.collect();
        let handed: Vec<(MailId, Result<Handed>)> =
            futures::stream::iter(handing).buffer_unordered(::mail::CONNECTIONS).collect().await;
        let now = self.now();
        let mut failed = None;
        let (mut sent, mut nobody) = (Vec::new(), Vec::new());
        let mut later: HashMap<Moment, Vec<MailId>> = HashMap::new();
        let again = now.plus_seconds(AGAIN_SECONDS);
        let mut refused = Vec::new();
        for (id, handed) in handed {
            match handed {
                Ok(Handed::Taken) => sent.push(id),
                Ok(Handed::Later(_, at)) => later.entry(at.unwrap_or(again)).or_default().push(id),
                Ok(Handed::Refused(said, consequence)) => refused.push((id, said, consequence)),
                Ok(Handed::Nobody) => nobody.push(id),
                Err(error) => {
                    later.entry(again).or_default().push(id);
                    failed = Some(error);
                }
            }
        }
        let transaction = self.db().begin().await?;
        queries::mark_sent(&transaction, &sent, now).await?;
        for (at, ids) in &later {
            queries::put_off(&transaction, ids, *at).await?;
        }
        let reason = domain::sequence::DropReason::Erased;
        queries::end_taken(&transaction, &nobody, Row::Dropped { reason, at: now }).await?;
        transaction.commit().await?;
        // What was sent is written down by now, whatever happens to those that were refused.
        for (id, said, consequence) in &refused {
            let transaction = self.db().begin().await?;
            mails::settle(&transaction, *id, "sending", "failed", Some(said), None).await?;
            if let Some(row) = taken.iter().find(|row| row.id == *id) {
                self.judge_answer(&transaction, row, *consequence, said).await?;
            }
            transaction.commit().await?;
        }
        self.mail_settled().notify_waiters();
        match failed {
            // One that cannot be put together keeps no other one waiting; it is tried again while it is of use.
            Some(error) => {
                tracing::error!(error = crate::error::chain(&error), "a mail could not be put together");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What becomes of each mail of a registration whose time has come.
fn judge(
    facts: &BookingFacts,
    standing: Option<&Standing>,
    webinars: &Webinars,
    rows: &[mail::Model],
    now: Moment,
) -> Vec<(MailId, Judged)> {
    let is_due = |row: &&mail::Model| row.state == "waiting" && row.due_at.is_some_and(|at| at <= now);
    let all = |what: Judged| rows.iter().filter(is_due).map(|row| (row.id, what)).collect();
    let Some(standing) = standing else {
        let reason = domain::sequence::DropReason::Erased;
        return all(Judged::Ends(Row::Dropped { reason, at: now }));
    };
    if standing.person == SubjectState::Restricted || standing.account != AccountState::Active {
        return all(Judged::Holds);
    }
    let Some((state, is_closed_now, templates)) = webinars.0.get(&facts.webinar_id) else {
        let reason = domain::sequence::DropReason::WebinarClosed;
        return all(Judged::Ends(Row::Dropped { reason, at: now }));
    };
    let facts_now = facts_now(facts, standing, (*state, *is_closed_now), now);
    let is_notice = |row: &&mail::Model| row.template_id.is_none();
    let notices = rows.iter().filter(is_due).filter(is_notice);
    let notices: Vec<(MailId, Judged)> =
        notices.map(|row| (row.id, judge_notice(row, facts, &facts_now, now))).collect();
    let behaviour = behaviour_of(facts);
    let waiting: Vec<(&mail::Model, &Template<_>)> = rows
        .iter()
        .filter(|row| row.state == "waiting")
        .filter_map(|row| Some((row, templates.iter().find(|one| Some(one.id) == row.template_id)?)))
        .collect();
    let due_rows: Vec<DueRow<'_, MailId>> = waiting
        .iter()
        .filter_map(|(row, template)| {
            let looked_at = row.due_at?;
            Some(DueRow {
                id: row.id,
                timing: template.timing,
                segment: &template.segment,
                // One that was put off is not due, whatever its time.
                send_at: if looked_at > now { looked_at } else { row.send_at? },
                useful_until: row.useful_until_at?,
                verdict: template.verdict_until_final(&facts_now, &behaviour, facts.finalised_at.is_some()),
            })
        })
        .collect();
    let is_follow_up = |row: &&mail::Model| {
        templates.iter().any(|one| Some(one.id) == row.template_id && one.timing.kind() == TimingKind::After)
    };
    // One on its way is as good as there.
    let went = |row: &&mail::Model| matches!(row.state.as_str(), "sent" | "sending");
    let last = rows.iter().filter(went).filter(is_follow_up).filter_map(|row| row.sent_at).max();
    let decided = due(&due_rows, last, now).into_iter().map(|(id, decision)| {
        let judged = match decision {
            Decision::Send => Judged::Goes,
            Decision::Later { at } => Judged::Waits(at),
            Decision::Drop(reason) => Judged::Ends(Row::Dropped { reason, at: now }),
            Decision::Expired => Judged::Ends(Row::Expired { at: now }),
            Decision::Superseded => Judged::Ends(Row::Superseded { at: now }),
        };
        (id, judged)
    });
    let mut judged: Vec<(MailId, Judged)> = decided.chain(notices).collect();
    // Of a template that is gone.
    let is_known = |row: &&mail::Model| waiting.iter().any(|(known, _)| known.id == row.id);
    let orphans = rows.iter().filter(is_due).filter(|row| !is_notice(row) && !is_known(row));
    let removed = Row::Skipped(domain::sequence::SkipReason::Removed);
    judged.extend(orphans.map(|row| (row.id, Judged::Ends(removed))));
    judged
}

/// The note of mail that waits with its person.
const RESTS: &str = "Waits, as long as the restriction lasts.";

/// What judging asks about webinars: their state, whether they are closed, and their mails.
struct Webinars(HashMap<WebinarId, (WebinarState, bool, Vec<Template<MailTemplateId>>)>);

impl Webinars {
    async fn of(conn: &impl sea_orm::ConnectionTrait, bookings: &[BookingFacts]) -> Result<Self> {
        let mut known = HashMap::new();
        for facts in bookings {
            if known.contains_key(&facts.webinar_id) {
                continue;
            }
            let Some(webinar) = webinars::webinar(conn, facts.coach_id, facts.webinar_id).await? else { continue };
            let templates = queries::templates(conn, facts.webinar_id).await?;
            let templates = templates.iter().map(template_of).collect::<Result<Vec<_>>>()?;
            known.insert(facts.webinar_id, (state_of(&webinar)?, webinar.closed_at.is_some(), templates));
        }
        Ok(Self(known))
    }
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Goes,
    Holds,
    Waits(Moment),
    Ends(Row),
}

fn facts_now(
    facts: &BookingFacts,
    standing: &Standing,
    (webinar, is_closed_now): (WebinarState, bool),
    now: Moment,
) -> Facts {
    Facts {
        person: Some(standing.person),
        suppression: standing.marks.suppression,
        is_unsubscribed: standing.marks.objected,
        has_withdrawn: !standing.agreed,
        is_session_cancelled: facts.cancelled_at.is_some(),
        webinar,
        is_closed_now,
        agreed_to_promotion: standing.agreed_to_offers,
        has_converted: false,
        is_in_the_room: !is_idle(facts.last_credit_at, now),
    }
}

/// Whether somebody is told now what became of their session. By the time it goes they may be on another one.
fn judge_notice(row: &mail::Model, facts: &BookingFacts, facts_now: &Facts, now: Moment) -> Judged {
    let (purpose, is_so) = match row.template.as_str() {
        SESSION_CALLED_OFF => (Purpose::Cancellation, facts.cancelled_at.is_some()),
        NEW_DATES => (Purpose::Confirmation, facts.kind == WAITING),
        _ => (Purpose::Confirmation, facts.cancelled_at.is_none()),
    };
    match may_send(purpose, facts_now) {
        Verdict::Drop(reason) => Judged::Ends(Row::Dropped { reason, at: now }),
        Verdict::Send | Verdict::Wait if !is_so => Judged::Ends(Row::Superseded { at: now }),
        Verdict::Send | Verdict::Wait if row.useful_until_at.is_some_and(|until| until < now) => {
            Judged::Ends(Row::Expired { at: now })
        }
        Verdict::Send | Verdict::Wait => Judged::Goes,
    }
}

fn behaviour_of(facts: &BookingFacts) -> Behaviour {
    let joined = facts.first_played_at.zip(facts.starts_at);
    let is_on_demand = facts.starts_at.is_none();
    Behaviour {
        status: Attendance::from_stored(&facts.outcome).unwrap_or(Attendance::Registered),
        percent: f64::from(facts.percent_milli) / 1_000.0,
        furthest_seconds: facts.first_played_at.map(|_| facts.furthest_ms as f64 / 1_000.0),
        joined_after_seconds: joined.map(|(played, starts)| played.seconds_since(starts)),
        has_opened_on_demand: is_on_demand && facts.first_played_at.is_some(),
        ..Behaviour::default()
    }
}
