//! The keyring: one wrapped key per data subject, one pepper per coach, in a database of their own.
//!
//! It is kept apart from the business database and out of its 90-day backups, so that destroying a row here makes
//! every copy of what it sealed unreadable, wherever that copy lies (privacy-design §2.2).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use domain::ids::{CoachId, DekId};
use hkdf::Hkdf;
use sea_orm::sea_query::{Alias, ColumnDef, OnConflict, Table};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use sea_orm_migration::SchemaManager;
use sha2::Sha256;

use crate::entities::tombstone;
use crate::sealed::{Place, SubjectKey};
use crate::{Database, Error};

/// Keys stay in memory no longer than this (privacy-design §2.8).
const CACHE_SECONDS: u64 = 60;
/// Keys held at once; above it the cache is emptied.
const CACHE_KEYS: usize = 20_000;
/// Keys asked for in one statement.
const LOOKUP: usize = 5_000;
/// Which key-encryption key wrapped a row.
const KEK_VERSION: i32 = 1;

/// Entities of the keyring's own database.
pub mod entities {
    /// A wrapped key.
    pub mod dek {
        use domain::Moment;
        use domain::ids::DekId;
        use sea_orm::entity::prelude::*;

        /// A wrapped key of one data subject.
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "dek")]
        pub struct Model {
            /// Its id; the subject's row names it.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: DekId,
            /// The key under the key-encryption key.
            pub wrapped: Vec<u8>,
            /// Which key-encryption key.
            pub kek_version: i32,
            /// When it was made; unused keys are swept by it.
            pub created_at: Moment,
        }

        /// Nothing refers across the two databases.
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    /// A wrapped pepper.
    pub mod pepper {
        use domain::Moment;
        use domain::ids::CoachId;
        use sea_orm::entity::prelude::*;

        /// The secret behind one coach's blind index.
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "pepper")]
        pub struct Model {
            /// Whose.
            #[sea_orm(primary_key, auto_increment = false)]
            pub coach_id: CoachId,
            /// The pepper under the key-encryption key.
            pub wrapped: Vec<u8>,
            /// Which key-encryption key.
            pub kek_version: i32,
            /// When it was made.
            pub created_at: Moment,
        }

        /// Nothing refers across the two databases.
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }
}

use entities::{dek, pepper};

/// The secret of one coach's blind index.
#[derive(Clone)]
pub struct Pepper(SubjectKey);

impl Pepper {
    /// What stands for an e-mail address in this coach's rows: equal for equal addresses of hers, and unrelated to
    /// any other coach's.
    #[must_use]
    pub fn blind_index(&self, normalised_email: &str) -> Vec<u8> {
        self.0.reference(normalised_email.as_bytes())
    }
}

/// Where tombstones are written a second time, outside both databases: whoever loses the keyring and takes an older
/// copy of it still learns whom not to bring back (promise P46).
#[async_trait::async_trait]
pub trait TombstoneLog: Send + Sync {
    /// Writes one; writing it again changes nothing.
    ///
    /// # Errors
    /// When it is not written for certain.
    async fn keep(&self, tombstone: &tombstone::Model) -> Result<(), Error>;
}

/// The keyring. Cloning is cheap.
#[derive(Clone)]
pub struct Keyring {
    database: Database,
    kek: SubjectKey,
    cache: Arc<Mutex<HashMap<DekId, (SubjectKey, Instant)>>>,
    log: Arc<OnceLock<Arc<dyn TombstoneLog>>>,
}

impl Keyring {
    /// Opens the keyring's database and makes its tables when they are missing.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn connect(url: &str, kek: [u8; 32]) -> Result<Self, Error> {
        let database = Database::connect(url).await?;
        let tables = [
            Table::create()
                .table(Alias::new("dek"))
                .if_not_exists()
                .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
                .col(ColumnDef::new(Alias::new("wrapped")).blob().not_null())
                .col(ColumnDef::new(Alias::new("kek_version")).integer().not_null())
                .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
                .to_owned(),
            Table::create()
                .table(Alias::new("pepper"))
                .if_not_exists()
                .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null().primary_key())
                .col(ColumnDef::new(Alias::new("wrapped")).blob().not_null())
                .col(ColumnDef::new(Alias::new("kek_version")).integer().not_null())
                .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
                .to_owned(),
            Table::create()
                .table(Alias::new("tombstone"))
                .if_not_exists()
                .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
                .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
                .col(ColumnDef::new(Alias::new("email_bidx")).blob())
                .col(ColumnDef::new(Alias::new("subject_hash")).blob())
                .col(ColumnDef::new(Alias::new("cause")).text().not_null())
                .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
                .col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null())
                .to_owned(),
        ];
        let transaction = database.begin().await?;
        for table in tables {
            transaction.execute(&table).await?;
        }
        // A keyring made before the hash was kept.
        if !SchemaManager::new(&transaction).has_column("tombstone", "subject_hash").await? {
            let mut add = Table::alter();
            add.table(Alias::new("tombstone")).add_column(ColumnDef::new(Alias::new("subject_hash")).blob());
            transaction.execute(&add).await?;
        }
        transaction.commit().await?;
        Ok(Self { database, kek: SubjectKey::from_bytes(kek), cache: Arc::default(), log: Arc::default() })
    }

    /// The keyring's own database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.database.close().await;
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, HashMap<DekId, (SubjectKey, Instant)>> {
        self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn remember(&self, id: DekId, key: &SubjectKey) {
        let mut cache = self.cached();
        if cache.len() >= CACHE_KEYS {
            cache.clear();
        }
        cache.insert(id, (key.clone(), Instant::now()));
    }

    fn remembered(&self, id: DekId) -> Option<SubjectKey> {
        let mut cache = self.cached();
        match cache.get(&id) {
            Some((key, since)) if since.elapsed() < Duration::from_secs(CACHE_SECONDS) => Some(key.clone()),
            Some(_) => {
                cache.remove(&id);
                None
            }
            None => None,
        }
    }

    /// A new key, stored before anything is sealed with it. One that ends up unused does no harm and is swept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_key(&self, now: domain::Moment) -> Result<(DekId, SubjectKey), Error> {
        let id = DekId::new();
        let key = random_key();
        let row = dek::ActiveModel {
            id: Set(id),
            wrapped: Set(self.kek.seal(Place::WrappedKey, id.as_bytes(), key.bytes())),
            kek_version: Set(KEK_VERSION),
            created_at: Set(now),
        };
        let transaction = self.database.begin().await?;
        dek::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        self.remember(id, &key);
        Ok((id, key))
    }

    /// Many new keys in one transaction, for people who arrive together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_keys(&self, count: usize, now: domain::Moment) -> Result<Vec<(DekId, SubjectKey)>, Error> {
        let made: Vec<_> = (0..count).map(|_| (DekId::new(), random_key())).collect();
        let transaction = self.database.begin().await?;
        for some in made.chunks(LOOKUP) {
            let rows = some.iter().map(|(id, key)| dek::ActiveModel {
                id: Set(*id),
                wrapped: Set(self.kek.seal(Place::WrappedKey, id.as_bytes(), key.bytes())),
                kek_version: Set(KEK_VERSION),
                created_at: Set(now),
            });
            dek::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(made)
    }

    /// One key.
    ///
    /// # Errors
    /// [`Error::NoKey`] when it was destroyed.
    pub async fn key(&self, id: DekId) -> Result<SubjectKey, Error> {
        self.keys(&[id]).await?.remove(&id).ok_or(Error::NoKey)
    }

    /// Many keys at once; destroyed ones are missing from the answer.
    ///
    /// # Errors
    /// When the database fails or a row was tampered with.
    pub async fn keys(&self, ids: &[DekId]) -> Result<HashMap<DekId, SubjectKey>, Error> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.remembered(*id) {
                Some(key) => {
                    found.insert(*id, key);
                }
                None => missing.push(*id),
            }
        }
        for some in missing.chunks(LOOKUP) {
            let rows = dek::Entity::find()
                .filter(dek::Column::Id.is_in(some.iter().copied()))
                .all(self.database.reader())
                .await?;
            for row in rows {
                let key = self.unwrap(Place::WrappedKey, row.id.as_bytes(), &row.wrapped)?;
                self.remember(row.id, &key);
                found.insert(row.id, key);
            }
        }
        Ok(found)
    }

    /// Destroys a key: what it sealed is unreadable from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroy(&self, id: DekId) -> Result<(), Error> {
        let transaction = self.database.begin().await?;
        dek::Entity::delete_by_id(id).exec(&transaction).await?;
        transaction.commit().await?;
        self.cached().remove(&id);
        Ok(())
    }

    /// Destroys many keys; tells how many there were.
    ///
    /// # Errors
    /// When the database fails; some may be gone by then, and trying again is safe.
    pub async fn destroy_many(&self, ids: &[DekId]) -> Result<u64, Error> {
        let mut gone = 0;
        for some in ids.chunks(LOOKUP) {
            let transaction = self.database.begin().await?;
            let done = dek::Entity::delete_many()
                .filter(dek::Column::Id.is_in(some.iter().copied()))
                .exec(&transaction)
                .await?;
            transaction.commit().await?;
            gone += done.rows_affected;
            let mut cache = self.cached();
            for id in some {
                cache.remove(id);
            }
        }
        Ok(gone)
    }

    /// Keys made between two moments, oldest first, at most so many: housekeeping looks for unused ones among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys_made_between(
        &self,
        from: domain::Moment,
        to: domain::Moment,
        limit: u64,
    ) -> Result<Vec<DekId>, Error> {
        let ids = dek::Entity::find()
            .select_only()
            .column(dek::Column::Id)
            .filter(dek::Column::CreatedAt.gte(from))
            .filter(dek::Column::CreatedAt.lt(to))
            .order_by_asc(dek::Column::Id)
            .limit(limit)
            .into_tuple()
            .all(self.database.reader())
            .await?;
        Ok(ids)
    }

    /// A coach's pepper, made at the first ask.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pepper(&self, coach: CoachId, now: domain::Moment) -> Result<Pepper, Error> {
        if let Some(row) = pepper::Entity::find_by_id(coach).one(self.database.reader()).await? {
            return Ok(Pepper(self.unwrap(Place::WrappedPepper, coach.as_bytes(), &row.wrapped)?));
        }
        let made = random_key();
        let row = pepper::ActiveModel {
            coach_id: Set(coach),
            wrapped: Set(self.kek.seal(Place::WrappedPepper, coach.as_bytes(), made.bytes())),
            kek_version: Set(KEK_VERSION),
            created_at: Set(now),
        };
        let transaction = self.database.begin().await?;
        // Two first asks at once: the first one wins, both read it.
        pepper::Entity::insert(row)
            .on_conflict(OnConflict::column(pepper::Column::CoachId).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await?;
        let row = pepper::Entity::find_by_id(coach).one(&transaction).await?.ok_or(Error::NoKey)?;
        transaction.commit().await?;
        Ok(Pepper(self.unwrap(Place::WrappedPepper, coach.as_bytes(), &row.wrapped)?))
    }

    /// A coach's pepper, if she has one: for whoever names a coach and may be wrong.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_pepper(&self, coach: CoachId) -> Result<Option<Pepper>, Error> {
        let row = pepper::Entity::find_by_id(coach).one(self.database.reader()).await?;
        row.map(|row| Ok(Pepper(self.unwrap(Place::WrappedPepper, coach.as_bytes(), &row.wrapped)?))).transpose()
    }

    /// Peppers of coaches after `after`, in order of their ids, at most so many: an address is looked up at all of them,
    /// because nothing stored says at which.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn peppers_after(&self, after: Option<CoachId>, limit: u64) -> Result<Vec<(CoachId, Pepper)>, Error> {
        let mut find = pepper::Entity::find()
            .select_only()
            .columns([pepper::Column::CoachId, pepper::Column::Wrapped])
            .order_by_asc(pepper::Column::CoachId)
            .limit(limit);
        if let Some(after) = after {
            find = find.filter(pepper::Column::CoachId.gt(after));
        }
        let rows: Vec<(CoachId, Vec<u8>)> = find.into_tuple().all(self.database.reader()).await?;
        let open = |(coach, wrapped): (CoachId, Vec<u8>)| {
            Ok((coach, Pepper(self.unwrap(Place::WrappedPepper, coach.as_bytes(), &wrapped)?)))
        };
        rows.into_iter().map(open).collect()
    }

    /// Destroys a coach's pepper: blind indexes made with it can never be compared with anything again. Tells whether
    /// there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroy_pepper(&self, coach: CoachId) -> Result<bool, Error> {
        let transaction = self.database.begin().await?;
        let gone = pepper::Entity::delete_by_id(coach).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected > 0)
    }

    /// From now on tombstones are written to this log as well. The first one stays.
    pub fn log_tombstones_to(&self, log: Arc<dyn TombstoneLog>) {
        self.log.get_or_init(|| log);
    }

    /// Notes that somebody was erased, apart from the business database and its backups: a restored one is told from
    /// here whom not to bring back. Noted only when the log has it, too.
    ///
    /// # Errors
    /// When the database or the log fails; doing it again is safe.
    pub async fn bury(&self, tombstone: &tombstone::Model) -> Result<(), Error> {
        self.learn(std::slice::from_ref(tombstone)).await?;
        let Some(log) = self.log.get() else { return Ok(()) };
        // The first one stands: a step that is repeated later must not write a second one with other dates.
        let kept = tombstone::Entity::find_by_id(tombstone.id).one(self.database.reader()).await?;
        log.keep(kept.as_ref().unwrap_or(tombstone)).await
    }

    /// Takes in tombstones that are in the log already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learn(&self, tombstones: &[tombstone::Model]) -> Result<(), Error> {
        let transaction = self.database.begin().await?;
        for tombstone in tombstones {
            tombstone::Entity::insert(tombstone::ActiveModel::from(tombstone.clone()).reset_all())
                .on_conflict(OnConflict::column(tombstone::Column::Id).do_nothing().to_owned())
                .exec_without_returning(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Every tombstone that still stands, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tombstones(&self, now: domain::Moment) -> Result<Vec<tombstone::Model>, Error> {
        let rows = tombstone::Entity::find()
            .filter(tombstone::Column::ExpiresAt.gt(now))
            .order_by_asc(tombstone::Column::Id)
            .all(self.database.reader())
            .await?;
        Ok(rows)
    }

    /// Removes tombstones no backup needs any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_tombstones(&self, now: domain::Moment) -> Result<u64, Error> {
        let transaction = self.database.begin().await?;
        let gone =
            tombstone::Entity::delete_many().filter(tombstone::Column::ExpiresAt.lte(now)).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected)
    }

    /// The key for secrets of coach accounts themselves, such as the second factor's.
    #[must_use]
    pub fn account_key(&self) -> SubjectKey {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, self.kek.bytes())
            .expand(b"account secrets", &mut key)
            .expect("32 bytes are a valid HKDF-SHA256 length");
        SubjectKey::from_bytes(key)
    }

    fn unwrap(&self, place: Place, row: &[u8; 16], wrapped: &[u8]) -> Result<SubjectKey, Error> {
        let plain = zeroize::Zeroizing::new(self.kek.unseal(place, row, wrapped)?);
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| Error::Sealed)?;
        Ok(SubjectKey::from_bytes(bytes))
    }
}

fn random_key() -> SubjectKey {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    SubjectKey::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Moment;
    use domain::processing::ProcessingPurpose;

    async fn keyring(folder: &tempfile::TempDir) -> Keyring {
        let url = format!("sqlite://{}/keyring.db?mode=rwc", folder.path().display());
        Keyring::connect(&url, [9; 32]).await.expect("opens")
    }

    #[tokio::test]
    async fn a_destroyed_key_opens_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let ring = keyring(&folder).await;
        let (id, key) = ring.create_key(Moment(0)).await.expect("made");
        let sealed = key.seal(Place::SubjectName, &[1; 16], b"Anna");
        assert_eq!(
            ring.key(id)
                .await
                .expect("there")
                .open(ProcessingPurpose::Provide, Place::SubjectName, &[1; 16], &sealed)
                .expect("opens"),
            b"Anna"
        );
        ring.destroy(id).await.expect("destroyed");
        assert!(matches!(ring.key(id).await, Err(Error::NoKey)));
        assert!(ring.keys(&[id]).await.expect("asked").is_empty());
    }

    #[tokio::test]
    async fn the_same_address_is_unrelated_between_coaches() {
        let folder = tempfile::tempdir().expect("folder");
        let ring = keyring(&folder).await;
        let (one, two) = (CoachId::new(), CoachId::new());
        let index = |pepper: Pepper| pepper.blind_index("anna@example.com");
        let first = index(ring.pepper(one, Moment(0)).await.expect("made"));
        assert_eq!(first, index(ring.pepper(one, Moment(1)).await.expect("kept")));
        assert_ne!(first, index(ring.pepper(two, Moment(0)).await.expect("made")));
    }

    #[tokio::test]
    async fn another_installations_key_opens_no_keyring() {
        let folder = tempfile::tempdir().expect("folder");
        let ring = keyring(&folder).await;
        let (id, _) = ring.create_key(Moment(0)).await.expect("made");
        let url = format!("sqlite://{}/keyring.db?mode=rwc", folder.path().display());
        let other = Keyring::connect(&url, [8; 32]).await.expect("opens");
        assert!(matches!(other.key(id).await, Err(Error::Sealed)));
    }
}
