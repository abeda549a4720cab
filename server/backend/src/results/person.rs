//! One registrant: everything known, in the order it happened.

use std::collections::HashMap;

use domain::fence::{NEW_DATES, SESSION_CALLED_OFF, SESSION_MOVED, WAITING_LIST};
use domain::ids::{MailTemplateId, RegistrationId, WebinarId};
use domain::results::{RegistrantRow, RegistrantView, TimelineEntry};
use domain::sequence::{Row, Suppression, Timing};
use domain::watching::{Attendance, WatchMap};
use domain::webinar::RegistrationField;
use domain::{Moment, Refusal, RefusalKind};
use persistence::results::{self as queries, TimelineRows};
use persistence::sealed::Standing;
use persistence::{bounces, registrations};

use crate::rights::fence::{being_erased, hold_changeable, rests};
use crate::{Coach, Result};

/// Cells of the wide strip.
const WIDE_CELLS: usize = 240;

impl Coach {
    /// Everything about one registrant.
    ///
    /// # Errors
    /// Refuses a booking that is not hers, in the same words as one that does not exist.
    pub async fn registrant(&self, webinar: WebinarId, id: RegistrationId) -> Result<RegistrantView> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let sheet = self.sheet(webinar).await?;
        let found = registrations::registration(reader, self.id, webinar, id).await?.ok_or_else(Refusal::not_found)?;
        let booking = match found {
            Standing::Active(booking) => booking.into_inner(),
            Standing::Restricted(_) => return self.masked(webinar, id, sheet.title).await,
            Standing::Erasing => return Err(Refusal::not_found().into()),
        };
        let rows = queries::people(reader, self.id, webinar, &[id]).await?;
        let maps = queries::maps_of(reader, self.id, &[id]).await?;
        let entry = backend.entries(&sheet, &rows, &maps).await?.pop().ok_or_else(Refusal::not_found)?;
        let duration_seconds = booking
            .current_video_id
            .and_then(|video| sheet.durations.get(&video).copied())
            .unwrap_or(sheet.current_duration);
        let map = entry.map.unwrap_or_else(|| WatchMap::empty(duration_seconds));
        let answers = [RegistrationField::Company, RegistrationField::Phone]
            .into_iter()
            .filter_map(|field| Some((field.label().to_owned(), entry.answers.get(field)?.to_owned())))
            .collect();
        let rows = queries::timeline(reader, self.id, id).await?;
        let templates = persistence::sequences::templates(reader, webinar).await?;
        let labels = templates.iter().filter_map(|row| {
            let timing = Timing::from_stored(&row.timing, row.minutes)?;
            Some((row.id, timing.label()))
        });
        let labels = labels.collect();
        Ok(RegistrantView {
            row: entry.row,
            webinar,
            title: sheet.title,
            answers,
            wide_strip: map.strip(WIDE_CELLS),
            duration_seconds,
            furthest_seconds: booking.furthest_ms as f64 / 1000.0,
            hidden_seconds: booking.hidden_ms as f64 / 1000.0,
            device: booking.device.clone(),
            source: entry.source,
            timeline: timeline((booking.registered_at, booking.proven_at), rows, &labels),
            room_url: backend.config().absolute(&backend.shown_room_path(booking.id, booking.link_version)),
            suppression: bounces::marks(reader, self.id, booking.subject_id, backend.now()).await?.suppression,
        })
    }

    /// Writes again to an address that did not take mail: the mailbox was emptied, or the person said so.
    ///
    /// # Errors
    /// Refuses a booking that is not hers, one of a person whose data rests, and one who reported a mail.
    pub async fn try_address_again(&self, webinar: WebinarId, id: RegistrationId) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let found = registrations::registration(&transaction, self.id, webinar, id).await?;
        let found = match found.ok_or_else(Refusal::not_found)? {
            Standing::Active(found) => found.into_inner(),
            Standing::Restricted(_) => return Err(rests().into()),
            Standing::Erasing => return Err(being_erased().into()),
        };
        persistence::rights::hold_subject(&transaction, self.id, found.subject_id).await?;
        let marks = bounces::marks(&transaction, self.id, found.subject_id, self.backend.now()).await?;
        if marks.suppression == Some(Suppression::Complained) {
            let message = "This person reported a mail of yours as unwanted. Only they can change that.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        bounces::try_again(&transaction, self.id, found.subject_id).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Somebody whose data rests: that they are registered, and nothing more.
    async fn masked(&self, webinar: WebinarId, id: RegistrationId, title: String) -> Result<RegistrantView> {
        let found = queries::masked(self.backend.db().reader(), self.id, webinar, &[id]).await?;
        let masked = found.first().ok_or_else(Refusal::not_found)?;
        Ok(RegistrantView {
            row: RegistrantRow::masked(masked.id, masked.registered_at),
            webinar,
            title,
            answers: Vec::new(),
            wide_strip: Vec::new(),
            duration_seconds: 0.0,
            furthest_seconds: 0.0,
            hidden_seconds: 0.0,
            device: String::new(),
            source: String::new(),
            timeline: Vec::new(),
            room_url: String::new(),
            suppression: None,
        })
    }
}

/// What a mail is called on the timeline; `when` is the label of its template's timing.
fn name_of(mail: &persistence::entities::mail::Model, when: Option<&str>) -> String {
    match (mail.template.as_str(), when) {
        ("registration_confirmed", _) => "Confirmation mailed".to_owned(),
        ("registration_link", _) => "Link mailed again".to_owned(),
        (SESSION_MOVED, _) => "Told of the new time".to_owned(),
        (WAITING_LIST, _) => "Told that they are on the list for new dates".to_owned(),
        (NEW_DATES, _) => "Told of new dates".to_owned(),
        (SESSION_CALLED_OFF, _) => "Told that it is called off".to_owned(),
        ("reminder", Some(when)) => format!("Reminder, {when}"),
        ("reminder", None) => "Reminder".to_owned(),
        (_, Some(when)) => format!("Follow-up, {when}"),
        ("follow_up", None) => "Follow-up".to_owned(),
        _ => "Mail about their data".to_owned(),
    }
}

fn timeline(
    (registered_at, proven_at): (Moment, Option<Moment>),
    rows: TimelineRows,
    labels: &HashMap<MailTemplateId, String>,
) -> Vec<TimelineEntry> {
    let entry = |at: Moment, what: String, detail: Option<String>| TimelineEntry { at, what, detail };
    let mut entries = vec![entry(registered_at, "Registered".to_owned(), None)];
    if let Some(at) = proven_at {
        let why = "They came by a mailed link and pressed something there.".to_owned();
        entries.push(entry(at, "Showed that the address is theirs".to_owned(), Some(why)));
    }
    for view in rows.views {
        let what = if view.first_played_at.is_some() { "Opened the room and played" } else { "Opened the room" };
        entries.push(entry(view.opened_at, what.to_owned(), Some(view.device)));
    }
    for mail in rows.mails {
        let name = name_of(&mail, mail.template_id.and_then(|id| labels.get(&id)).map(String::as_str));
        if let Some(row) = persistence::sequences::row_of(&mail) {
            let (at, what) = match row {
                Row::Waiting { send_at, .. } => (send_at, format!("{name}: planned")),
                Row::Sent { at } => (at, name),
                Row::Dropped { at, .. } | Row::Expired { at } | Row::Superseded { at } => {
                    (at, format!("{name}: not sent"))
                }
                Row::Skipped(_) => (mail.created_at, format!("{name}: not planned")),
            };
            entries.push(entry(at, what, mail.note));
            continue;
        }
        let (at, what) = match (mail.state.as_str(), mail.sent_at) {
            ("sent", Some(at)) => (at, name.to_owned()),
            ("failed", _) => (mail.created_at, format!("{name}: it was refused")),
            ("dropped", _) => (mail.created_at, format!("{name}: not sent any more")),
            _ => (mail.created_at, format!("{name}: on its way")),
        };
        entries.push(entry(at, what, mail.note));
    }
    for change in rows.changes {
        let label = |stored: &str| Attendance::from_stored(stored).map_or("unknown", Attendance::label);
        let why = match change.cause.as_str() {
            "watched" => "by watching",
            "thresholds" => "because you changed what counts",
            "finalised" => "because the link ran out or nothing was played for a day",
            _ => "",
        };
        let what = format!("{} → {}", label(&change.from_status), label(&change.to_status));
        entries.push(entry(change.at, what, (!why.is_empty()).then(|| why.to_owned())));
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries
}
