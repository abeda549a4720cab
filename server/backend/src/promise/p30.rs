//! "Portability": an archive is taken in on a fresh installation and given out again, and what another one would take in
//! from that is the same to the byte. Nothing is sent, nobody can sign in, and who was erased stays away.

use std::path::Path;

use domain::RefusalKind;
use domain::rights::SubjectKind;
use persistence::entities::{coach, registration, subject, suppression};
use persistence::rights as queries;
use sea_orm::{EntityTrait, PaginatorTrait};
use tempfile::TempDir;
use testkit::{TestDatabase, each_database};

use crate::world::archives::{COACH, another_database, digests, rows, unpacked};
use crate::world::{World, engine};
use crate::{Backend, Client};

async fn round_trip(from: &World, to: &TestDatabase) -> (Backend, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let given = from.archive("given.zip").await;
    let other = engine(to, &folder);
    let imported = other.import_archive(&given, None).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(imported.taken.email, COACH);
    // Also once the background work on the recording is done.
    other.run_due_jobs("import").await.expect("jobs run");
    let again = folder.path().join("again.zip");
    other.archive_to_file(COACH, None, &again).await.expect("an archive");
    let (given, again) = (unpacked(&given), unpacked(&again));
    for (path, digest) in digests(&given) {
        let text = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(
            Some(&digest),
            digests(&again).get(&path),
            "{path}\n{:?}\n{:?}",
            text(given.get(&path)).filter(|_| path.starts_with("data/")),
            text(again.get(&path)).filter(|_| path.starts_with("data/"))
        );
    }
    assert_eq!(digests(&given).len(), digests(&again).len());
    assert!(digests(&given).len() > 18, "{:?}", digests(&given).keys());
    (other, folder)
}

async fn count<E: EntityTrait>(backend: &Backend) -> u64
where
    E::Model: Send + Sync,
{
    E::find().count(backend.db().reader()).await.expect("counts")
}

#[tokio::test]
async fn an_archive_taken_in_and_given_out_is_the_same() {
    each_database("p30", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let folder = TempDir::new().expect("a folder");
        let sqlite = another_database(&folder).await;
        let (other, _files) = round_trip(&world, &sqlite).await;
        assert!(
            other.mailer().dev_mailbox().expect("the dev mailbox").list().expect("reads").is_empty(),
            "nothing is sent"
        );

        // Sealed anew: another key, another index, the same person.
        let read = |backend: &Backend| {
            let reader = backend.db().reader().clone();
            let id = guests[0].subject;
            async move { subject::Entity::find_by_id(id).one(&reader).await.expect("reads").expect("there") }
        };
        let (before, after) = (read(&world.backend).await, read(&other).await);
        assert_ne!(before.dek_id, after.dek_id);
        assert_ne!((before.email_bidx, before.email_ct), (after.email_bidx.clone(), after.email_ct));
        let index =
            other.keyring().pepper(world.id(), other.now()).await.expect("a pepper").blind_index("tom@example.net");
        assert_eq!(after.email_bidx, index, "the person is found by their address");
        assert_eq!(count::<suppression::Entity>(&other).await, 1, "and is still not written to");

        // Nobody signs in before there is a password.
        let visitor = other.visitor();
        assert!(visitor.sign_in(COACH, &"seven quiet otters".into(), &Client::unknown()).await.is_err());
        other.replace_password(COACH, &"nine loud badgers".into()).await.expect("is replaced");
        let signed_in =
            visitor.sign_in(COACH, &"nine loud badgers".into(), &Client::unknown()).await.expect("signs in");
        let coach = other.coach_by_token(&signed_in.token).await.expect("asked").expect("signed in");
        assert_eq!(coach.webinar(world.webinar).await.expect("hers").form.title, "Calm mornings");
    })
    .await;
}

#[tokio::test]
async fn from_one_database_to_the_other() {
    each_database("p30 across", |test| async move {
        let folder = TempDir::new().expect("a folder");
        let sqlite = another_database(&folder).await;
        let (world, _) = World::lived_in(&sqlite).await;
        round_trip(&world, &test).await;
    })
    .await;
}

#[tokio::test]
async fn taking_it_in_twice_is_taking_it_in_once() {
    each_database("p30 twice", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let folder = TempDir::new().expect("a folder");
        let sqlite = another_database(&folder).await;
        let (other, _files) = round_trip(&world, &sqlite).await;
        let before = (count::<registration::Entity>(&other).await, count::<subject::Entity>(&other).await);
        let again = other.import_archive(&world.file("given.zip"), None).await.expect("is taken in");
        assert!(again.taken.rows.values().all(|rows| *rows == 0), "{:?}", again.taken.rows);
        assert_eq!(before, (count::<registration::Entity>(&other).await, count::<subject::Entity>(&other).await));
        // And where it came from it changes nothing either.
        let home = world.backend.import_archive(&world.file("given.zip"), None).await.expect("is taken in");
        assert!(home.taken.rows.values().all(|rows| *rows == 0), "{:?}", home.taken.rows);
    })
    .await;
}

async fn refused(backend: &Backend, path: &Path) -> String {
    let error = backend.import_archive(path, None).await.expect_err("refused");
    let refusal = error.refusal().unwrap_or_else(|| panic!("{error:?}")).clone();
    assert_eq!(refusal.kind, RefusalKind::Invalid);
    refusal.message
}

#[tokio::test]
async fn who_was_erased_here_stays_away() {
    each_database("p30 erased", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let given = world.archive("given.zip").await;
        world.backend.erase_now("zoe@example.net", Some(COACH)).await.expect("is erased");
        let back = world.backend.import_archive(&given, None).await.expect("is taken in");
        assert_eq!(back.taken.erased, 1);
        assert!(back.taken.left_out > 0, "nothing about her comes back either");
        assert!(world.person(guests[1].subject).await.is_none());
        let files = unpacked(&world.archive("after.zip").await);
        assert_eq!(rows(&files, "data/people.jsonl").len(), 2);

        world.backend.erase_now(COACH, None).await.expect("is erased");
        let requests = queries::requests_of_coach(world.backend.db().reader(), world.id(), SubjectKind::Coach).await;
        assert!(requests.is_ok());
        assert!(refused(&world.backend, &given).await.contains("was erased here"));
        assert_eq!(count::<coach::Entity>(&world.backend).await, 0);
    })
    .await;
}

#[tokio::test]
async fn who_was_erased_here_stays_away_also_under_an_older_address() {
    each_database("p30 corrected", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let given = world.archive("given.zip").await;
        world.correct_address("zoe@example.net", "zoe.new@example.net").await;
        world.backend.erase_now("zoe.new@example.net", Some(COACH)).await.expect("is erased");
        let back = world.backend.import_archive(&given, None).await.expect("is taken in");
        assert_eq!(back.taken.erased, 1);
        assert!(world.person(guests[1].subject).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn somebody_elses_address_or_page_is_not_taken() {
    each_database("p30 clashes", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let given = world.archive("given.zip").await;
        let folder = TempDir::new().expect("a folder");
        let sqlite = another_database(&folder).await;
        let files = TempDir::new().expect("a folder");
        let other = engine(&sqlite, &files);
        other.create_account("Maya", COACH, &"seven quiet otters".into()).await.expect("an account");
        assert!(refused(&other, &given).await.contains("has the address"));
        assert_eq!(count::<coach::Entity>(&other).await, 1);
        assert_eq!(
            other.bucket().list("coaches").await.expect("lists"),
            Vec::<String>::new(),
            "no file is left behind"
        );

        let viewer = world.file("viewer.zip");
        world.backend.archive_to_file("tom@example.net", Some(COACH), &viewer).await.expect("an archive");
        assert!(refused(&other, &viewer).await.contains("viewer's archive"));
    })
    .await;
}
