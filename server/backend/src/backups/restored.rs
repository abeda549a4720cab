//! What a database that was restored, or rolled back in some other way, still needs before anybody is served from it:
//! everybody erased since is erased again.
//!
//! Who that is stands in the keyring and beside the backups, apart from the business database: a snapshot of that one
//! cannot know. The steps are those of every erasure, so a forgotten table would be forgotten in both or in neither.

use std::collections::{HashMap, HashSet};

use backup::MediaRestored;
use domain::Moment;
use domain::ids::{BackupId, RequestId};
use domain::rights::RequestState;
use futures::FutureExt;
use persistence::entities::tombstone;
use persistence::{accounts, backups as queries, mails, rights};
use privacy::audit::{Event, Role};
use privacy::erasure::Hold;
use privacy::{Erasure, Person};

use crate::rights::raise_fence;
use crate::{Backend, Error, Result};

/// What finishing a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The backup.
    pub backup: BackupId,
    /// Of which moment it is.
    pub snapshot_at: Moment,
    /// People who had been erased since, and are again.
    pub erased_again: u64,
    /// What became of the recordings.
    pub media: MediaRestored,
}

/// A coach, and her viewers by the hashes of their ids.
type Hashed = (domain::ids::CoachId, HashMap<Vec<u8>, domain::ids::SubjectId>);

impl Backend {
    /// Finishes a restore: erases again whoever was erased since the snapshot, brings the recordings back, ends every
    /// session, removes what is over by now, scrubs, and only then allows the database to be served. Can be done again
    /// after it was interrupted. Nothing when there is nothing to finish.
    ///
    /// # Errors
    /// When a step cannot be done; the database then stays closed.
    pub async fn finish_restore(&self) -> Result<Option<Restored>> {
        let Some(run) = queries::unfinished_restore(self.db().reader()).await? else {
            return Ok(None);
        };
        let place = self.place_of_backups()?;
        let now = self.now();
        let (_, manifest) = place.of_restore(run.id).await?;
        let noted: Vec<_> = place.tombstones().await?.into_iter().filter(|one| one.expires_at > now).collect();
        self.keyring().learn(&noted).await?;
        let marks = self.keyring().tombstones(now).await?;
        let erased_again = self.erase_everybody_again(&marks, now).await?;
        let gone: Vec<String> = marks
            .iter()
            .filter(|mark| mark.email_bidx.is_none())
            .map(|mark| format!("coaches/{}/", mark.coach_id))
            .collect();
        let media = place.load_media(&manifest, self.bucket(), &gone).await?;
        let transaction = self.db().begin().await?;
        queries::sign_everybody_out(&transaction).await?;
        transaction.commit().await?;
        self.keep_promises().await?;
        self.scrub_both().await?;
        let transaction = self.db().begin().await?;
        queries::finish_restore(&transaction, run.id, now).await?;
        self.audit(&transaction, Event::Restored, Role::System, None, ("operation", 1), now).await?;
        transaction.commit().await?;
        Ok(Some(Restored { backup: run.id, snapshot_at: run.snapshot_at, erased_again, media }))
    }

    /// Whether the database was restored and is not yet as it has to be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_half_restored(&self) -> Result<bool> {
        Ok(queries::unfinished_restore(self.db().reader()).await?.is_some())
    }

    /// Erases again whoever the keyring knows to be erased and the business database does not: somebody put an older
    /// state of it in place by other means, such as a snapshot of the disk. Returns how many people that were.
    ///
    /// # Errors
    /// When a step cannot be done; nobody may be served then.
    pub async fn repeat_lost_erasures(&self) -> Result<u64> {
        let now = self.now();
        let here = queries::tombstones(self.db().reader()).await?;
        let ids: HashSet<_> = here.iter().map(|mark| mark.id).collect();
        let mut latest: HashMap<_, Moment> = HashMap::new();
        for mark in &here {
            let at = latest.entry((mark.coach_id, mark.email_bidx.clone())).or_insert(mark.created_at);
            *at = (*at).max(mark.created_at);
        }
        let mut lost = Vec::new();
        for mark in self.keyring().tombstones(now).await? {
            // Erased again later: only the later mark stands in the business database.
            let later = latest.get(&(mark.coach_id, mark.email_bidx.clone())).is_some_and(|at| *at >= mark.created_at);
            if !ids.contains(&mark.id) && !later && !self.is_under_way(&mark).await? {
                lost.push(mark);
            }
        }
        let again = self.erase_everybody_again(&lost, now).await?;
        if again > 0 {
            self.scrub_both().await?;
            tracing::warn!("the database was older than the keyring; who had been erased since was erased again");
        }
        Ok(again)
    }

    /// Another server is just erasing this person, or will go on with it.
    async fn is_under_way(&self, mark: &tombstone::Model) -> Result<bool> {
        let Some(row) = rights::request(self.db().reader(), RequestId(mark.id.0)).await? else { return Ok(false) };
        let state = Self::request_state(&row)?;
        Ok(matches!(state, RequestState::Running | RequestState::Verifying | RequestState::Failed))
    }

    async fn erase_everybody_again(&self, marks: &[tombstone::Model], now: Moment) -> Result<u64> {
        // Nobody sends anything: what was on its way when the snapshot was taken is not any more.
        let transaction = self.db().begin().await?;
        mails::give_back_stale(&transaction, now).await?;
        transaction.commit().await?;
        let mut again = 0;
        let mut marks: Vec<&tombstone::Model> = marks.iter().collect();
        marks.sort_by_key(|mark| (mark.coach_id, mark.created_at));
        let mut known = None;
        for mark in marks {
            if let Some(person) = self.person_behind(mark, &mut known).await? {
                self.erase_again(mark, person, now).await?;
                again += 1;
            }
            let transaction = self.db().begin().await?;
            queries::put_tombstone(&transaction, mark.clone()).await?;
            transaction.commit().await?;
        }
        Ok(again)
    }

    /// `known` are the viewers of one coach by the hashes of their ids, so that her marks in a row read them once.
    async fn person_behind(&self, mark: &tombstone::Model, known: &mut Option<Hashed>) -> Result<Option<Person>> {
        let reader = self.db().reader();
        let coach = mark.coach_id;
        Ok(match (&mark.email_bidx, &mark.subject_hash) {
            (None, _) => accounts::coach(reader, coach).await?.map(|_| Person::Coach(coach)),
            // The address may have been another one then, and theirs may have been somebody else's.
            (Some(_), Some(hash)) => {
                let known = match known {
                    Some((of, known)) if *of == coach => known,
                    _ => {
                        let ids = queries::subject_ids(reader, coach).await?;
                        let hashed = ids.into_iter().map(|id| (privacy::erasure::hash_of(id), id)).collect();
                        &known.insert((coach, hashed)).1
                    }
                };
                known.get(hash).map(|subject| Person::Viewer(coach, *subject))
            }
            (Some(index), None) => queries::subject_from_before(reader, coach, index, mark.created_at)
                .await?
                .map(|subject| Person::Viewer(coach, subject)),
        })
    }

    async fn erase_again(&self, mark: &tombstone::Model, person: Person, now: Moment) -> Result<()> {
        let failed = |error| Error::fault("erase somebody again", error);
        self.fence(move |transaction| async move { raise_fence(transaction, person).await }.boxed()).await?;
        let holds = Hold::of(self.db().reader(), person, now).await.map_err(failed)?;
        let erasure = Erasure::new(self.stores(), person, RequestId(mark.id.0)).map_err(failed)?.holding(holds);
        let mut removed = 0;
        for target in erasure.targets() {
            removed += erasure.erase(&target, now).await.map_err(failed)?.removed;
        }
        let transaction = self.db().begin().await?;
        self.audit(&transaction, Event::Erased, Role::System, None, ("identifier", removed), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn scrub_both(&self) -> Result<()> {
        for database in [self.db(), self.keyring().database()] {
            privacy::scrub::scrub(database).await.map_err(|error| Error::fault("scrub a database", error))?;
        }
        Ok(())
    }
}
