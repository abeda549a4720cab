//! A coach moves a session with everybody on it, or calls it off.
//!
//! One transaction changes the session, the bookings, the mails that wait and what visitors are offered, and plans one
//! notice per person, so that nobody is reminded of a time that is not, whenever the server dies. Notices are judged when
//! they go, like every mail. Links stay as they are: they lead to the new time, or to other dates. Source: product.md §4.1.

use domain::fence::{NEW_DATES, SESSION_CALLED_OFF, SESSION_MOVED};
use domain::ids::{CoachId, WebinarId};
use domain::schedule::{CalledOff, ExtraDate, MAX_CHANGED_DATES, MoveForm, Offering, Schedule, SessionName, offered};
use domain::sequence::{DropReason, FOLLOW_UP_USEFUL_HOURS};
use domain::stay::Stay;
use domain::webinar::{SessionKind, WebinarState};
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::{session, webinar};
use persistence::schedules::{WantedSession, session_key};
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

/// A session to come that its coach changes.
struct Held {
    webinar: webinar::Model,
    /// Its row, once somebody has booked it.
    session: Option<session::Model>,
    starts_at: Moment,
    /// What is not offered any more.
    off: CalledOff,
    stored: StoredSchedule,
}

impl Coach {
    /// Moves a session to come to another time, with everybody on it. Where people are booked at the new time already,
    /// they come together. One that starts at its time in every zone by itself, and that nobody has booked, does so at
    /// the new time too; `form` is read in the zone it was seen in.
    ///
    /// # Errors
    /// Refuses, by field, a time that is none, has passed or is its own already; a session that has begun, was called
    /// off or is not yielded any more; more than [`MAX_CHANGED_DATES`] changes; and one that is not hers.
    pub async fn move_session(&self, webinar: WebinarId, name: &SessionName, form: &MoveForm) -> Result<()> {
        let (backend, now) = (&self.backend, self.backend.now());
        let transaction = backend.db().begin().await?;
        let held = self.hold_session(&transaction, webinar, name, now).await?;
        let floats = held.off.wall.is_some();
        let mut to = match name {
            SessionName::Yielded { zone: Some(zone), .. } => {
                MoveForm { zone: zone.clone(), ..form.clone() }.parse(&Bundled, now)?
            }
            SessionName::Yielded { .. } | SessionName::Booked(_) => form.parse(&Bundled, now)?,
        };
        let words = form.words()?;
        to.zone = spelt(&to.zone).unwrap_or(to.zone);
        if to.starts_at == held.starts_at {
            return Err(Refusal::field("at", "This is its time already. Nothing was changed.").into());
        }
        if let Some(session) = &held.session {
            let recording = backend.current_recording(&transaction, &held.webinar).await?;
            let stands = Stay::in_a_session(&held.stored.schedule, to.starts_at, whole_seconds(recording.as_ref()));
            let wanted = WantedSession {
                rule: session.schedule_rule_id,
                wall_time: Some(to.wall.to_string()),
                ..WantedSession::scheduled(to.starts_at, &to.zone)
            };
            let people = queries::everybody_on(&transaction, webinar, session.id).await?;
            let target = queries::session_to_move_to(&transaction, webinar, &wanted, words, now).await?;
            queries::move_everybody(&transaction, webinar, session.id, (target, stands), now).await?;
            queries::call_off(&transaction, webinar, session.id, None, now).await?;
            sequences::insert_notices(&transaction, self.id, (SESSION_MOVED, to.starts_at), &people, now).await?;
            for some in people.chunks(PAGE) {
                backend.replan_mails(&transaction, some, Some(now), now).await?;
            }
            backend.wake_for_mail(&transaction, now, now).await?;
        }
        let date = ExtraDate::of(&to, floats);
        self.offer_instead(&transaction, held, Some((to.starts_at, date)), now).await?;
        backend.tell_waiting(&transaction, (self.id, webinar), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Calls a session off. Whoever booked it is told, gets nothing more about it, and is offered other dates by their own
    /// link; nobody else is offered it.
    ///
    /// # Errors
    /// Refuses a session that has begun, was called off already or is not yielded any more, a word that is too long, more
    /// than [`MAX_CHANGED_DATES`] changes, and one that is not hers.
    pub async fn call_off_session(&self, webinar: WebinarId, name: &SessionName, form: &MoveForm) -> Result<()> {
        let (backend, now) = (&self.backend, self.backend.now());
        let transaction = backend.db().begin().await?;
        let held = self.hold_session(&transaction, webinar, name, now).await?;
        let words = form.words()?;
        if let Some(session) = &held.session {
            let people = queries::everybody_on(&transaction, webinar, session.id).await?;
            queries::call_off(&transaction, webinar, session.id, words, now).await?;
            sequences::drop_waiting(&transaction, &people, DropReason::SessionCancelled, now).await?;
            let useful_until = now.plus_seconds(FOLLOW_UP_USEFUL_HOURS * 3_600);
            sequences::insert_notices(&transaction, self.id, (SESSION_CALLED_OFF, useful_until), &people, now).await?;
            backend.wake_for_mail(&transaction, now, now).await?;
        }
        self.offer_instead(&transaction, held, None, now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Lets a date take place after all that was called off or moved away: people are offered it again. Whoever was told
    /// that it is off stays told.
    ///
    /// # Errors
    /// Refuses a date that is not called off, and a webinar that is not hers.
    pub async fn bring_back(&self, webinar: WebinarId, name: &str) -> Result<()> {
        self.change_dates(webinar, |schedule| {
            let before = schedule.called_off.len();
            schedule.called_off.retain(|off| off.name() != name);
            schedule.called_off.len() < before
        })
        .await
    }

    /// Takes a date away that takes place besides the rules. People who are booked on it stay booked.
    ///
    /// # Errors
    /// Refuses a date that is not there, and a webinar that is not hers.
    pub async fn remove_date(&self, webinar: WebinarId, name: &str) -> Result<()> {
        self.change_dates(webinar, |schedule| {
            let before = schedule.extra.len();
            schedule.extra.retain(|date| date.name() != name);
            schedule.extra.len() < before
        })
        .await
    }

    async fn change_dates(&self, id: WebinarId, change: impl FnOnce(&mut Schedule) -> bool + Send) -> Result<()> {
        let (backend, now) = (&self.backend, self.backend.now());
        let transaction = backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = webinars::hold(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        let mut schedule = StoredSchedule::of(&row, &[])?.schedule;
        if !change(&mut schedule) {
            return Err(over("This date is not in the list any more. Nothing was changed now.").into());
        }
        queries::save_settings(&transaction, self.id, id, &serde_json::to_string(&schedule)?, now).await?;
        backend.tell_waiting(&transaction, (self.id, id), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    async fn hold_session(
        &self,
        transaction: &DatabaseTransaction,
        webinar: WebinarId,
        name: &SessionName,
        now: Moment,
    ) -> Result<Held> {
        hold_changeable(transaction, self.id).await?;
        let row = webinars::hold(transaction, self.id, webinar).await?.ok_or_else(Refusal::not_found)?;
        let stored = StoredSchedule::of(&row, &queries::rules_of(transaction, webinar).await?)?;
        let begun = || over("This session has begun. Nothing was changed.");
        let (session, off) = match name {
            SessionName::Booked(id) => {
                let session = queries::session_of(transaction, webinar, *id).await?.ok_or_else(Refusal::not_found)?;
                if session.cancelled_at.is_some() {
                    return Err(over("This session was moved or called off already. Nothing was changed now.").into());
                }
                let zone = queries::floating_zone(&session.session_key).map(str::to_owned);
                let starts_at = session.starts_at.ok_or_else(begun)?;
                (Some(session), CalledOff { starts_at, zone, wall: None })
            }
            SessionName::Yielded { starts_at, zone } => {
                let span = (*starts_at, starts_at.plus_seconds(1));
                let yielded = stored.schedule.coming(zone.as_deref().unwrap_or("UTC"), &Bundled, span, 1);
                let yielded = yielded.into_iter().find(|one| one.floats == zone.is_some());
                let gone = "This session is not offered any more: it was moved or called off, or its rule is gone. \
                            Nothing was changed.";
                let yielded = yielded.ok_or_else(|| over(gone))?;
                let wall = yielded.floats.then_some(yielded.session.wall);
                let key = session_key(SessionKind::Scheduled.as_str(), *starts_at, "");
                // Somebody may have booked it since the page was read.
                let session = match wall {
                    None => queries::session_with_key(transaction, webinar, &key).await?,
                    Some(_) => None,
                };
                (session, CalledOff { starts_at: *starts_at, zone: None, wall })
            }
        };
        let starts_at = Some(off.starts_at).filter(|starts_at| *starts_at > now).ok_or_else(begun)?;
        Ok(Held { webinar: row, session, starts_at, off, stored })
    }

    /// Visitors are not offered the old time any more; the new one they are, by a date the coach can see and take away.
    /// A rule could not say it everywhere: their number is limited, and days off go for all of them.
    async fn offer_instead(
        &self,
        transaction: &DatabaseTransaction,
        held: Held,
        to: Option<(Moment, ExtraDate)>,
        now: Moment,
    ) -> Result<()> {
        let Held { webinar, off, stored, .. } = held;
        let mut schedule = stored.schedule;
        schedule.called_off.retain(|known| {
            let is_undone = to.as_ref().is_some_and(|(starts_at, date)| known.is_undone_by(*starts_at, date));
            known.is_ahead(now) && !is_undone && *known != off
        });
        schedule.called_off.push(off);
        schedule.extra.retain(|date| date.is_ahead(now));
        if let Some((_, date)) = to.filter(|(_, date)| !schedule.extra.contains(date)) {
            schedule.extra.push(date);
        }
        if schedule.called_off.len().max(schedule.extra.len()) > MAX_CHANGED_DATES {
            return Err(
                over("That are too many single dates. Bring some back that you no longer need to be off.").into()
            );
        }
        let settings = serde_json::to_string(&schedule)?;
        queries::save_settings(transaction, self.id, webinar.id, &settings, now).await?;
        Ok(())
    }
}

fn over(message: &str) -> Refusal {
    Refusal::new(RefusalKind::Conflict, message)
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
