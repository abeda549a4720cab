//! A server for one test, and the verbs its story is told with. Everything people do goes over HTTP; only what no
//! visitor can do, such as opening a confirmed account or moving the clock, takes the way of the command line.

mod ask;
mod routes;
mod seats;
mod story;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use backend::{Backend, Secrets};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Moment;
use domain::ids::{CaptionId, UploadId, VideoId, WebinarId};
use domain::webinar::PlayerProps;
use metrics_exporter_prometheus::PrometheusBuilder;
use server::config::{Config, Flags, Variables};
use server::router::router;
use server::state::{AppState, assemble};
use tempfile::TempDir;
use testkit::{Snapshot, TestDatabase};

pub use ask::{Answer, Ask};
pub use routes::{Kind, Route, every_route, filled, sources};
pub use seats::Waiting;
pub use story::{Ids, Story};

/// A recording of three minutes with sound, as the demo ships it.
pub static SAMPLE: &[u8] = include_bytes!("../../demo/sample.mp4");
/// Captions of that recording.
pub static CAPTIONS: &[u8] = include_bytes!("../../demo/sample.en.vtt");
/// Files of the site as the sources hold them: enough for every route, and there without a build.
pub fn site_folder() -> std::path::PathBuf {
    testkit::package_folder().join("../public")
}

/// Password of every coach here.
pub const PASSWORD: &str = "quiet-lantern-meadow";
/// Where requests come from unless a test says otherwise: a documentation address (RFC 5737), so that no header of a
/// request is taken for a proxy's.
const FROM: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7)), 40_000);

/// A server for one test.
pub struct World {
    /// The engine behind the router.
    pub backend: Backend,
    /// The databases behind the engine.
    pub database: TestDatabase,
    router: Router,
    began: (Moment, Instant),
    _folder: TempDir,
}

/// A signed-in coach.
pub struct Coach {
    /// Sign-in address.
    pub email: String,
    /// What her cookie holds.
    pub session: String,
}

/// A webinar of a coach.
pub struct Webinar {
    /// Its id.
    pub id: WebinarId,
    /// Its title.
    pub title: String,
    /// `/w/{slug}`
    pub slug: String,
}

/// Somebody registered.
pub struct Registrant {
    /// The address given.
    pub email: String,
    /// Path of the room, `/r/{token}`.
    pub room: String,
}

impl World {
    /// A server with the dev routes.
    pub fn new(database: TestDatabase) -> Self {
        Self::with(database, &[("MW_DEV", "1")])
    }

    /// A server with these variables.
    pub fn with(database: TestDatabase, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut all = Variables::from([
            ("MW_DATA_DIR".into(), folder.path().join("data").into_os_string()),
            ("MW_SITE_DIR".into(), site_folder().into_os_string()),
        ]);
        all.extend(variables.iter().map(|(name, value)| (name.into(), value.into())));
        let config = Config::from_variables(&Flags::default(), &all).expect("a configuration");
        config.make_data_dir().expect("the data folder");
        let secrets = Secrets::new(config.master_secret().expect("a secret"));
        let backend = assemble(&config, secrets, database.database.clone(), database.keyring.clone());
        let backend = backend.expect("storage and mailbox open");
        // Not installed: every test of this process has its own.
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let router = router(AppState::new(backend.clone(), config), metrics);
        let began = (backend.now(), Instant::now());
        Self { backend, database, router, began, _folder: folder }
    }

    /// A request to this server.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        Ask::new(self.router.clone(), method, path)
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Ask {
        self.ask(Method::POST, path)
    }

    /// Lets time pass. Nothing that falls due is done: that is the worker's.
    pub fn wait(&self, seconds: i64) {
        self.backend.clock().advance_seconds(seconds);
    }

    /// How far the clock was moved, by whomever.
    pub fn moved_seconds(&self) -> i64 {
        let (at, since) = self.began;
        (self.backend.now().seconds_since(at) - since.elapsed().as_secs_f64()).round() as i64
    }

    /// The worker's part: everything due is done.
    pub async fn run_jobs(&self) {
        self.backend.run_due_jobs("test").await.expect("the queue can be read");
    }

    /// Mails to an address, newest first.
    pub fn mails_to(&self, email: &str) -> Vec<mail::StoredMail> {
        let mailbox = self.backend.mailer().dev_mailbox().expect("the dev mailbox");
        let mails = mailbox.list().expect("the mailbox lists");
        mails.into_iter().filter(|mail| mail.to.contains(email)).collect()
    }

    /// Everything both databases hold.
    pub async fn snapshot(&self) -> Snapshot {
        self.backend.write_page_views().await.expect("page views are kept");
        let keyring = Snapshot::of(self.database.keyring.database()).await;
        Snapshot::of(&self.database.database).await.beside("keyring", keyring)
    }

    /// Names and sizes of everything in the bucket.
    pub async fn objects(&self) -> BTreeMap<String, u64> {
        let mut sizes = BTreeMap::new();
        for key in self.backend.bucket().list("").await.expect("the bucket lists") {
            let size = self.backend.bucket().size(&key).await.expect("a listed object is there");
            sizes.insert(key, size);
        }
        sizes
    }

    /// A confirmed coach, signed in.
    pub async fn coach(&self, name: &str, email: &str) -> Coach {
        self.backend.create_account(name, email, &PASSWORD.into()).await.expect("the account opens");
        self.sign_in(email).await
    }

    /// One more browser of a coach.
    pub async fn sign_in(&self, email: &str) -> Coach {
        let fields = [("_form", "sign_in"), ("email", email), ("password", PASSWORD)];
        let answer = self.post("/login").form(&fields).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let cookie = answer.header(header::SET_COOKIE.as_str());
        let (_, rest) = cookie.split_once("mw_session=").expect("a session cookie");
        let session = rest.split(';').next().expect("a value").to_owned();
        Coach { email: email.to_owned(), session }
    }

    /// The engine's handle of a coach, for what no page shows.
    pub async fn handle(&self, coach: &Coach) -> backend::Coach {
        self.backend.coach_by_token(&coach.session).await.expect("the database answers").expect("she is signed in")
    }

    /// A draft.
    pub async fn draft(&self, coach: &Coach, title: &str) -> Webinar {
        let fields = [("_form", "create_webinar"), ("title", title)];
        let answer = self.post("/dashboard/webinars").by(coach).form(&fields).send().await;
        let place = answer.header(header::LOCATION.as_str());
        let id = place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("the draft's address");
        let view = self.handle(coach).await.webinar(id).await.expect("it is hers");
        Webinar { id, title: title.to_owned(), slug: view.form.slug }
    }

    /// An upload begun with these words, for a webinar of hers.
    pub async fn begin_upload(&self, coach: &Coach, webinar: WebinarId, length: usize) -> UploadId {
        let metadata =
            format!("filename {},webinar {}", STANDARD.encode("talk.mp4"), STANDARD.encode(webinar.to_string()));
        let ask = self.post("/uploads").by(coach).tus().header("upload-length", &length.to_string());
        let answer = ask.header("upload-metadata", &metadata).send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let place = answer.header(header::LOCATION.as_str());
        place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("the upload's address")
    }

    /// A piece of an upload.
    pub fn piece(&self, upload: UploadId, offset: usize, bytes: impl Into<Bytes>) -> Ask {
        let ask = self.ask(Method::PATCH, &format!("/uploads/{upload}")).tus();
        ask.header("content-type", "application/offset+octet-stream")
            .header("upload-offset", &offset.to_string())
            .bytes(bytes.into())
    }

    /// A webinar with the sample as its recording, not published.
    pub async fn recorded(&self, coach: &Coach, title: &str) -> Webinar {
        let webinar = self.draft(coach, title).await;
        let upload = self.begin_upload(coach, webinar.id, SAMPLE.len()).await;
        let answer = self.piece(upload, 0, SAMPLE).by(coach).send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        webinar
    }

    /// A webinar with the sample as its recording, open for registration.
    pub async fn published(&self, coach: &Coach, title: &str) -> Webinar {
        let webinar = self.recorded(coach, title).await;
        let id = webinar.id.to_string();
        let page = format!("/dashboard/webinars/{id}");
        let answer = self.post(&page).by(coach).form(&[("_form", "publish"), ("webinar", &id)]).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        webinar
    }

    /// The recording a webinar plays.
    pub async fn recording(&self, coach: &Coach, webinar: &Webinar) -> VideoId {
        let view = self.handle(coach).await.webinar(webinar.id).await.expect("it is hers");
        view.video.expect("it has a recording").id
    }

    /// English captions for a recording.
    pub async fn caption(&self, coach: &Coach, webinar: &Webinar) -> CaptionId {
        let video = self.recording(coach, webinar).await;
        let parts =
            [("language", None, b"en".as_slice()), ("label", None, b"English"), ("file", Some("a.vtt"), CAPTIONS)];
        let ask = self.post(&format!("/dashboard/videos/{video}/captions")).by(coach);
        let answer = ask.multipart(&parts).send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        let view = self.handle(coach).await.webinar(webinar.id).await.expect("it is hers");
        view.video.expect("it has a recording").captions.first().expect("the track just added").id
    }

    /// The registration form as a person who took her time fills it in.
    pub async fn filled_form(&self, webinar: &Webinar, email: &str) -> Vec<(&'static str, String)> {
        let page = self.get(&format!("/w/{}", webinar.slug)).send().await.text();
        let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("the form is stamped").to_owned();
        // Longer than the shortest time a person needs.
        self.wait(5);
        vec![("email", email.to_owned()), ("consent", "yes".to_owned()), ("form_stamp", stamp)]
    }

    /// Somebody registers.
    pub async fn register(&self, webinar: &Webinar, email: &str) -> Registrant {
        let fields = self.filled_form(webinar, email).await;
        let answer = self.post(&format!("/w/{}", webinar.slug)).form(&fields).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let page = answer.text();
        let token = between(&page, "href=\"/r/", "\"").expect("the way in");
        Registrant { email: email.to_owned(), room: format!("/r/{token}") }
    }

    /// Asks for the mail that opens the portal for an address: the token of its button and its code.
    pub async fn proof(&self, email: &str) -> (String, String) {
        let answer = self.post("/my-data").form(&[("email", email)]).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.newest_proof().await
    }

    /// What the mail of the proof made last holds.
    pub async fn newest_proof(&self) -> (String, String) {
        use persistence::entities::portal_proof;
        use sea_orm::{EntityTrait, QueryOrder};
        let find = portal_proof::Entity::find().order_by_desc(portal_proof::Column::Id);
        let row = find.one(self.backend.db().reader()).await.expect("answers").expect("a proof");
        (self.backend.portal_token(row.id, &row.purpose), self.backend.portal_code(row.id, &row.purpose))
    }

    /// Opens the portal for an address: what its cookie holds.
    pub async fn portal(&self, email: &str) -> String {
        let (token, _) = self.proof(email).await;
        let answer = self.post("/my-data/prove").form(&[("token", token)]).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let cookie = answer.header(header::SET_COOKIE.as_str());
        between(&cookie, "mw_portal=", ";").expect("a cookie").to_owned()
    }

    /// A visit to the room: what its player is told.
    pub async fn enter(&self, registrant: &Registrant) -> PlayerProps {
        let answer = self.get(&registrant.room).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        player_props(&answer.text()).expect("the room has a player")
    }
}

/// What a room's page tells its player.
pub fn player_props(page: &str) -> Option<PlayerProps> {
    let json = between(page, "id=\"player-props\">", "</script>")?;
    Some(serde_json::from_str(json).expect("the player's data is JSON"))
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
