//! The job that writes an archive, from the moment a worker takes it. It can be done again from the beginning: what a
//! worker that died has left is removed first, and never looks whole.

use domain::archive::ArchiveState;
use domain::ids::ExportId;
use domain::rights::ARCHIVE_DAYS;
use futures::FutureExt;
use persistence::entities::export_archive;
use persistence::exports as queries;
use privacy::audit::{Event, Role};
use privacy::portability::{Error as Archiving, Made, Outlet, Progress, Writing};
use privacy::{Person, Stores};

use super::{CLASS, WRITE_TRIES, hold, state_of};
use crate::mails::about_rights::ARCHIVE_READY;
use crate::secrets::random;
use crate::{Backend, Error, Result};

const GIVEN_UP: &str = "It could not be written, and we look into it. You can ask for another one.";

impl Backend {
    /// Writes an archive, unless it is not wanted any more.
    ///
    /// # Errors
    /// When it cannot be written now; the job tries again, and gives the archive up with its last try.
    pub(crate) async fn write_archive(&self, id: ExportId, attempt: i32) -> Result<()> {
        let Some(row) = queries::archive(self.db().reader(), id).await? else { return Ok(()) };
        if !state_of(&row)?.is_under_way() {
            return Ok(());
        }
        if let Some(left) = &row.object_key {
            self.drop_archive_object(left).await?;
        }
        let object = format!("exports/{id}-{}.zip", hex::encode(random::<4>()));
        let transaction = self.db().begin().await?;
        let begun = queries::begin(&transaction, id, &object).await?;
        transaction.commit().await?;
        if !begun {
            return Ok(());
        }
        match self.write_to(&row, &object).await {
            Ok(made) => self.finish_archive(&row, &object, &made).await,
            Err(Archiving::Stopped) => self.drop_archive_object(&object).await,
            Err(error) => {
                self.drop_archive_object(&object).await?;
                if attempt >= WRITE_TRIES {
                    self.give_archive_up(&row).await?;
                }
                Err(Error::fault("write an archive", error))
            }
        }
    }

    async fn write_to(&self, row: &export_archive::Model, object: &str) -> Result<Made, Archiving> {
        let key = self.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id).ok_or(Archiving::Stopped)?;
        let progress = self.archive_progress(row.id, object);
        let stores = self.stores();
        let person = match row.subject_id {
            Some(subject) => Person::Viewer(row.coach_id, subject),
            None => Person::Coach(row.coach_id),
        };
        let signer = self.receipt_signer();
        let writing = self.archive_writing(&stores, person, row.id, &signer, &progress);
        writing.write(Outlet::Stored { object, key }).await
    }

    /// An archive to be written, as this installation writes them.
    pub(super) fn archive_writing<'a>(
        &'a self,
        stores: &'a Stores,
        person: Person,
        archive: ExportId,
        signer: &'a privacy::receipt::Signer,
        progress: &'a Progress,
    ) -> Writing<'a> {
        Writing {
            stores,
            person,
            archive,
            signer,
            contact: &self.config().contact_email,
            base_url: self.config().base_url.as_str(),
            now: self.now(),
            progress,
        }
    }

    /// Notes how far a writing is, and finds out whether it is still wanted.
    fn archive_progress(&self, id: ExportId, object: &str) -> Box<Progress> {
        let (backend, object) = (self.clone(), object.to_owned());
        Box::new(move |step, done, total| {
            let (backend, object) = (backend.clone(), object.clone());
            async move {
                let noted = backend.note_progress(id, &object, step, (done, total)).await;
                noted.unwrap_or_else(|error| {
                    // How far it is can be told later; that it is wanted is asked again at the end.
                    tracing::warn!(error = crate::error::chain(&error), "the progress of an archive was not noted");
                    true
                })
            }
            .boxed()
        })
    }

    async fn note_progress(&self, id: ExportId, object: &str, step: &str, (done, total): (u64, u64)) -> Result<bool> {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let transaction = self.db().begin().await?;
        let wanted = queries::progress(&transaction, id, object, step, (count(done), count(total))).await?;
        transaction.commit().await?;
        Ok(wanted)
    }

    /// The archive is whole: it counts unless its person went, or it was ended, meanwhile.
    async fn finish_archive(&self, row: &export_archive::Model, object: &str, made: &Made) -> Result<()> {
        let now = self.now();
        let person = (row.coach_id, row.subject_id);
        let state = if made.missing == 0 { ArchiveState::Ready } else { ArchiveState::Incomplete };
        let written = queries::Written {
            state,
            omissions: i32::try_from(made.missing).unwrap_or(i32::MAX),
            size_bytes: i64::try_from(made.size_bytes).unwrap_or(i64::MAX),
            sha256: made.sha256.to_vec(),
            expires_at: now.plus_days(ARCHIVE_DAYS),
        };
        let transaction = self.db().begin().await?;
        let is_there = match hold(&transaction, row.coach_id, row.subject_id).await {
            Ok(()) => true,
            Err(Error::Refused(_)) => false,
            Err(error) => return Err(error),
        };
        let counts = is_there && queries::finish(&transaction, row.id, object, written, now).await?;
        if counts {
            self.audit(&transaction, Event::Done, Role::System, None, (CLASS, 1), now).await?;
            self.tell_of_archive(&transaction, person, ARCHIVE_READY, &row.id.to_string(), now).await?;
            transaction.commit().await?;
            self.wake_worker();
            return Ok(());
        }
        drop(transaction);
        self.drop_archive_object(object).await
    }

    async fn give_archive_up(&self, row: &export_archive::Model) -> Result<()> {
        let transaction = self.db().begin().await?;
        queries::end(&transaction, row.id, ArchiveState::Failed, GIVEN_UP).await?;
        let now = self.now();
        self.audit(&transaction, Event::Failed, Role::System, None, (CLASS, 1), now).await?;
        transaction.commit().await?;
        Ok(self.keyring().destroy(row.dek_id).await?)
    }
}
