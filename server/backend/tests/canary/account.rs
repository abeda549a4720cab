//! A coach with her whole account.

use domain::rights::RequestState;
use persistence::entities::coach;
use privacy::{Erasure, Person, Target};
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::evidence::stray;
use crate::world::{SeededCoach, World};

fn person(coach: &SeededCoach) -> Person {
    Person::Coach(coach.coach.id())
}

/// Only two coaches in the world can have an operator's seat.
const UNSEEDED: [&str; 1] = ["operator_seat"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_account_is_left_and_everybody_else_is_as_they_were() {
    each_database("canary account", |test| async move {
        let world = World::new(&test);
        let (gone, stays) = (world.coach("a").await, world.coach("b").await);
        let viewer = world.viewer(&gone, "x", None).await;
        world.viewer(&stays, "y", Some(&viewer.email)).await;
        world.work().await;

        let before = world.before(person(&gone)).await;
        let empty: Vec<_> = before.rows.iter().filter(|(_, rows)| **rows == 0).map(|(table, _)| table).collect();
        assert_eq!(empty, UNSEEDED, "a table was not seeded");
        let needles: Vec<String> = gone.needles.iter().chain(&viewer.needles[1..]).cloned().collect();
        let control = world.look(&needles).await;
        for (needle, word) in gone.needles.iter().enumerate() {
            assert!(control.places.iter().any(|hit| hit.needle == needle), "{word} is nowhere");
        }
        let dump = world.dump(person(&stays)).await;

        let started = std::time::Instant::now();
        let request = world.open(person(&gone)).await;
        world.work().await;
        println!("{:?}: an account's erasure with its scrub took {:?}", test.kind, started.elapsed());
        assert_eq!(world.request(request).await.state, RequestState::Done.as_str());
        assert_eq!(world.flaws(person(&gone), request, &before).await, Vec::<String>::new());

        let later = world.backend.now().plus_days(4);
        world.backend.move_clock(later).await.expect("the clock moves");
        world.work().await;
        assert_eq!(world.request(request).await.coach_id, None);
        // The tombstone names the account, by a random id that is nobody's any more, until no backup holds it.
        let id = 2;
        let report = world.look(&needles).await;
        let allowed = |store: &str, place: &str, needle: usize| {
            needle == id && matches!(store, "database" | "keyring")
                || needle == 0 && store == "mailbox" && place.contains(&request.to_string())
        };
        assert_eq!(stray(&report, &allowed), Vec::<String>::new());
        assert_eq!(world.dump(person(&stays)).await, dump);
    })
    .await;
}

/// Every third step, so that a test does not run for minutes.
async fn leave_out_every_third(name: &str, part: usize) {
    each_database(name, move |test| async move {
        let world = World::without_posters(&test);
        let probe = world.coach("probe").await;
        let request = domain::ids::RequestId::new();
        let plan = Erasure::new(world.backend.stores(), person(&probe), request).expect("a plan").targets();
        let unseeded: Vec<Target> = UNSEEDED.iter().map(|table| Target::Rows((*table).to_owned())).collect();
        let targets = plan.into_iter().filter(|target| !unseeded.contains(target));
        let third = targets.enumerate().filter(|(index, _)| index % 3 == part).map(|(_, target)| Some(target));
        let mut mutants = Vec::new();
        for (index, target) in std::iter::once(None).chain(third).enumerate() {
            let coach = world.coach(&format!("m{index}m")).await;
            world.viewer(&coach, &format!("m{index}m"), None).await;
            mutants.push(world.mutant(person(&coach), coach.needles.clone(), target).await);
        }
        // The tombstone names the account.
        world.judge(mutants, 2).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_any_eraser_of_an_account_out_is_noticed_first_third() {
    leave_out_every_third("canary account one", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_any_eraser_of_an_account_out_is_noticed_second_third() {
    leave_out_every_third("canary account two", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_any_eraser_of_an_account_out_is_noticed_last_third() {
    leave_out_every_third("canary account three", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_waits_for_its_undo_and_never_beyond_its_last_day() {
    each_database("canary undo", |test| async move {
        let world = World::without_posters(&test);
        let [patient, stuck] = [14, 300].map(|days| (days, world.backend.now().plus_days(days)));
        let mut requests = Vec::new();
        for (days, until) in [patient, stuck] {
            let coach = world.coach(&format!("u{days}u")).await;
            let id = world.open_with_undo(person(&coach), until).await;
            requests.push((id, coach.coach.id()));
        }
        world.work().await;
        for (id, _) in &requests {
            assert_eq!(world.request(*id).await.state, RequestState::Undo.as_str());
        }
        let received = world.request(requests[0].0).await.received_at;
        world.backend.move_clock(received.plus_days(13)).await.expect("the clock moves");
        assert_eq!(world.request(requests[0].0).await.state, RequestState::Undo.as_str());
        world.backend.move_clock(received.plus_days(15)).await.expect("the clock moves");
        assert_eq!(world.request(requests[0].0).await.state, RequestState::Done.as_str());
        assert_eq!(world.request(requests[1].0).await.state, RequestState::Undo.as_str());
        world.backend.move_clock(received.plus_days(26)).await.expect("the clock moves");
        world.keep_promises().await;
        assert_eq!(world.request(requests[1].0).await.state, RequestState::Undo.as_str());
        world.backend.move_clock(received.plus_days(28)).await.expect("the clock moves");
        world.keep_promises().await;
        let late = world.request(requests[1].0).await;
        assert_eq!(late.state, RequestState::Done.as_str(), "no undo outlasts the promise");
        assert!(late.completed_at.expect("is over") <= late.received_at.plus_days(30));
        for (_, id) in requests {
            let row = coach::Entity::find_by_id(id).one(world.backend.db().reader()).await.expect("reads");
            assert!(row.is_none(), "the account is gone");
        }
    })
    .await;
}
