//! What other servers tell us: signed, or it was never said.

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use persistence::entities::mail;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::Sha256;
use testkit::each_database;

use crate::world::World;

const SECRET: &str = "a secret of sixteen and more";

fn signed(at: i64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    let mac = mac.chain_update(format!("{at}.").as_bytes()).chain_update(body);
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn mail_that_came_back_is_taken_from_whoever_knows_the_secret() {
    each_database("returned", |test| async move {
        let settings = [("MW_BOUNCE_MAILBOX", "bounces@mail.example"), ("MW_BOUNCE_SECRET", SECRET)];
        let world = World::with(test, &settings);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        world.register(&webinar, "anna@example.net").await;
        world.run_jobs().await;
        let now = world.backend.now().unix_seconds();
        let post = |signature: String, body: Vec<u8>| {
            world.post("/hooks/mail").header("x-signature", &signature).bytes(body.into()).send()
        };
        let junk = b"Subject: hello\r\n\r\nNot a report.".to_vec();
        for wrong in [String::new(), signed(now, b"another body"), signed(now - 301, &junk)] {
            assert_eq!(post(wrong, junk.clone()).await.status, StatusCode::UNAUTHORIZED);
        }
        let answer = post(signed(now, &junk), junk.clone()).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "ignored\n"));
        let huge = vec![b'a'; 1024 * 1024 + 1];
        assert_eq!(post(signed(now, &huge), huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
        let find = mail::Entity::find().filter(mail::Column::State.eq("failed"));
        assert!(find.all(world.database.database.reader()).await.expect("reads").is_empty());
    })
    .await;
}

#[tokio::test]
async fn without_a_mailbox_for_it_there_is_no_such_door() {
    each_database("no returned", |test| async move {
        let world = World::new(test);
        let now = world.backend.now().unix_seconds();
        let answer = world.post("/hooks/mail").header("x-signature", &signed(now, b"x")).bytes("x".into()).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    })
    .await;
}
