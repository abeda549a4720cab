//! The registrants' table: search, filter, sort, page.

use std::collections::HashMap;

use domain::ids::{RegistrationId, VideoId, WebinarId};
use domain::processing::ProcessingPurpose;
use domain::registration::Answers;
use domain::results::{REGISTRANTS_PAGE, RegistrantPage, RegistrantQuery, RegistrantRow, STRIP_CELLS};
use domain::watching::{Attendance, Thresholds, WatchMap, Watched, attendance};
use domain::{EmailAddress, Moment};
use persistence::results::{self as queries, PersonRow, PlainOrder};
use persistence::sealed::{Active, Place, SubjectKey};

use crate::webinars::thresholds_of;
use crate::{Backend, Coach, Error, Result};

/// What identifies a person, opened.
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) email: String,
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| Error::fault("read a sealed text", error))
}

pub(super) fn open(key: &SubjectKey, subject: &[u8; 16], email: &[u8], name: Option<&[u8]>) -> Result<Opened> {
    Ok(Opened {
        email: text(key.open(ProcessingPurpose::Provide, Place::SubjectEmail, subject, email)?)?,
        name: match name {
            Some(sealed) => text(key.open(ProcessingPurpose::Provide, Place::SubjectName, subject, sealed)?)?,
            None => String::new(),
        },
    })
}

/// What rows of one webinar share.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) durations: HashMap<VideoId, f64>,
    pub(super) current_duration: f64,
    pub(super) thresholds: Thresholds,
    pub(super) now: Moment,
}

/// A row with what only some of its readers need.
pub(super) struct Entry {
    pub(super) row: RegistrantRow,
    pub(super) answers: Answers,
    pub(super) map: Option<WatchMap>,
    pub(super) source: String,
}

impl Sheet {
    fn duration_of(&self, row: &PersonRow) -> f64 {
        row.current_video_id.and_then(|video| self.durations.get(&video).copied()).unwrap_or(self.current_duration)
    }

    fn entry(&self, row: &PersonRow, key: &SubjectKey, bits: Option<&(Vec<u8>, Vec<u8>)>) -> Result<Entry> {
        let person = open(key, row.subject_id.as_bytes(), &row.email_ct, row.name_ct.as_deref())?;
        let answers = match &row.answers_ct {
            Some(sealed) => serde_json::from_slice(&key.open(
                ProcessingPurpose::Provide,
                Place::RegistrationAnswers,
                row.id.as_bytes(),
                sealed,
            )?)?,
            None => Answers::default(),
        };
        let duration = self.duration_of(row);
        let map = bits.map(|(seen, again)| WatchMap::from_stored(duration, seen, again));
        let stored = Attendance::from_stored(&row.outcome).unwrap_or(Attendance::Registered);
        let unique_seconds = row.unique_seconds.unsigned_abs();
        let watched =
            Watched { unique_seconds, last_credit_at: row.last_credit_at, finalised: stored == Attendance::Missed };
        // The logged outcome stands; only "watching now" is of the moment.
        let shown = match attendance(&watched, duration, self.thresholds, self.now) {
            Attendance::Watching => Attendance::Watching,
            _ => stored,
        };
        Ok(Entry {
            row: RegistrantRow {
                id: row.id,
                name: person.name,
                email: person.email,
                attendance: shown,
                percent: f64::from(row.percent_milli) / 1000.0,
                unique_seconds,
                total_seconds: row.total_ms as f64 / 1000.0,
                strip: map.as_ref().map_or_else(Vec::new, |map| map.strip(STRIP_CELLS)),
                registered_at: row.registered_at,
                last_seen_at: row.last_credit_at,
                country: row.country.clone(),
                is_masked: false,
            },
            answers,
            map,
            source: row.source.clone(),
        })
    }
}

impl Backend {
    /// Opens rows with one question to the keyring. A person whose key is gone is gone.
    pub(super) async fn entries(
        &self,
        sheet: &Sheet,
        rows: &[Active<PersonRow>],
        maps: &HashMap<RegistrationId, (Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<Entry>> {
        let keys = self.keyring().keys(&rows.iter().map(|row| row.dek_id).collect::<Vec<_>>()).await?;
        rows.iter()
            .filter_map(|row| keys.get(&row.dek_id).map(|key| (row, key)))
            .map(|(row, key)| sheet.entry(row, key, maps.get(&row.id)))
            .collect()
    }
}

impl Coach {
    pub(super) async fn sheet(&self, id: WebinarId) -> Result<Sheet> {
        let reader = self.backend.db().reader();
        let row = self.own_webinar(id).await?;
        let durations = queries::durations(reader, self.id, id).await?;
        Ok(Sheet {
            current_duration: row.current_video_id.and_then(|video| durations.get(&video).copied()).unwrap_or_default(),
            title: row.title.clone(),
            durations,
            thresholds: thresholds_of(&row),
            now: self.backend.now(),
        })
    }

    /// One page of the registrants' table.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn registrants(&self, id: WebinarId, query: &RegistrantQuery) -> Result<RegistrantPage> {
        let reader = self.backend.db().reader();
        let sheet = self.sheet(id).await?;
        let total = queries::listed_count(reader, self.id, id).await?;
        let (matching, ids) = self.matching(id, query, sheet.now).await?;
        let rows = queries::people(reader, self.id, id, &ids).await?;
        let maps = queries::maps_of(reader, self.id, &ids).await?;
        let mut by_id: HashMap<_, _> = self
            .backend
            .entries(&sheet, &rows, &maps)
            .await?
            .into_iter()
            .map(|entry| (entry.row.id, entry.row))
            .collect();
        for masked in queries::masked(reader, self.id, id, &ids).await? {
            by_id.insert(masked.id, RegistrantRow::masked(masked.id, masked.registered_at));
        }
        let rows = ids.iter().filter_map(|id| by_id.remove(id)).collect();
        Ok(RegistrantPage { title: sheet.title, rows, matching, total, page: query.page })
    }

    /// How many match, and the ids of the wanted page in order.
    async fn matching(
        &self,
        id: WebinarId,
        query: &RegistrantQuery,
        now: Moment,
    ) -> Result<(usize, Vec<RegistrationId>)> {
        let reader = self.backend.db().reader();
        let status = Attendance::from_stored(&query.status);
        let search = query.search.trim().to_lowercase();
        let offset = query.page.saturating_mul(REGISTRANTS_PAGE);
        if let Ok(address) = EmailAddress::parse(&search) {
            // A whole address is one person, found without opening anybody.
            let index = self.backend.keyring().pepper(self.id, now).await?.blind_index(&address.normalised());
            let found = queries::person_by_index(reader, self.id, id, &index, status, now).await?;
            return Ok((usize::from(found.is_some()), found.into_iter().skip(offset).collect()));
        }
        let by_name = matches!(query.sort.as_str(), "name" | "email");
        let window = (offset as u64, REGISTRANTS_PAGE as u64);
        if search.is_empty() && !by_name && status.is_none() && query.sort != "percent" {
            // The whole table is the one place where people whose data rests are seen, masked: any other order or
            // filter would say something about them.
            let matching = queries::listed_count(reader, self.id, id).await?;
            return Ok((matching, queries::listed_page(reader, self.id, id, window).await?));
        }
        if search.is_empty() && !by_name {
            let order = if query.sort == "percent" { PlainOrder::Percent } else { PlainOrder::Registered };
            let matching = queries::people_count(reader, self.id, id, status, now).await?;
            return Ok((matching, queries::people_page(reader, self.id, id, (status, order), window, now).await?));
        }
        let sealed = queries::person_keys(reader, self.id, id, status, now).await?;
        let keys = self.backend.keyring().keys(&sealed.iter().map(|row| row.dek_id).collect::<Vec<_>>()).await?;
        let mut found = Vec::new();
        for row in &sealed {
            let Some(key) = keys.get(&row.dek_id) else { continue };
            let person = open(key, row.subject_id.as_bytes(), &row.email_ct, row.name_ct.as_deref())?;
            let (name, email) = (person.name.to_lowercase(), person.email.to_lowercase());
            if name.contains(&search) || email.contains(&search) {
                found.push((row.id, name, email, row.percent_milli));
            }
        }
        match query.sort.as_str() {
            // People without a name stand behind those with one.
            "name" => found.sort_by(|a, b| (a.1.is_empty(), &a.1, &a.2).cmp(&(b.1.is_empty(), &b.1, &b.2))),
            "email" => found.sort_by(|a, b| a.2.cmp(&b.2)),
            "percent" => found.sort_by_key(|row| std::cmp::Reverse(row.3)),
            _ => {}
        }
        let page = found.iter().skip(offset).take(REGISTRANTS_PAGE).map(|row| row.0).collect();
        Ok((found.len(), page))
    }
}
