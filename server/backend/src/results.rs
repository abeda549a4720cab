//! Numbers and people: the results page, the registrants' table, one person, and the same as CSV.
//!
//! Who: a coach who wants to know who watched what. How the data travels: counts come from the database as they are;
//! names and addresses are sealed, so what is searched or sorted by them is opened here, in memory, page by page.

mod csv_file;
mod people;
mod person;

use domain::ids::WebinarId;
use domain::results::{Funnel, NamedCount, Results, Retention};
use domain::watching::{Attendance, WatchMap, second_cells};
use persistence::results::{self as queries, PageViewsBy};

use crate::{Coach, Result};

impl Coach {
    /// The results page of one webinar.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn results(&self, id: WebinarId) -> Result<Results> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let row = self.own_webinar(id).await?;
        backend.write_page_views().await?;
        let video = backend.current_recording(reader, &row).await?;
        let counts = queries::outcome_counts(reader, self.id, id, backend.now()).await?;
        // Those who were erased are counted and named nowhere.
        let erased = persistence::rights::erased_totals(reader, id).await?;
        let of = |status: Attendance| {
            let in_each = [&counts.by_outcome, &erased].map(|by| by.get(status.as_str()).copied().unwrap_or_default());
            in_each.iter().sum::<i64>()
        };
        let named = |rows: Vec<(String, i64)>| {
            rows.into_iter().map(|(name, count)| NamedCount { name, count }).collect::<Vec<_>>()
        };
        let devices = named(queries::page_views(reader, id, PageViewsBy::Device).await?);
        let stayed = of(Attendance::AttendedToEnd);
        Ok(Results {
            webinar: id,
            title: row.title.clone(),
            funnel: Funnel {
                page_views: devices.iter().map(|device| device.count).sum(),
                registered: counts.by_outcome.values().chain(erased.values()).sum(),
                attended: stayed + of(Attendance::LeftEarly),
                stayed,
                missed: of(Attendance::Missed),
                watching: counts.watching,
            },
            retention: match &video {
                Some(video) => self.retention(video).await?,
                None => Retention::default(),
            },
            media_url: video.as_ref().map(|video| backend.recording_url(video)),
            content_type: video.as_ref().map(|video| video.content_type.clone()).unwrap_or_default(),
            poster_url: video.as_ref().and_then(|video| backend.poster_url(video)),
            countries: named(queries::page_views(reader, id, PageViewsBy::Country).await?),
            devices,
            mean_percent: counts.mean_percent_milli.map(|milli| milli / 1000.0),
        })
    }

    /// Distinct viewers per second of a recording, from everybody's watch map.
    async fn retention(&self, video: &persistence::entities::video::Model) -> Result<Retention> {
        let duration_seconds = video.duration_ms as f64 / 1000.0;
        let cells = second_cells(duration_seconds);
        let mut retention = Retention { duration_seconds, viewers: 0, seen: vec![0; cells], again: vec![0; cells] };
        let mut after = None;
        loop {
            let rows = queries::maps_after(self.backend.db().reader(), self.id, video.id, after).await?;
            let Some((last, ..)) = rows.last() else {
                return Ok(retention);
            };
            after = Some(*last);
            for (_, seen, again) in &rows {
                let map = WatchMap::from_stored(duration_seconds, seen, again);
                retention.viewers += i64::from(map.unique_seconds() > 0);
                for second in 0..cells {
                    let (once, twice) = map.at(second);
                    retention.seen[second] += u32::from(once);
                    retention.again[second] += u32::from(twice);
                }
            }
        }
    }
}
