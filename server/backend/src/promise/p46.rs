//! "Backups 90 days, then permanently deleted": the simulated days 8 and 91, and what the receipt says of them.

use backup::Store;
use domain::Moment;
use domain::rights::{BACKUP_DAYS, KEYRING_BACKUP_DAYS, SubjectKind};
use persistence::entities::backup_copy;
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::world::World;

async fn left(world: &World) -> [usize; 2] {
    let found = world.backend.backups().expect("a place").list().await.expect("lists");
    Store::ALL.map(|store| found.iter().filter(|one| one.store() == store).count())
}

async fn look_on_day(world: &World, begun: Moment, day: i64) {
    world.backend.clock().set(begun.plus_days(day));
    world.backend.look_after_backups(world.backend.now()).await.expect("looks");
}

#[tokio::test]
async fn keys_are_gone_on_day_eight_and_everything_on_day_ninety_one() {
    each_database("p46", |test| async move {
        let world = World::published(&test).await;
        let folder = world.keep_backups();
        let begun = world.backend.now();
        world.backend.create_backup().await.expect("a backup");
        look_on_day(&world, begun, 6).await;
        assert_eq!(left(&world).await, [1, 1]);
        look_on_day(&world, begun, 8).await;
        assert_eq!(left(&world).await, [1, 0], "the keys outlived their days");
        look_on_day(&world, begun, 89).await;
        assert_eq!(left(&world).await, [1, 0]);
        look_on_day(&world, begun, 91).await;
        assert_eq!(left(&world).await, [0, 0]);

        let mut files = Vec::new();
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("lists").flatten() {
                if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
            }
        }
        assert!(files.is_empty(), "recordings and half of files too: {files:?}");
        let rows = backup_copy::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        assert!(rows.len() == 2 && rows.iter().all(|row| row.removed_at.is_some()), "{rows:?}");
        look_on_day(&world, begun, 200).await;
        assert!(backup_copy::Entity::find().all(world.backend.db().reader()).await.expect("reads").is_empty());
    })
    .await;
}

/// A recording that a later backup names stays; one that was deleted goes with the last backup that had it.
#[tokio::test]
async fn a_deleted_recording_goes_with_the_last_backup_that_names_it() {
    each_database("p46 recording", |test| async move {
        let world = World::published(&test).await;
        world.keep_backups();
        let begun = world.backend.now();
        let first = world.backend.create_backup().await.expect("a backup");
        let place = world.backend.backups().expect("a place").clone();
        let media = async || place.bucket().list("media").await.expect("lists").len() as u64;
        assert_eq!(media().await, first[0].objects);
        look_on_day(&world, begun, 1).await;
        world.backend.erase_now("maya@coach.example", None).await.expect("is erased");
        world.backend.create_backup().await.expect("a backup");
        assert_eq!(media().await, first[0].objects, "the first backup still needs them");
        look_on_day(&world, begun, 89).await;
        assert_eq!(media().await, first[0].objects);
        // 30 days for the erasure and 90 for its backups are the worst case; this one was erased on day 1.
        look_on_day(&world, begun, 90).await;
        assert_eq!((left(&world).await, media().await), ([1, 0], 0));
    })
    .await;
}

/// Every backup, whenever it is made and whenever the hourly look comes, is gone in time: ten years of nights.
#[test]
fn no_backup_outlives_its_days_whatever_the_hour_of_the_look() {
    let begin = Moment::from_unix_seconds(1_795_000_000);
    for night in 0..3_650 {
        let made = begin.plus_days(night).plus_seconds(night * 37 % 86_400);
        for (days, store) in [(BACKUP_DAYS, Store::Business), (KEYRING_BACKUP_DAYS, Store::Keyring)] {
            assert_eq!(store.days(), days);
            let last = made.plus_days(days);
            let last_look = Moment::from_unix_seconds(last.unix_seconds().div_euclid(3_600) * 3_600);
            assert!(
                last <= last_look.plus_seconds(backup::PRUNE_AHEAD_SECONDS),
                "the last look before its end is too early"
            );
        }
    }
}

#[test]
fn the_receipt_names_the_days_that_are_kept() {
    let erased = Moment::from_unix_seconds(1_795_000_000);
    let (unreadable, gone) = privacy::receipt::backup_dates(erased, SubjectKind::Viewer);
    assert_eq!((unreadable, gone), (erased.plus_days(Store::Keyring.days()), erased.plus_days(Store::Business.days())));
    // What an account holds is sealed under the key of the backups alone: nothing makes it unreadable earlier.
    assert_eq!(privacy::receipt::backup_dates(erased, SubjectKind::Coach), (gone, gone));
}
