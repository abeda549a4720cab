//! What no link leads to: tombstones, archives, jobs, keys, earlier requests.

use std::collections::HashSet;

use domain::Moment;
use domain::ids::{DekId, JobId, SubjectId, TombstoneId};
use domain::rights::{RequestState, TOMBSTONE_DAYS};
use persistence::entities::{dsr_request, export_archive, subject, tombstone};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Statement, Value,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Erasure, Error, Outcome, Person};
use crate::plan::Payload;

/// Jobs looked at in one go.
const JOB_PAGE: usize = 500;
/// Rows of the queue or keys read at once.
const PAGE: u64 = 5_000;

/// What a mark of an erasure knows an erased viewer by, besides the address: it finds an older copy of them, and says
/// nothing to anybody who has none.
#[must_use]
pub fn hash_of(subject: SubjectId) -> Vec<u8> {
    Sha256::digest(subject.as_bytes()).to_vec()
}

impl Erasure {
    /// Marks that the person is gone, first where a restored database is told from.
    pub(super) async fn bury(&self, now: Moment) -> Result<Outcome, Error> {
        let (email_bidx, subject_hash) = match self.person {
            Person::Coach(_) => (None, None),
            Person::Viewer(coach, id) => {
                let row = subject::Entity::find_by_id(id)
                    .filter(subject::Column::CoachId.eq(coach))
                    .one(self.stores.database.reader())
                    .await?;
                match row {
                    // Gone already: the first try made the mark.
                    None => return Ok(Outcome::default()),
                    Some(row) => (Some(row.email_bidx), Some(hash_of(id))),
                }
            }
        };
        let mark = tombstone::Model {
            // The request's own id, so that the second try finds the first one's mark.
            id: TombstoneId(self.request.0),
            coach_id: self.person.coach(),
            email_bidx,
            subject_hash,
            cause: "request".to_owned(),
            created_at: now,
            expires_at: now.plus_days(TOMBSTONE_DAYS),
        };
        self.stores.keyring.bury(&mark).await?;
        let transaction = self.stores.database.begin().await?;
        if let Some(index) = &mark.email_bidx {
            // Erased before, came back, and goes again: the later mark stands.
            tombstone::Entity::delete_many()
                .filter(tombstone::Column::CoachId.eq(mark.coach_id))
                .filter(tombstone::Column::EmailBidx.eq(index.clone()))
                .filter(tombstone::Column::Id.ne(mark.id))
                .exec(&transaction)
                .await?;
        }
        tombstone::Entity::insert(tombstone::ActiveModel::from(mark).reset_all())
            .on_conflict(OnConflict::column(tombstone::Column::Id).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(Outcome::default())
    }

    /// Archives of the person, and with an account those of its viewers: object, key, row, in this order. With a viewer
    /// go her coach's own, because she is in them.
    pub(super) async fn erase_archives(&self) -> Result<Outcome, Error> {
        let mut find = export_archive::Entity::find().filter(export_archive::Column::CoachId.eq(self.person.coach()));
        if let Person::Viewer(_, subject) = self.person {
            let about = export_archive::Column::SubjectId.eq(subject);
            find = find.filter(about.or(export_archive::Column::SubjectId.is_null()));
        }
        if let Some(gone) = self.archives_until {
            find = find.filter(export_archive::Column::CreatedAt.lte(gone));
        }
        let rows = find.all(self.stores.database.reader()).await?;
        for row in &rows {
            if let Some(key) = &row.object_key {
                self.stores.bucket.delete(key).await?;
                self.stores.bucket.erase_prefix(&format!("{key}#")).await?;
            }
            self.stores.keyring.destroy(row.dek_id).await?;
            let transaction = self.stores.database.begin().await?;
            export_archive::Entity::delete_by_id(row.id).exec(&transaction).await?;
            transaction.commit().await?;
        }
        Ok(Outcome::removed(rows.len() as u64))
    }

    /// Jobs whose payload names a row that goes. They go before the rows, while these can still be found.
    pub(super) async fn erase_jobs(&self) -> Result<Outcome, Error> {
        let mut removed = 0;
        for payload in &self.plan.payloads {
            removed += self.erase_jobs_of(payload).await?;
        }
        Ok(Outcome::removed(removed))
    }

    async fn erase_jobs_of(&self, payload: &Payload) -> Result<u64, Error> {
        let reader = self.stores.database.reader();
        let backend = reader.get_database_backend();
        let mut removed = 0;
        let mut after = Uuid::nil();
        loop {
            let page = format!(
                "SELECT \"id\", \"payload\" FROM \"job\" WHERE \"kind\" = $1 AND \"id\" > $2 ORDER BY \"id\" LIMIT {PAGE}"
            );
            let values: [Value; 2] = [payload.job.as_str().into(), after.into()];
            let rows = reader.query_all_raw(Statement::from_sql_and_values(backend, page, values)).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after = last.try_get("", "id")?;
            let mut named = Vec::with_capacity(rows.len());
            for row in &rows {
                let text: String = row.try_get("", "payload")?;
                let json: serde_json::Value = serde_json::from_str(&text)?;
                let id = json.get(&payload.field).and_then(|id| id.as_str()).and_then(|id| id.parse::<Uuid>().ok());
                if let Some(id) = id {
                    named.push((row.try_get::<Uuid>("", "id")?, id));
                }
            }
            for some in named.chunks(JOB_PAGE) {
                removed += self.erase_named_jobs(payload, some).await?;
            }
        }
    }

    async fn erase_named_jobs(&self, payload: &Payload, named: &[(Uuid, Uuid)]) -> Result<u64, Error> {
        let transaction = self.stores.database.begin().await?;
        let backend = transaction.get_database_backend();
        let places: Vec<String> = (2..named.len() + 2).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT \"id\" FROM \"{}\" WHERE \"id\" IN ({}) AND ({})",
            payload.table,
            places.join(", "),
            payload.filter
        );
        let values = std::iter::once(self.person.id()).chain(named.iter().map(|(_, row)| *row)).map(Value::from);
        let found = transaction.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        let going: HashSet<Uuid> = found.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
        let mut removed = 0;
        for (job, _) in named.iter().filter(|(_, row)| going.contains(row)) {
            let delete = "DELETE FROM \"job\" WHERE \"id\" = $1";
            let values: [Value; 1] = [JobId(*job).0.into()];
            let done = transaction.execute_raw(Statement::from_sql_and_values(backend, delete, values)).await?;
            removed += done.rows_affected();
        }
        transaction.commit().await?;
        Ok(removed)
    }

    /// Destroys the keys of what is sealed: from here on every copy, also in backups, is unreadable. A hold on
    /// something sealed keeps its key.
    pub(super) async fn erase_keys(&self) -> Result<Outcome, Error> {
        let Some(kept) = self.keeping_keys() else { return Ok(Outcome::default()) };
        let reader = self.stores.database.reader();
        let mut ids = Vec::new();
        for column in &self.plan.keys {
            let (theirs, values) = self.rows_of_some(&column.table, &kept);
            let sql = format!(
                "SELECT \"{0}\" AS \"key\" FROM \"{1}\" WHERE ({2}) AND ({theirs}) IS NOT TRUE AND \"{0}\" IS NOT NULL",
                column.column, column.table, column.filter
            );
            let asked = Statement::from_sql_and_values(reader.get_database_backend(), sql, values);
            for row in reader.query_all_raw(asked).await? {
                ids.push(DekId(row.try_get("", "key")?));
            }
        }
        Ok(Outcome::removed(self.stores.keyring.destroy_many(&ids).await?))
    }

    /// Earlier requests of the person, and with an account those of its viewers: what still runs is ended, since its
    /// subject is gone; ids and words go, keys are destroyed. What stays is that something was asked and done.
    pub(super) async fn end_requests(&self, now: Moment) -> Result<Outcome, Error> {
        use dsr_request::Column;
        let mut theirs =
            sea_orm::Condition::all().add(Column::CoachId.eq(self.person.coach())).add(Column::Id.ne(self.request));
        if let Person::Viewer(_, subject) = self.person {
            theirs = theirs.add(Column::SubjectId.eq(subject));
        }
        let keys: Vec<DekId> = dsr_request::Entity::find()
            .select_only()
            .column(Column::DekId)
            .filter(theirs.clone())
            .into_tuple()
            .all(self.stores.database.reader())
            .await?;
        self.stores.keyring.destroy_many(&keys).await?;
        let over = RequestState::ALL.iter().filter(|state| state.is_over()).map(|state| state.as_str());
        let transaction = self.stores.database.begin().await?;
        dsr_request::Entity::update_many()
            .col_expr(Column::State, Expr::value(RequestState::Cancelled.as_str()))
            .col_expr(Column::CompletedAt, Expr::value(Some(now)))
            .filter(theirs.clone())
            .filter(Column::State.is_not_in(over))
            .exec(&transaction)
            .await?;
        let mut emptied = dsr_request::Entity::update_many()
            .col_expr(Column::SubjectId, Expr::value(None::<Uuid>))
            .col_expr(Column::DetailsCt, Expr::value(None::<Vec<u8>>));
        if self.person.root() == crate::plan::Root::Coach {
            emptied = emptied.col_expr(Column::CoachId, Expr::value(None::<Uuid>));
        }
        let done = emptied.filter(theirs).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(Outcome::removed(done.rows_affected))
    }
}
