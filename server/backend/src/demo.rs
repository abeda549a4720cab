//! The demo: one coach, three webinars in different states, a sample recording with sound and captions, two hundred
//! registrants with believable watch maps.
//!
//! Everything that has a verb goes through it, recording included; only the past, which no verb can make, is written
//! directly. The numbers come from a fixed seed, so that two demos look alike.

use std::path::Path;

use bytes::Bytes;
use domain::account::SignUp;
use domain::ids::{ConsentId, RegistrationId, SessionId, SubjectId, ViewId, WebinarId};
use domain::registration::Answers;
use domain::watching::{Attendance, CreditedRange, Thresholds, WatchMap, Watched, outcome};
use domain::webinar::{Asked, FieldChoice, RegistrationField, WebinarForm};
use domain::{EmailAddress, Moment};
use persistence::entities::{consent, page_view, registration, session, subject, video, view, watch_map, webinar};
use persistence::sealed::Place;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::uploads::UploadMetadata;
use crate::{Backend, Coach, Error, Result};

const EMAIL: &str = "maya@example.com";
const PASSWORD: &str = "quiet-lantern-meadow";
const MARKER: &str = "demo-folder";
const REGISTRANTS: usize = 200;
static SAMPLE_VIDEO: &[u8] = include_bytes!("../../demo/sample.mp4");
static SAMPLE_CAPTIONS: &[u8] = include_bytes!("../../demo/sample.en.vtt");

/// How to get into the demo.
pub struct DemoAccess {
    /// Sign-in address of the demo coach.
    pub email: String,
    /// Her password: the demo listens on this machine only.
    pub password: String,
    /// Public pages.
    pub pages: Vec<String>,
    /// A registrant's room.
    pub room: String,
}

/// Takes an empty data folder, or one that an earlier demo made, and nobody else's.
///
/// # Errors
/// When the folder holds something else.
pub fn claim_folder(folder: &Path) -> Result<()> {
    let fault = |error: std::io::Error| Error::fault("look into the data folder", error);
    if folder.join(MARKER).exists() {
        return Ok(());
    }
    if folder.exists() && std::fs::read_dir(folder).map_err(fault)?.next().is_some() {
        let message = format!(
            "{} is not empty and was not made by a demo. Choose another folder with --data-dir.",
            folder.display()
        );
        return Err(domain::Refusal::new(domain::RefusalKind::Conflict, message).into());
    }
    std::fs::create_dir_all(folder).map_err(fault)?;
    std::fs::write(folder.join(MARKER), "This folder was made by mini-webinar demo and may be deleted.\n")
        .map_err(fault)
}

impl Backend {
    /// Fills an empty installation; does nothing when the demo is already there.
    ///
    /// # Errors
    /// When a verb or the database fails.
    pub async fn seed_demo(&self) -> Result<DemoAccess> {
        let access = |pages, room| DemoAccess { email: EMAIL.to_owned(), password: PASSWORD.to_owned(), pages, room };
        let slug = "calm-first-month";
        if let Some(found) =
            webinar::Entity::find().filter(webinar::Column::Slug.eq(slug)).one(self.db().reader()).await?
        {
            let first = registration::Entity::find()
                .filter(registration::Column::WebinarId.eq(found.id))
                .one(self.db().reader())
                .await?;
            let room = first.map(|r| self.room_path(r.id, r.link_version)).unwrap_or_default();
            return Ok(access(vec![format!("/w/{slug}")], room));
        }
        let coach = self.demo_coach().await?;
        let main = self
            .demo_webinar(
                &coach,
                WebinarForm {
                    title: "Your first calm month as a coach".to_owned(),
                    slug: slug.to_owned(),
                    description: DESCRIPTION.to_owned(),
                    presenter: "Maya Lindqvist".to_owned(),
                    accent: "#2f6b4f".to_owned(),
                    session_kind: "on_demand".to_owned(),
                    link_days: "14".to_owned(),
                    recorded_month: "2026-09".to_owned(),
                    fields: FieldChoice {
                        first_name: Asked::Required,
                        company: Asked::Optional,
                        ..FieldChoice::default()
                    },
                    embed_hosts: "localhost:8080".to_owned(),
                    ..WebinarForm::default()
                },
            )
            .await?;
        self.demo_recording(&coach, main, true).await?;
        coach.publish(main).await?;

        let replay = self
            .demo_webinar(
                &coach,
                WebinarForm {
                    title: "Pricing without a knot in your stomach".to_owned(),
                    slug: "pricing-without-a-knot".to_owned(),
                    description: "The recording of our spring workshop, with every question that was asked.".to_owned(),
                    presenter: "Maya Lindqvist and Tomás Reyes".to_owned(),
                    session_kind: "replay".to_owned(),
                    recorded_month: "2026-04".to_owned(),
                    ..WebinarForm::default()
                },
            )
            .await?;
        self.demo_recording(&coach, replay, false).await?;
        coach.publish(replay).await?;

        let draft = WebinarForm {
            title: "Saying no, kindly".to_owned(),
            slug: "saying-no-kindly".to_owned(),
            session_kind: "on_demand".to_owned(),
            ..WebinarForm::default()
        };
        self.demo_webinar(&coach, draft).await?;
        self.run_due_jobs("demo").await?;

        let room = self.demo_registrants(&coach, main, REGISTRANTS, 21).await?;
        self.demo_registrants(&coach, replay, 14, 60).await?;
        coach.unpublish(replay, false).await?;
        Ok(access(vec![format!("/w/{slug}")], room))
    }

    async fn demo_coach(&self) -> Result<Coach> {
        let form = SignUp {
            name: "Maya Lindqvist".to_owned(),
            email: EMAIL.to_owned(),
            password: PASSWORD.into(),
            age_ok: Some("on".to_owned()),
            terms: Some("on".to_owned()),
        };
        self.create_account(&form.name, &form.email, &form.password).await?;
        let signed_in = self.visitor().sign_in(&form.email, &form.password, &crate::Client::unknown()).await?;
        let coach = self.coach_by_token(&signed_in.token).await?;
        coach.ok_or_else(|| Error::fault("seed the demo", "the demo coach could not sign in"))
    }

    async fn demo_webinar(&self, coach: &Coach, form: WebinarForm) -> Result<WebinarId> {
        let id = coach.create_webinar(&form.title).await?;
        let current = coach.webinar(id).await?;
        let form = WebinarForm {
            consent_text: if form.consent_text.is_empty() {
                current.form.consent_text.clone()
            } else {
                form.consent_text
            },
            ..form
        };
        coach.save_webinar(id, current.revision, form).await?;
        Ok(id)
    }

    async fn demo_recording(&self, coach: &Coach, id: WebinarId, captions: bool) -> Result<()> {
        let metadata = UploadMetadata { file_name: "first-calm-month.mp4".to_owned(), webinar: Some(id) };
        let uploader = coach.uploader();
        let upload = uploader.create_upload(SAMPLE_VIDEO.len() as u64, metadata).await?;
        let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(SAMPLE_VIDEO))]);
        uploader.append(upload.id, 0, None, body).await?;
        if captions && let Some(video) = coach.webinar(id).await?.video {
            coach.add_caption(video.id, "en", "English", SAMPLE_CAPTIONS).await?;
        }
        Ok(())
    }

    /// Registrants of the past `days`, with what they watched. Returns the room of the first.
    async fn demo_registrants(&self, coach: &Coach, id: WebinarId, count: usize, days: i64) -> Result<String> {
        let reader = self.db().reader();
        let fault = || Error::fault("seed the demo", "the webinar is incomplete");
        let webinar = webinar::Entity::find_by_id(id).one(reader).await?.ok_or_else(fault)?;
        let video = webinar.current_video_id.ok_or_else(fault)?;
        let video = video::Entity::find_by_id(video).one(reader).await?.ok_or_else(fault)?;
        let consent_text = webinar.consent_text_id.ok_or_else(fault)?;
        let now = self.now();
        let pepper = self.keyring().pepper(coach.id, now).await?;
        let mut chance = Chance(0x5eed_0000_0000_0001 ^ count as u64);
        let mut room = String::new();
        let session_id = SessionId::new();
        let transaction = self.db().begin().await?;
        let row = session::ActiveModel {
            id: Set(session_id),
            webinar_id: Set(id),
            schedule_rule_id: Set(None),
            kind: Set(webinar.session_kind.clone()),
            starts_at: Set(None),
            zone: Set(None),
            wall_time: Set(None),
            session_key: Set(webinar.session_kind.clone()),
            created_at: Set(now.plus_days(-days)),
            cancelled_at: Set(None),
            change_note: Set(None),
        };
        row.insert(&transaction).await?;
        transaction.commit().await?;
        let mut people = Vec::with_capacity(count);
        for index in 0..count {
            let (dek, key) = self.keyring().create_key(now).await?;
            people.push((index, dek, key));
        }
        let transaction = self.db().begin().await?;
        for (index, dek, key) in people {
            let person = Person::invent(index, &mut chance);
            let email = EmailAddress::parse(&person.email)?;
            let subject_id = SubjectId::new();
            let registered_at = now.plus_seconds(-chance.between(3_600, days * 86_400));
            let row = subject::ActiveModel {
                id: Set(subject_id),
                kind: Set("viewer".to_owned()),
                coach_id: Set(coach.id),
                state: Set("active".to_owned()),
                dek_id: Set(dek),
                email_bidx: Set(pepper.blind_index(&email.normalised())),
                email_ct: Set(key.seal(Place::SubjectEmail, subject_id.as_bytes(), email.as_str().as_bytes())),
                name_ct: Set(Some(key.seal(Place::SubjectName, subject_id.as_bytes(), person.name.as_bytes()))),
                created_at: Set(registered_at),
            };
            row.insert(&transaction).await?;
            let registration_id = RegistrationId::new();
            if room.is_empty() {
                room = self.room_path(registration_id, 1);
            }
            let watched = watch(&video, &mut chance);
            let played_at = registered_at.plus_seconds(chance.between(300, 40_000)).min(now.plus_seconds(-120));
            let unique = watched.map.unique_seconds();
            let is_old = registered_at < now.plus_days(-7);
            let duration = video.duration_ms as f64 / 1000.0;
            let facts = Watched { unique_seconds: unique, last_credit_at: None, finalised: is_old };
            let status = outcome(
                &facts,
                duration,
                Thresholds { end_percent: webinar.end_percent, floor_seconds: webinar.floor_seconds },
            );
            let answers = Answers { given: vec![(RegistrationField::FirstName, person.first_name.clone())] };
            let has_played = unique > 0;
            let row = registration::ActiveModel {
                id: Set(registration_id),
                webinar_id: Set(id),
                coach_id: Set(coach.id),
                subject_id: Set(subject_id),
                session_id: Set(session_id),
                link_version: Set(1),
                answers_ct: Set(Some(key.seal(
                    Place::RegistrationAnswers,
                    registration_id.as_bytes(),
                    &serde_json::to_vec(&answers)?,
                ))),
                source: Set(chance.pick(&["", "newsletter", "instagram", "podcast"]).to_owned()),
                time_zone: Set(None),
                country: Set(person.country.to_owned()),
                device: Set(person.device.to_owned()),
                registered_at: Set(registered_at),
                proven_at: Set(has_played.then_some(played_at)),
                first_played_at: Set(has_played.then_some(played_at)),
                expires_at: Set(if index == 0 {
                    now.plus_days(30)
                } else {
                    registered_at.plus_days(i64::from(webinar.link_days))
                }),
                finalised_at: Set((is_old || status != Attendance::Registered).then_some(now)),
                outcome: Set(status.as_str().to_owned()),
                unique_seconds: Set(i32::try_from(unique).unwrap_or(0)),
                total_ms: Set(watched.total_ms),
                hidden_ms: Set(0),
                furthest_ms: Set(watched.furthest_ms),
                percent_milli: Set((watched.map.percent() * 1000.0).round() as i32),
                last_credit_at: Set(has_played.then(|| played_at.plus_seconds(watched.total_ms / 1000))),
                current_video_id: Set(Some(video.id)),
                finalises_at: Set(None),
                calendar_sequence: Set(0),
            };
            row.insert(&transaction).await?;
            let row = consent::ActiveModel {
                id: Set(ConsentId::new()),
                subject_id: Set(subject_id),
                registration_id: Set(registration_id),
                consent_text_id: Set(consent_text),
                purpose: Set("run_webinar".to_owned()),
                method: Set("form_box".to_owned()),
                given_at: Set(registered_at),
                withdrawn_at: Set(None),
            };
            row.insert(&transaction).await?;
            if has_played {
                let row = view::ActiveModel {
                    id: Set(ViewId::new()),
                    registration_id: Set(registration_id),
                    webinar_id: Set(id),
                    video_id: Set(video.id),
                    opened_at: Set(played_at.plus_seconds(-20)),
                    first_played_at: Set(Some(played_at)),
                    last_beat_at: Set(Some(played_at.plus_seconds(watched.total_ms / 1000))),
                    device: Set(person.device.to_owned()),
                    country: Set(person.country.to_owned()),
                    came_by: Set(Some(persistence::registrations::BY_MAIL.to_owned())),
                };
                row.insert(&transaction).await?;
                let (seen, again) = watched.map.stored();
                let row = watch_map::ActiveModel {
                    registration_id: Set(registration_id),
                    video_id: Set(video.id),
                    seen: Set(seen.to_vec()),
                    again: Set(again.to_vec()),
                    total_ms: Set(watched.total_ms),
                    hidden_ms: Set(0),
                    furthest_ms: Set(watched.furthest_ms),
                    last_position_ms: Set(watched.furthest_ms),
                    updated_at: Set(played_at),
                };
                row.insert(&transaction).await?;
            }
            // About two and a half page views lead to one registration.
            for _ in 0..chance.between(1, 4) {
                count_view(&transaction, id, registered_at, &person).await?;
            }
        }
        transaction.commit().await?;
        Ok(room)
    }
}

async fn count_view(
    conn: &sea_orm::DatabaseTransaction,
    webinar: WebinarId,
    at: Moment,
    person: &Person,
) -> Result<()> {
    use page_view::Column;
    let row = page_view::ActiveModel {
        webinar_id: Set(webinar),
        day: Set(at.day()),
        device: Set(person.device.to_owned()),
        country: Set(person.country.to_owned()),
        source: Set(String::new()),
        views: Set(1),
    };
    let add_one =
        OnConflict::columns([Column::WebinarId, Column::Day, Column::Device, Column::Country, Column::Source])
            .value(Column::Views, sea_orm::sea_query::Expr::cust("page_view.views + 1"))
            .to_owned();
    page_view::Entity::insert(row).on_conflict(add_one).exec_without_returning(conn).await?;
    Ok(())
}

struct Visit {
    map: WatchMap,
    total_ms: i64,
    furthest_ms: i64,
}

/// People leave early or stay, few leave near the end, and some go back to the part where the method is shown.
fn watch(video: &video::Model, chance: &mut Chance) -> Visit {
    let duration = video.duration_ms as f64 / 1000.0;
    let mut visit = Visit { map: WatchMap::empty(duration), total_ms: 0, furthest_ms: 0 };
    let end = match chance.between(0, 100) {
        0..22 => return visit,
        22..38 => 0.03 + 0.12 * chance.unit(),
        38..68 => 0.15 + 0.75 * chance.unit(),
        _ => 1.0,
    };
    let mut play = |from: f64, to: f64| {
        let range = CreditedRange { from, to: to.min(duration) };
        visit.map.mark(range);
        visit.total_ms += ((range.to - range.from) * 1000.0) as i64;
        visit.furthest_ms = visit.furthest_ms.max((range.to * 1000.0) as i64);
    };
    play(0.0, duration * end);
    if end > 0.55 && chance.between(0, 100) < 45 {
        let from = duration * (0.42 + 0.05 * chance.unit());
        play(from, from + duration * (0.05 + 0.08 * chance.unit()));
    }
    visit
}

struct Person {
    name: String,
    first_name: String,
    email: String,
    country: &'static str,
    device: &'static str,
}

impl Person {
    fn invent(index: usize, chance: &mut Chance) -> Self {
        let first_name = chance.pick(&FIRST_NAMES);
        let last_name = chance.pick(&LAST_NAMES);
        let plain = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
        Self {
            name: format!("{first_name} {last_name}"),
            first_name: first_name.to_owned(),
            email: format!("{}.{}{index}@example.org", plain(first_name), plain(last_name)),
            country: chance.pick(&["FR", "FR", "FR", "DE", "DE", "UA", "GB", "US", "CA", "SE", "ES", "IN"]),
            device: chance.pick(&[
                "Chrome/desktop",
                "Chrome/phone",
                "Safari/phone",
                "Safari/desktop",
                "Firefox/desktop",
                "Edge/desktop",
            ]),
        }
    }
}

/// A small generator with a fixed seed (xorshift): believable, the same every time, and nothing secret hangs on it.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low).max(1).unsigned_abs()) as i64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }
}

const DESCRIPTION: &str = "Most first months are loud: ten tools, a logo, a launch. This is the other way.\n\n\
**You will see**\n\n- how to find three people who want to be coached, without advertising\n\
- a week that leaves room for the work itself\n- what to do on the day nobody answers\n\n\
There is a short exercise in the middle. Have a sheet of paper ready.";

const FIRST_NAMES: [&str; 24] = [
    "Anna", "Ben", "Chloé", "Dev", "Elif", "Farah", "Gita", "Hugo", "Ines", "Jonas", "Karim", "Léa", "Mykola", "Nora",
    "Olena", "Paul", "Quentin", "Rosa", "Sofia", "Tom", "Ulla", "Viktor", "Wanda", "Yusuf",
];
const LAST_NAMES: [&str; 20] = [
    "Andersson",
    "Bernard",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Hoang",
    "Ivanenko",
    "Jansen",
    "Kovalenko",
    "Laurent",
    "Meyer",
    "Novak",
    "Okafor",
    "Petit",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Weber",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("mw-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join("thesis.txt"), "mine").expect("file");
        assert!(claim_folder(&folder).is_err());
        std::fs::remove_file(folder.join("thesis.txt")).expect("removed");
        assert!(claim_folder(&folder).is_ok());
        std::fs::write(folder.join("data"), "ours").expect("file");
        assert!(claim_folder(&folder).is_ok());
        std::fs::remove_dir_all(folder).expect("clean up");
    }
}
