//! Backups in a folder and, when `TEST_S3_URL` names one, in S3: made, read back, removed to the last object.

use backup::{Error, Key, Place, Store};
use bytes::Bytes;
use domain::Moment;
use domain::ids::{CoachId, TombstoneId};
use persistence::entities::tombstone;
use storage::{Bucket, S3Credentials};
use tempfile::TempDir;
use testkit::{TestDatabase, each_database};

const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment which servers they may use")]
fn s3_url() -> Option<String> {
    std::env::var("TEST_S3_URL").ok().filter(|url| !url.is_empty())
}

fn credentials() -> S3Credentials {
    rustls::crypto::ring::default_provider().install_default().ok();
    S3Credentials { access_key_id: "testing".into(), secret_access_key: "testing".into() }
}

/// Places that nobody else uses: one for recordings and one for backups, of each kind there is.
fn places(test: &str) -> Vec<(Bucket, Place, Option<TempDir>)> {
    let key = || Key::new([3; 32]);
    let folder = TempDir::new().expect("a folder");
    let local = |name: &str| Bucket::open(&format!("file://{}/{name}", folder.path().display()), None).expect("opens");
    let mut places = vec![(local("objects"), Place::new(local("backups"), key()))];
    match s3_url() {
        Some(url) => {
            let (place, parameters) = url.split_once('?').unwrap_or((&url, ""));
            let own = |name: &str| {
                let unique = format!("{place}/{test}-{name}-{}?{parameters}", TombstoneId::new());
                Bucket::open(&unique, Some(&credentials())).expect("opens")
            };
            places.push((own("objects"), Place::new(own("backups"), key())));
        }
        None => eprintln!("TEST_S3_URL is not set: backups were tried in a local folder only"),
    }
    let mut folder = Some(folder);
    places.into_iter().map(|(objects, place)| (objects, place, folder.take())).collect()
}

/// Texts and bytes that a copy could stumble over.
async fn some_rows(test: &TestDatabase) {
    let transaction = test.database.begin().await.expect("begins");
    let bytes = || vec![0, 255, b'\\', b'\n', b'\t'];
    for (cause, email_bidx) in [("tab\tbackslash \\ line\nfeed", Some(bytes())), ("\\N", None), ("", Some(Vec::new()))]
    {
        let row = tombstone::Model {
            id: TombstoneId::new(),
            coach_id: CoachId::new(),
            email_bidx,
            subject_hash: None,
            cause: cause.to_owned(),
            created_at: Moment(i64::MIN),
            expires_at: Moment(i64::MAX),
        };
        persistence::backups::put_tombstone(&transaction, row).await.expect("is written");
    }
    transaction.commit().await.expect("commits");
}

async fn some_objects(objects: &Bucket) -> Vec<(&'static str, Bytes)> {
    let long: Vec<u8> = (0..9_000_017_u32).map(|at| (at * 31 + at / 251) as u8).collect();
    let all = vec![
        ("coaches/a/videos/1/original", Bytes::from(long)),
        ("coaches/a/videos/1/playable", Bytes::from_static(b"short")),
        ("coaches/b/videos/2/original", Bytes::from_static(b"short")),
        ("coaches/b/logos/3.png", Bytes::new()),
    ];
    for (key, bytes) in &all {
        objects.put(key, bytes.clone()).await.expect("writes");
    }
    for left_out in ["staged/coaches-a-videos-1-original", "exports/archive.zip", "probe/readiness"] {
        objects.put(left_out, Bytes::from_static(b"not in any backup")).await.expect("writes");
    }
    all
}

#[tokio::test]
async fn a_backup_comes_back_whole_and_goes_whole() {
    each_database("places", |test| async move {
        some_rows(&test).await;
        for (objects, place, folder) in places("whole") {
            let scratch = TempDir::new().expect("a folder");
            let file = scratch.path().join("copy.db");
            let all = some_objects(&objects).await;
            assert!(matches!(place.pick(Store::Business, None).await, Err(Error::None)));
            let made = place.back_up_business(&test.database, &objects, &file, NOW).await.expect("a backup");
            // Two objects of the same content are one.
            assert_eq!((made.objects, made.new_objects, made.tables["tombstone"]), (4, 3, 3));
            let keys = place.back_up_keyring(test.keyring.database(), &[1; 32], &file, NOW).await.expect("a copy");
            let found = place.pick(Store::Business, Some(made.id)).await.expect("is listed");
            assert_eq!((found.created_at(), found.expires_at()), (NOW, NOW.plus_days(90)));
            let whole = place.verify(&found, &file).await.expect("is whole");
            assert_eq!((whole.objects, whole.tables), (4, made.tables));
            let held = place.pick(Store::Keyring, None).await.expect("is listed");
            assert_eq!((held.id(), held.expires_at()), (keys.id, NOW.plus_days(7)));
            assert_eq!(place.manifest(&held).await.expect("opens").secret, Some("01".repeat(32)));
            assert!(place.manifest(&found).await.expect("opens").secret.is_none(), "no secret lies with the data");

            for (key, _) in &all[1..] {
                objects.delete(key).await.expect("is lost");
            }
            let manifest = place.manifest(&found).await.expect("opens");
            let restored = place.load_media(&manifest, &objects, &["coaches/b/".to_owned()]).await.expect("restores");
            assert_eq!((restored.written, restored.kept, restored.missing.len()), (1, 1, 0));
            assert!(objects.size(all[2].0).await.expect_err("was left out").is_missing());
            place.load_media(&manifest, &objects, &[]).await.expect("restores");
            for (key, bytes) in &all {
                assert!(objects.get(key).await.expect("is back") == *bytes, "{key}");
            }

            let urls = test.beside().await;
            place.load_business(&found, &manifest, &urls[0], NOW).await.expect("loads");
            let loaded = test.open_beside(urls).await;
            let rows = |snapshot: &testkit::Snapshot| snapshot.clone().without(&["restore_run", "seaql_migrations"]);
            let (one, other) =
                (testkit::Snapshot::of(&test.database).await, testkit::Snapshot::of(&loaded.database).await);
            assert_eq!(rows(&one).changes_to(&rows(&other)), "");
            assert_eq!(other.rows("restore_run"), 1, "it is marked as unfinished");
            loaded.database.close().await;
            loaded.keyring.close().await;

            assert_eq!(place.remove_expired(NOW.plus_days(6)).await.expect("looks"), []);
            assert_eq!(place.remove_unused().await.expect("looks"), 0);
            assert_eq!(place.remove_expired(NOW.plus_days(8)).await.expect("looks"), [(Store::Keyring, keys.id)]);
            let gone = place.remove_expired(NOW.plus_days(91)).await.expect("looks");
            assert_eq!(gone, [(Store::Business, made.id)]);
            assert_eq!(place.remove_unused().await.expect("looks"), 3, "the recordings");
            assert_eq!(place.bucket().list("").await.expect("lists"), Vec::<String>::new());
            assert!(!file.exists());
            drop(folder);
        }
    })
    .await;
}

#[tokio::test]
async fn tombstones_are_kept_as_long_as_they_stand_and_open_only_with_the_key() {
    for (_, place, folder) in places("tombstones") {
        let stone = |days: i64| tombstone::Model {
            id: TombstoneId::new(),
            coach_id: CoachId::new(),
            email_bidx: (days % 2 == 0).then(|| vec![7; 32]),
            subject_hash: (days % 2 == 0).then(|| vec![8; 32]),
            cause: "request".to_owned(),
            created_at: NOW,
            expires_at: NOW.plus_days(days),
        };
        let all = vec![stone(130), stone(131)];
        place.keep_tombstones(&all).await.expect("writes");
        place.keep_tombstones(&all).await.expect("again changes nothing");
        assert_eq!(place.tombstones().await.expect("reads"), all);
        let stranger = Place::new(place.bucket().clone(), Key::new([4; 32]));
        assert!(matches!(stranger.tombstones().await, Err(Error::AnotherKey(_))));
        place.remove_expired(NOW.plus_days(129)).await.expect("looks");
        assert_eq!(place.tombstones().await.expect("reads").len(), 2);
        place.remove_expired(NOW.plus_days(130).plus_seconds(2)).await.expect("looks");
        assert_eq!(place.tombstones().await.expect("reads"), all[1..]);
        drop(folder);
    }
}

/// A bucket with versions would keep what is deleted.
#[tokio::test]
async fn a_bucket_that_keeps_versions_is_refused() {
    let Some(url) = s3_url() else {
        eprintln!("TEST_S3_URL is not set: no bucket with versions was tried");
        return;
    };
    let credentials = credentials();
    let (_, parameters) = url.split_once('?').expect("an endpoint");
    let endpoint = parameters.split('&').find_map(|one| one.strip_prefix("endpoint=")).expect("an endpoint");
    let name = format!("versions-{}", TombstoneId::new());
    let client = reqwest::Client::new();
    let ask = |query: &str, body: &'static str| client.put(format!("{endpoint}/{name}{query}")).body(body).send();
    assert!(ask("", "").await.expect("answers").status().is_success());
    let open = || {
        Place::new(
            Bucket::open(&format!("s3://{name}?{parameters}"), Some(&credentials)).expect("opens"),
            Key::new([3; 32]),
        )
    };
    open().check().await.expect("a bucket without versions is good");
    let on = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>";
    assert!(ask("?versioning", on).await.expect("answers").status().is_success());
    assert!(matches!(open().check().await, Err(Error::KeepsVersions)));
}
