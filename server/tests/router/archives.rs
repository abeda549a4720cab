//! Downloads of archives: one person, one session, ten minutes; whatever else is asked answers like an archive that is
//! not there (privacy-design X1).

use axum::http::{Method, StatusCode};
use domain::ids::ExportId;
use testkit::each_database;

use crate::world::{Answer, Coach, World};

/// Maya's archive, and where her browser can fetch it.
async fn archive(world: &World) -> (Coach, ExportId, String) {
    let maya = world.coach("Maya", "maya@example.com").await;
    let webinar = world.published(&maya, "Breathing before talking").await;
    world.register(&webinar, "anna@example.net").await;
    let handle = world.handle(&maya).await;
    let id = handle.ask_archive().await.expect("asked");
    world.run_jobs().await;
    let path = handle.archive_link(id).await.expect("a path");
    (maya, id, path)
}

fn is_like_a_missing_one(what: &str, answer: &Answer, missing: &Answer) {
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}");
    assert_eq!(answer.whole(), missing.whole(), "{what}");
}

#[tokio::test]
async fn her_browser_fetches_it_and_nobody_elses() {
    each_database("archives", |test| async move {
        let world = World::new(test);
        let (maya, id, path) = archive(&world).await;
        let tom = world.coach("Tom", "tom@example.org").await;
        let missing = world.get(&path.replace(&id.to_string(), &ExportId::new().to_string())).by(&maya).send().await;
        let before = world.snapshot().await;
        let second = world.sign_in("maya@example.com").await;
        is_like_a_missing_one("a guest", &world.get(&path).send().await, &missing);
        is_like_a_missing_one("another coach", &world.get(&path).by(&tom).send().await, &missing);
        is_like_a_missing_one("her other browser", &world.get(&path).by(&second).send().await, &missing);
        let (bare, _) = path.split_once('?').expect("signed");
        for forged in [
            bare.to_owned(),
            format!("{bare}?e=99999999999&s=AAAA"),
            format!("{path}A"),
            path.replace("?e=", "?e=9"),
            "/privacy/archives/0?e=1&s=A".to_owned(),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let answer = world.ask(method.clone(), &forged).by(&maya).header("range", "bytes=0-9").send().await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{forged}");
                assert!(answer.headers.get("content-range").is_none(), "{forged} tells the length");
            }
        }
        let portal = world.get(&path).header("cookie", "mw_portal=AAAA").send().await;
        is_like_a_missing_one("a session of the portal", &portal, &missing);
        let changes = before.changes_to(&world.snapshot().await);
        assert!(!changes.contains("export_archive") && !changes.contains("mail:"), "{changes}");

        let whole = world.get(&path).by(&maya).send().await;
        assert_eq!(whole.status, StatusCode::OK, "{}", whole.text());
        assert!(whole.body.starts_with(b"PK\x03\x04"));
        assert_eq!(whole.header("content-type"), "application/zip");
        assert!(whole.header("content-disposition").starts_with("attachment; filename=\"mmw-export-"));
        assert_eq!(
            (whole.header("cache-control"), whole.header("referrer-policy")),
            ("no-store".into(), "no-referrer".into())
        );
        let head = world.ask(Method::HEAD, &path).by(&maya).send().await;
        assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, whole.body.len().to_string()));
    })
    .await;
}

#[tokio::test]
async fn nearly_all_of_it_is_a_download_like_all_of_it() {
    each_database("archive nearly all", |test| async move {
        let world = World::new(test);
        let (maya, id, path) = archive(&world).await;
        let nearly = world.get(&path).by(&maya).header("range", "bytes=1-").send().await;
        assert_eq!(nearly.status, StatusCode::PARTIAL_CONTENT);
        world.run_jobs().await;
        let mails = world.mails_to("maya@example.com");
        assert!(mails.iter().any(|mail| mail.subject.contains("was downloaded")), "the owner is told");
        let seen = world.handle(&maya).await.archives().await.expect("reads");
        assert_eq!((seen[0].id, seen[0].downloads), (id, 1));
    })
    .await;
}

#[tokio::test]
async fn a_broken_download_goes_on_and_is_told_once() {
    each_database("archive ranges", |test| async move {
        let world = World::new(test);
        let (maya, id, path) = archive(&world).await;
        let whole = world.get(&path).by(&maya).send().await;
        let etag = whole.header("etag");
        let rest = world.get(&path).by(&maya).header("range", "bytes=100000-").header("if-range", &etag).send().await;
        assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(rest.body, whole.body.slice(100_000..));
        let length = whole.body.len();
        assert_eq!(rest.header("content-range"), format!("bytes 100000-{}/{length}", length - 1));
        let tail = world.get(&path).by(&maya).header("range", "bytes=-22").send().await;
        assert_eq!(tail.body, whole.body.slice(length - 22..));
        let changed =
            world.get(&path).by(&maya).header("range", "bytes=5-").header("if-range", "\"other\"").send().await;
        assert_eq!((changed.status, changed.body.len()), (StatusCode::OK, length));
        let beyond = world.get(&path).by(&maya).header("range", format!("bytes={length}-").as_str()).send().await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);

        world.run_jobs().await;
        let told =
            world.mails_to("maya@example.com").into_iter().filter(|mail| mail.subject.contains("was downloaded"));
        assert_eq!(told.count(), 1, "one path, one letter");
        let seen = world.handle(&maya).await.archives().await.expect("reads");
        assert_eq!((seen[0].id, seen[0].downloads), (id, 1), "going on with it is no new download");

        world.wait(601);
        let late = world.get(&path).by(&maya).in_browser().send().await;
        assert_eq!(late.status, StatusCode::GONE);
        assert!(late.text().contains("ten minutes"));
    })
    .await;
}
