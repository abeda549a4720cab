//! Registrants as CSV (RFC 4180), a page of rows at a time, however many there are.

use std::collections::HashMap;

use bytes::Bytes;
use domain::ids::{RegistrationId, WebinarId};
use domain::webinar::RegistrationField;
use futures::Stream;
use persistence::results as queries;

use super::people::{Entry, Sheet};
use crate::{Coach, Error, Result};

const HEADINGS: [&str; 14] = [
    "email",
    "first_name",
    "last_name",
    "company",
    "phone",
    "status",
    "percent_watched",
    "seconds_watched",
    "seconds_played",
    "segments",
    "registered_at",
    "last_played_at",
    "country",
    "source",
];

/// A cell no spreadsheet takes for a formula (OWASP: CSV injection).
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn record(entry: &Entry) -> Vec<String> {
    let row = &entry.row;
    let answer = |field| harmless(entry.answers.get(field).unwrap_or_default());
    vec![
        harmless(&row.email),
        answer(RegistrationField::FirstName),
        answer(RegistrationField::LastName),
        answer(RegistrationField::Company),
        answer(RegistrationField::Phone),
        row.attendance.as_str().to_owned(),
        format!("{:.1}", row.percent),
        row.unique_seconds.to_string(),
        format!("{:.0}", row.total_seconds),
        entry.map.as_ref().map(domain::watching::WatchMap::xapi_segments).unwrap_or_default(),
        row.registered_at.rfc3339(),
        row.last_seen_at.map(domain::Moment::rfc3339).unwrap_or_default(),
        row.country.clone(),
        harmless(&entry.source),
    ]
}

fn lines(records: impl Iterator<Item = Vec<String>>) -> Result<Bytes> {
    let fault = |error: csv::Error| Error::fault("write CSV", error);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for record in records {
        writer.write_record(record).map_err(fault)?;
    }
    Ok(writer.into_inner().map_err(|error| Error::fault("write CSV", error.to_string()))?.into())
}

enum Next {
    Heading,
    After(Option<RegistrationId>),
    Nothing,
}

impl Coach {
    /// Everybody registered, as CSV.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers; a fault on the way breaks the stream off.
    pub async fn registrants_csv(&self, id: WebinarId) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let sheet = self.sheet(id).await?;
        let coach = self.clone();
        Ok(futures::stream::try_unfold((coach, sheet, Next::Heading), move |(coach, sheet, next)| async move {
            match next {
                // The mark tells spreadsheets that the text is UTF-8.
                Next::Heading => {
                    let heading = lines(std::iter::once(HEADINGS.map(str::to_owned).to_vec()))?;
                    let bytes = Bytes::from([b"\xEF\xBB\xBF".as_slice(), &heading].concat());
                    Ok(Some((bytes, (coach, sheet, Next::After(None)))))
                }
                Next::After(after) => {
                    let (bytes, last) = coach.csv_page(id, &sheet, after).await?;
                    let next = last.map_or(Next::Nothing, |last| Next::After(Some(last)));
                    Ok(Some((bytes, (coach, sheet, next))))
                }
                Next::Nothing => Ok(None),
            }
        }))
    }

    async fn csv_page(
        &self,
        id: WebinarId,
        sheet: &Sheet,
        after: Option<RegistrationId>,
    ) -> Result<(Bytes, Option<RegistrationId>)> {
        let reader = self.backend.db().reader();
        let rows = queries::people_after(reader, self.id, id, after).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let maps: HashMap<_, _> = queries::maps_of(reader, self.id, &ids).await?;
        let entries = self.backend.entries(sheet, &rows, &maps).await?;
        Ok((lines(entries.iter().map(record))?, ids.last().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for hostile in ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1"] {
            assert!(harmless(hostile).starts_with('\''), "{hostile}");
        }
        assert_eq!(harmless("Anna"), "Anna");
        let bytes = lines(std::iter::once(vec!["a,b".to_owned(), "say \"hi\"".to_owned()])).expect("written");
        assert_eq!(bytes, "\"a,b\",\"say \"\"hi\"\"\"\r\n");
    }
}
