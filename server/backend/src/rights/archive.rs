//! Archives of everything held about somebody: asked for, written, fetched, ended (promises P26, P27, P30;
//! privacy-design §3).
//!
//! Who: a coach who has just proven who she is, a viewer whom the portal has. How the data travels: the verb writes a
//! row, a key and a job → the job streams the sealed archive to the storage → a path signed for this person, this
//! session and ten minutes → the route opens it piece by piece. Deleting the key ends it, wherever copies lie.

mod fetching;
#[cfg(test)]
mod hostile_tests;
mod taking;
#[cfg(test)]
mod tests;
mod writing;

use domain::archive::{ArchiveState, ArchiveView, BETWEEN_ARCHIVES_SECONDS, FRESH_PROOF_SECONDS};
use domain::ids::{CoachId, ExportId, SubjectId};
use domain::leaving::check_cooled;
use domain::rights::{ARCHIVE_DAYS, AccountState, SubjectState};
use domain::secret::Secret;
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::export_archive;
use persistence::{accounts, exports as queries, registrations, rights};
use privacy::audit::{Event, Role};
use sea_orm::ConnectionTrait;

use super::Whose;
use super::fence::being_erased;
use crate::limits::Limit;
use crate::mails::about_rights::ARCHIVE_ASKED;
use crate::{Backend, Coach, Error, Result};

pub use fetching::{Fetch, Session};
pub use taking::{Imported, check_archive};

/// Kind of the job that writes one.
pub const WRITE_ARCHIVE: &str = "write_archive";
/// Tries of that job.
const WRITE_TRIES: i32 = 5;
/// Class of an archive in the data map.
const CLASS: &str = "archive";

/// Whose archive it is: the account or controller, and which viewer.
fn person(whose: Whose) -> Result<(CoachId, Option<SubjectId>)> {
    match whose {
        Whose::Coach(coach) => Ok((coach, None)),
        Whose::Viewer(coach, subject) => Ok((coach, Some(subject))),
        Whose::Open => Err(Refusal::not_found().into()),
    }
}

fn role(subject: Option<SubjectId>) -> Role {
    if subject.is_some() { Role::Viewer } else { Role::Coach }
}

/// Holds whom an archive is about; refuses somebody who is not there, or is being erased.
async fn hold(conn: &impl ConnectionTrait, coach: CoachId, subject: Option<SubjectId>) -> Result<()> {
    match rights::hold_account(conn, coach).await? {
        Some(AccountState::Erasing) => return Err(being_erased().into()),
        Some(_) => {}
        None => return Err(Refusal::not_found().into()),
    }
    let Some(subject) = subject else { return Ok(()) };
    match rights::hold_subject(conn, coach, subject).await? {
        Some(SubjectState::Erasing) => Err(being_erased().into()),
        Some(_) => Ok(()),
        None => Err(Refusal::not_found().into()),
    }
}

fn state_of(row: &export_archive::Model) -> Result<ArchiveState> {
    ArchiveState::from_stored(&row.state)
        .ok_or_else(|| Error::fault("read an archive", format!("no state is called {}", row.state)))
}

fn view(row: export_archive::Model) -> Result<ArchiveView> {
    let state = state_of(&row)?;
    let percent = match state {
        _ if state.can_be_fetched() => 100,
        // What is left after the rows is said in the step.
        _ if row.total_rows > 0 => (row.done_rows.saturating_mul(99) / row.total_rows).clamp(0, 99),
        _ => 0,
    };
    Ok(ArchiveView {
        id: row.id,
        state,
        step: row.step,
        percent: u8::try_from(percent).unwrap_or_default(),
        omissions: row.omissions.unsigned_abs(),
        size_bytes: row.size_bytes.map(i64::unsigned_abs),
        sha256: row.sha256.map(hex::encode),
        downloads: row.downloads.unsigned_abs(),
        created_at: row.created_at,
        ready_at: row.ready_at,
        expires_at: row.expires_at,
    })
}

impl Backend {
    /// Asks for an archive of a person who has proven who they are; it is written in the background.
    ///
    /// # Errors
    /// Refuses a second one within a day, and somebody who is being erased.
    pub async fn ask_archive(&self, whose: Whose) -> Result<ExportId> {
        let (coach, subject) = person(whose)?;
        let now = self.now();
        let id = ExportId::new();
        let (dek, _) = self.keyring().create_key(now).await?;
        let transaction = self.db().begin().await?;
        hold(&transaction, coach, subject).await?;
        if let Some(last) = queries::last_asked(&transaction, coach, subject).await? {
            let next = last.plus_seconds(BETWEEN_ARCHIVES_SECONDS);
            if next > now {
                return Err(too_soon(next, now).into());
            }
        }
        let new = queries::NewArchive {
            id,
            coach,
            subject,
            dek,
            step: "It is written as soon as a worker is free.",
            expires_at: now.plus_days(ARCHIVE_DAYS),
        };
        queries::insert(&transaction, new, now).await?;
        let job = jobs::NewJob {
            kind: WRITE_ARCHIVE,
            payload: serde_json::json!({ "archive": id }),
            run_at: now,
            idempotency_key: Some(format!("{WRITE_ARCHIVE}:{id}")),
            max_attempts: WRITE_TRIES,
        };
        jobs::enqueue(&transaction, job, now).await?;
        self.audit(&transaction, Event::Opened, role(subject), None, (CLASS, 1), now).await?;
        self.tell_of_archive(&transaction, (coach, subject), ARCHIVE_ASKED, &id.to_string(), now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(id)
    }

    /// A letter about an archive, without the archive and without a link to it.
    async fn tell_of_archive(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, Option<SubjectId>),
        template: &str,
        once: &str,
        now: Moment,
    ) -> Result<()> {
        let booking = match subject {
            Some(subject) => match registrations::latest_booking(conn, coach, subject).await? {
                Some(booking) => Some(booking),
                // No booking tells where a letter to them belongs.
                None => return Ok(()),
            },
            None => None,
        };
        self.enqueue_mail(conn, coach, template, &format!("{template}:{once}"), booking, None, now).await
    }

    /// Archives of a person, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archives(&self, whose: Whose) -> Result<Vec<ArchiveView>> {
        let (coach, subject) = person(whose)?;
        let now = self.now();
        let rows = queries::list(self.db().reader(), coach, subject).await?;
        rows.into_iter().filter(|row| row.expires_at > now).map(view).collect()
    }

    /// Ends an archive at once, also while it is being written: first its key, then its file.
    ///
    /// # Errors
    /// Refuses one that is not theirs as one that is not there.
    pub async fn revoke_archive(&self, whose: Whose, id: ExportId) -> Result<()> {
        let (coach, subject) = person(whose)?;
        let now = self.now();
        let transaction = self.db().begin().await?;
        let row = queries::own(&transaction, coach, subject, id).await?.ok_or_else(Refusal::not_found)?;
        queries::end(&transaction, id, ArchiveState::Revoked, "You ended it.").await?;
        self.audit(&transaction, Event::Cancelled, role(subject), None, (CLASS, 1), now).await?;
        transaction.commit().await?;
        self.keyring().destroy(row.dek_id).await?;
        match &row.object_key {
            Some(object) => self.drop_archive_object(object).await,
            None => Ok(()),
        }
    }

    /// Removes an archive's object, whole or in parts.
    pub(super) async fn drop_archive_object(&self, object: &str) -> Result<()> {
        self.bucket().delete(object).await?;
        self.bucket().erase_prefix(&format!("{object}#")).await?;
        Ok(())
    }

    /// Whether an account may be taken along or deleted: not for three days after its password or address was changed,
    /// so that whoever stole a session cannot lock its owner out and be gone with everything (privacy-design X18).
    ///
    /// # Errors
    /// Refuses while it lasts, and says until when.
    pub async fn cooling_off(&self, coach: CoachId) -> Result<()> {
        let row = persistence::accounts::coach(self.db().reader(), coach).await?.ok_or_else(Refusal::not_found)?;
        Ok(check_cooled(row.credentials_changed_at, self.now())?)
    }
}

fn too_soon(next: Moment, now: Moment) -> Refusal {
    let message = format!(
        "One archive a day can be written. You can ask for the next one from {} on; everything in it is on this page \
         already.",
        next.utc_text()
    );
    let wait = next.unix_seconds().saturating_sub(now.unix_seconds()).saturating_add(1);
    let retry_after_seconds = Some(u32::try_from(wait).unwrap_or(u32::MAX));
    Refusal { retry_after_seconds, ..Refusal::new(RefusalKind::TooOften, message) }
}

impl Coach {
    /// Whether this browser proved within the last five minutes who sits before it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_freshly_proven(&self) -> Result<bool> {
        let proven = queries::login_proven_at(self.backend.db().reader(), self.id, self.login).await?;
        Ok(proven.is_some_and(|at| at.plus_seconds(FRESH_PROOF_SECONDS) > self.backend.now()))
    }

    /// Proves once more who sits before this browser: the password, and the second factor where there is one.
    ///
    /// # Errors
    /// Refuses what is wrong, naming the field, and too many tries.
    pub async fn prove_again(&self, password: &Secret, code: &str) -> Result<()> {
        let backend = &self.backend;
        let row = self.prove("password", password).await?;
        if row.totp_enabled_at.is_none() {
            return Ok(());
        }
        backend.limit(Limit::SecondFactor, &self.id.to_string()).await?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let row = accounts::coach(&transaction, self.id).await?.ok_or_else(Refusal::sign_in)?;
        if !backend.use_second_factor(&transaction, &row, code, now).await? {
            let message = "This code is wrong, late, or was used before. Please take the one shown now.";
            return Err(Refusal::field("code", message).into());
        }
        backend.forgive(&transaction, Limit::SecondFactor, &self.id.to_string()).await?;
        queries::prove_login(&transaction, self.login, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn fresh(&self) -> Result<()> {
        if self.is_freshly_proven().await? {
            return self.backend.cooling_off(self.id).await;
        }
        let message = "Please give your password once more: it was more than five minutes ago. Nothing was done yet.";
        let refusal = Refusal::new(RefusalKind::NotAllowed, message);
        Err(Refusal { field: Some("password".to_owned()), ..refusal }.into())
    }

    /// Asks for an archive of her account.
    ///
    /// # Errors
    /// Refuses without a fresh proof, within three days of a change of password or address, and a second one a day.
    pub async fn ask_archive(&self) -> Result<ExportId> {
        self.fresh().await?;
        self.backend.ask_archive(Whose::Coach(self.id)).await
    }

    /// Her archives, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archives(&self) -> Result<Vec<ArchiveView>> {
        self.backend.archives(Whose::Coach(self.id)).await
    }

    /// Where this browser, and no other, can fetch an archive for ten minutes.
    ///
    /// # Errors
    /// Refuses without a fresh proof, and what [`Backend::archive_link`] refuses.
    pub async fn archive_link(&self, id: ExportId) -> Result<String> {
        self.fresh().await?;
        self.backend.signed_archive_path(Whose::Coach(self.id), id, &Session::Login(self.login)).await
    }

    /// Ends an archive at once.
    ///
    /// # Errors
    /// Refuses one that is not hers as one that is not there.
    pub async fn revoke_archive(&self, id: ExportId) -> Result<()> {
        self.backend.revoke_archive(Whose::Coach(self.id), id).await
    }
}
