//! A coach moves a session with everybody on it, or calls it off.
//!
//! One transaction changes the session, the bookings, the mails that wait and what visitors are offered, and plans one
//! notice per person, so that nobody is reminded of a time that is not, whenever the server dies. Notices are judged when
//! they go, like every mail. Links stay as they are: they lead to the new time, or to other dates. Source: product.md §4.1.

use domain::fence::{NEW_DATES, SESSION_CALLED_OFF, SESSION_MOVED};
use domain::ids::{CoachId, SessionId, WebinarId};
use domain::schedule::{
    CalledOff, MAX_RULES, MoveForm, MovedTo, Offering, Repeats, Rule, Schedule, Timed, WallTime, occurrences, offered,
};
use domain::sequence::{DropReason, FOLLOW_UP_USEFUL_HOURS};
use domain::stay::Stay;
use domain::webinar::{SessionKind, WebinarState};
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::{session, webinar};
use persistence::schedules::WantedSession;
use persistence::{schedules as queries, sequences, webinars};
use sea_orm::DatabaseTransaction;

use crate::registrations::slots::StoredSchedule;
use crate::registrations::whole_seconds;
use crate::rights::fence::hold_changeable;
use crate::webinars::{kind_of, state_of};
use crate::zones::{Bundled, spelt};
use crate::{Backend, Coach, Result};

/// Bookings whose mails are planned anew with one read.
const PAGE: usize = 1_000;
/// Days for which it is of use to hear of new dates.
const NEW_DATES_DAYS: i64 = 7;

/// A session somebody holds to change it.
struct Held {
    webinar: webinar::Model,
    session: session::Model,
    starts_at: Moment,
    stored: StoredSchedule,
}

impl Coach {
    /// Moves a session to come to another time, with everybody on it. Where people are booked at the new time already,
    /// they come together.
    ///
    /// # Errors
    /// Refuses, by field, a time that is none, has passed or is its own already; a session that has begun or was called
    /// off; and one that is not hers.
    pub async fn move_session(&self, webinar: WebinarId, id: SessionId, form: &MoveForm) -> Result<()> {
        let (backend, now) = (&self.backend, self.backend.now());
        let transaction = backend.db().begin().await?;
        let held = self.hold_session(&transaction, webinar, id, now).await?;
        let (mut to, words) = (form.parse(&Bundled, now)?, form.words()?);
        to.zone = spelt(&to.zone).unwrap_or(to.zone);
        if to.starts_at == held.starts_at {
            return Err(Refusal::field("at", "This is its time already. Nothing was changed.").into());
        }
        let recording = backend.current_recording(&transaction, &held.webinar).await?;
        let stands = Stay::in_a_session(&held.stored.schedule, to.starts_at, whole_seconds(recording.as_ref()));
        let wanted = WantedSession {
            rule: held.session.schedule_rule_id,
            wall_time: Some(to.wall.to_string()),
            ..WantedSession::scheduled(to.starts_at, &to.zone)
        };
        let people = queries::everybody_on(&transaction, webinar, id).await?;
        let target = queries::session_to_move_to(&transaction, webinar, &wanted, words, now).await?;
        queries::move_everybody(&transaction, webinar, id, (target, stands), now).await?;
        queries::call_off(&transaction, webinar, id, None, now).await?;
        self.offer_instead(&transaction, &held, Some(&to), now).await?;
        sequences::insert_notices(&transaction, self.id, (SESSION_MOVED, to.starts_at), &people, now).await?;
        for some in people.chunks(PAGE) {
            backend.replan_mails(&transaction, some, Some(now), now).await?;
        }
        backend.wake_for_mail(&transaction, now, now).await?;
        backend.tell_waiting(&transaction, (self.id, webinar), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Calls a session off. Whoever booked it is told, gets nothing more about it, and is offered other dates by their own
    /// link.
    ///
    /// # Errors
    /// Refuses a session that has begun or was called off already, a word that is too long, and one that is not hers.
    pub async fn call_off_session(&self, webinar: WebinarId, id: SessionId, form: &MoveForm) -> Result<()> {
        let (backend, now) = (&self.backend, self.backend.now());
        let transaction = backend.db().begin().await?;
        let held = self.hold_session(&transaction, webinar, id, now).await?;
        let words = form.words()?;
        let people = queries::everybody_on(&transaction, webinar, id).await?;
        queries::call_off(&transaction, webinar, id, words, now).await?;
        self.offer_instead(&transaction, &held, None, now).await?;
        sequences::drop_waiting(&transaction, &people, DropReason::SessionCancelled, now).await?;
        let useful_until = now.plus_seconds(FOLLOW_UP_USEFUL_HOURS * 3_600);
        sequences::insert_notices(&transaction, self.id, (SESSION_CALLED_OFF, useful_until), &people, now).await?;
        backend.wake_for_mail(&transaction, now, now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    async fn hold_session(
        &self,
        transaction: &DatabaseTransaction,
        webinar: WebinarId,
        id: SessionId,
        now: Moment,
    ) -> Result<Held> {
        hold_changeable(transaction, self.id).await?;
        let row = webinars::hold(transaction, self.id, webinar).await?.ok_or_else(Refusal::not_found)?;
        let session = queries::session_of(transaction, webinar, id).await?.ok_or_else(Refusal::not_found)?;
        let over = |message: &str| Refusal::new(RefusalKind::Conflict, message);
        if session.cancelled_at.is_some() {
            return Err(over("This session was moved or called off already. Nothing was changed now.").into());
        }
        let starts_at = session.starts_at.filter(|starts_at| *starts_at > now);
        let starts_at = starts_at.ok_or_else(|| over("This session has begun. Nothing was changed."))?;
        let stored = StoredSchedule::of(&row, &queries::rules_of(transaction, webinar).await?)?;
        Ok(Held { webinar: row, session, starts_at, stored })
    }

    /// Visitors are not offered the old time any more; the new one they are, by a rule the coach can see and take away.
    async fn offer_instead(
        &self,
        transaction: &DatabaseTransaction,
        held: &Held,
        to: Option<&MovedTo>,
        now: Moment,
    ) -> Result<()> {
        let mut schedule = held.stored.schedule.clone();
        schedule.called_off.retain(|off| {
            off.starts_at > now && to.is_none_or(|to| off.zone.is_some() || to.starts_at != off.starts_at)
        });
        let zone = queries::floating_zone(&held.session.session_key).map(str::to_owned);
        schedule.called_off.push(CalledOff { starts_at: held.starts_at, zone });
        let settings = serde_json::to_string(&schedule)?;
        queries::save_settings(transaction, self.id, held.webinar.id, &settings, now).await?;
        let Some(to) = to.filter(|to| !yields(&schedule, to)) else { return Ok(()) };
        if let Some(at) = WallTime::parse(&to.wall.strftime("%H:%M").to_string())
            && schedule.rules.len() < MAX_RULES
        {
            let repeats = Repeats::Dates { dates: vec![to.wall.date()] };
            let rule = Rule::Timed(Timed { repeats, at, zone: Some(to.zone.clone()) });
            queries::insert_rule(transaction, held.webinar.id, &rule, now).await?;
        }
        Ok(())
    }
}

/// Whether a rule yields this start by itself.
fn yields(schedule: &Schedule, to: &MovedTo) -> bool {
    let span = (to.starts_at, to.starts_at.plus_seconds(1));
    schedule.rules.iter().any(|rule| match rule {
        Rule::Timed(timed) if timed.zone.is_some() => {
            occurrences(timed, &to.zone, &schedule.blackouts, &Bundled, span).next().is_some()
        }
        Rule::Timed(_) | Rule::JustInTime(_) => false,
    })
}

impl Backend {
    /// Tells everybody who waits for a date of any webinar that has come within reach: a rule may yield its next one weeks
    /// after it was made.
    pub(crate) async fn tell_all_waiting(&self) -> Result<()> {
        for (coach, webinar) in queries::waited_for(self.db().reader()).await? {
            let transaction = self.db().begin().await?;
            if hold_changeable(&transaction, coach).await.is_ok() {
                self.tell_waiting(&transaction, (coach, webinar), self.now()).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Tells those who wait for a date of a webinar that there are some, if there are: once, as they were promised.
    pub(crate) async fn tell_waiting(
        &self,
        transaction: &DatabaseTransaction,
        (coach, webinar): (CoachId, WebinarId),
        now: Moment,
    ) -> Result<()> {
        let Some(row) = webinars::hold(transaction, coach, webinar).await? else { return Ok(()) };
        let people = queries::waiting_for_a_date(transaction, webinar).await?;
        if people.is_empty() {
            return Ok(());
        }
        let stored = StoredSchedule::of(&row, &queries::rules_of(transaction, webinar).await?)?;
        let is_open = state_of(&row)? == WebinarState::Published && row.closed_at.is_none();
        let has_dates = kind_of(&row)? != SessionKind::Scheduled
            || stored.schedule.on_demand
            || !offered(&stored.schedule, &Bundled, Offering { viewer: stored.own_zone(), now }).is_empty();
        if is_open && has_dates {
            let useful_until = now.plus_days(NEW_DATES_DAYS);
            sequences::insert_notices(transaction, coach, (NEW_DATES, useful_until), &people, now).await?;
            self.wake_for_mail(transaction, now, now).await?;
        }
        Ok(())
    }
}
