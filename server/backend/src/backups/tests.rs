//! Backups made, restored, cut off and tampered with, on both databases.

use backup::{Error as BackupError, Found, Place, Store};
use domain::processing::ProcessingPurpose;
use domain::registration::RegistrationForm;
use domain::rights::SubjectState;
use persistence::entities::{coach, registration, restore_run, subject};
use persistence::sealed::Place as Sealed;
use persistence::turns::Turn;
use privacy::scan::{Depth, Needles, scan};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use tempfile::TempDir;
use testkit::{Snapshot, TestDatabase, each_database};

use crate::Backend;
use crate::world::{World, engine, place};

/// What a restore changes on purpose: sessions end, jobs are planned, it is put on record, and migrations run anew.
const CHANGED: [&str; 10] = [
    "seaql_migrations",
    "login",
    "one_time_token",
    "portal_session",
    "portal_proof",
    "job",
    "audit_entry",
    "backup_copy",
    "restore_run",
    "tombstone",
];
/// Words of the two people who are erased after the backup.
const GONE: [&str; 2] = ["qxsourceofguestzq", "qxleavingcoachzq"];

async fn load(place: &Place, urls: &[String; 2], test: &TestDatabase) {
    let keys = place.pick(Store::Keyring, None).await.expect("a copy of the keyring");
    let held = place.manifest(&keys).await.expect("opens");
    if Place::has_no_keys(&urls[1]).await.expect("asks") {
        // Makes the tables where the keyring is a PostgreSQL.
        let made = test.open_beside(urls.clone()).await;
        made.database.close().await;
        made.keyring.close().await;
        place.load_keyring(&keys, &held, &urls[1]).await.expect("the keyring loads");
    }
    let data = place.pick(Store::Business, None).await.expect("a backup");
    let manifest = place.manifest(&data).await.expect("opens");
    place.load_business(&data, &manifest, &urls[0], domain::Moment(1)).await.expect("the database loads");
}

/// An engine on what was loaded, not finished yet.
async fn restored_engine(world: &World, test: &TestDatabase) -> (Backend, TempDir, TestDatabase) {
    let backups = world.backend.backups().expect("a place").clone();
    let urls = test.beside().await;
    load(&backups, &urls, test).await;
    let beside = test.open_beside(urls).await;
    let folder = TempDir::new().expect("a folder");
    std::fs::create_dir_all(folder.path().join("work")).expect("a work folder");
    let backend = engine(&beside, &folder);
    backend.clock().set(world.backend.now());
    backend.keep_backups_in(backups);
    (backend, folder, beside)
}

async fn bytes_of(backend: &Backend) -> Vec<(String, Vec<u8>)> {
    let mut keys = backend.bucket().list("coaches").await.expect("lists");
    keys.sort();
    let mut all = Vec::new();
    for key in keys {
        let bytes = backend.bucket().get(&key).await.expect("reads").to_vec();
        all.push((key, bytes));
    }
    all
}

async fn erased_marks(backend: &Backend) -> usize {
    persistence::backups::tombstones(backend.db().reader()).await.expect("reads").len()
}

#[tokio::test]
async fn what_is_restored_is_what_was_backed_up_to_the_row_and_to_the_byte() {
    each_database("backup round trip", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        let guest = world.guest("anna@example.net").await;
        world.run_jobs().await;
        let before = Snapshot::of(world.backend.db()).await.without(&CHANGED);
        let objects = bytes_of(&world.backend).await;
        assert!(objects.iter().any(|(key, _)| key.ends_with("/original")), "a recording is there");

        let made = world.backend.create_backup().await.expect("a backup");
        assert_eq!(made.iter().map(|one| one.store).collect::<Vec<_>>(), Store::ALL);
        assert_eq!((made[0].objects, made[0].new_objects), (objects.len() as u64, objects.len() as u64));
        let place = world.backend.backups().expect("a place").clone();
        for found in place.list().await.expect("lists") {
            let whole = world.backend.verify_backup(&found).await.expect("is whole");
            let made = made.iter().find(|one| one.id == found.id()).expect("was made");
            assert_eq!((whole.tables, whole.objects), (made.tables.clone(), made.objects));
        }

        let (backend, _folder, _beside) = restored_engine(&world, &test).await;
        assert!(backend.is_half_restored().await.expect("asks"), "nobody is served before it is finished");
        let done = backend.finish_restore().await.expect("finishes").expect("there was something to finish");
        assert_eq!((done.erased_again, done.media.written), (0, objects.len() as u64));
        assert!(!backend.is_half_restored().await.expect("asks"));
        assert!(backend.finish_restore().await.expect("asks").is_none(), "once is enough");

        let after = Snapshot::of(backend.db()).await;
        assert_eq!(after.rows("login"), 0, "whoever was signed in has to do so again");
        assert_eq!(before.changes_to(&after.without(&CHANGED)), "");
        assert!(bytes_of(&backend).await == objects, "an object is not the same");
        let row = subject::Entity::find_by_id(guest.subject).one(backend.db().reader()).await.expect("reads");
        let row = row.expect("is there");
        let key = backend.keyring().key(row.dek_id).await.expect("the key came along");
        let address = key
            .open(ProcessingPurpose::Provide, Sealed::SubjectEmail, row.id.as_bytes(), &row.email_ct)
            .expect("opens");
        assert_eq!(address, b"anna@example.net");
        backend.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_second_backup_copies_no_recording_again() {
    each_database("backup again", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        let first = world.backend.create_backup().await.expect("a backup");
        world.backend.clock().advance_seconds(60);
        let second = world.backend.create_backup().await.expect("a backup");
        assert!(first[0].new_objects > 0);
        assert_eq!((second[0].objects, second[0].new_objects), (first[0].objects, 0));
        assert_eq!(world.backend.backups().expect("a place").list().await.expect("lists").len(), 4);
    })
    .await;
}

/// Somebody registers with an unmistakable word, a second coach opens an account; both are in the backup, and both are
/// erased after it.
async fn two_who_leave(world: &World) {
    let form = RegistrationForm { source: GONE[0].to_owned(), ..World::form("anna@example.net") };
    world.press(form).await.expect("registers");
    let backend = &world.backend;
    let coach = format!("{}@coach.example", GONE[1]);
    backend.create_account(GONE[1], &coach, &"quiet lantern meadow".into()).await.expect("an account");
    world.guest("stays@example.net").await;
    world.run_jobs().await;
    backend.create_backup().await.expect("a backup");
    backend.clock().advance_seconds(3_600);
    backend.erase_now("anna@example.net", Some("maya@coach.example")).await.expect("is erased");
    backend.erase_now(&coach, None).await.expect("is erased");
    backend.clock().advance_seconds(3_600);
    world.run_jobs().await;
}

async fn hits(backend: &Backend) -> u64 {
    let needles = Needles::new(&GONE.map(str::to_owned)).expect("needles");
    scan(&backend.stores(), &[], Depth::Everything, &needles).await.expect("scans").total()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_erased_after_the_backup_is_erased_again_though_both_databases_were_lost() {
    each_database("backup erased", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        two_who_leave(&world).await;
        assert_eq!(world.backend.backups().expect("a place").tombstones().await.expect("reads").len(), 2);

        let (backend, _folder, _beside) = restored_engine(&world, &test).await;
        assert!(hits(&backend).await > 0, "the backup holds them: there is something to prove");
        let people = subject::Entity::find().all(backend.db().reader()).await.expect("reads");
        assert_eq!(people.len(), 2);
        let done = backend.finish_restore().await.expect("finishes").expect("something to finish");
        assert_eq!(done.erased_again, 2);
        assert_eq!(hits(&backend).await, 0, "a byte of them is left");
        let left = subject::Entity::find().all(backend.db().reader()).await.expect("reads");
        assert_eq!(left.len(), 1, "whoever was not erased is still there");
        for person in people {
            let is_left = person.id == left[0].id;
            assert_eq!(backend.keyring().keys(&[person.dek_id]).await.expect("asks").len(), usize::from(is_left));
        }
        assert_eq!(coach::Entity::find().all(backend.db().reader()).await.expect("reads").len(), 1);
        assert_eq!(erased_marks(&backend).await, 2, "and machines are told");
        backend.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_erased_after_a_correction_is_erased_again_and_nobody_else() {
    each_database("backup corrected", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        let anna = world.guest("anna@example.net").await;
        let other = world.guest("shared@example.net").await;
        world.run_jobs().await;
        world.backend.create_backup().await.expect("a backup");
        world.backend.clock().advance_seconds(3_600);
        // The address somebody else had at the time of the backup is Anna's when she goes.
        world.correct_address("shared@example.net", "other@example.net").await;
        world.correct_address("anna@example.net", "shared@example.net").await;
        world.backend.erase_now("shared@example.net", Some("maya@coach.example")).await.expect("is erased");
        let (backend, _folder, _beside) = restored_engine(&world, &test).await;
        let done = backend.finish_restore().await.expect("finishes").expect("something to finish");
        assert_eq!(done.erased_again, 1);
        let left = subject::Entity::find().all(backend.db().reader()).await.expect("reads");
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [other.subject], "{:?}", anna.subject);
        backend.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_back_by_herself_stays() {
    each_database("backup returned", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        world.guest("anna@example.net").await;
        world.run_jobs().await;
        world.backend.erase_now("anna@example.net", Some("maya@coach.example")).await.expect("is erased");
        world.backend.clock().advance_seconds(86_400);
        world.run_jobs().await;
        let again = world.guest("anna@example.net").await;
        world.backend.create_backup().await.expect("a backup");
        let (backend, _folder, _beside) = restored_engine(&world, &test).await;
        let done = backend.finish_restore().await.expect("finishes").expect("something to finish");
        assert_eq!(done.erased_again, 0);
        let row = subject::Entity::find_by_id(again.subject).one(backend.db().reader()).await.expect("reads");
        assert_eq!(row.expect("is there").state, SubjectState::Active.as_str());
        backend.close().await;
    })
    .await;
}

/// The business database alone was put back by other means: no backup of ours, so nothing marks it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_rolled_back_is_noticed_before_it_is_served() {
    each_database("rolled back", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        two_who_leave(&world).await;
        assert_eq!(world.backend.repeat_lost_erasures().await.expect("looks"), 0, "nothing was lost");

        let [url, _] = test.beside().await;
        let backups = world.backend.backups().expect("a place").clone();
        let data = backups.pick(Store::Business, None).await.expect("a backup");
        let manifest = backups.manifest(&data).await.expect("opens");
        backups.load_business(&data, &manifest, &url, world.backend.now()).await.expect("loads");
        let older =
            TestDatabase { database: persistence::Database::connect(&url).await.expect("opens"), ..test.clone() };
        let folder = TempDir::new().expect("a folder");
        std::fs::create_dir_all(folder.path().join("work")).expect("a work folder");
        let backend = engine(&older, &folder);
        backend.clock().set(world.backend.now());
        let transaction = backend.db().begin().await.expect("begins");
        restore_run::Entity::delete_many().exec(&transaction).await.expect("is unmarked");
        transaction.commit().await.expect("commits");

        assert_eq!(backend.repeat_lost_erasures().await.expect("looks"), 2);
        assert_eq!(hits(&backend).await, 0);
        assert_eq!(registration::Entity::find().all(backend.db().reader()).await.expect("reads").len(), 1);
        assert_eq!(backend.repeat_lost_erasures().await.expect("looks"), 0, "once is enough");
        older.database.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_restored_is_refused_before_anything_is_touched() {
    each_database("backup refused", |test| async move {
        let world = World::published(&test).await;
        let folder = world.keep_backups();
        world.backend.create_backup().await.expect("a backup");
        let place_here = world.backend.backups().expect("a place").clone();
        let data = place_here.pick(Store::Business, None).await.expect("a backup");
        let manifest = place_here.manifest(&data).await.expect("opens");

        let full = place_here.load_business(&data, &manifest, &test.url, world.backend.now()).await;
        assert!(matches!(full, Err(BackupError::NotEmpty(_))), "{full:?}");
        let keys = place_here.pick(Store::Keyring, None).await.expect("a copy");
        let held = place_here.manifest(&keys).await.expect("opens");
        world.guest("anna@example.net").await;
        let full = place_here.load_keyring(&keys, &held, &test.keyring_url).await;
        assert!(matches!(full, Err(BackupError::NotEmpty(_))), "{full:?}");

        let serving = world.backend.db().take_part(Turn::Serving).await.expect("asks").expect("is free");
        assert!(world.backend.db().take_part(Turn::Serving).await.expect("asks").is_some(), "servers serve together");
        assert!(matches!(Place::alone_with(&test.url).await, Err(BackupError::InUse)));
        drop(serving);

        let urls = test.beside().await;
        let newer = backup::Manifest {
            migrations: [manifest.migrations.clone(), vec!["m20991231_000001_later".to_owned()]].concat(),
            ..manifest.clone()
        };
        let refused = place_here.load_business(&data, &newer, &urls[0], world.backend.now()).await;
        assert!(matches!(refused, Err(BackupError::Newer(_))), "{refused:?}");

        let other = place(&folder, [1; 32]);
        let refused = other.manifest(&data).await.expect_err("another key opens nothing");
        assert!(matches!(refused, BackupError::AnotherKey(_)), "{refused}");
        assert_eq!(other.list().await.expect("a list needs no key").len(), 2);

        let [one, _] = world.backend.create_backup().await.expect("a backup").try_into().expect("two");
        let _turn = place_here.turn(world.backend.db()).await.expect("is free");
        let busy = world.backend.create_backup().await.expect_err("one at a time");
        assert!(crate::error::chain(&busy).contains("another backup is being made"), "{busy}");
        assert_ne!(one.id, data.id());
    })
    .await;
}

/// Every sealed file of a backup, changed or cut off at several places: nothing of it is believed.
#[tokio::test]
async fn a_changed_or_cut_file_is_noticed_and_restores_nothing() {
    each_database("backup tampered", |test| async move {
        let world = World::published(&test).await;
        let folder = world.keep_backups();
        world.backend.create_backup().await.expect("a backup");
        let place = world.backend.backups().expect("a place").clone();
        let data: Found = place.pick(Store::Business, None).await.expect("a backup");
        let scratch = folder.join("scratch.db");
        let recording =
            std::fs::read_dir(folder.join("media")).expect("lists").next().expect("one").expect("one").path();
        let own = |file: &str| folder.join(data.name()).join(file);
        for path in [own("database"), own("manifest"), recording] {
            let whole = std::fs::read(&path).expect("reads");
            place.verify(&data, &scratch).await.expect("is whole");
            for at in [30, whole.len() / 2, whole.len() - 1] {
                let mut changed = whole.clone();
                changed[at] ^= 0x20;
                std::fs::write(&path, &changed).expect("writes");
                assert!(place.verify(&data, &scratch).await.is_err(), "byte {at} of {}", path.display());
                std::fs::write(&path, &whole[..at]).expect("writes");
                assert!(place.verify(&data, &scratch).await.is_err(), "{at} bytes of {}", path.display());
            }
            std::fs::write(&path, &whole).expect("writes");
        }
        let database = own("database");
        let whole = std::fs::read(&database).expect("reads");
        let manifest = place.manifest(&data).await.expect("opens");
        let urls = test.beside().await;
        std::fs::write(&database, &whole[..whole.len() - 20]).expect("writes");
        place.load_business(&data, &manifest, &urls[0], world.backend.now()).await.expect_err("is refused");
        assert!(Place::has_no_keys(&urls[1]).await.expect("asks"));
        std::fs::write(&database, &whole).expect("writes");
        place.load_business(&data, &manifest, &urls[0], world.backend.now()).await.expect("nothing was in the way");
        assert!(!scratch.exists(), "what is opened to be checked does not stay");
    })
    .await;
}

/// Whoever is killed while a backup is made leaves nothing that is taken for one, wherever it happens.
#[tokio::test]
async fn a_backup_that_was_cut_off_is_none() {
    each_database("backup killed", |test| async move {
        let world = World::published(&test).await;
        let folder = world.keep_backups();
        let place = world.backend.backups().expect("a place").clone();
        let (mut cut, mut polls, mut seen) = (0, 0, Vec::new());
        loop {
            world.backend.clock().advance_seconds(1);
            let mut ended = None;
            {
                let mut making = std::pin::pin!(world.backend.create_backup());
                for _ in 0..polls {
                    if let std::task::Poll::Ready(done) = futures::poll!(making.as_mut()) {
                        ended = Some(done);
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            for found in place.list().await.expect("lists") {
                if !seen.contains(&found.id()) {
                    place.verify(&found, &folder.join("scratch.db")).await.expect("what is listed is whole");
                    seen.push(found.id());
                }
            }
            if let Some(done) = ended {
                done.expect("a backup");
                break;
            }
            cut += 1;
            // Close together at the beginning, where much happens, and further and further apart.
            polls += polls / 4 + 1;
        }
        assert!(cut > 0, "it was never cut off");
        world.backend.prune_backups().await.expect("cleans up");
        let lying = place.bucket().list("").await.expect("lists");
        let whole: Vec<String> = place.list().await.expect("lists").iter().map(Found::name).collect();
        let strays: Vec<_> = lying
            .iter()
            .filter(|key| !key.starts_with("media/") && !whole.iter().any(|name| key.starts_with(name.as_str())))
            .collect();
        assert!(strays.is_empty(), "{strays:?}");
    })
    .await;
}

/// An interrupted restore is finished by the next try, and only then is the mark gone.
#[tokio::test]
async fn a_restore_that_was_interrupted_goes_on() {
    each_database("restore again", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        world.backend.create_backup().await.expect("a backup");
        let (backend, _folder, _beside) = restored_engine(&world, &test).await;
        backend.finish_restore().await.expect("finishes").expect("something to finish");
        let run = restore_run::Entity::find().one(backend.db().reader()).await.expect("reads").expect("is noted");
        let mut undone = run.into_active_model();
        undone.finished_at = Set(None);
        let transaction = backend.db().begin().await.expect("begins");
        undone.update(&transaction).await.expect("as after a crash");
        transaction.commit().await.expect("commits");
        assert!(backend.is_half_restored().await.expect("asks"));
        let done = backend.finish_restore().await.expect("finishes").expect("something to finish");
        assert_eq!(done.media.written, 0);
        assert!(done.media.kept > 0);
        backend.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_worker_backs_up_every_night() {
    each_database("backup nightly", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        world.backend.plan_periodic().await.expect("plans");
        let now = world.backend.now();
        world.backend.move_clock(now.plus_days(3)).await.expect("the clock moves");
        let place = world.backend.backups().expect("a place");
        let found = place.list().await.expect("lists");
        let data: Vec<_> = found.iter().filter(|one| one.store() == Store::Business).collect();
        assert_eq!(data.len(), 3, "one a night");
        for one in data {
            assert!(one.created_at().unix_seconds().rem_euclid(86_400) < 600, "at midnight UTC");
        }
    })
    .await;
}
