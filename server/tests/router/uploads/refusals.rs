//! Uploads that are refused: each with its status, in a sentence, and without leaving anything behind.

use axum::http::{Method, StatusCode};
use backend::config::DEFAULT_QUOTA_BYTES;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ids::UploadId;
use domain::video::MAX_UPLOAD_BYTES;
use testkit::each_database;

use super::{DAY, maya, offset_of};
use crate::world::{Ask, SAMPLE, World};

fn create(world: &World, length: &str) -> Ask {
    world.post("/uploads").tus().header("upload-length", length)
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_a_way_out() {
    each_database("tus size", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let before = world.snapshot().await.without(&["rate_limit"]);
        for (length, status, word) in [
            ((MAX_UPLOAD_BYTES + 1).to_string(), 413, "10.7 GB"),
            (u64::MAX.to_string(), 413, "10.7 GB"),
            ("0".to_owned(), 422, "empty"),
            ("many".to_owned(), 400, "whole number"),
            ("-5".to_owned(), 400, "whole number"),
        ] {
            let answer = create(&world, &length).by(&maya).send().await;
            assert_eq!(answer.status.as_u16(), status, "{length}");
            assert!(answer.text().contains(word), "{length}: {}", answer.text());
        }
        let deferred = create(&world, "5").header("upload-defer-length", "1").by(&maya).send().await;
        assert_eq!(deferred.status, StatusCode::BAD_REQUEST);
        assert_eq!(before.changes_to(&world.snapshot().await.without(&["rate_limit"])), "");

        // Announced bytes count before they arrive.
        let fits = DEFAULT_QUOTA_BYTES.unsigned_abs() / MAX_UPLOAD_BYTES;
        for _ in 0..fits {
            world.begin_upload(&maya, draft.id, usize::try_from(MAX_UPLOAD_BYTES).expect("64 bits")).await;
        }
        let rest = DEFAULT_QUOTA_BYTES.unsigned_abs() % MAX_UPLOAD_BYTES;
        world.begin_upload(&maya, draft.id, usize::try_from(rest).expect("64 bits")).await;
        let full = create(&world, "1").by(&maya).send().await;
        assert_eq!(full.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(full.text().contains("left"), "{}", full.text());
    })
    .await;
}

#[tokio::test]
async fn more_bytes_than_announced_are_refused_and_not_kept() {
    each_database("tus surplus", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, 100_000).await;
        world.piece(upload, 0, &SAMPLE[..50_000]).by(&maya).send().await;
        let answer = world.piece(upload, 50_000, &SAMPLE[50_000..100_001]).by(&maya).send().await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text());
        assert_eq!(offset_of(&world, &maya, upload).await, 50_000);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_recording_is_refused_by_its_first_bytes() {
    each_database("tus kind", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let impostors: [(&str, &[u8]); 5] = [
            ("a page", b"<!doctype html><script>alert(1)</script>"),
            ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            ("a document", b"%PDF-1.7\n"),
            ("a program", b"\x7fELF\x02\x01\x01"),
            ("nothing in particular", b"once upon a time"),
        ];
        for (what, head) in impostors {
            let mut bytes = head.to_vec();
            bytes.resize(20_000, b' ');
            let upload = world.begin_upload(&maya, draft.id, bytes.len()).await;
            let answer = world.piece(upload, 0, bytes).by(&maya).send().await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{what}: {}", answer.text());
            assert!(answer.text().len() > 20 && answer.text().ends_with('.'), "a sentence: {}", answer.text());
            let later = world.piece(upload, 0, &SAMPLE[..20_000]).by(&maya).send().await;
            assert_eq!((later.status, later.text()), (StatusCode::GONE, answer.text()), "{what}");
        }
        // It begins like a recording and is none: that shows once all of it is there.
        let mut bytes = SAMPLE[..32].to_vec();
        bytes.resize(20_000, 0);
        let upload = world.begin_upload(&maya, draft.id, bytes.len()).await;
        let answer = world.piece(upload, 0, bytes).by(&maya).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        assert!(answer.text().ends_with('.'), "a sentence: {}", answer.text());

        assert!(world.objects().await.is_empty(), "{:?}", world.objects().await);
        assert!(world.handle(&maya).await.webinar(draft.id).await.expect("hers").video.is_none());
    })
    .await;
}

#[tokio::test]
async fn unknown_malformed_and_foreign_uploads_answer_alike() {
    each_database("tus foreign", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let tom = world.coach("Tom", "tom@example.org").await;
        let hers = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        for method in [Method::HEAD, Method::PATCH, Method::DELETE] {
            let mut answers = Vec::new();
            for id in [hers.to_string(), UploadId::new().to_string(), "1".to_owned()] {
                let ask = world.ask(method.clone(), &format!("/uploads/{id}")).by(&tom).tus();
                let ask = ask.header("content-type", "application/offset+octet-stream").header("upload-offset", "0");
                answers.push(ask.bytes(Bytes::from_static(&SAMPLE[..100])).send().await.whole());
            }
            assert!(answers[0].starts_with("404"), "{method}: {}", answers[0]);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{method}: {answers:?}");
        }
        assert_eq!(offset_of(&world, &maya, hers).await, 0);
        let nobody = world.ask(Method::HEAD, &format!("/uploads/{hers}")).tus().send().await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn an_upload_token_works_for_its_one_webinar_and_a_day() {
    each_database("tus token", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let other = world.draft(&maya, "Not in the token").await;
        let others_upload = world.begin_upload(&maya, other.id, SAMPLE.len()).await;
        let token = world.handle(&maya).await.upload_token(draft.id).await.expect("hers");
        let bearer = format!("Bearer {token}");
        let with_token = |ask: Ask| ask.header("authorization", &bearer);

        let created = with_token(create(&world, &SAMPLE.len().to_string())).send().await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
        let place = created.header("location");
        let upload: UploadId = place.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        let elsewhere = format!("webinar {}", STANDARD.encode(other.id.to_string()));
        let refused = with_token(create(&world, "1000")).header("upload-metadata", &elsewhere).send().await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);

        // Her other uploads are none of its business either.
        let foreign = [
            world.ask(Method::HEAD, &format!("/uploads/{others_upload}")).tus(),
            world.piece(others_upload, 0, &SAMPLE[..10_000]),
            world.ask(Method::DELETE, &format!("/uploads/{others_upload}")).tus(),
        ];
        for ask in foreign {
            assert_eq!(with_token(ask).send().await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(offset_of(&world, &maya, others_upload).await, 0);

        let half = SAMPLE.len() / 2;
        assert_eq!(with_token(world.piece(upload, 0, &SAMPLE[..half])).send().await.status, StatusCode::NO_CONTENT);
        // Nothing but uploads opens to it.
        assert_eq!(with_token(world.get("/dashboard")).send().await.header("location"), "/login");
        for forged in ["Bearer AAAA", &bearer[..bearer.len() - 2], "Bearer ", "Basic bWF5YTo="] {
            let ask = world.piece(upload, half, &SAMPLE[half..]).header("authorization", forged);
            assert_eq!(ask.send().await.status, StatusCode::UNAUTHORIZED, "{forged}");
        }
        world.wait(DAY + 1);
        assert_eq!(
            with_token(world.piece(upload, half, &SAMPLE[half..])).send().await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(world.piece(upload, half, &SAMPLE[half..]).by(&maya).send().await.status, StatusCode::NO_CONTENT);
        assert!(world.handle(&maya).await.webinar(draft.id).await.expect("hers").video.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_uploads_is_told_when_to_come_back() {
    each_database("tus flood", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let mut last = UploadId::new();
        for _ in 0..20 {
            last = world.begin_upload(&maya, draft.id, 1_000).await;
        }
        let answer = create(&world, "1000").by(&maya).send().await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: i64 = answer.header("retry-after").parse().expect("seconds");
        world.ask(Method::DELETE, &format!("/uploads/{last}")).by(&maya).tus().send().await;
        world.wait(wait);
        assert_eq!(create(&world, "1000").by(&maya).send().await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn another_version_of_tus_and_another_content_type_are_refused() {
    each_database("tus version", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let place = format!("/uploads/{upload}");
        let asks = [
            world.post("/uploads").header("upload-length", "5"),
            world.ask(Method::DELETE, &place),
            world.piece(upload, 0, &SAMPLE[..100]).header("tus-resumable", "0.2.2"),
        ];
        for ask in asks {
            let answer = ask.by(&maya).send().await;
            assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
            assert_eq!(answer.header("tus-version"), "1.0.0");
        }
        let ask = world.piece(upload, 0, &SAMPLE[..100]).by(&maya).header("content-type", "video/mp4");
        assert_eq!(ask.send().await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(offset_of(&world, &maya, upload).await, 0);
    })
    .await;
}
