//! When a webinar takes place, as its coach sets and sees it.
//!
//! A changed rule never touches a session somebody has booked: those are rows of their own, made at the first booking.

mod changing;

use domain::ids::{ScheduleRuleId, WebinarId};
use domain::schedule::{
    BookedSession, MAX_RULES, MOST_OFFERED, MoveForm, Occurrence, PreviewLine, Repeats, Rule, RuleForm, RuleView,
    Schedule, ScheduleForm, ScheduleView, Timed, describe_rule, occurrences, shift_text, wall_text,
};
use domain::webinar::SessionKind;
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::{session, webinar};
use persistence::{schedules as queries, webinars};

use crate::registrations::slots::StoredSchedule;
use crate::rights::fence::hold_changeable;
use crate::webinars::kind_of;
use crate::zones::{Bundled, in_one_line, is_zone, spelt, time_zones, wall_at};
use crate::{Backend, Coach, Result};

/// How far ahead the preview looks: a monthly rule has a year to show itself.
const PREVIEW_DAYS: i64 = 366;

/// The next sessions of all rules at fixed times, in order, as somebody in `zone` meets them.
fn coming(stored: &StoredSchedule, zone: &str, from: Moment) -> Vec<Occurrence> {
    let span = (from, from.plus_days(PREVIEW_DAYS));
    let mut found: Vec<Occurrence> = Vec::new();
    for rule in &stored.schedule.rules {
        if let Rule::Timed(timed) = rule {
            let yielded = occurrences(timed, zone, &stored.schedule.blackouts, &Bundled, span);
            let floats = timed.zone.is_none();
            found.extend(
                yielded
                    .filter(|one| !stored.schedule.is_called_off(one.starts_at, floats.then_some(one.zone.as_str()))),
            );
        }
    }
    found.sort_by_key(|one| one.starts_at);
    found.dedup_by_key(|one| one.starts_at);
    found
}

/// A session with people on it as its coach sees it; nothing for one without a set time, which cannot be moved.
fn booked_session(row: &session::Model, people: i64, zone: &str) -> Option<BookedSession> {
    if row.kind != SessionKind::Scheduled.as_str() {
        return None;
    }
    let own_zone = row.zone.clone().unwrap_or_else(|| "UTC".to_owned());
    let wall = wall_at(row.starts_at?, &own_zone)?;
    Some(BookedSession {
        id: row.id,
        text: in_one_line(row.starts_at?, zone),
        own_text: (own_zone != zone).then(|| format!("{} in {}", wall_text(wall), own_zone.replace('_', " "))),
        people,
        form: MoveForm {
            date: wall.date().to_string(),
            at: wall.strftime("%H:%M").to_string(),
            zone: own_zone,
            note: String::new(),
        },
    })
}

/// What the publish check wants to know of a webinar's times: whether anybody could come, and how many sessions of the
/// next year a change of the clocks moves.
pub(crate) fn facts_of(stored: &StoredSchedule, now: Moment) -> (bool, usize) {
    let coming = coming(stored, stored.own_zone(), now);
    let just_in_time = stored.schedule.rules.iter().any(|rule| matches!(rule, Rule::JustInTime(_)));
    let shifted = coming.iter().filter(|one| one.shift.is_some()).count();
    (stored.schedule.on_demand || just_in_time || !coming.is_empty(), shifted)
}

impl Backend {
    pub(crate) async fn stored_schedule(&self, row: &webinar::Model) -> Result<StoredSchedule> {
        StoredSchedule::of(row, &queries::rules_of(self.db().reader(), row.id).await?)
    }
}

impl Coach {
    /// Everything the page of times shows, its next sessions in `zone` or, without one, in the coach's own.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn schedule(&self, id: WebinarId, zone: Option<&str>) -> Result<ScheduleView> {
        let row = self.own_webinar(id).await?;
        let stored = self.backend.stored_schedule(&row).await?;
        let zone = match zone.and_then(spelt) {
            Some(zone) => zone,
            None => self.row().await?.time_zone,
        };
        let now = self.backend.now();
        let booked = queries::booked_after(self.backend.db().reader(), id, now).await?;
        let line = |one: Occurrence| {
            let here = booked.iter().filter(|(session, _)| session.starts_at == Some(one.starts_at));
            let booked = here.map(|(_, people)| people).sum();
            PreviewLine {
                starts_at: one.starts_at,
                text: in_one_line(one.starts_at, &zone),
                own_text: (one.zone != zone)
                    .then(|| format!("{} in {}", wall_text(one.wall), one.zone.replace('_', " "))),
                note: one.shift.map(shift_text),
                booked,
            }
        };
        let views = stored.rules.iter().zip(&stored.schedule.rules);
        Ok(ScheduleView {
            title: row.title.clone(),
            is_scheduled: kind_of(&row)? == SessionKind::Scheduled,
            rules: views.map(|(id, rule)| RuleView { id: *id, text: describe_rule(rule) }).collect(),
            form: ScheduleForm::from(&stored.schedule),
            next: coming(&stored, &zone, now).into_iter().take(usize::from(MOST_OFFERED)).map(line).collect(),
            zones: time_zones(),
            booked: booked.iter().filter_map(|(session, people)| booked_session(session, *people, &zone)).collect(),
            zone,
        })
    }

    /// Adds a rule. The first one makes the webinar take place at set times.
    ///
    /// # Errors
    /// Refuses a rule that is impossible, with the field named, one that yields no session any more, more than
    /// [`MAX_RULES`] rules, and a webinar that is not hers.
    pub async fn add_rule(&self, id: WebinarId, form: &RuleForm) -> Result<()> {
        let now = self.backend.now();
        let rule = form.parse(is_zone)?;
        if let Rule::Timed(timed) = &rule {
            let span = (now, now.plus_days(5 * PREVIEW_DAYS));
            if occurrences(timed, "UTC", &[], &Bundled, span).next().is_none() {
                let field = if form.dates.trim().is_empty() { "kind" } else { "dates" };
                let message = "This yields no session in the future. Please choose a later date.";
                return Err(Refusal::field(field, message).into());
            }
        }
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = webinars::hold(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if queries::count_rules(&transaction, id).await? >= MAX_RULES as u64 {
            let message = "A webinar can have 20 rules. Take one away that you no longer need, and try again.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        queries::insert_rule(&transaction, id, &rule, now).await?;
        // A date that is named takes place, whatever was called off before.
        if let Rule::Timed(timed @ Timed { repeats: Repeats::Dates { .. }, zone: Some(zone), .. }) = &rule {
            let mut schedule = StoredSchedule::of(&row, &[])?.schedule;
            let named = |start: Moment| {
                occurrences(timed, zone, &[], &Bundled, (start, start.plus_seconds(1))).next().is_some()
            };
            let before = schedule.called_off.len();
            schedule.called_off.retain(|off| off.zone.is_some() || !named(off.starts_at));
            if schedule.called_off.len() < before {
                queries::save_settings(&transaction, self.id, id, &serde_json::to_string(&schedule)?, now).await?;
            }
        }
        if kind_of(&row)? != SessionKind::Scheduled {
            queries::make_scheduled(&transaction, self.id, id, row.revision, now).await?;
        }
        self.backend.tell_waiting(&transaction, (self.id, id), now).await?;
        transaction.commit().await?;
        self.backend.wake_worker();
        Ok(())
    }

    /// Takes a rule away. People who are booked on one of its sessions stay booked.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers and a rule that is not there.
    pub async fn remove_rule(&self, id: WebinarId, rule: ScheduleRuleId) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        webinars::webinar(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if !queries::delete_rule(&transaction, id, rule).await? {
            return Err(Refusal::not_found().into());
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Saves what goes for every rule.
    ///
    /// # Errors
    /// Refuses a field that is not acceptable, by name, and a webinar that is not hers.
    pub async fn save_schedule(&self, id: WebinarId, form: &ScheduleForm) -> Result<()> {
        let schedule = form.parse(Vec::new())?;
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = webinars::hold(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        let stored = StoredSchedule::of(&row, &[])?;
        let settings = serde_json::to_string(&Schedule { called_off: stored.schedule.called_off, ..schedule })?;
        let now = self.backend.now();
        queries::save_settings(&transaction, self.id, id, &settings, now).await?;
        self.backend.tell_waiting(&transaction, (self.id, id), now).await?;
        transaction.commit().await?;
        self.backend.wake_worker();
        Ok(())
    }
}
