//! What can be counted, dumped and compared about a person, straight from the stores.

use std::collections::BTreeMap;

use backend::rights::Step;
use domain::Moment;
use domain::ids::{DekId, LoginId, RequestId};
use domain::rights::{Regime, RightKind};
use persistence::Database;
use persistence::entities::{dsr_request, dsr_task, export_archive, login, subject, tombstone};
use privacy::map::Store;
use privacy::scan::{Depth, Needles, Report, scan};
use privacy::{DataMap, Person, Plan, Target};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, Statement, Value,
};

use crate::world::World;

impl World {
    pub fn plan(person: Person) -> Plan {
        Plan::new(&DataMap::load().expect("loads"), person.root()).expect("a plan")
    }

    fn of(&self, store: Store) -> &Database {
        match store {
            Store::Business => self.backend.db(),
            Store::Keyring => self.backend.keyring().database(),
        }
    }

    async fn ask(&self, store: Store, sql: &str, id: uuid::Uuid) -> Vec<sea_orm::QueryResult> {
        let reader = self.of(store).reader();
        let ask = Statement::from_sql_and_values(reader.get_database_backend(), sql, [Value::from(id)]);
        reader.query_all_raw(ask).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Rows of a person, by table.
    pub async fn counts(&self, person: Person) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for rows in Self::plan(person).rows {
            let sql = format!("SELECT COUNT(*) AS n FROM \"{}\" WHERE {}", rows.table, rows.filter);
            let found = self.ask(rows.store, &sql, id_of(person)).await;
            counts.insert(rows.table, found[0].try_get("", "n").expect("a number"));
        }
        counts
    }

    /// Every row of a person in full, sorted: equal dumps are equal bytes.
    pub async fn dump(&self, person: Person) -> Vec<String> {
        let schema = privacy::schema::introspect(self.backend.db()).await.expect("a schema");
        let mut lines = Vec::new();
        for rows in Self::plan(person).rows.into_iter().filter(|rows| rows.store == Store::Business) {
            let line = if self.backend.db().is_sqlite() {
                let own = schema.columns.keys().filter(|(table, _)| *table == rows.table);
                own.map(|(_, column)| format!("quote(\"{column}\")")).collect::<Vec<_>>().join(" || '|' || ")
            } else {
                "whole::text".to_owned()
            };
            let sql = format!("SELECT {line} AS line FROM \"{0}\" AS whole WHERE {1}", rows.table, rows.filter);
            for row in self.ask(Store::Business, &sql, id_of(person)).await {
                let line: String = row.try_get("", "line").expect("a line");
                lines.push(format!("{}: {line}", rows.table));
            }
        }
        lines.sort();
        lines
    }

    pub async fn keys(&self, person: Person) -> Vec<DekId> {
        let column = match person {
            Person::Coach(coach) => subject::Column::CoachId.eq(coach),
            Person::Viewer(_, id) => subject::Column::Id.eq(id),
        };
        let rows = subject::Entity::find().filter(column).all(self.backend.db().reader()).await.expect("reads");
        rows.into_iter().map(|row| row.dek_id).collect()
    }

    pub async fn look(&self, needles: &[String]) -> Report {
        let needles = Needles::new(needles).expect("needles");
        scan(&self.backend.stores(), &[], Depth::Everything, &needles).await.expect("a scan")
    }

    pub async fn open(&self, person: Person) -> RequestId {
        self.open_until(person, None).await
    }

    pub async fn open_with_undo(&self, person: Person, until: Moment) -> RequestId {
        self.open_until(person, Some(until)).await
    }

    async fn open_until(&self, person: Person, undo_until: Option<Moment>) -> RequestId {
        let now = self.backend.now();
        let key = self.backend.request_key(now).await.expect("a key");
        let whose = match person {
            Person::Coach(coach) => backend::rights::Whose::Coach(coach),
            Person::Viewer(coach, subject) => backend::rights::Whose::Viewer(coach, subject),
        };
        let asked = backend::rights::Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Erase,
            whose,
            undo_until,
            details: backend::rights::Details::default(),
        };
        let transaction = self.backend.db().begin().await.expect("begins");
        let id = self.backend.open_request(&transaction, &key, &asked, now).await.expect("is written");
        transaction.commit().await.expect("commits");
        id
    }

    /// Takes a request to the point where it waits for the scrub, with one step left out.
    pub async fn erase(&self, id: RequestId, left_out: Option<&Target>) -> Result<(), backend::Error> {
        self.backend.step_erasure(id, left_out).await?;
        self.late_login(id).await;
        while self.backend.step_erasure(id, left_out).await? == Step::Again {}
        Ok(())
    }

    /// A request that was under way when the fence went up signs the coach in once more.
    async fn late_login(&self, id: RequestId) {
        let row = self.request(id).await;
        let (Some(coach), None) = (row.coach_id, row.subject_id) else { return };
        let now = self.backend.now();
        let transaction = self.backend.db().begin().await.expect("begins");
        let late = login::ActiveModel {
            id: Set(LoginId::new()),
            coach_id: Set(coach),
            token_hash: Set(id.as_bytes().to_vec()),
            awaiting_second_factor: Set(false),
            device: Set("other/other".to_owned()),
            country: Set("??".to_owned()),
            created_at: Set(now),
            seen_at: Set(now),
            expires_at: Set(now.plus_days(90)),
            proven_at: Set(None),
        };
        late.insert(&transaction).await.expect("signs in");
        transaction.commit().await.expect("commits");
    }

    pub async fn request(&self, id: RequestId) -> dsr_request::Model {
        let found = dsr_request::Entity::find_by_id(id).one(self.backend.db().reader()).await.expect("reads");
        found.expect("is there")
    }

    /// Steps that are behind it.
    pub async fn behind(&self, id: RequestId) -> Vec<String> {
        let tasks = dsr_task::Entity::find()
            .filter(dsr_task::Column::RequestId.eq(id))
            .filter(dsr_task::Column::State.ne("pending"));
        let tasks = tasks.all(self.backend.db().reader()).await.expect("reads");
        tasks.into_iter().map(|task| task.target).collect()
    }

    pub async fn removed(&self, id: RequestId) -> BTreeMap<String, i64> {
        let tasks = dsr_task::Entity::find().filter(dsr_task::Column::RequestId.eq(id));
        let tasks = tasks.all(self.backend.db().reader()).await.expect("reads");
        tasks.into_iter().map(|task| (task.target, task.removed)).collect()
    }

    /// What is wrong with an erasure that says it is done: rows, keys and marks. Bytes are looked for apart.
    pub async fn flaws(&self, person: Person, id: RequestId, before: &Before) -> Vec<String> {
        let mut flaws = Vec::new();
        let plan = Self::plan(person);
        let removed = self.removed(id).await;
        for (table, left) in self.counts(person).await {
            if left != 0 {
                flaws.push(format!("{left} rows of {table} are left"));
            }
            let was = before.rows[&table];
            let kept = matches!(person, Person::Viewer(..)) && table == "suppression";
            let expected = if kept { 0 } else { was };
            let said = removed.get(&format!("rows:{table}")).copied();
            // Signed out already when the fence went up.
            let early = table == "login" && said == Some(0) && !before.signs_in_late;
            if said != Some(expected) && !early {
                flaws.push(format!("{table}: {was} rows were there, and the record says {said:?}"));
            }
        }
        assert!(!plan.rows.is_empty());
        let keys = self.backend.keyring().keys(&before.keys).await.expect("asks");
        if !keys.is_empty() {
            flaws.push(format!("{} keys are left", keys.len()));
        }
        let reader = self.backend.db().reader();
        for (target, least) in [("jobs", 1), ("files", 1), ("archives", before.archives), ("requests", before.requests)]
        {
            if removed.get(target).copied().unwrap_or_default() < least {
                flaws.push(format!("{target}: {removed:?}"));
            }
        }
        let archives = export_archive::Entity::find().filter(match person {
            Person::Coach(coach) => export_archive::Column::CoachId.eq(coach),
            Person::Viewer(_, subject) => export_archive::Column::SubjectId.eq(subject),
        });
        if archives.count(reader).await.expect("counts") != 0 {
            flaws.push("an archive is left".to_owned());
        }
        let marks = tombstone::Entity::find().filter(tombstone::Column::CoachId.eq(person.coach()));
        let marks = marks.all(reader).await.expect("reads");
        let apart = self.backend.keyring().tombstones(self.backend.now()).await.expect("reads");
        let is_whole = matches!(person, Person::Coach(_));
        let is_theirs = |mark: &tombstone::Model| mark.id.0 == id.0 && mark.email_bidx.is_none() == is_whole;
        if !marks.iter().any(is_theirs) || !apart.iter().any(is_theirs) {
            flaws.push("no tombstone stands".to_owned());
        }
        flaws
    }
}

/// What was there before.
pub struct Before {
    pub rows: BTreeMap<String, i64>,
    pub keys: Vec<DekId>,
    pub archives: i64,
    pub requests: i64,
    /// A login comes in behind the fence, so that there is one to be found.
    pub signs_in_late: bool,
}

impl World {
    pub async fn before(&self, person: Person) -> Before {
        let rows = self.counts(person).await;
        let keys = self.keys(person).await;
        let viewers = i64::try_from(keys.len()).expect("few");
        Before { rows, archives: viewers, requests: viewers, keys, signs_in_late: false }
    }
}

pub fn id_of(person: Person) -> uuid::Uuid {
    match person {
        Person::Coach(coach) => coach.0,
        Person::Viewer(_, subject) => subject.0,
    }
}

/// Hits that are no flaw: a letter to the address itself, by the name of its file.
pub fn stray(report: &Report, allowed: &dyn Fn(&str, &str, usize) -> bool) -> Vec<String> {
    report
        .places
        .iter()
        .filter(|hit| !allowed(&hit.store, &hit.place, hit.needle))
        .map(|hit| format!("needle {} in {} {} as {}", hit.needle, hit.store, hit.place, hit.encoding))
        .collect()
}

/// Somebody whose erasure left one step out.
pub struct Mutant {
    pub left_out: Option<Target>,
    pub person: Person,
    pub needles: Vec<String>,
    pub before: Before,
    pub request: RequestId,
    /// A step could not be done, which is a way of noticing, too.
    pub failed: bool,
}

impl World {
    /// Erases somebody with one step left out, up to the scrub.
    pub async fn mutant(&self, person: Person, needles: Vec<String>, left_out: Option<Target>) -> Mutant {
        let before = Before { signs_in_late: true, ..self.before(person).await };
        let request = self.open(person).await;
        let failed = self.erase(request, left_out.as_ref()).await.is_err();
        Mutant { left_out, person, needles, before, request, failed }
    }

    /// Scrubs for everybody at once, looks once, and demands that what was left out was noticed, and only that.
    /// `named` is the needle that the request or the tombstone names for a while.
    pub async fn judge(&self, mutants: Vec<Mutant>, named: usize) {
        self.work().await;
        let needles: Vec<String> = mutants.iter().flat_map(|mutant| mutant.needles.iter().cloned()).collect();
        let report = self.look(&needles).await;
        let mut first = 0;
        for mutant in mutants {
            let own = first..first + mutant.needles.len();
            let request = mutant.request.to_string();
            let allowed = |store: &str, place: &str, needle: usize| {
                !own.contains(&needle)
                    || needle == own.start + named && matches!(store, "database" | "keyring")
                    || needle == own.start && store == "mailbox" && place.contains(&request)
            };
            let mut flaws = self.flaws(mutant.person, mutant.request, &mutant.before).await;
            flaws.extend(stray(&report, &allowed));
            match mutant.left_out {
                None => assert!(!mutant.failed && flaws.is_empty(), "with every eraser at work: {flaws:?}"),
                Some(target) => {
                    assert!(mutant.failed || !flaws.is_empty(), "{target} was left out, and nobody noticed");
                }
            }
            first = own.end;
        }
    }
}
