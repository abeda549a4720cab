//! What a legal ground keeps: rows with the classes it names stay as they are, rows these hang on stay as a skeleton,
//! and everything else about the person in them is blanked (privacy-design §2.4).

use domain::Moment;
use domain::ids::{CoachId, SubjectId};
use persistence::entities::legal_hold;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};

use super::{Erasure, Error, Outcome, Person, Retained};
use crate::map::{Erase, Form, Path, Store};
use crate::plan::Rows;
use crate::schema;

/// A ground to keep something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Of which viewer; nothing when it is on the account itself.
    pub subject: Option<SubjectId>,
    /// Which kinds of data.
    pub classes: Vec<String>,
    /// Which ground of the closed list.
    pub ground: String,
    /// When it ends by itself.
    pub until: Moment,
}

impl Hold {
    /// What must stay of a person now.
    ///
    /// # Errors
    /// When the database fails or a stored list is none.
    pub async fn of(conn: &impl ConnectionTrait, person: Person, now: Moment) -> Result<Vec<Self>, Error> {
        let (coach, subject): (CoachId, Option<SubjectId>) = match person {
            Person::Coach(coach) => (coach, None),
            Person::Viewer(coach, subject) => (coach, Some(subject)),
        };
        let mut find = legal_hold::Entity::find()
            .filter(legal_hold::Column::CoachId.eq(coach))
            .filter(legal_hold::Column::UntilAt.gt(now));
        // What is held of a viewer is held when the whole account goes, too.
        if let Some(subject) = subject {
            find = find.filter(legal_hold::Column::SubjectId.eq(subject));
        }
        let rows = find.all(conn).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Self {
                    subject: row.subject_id,
                    classes: serde_json::from_str(&row.classes)?,
                    ground: row.ground,
                    until: row.until_at,
                })
            })
            .collect()
    }
}

/// Whether a hold names a class: an identifier alone says nothing.
fn name(holds: &[&Hold], class: &str) -> bool {
    class != "identifier" && holds.iter().any(|hold| hold.classes.iter().any(|held| held == class))
}

/// How much of a table a hold keeps.
pub(super) enum Kept<'a> {
    /// Nothing.
    Nothing,
    /// Something of every row.
    OfAll(Vec<&'a Hold>),
    /// Something of these people's rows; everybody else's go.
    OfSome(Vec<(SubjectId, Vec<&'a Hold>)>),
}

impl Erasure {
    /// Viewers whose data something is held of, with their holds; only when a whole account goes.
    fn held_viewers(&self) -> Vec<(SubjectId, Vec<&Hold>)> {
        let mut theirs: Vec<(SubjectId, Vec<&Hold>)> = Vec::new();
        if self.viewers.is_none() {
            return theirs;
        }
        for hold in &self.holds {
            let Some(subject) = hold.subject else { continue };
            match theirs.iter_mut().find(|(known, _)| *known == subject) {
                Some((_, holds)) => holds.push(hold),
                None => theirs.push((subject, vec![hold])),
            }
        }
        theirs
    }

    /// Holds on whoever is being erased: on the viewer, or on the account itself.
    fn own_holds(&self) -> Vec<&Hold> {
        self.holds.iter().filter(|hold| self.viewers.is_none() || hold.subject.is_none()).collect()
    }

    /// What the holds keep of a table.
    pub(super) fn kept_by_holds(&self, rows: &Rows) -> Kept<'_> {
        let own = self.own_holds();
        let some: Vec<_> = self.held_viewers().into_iter().filter(|(_, theirs)| self.is_held(rows, theirs)).collect();
        let is_theirs = self.viewers.as_ref().is_some_and(|plan| plan.rows_of(&rows.table).is_some());
        if self.is_held(rows, &own) || (!some.is_empty() && !is_theirs) {
            return Kept::OfAll(own.into_iter().chain(some.into_iter().flat_map(|(_, theirs)| theirs)).collect());
        }
        if some.is_empty() { Kept::Nothing } else { Kept::OfSome(some) }
    }

    /// A condition that finds the rows of these viewers in a table, with the ids it needs behind the person's own.
    pub(super) fn rows_of_some(&self, table: &str, people: &[SubjectId]) -> (String, Vec<Value>) {
        let mut values = vec![Value::from(self.person.id())];
        let Some(rows) = self.viewers.as_ref().and_then(|plan| plan.rows_of(table)) else {
            return ("1 = 0".to_owned(), values);
        };
        let mut ways = Vec::with_capacity(people.len());
        for subject in people {
            values.push(Value::from(subject.0));
            ways.push(format!("({})", rows.filter.replace("$1", &format!("${}", values.len()))));
        }
        if ways.is_empty() {
            ways.push("1 = 0".to_owned());
        }
        (ways.join(" OR "), values)
    }

    fn has_held_class(rows: &Rows, holds: &[&Hold]) -> bool {
        rows.classes.values().any(|class| name(holds, class))
    }

    /// Whether rows of this table stay: a hold names them, or a row that stays hangs on them.
    fn is_held(&self, rows: &Rows, holds: &[&Hold]) -> bool {
        if holds.is_empty() || rows.store == Store::Keyring {
            return false;
        }
        // What is held of a viewer lies where viewers' data does.
        let is_viewers_only = self.viewers.is_some() && holds.iter().all(|hold| hold.subject.is_some());
        let can_be_named = match &self.viewers {
            Some(viewers) if is_viewers_only => viewers.rows_of(&rows.table).is_some(),
            _ => true,
        };
        (can_be_named && Self::has_held_class(rows, holds))
            || self.plan.rows.iter().any(|child| self.names(child, rows) && self.is_held(child, holds))
    }

    fn names(&self, child: &Rows, parent: &Rows) -> bool {
        child.table != parent.table
            && self.map.columns(Store::Business).any(|(table, _, place)| {
                table == child.table
                    && place.link.as_ref().is_some_and(|link| link.to == parent.table && link.path == Path::Deep)
            })
    }

    /// Whether something sealed under a person's own key stays, so that the key must.
    fn holds_sealed(&self, holds: &[&Hold]) -> bool {
        self.map.columns(Store::Business).any(|(table, _, place)| {
            place.form == Form::Sealed && name(holds, &place.class) && self.plan.rows_of(table).is_some()
        })
    }

    /// Viewers whose keys stay although the account goes; nothing when no key goes at all.
    pub(super) fn keeping_keys(&self) -> Option<Vec<SubjectId>> {
        if self.holds_sealed(&self.own_holds()) {
            return None;
        }
        let keeping = self.held_viewers().into_iter().filter(|(_, theirs)| self.holds_sealed(theirs));
        Some(keeping.map(|(subject, _)| subject).collect())
    }

    pub(super) fn retained_of(rows: &Rows, holds: &[&Hold]) -> Vec<Retained> {
        // A skeleton has none of these classes: it stays for what hangs on it.
        let is_skeleton = !Self::has_held_class(rows, holds);
        let held = holds.iter().flat_map(|hold| hold.classes.iter().map(move |class| (hold, class)));
        let mut retained: Vec<Retained> = held
            .filter(|(_, class)| *class != "identifier")
            .filter(|(_, class)| is_skeleton || rows.classes.values().any(|of| of == *class))
            .map(|(hold, class)| Retained {
                class: class.clone(),
                ground: hold.ground.clone(),
                until: Some(hold.until),
            })
            .collect();
        retained.sort();
        retained.dedup();
        retained
    }

    /// Removes everybody's rows but these people's, and of theirs what no hold names.
    pub(super) async fn keep_some(&self, rows: &Rows, some: &[(SubjectId, Vec<&Hold>)]) -> Result<Outcome, Error> {
        let people: Vec<SubjectId> = some.iter().map(|(subject, _)| *subject).collect();
        let (theirs, values) = self.rows_of_some(&rows.table, &people);
        // Rows of nobody, such as mail to the coach herself, are not theirs either.
        let delete = format!("DELETE FROM \"{}\" WHERE ({}) AND ({theirs}) IS NOT TRUE", rows.table, rows.filter);
        let transaction = self.stores.database.begin().await?;
        let statement = Statement::from_sql_and_values(transaction.get_database_backend(), delete, values);
        let mut removed = transaction.execute_raw(statement).await?.rows_affected();
        transaction.commit().await?;
        let mut retained = Vec::new();
        for (subject, holds) in some {
            let (filter, values) = self.rows_of_some(&rows.table, &[*subject]);
            removed += self.blank(rows, (&filter, values), holds).await?;
            retained.extend(Self::retained_of(rows, holds));
        }
        retained.sort();
        retained.dedup();
        Ok(Outcome { removed, retained })
    }

    /// Empties what no hold names in rows that stay. Returns how many rows changed now.
    pub(super) async fn blank(
        &self,
        rows: &Rows,
        (filter, values): (&str, Vec<Value>),
        holds: &[&Hold],
    ) -> Result<u64, Error> {
        let schema = schema::introspect(&self.stores.database).await?;
        let is_sqlite = self.stores.database.is_sqlite();
        let mut changes = Vec::new();
        let mut differs = Vec::new();
        for (column, ask) in &rows.asks {
            let class = rows.classes.get(column).map_or("", String::as_str);
            let is_free = matches!(ask, Erase::Delete | Erase::Null | Erase::Shred);
            if !is_free || class == "identifier" || class == "key" || column == "state" || name(holds, class) {
                continue;
            }
            let kind = schema.columns.get(&(rows.table.clone(), column.clone())).map_or("", String::as_str);
            let own_id = if is_sqlite { "\"id\"" } else { "uuid_send(\"id\")" };
            let blank = match kind {
                // Two rows of one coach may not have the same index: each gets its own random id for one.
                _ if rows.indexes.contains(column) => own_id,
                kind if kind.starts_with("uuid") => continue,
                "blob" => "x''",
                "bytea" => "''::bytea",
                kind if kind.contains("bool") && !is_sqlite => "false",
                kind if kind.contains("int") || kind.contains("bool") => "0",
                kind if kind.contains("text") || kind.contains("char") => "''",
                _ => continue,
            };
            changes.push(format!("\"{column}\" = {blank}"));
            differs.push(format!("\"{column}\" IS DISTINCT FROM {blank}"));
        }
        if changes.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "UPDATE \"{}\" SET {} WHERE ({}) AND ({})",
            rows.table,
            changes.join(", "),
            filter,
            differs.join(" OR ")
        );
        let transaction = self.stores.database.begin().await?;
        let statement = Statement::from_sql_and_values(transaction.get_database_backend(), sql, values);
        let done = transaction.execute_raw(statement).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}
