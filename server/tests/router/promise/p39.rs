//! "All data over HTTPS/TLS": plain text gets a redirect and nothing else, browsers are told to stay, and a start that
//! would talk to another network in plain text is refused.

use axum::http::StatusCode;
use server::config::{Config, Flags, Variables};
use testkit::each_database;

use crate::world::World;

const PUBLIC: [(&str, &str); 3] = [
    ("MW_BASE_URL", "https://webinars.example"),
    ("MW_MAIL_FROM", "hello@webinars.example"),
    ("MW_CONTACT_EMAIL", "privacy@webinars.example"),
];

#[tokio::test]
async fn plain_text_is_answered_with_a_redirect_alone() {
    each_database("p39", |test| async move {
        let world = World::with(test, &PUBLIC);
        for path in ["/", "/privacy?x=1", "/w/some-page", "/dashboard", "/nothing"] {
            for ask in [world.get(path), world.post(path)] {
                let answer = ask.header("x-forwarded-proto", "http").send().await;
                assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{path}");
                assert_eq!(answer.header("location"), format!("https://webinars.example{path}"));
                assert!(answer.body.is_empty(), "{path}");
                assert!(answer.header("strict-transport-security").starts_with("max-age=6"), "{path}");
            }
            let answer = world.get(path).header("x-forwarded-proto", "https").send().await;
            assert_ne!(answer.status, StatusCode::PERMANENT_REDIRECT, "{path}");
        }
        let health = world.get("/healthz").header("x-forwarded-proto", "http").send().await;
        assert_eq!(health.status, StatusCode::OK, "the machine's own question");
    })
    .await;
}

#[test]
fn a_start_that_would_speak_in_plain_text_is_refused() {
    let read = |name: &str, value: &str| {
        let mut all: Variables = PUBLIC.iter().map(|(name, value)| (name.into(), value.into())).collect();
        all.extend([("AWS_ACCESS_KEY_ID".into(), "k".into()), ("AWS_SECRET_ACCESS_KEY".into(), "s".into())]);
        all.insert(name.into(), value.into());
        Config::from_variables(&Flags::default(), &all).map(drop).map_err(|error| error.to_string())
    };
    for (name, plain, encrypted) in [
        ("MW_DATABASE_URL", "postgres://me@db.far.example/mw", "postgres://me@db.far.example/mw?sslmode=verify-full"),
        (
            "MW_DATABASE_URL",
            "postgres://me@db.far.example/mw?sslmode=prefer",
            "postgres://me@db.far.example/mw?sslmode=require",
        ),
        (
            "MW_KEYRING_URL",
            "postgres://me@db.far.example/k?sslmode=disable",
            "postgres://me@db.far.example/k?sslmode=verify-ca",
        ),
        ("MW_SMTP_URL", "smtp://mail.far.example:25", "smtps://mail.far.example:465"),
        ("MW_SMTP_URL", "smtp://mail.far.example:587?tls=opportunistic", "smtp://mail.far.example:587?tls=required"),
        ("MW_STORAGE_URL", "s3://videos?endpoint=http://s3.far.example", "s3://videos?endpoint=https://s3.far.example"),
    ] {
        let refused = read(name, plain).expect_err(plain);
        assert!(refused.starts_with(name), "{refused}");
        assert_eq!(read(name, encrypted), Ok(()), "{encrypted}");
    }
    // Within the installation's own network nothing passes a stranger.
    assert_eq!(read("MW_STORAGE_URL", "s3://videos?endpoint=http://minio:9000"), Ok(()));
}
