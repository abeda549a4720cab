//! "Deleted accounts: removed within 30 days": ten thousand simulated deletions whose steps fail again and again, and a
//! watchdog that looks every hour.

use domain::Moment;
use domain::ids::DekId;
use domain::rights::{ERASURE_DAYS, Regime, RequestState, RightKind, SubjectKind};
use persistence::rights as queries;
use privacy::retention::{Care, Waiting, care};
use testkit::each_database;

use crate::world::World;

const BEGIN: Moment = Moment::from_unix_seconds(1_795_000_000);

/// Whether a step fails: the same for the same request and hour, so that a red run can be run again.
fn fails(request: i64, hour: i64) -> bool {
    let mixed = (request.wrapping_mul(0x9e37_79b9) ^ hour.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35);
    // Three of ten.
    mixed.rem_euclid(10) < 3
}

/// One more step of a run that does not fail.
fn next(state: RequestState) -> RequestState {
    match state {
        RequestState::Undo | RequestState::Verified => RequestState::Running,
        RequestState::Running => RequestState::Verifying,
        _ => RequestState::Done,
    }
}

#[test]
fn of_ten_thousand_deletions_none_takes_longer_than_thirty_days() {
    let mut longest = 0;
    for number in 0..10_000 {
        let received_at = BEGIN.plus_seconds(number * 37);
        // At once, after the usual fortnight, and — by a fault nobody has made yet — after a year.
        let undo_until = match number % 10 {
            0 => None,
            1 => Some(received_at.plus_days(365)),
            days => Some(received_at.plus_days(days + 5)),
        };
        let state = if undo_until.is_some() { RequestState::Undo } else { RequestState::Verified };
        let mut request = Waiting { state, kind: RightKind::Erase, whose: SubjectKind::Coach, received_at, undo_until };
        let done = (0..24 * 40).map(|hour| (hour, received_at.plus_seconds(hour * 3_600))).find(|(hour, now)| {
            match care(&request, *now) {
                Care::Run | Care::Resume if fails(number, *hour) => request.state = RequestState::Failed,
                Care::Resume => request.state = RequestState::Running,
                Care::Run => request.state = next(request.state),
                Care::Leave => {}
                Care::Expire => panic!("a proven request does not expire"),
            }
            request.state == RequestState::Done
        });
        let (hours, _) = done.unwrap_or_else(|| panic!("deletion {number} never ends"));
        longest = longest.max(hours);
    }
    assert!(longest <= ERASURE_DAYS * 24, "the longest took {longest} hours");
    assert!(longest > 27 * 24, "only {longest} hours: the last day was never tried");
}

#[tokio::test]
async fn the_watchdog_takes_up_what_failed_and_ends_what_nobody_proved() {
    each_database("p45 watchdog", |test| async move {
        let world = World::published(&test).await;
        world.run_jobs().await;
        let now = world.backend.now();
        let mut ids = Vec::new();
        let transaction = world.backend.db().begin().await.expect("begins");
        for state in [RequestState::Failed, RequestState::AwaitingProof, RequestState::Undo] {
            let id = domain::ids::RequestId::new();
            let new = queries::NewRequest {
                id,
                regime: Regime::Gdpr,
                kind: RightKind::Access,
                subject_kind: SubjectKind::Coach,
                coach: Some(world.id()),
                subject: None,
                subject_ref: vec![1],
                dek: DekId::new(),
                details_sealed: None,
                state,
                undo_until: Some(now.plus_days(14)),
                due_at: now.plus_days(30),
                verified_at: None,
            };
            queries::insert_request(&transaction, new, now).await.expect("a request");
            ids.push(id);
        }
        transaction.commit().await.expect("commits");
        world.backend.clock().advance_seconds(86_400 + 1);
        world.backend.keep_promises().await.expect("runs");
        let read = |id| queries::request(world.backend.db().reader(), id);
        let states = async {
            let mut found = Vec::new();
            for id in &ids {
                found.push(read(*id).await.expect("reads").expect("there").state);
            }
            found
        };
        assert_eq!(states.await, ["running", "expired", "undo"]);
        let expired = read(ids[1]).await.expect("reads").expect("there");
        assert_eq!((expired.coach_id, expired.completed_at.is_some()), (None, true), "it names nobody any more");
        let planned = world.backend.unfinished_jobs().await.expect("reads");
        let of = |id: domain::ids::RequestId| {
            planned.iter().filter(|job| job.payload == serde_json::json!({ "request": id })).count()
        };
        assert_eq!((of(ids[0]), of(ids[1]), of(ids[2])), (1, 0, 0));
        // Once an hour is enough.
        world.backend.keep_promises().await.expect("runs");
        let planned = world.backend.unfinished_jobs().await.expect("reads");
        assert_eq!(planned.iter().filter(|job| job.kind == crate::rights::RUN_REQUEST).count(), 1);
    })
    .await;
}
