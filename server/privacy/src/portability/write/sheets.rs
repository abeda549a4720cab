//! Tables for a spreadsheet (RFC 4180): registrations with who they are of, and what was watched.

use domain::ids::DekId;
use domain::webinar::RegistrationField;
use persistence::sealed::Place;
use sea_orm::QueryResult;
use uuid::Uuid;

use super::Error;
use super::filling::{DEK, Keys, select_of};
use crate::portability::rows::key_name;
use crate::portability::tables::ArchiveTable;
use crate::portability::values::Cell;

/// Tells spreadsheets that the text is UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// Columns of the person a registration is of.
const PERSON: [(&str, &str, Place); 2] =
    [("email", "email_ct", Place::SubjectEmail), ("name", "name_ct", Place::SubjectName)];

/// One of them.
pub(super) struct Sheet<'a> {
    table: &'a ArchiveTable,
    has_person: bool,
}

impl<'a> Sheet<'a> {
    pub(super) fn of(table: &'a ArchiveTable) -> Self {
        Self { table, has_person: table.name == "registration" }
    }

    pub(super) fn path(&self) -> String {
        format!("csv/{}.csv", self.table.file)
    }

    pub(super) fn select(&self) -> Vec<String> {
        let mut select = select_of(self.table);
        if self.has_person {
            let of_person = |what: &str| {
                format!(
                    "(SELECT \"subject\".\"{what}\" FROM \"subject\" WHERE \"subject\".\"id\" = \"subject_id\") AS \"person_{what}\""
                )
            };
            select.extend(["email_ct", "name_ct", "id"].map(of_person));
        }
        select
    }

    /// The first line.
    pub(super) fn heading(&self) -> Result<Vec<u8>, Error> {
        let mut names: Vec<String> = Vec::new();
        if self.has_person {
            names.extend(PERSON.map(|(name, ..)| name.to_owned()));
        }
        for column in &self.table.columns {
            if column.sealed == Some(Place::RegistrationAnswers) {
                names.extend(RegistrationField::ALL.map(|field| field.as_str().to_owned()));
            } else {
                names.push(column.export.clone());
            }
        }
        Ok([MARK, &lines(std::iter::once(names))?].concat())
    }

    /// A page of lines.
    pub(super) fn lines(&self, page: &[QueryResult], keys: &Keys) -> Result<Vec<u8>, Error> {
        let records: Vec<Vec<String>> = page.iter().map(|row| self.record(row, keys)).collect::<Result<_, _>>()?;
        lines(records.into_iter())
    }

    fn record(&self, row: &QueryResult, keys: &Keys) -> Result<Vec<String>, Error> {
        let mut record = Vec::with_capacity(self.table.columns.len() + 6);
        let key = match self.table.dek {
            Some(_) => row.try_get::<Option<Uuid>>("", DEK)?.and_then(|id| keys.0.get(&DekId(id))),
            None => None,
        };
        if self.has_person {
            let person: Uuid = row.try_get("", "person_id")?;
            for (_, column, place) in PERSON {
                let sealed = row.try_get("", &format!("person_{column}"))?;
                record.push(Cell::open(sealed, place, person.as_bytes(), key)?.csv());
            }
        }
        for (index, column) in self.table.columns.iter().enumerate() {
            let Some(place) = column.sealed else {
                record.push(Cell::read(row, index, column)?.csv());
                continue;
            };
            let id: Uuid = row.try_get("", &key_name(0))?;
            let cell = Cell::open(row.try_get_by_index(index)?, place, id.as_bytes(), key)?;
            if place == Place::RegistrationAnswers {
                record.extend(RegistrationField::ALL.map(|field| cell.field(field.as_str())));
            } else {
                record.push(cell.csv());
            }
        }
        Ok(record)
    }
}

fn lines(records: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for record in records {
        writer.write_record(record)?;
    }
    writer.into_inner().map_err(|error| Error::File(std::io::Error::other(error.to_string())))
}
