//! Whom a breach concerns: a class of data and a span of time, answered from the data map for every coach at once
//! (privacy-design §2.6, Art. 33 and 34 GDPR).
//!
//! Whatever was there before the span ended could be got at in it. A table that does not say when its rows were made
//! counts as a whole: in doubt somebody is told.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::CoachId;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use crate::holding::Error;
use crate::map::{DataMap, Store, Subject};
use crate::plan::{Plan, Root};

/// Names of columns that say when a row was made, the surest first.
const MADE: [&str; 8] =
    ["created_at", "registered_at", "opened_at", "received_at", "made_at", "from_at", "given_at", "at"];

/// What a breach means for one coach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether data about herself is among it.
    pub is_own: bool,
    /// How many of her viewers it concerns.
    pub people: u64,
}

/// Whom a breach of a class concerns, by coach.
///
/// # Errors
/// When the database fails.
pub async fn reach(conn: &impl ConnectionTrait, class: &str, until: Moment) -> Result<BTreeMap<CoachId, Reach>, Error> {
    let map = DataMap::current();
    let mut all: BTreeMap<CoachId, Reach> = BTreeMap::new();
    for (root, whose) in [(Root::Coach, Subject::Coach), (Root::Subject, Subject::Viewer)] {
        let conditions = conditions(map, root, whose, class)?;
        if conditions.is_empty() {
            continue;
        }
        let (table, coach) = match root {
            Root::Coach => ("coach", "id"),
            Root::Subject => ("subject", "coach_id"),
        };
        let sql = format!(
            "SELECT \"person\".\"{coach}\" AS \"coach\", COUNT(*) AS \"people\" FROM \"{table}\" AS \"person\" \
             WHERE {} GROUP BY \"person\".\"{coach}\"",
            conditions.join(" OR ")
        );
        let values = [Value::from(until.0)];
        for row in conn.query_all_raw(Statement::from_sql_and_values(conn.get_database_backend(), sql, values)).await? {
            let reach = all.entry(CoachId(row.try_get::<Uuid>("", "coach")?)).or_default();
            match root {
                Root::Coach => reach.is_own = true,
                Root::Subject => reach.people = row.try_get::<i64>("", "people")?.unsigned_abs(),
            }
        }
    }
    Ok(all)
}

/// One condition a table: the person of the outer query has a row of the class in it. The moment is `$1`.
fn conditions(map: &DataMap, root: Root, whose: Subject, class: &str) -> Result<Vec<String>, Error> {
    let plan = Plan::new(map, root)?;
    let mut conditions = Vec::new();
    for rows in plan.rows.iter().filter(|rows| rows.store == Store::Business) {
        let has_class = map
            .columns(Store::Business)
            .any(|(table, _, place)| table == rows.table && place.class == class && place.subject == whose);
        if !has_class {
            continue;
        }
        let made = MADE.iter().find(|name| {
            map.columns(Store::Business).any(|(table, column, _)| table == rows.table && column == **name)
        });
        let person = rows.filter.replace("$1", "\"person\".\"id\"");
        let in_time = match made {
            Some(column) => format!("\"{column}\" <= $1"),
            // Always true, and both databases want to see every parameter.
            None => "$1 = $1".to_owned(),
        };
        conditions.push(format!("EXISTS (SELECT 1 FROM \"{}\" WHERE ({person}) AND {in_time})", rows.table));
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_a_person_reaches_somebody() {
        let map = DataMap::current();
        for class in ["email", "name", "watching", "answers", "consent", "media"] {
            let of = |root, whose| conditions(map, root, whose, class).expect("a plan").len();
            let tables = of(Root::Coach, Subject::Coach) + of(Root::Subject, Subject::Viewer);
            assert!(tables > 0, "nobody is reached by {class}");
        }
        let operation = conditions(map, Root::Subject, Subject::Viewer, "work").expect("a plan");
        assert_eq!(operation, Vec::<String>::new());
    }
}
