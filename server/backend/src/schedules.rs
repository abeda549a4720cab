//! When a webinar takes place, as its coach sets and sees it.
//!
//! A changed rule never touches a session somebody has booked: those are rows of their own, made at the first booking.

mod changing;

use domain::ids::{ScheduleRuleId, WebinarId};
use domain::schedule::{
    BookedSession, ChangedDate, Coming, ExtraDate, MAX_RULES, MOST_OFFERED, MoveForm, PreviewLine, Repeats, Rule,
    RuleForm, RuleView, Schedule, ScheduleForm, ScheduleView, SessionName, Timed, Zones, describe_rule, occurrences,
    resolve, shift_text, wall_text,
};
use domain::webinar::SessionKind;
use domain::{Moment, Refusal, RefusalKind};
use jiff::civil::DateTime;
use persistence::entities::{session, webinar};
use persistence::{schedules as queries, webinars};

use crate::registrations::slots::StoredSchedule;
use crate::rights::fence::hold_changeable;
use crate::webinars::kind_of;
use crate::zones::{Bundled, in_one_line, is_zone, spelt, time_zones, wall_at};
use crate::{Backend, Coach, Result};

/// How far ahead the preview looks: a monthly rule has a year to show itself.
const PREVIEW_DAYS: i64 = 366;

/// The next sessions at set times, in order, as somebody in `zone` meets them.
fn coming(stored: &StoredSchedule, zone: &str, from: Moment) -> Vec<Coming> {
    let span = (from, from.plus_days(PREVIEW_DAYS));
    let mut found = stored.schedule.coming(zone, &Bundled, span, usize::MAX);
    found.dedup_by_key(|one| one.session.starts_at);
    found
}

/// The form to move what this wall shows, in this zone.
fn move_form(wall: DateTime, zone: String) -> MoveForm {
    let at = wall.strftime("%H:%M").to_string();
    MoveForm { date: wall.date().to_string(), at, zone, note: String::new() }
}

/// Single dates to come that were changed by hand, in order.
fn changed(schedule: &Schedule, zone: &str, now: Moment) -> Vec<ChangedDate> {
    let everywhere = |wall| format!("{} in each visitor’s own zone", wall_text(wall));
    let mut all: Vec<(Moment, ChangedDate)> = Vec::new();
    for off in schedule.called_off.iter().filter(|off| off.is_ahead(now)) {
        let text = match (off.wall, &off.zone) {
            (Some(wall), _) => everywhere(wall),
            (None, own) => in_one_line(off.starts_at, own.as_deref().unwrap_or(zone)),
        };
        all.push((off.starts_at, ChangedDate { name: off.name(), text, is_off: true }));
    }
    for date in &schedule.extra {
        let Some(starts_at) = starts_at(date, zone) else { continue };
        let floating = date.zone.is_none().then_some((zone, date.wall()));
        if starts_at > now && !schedule.is_called_off(starts_at, floating) {
            let text = if floating.is_some() { everywhere(date.wall()) } else { in_one_line(starts_at, zone) };
            all.push((starts_at, ChangedDate { name: date.name(), text, is_off: false }));
        }
    }
    all.sort_by_key(|(starts_at, _)| *starts_at);
    all.into_iter().map(|(_, date)| date).collect()
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
        note: clocks_changed(row, &own_zone, wall),
        text: in_one_line(row.starts_at?, zone),
        own_text: (own_zone != zone).then(|| format!("{} in {}", wall_text(wall), own_zone.replace('_', " "))),
        people,
        form: move_form(wall, own_zone),
    })
}

/// When a single date starts for somebody in `viewer`, if there is such a zone.
fn starts_at(date: &ExtraDate, viewer: &str) -> Option<Moment> {
    let zone = Bundled.zone(date.zone.as_deref().unwrap_or(viewer))?;
    Some(resolve(date.wall(), &zone)?.0)
}

/// What a coach is told when a government has changed the clocks since people booked: they were promised a moment, so
/// that stays, and the wall shows another time then (product.md §4.1).
fn clocks_changed(row: &session::Model, own_zone: &str, wall: DateTime) -> Option<String> {
    let promised: DateTime = row.wall_time.as_deref()?.parse().ok()?;
    let (starts_at, _) = resolve(promised, &Bundled.zone(own_zone)?)?;
    (Some(starts_at) != row.starts_at).then(|| {
        format!(
            "The rules for clocks in {} have changed since people booked this for {}. It stays at the moment they were \
             promised, which is {} there now. Move it if that does not suit you.",
            own_zone.replace('_', " "),
            wall_text(promised),
            wall_text(wall)
        )
    })
}

/// What the publish check wants to know of a webinar's times: whether anybody could come, and how many sessions of the
/// next year a change of the clocks moves.
pub(crate) fn facts_of(stored: &StoredSchedule, now: Moment) -> (bool, usize) {
    let coming = coming(stored, stored.own_zone(), now);
    let just_in_time = stored.schedule.rules.iter().any(|rule| matches!(rule, Rule::JustInTime(_)));
    let shifted = coming.iter().filter(|one| one.session.shift.is_some()).count();
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
        let line = |one: Coming| {
            let Coming { session: one, floats, .. } = one;
            let here = booked.iter().filter(|(session, _)| session.starts_at == Some(one.starts_at));
            let booked = here.map(|(_, people)| people).sum();
            let name = SessionName::Yielded { starts_at: one.starts_at, zone: floats.then(|| one.zone.clone()) };
            PreviewLine {
                starts_at: one.starts_at,
                text: in_one_line(one.starts_at, &zone),
                own_text: (one.zone != zone)
                    .then(|| format!("{} in {}", wall_text(one.wall), one.zone.replace('_', " "))),
                note: one.shift.map(shift_text),
                booked,
                name: name.to_string(),
                form: move_form(one.wall, if floats { String::new() } else { one.zone }),
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
            changed: changed(&stored.schedule, &zone, now),
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
        if let Rule::Timed(Timed { repeats: Repeats::Dates { dates }, at, zone }) = &rule {
            let mut schedule = StoredSchedule::of(&row, &[])?.schedule;
            let named = dates.iter().map(|date| ExtraDate { date: *date, at: *at, zone: zone.clone() });
            let named: Vec<(Moment, ExtraDate)> =
                named.filter_map(|date| Some((starts_at(&date, "UTC")?, date))).collect();
            let before = schedule.called_off.len();
            schedule.called_off.retain(|off| !named.iter().any(|(starts_at, date)| off.is_undone_by(*starts_at, date)));
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
        let Schedule { called_off, extra, .. } = stored.schedule;
        let settings = serde_json::to_string(&Schedule { called_off, extra, ..schedule })?;
        let now = self.backend.now();
        queries::save_settings(&transaction, self.id, id, &settings, now).await?;
        self.backend.tell_waiting(&transaction, (self.id, id), now).await?;
        transaction.commit().await?;
        self.backend.wake_worker();
        Ok(())
    }
}
