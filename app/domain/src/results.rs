//! What the dashboard shows about people and numbers. Every rate carries its n; rates under [`SMALL_N`] are greyed.

use serde::{Deserialize, Serialize};

use crate::ids::{RegistrationId, WebinarId};
use crate::messages::PolicyNotice;
use crate::moment::Moment;
use crate::watching::Attendance;
use crate::webinar::WebinarCard;

/// Below this many people a rate is shown greyed (product.md §2.17).
pub const SMALL_N: i64 = 20;
/// Rows of one page of the registrants' table.
pub const REGISTRANTS_PAGE: usize = 50;
/// Cells of a heat strip in a table row.
pub const STRIP_CELLS: usize = 60;

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub part: i64,
    /// Of how many.
    pub of: i64,
}

impl Share {
    /// In percent; nothing when there is nobody to divide by.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 * 100.0 / self.of as f64)
    }

    /// Too few to mean much.
    #[must_use]
    pub const fn is_small(self) -> bool {
        self.of < SMALL_N
    }
}

/// Views → registered → attended → stayed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Funnel {
    /// Views of the registration page.
    pub page_views: i64,
    /// People registered.
    pub registered: i64,
    /// People whose unique seconds passed the floor.
    pub attended: i64,
    /// People who reached the end threshold.
    pub stayed: i64,
    /// People below the floor when their link was finalised.
    pub missed: i64,
    /// People watching this minute.
    pub watching: i64,
}

/// The retention curve: per cell, distinct viewers and those who watched it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    /// Duration of the recording.
    pub duration_seconds: f64,
    /// People with any credited second: the n of the curve.
    pub viewers: i64,
    /// Distinct viewers per cell.
    pub seen: Vec<u32>,
    /// Of these, how many watched it again.
    pub again: Vec<u32>,
}

/// A count by name: country, device, source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCount {
    /// The name.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// The results page of one webinar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Which webinar.
    pub webinar: WebinarId,
    /// Its title.
    pub title: String,
    /// Funnel.
    pub funnel: Funnel,
    /// Retention of the current recording.
    pub retention: Retention,
    /// Signed address of the recording, to scrub along the curve.
    pub media_url: Option<String>,
    /// MIME type of the recording.
    pub content_type: String,
    /// Poster.
    pub poster_url: Option<String>,
    /// Page views by two-letter country.
    pub countries: Vec<NamedCount>,
    /// Page views by browser family and class.
    pub devices: Vec<NamedCount>,
    /// Mean unique percent of those who attended.
    pub mean_percent: Option<f64>,
}

/// One person in the registrants' table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrantRow {
    /// Which registration.
    pub id: RegistrationId,
    /// Full name, may be empty.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Status.
    pub attendance: Attendance,
    /// Unique percent.
    pub percent: f64,
    /// Unique seconds.
    pub unique_seconds: u32,
    /// Played seconds including rewatching.
    pub total_seconds: f64,
    /// Heat strip: 0 not seen, 1 seen, 2 seen again.
    pub strip: Vec<u8>,
    /// When they registered.
    pub registered_at: Moment,
    /// When play was last credited.
    pub last_seen_at: Option<Moment>,
    /// Two-letter country or `??`.
    pub country: String,
    /// The person asked for restriction: everything but the id and the day is left empty.
    pub is_masked: bool,
}

impl RegistrantRow {
    /// What is shown of somebody whose data rests.
    #[must_use]
    pub fn masked(id: RegistrationId, registered_at: Moment) -> Self {
        Self {
            id,
            name: String::new(),
            email: String::new(),
            attendance: Attendance::Registered,
            percent: 0.0,
            unique_seconds: 0,
            total_seconds: 0.0,
            strip: Vec::new(),
            registered_at,
            last_seen_at: None,
            country: String::new(),
            is_masked: true,
        }
    }
}

/// A question to the registrants' table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrantQuery {
    /// Part of a name, or an e-mail address.
    #[serde(default)]
    pub search: String,
    /// One status, stored form; empty for all.
    #[serde(default)]
    pub status: String,
    /// `registered` (newest first), `name`, `email` or `percent`.
    #[serde(default)]
    pub sort: String,
    /// Page number from 0.
    #[serde(default)]
    pub page: usize,
}

/// One page of the registrants' table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrantPage {
    /// Title of the webinar.
    pub title: String,
    /// Rows of this page.
    pub rows: Vec<RegistrantRow>,
    /// Rows that match.
    pub matching: usize,
    /// Rows in all.
    pub total: usize,
    /// Page number from 0.
    pub page: usize,
}

/// One entry of a person's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Moment,
    /// What happened, in plain words.
    pub what: String,
    /// More about it.
    pub detail: Option<String>,
}

/// Everything about one registrant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrantView {
    /// The row.
    pub row: RegistrantRow,
    /// Which webinar.
    pub webinar: WebinarId,
    /// Its title.
    pub title: String,
    /// Answers beside the name, as label and text.
    pub answers: Vec<(String, String)>,
    /// Wide heat strip, one value a cell.
    pub wide_strip: Vec<u8>,
    /// Duration of the recording.
    pub duration_seconds: f64,
    /// Furthest media second reached.
    pub furthest_seconds: f64,
    /// Played while the page was hidden.
    pub hidden_seconds: f64,
    /// Browser family and class.
    pub device: String,
    /// Where the sign-up came from (`utm_source`), may be empty.
    pub source: String,
    /// What happened, newest first.
    pub timeline: Vec<TimelineEntry>,
    /// The person's own link, to send it again by hand.
    pub room_url: String,
    /// Why their address is not written to, if it is not.
    pub suppression: Option<crate::sequence::Suppression>,
}

/// Something on the home page that wants the coach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// What and why.
    pub message: String,
    /// Where to go.
    pub href: String,
    /// Label of the link.
    pub action: String,
}

/// The home page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    /// A change of the privacy policy she has not acknowledged.
    pub policy_notice: Option<PolicyNotice>,
    /// What wants attention, most pressing first.
    pub attention: Vec<Attention>,
    /// Webinars, last touched first.
    pub webinars: Vec<WebinarCard>,
    /// Sign-ups in the last seven days.
    pub signups_this_week: i64,
    /// People watching this minute.
    pub watching_now: i64,
    /// Storage used, bytes.
    pub used_bytes: i64,
    /// Storage allowed, bytes.
    pub quota_bytes: i64,
}
