//! What the rights of people cost, measured (`.ci/bench.sh rights`). Nothing here can fail for being slow: each prints a
//! line, BENCHMARKS.md holds what was seen.

mod mails;

use std::time::{Duration, Instant};

use domain::ids::CoachId;
use domain::my_data::{Errand, Wish};
use domain::watching::CreditedRange;
use persistence::beats::{self, BeatRow};
use sea_orm::{ConnectionTrait, Statement};
use testkit::{Kind, each_database};

use crate::watching::BeatAnswer;
use crate::world::{World, beat};

const EVENTS: u32 = 1_000_000;
const COACHES: usize = 10_000;
const ERASURES: usize = 40;
const UNFENCED: &str = "SELECT view.id, view.video_id, registration.outcome FROM view \
     JOIN registration ON registration.id = view.registration_id JOIN webinar ON webinar.id = registration.webinar_id";
const FENCED: &str = "SELECT view.id, view.video_id, registration.outcome, registration.coach_id, subject.state FROM view \
     JOIN registration ON registration.id = view.registration_id JOIN webinar ON webinar.id = registration.webinar_id \
     JOIN subject ON subject.id = registration.subject_id";
/// The few coaches behind a batch are asked for by themselves.
const ACCOUNTS: &str = "SELECT id, state FROM coach";

fn line(what: &str, kind: Kind, ours: f64, unit: &str, goal: f64) {
    let met = if ours <= goal { "yes" } else { "NO" };
    // The harness leaves a line of its own open.
    println!(
        "\n| {what}, {kind:?} | {unit} | {ours:.3} | the limit | {goal} | {:.3} | ≤ {goal} {unit} | {met} |",
        ours / goal
    );
}

fn seconds(times: &mut [Duration], of_hundred: usize) -> f64 {
    times.sort();
    times[(times.len() * of_hundred / 100).min(times.len() - 1)].as_secs_f64()
}

/// Most memory this process ever held, in MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// From now on the peak is counted anew.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that stores a million events"]
async fn an_archive_of_a_million_events() {
    each_database("measured archive", |test| async move {
        let kind = test.kind;
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        let view = world.open_room(&guest).await.expect("plays");
        let mut sequence = 0;
        while sequence < EVENTS {
            let transaction = world.backend.db().begin().await.expect("begins");
            let until = (sequence + 50_000).min(EVENTS);
            let now = world.backend.now();
            let range = CreditedRange { from: 0.0, to: 10.0 };
            let rows = (sequence..until).map(|seq| BeatRow::new(&beat(view, seq + 1), range, now)).collect();
            beats::insert_beats(&transaction, rows).await.expect("inserted");
            transaction.commit().await.expect("commits");
            sequence = until;
        }
        forget_peak();
        let (before, began) = (peak_mib(), Instant::now());
        let file = world.archive("million.zip").await;
        let took = began.elapsed().as_secs_f64();
        assert!(file.metadata().expect("is there").len() > 1_000_000);
        line("archive of 1 M events", kind, took, "s", 15.0);
        line("archive of 1 M events, added to the peak of memory", kind, peak_mib() - before, "MiB", 64.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that makes 10,000 coaches"]
async fn a_portal_page_with_ten_thousand_coaches() {
    each_database("measured portal", |test| async move {
        let kind = test.kind;
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        world.run_jobs().await;
        for _ in 0..COACHES {
            world.backend.keyring().pepper(CoachId::new(), world.backend.now()).await.expect("made");
        }
        let portal = world.portal("tom@viewer.example", Errand::Myself).await;
        let mut times = Vec::new();
        for _ in 0..21 {
            let began = Instant::now();
            assert_eq!(portal.everything().await.expect("shown").cards.len(), 1);
            times.push(began.elapsed());
        }
        line("portal page with 10,000 coaches, median", kind, seconds(&mut times, 50) * 1000.0, "ms", 150.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that erases 40 people, one after the other"]
async fn a_viewer_is_erased() {
    each_database("measured erasure", |test| async move {
        let kind = test.kind;
        let world = World::published(&test).await;
        let mut times = Vec::new();
        for number in 0..ERASURES {
            let email = format!("guest{number}@viewer.example");
            let guest = world.guest(&email).await;
            let view = world.open_room(&guest).await.expect("plays");
            for sequence in 1..=18 {
                world.watch(view, sequence).await;
            }
            world.run_jobs().await;
            let portal = world.portal(&email, Errand::Myself).await;
            let began = Instant::now();
            portal.wish(world.id(), &Wish::Erase { forget_mark: false }).await.expect("asked");
            while world.person(guest.subject).await.is_some() {
                world.run_jobs().await;
            }
            let row_gone = began.elapsed();
            // The scrub waits its turn by the clock; the work itself is what is measured.
            world.backend.clock().advance_seconds(60);
            let scrubbing = Instant::now();
            world.run_jobs().await;
            times.push(row_gone + scrubbing.elapsed());
        }
        line("viewer erasure with its scrub, p95", kind, seconds(&mut times, 95), "s", 60.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of the fences beats pass"]
async fn what_the_fences_cost_a_batch_of_beats() {
    each_database("measured fence", |test| async move {
        let kind = test.kind;
        let world = World::published(&test).await;
        let mut views = Vec::new();
        for number in 0..256 {
            let guest = world.guest(&format!("guest{number}@viewer.example")).await;
            views.push(world.open_room(&guest).await.expect("plays"));
            world.backend.clock().advance_seconds(60);
        }
        let (mut whole, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=17_u32 {
            world.backend.clock().advance_seconds(10);
            let began = Instant::now();
            let beats = views.iter().map(|view| world.backend.beat(beat(*view, round)));
            for answer in futures::future::join_all(beats).await {
                assert_eq!(answer.expect("is taken"), BeatAnswer::Durable);
            }
            whole.push(began.elapsed());
            let database = world.backend.db();
            let ask = async |sql: &str| {
                let kind = database.reader().get_database_backend();
                let found = database.reader().query_all_raw(Statement::from_sql_and_values(kind, sql, []));
                found.await.expect("asks").len()
            };
            // The fences are a column of the query every batch asks anyway with the join that reaches it, and one query
            // for the accounts.
            let began = Instant::now();
            assert_eq!(ask(UNFENCED).await, views.len());
            without.push(began.elapsed());
            let began = Instant::now();
            assert_eq!((ask(FENCED).await, ask(ACCOUNTS).await), (views.len(), 1));
            with.push(began.elapsed());
        }
        let cost = (seconds(&mut with, 50) - seconds(&mut without, 50)).max(0.0);
        line("fences, of a batch of 256 beats", kind, cost / seconds(&mut whole, 50) * 100.0, "%", 3.0);
    })
    .await;
}
