//! A webinar: what a coach sets, what must be true before it goes public, and what its page shows.

mod publishing;

use serde::{Deserialize, Serialize};

use crate::ids::WebinarId;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::slug::Slug;
use crate::video::{CaptionTrack, VideoView};

pub use publishing::{Finding, PublishFacts, Said, publish_check, wording_check};

/// Longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 120;
/// Longest description, in characters of Markdown.
pub const MAX_DESCRIPTION_CHARS: usize = 20_000;
/// Longest consent wording, in characters.
pub const MAX_CONSENT_CHARS: usize = 2_000;
/// Most sites on the embed allow-list.
pub const MAX_EMBED_HOSTS: usize = 20;
/// The wording a new webinar starts with.
pub const DEFAULT_CONSENT_TEXT: &str = "I agree that my details are used to run this webinar: to send me my link and to see how much of the recording I watched.";

/// Where a webinar is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebinarState {
    /// Being prepared; nobody else can see it.
    Draft,
    /// Registration is open.
    Published,
    /// Registration is closed; people who booked are still served.
    Unpublished,
    /// Put away; its numbers stay.
    Archived,
}

impl WebinarState {
    /// Every state, in order of life.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Published, Self::Unpublished, Self::Archived];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Unpublished => "unpublished",
            Self::Archived => "archived",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Published => "Published",
            Self::Unpublished => "Unpublished",
            Self::Archived => "Archived",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// How people meet the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Starts when the registrant presses play.
    OnDemand,
    /// A recording of something that took place, with full controls and an own expiry.
    Replay,
    /// Starts at the times its rules yield ([`crate::schedule`]).
    Scheduled,
}

impl SessionKind {
    /// Every kind a coach can choose today.
    pub const ALL: [Self; 3] = [Self::OnDemand, Self::Replay, Self::Scheduled];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Replay => "replay",
            Self::Scheduled => "scheduled",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OnDemand => "On demand",
            Self::Replay => "Replay",
            Self::Scheduled => "At set times",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// What may be asked at registration: a closed list (promise P10). The e-mail address is always asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationField {
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Company.
    Company,
    /// Phone number.
    Phone,
}

impl RegistrationField {
    /// Every optional field, in the order a form shows them.
    pub const ALL: [Self; 4] = [Self::FirstName, Self::LastName, Self::Company, Self::Phone];

    /// The form's field name, and the stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Company => "company",
            Self::Phone => "phone",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FirstName => "First name",
            Self::LastName => "Last name",
            Self::Company => "Company",
            Self::Phone => "Phone",
        }
    }

    /// The value of HTML's `autocomplete`.
    #[must_use]
    pub const fn autocomplete(self) -> &'static str {
        match self {
            Self::FirstName => "given-name",
            Self::LastName => "family-name",
            Self::Company => "organization",
            Self::Phone => "tel",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }
}

/// Whether a field is asked, and whether it must be filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Not on the form.
    #[default]
    No,
    /// On the form, may stay empty.
    Optional,
    /// On the form, must be filled.
    Required,
}

/// Which optional fields a webinar's form shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChoice {
    /// First name.
    #[serde(default)]
    pub first_name: Asked,
    /// Last name.
    #[serde(default)]
    pub last_name: Asked,
    /// Company.
    #[serde(default)]
    pub company: Asked,
    /// Phone number.
    #[serde(default)]
    pub phone: Asked,
}

impl FieldChoice {
    /// How one field is asked.
    #[must_use]
    pub const fn of(&self, field: RegistrationField) -> Asked {
        match field {
            RegistrationField::FirstName => self.first_name,
            RegistrationField::LastName => self.last_name,
            RegistrationField::Company => self.company,
            RegistrationField::Phone => self.phone,
        }
    }

    /// The fields on the form, with whether they are required.
    pub fn shown(&self) -> impl Iterator<Item = (RegistrationField, bool)> + '_ {
        RegistrationField::ALL.into_iter().filter_map(|field| match self.of(field) {
            Asked::No => None,
            Asked::Optional => Some((field, false)),
            Asked::Required => Some((field, true)),
        })
    }
}

/// Everything a coach can set, as the editor's form sends it. Field names are the form's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WebinarForm {
    /// Shown as the page's heading.
    #[serde(default)]
    pub title: String,
    /// `/w/{slug}`
    #[serde(default)]
    pub slug: String,
    /// Markdown.
    #[serde(default)]
    pub description: String,
    /// Who speaks.
    #[serde(default)]
    pub presenter: String,
    /// `#rrggbb`; empty for the product's accent.
    #[serde(default)]
    pub accent: String,
    /// `on_demand` or `replay`.
    #[serde(default)]
    pub session_kind: String,
    /// Days a registrant's link works, 1 to 365.
    #[serde(default)]
    pub link_days: String,
    /// `YYYY-MM`: when the recording was made; shown to viewers.
    #[serde(default)]
    pub recorded_month: String,
    /// How each optional field is asked.
    #[serde(default)]
    pub fields: FieldChoice,
    /// Wording of the box registrants tick.
    #[serde(default)]
    pub consent_text: String,
    /// Wording of the box for offers; empty for no such box.
    #[serde(default)]
    pub offers_text: String,
    /// Sites that may embed the page, one per line; empty for none but our own.
    #[serde(default)]
    pub embed_hosts: String,
    /// Unique share that counts as attended to the end, in percent (default 95).
    #[serde(default)]
    pub end_percent: String,
    /// Unique seconds below which a visit counts as missed (default 60).
    #[serde(default)]
    pub floor_seconds: String,
    /// Days viewers' data is kept after their link ran out; empty for as long as the webinar.
    #[serde(default)]
    pub retention_days: String,
    /// Whether people are asked to say that they are 16 or older.
    #[serde(default)]
    pub ask_age: Option<String>,
}

/// A form whose every field is acceptable.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedWebinar {
    /// 1 to [`MAX_TITLE_CHARS`].
    pub title: String,
    /// Its address.
    pub slug: Slug,
    /// Markdown as typed.
    pub description: String,
    /// May be empty in a draft.
    pub presenter: String,
    /// `#rrggbb` or empty.
    pub accent: String,
    /// How people meet it.
    pub session_kind: SessionKind,
    /// 1..=365
    pub link_days: i32,
    /// `YYYY-MM` or empty.
    pub recorded_month: String,
    /// Optional fields.
    pub fields: FieldChoice,
    /// Not empty.
    pub consent_text: String,
    /// Beside the box for offers; nothing for no such box.
    pub offers_text: Option<String>,
    /// Lower-case hosts, no scheme, with an optional port.
    pub embed_hosts: Vec<String>,
    /// 50..=100
    pub end_percent: i32,
    /// 1..=3600
    pub floor_seconds: i32,
    /// [`RETENTION_DAYS`], or none: as long as the webinar.
    pub retention_days: Option<i32>,
    /// Whether people are asked to say that they are 16 or older.
    pub ask_age: bool,
}

impl WebinarForm {
    /// Checks every field.
    ///
    /// # Errors
    /// Refuses the first field that is not acceptable, by its name.
    pub fn check(&self) -> Result<CheckedWebinar, Refusal> {
        let title = self.title.trim();
        if title.is_empty() {
            return Err(Refusal::field("title", "A webinar needs a title."));
        }
        if title.chars().count() > MAX_TITLE_CHARS || title.chars().any(char::is_control) {
            return Err(Refusal::field("title", "Please keep the title within 120 characters on one line."));
        }
        let slug = Slug::parse(&self.slug)?;
        if self.description.chars().count() > MAX_DESCRIPTION_CHARS {
            return Err(Refusal::field(
                "description",
                "The description is longer than 20,000 characters. Please shorten it.",
            ));
        }
        let presenter = self.presenter.trim();
        if presenter.chars().count() > crate::account::MAX_NAME_CHARS || presenter.chars().any(char::is_control) {
            return Err(Refusal::field("presenter", "Please use at most 100 ordinary characters for the presenter."));
        }
        let accent = self.accent.trim().to_lowercase();
        let is_colour =
            accent.len() == 7 && accent.starts_with('#') && accent[1..].bytes().all(|b| b.is_ascii_hexdigit());
        if !(accent.is_empty() || is_colour) {
            return Err(Refusal::field("accent", "A colour has the form #b4532a."));
        }
        let session_kind = SessionKind::from_stored(&self.session_kind)
            .ok_or_else(|| Refusal::field("session_kind", "Please choose on demand, replay or set times."))?;
        let link_days = whole("link_days", &self.link_days, 7, 1..=365, "A link can work for 1 to 365 days.")?;
        let recorded_month = self.recorded_month.trim().to_owned();
        if !recorded_month.is_empty() && !is_month(&recorded_month) {
            return Err(Refusal::field("recorded_month", "The month has the form 2026-11."));
        }
        let consent_text = self.consent_text.trim();
        if consent_text.is_empty() {
            return Err(Refusal::field(
                "consent_text",
                "People need to read what they agree to. Please write one sentence.",
            ));
        }
        if consent_text.chars().count() > MAX_CONSENT_CHARS {
            return Err(Refusal::field("consent_text", "Please keep the wording within 2,000 characters."));
        }
        let offers_text = self.offers_text.trim();
        if offers_text.chars().count() > MAX_CONSENT_CHARS {
            return Err(Refusal::field("offers_text", "Please keep the wording within 2,000 characters."));
        }
        Ok(CheckedWebinar {
            title: title.to_owned(),
            slug,
            description: self.description.clone(),
            presenter: presenter.to_owned(),
            accent,
            session_kind,
            link_days,
            recorded_month,
            fields: self.fields.clone(),
            consent_text: consent_text.to_owned(),
            offers_text: (!offers_text.is_empty()).then(|| offers_text.to_owned()),
            embed_hosts: embed_hosts(&self.embed_hosts)?,
            end_percent: whole(
                "end_percent",
                &self.end_percent,
                95,
                50..=100,
                "Attended to the end can mean 50 to 100 percent.",
            )?,
            floor_seconds: whole(
                "floor_seconds",
                &self.floor_seconds,
                60,
                1..=3600,
                "The floor can be 1 to 3,600 seconds.",
            )?,
            retention_days: retention_days(&self.retention_days)?,
            ask_age: self.ask_age.is_some(),
        })
    }
}

/// Days viewers' data can be kept after their link ran out: at least a week, so that nobody loses what they are still
/// looking at; at most ten years.
pub const RETENTION_DAYS: std::ops::RangeInclusive<i32> = 7..=3_650;

fn retention_days(text: &str) -> Result<Option<i32>, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.parse().ok().filter(|days| RETENTION_DAYS.contains(days));
    let message = "Viewers' data can be kept for 7 to 3,650 days after their link ran out. Leave it empty to keep it                    as long as the webinar.";
    days.map(Some).ok_or_else(|| Refusal::field("retention_days", message))
}

fn whole(
    field: &str,
    text: &str,
    default: i32,
    range: std::ops::RangeInclusive<i32>,
    message: &str,
) -> Result<i32, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(default);
    }
    text.parse().ok().filter(|n| range.contains(n)).ok_or_else(|| Refusal::field(field, message))
}

fn is_month(text: &str) -> bool {
    let Some((year, month)) = text.split_once('-') else {
        return false;
    };
    let (Ok(year), Ok(month)) = (year.parse::<u16>(), month.parse::<u8>()) else {
        return false;
    };
    text.len() == 7 && (1990..=2200).contains(&year) && (1..=12).contains(&month)
}

/// `November 2026` from `2026-11`; nothing from anything else.
#[must_use]
pub fn month_name(month: &str) -> Option<String> {
    if !is_month(month) {
        return None;
    }
    let (year, number) = month.split_once('-')?;
    let index: usize = number.parse().ok()?;
    Some(format!("{} {year}", crate::moment::MONTHS.get(index.checked_sub(1)?)?))
}

fn embed_hosts(text: &str) -> Result<Vec<String>, Refusal> {
    let mut hosts = Vec::new();
    for line in text.split([',', '\n', ' ']).map(str::trim).filter(|l| !l.is_empty()) {
        let line = line.to_lowercase();
        let host = line.strip_prefix("https://").or_else(|| line.strip_prefix("http://")).unwrap_or(&line);
        let host = host.split('/').next().unwrap_or_default();
        let (name, port) = host.split_once(':').map_or((host, None), |(n, p)| (n, Some(p)));
        let name_fits = !name.is_empty()
            && name.len() <= 253
            && name.split('.').all(|l| {
                !l.is_empty()
                    && !l.starts_with('-')
                    && !l.ends_with('-')
                    && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        let port_fits = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0));
        if !(name_fits && port_fits) {
            return Err(Refusal::field(
                "embed_hosts",
                format!("“{host}” is not a site address. Write one per line, such as www.example.com."),
            ));
        }
        if !hosts.iter().any(|h| h == host) {
            hosts.push(host.to_owned());
        }
    }
    if hosts.len() > MAX_EMBED_HOSTS {
        return Err(Refusal::field("embed_hosts", "At most 20 sites can embed one webinar."));
    }
    Ok(hosts)
}

/// One row of the webinar list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebinarCard {
    /// Which.
    pub id: WebinarId,
    /// Its title.
    pub title: String,
    /// Its address.
    pub slug: String,
    /// State.
    pub state: WebinarState,
    /// How people meet it.
    pub session_kind: SessionKind,
    /// Duration of the current recording, when there is one.
    pub duration_seconds: Option<f64>,
    /// Signed address of the poster.
    pub poster_url: Option<String>,
    /// People registered.
    pub registered: i64,
    /// People who watched past the floor.
    pub attended: i64,
    /// When anything was last set.
    pub updated_at: Moment,
}

/// Everything the editor shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebinarView {
    /// Which.
    pub id: WebinarId,
    /// State.
    pub state: WebinarState,
    /// The settings, in the form's own shape.
    pub form: WebinarForm,
    /// Current recording.
    pub video: Option<VideoView>,
    /// Signed address of the logo.
    pub logo_url: Option<String>,
    /// The public page's absolute address.
    pub page_url: String,
    /// The embed snippet to paste.
    pub snippet: String,
    /// The publish check.
    pub findings: Vec<Finding>,
    /// People registered.
    pub registered: i64,
    /// When it was first published.
    pub published_at: Option<Moment>,
    /// Raised by every save; a save from an older page is refused instead of overwriting.
    pub revision: i32,
}

/// What a visitor of the registration page sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its address.
    pub slug: String,
    /// Heading.
    pub title: String,
    /// Sanitised HTML made from the coach's Markdown.
    pub description_html: String,
    /// Who speaks.
    pub presenter: String,
    /// `#rrggbb` or empty.
    pub accent: String,
    /// Signed address of the logo.
    pub logo_url: Option<String>,
    /// Signed address of the poster.
    pub poster_url: Option<String>,
    /// How people meet it.
    pub session_kind: SessionKind,
    /// Days the link works.
    pub link_days: i32,
    /// Duration of the recording.
    pub duration_seconds: f64,
    /// `November 2026`
    pub recorded: String,
    /// Whether the recording has captions.
    pub has_captions: bool,
    /// Optional fields, in order, with whether they are required.
    pub fields: Vec<(RegistrationField, bool)>,
    /// Whether people are asked to say that they are 16 or older.
    pub ask_age: bool,
    /// Wording of the box.
    pub consent_text: String,
    /// What stands beside the box for offers, where the coach asks; never ticked in advance.
    pub offers_text: Option<String>,
    /// Sites that may embed the page.
    pub embed_hosts: Vec<String>,
    /// Signed moment at which the form was made: the time trap (product.md §4.2, bots).
    pub form_stamp: String,
    /// The times to choose from, where there are any to choose.
    pub times: Option<Times>,
}

/// The times a visitor chooses from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The zone they are shown in, by its IANA name.
    pub zone: String,
    /// Whether the visitor chose that zone; else it is the webinar's own.
    pub is_chosen: bool,
    /// Every zone there is.
    pub zones: Vec<String>,
    /// In order; empty when there is none.
    pub slots: Vec<SlotView>,
    /// Whether the recording can be watched at once as well.
    pub on_demand: bool,
}

impl Times {
    /// Whether nothing can be booked: then people can leave their address for new dates.
    #[must_use]
    pub const fn has_none(&self) -> bool {
        self.slots.is_empty() && !self.on_demand
    }
}

/// What the form sends for the recording at once.
pub const AT_ONCE: &str = "now";
/// What stands in a form for "tell me when there is a date" (product.md §4.1).
pub const LATER: &str = "later";

/// One session to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotView {
    /// What the form sends: signed, so that what was clicked is what is booked.
    pub value: String,
    /// When it starts.
    pub starts_at: Moment,
    /// `Tuesday, 1 December 2026, 18:00` in the visitor's zone.
    pub text: String,
    /// `CET, UTC+1, Europe/Paris`
    pub zone_text: String,
    /// What a change of the clocks did to it, in a sentence.
    pub note: Option<String>,
}

/// Addresses that fill in the forms of calendars in the browser; the file itself is at `calendar.ics` below the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarLinks {
    /// Google's.
    pub google: String,
    /// Microsoft's.
    pub outlook: String,
}

/// Where a room stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RoomPhase {
    /// Its session is still to come.
    Waiting {
        /// When it starts.
        starts_at: Moment,
        /// When the doors open.
        doors_at: Moment,
        /// Now, as the server knows it: a device's own clock may be wrong.
        now: Moment,
    },
    /// It plays.
    Open,
    /// Its coach called the session off.
    CalledOff,
    /// Somebody waits for a date; there may be some by now.
    NoDateYet,
    /// The session is over, and nothing can be watched with this link.
    Over,
}

/// What the registrant's own link shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Its own path, `/r/{token}`.
    pub path: String,
    /// Heading.
    pub title: String,
    /// Address of the registration page, for the way back in.
    pub slug: String,
    /// Who speaks.
    pub presenter: String,
    /// `#rrggbb` or empty.
    pub accent: String,
    /// Signed address of the logo.
    pub logo_url: Option<String>,
    /// Sanitised HTML of the description.
    pub description_html: String,
    /// First name as given, for a greeting, when it was given.
    pub first_name: Option<String>,
    /// `November 2026`
    pub recorded: String,
    /// How people meet it.
    pub session_kind: SessionKind,
    /// Sites that may embed it.
    pub embed_hosts: Vec<String>,
    /// When the link stops working.
    pub expires_at: Moment,
    /// Where it stands.
    pub phase: RoomPhase,
    /// When its session starts or started, in words, in the zone the person chose; nothing without a set time.
    pub time_text: Option<String>,
    /// What the coach said when she called the session off.
    pub change_note: Option<String>,
    /// Whether somebody who comes late joins where the recording is by now.
    pub joins_where_it_is: bool,
    /// Other times to choose from, where the coach offers any.
    pub times: Option<Times>,
    /// Ways to put the session into a calendar, while that is of use.
    pub calendar: Option<CalendarLinks>,
    /// What somebody who took the agreement back can agree to again.
    pub agree: Option<AgreeAgain>,
    /// What plays; nothing before the start, and once the link has expired or the recording is gone.
    pub player: Option<PlayerProps>,
}

/// Whether somebody gets reminders and follow-ups of a coach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailChoice {
    /// Who writes.
    pub presenter: String,
    /// The webinar they registered for.
    pub title: String,
    /// Whether they ended it.
    pub is_ended: bool,
}

/// An agreement to be given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreeAgain {
    /// What it says today.
    pub wording: String,
    /// What the form sends back.
    pub token: String,
}

/// What the player needs, serialised into the page and read back by the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlayerProps {
    /// Names this visit in beats; nothing when the person's data rests, and then nothing is measured.
    pub view: Option<crate::ids::ViewId>,
    /// Signed address of the recording.
    pub media_url: String,
    /// MIME type.
    pub content_type: String,
    /// Signed address of the poster.
    pub poster_url: Option<String>,
    /// Duration in seconds.
    pub duration_seconds: f64,
    /// Where the registrant left off, in media seconds.
    pub resume_seconds: f64,
    /// Caption tracks.
    pub captions: Vec<CaptionTrack>,
    /// The first track as text.
    pub transcript: Vec<crate::video::TranscriptLine>,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn form() -> WebinarForm {
        WebinarForm {
            title: "Five mistakes".into(),
            slug: "five-mistakes".into(),
            session_kind: "on_demand".into(),
            consent_text: DEFAULT_CONSENT_TEXT.into(),
            ..WebinarForm::default()
        }
    }

    #[test]
    fn defaults_follow_the_product_page() {
        let checked = form().check().expect("valid");
        assert_eq!((checked.link_days, checked.end_percent, checked.floor_seconds), (7, 95, 60));
        assert_eq!(checked.fields.shown().count(), 0);
        assert_eq!((checked.retention_days, checked.ask_age), (None, false));
    }

    #[test]
    fn each_bad_field_is_named() {
        type Spoil = fn(&mut WebinarForm);
        let cases: [(&str, Spoil); 11] = [
            ("retention_days", |f| f.retention_days = "6".into()),
            ("retention_days", |f| f.retention_days = "a year".into()),
            ("title", |f| f.title = " ".into()),
            ("slug", |f| f.slug = "a b".into()),
            ("accent", |f| f.accent = "red".into()),
            ("session_kind", |f| f.session_kind = "live".into()),
            ("link_days", |f| f.link_days = "0".into()),
            ("recorded_month", |f| f.recorded_month = "2026-13".into()),
            ("consent_text", |f| f.consent_text = String::new()),
            ("embed_hosts", |f| f.embed_hosts = "javascript:alert(1)".into()),
            ("end_percent", |f| f.end_percent = "101".into()),
        ];
        for (field, spoil) in cases {
            let mut form = form();
            spoil(&mut form);
            assert_eq!(form.check().err().and_then(|r| r.field).as_deref(), Some(field));
        }
    }

    #[test]
    fn embed_hosts_lose_scheme_and_path_and_twins() {
        let mut form = form();
        form.embed_hosts = "https://www.Example.com/shop\nwww.example.com\nlocalhost:8080".into();
        assert_eq!(form.check().expect("valid").embed_hosts, ["www.example.com", "localhost:8080"]);
    }
}
