//! Taking an account in that another installation gave out (promise P30): its rows under their own ids, its people
//! sealed under new keys, its files under new names. Nothing leaves: no mail is planned, no session opened.
//!
//! Credentials are not in an archive, so the account waits for a new password. What is here already stays as it is;
//! what was erased here stays away. All rows come in one transaction, so a half of an account never is.

mod files;
mod filling;

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::Moment;
use domain::ids::{CoachId, SubjectId, VideoId};
use futures::future::BoxFuture;
use persistence::entities::{coach, subject, tombstone};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Statement, Value,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::filling::Page;
use super::Error;
use super::read::{Archive, Checked, Row};
use super::tables::{ArchiveTable, Home};
use crate::erasure::Stores;
use crate::plan::Root;

/// Rows taken in at once.
const PAGE_ROWS: usize = 1_000;
/// Values of one statement: SQLite takes 32,766.
const MOST_VALUES: usize = 30_000;
/// Pages read ahead.
const WAITING: usize = 2;

/// What an account has here that no archive brings.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// A hash nobody knows a password for.
    pub password_hash: String,
    /// The terms in force here.
    pub terms_version: String,
    /// And their SHA-256.
    pub terms_hash: Vec<u8>,
    /// Now.
    pub now: Moment,
}

/// What was taken in.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The account.
    pub coach: Option<CoachId>,
    /// Its address.
    pub email: String,
    /// Rows that are new, by file.
    pub rows: BTreeMap<String, u64>,
    /// Recordings that are new: their background work is still to be planned.
    pub videos: Vec<VideoId>,
    /// People who were erased here and stay away.
    pub erased: u64,
    /// Rows left out because they are about these people.
    pub left_out: u64,
}

/// Takes an archive in. `finish` runs in the same transaction, last.
///
/// # Errors
/// Refuses an archive that is not in order, not of an account, of one that was erased here, or that names what is
/// somebody else's. Nothing is changed then.
pub async fn import<F>(
    mut archive: Archive,
    stores: &Stores,
    fresh: Fresh,
    finish: F,
) -> Result<(Checked, Taken), Error>
where
    F: for<'a> FnOnce(&'a DatabaseTransaction, &'a Taken) -> BoxFuture<'a, Result<(), Error>> + Send,
{
    if archive.plan().root != Root::Coach {
        return Err(Error::refused("this is a viewer's archive; only an account can be taken in"));
    }
    let (archive, checked) = tokio::task::spawn_blocking(move || {
        let checked = archive.check()?;
        Ok::<_, Error>((archive, checked))
    })
    .await??;
    let coach = checked.manifest.person.parse().map_err(|_| Error::refused("the manifest names no account"))?;
    let mut import = Import {
        stores,
        fresh,
        coach,
        buried: HashSet::new(),
        buried_ids: HashSet::new(),
        skipped: HashMap::new(),
        files: HashMap::new(),
        put: Vec::new(),
        taken: Taken { coach: Some(coach), ..Taken::default() },
    };
    import.look_for_tombstones().await?;
    let done = import.run(archive, &checked, finish).await;
    if done.is_err() {
        // What was put aside for rows that never came.
        for object in &import.put {
            stores.bucket.delete(object).await?;
        }
    }
    done?;
    Ok((checked, import.taken))
}

struct Import<'a> {
    stores: &'a Stores,
    fresh: Fresh,
    coach: CoachId,
    /// Blind indexes of people who were erased here.
    buried: HashSet<Vec<u8>>,
    /// Hashes of the ids they had: an archive may know them by an older address.
    buried_ids: HashSet<Vec<u8>>,
    /// Rows left out, by table.
    skipped: HashMap<&'static str, HashSet<Uuid>>,
    /// Objects made of the archive's files, by the row they belong to.
    files: HashMap<Uuid, String>,
    put: Vec<String>,
    taken: Taken,
}

impl Import<'_> {
    async fn look_for_tombstones(&mut self) -> Result<(), Error> {
        let mut marks = tombstone::Entity::find()
            .filter(tombstone::Column::CoachId.eq(self.coach))
            .all(self.stores.database.reader())
            .await?;
        let apart = self.stores.keyring.tombstones(self.fresh.now).await?;
        marks.extend(apart.into_iter().filter(|mark| mark.coach_id == self.coach));
        for mark in marks {
            let Some(index) = mark.email_bidx else {
                let since = mark.created_at.utc_text();
                return Err(Error::refused(format!("this account was erased here on {since} and is not brought back")));
            };
            self.buried.insert(index);
            self.buried_ids.extend(mark.subject_hash);
        }
        Ok(())
    }

    async fn run<F>(&mut self, archive: Archive, checked: &Checked, finish: F) -> Result<(), Error>
    where
        F: for<'a> FnOnce(&'a DatabaseTransaction, &'a Taken) -> BoxFuture<'a, Result<(), Error>> + Send,
    {
        let archive = self.put_files(archive).await?;
        let plan = archive.plan().clone();
        let transaction = self.stores.database.begin().await?;
        self.refuse_foreign_names(&transaction, checked).await?;
        let (send, mut pages) = mpsc::channel::<(usize, Vec<Row>)>(WAITING);
        let reading = tokio::task::spawn_blocking(move || read_pages(archive, &send));
        let tables: Vec<&ArchiveTable> = plan.of(Home::Data).collect();
        let mut failed = None;
        while let Some((table, rows)) = pages.recv().await {
            if let Err(error) = self.page(&transaction, tables[table], rows).await {
                failed = Some(error);
                break;
            }
        }
        drop(pages);
        let read = reading.await?;
        if let Some(error) = failed {
            return Err(error);
        }
        read?;
        finish(&transaction, &self.taken).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// An id that is named and not in the archive must not be somebody else's either.
    async fn refuse_foreign_names(&self, conn: &DatabaseTransaction, checked: &Checked) -> Result<(), Error> {
        for (table, id) in &checked.dangling {
            let sql = format!("SELECT 1 FROM \"{table}\" WHERE \"id\" = $1");
            let ask = Statement::from_sql_and_values(conn.get_database_backend(), sql, [Value::from(*id)]);
            if conn.query_one_raw(ask).await?.is_some() {
                return Err(Error::refused(format!("the archive names a {table} that is not its own")));
            }
        }
        Ok(())
    }

    /// Which of these rows are here already. One that is somebody else's is a reason to stop.
    async fn here(
        &self,
        conn: &DatabaseTransaction,
        table: &ArchiveTable,
        ids: &[Uuid],
    ) -> Result<HashSet<Uuid>, Error> {
        let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT \"id\", CASE WHEN ({}) THEN 1 ELSE 0 END AS \"own\" FROM \"{}\" WHERE \"id\" IN ({})",
            table.theirs,
            table.name,
            places.join(", ")
        );
        let values = std::iter::once(self.coach.0).chain(ids.iter().copied()).map(Value::from);
        let found =
            conn.query_all_raw(Statement::from_sql_and_values(conn.get_database_backend(), sql, values)).await?;
        let mut here = HashSet::new();
        for row in found {
            if row.try_get::<i32>("", "own")? == 0 {
                return Err(Error::refused(format!("a row of {} is here already, and somebody else's", table.file)));
            }
            here.insert(row.try_get("", "id")?);
        }
        Ok(here)
    }

    async fn page(&mut self, conn: &DatabaseTransaction, table: &ArchiveTable, rows: Vec<Row>) -> Result<(), Error> {
        let has_id = table.key == ["id"];
        let ids: Vec<Uuid> = if has_id { rows.iter().filter_map(|row| id_of(row, "id")).collect() } else { Vec::new() };
        let here = if ids.is_empty() { HashSet::new() } else { self.here(conn, table, &ids).await? };
        let mut fresh = Vec::with_capacity(rows.len());
        for row in rows {
            let id = if has_id { id_of(&row, "id") } else { None };
            if self.is_left_out(table, &row) {
                self.taken.left_out += 1;
                if let Some(id) = id {
                    self.skipped.entry(table.name).or_default().insert(id);
                }
            } else if !id.is_some_and(|id| here.contains(&id)) {
                fresh.push(row);
            }
        }
        match table.name {
            "coach" => self.check_account(conn, &fresh).await?,
            "webinar" => self.check_addresses(conn, &fresh).await?,
            "subject" => self.leave_resting(conn, &here).await?,
            _ => {}
        }
        let page = self.fill(conn, table, fresh).await?;
        let count = self.insert(conn, table, page).await?;
        *self.taken.rows.entry(table.file.clone()).or_default() += count;
        Ok(())
    }

    /// Whether a row is about somebody who stays away.
    fn is_left_out(&self, table: &ArchiveTable, row: &Row) -> bool {
        table.columns.iter().any(|column| {
            let Some(skipped) = column.names.as_deref().and_then(|target| self.skipped.get(target)) else {
                return false;
            };
            id_of(row, &column.export).is_some_and(|id| skipped.contains(&id))
        })
    }

    async fn check_account(&mut self, conn: &DatabaseTransaction, rows: &[Row]) -> Result<(), Error> {
        if let Some(row) = coach::Entity::find_by_id(self.coach).one(conn).await? {
            self.taken.email = row.email;
        }
        for row in rows {
            let email = row.get("email").and_then(|email| email.as_str()).unwrap_or_default();
            let address =
                domain::EmailAddress::parse(email).map_err(|_| Error::refused("the account has no address"))?;
            let normal = address.normalised();
            let other = coach::Entity::find().filter(coach::Column::EmailNormal.eq(normal)).one(conn).await?;
            if other.is_some() {
                return Err(Error::refused("another account here has the address of this one"));
            }
            self.taken.email = address.as_str().to_owned();
        }
        Ok(())
    }

    async fn check_addresses(&self, conn: &DatabaseTransaction, rows: &[Row]) -> Result<(), Error> {
        use persistence::entities::webinar;
        let slugs: Vec<&str> = rows.iter().filter_map(|row| row.get("slug")?.as_str()).collect();
        if slugs.iter().any(|slug| domain::Slug::parse(slug).map_or(true, |parsed| parsed.as_str() != *slug)) {
            return Err(Error::refused("a webinar has an address that is none"));
        }
        let taken = webinar::Entity::find().filter(webinar::Column::Slug.is_in(slugs)).one(conn).await?;
        match taken {
            Some(taken) => Err(Error::refused(format!("another webinar here has the address /w/{}", taken.slug))),
            None => Ok(()),
        }
    }

    /// People who are here and rest, or are being erased: nothing is added to what is held about them.
    async fn leave_resting(&mut self, conn: &DatabaseTransaction, here: &HashSet<Uuid>) -> Result<(), Error> {
        let resting: Vec<SubjectId> = subject::Entity::find()
            .select_only()
            .column(subject::Column::Id)
            .filter(subject::Column::CoachId.eq(self.coach))
            .filter(subject::Column::Id.is_in(here.iter().map(|id| SubjectId(*id))))
            .filter(subject::Column::State.ne("active"))
            .into_tuple()
            .all(conn)
            .await?;
        self.skipped.entry("subject").or_default().extend(resting.into_iter().map(|id| id.0));
        Ok(())
    }

    /// Writes rows that are not here yet.
    async fn insert(&self, conn: &DatabaseTransaction, table: &ArchiveTable, page: Page) -> Result<u64, Error> {
        let mut count = 0;
        let width = page.columns.len();
        let columns: Vec<String> = page.columns.iter().map(|name| format!("\"{name}\"")).collect();
        let key: Vec<String> = table.key.iter().map(|name| format!("\"{name}\"")).collect();
        for some in page.rows.chunks((MOST_VALUES / width.max(1)).max(1)) {
            let tuples: Vec<String> = (0..some.len())
                .map(|row| {
                    let places: Vec<String> =
                        (0..width).map(|column| format!("${}", row * width + column + 1)).collect();
                    format!("({})", places.join(", "))
                })
                .collect();
            let sql = format!(
                "INSERT INTO \"{}\" ({}) VALUES {} ON CONFLICT ({}) DO NOTHING",
                table.name,
                columns.join(", "),
                tuples.join(", "),
                key.join(", ")
            );
            let values = some.iter().flatten().cloned();
            let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
            let done = conn.execute_raw(statement).await.map_err(|error| clash(table, error))?;
            count += done.rows_affected();
        }
        Ok(count)
    }
}

fn id_of(row: &Row, name: &str) -> Option<Uuid> {
    row.get(name)?.as_str()?.parse().ok()
}

fn clash(table: &ArchiveTable, error: sea_orm::DbErr) -> Error {
    match persistence::unique_violation(&error) {
        Some(_) => Error::refused(format!("something in {} is here already under another id", table.file)),
        None => error.into(),
    }
}

fn read_pages(mut archive: Archive, pages: &mpsc::Sender<(usize, Vec<Row>)>) -> Result<(), Error> {
    let plan = archive.plan().clone();
    for (index, table) in plan.of(Home::Data).enumerate() {
        for path in archive.files_of(table) {
            let mut page = Vec::with_capacity(PAGE_ROWS);
            archive.each_row(table, &path, |row| {
                // Looked at once more: the file lies where somebody could have changed it.
                super::read::fits(table, &row)?;
                page.push(row);
                if page.len() == PAGE_ROWS {
                    let full = std::mem::replace(&mut page, Vec::with_capacity(PAGE_ROWS));
                    pages.blocking_send((index, full)).map_err(|_| Error::Stopped)?;
                }
                Ok(())
            })?;
            if !page.is_empty() {
                pages.blocking_send((index, page)).map_err(|_| Error::Stopped)?;
            }
        }
    }
    Ok(())
}
