//! Resumable uploads as a tus 1.0 client sees them: what is acknowledged is kept, and nothing that was not.

mod refusals;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ids::UploadId;
use domain::video::MAX_UPLOAD_BYTES;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use testkit::each_database;

use crate::world::{Answer, Coach, SAMPLE, Webinar, World};

const DAY: i64 = 86_400;
/// tus checksum extension.
const CHECKSUM_MISMATCH: u16 = 460;

async fn status_of(world: &World, coach: &Coach, upload: UploadId) -> Answer {
    world.ask(Method::HEAD, &format!("/uploads/{upload}")).by(coach).tus().send().await
}

async fn offset_of(world: &World, coach: &Coach, upload: UploadId) -> usize {
    let answer = status_of(world, coach, upload).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.header("upload-offset").parse().expect("an offset")
}

async fn maya(world: &World) -> (Coach, Webinar) {
    let maya = world.coach("Maya", "maya@example.com").await;
    let draft = world.draft(&maya, "Breathing").await;
    (maya, draft)
}

#[tokio::test]
async fn anybody_may_ask_what_the_server_can_do() {
    each_database("tus options", |test| async move {
        let world = World::new(test);
        let answer = world.ask(Method::OPTIONS, "/uploads").send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for (header, value) in [
            ("tus-resumable", "1.0.0"),
            ("tus-version", "1.0.0"),
            ("tus-extension", "creation,termination,checksum,expiration"),
            ("tus-max-size", &MAX_UPLOAD_BYTES.to_string()),
            ("tus-checksum-algorithm", "sha1,sha256"),
        ] {
            assert_eq!(answer.header(header), value, "{header}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_recording_arrives_in_pieces_and_plays_byte_for_byte() {
    each_database("tus pieces", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let begun = status_of(&world, &maya, upload).await;
        assert_eq!((begun.header("upload-offset").as_str(), begun.header("cache-control").as_str()), ("0", "no-store"));
        assert_eq!(begun.header("upload-length"), SAMPLE.len().to_string());
        assert!(begun.header("upload-expires").ends_with("GMT"), "{:?}", begun.headers);

        let cuts = [0, 1, 5_000, 1_000_000, SAMPLE.len()];
        for piece in cuts.windows(2) {
            let answer = world.piece(upload, piece[0], &SAMPLE[piece[0]..piece[1]]).by(&maya).send().await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
            assert_eq!(answer.header("upload-offset"), piece[1].to_string());
            assert_eq!(offset_of(&world, &maya, upload).await, piece[1]);
        }
        let view = world.handle(&maya).await.webinar(draft.id).await.expect("hers");
        let video = view.video.expect("the upload became a recording");
        assert_eq!((video.version, video.file_name.as_str()), (1, "talk.mp4"));
        let played = world.get(&video.media_url).send().await;
        assert!(played.body == SAMPLE, "{} bytes came back, {} went in", played.body.len(), SAMPLE.len());
    })
    .await;
}

#[tokio::test]
async fn a_piece_for_another_place_is_a_conflict_and_changes_nothing() {
    each_database("tus offset", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        world.piece(upload, 0, &SAMPLE[..50_000]).by(&maya).send().await;
        let before = (world.snapshot().await, world.objects().await);
        for offset in [0, 49_999, 50_001, SAMPLE.len()] {
            let answer = world.piece(upload, offset, &SAMPLE[50_000..60_000]).by(&maya).send().await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "offset {offset}");
            assert_eq!(answer.header("tus-resumable"), "1.0.0");
        }
        for offset in ["-1", "x", ""] {
            let ask = world.piece(upload, 0, &SAMPLE[50_000..60_000]).by(&maya).header("upload-offset", offset);
            assert_eq!(ask.send().await.status, StatusCode::BAD_REQUEST, "offset “{offset}”");
        }
        assert_eq!(before, (world.snapshot().await, world.objects().await));
        assert_eq!(
            world.piece(upload, 50_000, &SAMPLE[50_000..]).by(&maya).send().await.status,
            StatusCode::NO_CONTENT
        );
        // What is whole takes nothing more, wherever it is said to belong.
        for offset in [0, SAMPLE.len()] {
            let answer = world.piece(upload, offset, Bytes::from_static(b"more")).by(&maya).send().await;
            assert_eq!(answer.status, StatusCode::CONFLICT);
        }
    })
    .await;
}

/// Some networks let GET and POST through and nothing else.
#[tokio::test]
async fn a_post_may_stand_for_another_method() {
    each_database("tus override", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let path = format!("/uploads/{upload}");
        let meant = |method: &str| world.post(&path).tus().by(&maya).header("x-http-method-override", method);
        let piece = meant("PATCH").header("content-type", "application/offset+octet-stream");
        let answer = piece.header("upload-offset", "0").bytes(Bytes::from_static(&SAMPLE[..50_000])).send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.header("upload-offset"), "50000");
        assert_eq!(meant("HEAD").send().await.header("upload-offset"), "50000");
        for other in ["GET", "PUT", "patch", ""] {
            assert_eq!(meant(other).send().await.status, StatusCode::METHOD_NOT_ALLOWED, "“{other}”");
        }
        assert_eq!(meant("DELETE").send().await.status, StatusCode::NO_CONTENT);
        assert_eq!(meant("HEAD").send().await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_piece_is_refused_and_not_kept() {
    each_database("tus checksum", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let (first, second) = (&SAMPLE[..40_000], &SAMPLE[40_000..90_000]);
        let sum = |name: &str, sum: &[u8]| format!("{name} {}", STANDARD.encode(sum));
        let right = [sum("sha1", &Sha1::digest(first)), sum("sha256", &Sha256::digest(second))];

        for wrong in [sum("sha1", &Sha1::digest(second)), sum("sha256", &Sha256::digest(second))] {
            let answer = world.piece(upload, 0, first).by(&maya).header("upload-checksum", &wrong).send().await;
            assert_eq!(answer.status.as_u16(), CHECKSUM_MISMATCH, "{wrong}");
            assert!(answer.text().ends_with('.'), "a sentence: {}", answer.text());
            assert_eq!(offset_of(&world, &maya, upload).await, 0);
        }
        for unknown in ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1", "sha1 AAAA", "sha256 !"] {
            let answer = world.piece(upload, 0, first).by(&maya).header("upload-checksum", unknown).send().await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{unknown}");
        }
        for ((offset, piece), checksum) in [(0, first), (40_000, second)].into_iter().zip(&right) {
            let answer = world.piece(upload, offset, piece).by(&maya).header("upload-checksum", checksum).send().await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{checksum}: {}", answer.text());
        }
        assert_eq!(offset_of(&world, &maya, upload).await, 90_000);
    })
    .await;
}

#[tokio::test]
async fn an_upload_nobody_goes_on_with_is_gone_after_a_week() {
    each_database("tus expiry", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let left = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let used = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        for upload in [left, used] {
            world.piece(upload, 0, &SAMPLE[..50_000]).by(&maya).send().await;
        }
        world.wait(6 * DAY);
        assert_eq!(world.piece(used, 50_000, &SAMPLE[50_000..60_000]).by(&maya).send().await.status, 204);
        world.wait(2 * DAY);
        assert_eq!(offset_of(&world, &maya, used).await, 60_000, "going on with it gave it another week");

        let gone = [
            world.ask(Method::HEAD, &format!("/uploads/{left}")).tus(),
            world.ask(Method::DELETE, &format!("/uploads/{left}")).tus(),
            world.piece(left, 50_000, &SAMPLE[50_000..60_000]),
        ];
        for ask in gone {
            assert_eq!(ask.by(&maya).send().await.status, StatusCode::GONE);
        }
        let objects = world.objects().await.len();
        world.backend.plan_periodic().await.expect("planned");
        world.backend.move_clock(world.backend.now().plus_seconds(7_200)).await.expect("the sweep runs");
        assert_eq!(world.objects().await.len(), objects - 1, "its bytes are still there");
        assert_eq!(status_of(&world, &maya, left).await.status, StatusCode::GONE);
        assert_eq!(offset_of(&world, &maya, used).await, 60_000);
    })
    .await;
}

#[tokio::test]
async fn an_upload_given_up_leaves_nothing() {
    each_database("tus delete", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        world.piece(upload, 0, &SAMPLE[..50_000]).by(&maya).send().await;
        assert_eq!(world.objects().await.len(), 1);
        let delete = || world.ask(Method::DELETE, &format!("/uploads/{upload}")).by(&maya).tus().send();
        assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
        assert!(world.objects().await.is_empty());
        assert_eq!(status_of(&world, &maya, upload).await.status, StatusCode::GONE);
        assert_eq!(delete().await.status, StatusCode::GONE, "twice");

        // A recording is not removed by giving its upload up.
        let whole = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        world.piece(whole, 0, SAMPLE).by(&maya).send().await;
        let answer = world.ask(Method::DELETE, &format!("/uploads/{whole}")).by(&maya).tus().send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(world.handle(&maya).await.webinar(draft.id).await.expect("hers").video.is_some());
    })
    .await;
}

#[tokio::test]
async fn when_the_connection_breaks_what_arrived_is_kept() {
    each_database("tus broken", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let broken = |from: usize, to: usize| {
            let arrives = Ok(Bytes::from_static(&SAMPLE[from..to]));
            Body::from_stream(futures::stream::iter([arrives, Err(std::io::Error::other("the cable was pulled"))]))
        };
        world.piece(upload, 0, Bytes::new()).by(&maya).body(broken(0, 700_000)).send().await;
        assert_eq!(offset_of(&world, &maya, upload).await, 700_000);

        // A piece with a checksum counts as a whole or not at all.
        let checksum = format!("sha1 {}", STANDARD.encode(Sha1::digest(&SAMPLE[700_000..])));
        let ask = world.piece(upload, 700_000, Bytes::new()).by(&maya).header("upload-checksum", &checksum);
        ask.body(broken(700_000, 900_000)).send().await;
        assert_eq!(offset_of(&world, &maya, upload).await, 700_000);

        let rest = world.piece(upload, 700_000, &SAMPLE[700_000..]).by(&maya).header("upload-checksum", &checksum);
        assert_eq!(rest.send().await.status, StatusCode::NO_CONTENT);
        let video = world.handle(&maya).await.webinar(draft.id).await.expect("hers").video.expect("whole");
        assert!(world.get(&video.media_url).send().await.body == SAMPLE);
    })
    .await;
}

#[tokio::test]
async fn two_connections_sending_the_same_piece_write_it_once() {
    each_database("tus twins", |test| async move {
        let world = World::new(test);
        let (maya, draft) = maya(&world).await;
        let upload = world.begin_upload(&maya, draft.id, SAMPLE.len()).await;
        let send = || world.piece(upload, 0, &SAMPLE[..300_000]).by(&maya).send();
        let (one, two) = tokio::join!(send(), send());
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        assert_eq!(offset_of(&world, &maya, upload).await, 300_000);
    })
    .await;
}
