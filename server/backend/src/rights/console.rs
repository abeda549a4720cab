//! Erasures from the command line, for whoever runs the installation: the same requests, the same steps, the same
//! receipt. Whoever sits at the machine has proven more than a mailbox can.

use domain::ids::{CoachId, RequestId, SubjectId};
use domain::rights::{Regime, RequestState, RightKind, SubjectKind};
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::{accounts, registrations, rights as queries};

use super::{Asked, Details, Whose};
use crate::{Backend, Result};

/// Where a request stands, for a listing.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RequestLine {
    /// Its id.
    pub id: RequestId,
    /// Which right.
    pub kind: String,
    /// `coach` or `viewer`.
    pub subject_kind: String,
    /// Where it is.
    pub state: String,
    /// When it came in.
    pub received_at: Moment,
    /// Until when the law wants it done.
    pub due_at: Moment,
    /// When it was over.
    pub completed_at: Option<Moment>,
}

fn nobody() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "Nothing is held under this address.")
}

impl Backend {
    /// Whose data an address means: a coach's account, or a viewer of the coach named.
    pub(super) async fn held_under(
        &self,
        address: &str,
        of_coach: Option<&str>,
    ) -> Result<(CoachId, Option<SubjectId>)> {
        let reader = self.db().reader();
        let address = EmailAddress::parse(address)?.normalised();
        let account = match of_coach {
            Some(coach) => EmailAddress::parse(coach)?.normalised(),
            None => address.clone(),
        };
        let coach = accounts::coach_by_email(reader, &account).await?.ok_or_else(nobody)?;
        if of_coach.is_none() {
            return Ok((coach.id, None));
        }
        let index = self.keyring().pepper(coach.id, self.now()).await?.blind_index(&address);
        let subject = registrations::subject_by_index(reader, coach.id, &index).await?.ok_or_else(nobody)?;
        Ok((coach.id, Some(subject.id)))
    }

    /// Erases what an address means, at once, and takes it as far as it goes now.
    ///
    /// # Errors
    /// Refuses an address nothing is held under.
    pub async fn erase_now(&self, address: &str, of_coach: Option<&str>) -> Result<RequestId> {
        let (coach, subject) = self.held_under(address, of_coach).await?;
        let now = self.now();
        let asked = Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Erase,
            whose: subject.map_or(Whose::Coach(coach), |subject| Whose::Viewer(coach, subject)),
            undo_until: None,
            details: Details { answer_to: Some(address.trim().to_owned()), ..Details::default() },
        };
        let key = self.request_key(now).await?;
        let transaction = self.db().begin().await?;
        let id = self.open_request(&transaction, &key, &asked, now).await?;
        transaction.commit().await?;
        self.run_due_jobs("console").await?;
        Ok(id)
    }

    /// Requests about what an address means, newest first.
    ///
    /// # Errors
    /// Refuses an address nothing is held under.
    pub async fn requests_about(&self, address: &str, of_coach: Option<&str>) -> Result<Vec<RequestLine>> {
        let (coach, subject) = self.held_under(address, of_coach).await?;
        let reader = self.db().reader();
        let rows = match subject {
            Some(subject) => queries::requests_of_subject(reader, coach, subject).await?,
            None => queries::requests_of_coach(reader, coach, SubjectKind::Coach).await?,
        };
        Ok(rows.into_iter().map(line).collect())
    }

    /// One request by its id, which is on its receipt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_line(&self, id: RequestId) -> Result<Option<RequestLine>> {
        Ok(queries::request(self.db().reader(), id).await?.map(line))
    }
}

/// How far one erasure is, for whoever knows its id; it names nobody.
#[derive(Clone, Debug)]
pub struct ErasureProgress {
    /// Where it stands.
    pub state: RequestState,
    /// By when it is done.
    pub due_at: Moment,
    /// Its steps in order, each with whether it is done.
    pub steps: Vec<(String, bool)>,
    /// The receipt as it is kept.
    pub receipt: Option<String>,
}

impl Backend {
    /// How far an erasure is; nothing for an id of anything else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erasure_progress(&self, id: RequestId) -> Result<Option<ErasureProgress>> {
        let reader = self.db().reader();
        let Some(row) = queries::request(reader, id).await? else { return Ok(None) };
        if !matches!(RightKind::from_stored(&row.kind), Some(RightKind::Erase | RightKind::Minor)) {
            return Ok(None);
        }
        let tasks = queries::tasks(reader, id).await?;
        Ok(Some(ErasureProgress {
            state: Self::request_state(&row)?,
            due_at: row.due_at,
            steps: tasks.into_iter().map(|task| (step_text(&task.target), task.state == "done")).collect(),
            receipt: row.receipt,
        }))
    }
}

/// A step of an erasure, for people.
fn step_text(target: &str) -> String {
    let words = match target {
        "tombstone" => "the mark that keeps backups from bringing it back",
        "archives" => "archives",
        "jobs" => "planned work",
        "files" => "files of mail",
        "objects" => "recordings and pictures",
        "keys" => "keys",
        "requests" => "earlier requests",
        "repeat" => "everything once more, for what came in between",
        "scrub" => "the traces in the database's files",
        "receipt" => "the receipt",
        rows => return rows.trim_start_matches("rows:").replace('_', " "),
    };
    words.to_owned()
}

pub(super) fn line(row: persistence::entities::dsr_request::Model) -> RequestLine {
    RequestLine {
        id: row.id,
        kind: row.kind,
        subject_kind: row.subject_kind,
        state: row.state,
        received_at: row.received_at,
        due_at: row.due_at,
        completed_at: row.completed_at,
    }
}
