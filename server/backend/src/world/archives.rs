//! Archives in tests: an account somebody has lived in, and what is inside a file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::registration::RegistrationForm;
use domain::rights::{ObjectionScope, RestrictionGround};
use domain::webinar::{Asked, FieldChoice, WebinarForm};
use futures::FutureExt;
use persistence::Database;
use persistence::entities::erased_total;
use persistence::keyring::Keyring;
use privacy::audit::Role;
use sea_orm::{EntityTrait, Set};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::{Kind, TestDatabase};

use super::{Guest, World};

/// A name a spreadsheet would take for a formula.
pub(crate) const FORMULA: &str = "=HYPERLINK(\"https://evil.example\")";
/// The address of the coach of every world.
pub(crate) const COACH: &str = "maya@coach.example";

/// Files of an archive by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Everything in an archive.
pub(crate) fn unpacked(path: &Path) -> Files {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).expect("the file")).expect("a ZIP");
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).expect("an entry");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("unpacks");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

/// Checksums of what another installation takes in.
pub(crate) fn digests(files: &Files) -> BTreeMap<String, String> {
    let portable = files.iter().filter(|(path, _)| path.starts_with("data/") || path.starts_with("media/"));
    portable.map(|(path, bytes)| (path.clone(), hex::encode(Sha256::digest(bytes)))).collect()
}

/// The rows of a file.
pub(crate) fn rows(files: &Files, path: &str) -> Vec<serde_json::Value> {
    let bytes = files.get(path).unwrap_or_else(|| panic!("{path} is not in {:?}", files.keys()));
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// A fresh SQLite that nobody else uses, with a keyring under another key than the tests' usual one.
pub(crate) async fn another_database(folder: &TempDir) -> TestDatabase {
    let url = |name: &str| format!("sqlite://{}/{name}.db?mode=rwc", folder.path().display());
    let database = Database::connect(&url("business")).await.expect("opens");
    persistence::migrate(&database).await.expect("migrates");
    let keyring = Keyring::connect(&url("keyring"), [9; 32]).await.expect("opens");
    TestDatabase { database, keyring, kind: Kind::Sqlite, url: url("business"), keyring_url: url("keyring") }
}

/// The smallest PNG there is.
pub(crate) fn pixel() -> Bytes {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1, 1).write_to(&mut png, image::ImageFormat::Png).expect("encodes");
    png.into_inner().into()
}

impl World {
    /// Where an archive of this world can be put.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The coach's archive, written at the console.
    pub(crate) async fn archive(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        self.backend.archive_to_file(COACH, None, &file).await.expect("an archive");
        file
    }

    /// A coach with something in every part of her account: people who watched, objected, rested, were forgotten.
    pub(crate) async fn lived_in(test: &TestDatabase) -> (Self, Vec<Guest>) {
        let world = Self::published(test).await;
        let (backend, coach) = (&world.backend, &world.coach);
        coach.set_logo(world.webinar, pixel()).await.expect("a logo");
        let captions = b"WEBVTT\n\n00:00.000 --> 00:02.000\nCalm, \"quoted\"\n";
        coach.add_caption(world.video, "en", "English", captions).await.expect("captions");
        let current = coach.webinar(world.webinar).await.expect("is there");
        let fields = FieldChoice { first_name: Asked::Optional, company: Asked::Optional, ..FieldChoice::default() };
        let form = WebinarForm { fields, ..current.form.clone() };
        coach.save_webinar(world.webinar, current.revision, form).await.expect("is saved");
        backend.visitor().count_page_view(&world.slug, &crate::Client::unknown(), "spring");
        backend.write_page_views().await.expect("is counted");
        let mut guests = Vec::new();
        for (email, first_name) in [("tom@example.net", FORMULA), ("zoe@example.net", "Zoë"), ("uma@example.net", "")]
        {
            let form = RegistrationForm {
                first_name: first_name.to_owned(),
                company: "Ærø & Søn".to_owned(),
                ..Self::form(email)
            };
            let booking = world.press(form).await.expect("registers");
            let token = booking.room_path.rsplit('/').next().expect("a token").to_owned();
            let id = backend.room_token_names(&token).expect("names a booking");
            let row = persistence::entities::registration::Entity::find_by_id(id).one(backend.db().reader()).await;
            let subject = row.expect("reads").expect("a booking").subject_id;
            let guest = Guest { subject, booking: id, token };
            let view = world.open_room(&guest).await.expect("a view");
            for seq in 1..=3 {
                world.watch(view, seq).await;
            }
            guests.push(guest);
        }
        world.run_jobs().await;
        world.past_of(&guests).await;
        (world, guests)
    }

    /// One objected to mail, one rested for a while, and somebody was forgotten before.
    async fn past_of(&self, guests: &[Guest]) {
        let (backend, coach) = (self.backend.clone(), self.id());
        let (objects, rested) = (guests[0].subject, guests[1].subject);
        let change = backend.clone();
        backend
            .fence(move |transaction| {
                let backend = change.clone();
                async move {
                    let now = backend.now();
                    let reason = "I would rather not.";
                    backend.object(transaction, (coach, objects), ObjectionScope::Marketing, reason, now).await?;
                    let ground = RestrictionGround::Accuracy;
                    backend.restrict(transaction, (coach, rested), ground, Role::Viewer, now).await?;
                    backend.lift(transaction, (coach, rested), None, Role::Viewer, now).await
                }
                .boxed()
            })
            .await
            .expect("is done");
        let row = erased_total::ActiveModel {
            webinar_id: Set(self.webinar),
            outcome: Set("completed".to_owned()),
            people: Set(2),
        };
        let transaction = self.backend.db().begin().await.expect("begins");
        erased_total::Entity::insert(row).exec_without_returning(&transaction).await.expect("is noted");
        transaction.commit().await.expect("commits");
    }
}
