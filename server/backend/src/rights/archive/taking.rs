//! Archives at the console: written to a file, checked, and taken in on another installation (promise P30).

use std::path::Path;

use domain::ids::ExportId;
use domain::secret::Secret;
use domain::{Refusal, RefusalKind};
use futures::FutureExt;
use privacy::Person;
use privacy::audit::{Event, Role};
use privacy::portability::import::{Fresh, Taken, import};
use privacy::portability::read::{Archive, Checked};
use privacy::portability::{Error as Archiving, Made, Outlet, Progress};

use crate::secrets::random;
use crate::videos::PROCESS_VIDEO;
use crate::{Backend, Error, Result};
use privacy::policy::Versions;

/// An archive that was taken in.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What it was.
    pub checked: Checked,
    /// What is new here.
    pub taken: Taken,
}

fn told(error: Archiving) -> Error {
    match error {
        Archiving::Refused(why) => Refusal::new(RefusalKind::Invalid, why).into(),
        error => Error::fault("use an archive", error),
    }
}

/// Checks an archive from its names to its last row; nothing is asked of anybody for it. With a key, also that it was
/// signed with that one.
///
/// # Errors
/// Says in one sentence what is not in order.
pub async fn check_archive(path: &Path, key: Option<&str>) -> Result<Checked> {
    let (path, key) = (path.to_owned(), key.map(str::to_owned));
    let checked = tokio::task::spawn_blocking(move || Archive::open(&path, key.as_deref())?.check()).await;
    checked.map_err(|error| Error::fault("check an archive", error))?.map_err(told)
}

impl Backend {
    /// Writes the archive of what an address means to a file: an account's, or one viewer's of the coach named.
    ///
    /// # Errors
    /// Refuses an address nothing is held under, and somebody who is being erased.
    pub async fn archive_to_file(&self, address: &str, of_coach: Option<&str>, file: &Path) -> Result<Made> {
        let (coach, subject) = self.held_under(address, of_coach).await?;
        let transaction = self.db().begin().await?;
        super::hold(&transaction, coach, subject).await?;
        self.audit(&transaction, Event::Exported, Role::Operator, None, (super::CLASS, 1), self.now()).await?;
        transaction.commit().await?;
        let person = subject.map_or(Person::Coach(coach), |subject| Person::Viewer(coach, subject));
        let progress: Box<Progress> = Box::new(|_, _, _| async { true }.boxed());
        let (stores, signer) = (self.stores(), self.receipt_signer());
        let writing = self.archive_writing(&stores, person, ExportId::new(), &signer, &progress);
        writing.write(Outlet::File(file)).await.map_err(told)
    }

    /// Takes an account in from an archive. Nobody can sign in to it before it gets a password, and nothing is sent.
    ///
    /// # Errors
    /// Refuses an archive that is not in order, not of an account, or of one that was erased here.
    pub async fn import_archive(&self, path: &Path, key: Option<&str>) -> Result<Imported> {
        let (path, key) = (path.to_owned(), key.map(str::to_owned));
        let opened = tokio::task::spawn_blocking(move || Archive::open(&path, key.as_deref())).await;
        let archive = opened.map_err(|error| Error::fault("open an archive", error))?.map_err(told)?;
        let now = self.now();
        let nobodys = Secret::from(hex::encode(random::<32>()));
        let terms = Versions::of_the_terms().current(now);
        let fresh = Fresh {
            password_hash: self.passwords().hash(&nobodys).await?,
            terms_version: terms.name.clone(),
            terms_hash: terms.sha256.to_vec(),
            now,
        };
        let backend = self.clone();
        let (checked, taken) = import(archive, &self.stores(), fresh, move |transaction, taken| {
            async move {
                for video in &taken.videos {
                    let job = jobs::NewJob {
                        kind: PROCESS_VIDEO,
                        payload: serde_json::json!({ "video": video }),
                        run_at: now,
                        idempotency_key: Some(format!("{PROCESS_VIDEO}:{video}")),
                        max_attempts: 5,
                    };
                    jobs::enqueue(transaction, job, now).await?;
                }
                let audited = backend.audit(transaction, Event::Imported, Role::Operator, None, (super::CLASS, 1), now);
                audited.await.map_err(|error| Archiving::File(std::io::Error::other(error.to_string())))
            }
            .boxed()
        })
        .await
        .map_err(told)?;
        self.wake_worker();
        Ok(Imported { checked, taken })
    }
}
