//! What a legal ground keeps: rows with the classes it names stay as they are, rows these hang on stay as a skeleton,
//! and everything else about the person in them is blanked (privacy-design §2.4).

use domain::Moment;
use domain::ids::{CoachId, SubjectId};
use persistence::entities::legal_hold;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{Erasure, Error, Person, Retained};
use crate::map::{Erase, Form, Path, Store};
use crate::plan::Rows;
use crate::schema;

/// A ground to keep something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
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
                Ok(Self { classes: serde_json::from_str(&row.classes)?, ground: row.ground, until: row.until_at })
            })
            .collect()
    }
}

impl Erasure {
    /// Whether a hold names a class: an identifier alone says nothing.
    pub(super) fn holds_class(&self, class: &str) -> bool {
        class != "identifier" && self.holds.iter().any(|hold| hold.classes.iter().any(|held| held == class))
    }

    fn has_held_class(&self, rows: &Rows) -> bool {
        rows.classes.values().any(|class| self.holds_class(class))
    }

    /// Whether rows of this table stay: a hold names them, or a row that stays hangs on them.
    pub(super) fn is_held(&self, rows: &Rows) -> bool {
        if self.holds.is_empty() || rows.store == Store::Keyring {
            return false;
        }
        self.has_held_class(rows) || self.plan.rows.iter().any(|child| self.names(child, rows) && self.is_held(child))
    }

    fn names(&self, child: &Rows, parent: &Rows) -> bool {
        child.table != parent.table
            && self.map.columns(Store::Business).any(|(table, _, place)| {
                table == child.table
                    && place.link.as_ref().is_some_and(|link| link.to == parent.table && link.path == Path::Deep)
            })
    }

    /// Whether something sealed under the person's own key stays, so that the key must.
    pub(super) fn holds_sealed(&self) -> bool {
        self.map.columns(Store::Business).any(|(table, _, place)| {
            place.form == Form::Sealed && self.holds_class(&place.class) && self.plan.rows_of(table).is_some()
        })
    }

    pub(super) fn retained_of(&self, rows: &Rows) -> Vec<Retained> {
        // A skeleton has none of these classes: it stays for what hangs on it.
        let is_skeleton = !self.has_held_class(rows);
        let held = self.holds.iter().flat_map(|hold| hold.classes.iter().map(move |class| (hold, class)));
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

    /// Empties what no hold names in rows that stay. Returns how many rows changed now.
    pub(super) async fn blank(&self, rows: &Rows) -> Result<u64, Error> {
        let schema = schema::introspect(&self.stores.database).await?;
        let is_sqlite = self.stores.database.is_sqlite();
        let mut changes = Vec::new();
        let mut differs = Vec::new();
        for (column, ask) in &rows.asks {
            let class = rows.classes.get(column).map_or("", String::as_str);
            let is_free = matches!(ask, Erase::Delete | Erase::Null | Erase::Shred);
            if !is_free || class == "identifier" || class == "key" || column == "state" || self.holds_class(class) {
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
            rows.filter,
            differs.join(" OR ")
        );
        let transaction = self.stores.database.begin().await?;
        let done = transaction.execute_raw(self.ask(transaction.get_database_backend(), sql)).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}
