//! Routes for those who run the server: what is there in development alone, what wants a token, and what a monitor is
//! told.

use axum::http::StatusCode;
use testkit::each_database;

use crate::pages::is_secured;
use crate::registering::open_webinar;
use crate::world::World;

#[tokio::test]
async fn without_dev_nothing_under_dev_is_there() {
    each_database("no dev", |test| async move {
        let world = World::with(test, &[]);
        let now = world.moved_seconds();
        for path in ["/dev/mailbox", "/dev/mailbox.json", "/dev/clock", "/dev/kit", "/dev"] {
            let answer = world.get(path).in_browser().send().await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
        }
        let moved = world.post("/dev/clock").json(&serde_json::json!({ "advance_seconds": 3600 })).send().await;
        assert_eq!(moved.status, StatusCode::NOT_FOUND);
        assert_eq!(world.moved_seconds(), now);
    })
    .await;
}

#[tokio::test]
async fn metrics_want_their_token() {
    each_database("metrics", |test| async move {
        let world = World::with(test.clone(), &[("MW_METRICS_TOKEN", "a-long-secret")]);
        let ask = |value: &str| world.get("/metrics").header("authorization", value).send();
        let missing = world.get("/metrics").send().await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        for wrong in
            ["Bearer ", "Bearer a-long-secre", "Bearer a-long-secret2", "a-long-secret", "Basic YTphLWxvbmctc2VjcmV0"]
        {
            assert_eq!(ask(wrong).await.whole(), missing.whole(), "{wrong}");
        }
        let right = ask("Bearer a-long-secret").await;
        assert_eq!(right.status, StatusCode::OK);
        assert!(right.header("content-type").starts_with("text/plain"));

        let closed = World::with(test.clone(), &[]);
        assert_eq!(
            closed.get("/metrics").header("authorization", "Bearer ").send().await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(World::new(test).get("/metrics").send().await.status, StatusCode::OK, "in dev it is open");
    })
    .await;
}

#[tokio::test]
async fn readiness_tells_when_work_is_left_lying() {
    each_database("ready", |test| async move {
        let world = World::with(test, &[]);
        assert_eq!(world.get("/healthz").send().await.text(), "ok\n");
        let ready = world.get("/readyz").send().await;
        assert_eq!(ready.status, StatusCode::OK, "{}", ready.text());
        for part in ["ready", "database", "migrations", "storage", "jobs"] {
            assert_eq!(ready.json()[part], true, "{}", ready.text());
        }
        // A mail nobody sends.
        let (_, webinar) = open_webinar(&world).await;
        world.register(&webinar, "anna@example.net").await;
        world.wait(660);
        let late = world.get("/readyz").send().await;
        assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(late.json()["jobs"], false, "{}", late.text());
        assert_eq!(late.json()["database"], true, "{}", late.text());
        world.run_jobs().await;
        assert_eq!(world.get("/readyz").send().await.status, StatusCode::OK);

        world.backend.db().close().await;
        let down = world.get("/readyz").send().await;
        assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(down.json()["database"], false, "{}", down.text());
        assert_eq!(world.get("/healthz").send().await.status, StatusCode::OK, "the process itself is alive");
        let fault = world.get(&format!("/w/{}", webinar.slug)).in_browser().send().await;
        assert_eq!(fault.status, StatusCode::INTERNAL_SERVER_ERROR);
        is_secured("a fault", &fault);
        let told = fault.text();
        assert!(told.contains("the reference "), "{told}");
        for secret in ["sqlx", "SELECT", "pool", "postgres", "sqlite"] {
            assert!(!told.contains(secret), "{told}");
        }
    })
    .await;
}
