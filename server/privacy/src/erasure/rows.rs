//! Rows of one table, in one transaction.

use sea_orm::{ConnectionTrait, Value};

use super::held::Kept;
use super::{Erasure, Error, Outcome, Retained};
use crate::map::{Erase, Hold as Ground};
use crate::plan::{Root, Rows};

/// Adds what the rows had become to the webinar's numbers, before they go: the funnel keeps them, and nobody's name.
const KEEP_TOTALS: &str = "INSERT INTO \"erased_total\" (\"webinar_id\", \"outcome\", \"people\") \
     SELECT \"webinar_id\", \"outcome\", COUNT(*) FROM \"registration\" WHERE {filter} \
     GROUP BY \"webinar_id\", \"outcome\" ON CONFLICT (\"webinar_id\", \"outcome\") \
     DO UPDATE SET \"people\" = \"erased_total\".\"people\" + excluded.\"people\"";

impl Erasure {
    pub(super) async fn erase_rows(&self, table: &str) -> Result<Outcome, Error> {
        let Some(rows) = self.plan.rows_of(table) else {
            return Ok(Outcome::default());
        };
        let retained = self.kept(rows).await?;
        if !retained.is_empty() {
            return Ok(Outcome { removed: 0, retained });
        }
        match self.kept_by_holds(rows) {
            Kept::Nothing => {}
            Kept::OfSome(some) => return self.keep_some(rows, &some).await,
            Kept::OfAll(holds) => {
                let whose = (rows.filter.as_str(), vec![Value::from(self.person.id())]);
                let removed = self.blank(rows, whose, &holds).await?;
                return Ok(Outcome { removed, retained: Self::retained_of(rows, &holds) });
            }
        }
        let transaction = self.database(rows.store).begin().await?;
        let backend = transaction.get_database_backend();
        if table == "registration" && self.plan.root == Root::Subject {
            let totals = KEEP_TOTALS.replace("{filter}", &rows.filter);
            transaction.execute_raw(self.ask(backend, totals)).await?;
        }
        let delete = format!("DELETE FROM \"{table}\" WHERE {}", rows.filter);
        let done = transaction.execute_raw(self.ask(backend, delete)).await?;
        transaction.commit().await?;
        Ok(Outcome::removed(done.rows_affected()))
    }

    /// What the map itself keeps, such as the mark not to write to somebody: of a viewer it outlives the erasure, with
    /// the whole account it goes.
    async fn kept(&self, rows: &Rows) -> Result<Vec<Retained>, Error> {
        let grounds: Vec<(&String, Ground)> = rows
            .asks
            .iter()
            .filter_map(|(column, ask)| match ask {
                Erase::Retain(ground) => Some((column, *ground)),
                Erase::Delete | Erase::Null | Erase::Shred => None,
            })
            .collect();
        if grounds.is_empty() || self.plan.root == Root::Coach || self.forgets_mark {
            return Ok(Vec::new());
        }
        let reader = self.database(rows.store).reader();
        let any = format!("SELECT 1 FROM \"{}\" WHERE {} LIMIT 1", rows.table, rows.filter);
        if reader.query_one_raw(self.ask(reader.get_database_backend(), any)).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut retained: Vec<Retained> = grounds
            .into_iter()
            .filter_map(|(column, ground)| Some((rows.classes.get(column)?, ground)))
            .filter(|(class, _)| *class != "identifier")
            .map(|(class, ground)| Retained { class: class.clone(), ground: ground.as_str().to_owned(), until: None })
            .collect();
        retained.sort();
        retained.dedup();
        Ok(retained)
    }
}
