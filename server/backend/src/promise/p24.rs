//! "Hosting infrastructure": backups are sealed before they leave the machine, so whoever hosts them holds ciphertext.

use backup::{Error, Place, Store};
use privacy::scan::{Depth, Needles, scan};
use tempfile::TempDir;
use testkit::each_database;

use crate::world::{World, place};

/// Words of the account that lie in the database as they are, and bytes every recording has.
const WORDS: [&str; 3] = ["maya@coach.example", "Maya Lindqvist", "Calm mornings"];

#[tokio::test]
async fn whoever_hosts_the_backups_can_read_nothing_and_restore_nothing() {
    each_database("p24", |test| async move {
        let world = World::published(&test).await;
        let folder = world.keep_backups();
        world.guest("anna@example.net").await;
        world.run_jobs().await;
        world.backend.create_backup().await.expect("a backup");

        let needles = Needles::new(&WORDS.map(str::to_owned)).expect("needles");
        let look = async |further: &[(String, std::path::PathBuf)]| {
            scan(&world.backend.stores(), further, Depth::Databases, &needles).await.expect("scans")
        };
        let report = look(&[("backups".to_owned(), folder.clone())]).await;
        for (needle, word) in WORDS.iter().enumerate() {
            assert!(report.places.iter().any(|hit| hit.needle == needle), "{word} is nowhere: nothing was proven");
        }
        assert!(report.bytes["backups"] > 100_000, "the backups were looked at");
        assert_eq!(report.hits["backups"], 0, "{:?}", report.places);

        // A recording's own bytes, which no word would find.
        let recording = world.backend.bucket().list("coaches").await.expect("lists");
        let recording = recording.iter().find(|key| key.ends_with("/original")).expect("a recording");
        let bytes = world.backend.bucket().get(recording).await.expect("reads");
        let middle = &bytes[bytes.len() / 2..bytes.len() / 2 + 64];
        for file in std::fs::read_dir(folder.join("media")).expect("lists").flatten() {
            let sealed = std::fs::read(file.path()).expect("reads");
            assert!(!sealed.windows(middle.len()).any(|window| window == middle), "a recording lies there as it is");
        }

        let stranger = place(&folder, [1; 32]);
        let urls = test.beside().await;
        for store in Store::ALL {
            let found = stranger.pick(store, None).await.expect("the header is for everybody");
            let refused = stranger.manifest(&found).await.expect_err("is sealed");
            assert!(matches!(refused, Error::AnotherKey(_)), "{refused}");
            let scratch = TempDir::new().expect("a folder");
            stranger.verify(&found, &scratch.path().join("x.db")).await.expect_err("is sealed");
        }
        let own = world.backend.backups().expect("a place");
        let data = own.pick(Store::Business, None).await.expect("a backup");
        let manifest = own.manifest(&data).await.expect("opens");
        let refused = stranger.load_business(&data, &manifest, &urls[0], world.backend.now()).await;
        assert!(matches!(refused, Err(Error::AnotherKey(_))), "{refused:?}");
        assert!(Place::has_no_keys(&urls[1]).await.expect("asks"), "nothing was restored");
    })
    .await;
}
