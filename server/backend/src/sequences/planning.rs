//! Which mails somebody gets, and when: planned with the booking, and again when anything it depends on changes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::Moment;
use domain::ids::{MailId, MailTemplateId, RegistrationId, WebinarId};
use domain::sequence::{Booking, BookingKind, Row, Template, Timing, default_set, replan};
use domain::stay::Stay;
use persistence::entities::{mail, mail_template};
use persistence::schedules::WAITING;
use persistence::sequences::{self as queries, BookingFacts, NewPlanned};
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::{SEND_DUE_MAILS, template_of};
use crate::{Backend, Result};

/// Registrations planned with one read.
const PAGE: u64 = 1_000;

/// What a plan depends on. `chosen_at`: when the person took the session they are booked on.
fn booking_of(facts: &BookingFacts, chosen_at: Moment) -> Booking {
    // What is asked of it here does not depend on when the link runs out.
    let stay = Stay { expires_at: chosen_at, finalises_at: facts.finalises_at };
    Booking {
        registered_at: chosen_at,
        confirmed_at: chosen_at,
        kind: BookingKind::from_stored(&facts.kind).unwrap_or(BookingKind::OnDemand),
        starts_at: facts.starts_at,
        ends_at: stay.over_at(facts.finalised_at),
    }
}

/// What changes of somebody's rows.
#[derive(Default)]
struct Changes {
    new: Vec<NewPlanned>,
    changed: HashMap<MailId, Row>,
}

impl Changes {
    /// Plans one template for one registration. A mail that is on its way or in other hands is left alone.
    fn plan(
        &mut self,
        facts: &BookingFacts,
        (template, id): (Option<&Template<MailTemplateId>>, MailTemplateId),
        stored: Option<&mail::Model>,
        (chosen_at, now): (Moment, Moment),
    ) {
        if facts.kind == WAITING {
            return;
        }
        let row = match stored {
            None => None,
            Some(stored) => match queries::row_of(stored) {
                Some(row) => Some(row),
                None => return,
            },
        };
        let Some(planned) = replan(row, template, &booking_of(facts, chosen_at), now) else { return };
        match (stored, template) {
            (Some(stored), _) if row != Some(planned) => {
                self.changed.insert(stored.id, planned);
            }
            (None, Some(template)) => self.new.push(NewPlanned {
                coach: facts.coach_id,
                registration: facts.id,
                template: id,
                purpose: template.purpose(),
                row: planned,
            }),
            _ => {}
        }
    }

    fn first_due(&self) -> Option<Moment> {
        let rows = self.new.iter().map(|new| &new.row).chain(self.changed.values());
        rows.filter_map(|row| match row {
            Row::Waiting { send_at, .. } => Some(*send_at),
            _ => None,
        })
        .min()
    }

    async fn write(self, backend: &Backend, conn: &impl ConnectionTrait, now: Moment) -> Result<()> {
        let first = self.first_due();
        queries::insert_planned(conn, &self.new, now).await?;
        // Many get the same: written together.
        let mut alike: Vec<(Row, Vec<MailId>)> = Vec::new();
        for (id, row) in self.changed {
            match alike.iter_mut().find(|(known, _)| *known == row) {
                Some((_, ids)) => ids.push(id),
                None => alike.push((row, vec![id])),
            }
        }
        for (row, ids) in alike {
            queries::set_rows(conn, &ids, row).await?;
        }
        match first {
            Some(at) => backend.wake_for_mail(conn, at, now).await,
            None => Ok(()),
        }
    }
}

impl Backend {
    /// The sequence of a webinar; one that has none yet gets the set every webinar starts with.
    pub(crate) async fn sequence(
        &self,
        conn: &impl ConnectionTrait,
        webinar: WebinarId,
        now: Moment,
    ) -> Result<Vec<mail_template::Model>> {
        let known = queries::templates(conn, webinar).await?;
        if !known.is_empty() {
            return Ok(in_order(known));
        }
        queries::insert_templates(conn, first_sequence(webinar, now)?).await?;
        Ok(in_order(queries::templates(conn, webinar).await?))
    }

    /// Plans everything a new registrant gets. Without `is_confirmed` nobody is written to now: the address got as many
    /// mails with a link today as it must bear.
    pub(crate) async fn plan_mails(
        &self,
        conn: &impl ConnectionTrait,
        (webinar, registration): (WebinarId, RegistrationId),
        is_confirmed: bool,
        now: Moment,
    ) -> Result<()> {
        let mut changes = Changes::default();
        for facts in queries::facts_of(conn, &[registration]).await? {
            for row in self.sequence(conn, webinar, now).await? {
                let template = template_of(&row)?;
                if is_confirmed || template.timing != Timing::Confirmation {
                    changes.plan(&facts, (Some(&template), row.id), None, (facts.registered_at, now));
                }
            }
        }
        changes.write(self, conn, now).await
    }

    /// Plans anew what registrants get whose session is another one, or is over. `chosen_at`: when they took it, if that
    /// was not when they registered.
    pub(crate) async fn replan_mails(
        &self,
        conn: &impl ConnectionTrait,
        registrations: &[RegistrationId],
        chosen_at: Option<Moment>,
        now: Moment,
    ) -> Result<()> {
        let mut changes = Changes::default();
        let stored = queries::rows_of(conn, registrations).await?;
        let mut sequences: HashMap<WebinarId, Vec<Template<MailTemplateId>>> = HashMap::new();
        for facts in queries::facts_of(conn, registrations).await? {
            if let Entry::Vacant(unread) = sequences.entry(facts.webinar_id) {
                // Whoever waited for a date may be the first one a mail is planned for.
                let rows = self.sequence(conn, facts.webinar_id, now).await?;
                unread.insert(rows.iter().map(template_of).collect::<Result<_>>()?);
            }
            let rows = stored.get(&facts.id).map_or(&[][..], Vec::as_slice);
            for template in sequences.get(&facts.webinar_id).into_iter().flatten() {
                // The confirmation is what registering got, once; another time is told by a mail of its own.
                if template.timing == Timing::Confirmation {
                    continue;
                }
                let row = rows.iter().find(|row| row.template_id == Some(template.id));
                let chosen_at = chosen_at.unwrap_or(facts.registered_at);
                changes.plan(&facts, (Some(template), template.id), row, (chosen_at, now));
            }
        }
        changes.write(self, conn, now).await
    }

    /// Plans one template anew for everybody registered: it was added, moved, switched on or off.
    pub(super) async fn replan_template(
        &self,
        conn: &impl ConnectionTrait,
        row: &mail_template::Model,
        now: Moment,
    ) -> Result<()> {
        let template = template_of(row)?;
        let mut after = None;
        loop {
            let page = queries::facts_after(conn, row.webinar_id, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            let ids: Vec<RegistrationId> = page.iter().map(|facts| facts.id).collect();
            let stored = queries::rows_of_template(conn, row.id, &ids).await?;
            let mut changes = Changes::default();
            for facts in &page {
                // Whoever registered before a confirmation was in the sequence was confirmed by another mail.
                if template.timing == Timing::Confirmation && !stored.contains_key(&facts.id) {
                    continue;
                }
                changes.plan(facts, (Some(&template), row.id), stored.get(&facts.id), (facts.registered_at, now));
            }
            changes.write(self, conn, now).await?;
        }
    }

    /// Sees to it that somebody looks at mail that is due and for which nobody was woken: it waited with its person.
    pub(crate) async fn look_for_due_mails(&self) -> Result<()> {
        let now = self.now();
        if queries::next_look(self.db().reader()).await?.is_some_and(|at| at <= now) {
            let transaction = self.db().begin().await?;
            self.wake_for_mail(&transaction, now, now).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Sees to it that somebody looks when the first mail is due.
    pub(crate) async fn wake_for_mail(&self, conn: &impl ConnectionTrait, at: Moment, now: Moment) -> Result<()> {
        let job = jobs::NewJob {
            kind: SEND_DUE_MAILS,
            payload: serde_json::json!({}),
            run_at: at,
            // Several may be planned for one moment while the look at that moment is over: each asks for its own.
            idempotency_key: None,
            max_attempts: 12,
        };
        jobs::enqueue(conn, job, now).await?;
        Ok(())
    }
}

/// What every webinar starts with. The ids follow from the webinar's, so that a coach who looks before anything is
/// stored sees those that will be.
pub(crate) fn first_sequence(webinar: WebinarId, now: Moment) -> Result<Vec<mail_template::Model>> {
    let rows = default_set().into_iter().enumerate().map(|(place, default)| {
        let digest = Sha256::new().chain_update(webinar.as_bytes()).chain_update(place.to_be_bytes()).finalize();
        let id: [u8; 16] = std::array::from_fn(|at| digest[at]);
        Ok(mail_template::Model {
            id: MailTemplateId(Builder::from_custom_bytes(id).into_uuid()),
            webinar_id: webinar,
            timing: default.timing.kind().as_str().to_owned(),
            minutes: i32::try_from(default.timing.minutes()).unwrap_or(i32::MAX),
            segment: serde_json::to_string(&default.segment)?,
            is_promotional: default.is_promotional,
            is_on: true,
            subject: default.subject.to_owned(),
            body: default.body.to_owned(),
            added_at: now,
            changed_at: now,
        })
    });
    rows.collect()
}

/// As a coach reads them: confirmation, then up to the start, then from the end on.
pub(crate) fn in_order(mut rows: Vec<mail_template::Model>) -> Vec<mail_template::Model> {
    let place = |row: &mail_template::Model| match row.timing.as_str() {
        "confirmation" => (0, 0),
        "before" => (1, -i64::from(row.minutes)),
        _ => (2, i64::from(row.minutes)),
    };
    rows.sort_by_key(|row| (place(row), row.added_at, row.id));
    rows
}
