//! Watch beats: honest ones are on disk before they are acknowledged, everything else changes nothing at all
//! (product.md §4.3).

use axum::http::StatusCode;
use domain::ids::{RegistrationId, ViewId};
use domain::watching::WatchMap;
use persistence::Database;
use persistence::entities::{beat, registration, subject, watch_map};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde_json::{Value, json};
use testkit::each_database;

use crate::world::{Answer, Registrant, World};

/// A viewer's beats per minute (quality.md §4).
const PER_MINUTE: u32 = 12;

fn beat_of(view: ViewId, seq: u32, from: f64, to: f64) -> Value {
    json!({ "view": view, "seq": seq, "from": from, "to": to, "rate": 1.0, "hidden": false, "muted": false, "captions": true })
}

async fn send(world: &World, beat: &Value) -> Answer {
    world.post("/api/beats").json(beat).send().await
}

async fn viewer(world: &World) -> Registrant {
    let maya = world.coach("Maya", "maya@example.com").await;
    let webinar = world.published(&maya, "Breathing before talking").await;
    world.register(&webinar, "anna@example.net").await
}

fn registration_of(world: &World, viewer: &Registrant) -> RegistrationId {
    world.backend.room_token_names(viewer.room.trim_start_matches("/r/")).expect("a token of ours")
}

/// A registration and its unique seconds, asked of this connection.
async fn credited(database: &Database, id: RegistrationId, duration: f64) -> (registration::Model, u32, i64) {
    let reader = database.reader();
    let row = registration::Entity::find_by_id(id).one(reader).await.expect("answers").expect("is there");
    let of_hers = watch_map::Column::RegistrationId.eq(id);
    let map = watch_map::Entity::find().filter(of_hers).one(reader).await.expect("answers");
    let unique = map.as_ref().map_or(0, |map| WatchMap::from_stored(duration, &map.seen, &map.again).unique_seconds());
    (row, unique, map.map_or(0, |map| map.total_ms))
}

#[tokio::test]
async fn what_is_acknowledged_can_be_read_by_everybody_else() {
    each_database("durable", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let elsewhere = world.database.another_connection().await;
        let id = registration_of(&world, &anna);
        for seq in 0..3 {
            world.wait(10);
            let from = f64::from(seq) * 10.0;
            let answer = send(&world, &beat_of(props.view.expect("a view"), seq, from, from + 10.0)).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0), "{}", answer.text());
            let (row, unique, total_ms) = credited(&elsewhere, id, props.duration_seconds).await;
            let expected = 10 * (seq + 1);
            assert_eq!((unique, total_ms), (expected, i64::from(expected) * 1000));
            assert_eq!(row.unique_seconds.unsigned_abs(), expected);
            assert!(row.first_played_at.is_some() && row.last_credit_at.is_some());
        }
        // Watched again is played, and not more of the recording seen.
        world.wait(10);
        send(&world, &beat_of(props.view.expect("a view"), 3, 0.0, 10.0)).await;
        // On another device the same registration goes on.
        let props = world.enter(&anna).await;
        assert!((props.resume_seconds - 10.0).abs() < 0.01, "{}", props.resume_seconds);
        world.wait(10);
        send(&world, &beat_of(props.view.expect("a view"), 0, 30.0, 40.0)).await;
        let (_, unique, total_ms) = credited(&elsewhere, id, props.duration_seconds).await;
        assert_eq!((unique, total_ms), (40, 50_000));
        elsewhere.close().await;
    })
    .await;
}

#[tokio::test]
async fn watching_to_the_end_is_attending_to_the_end() {
    each_database("to the end", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let mut from = 0.0;
        for seq in 0.. {
            world.wait(10);
            let to = (from + 10.0_f64).min(props.duration_seconds);
            assert_eq!(
                send(&world, &beat_of(props.view.expect("a view"), seq, from, to)).await.status,
                StatusCode::NO_CONTENT
            );
            from = to;
            if from >= props.duration_seconds {
                break;
            }
        }
        let (row, ..) =
            credited(&world.database.database, registration_of(&world, &anna), props.duration_seconds).await;
        assert_eq!((row.outcome.as_str(), row.percent_milli), ("attended_to_end", 100_000));
    })
    .await;
}

/// `sendBeacon` sends text unless it is told otherwise, and cannot be told when the page is being left.
#[tokio::test]
async fn the_content_type_decides_nothing() {
    each_database("beacon", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        for (seq, content_type) in [(0, "text/plain;charset=UTF-8"), (1, "application/json"), (2, "text/html")] {
            world.wait(10);
            let from = f64::from(seq) * 10.0;
            let body = beat_of(props.view.expect("a view"), seq, from, from + 10.0).to_string();
            let ask = world.post("/api/beats").bytes(body.into()).header("content-type", content_type);
            assert_eq!(ask.send().await.status, StatusCode::NO_CONTENT, "{content_type}");
        }
        let (_, unique, _) =
            credited(&world.database.database, registration_of(&world, &anna), props.duration_seconds).await;
        assert_eq!(unique, 30);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_have_been_played_changes_nothing() {
    each_database("lies", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let before = world.snapshot().await;
        let end = props.duration_seconds;
        let with = |name: &str, value: Value| {
            let mut beat = beat_of(props.view.expect("a view"), 1, 0.0, 2.0);
            beat[name] = value;
            beat.to_string()
        };
        let range = |from: f64, to: f64| beat_of(props.view.expect("a view"), 1, from, to).to_string();
        let lies = [
            range(5.0, 5.0),
            range(5.0, 4.0),
            range(-1.0, 1.0),
            range(0.0, end + 2.0),
            range(end + 0.5, end + 0.9),
            range(end, end + 0.5),
            range(0.0, 1e300),
            with("rate", json!(0.0)),
            with("rate", json!(-1.0)),
            with("rate", json!(4.1)),
            with("rate", json!(1e9)),
            with("rate", Value::Null),
            with("to", json!("2")),
            with("to", json!([2.0])),
            with("seq", json!(-1)),
            with("seq", json!(1.5)),
            with("seq", json!(4_294_967_296_u64)),
            with("view", json!("anna")),
            with("view", json!("")),
            with("registration", json!(registration_of(&world, &anna))),
            range(0.0, 2.0).replace("2.0", "1e400"),
            range(0.0, 2.0).replace("2.0", "NaN"),
            "[]".to_owned(),
            "{}".to_owned(),
            String::new(),
            "\u{0}".to_owned(),
            "[".repeat(4_000),
        ];
        for lie in lies {
            // Not the flood: one a minute.
            world.wait(60);
            let answer = world.post("/api/beats").bytes(lie.clone().into()).send().await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{lie}: {}", answer.text());
            assert!(answer.text().ends_with('.'), "a sentence: {}", answer.text());
            assert_eq!(before.changes_to(&world.snapshot().await), "", "{lie}");
        }
        let long = world.post("/api/beats").bytes(vec![b' '; 5_000].into()).send().await;
        assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(before.changes_to(&world.snapshot().await), "");
    })
    .await;
}

#[tokio::test]
async fn nobody_plays_faster_than_time_passes() {
    each_database("clamp", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let before = world.snapshot().await;
        // All at once, right after opening the room.
        for to in [props.duration_seconds, 60.0, 10.0] {
            let answer = send(&world, &beat_of(props.view.expect("a view"), 0, 0.0, to)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "0 to {to}: {}", answer.text());
        }
        world.wait(10);
        assert_eq!(
            send(&world, &beat_of(props.view.expect("a view"), 0, 0.0, 20.0)).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(before.changes_to(&world.snapshot().await), "");

        // At twice the speed ten seconds are twenty, and after that nothing is left of them.
        let mut double = beat_of(props.view.expect("a view"), 0, 0.0, 20.0);
        double["rate"] = json!(2.0);
        assert_eq!(send(&world, &double).await.status, StatusCode::NO_CONTENT);
        let mut again = beat_of(props.view.expect("a view"), 1, 20.0, 40.0);
        again["rate"] = json!(4.0);
        assert_eq!(send(&world, &again).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let (_, unique, _) =
            credited(&world.database.database, registration_of(&world, &anna), props.duration_seconds).await;
        assert_eq!(unique, 20);
    })
    .await;
}

/// A clock that is set back must not make a beat faster than time, nor a later one slower.
#[tokio::test]
async fn a_clock_set_back_credits_nothing_twice() {
    each_database("clock back", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        world.wait(10);
        assert_eq!(
            send(&world, &beat_of(props.view.expect("a view"), 0, 0.0, 10.0)).await.status,
            StatusCode::NO_CONTENT
        );
        world.wait(-3_600);
        let refused = send(&world, &beat_of(props.view.expect("a view"), 1, 10.0, 20.0)).await;
        assert!(refused.status.is_client_error(), "{}", refused.status);
        let (_, unique, _) =
            credited(&world.database.database, registration_of(&world, &anna), props.duration_seconds).await;
        assert_eq!(unique, 10);
    })
    .await;
}

#[tokio::test]
async fn a_view_nobody_opened_is_not_found() {
    each_database("unknown view", |test| async move {
        let world = World::new(test);
        viewer(&world).await;
        let before = world.snapshot().await;
        let answer = send(&world, &beat_of(ViewId::new(), 0, 0.0, 2.0)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(before.changes_to(&world.snapshot().await), "");
    })
    .await;
}

#[tokio::test]
async fn a_beat_is_credited_to_the_view_it_names_and_to_nobody_else() {
    each_database("foreign view", |test| async move {
        let world = World::new(test);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        let (anna, ben) =
            (world.register(&webinar, "anna@example.net").await, world.register(&webinar, "ben@example.net").await);
        let (hers, his) = (world.enter(&anna).await, world.enter(&ben).await);
        world.wait(10);
        for view in [hers.view.expect("a view"), his.view.expect("a view")] {
            assert_eq!(send(&world, &beat_of(view, 0, 0.0, 10.0)).await.status, StatusCode::NO_CONTENT);
        }
        let before = world.snapshot().await;
        world.wait(10);
        assert_eq!(
            send(&world, &beat_of(hers.view.expect("a view"), 1, 10.0, 20.0)).await.status,
            StatusCode::NO_CONTENT
        );
        let id = registration_of(&world, &ben);
        let marks = [
            id.to_string(),
            id.0.simple().to_string().to_uppercase(),
            his.view.expect("a view").to_string(),
            his.view.expect("a view").0.simple().to_string().to_uppercase(),
        ];
        let lost = before.lost_in(&world.snapshot().await);
        assert!(!lost.is_empty() && !marks.iter().any(|mark| lost.contains(mark)), "{lost}");
    })
    .await;
}

#[tokio::test]
async fn a_beat_sent_again_is_acknowledged_and_changes_nothing() {
    each_database("replay", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        world.wait(20);
        let first = beat_of(props.view.expect("a view"), 7, 0.0, 10.0);
        assert_eq!(send(&world, &first).await.status, StatusCode::NO_CONTENT);
        let before = world.snapshot().await;
        world.wait(10);
        // The same, and another range under the same number.
        for replay in [first, beat_of(props.view.expect("a view"), 7, 50.0, 60.0)] {
            assert_eq!(send(&world, &replay).await.status, StatusCode::NO_CONTENT, "{replay}");
            assert_eq!(before.changes_to(&world.snapshot().await), "", "{replay}");
        }
        // All at once, as after a flaky network comes back.
        world.wait(60);
        let twin = beat_of(props.view.expect("a view"), 8, 10.0, 20.0);
        let answers = futures::future::join_all((0..8).map(|_| send(&world, &twin))).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::NO_CONTENT), "{answers:?}");
        let rows = beat::Entity::find().count(world.database.database.reader()).await.expect("answers");
        assert_eq!(rows, 2);
        let (_, unique, total_ms) =
            credited(&world.database.database, registration_of(&world, &anna), props.duration_seconds).await;
        assert_eq!((unique, total_ms), (20, 20_000));
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_told_when_to_come_back_and_changes_nothing() {
    each_database("beat flood", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let short =
            |seq: u32| beat_of(props.view.expect("a view"), seq, f64::from(seq) * 0.1, f64::from(seq + 1) * 0.1);
        for seq in 0..PER_MINUTE {
            assert_eq!(send(&world, &short(seq)).await.status, StatusCode::NO_CONTENT, "beat {seq}");
        }
        let before = world.snapshot().await;
        let refused = send(&world, &short(PER_MINUTE)).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        let wait: i64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
        world.wait(wait);
        assert_eq!(send(&world, &short(PER_MINUTE)).await.status, StatusCode::NO_CONTENT);
    })
    .await;
}

#[tokio::test]
async fn after_the_link_expired_nothing_is_credited() {
    each_database("beat expired", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        world.wait(8 * 86_400);
        let before = world.snapshot().await;
        let answer = send(&world, &beat_of(props.view.expect("a view"), 0, 0.0, 10.0)).await;
        assert_eq!(answer.status, StatusCode::GONE, "{}", answer.text());
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        let room = world.get(&anna.room).send().await;
        assert_eq!(room.status, StatusCode::OK);
        assert!(crate::world::player_props(&room.text()).is_none(), "an expired link still plays");
    })
    .await;
}

/// Whoever asked that their data rest is answered like everybody else, and nothing is written down.
#[tokio::test]
async fn a_restricted_person_is_not_measured() {
    each_database("restricted", |test| async move {
        let world = World::new(test);
        let anna = viewer(&world).await;
        let props = world.enter(&anna).await;
        let database = &world.database.database;
        let row = subject::Entity::find().one(database.reader()).await.expect("answers").expect("is there");
        let transaction = database.begin().await.expect("begins");
        let mut row: subject::ActiveModel = row.into();
        row.state = Set("restricted".to_owned());
        row.update(&transaction).await.expect("is written");
        transaction.commit().await.expect("commits");

        let before = world.snapshot().await;
        world.wait(10);
        assert_eq!(
            send(&world, &beat_of(props.view.expect("a view"), 0, 0.0, 10.0)).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(before.changes_to(&world.snapshot().await), "");
    })
    .await;
}
