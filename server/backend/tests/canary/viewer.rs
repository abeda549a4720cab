//! One viewer of one coach.

use backend::rights::Step;
use domain::ids::LegalHoldId;
use domain::processing::ProcessingPurpose;
use domain::rights::{RequestState, SubjectState};
use persistence::entities::{dsr_request, legal_hold, subject};
use persistence::sealed::Place;
use privacy::receipt::verify;
use privacy::{Erasure, Person, Target};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use testkit::each_database;

use crate::evidence::stray;
use crate::world::{SeededViewer, World};

fn person(viewer: &SeededViewer) -> Person {
    Person::Viewer(viewer.coach, viewer.subject)
}

/// What is sealed cannot be found by its bytes: it is opened, to know that it is there.
async fn opened_address(world: &World, viewer: &SeededViewer) -> String {
    let row = subject::Entity::find_by_id(viewer.subject).one(world.backend.db().reader()).await.expect("reads");
    let row = row.expect("is there");
    let key = world.backend.keyring().key(row.dek_id).await.expect("a key");
    String::from_utf8(
        key.open(ProcessingPurpose::Provide, Place::SubjectEmail, row.id.as_bytes(), &row.email_ct).expect("opens"),
    )
    .expect("text")
}

/// The receipt's own letter, and letters of another coach to the same address.
fn is_letter(store: &str, place: &str, request: &str) -> bool {
    store == "mailbox" && place.contains(request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_viewer_is_left_and_everybody_else_is_as_they_were() {
    each_database("canary viewer", |test| async move {
        let world = World::new(&test);
        let (first, second) = (world.coach("a").await, world.coach("b").await);
        let gone = world.viewer(&first, "x", None).await;
        let beside = world.viewer(&first, "y", None).await;
        let elsewhere = world.viewer(&second, "z", Some(&gone.email)).await;
        world.work().await;

        // Positive control: she is where she is said to be, or finding nothing later means nothing.
        let before = world.before(person(&gone)).await;
        assert!(before.rows.values().all(|rows| *rows > 0), "a table was not seeded: {:?}", before.rows);
        assert_eq!(opened_address(&world, &gone).await, gone.email);
        let control = world.look(&gone.needles).await;
        for (needle, store) in
            [(0, "mailbox"), (1, "database"), (2, "database"), (3, "database"), (6, "database"), (8, "objects")]
        {
            assert!(
                control.places.iter().any(|hit| hit.needle == needle && hit.store == store),
                "{needle}: {control:?}"
            );
        }
        for (needle, word) in gone.needles.iter().enumerate().filter(|(needle, _)| [0, 4, 5, 7].contains(needle)) {
            let in_clear = control.places.iter().any(|hit| hit.needle == needle && hit.store == "database");
            assert!(!in_clear, "{word} lies in the database unsealed");
        }
        let neighbours = [person(&beside), person(&elsewhere)];
        let mut dumps = Vec::new();
        for neighbour in neighbours {
            dumps.push(world.dump(neighbour).await);
        }
        let funnel = first.coach.results(first.webinar).await.expect("results").funnel;

        let started = std::time::Instant::now();
        let request = world.open(person(&gone)).await;
        world.work().await;
        println!("{:?}: a viewer's erasure with its scrub took {:?}", test.kind, started.elapsed());
        assert_eq!(world.request(request).await.state, RequestState::Done.as_str());
        assert_eq!(world.flaws(person(&gone), request, &before).await, Vec::<String>::new());

        // A day and three days later nothing is found, and then not even the ids are left.
        let later = world.backend.now().plus_days(4);
        world.backend.move_clock(later).await.expect("the clock moves");
        world.work().await;
        assert_eq!(world.request(request).await.subject_id, None);
        let report = world.look(&gone.needles).await;
        let others = world.backend.mailer().dev_mailbox().expect("dev").list().expect("lists");
        let allowed = |store: &str, place: &str, needle: usize| {
            let id = place.trim_end_matches(".json");
            needle == 0
                && (is_letter(store, place, &request.to_string())
                    || store == "mailbox"
                        && others.iter().any(|mail| mail.id == id && mail.text.contains("qxtitlebzq")))
        };
        assert_eq!(stray(&report, &allowed), Vec::<String>::new());
        assert!(!stray(&report, &|_, _, _| false).is_empty(), "the receipt was mailed");

        for (neighbour, dump) in neighbours.into_iter().zip(&dumps) {
            assert_eq!(world.dump(neighbour).await, *dump);
        }
        assert_eq!(opened_address(&world, &elsewhere).await, gone.email);
        assert_eq!(opened_address(&world, &beside).await, beside.email);
        let after = first.coach.results(first.webinar).await.expect("results").funnel;
        assert_eq!(
            (after.registered, after.attended),
            (funnel.registered, funnel.attended),
            "the funnel keeps its numbers"
        );

        let letter = others.iter().find(|mail| mail.id == request.to_string()).expect("a receipt was mailed");
        let copy = letter.text.lines().find(|line| line.starts_with('{')).expect("a receipt");
        let key = world.backend.receipt_signer().public_key();
        let receipt = verify(copy, Some(&key), Some(&gone.email)).expect("is believed").receipt;
        assert_eq!(receipt.scan.hits, 0);
        assert_eq!(receipt.retained.len(), 1, "the mark not to write to her stays: {:?}", receipt.retained);
        let stored = world.request(request).await.receipt.expect("is kept");
        assert!(!stored.contains("nonce"), "only the person's copy proves whose it is");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_any_eraser_of_a_viewer_out_is_noticed() {
    each_database("canary viewer mutants", |test| async move {
        let world = World::new(&test);
        let coach = world.coach("m").await;
        let probe = world.viewer(&coach, "probe", None).await;
        let plan = Erasure::new(world.backend.stores(), person(&probe), probe.earlier).expect("a plan").targets();
        let left_out: Vec<Option<Target>> = std::iter::once(None).chain(plan.into_iter().map(Some)).collect();
        let mut mutants = Vec::new();
        for (index, target) in left_out.into_iter().enumerate() {
            // What the map itself keeps is not removed either way.
            if target == Some(Target::Rows("suppression".to_owned())) {
                continue;
            }
            let viewer = world.viewer(&coach, &format!("m{index}m"), None).await;
            mutants.push(world.mutant(person(&viewer), viewer.needles.clone(), target).await);
        }
        // The request names its subject until the last sweep.
        world.judge(mutants, 1).await;
    })
    .await;
}

/// A server that dies between two steps: everything it held in memory is gone, what it wrote down is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_killed_between_any_two_steps_ends_with_the_same_receipt() {
    each_database("canary killed", |test| async move {
        let world = World::new(&test);
        let coach = world.coach("k").await;
        let (smooth, rough) = (world.viewer(&coach, "s", None).await, world.viewer(&coach, "r", None).await);
        let one = world.open(person(&smooth)).await;
        world.erase(one, None).await.expect("is erased");
        let other = world.open(person(&rough)).await;
        let mut steps = 0;
        loop {
            // Every step twice from the same state, as a second worker would after the first one's death.
            let before = world.behind(other).await;
            let step = world.backend.step_erasure(other, None).await.expect("a step");
            steps += 1;
            if step == Step::Wait {
                break;
            }
            let behind = world.behind(other).await;
            let Some(target) = behind.iter().find(|target| !before.contains(target)) else { continue };
            let Some(target) = Target::parse(target) else { continue };
            let again = Erasure::new(world.backend.stores(), person(&rough), other).expect("a plan");
            let again = again.erase(&target, world.backend.now()).await.expect("can be repeated");
            assert_eq!(again.removed, 0, "{target} found something the second time");
        }
        assert!(steps > 10, "{steps}");
        world.work().await;
        let results = |row: dsr_request::Model| {
            let receipt = verify(&row.receipt.expect("a receipt"), None, None).expect("is believed").receipt;
            (receipt.results, receipt.retained)
        };
        assert_eq!(results(world.request(one).await), results(world.request(other).await));
        let first = world.request(other).await.receipt;
        world.work().await;
        assert_eq!(world.request(other).await.receipt, first, "it is written once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_keeps_its_classes_names_itself_and_ends_by_itself() {
    each_database("canary hold", |test| async move {
        let world = World::new(&test);
        let coach = world.coach("h").await;
        let viewer = world.viewer(&coach, "h", None).await;
        let until = world.backend.now().plus_days(40);
        let hold = legal_hold::ActiveModel {
            id: Set(LegalHoldId::new()),
            coach_id: Set(viewer.coach),
            subject_id: Set(Some(viewer.subject)),
            ground: Set("dispute_open".to_owned()),
            classes: Set("[\"consent\"]".to_owned()),
            until_at: Set(until),
            approved_by: Set("operator".to_owned()),
            created_at: Set(world.backend.now()),
        };
        let transaction = world.backend.db().begin().await.expect("begins");
        hold.insert(&transaction).await.expect("a hold");
        transaction.commit().await.expect("commits");

        let before = world.before(person(&viewer)).await;
        let request = world.open(person(&viewer)).await;
        world.work().await;
        let row = world.request(request).await;
        assert_eq!(row.state, RequestState::Held.as_str());
        let held = world.counts(person(&viewer)).await;
        assert_eq!(
            (held["consent"], held["registration"], held["subject"]),
            (1, 1, 1),
            "what a consent hangs on stays"
        );
        assert_eq!((held["beat"], held["view"], held["mail"], held["status_change"]), (0, 0, 0, 0));
        let receipt = verify(&row.receipt.expect("a receipt"), None, None).expect("is believed").receipt;
        let kept = receipt.retained.iter().find(|kept| kept.class == "consent").expect("is named");
        assert_eq!((kept.ground.as_str(), kept.until.as_deref()), ("dispute_open", Some(until.to_string().as_str())));
        assert!(world.backend.keyring().keys(&before.keys).await.expect("asks").is_empty(), "nothing sealed is held");
        let report = world.look(&viewer.needles[4..]).await;
        assert_eq!(stray(&report, &|_, _, _| false), Vec::<String>::new(), "the rest is gone");
        let subject = subject::Entity::find().filter(subject::Column::Id.eq(viewer.subject));
        let subject = subject.one(world.backend.db().reader()).await.expect("reads").expect("is there");
        assert_eq!(subject.state, SubjectState::Erasing.as_str());

        world.backend.move_clock(until.plus_seconds(3600)).await.expect("the clock moves");
        world.work().await;
        assert_eq!(world.request(request).await.state, RequestState::Done.as_str());
        assert!(world.counts(person(&viewer)).await.values().sum::<i64>() <= 1, "only the mark is left");
        let receipt = world.request(request).await.receipt.expect("a receipt");
        let receipt = verify(&receipt, None, None).expect("is believed").receipt;
        assert!(receipt.retained.iter().all(|kept| kept.class != "consent"), "{:?}", receipt.retained);
    })
    .await;
}
