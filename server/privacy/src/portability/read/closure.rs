//! Rows of an archive against this program's tables: what they are made of, and what they name.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value as Json;
use uuid::Uuid;

use super::{Error, Row};
use crate::portability::tables::{ArchivePlan, ArchiveTable, Source, column_before};
use crate::portability::values::take;

/// Rows so far, and what they name.
pub(super) struct Closure<'a> {
    of: &'a ArchivePlan,
    known: HashMap<&'static str, HashSet<Uuid>>,
    pending: BTreeSet<(String, Uuid, bool)>,
    pub(super) rows: u64,
}

impl<'a> Closure<'a> {
    pub(super) fn new(of: &'a ArchivePlan) -> Self {
        Self { of, known: HashMap::new(), pending: BTreeSet::new(), rows: 0 }
    }

    /// Ids of a table so far.
    pub(super) fn ids(&self, table: &str) -> Option<&HashSet<Uuid>> {
        self.known.get(table)
    }

    pub(super) fn take(&mut self, table: &ArchiveTable, row: Row) -> Result<(), Error> {
        self.rows += 1;
        fits(table, &row)?;
        for column in &table.columns {
            let Some(value) = row.get(&column.export) else { continue };
            let id = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
            if column.source == Source::Column("id") {
                let is_new = id.is_some_and(|id| self.known.entry(table.name).or_default().insert(id));
                if !is_new {
                    return Err(Error::refused("its id was there before"));
                }
            }
            if let (Some(target), Some(id)) = (&column.names, id)
                && self.of.data(target).is_some()
                && !self.known.get(target.as_str()).is_some_and(|ids| ids.contains(&id))
            {
                self.pending.insert((target.clone(), id, column.is_owned));
            }
        }
        Ok(())
    }

    /// What is named and not there. A row that belongs to something that is not there belongs to somebody else.
    pub(super) fn dangling(self) -> Result<BTreeSet<(String, Uuid)>, Error> {
        let mut dangling = BTreeSet::new();
        for (target, id, is_owned) in self.pending {
            if self.known.get(target.as_str()).is_some_and(|ids| ids.contains(&id)) {
                continue;
            }
            if is_owned {
                return Err(Error::refused(format!("a row belongs to a {target} that is not in the archive")));
            }
            dangling.insert((target, id));
        }
        Ok(dangling)
    }
}

/// Whether a row is one of its table: every column, no other, each of its kind. A column that came with a later version
/// may be absent where it has a value for rows of before, or none.
pub(in crate::portability) fn fits(table: &ArchiveTable, row: &Row) -> Result<(), Error> {
    for name in row.keys() {
        if !table.columns.iter().any(|column| column.export == *name) {
            let name = name.escape_debug();
            return Err(Error::refused(format!("{name} is no column of {} this program has", table.file)));
        }
    }
    for column in &table.columns {
        match row.get(&column.export) {
            Some(value) => {
                take(column, value).map_err(|what| Error::refused(format!("{} should be {what}", column.export)))?;
            }
            None => {
                let before = column_before(table.name, &column.export).unwrap_or(Json::Null);
                take(column, &before).map_err(|_| Error::refused(format!("{} is missing", column.export)))?;
            }
        }
    }
    Ok(())
}
