//! Breaches of personal data: whom one concerns is worked out from the data map, each coach concerned is told at once,
//! the 72 hours towards the authority run, and a register keeps what happened (Art. 33 GDPR, privacy-design §2.6).

use domain::ids::IncidentId;
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::{incident, incident_coach};
use persistence::seats as queries;
use privacy::DataMap;
use privacy::reach::reach;

use super::{Operator, checked_line};
use crate::{Backend, Error, Result};

/// Mail: a breach concerns her or her viewers.
pub(crate) const INCIDENT_FOUND: &str = "rights_incident";
/// Hours within which the authority is told (Art. 33(1)).
pub const REPORT_HOURS: i64 = 72;
const MOST_CHARS: usize = 4_000;

/// What an operator found out.
#[derive(Clone, Debug)]
pub struct Breach {
    /// Which kind of data.
    pub class: String,
    /// From when somebody could get at it.
    pub from: Moment,
    /// Until when.
    pub to: Moment,
    /// What happened, what follows from it, what was done.
    pub summary: String,
}

impl Operator {
    /// The register, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incidents(&self) -> Result<Vec<incident::Model>> {
        Ok(queries::incidents(self.backend.db().reader()).await?)
    }

    /// Enters a breach: finds whom it concerns, tells each coach, and starts the clock.
    ///
    /// # Errors
    /// Refuses a kind the data map does not know, a span that ends before it begins or in the future, and an empty
    /// account of it.
    pub async fn enter_incident(&self, breach: &Breach) -> Result<IncidentId> {
        let backend = &self.backend;
        let now = backend.now();
        if !DataMap::current().classes.contains_key(&breach.class) {
            return Err(Refusal::field("class", "Please choose a kind of data from the list.").into());
        }
        if breach.from > breach.to || breach.to > now {
            return Err(Refusal::field("to", "Please give a time that has begun and ended already.").into());
        }
        let summary = checked_line("summary", &breach.summary, MOST_CHARS)?;
        let found = reach(backend.db().reader(), &breach.class, breach.to).await;
        let found = found.map_err(|error| Error::fault("find whom a breach concerns", error))?;
        let id = IncidentId::new();
        let count = |people: u64| i64::try_from(people).unwrap_or(i64::MAX);
        let row = incident::Model {
            id,
            class: breach.class.clone(),
            from_at: breach.from,
            to_at: breach.to,
            found_at: now,
            report_due_at: now.plus_seconds(REPORT_HOURS * 3_600),
            reported_at: None,
            seat: self.seat,
            summary,
            coaches: count(found.len() as u64),
            people: count(found.values().map(|reach| reach.people).sum()),
        };
        let concerned = found
            .iter()
            .map(|(coach, reach)| incident_coach::Model {
                incident_id: id,
                coach_id: *coach,
                is_own: reach.is_own,
                people: count(reach.people),
                told_at: now,
            })
            .collect();
        let transaction = backend.db().begin().await?;
        queries::insert_incident(&transaction, row, concerned).await?;
        for coach in found.keys() {
            backend.tell_of_account(&transaction, *coach, INCIDENT_FOUND, now).await?;
        }
        transaction.commit().await?;
        backend.wake_worker();
        Ok(id)
    }

    /// Notes that the authority was told.
    ///
    /// # Errors
    /// Refuses a breach that is not there, or of which it was told already.
    pub async fn note_reported(&self, id: IncidentId) -> Result<()> {
        let backend = &self.backend;
        let transaction = backend.db().begin().await?;
        if !queries::note_reported(&transaction, id, backend.now()).await? {
            let message = "There is no such incident, or the authority was told already.";
            return Err(Refusal::new(RefusalKind::NotFound, message).into());
        }
        transaction.commit().await?;
        Ok(())
    }
}

impl Backend {
    /// Rings when a breach is about to be told too late.
    pub(crate) async fn look_after_incidents(&self, now: Moment) -> Result<()> {
        let open = queries::incidents(self.db().reader()).await?;
        let is_late =
            |row: &&incident::Model| row.reported_at.is_none() && row.report_due_at.plus_seconds(-86_400) <= now;
        let late = open.iter().filter(is_late).count();
        metrics::gauge!("incidents_late").set(late as f64);
        if late > 0 {
            tracing::error!(late, "an authority has to be told of a breach within a day");
        }
        Ok(())
    }
}
