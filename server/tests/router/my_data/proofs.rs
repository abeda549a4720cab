//! Getting in: the same answer for everybody, once, in time, for this purpose, and out again.

use axum::http::StatusCode;
use testkit::each_database;

use super::{ANNA, Two, shown, wish};
use crate::world::{Answer, World, between};

async fn asked(world: &World, email: &str) -> Answer {
    world.post("/my-data").form(&[("email", email)]).in_browser().send().await
}

async fn by_token(world: &World, token: &str) -> Answer {
    world.post("/my-data/prove").form(&[("token", token)]).in_browser().send().await
}

async fn by_code(world: &World, email: &str, code: &str) -> Answer {
    world.post("/my-data/prove").form(&[("email", email), ("code", code)]).in_browser().send().await
}

fn opens(answer: &Answer) -> bool {
    answer.status == StatusCode::SEE_OTHER && answer.header("set-cookie").contains("mw_portal=")
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answer_rows_and_mail() {
    each_database("portal uniform", |test| async move {
        let world = World::new(test);
        Two::tell(&world).await;
        const NOBODY: &str = "abcd@example.net";
        assert_eq!(ANNA.len(), NOBODY.len(), "the answers are compared to the byte");
        // The fourth is one more than an address gets.
        for number in 0..4 {
            let mut told = Vec::new();
            for email in [ANNA, NOBODY] {
                let before = world.snapshot().await;
                let answer = asked(&world, email).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                let after = world.snapshot().await;
                let tables = ["portal_proof", "job", "mail", "portal_session", "keyring.dek", "subject", "dsr_request"];
                let grew = tables.map(|table| after.rows(table) - before.rows(table));
                told.push((answer.whole().replace(email, "ADDRESS"), grew));
            }
            assert_eq!(told[0], told[1], "ask {number}");
        }
        world.run_jobs().await;
        for email in [ANNA, NOBODY] {
            let mails = world.mails_to(email);
            assert_eq!(mails.iter().filter(|mail| mail.subject.contains("open it")).count(), 3, "{email}");
        }
        // What is no address is said to be none, and nothing is made of it.
        let wrong = asked(&world, "anna at example").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("value=\"anna at example\""), "{}", wrong.text());
    })
    .await;
}

#[tokio::test]
async fn a_network_that_asks_too_often_is_told_so() {
    each_database("portal network", |test| async move {
        let world = World::new(test);
        let mut last = None;
        for number in 0..31 {
            last = Some(asked(&world, &format!("person{number}@example.net")).await);
        }
        let last = last.expect("asked");
        assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(!last.header("retry-after").is_empty());
        let elsewhere =
            world.post("/my-data").form(&[("email", ANNA)]).from(([198, 51, 100, 1], 1).into()).send().await;
        assert_eq!(elsewhere.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_link_opens_once_in_time_and_only_the_newest() {
    each_database("portal link", |test| async move {
        let world = World::new(test);
        let unknown = by_token(&world, "AAAA").await;
        assert_eq!(unknown.status, StatusCode::GONE);
        let refused = |answer: &Answer, what: &str| {
            assert_eq!(answer.whole(), unknown.whole(), "{what}");
            assert!(answer.header("set-cookie").is_empty(), "{what}");
        };

        let (token, code) = world.proof(ANNA).await;
        assert!(opens(&by_token(&world, &token).await));
        refused(&by_token(&world, &token).await, "used");
        assert!(!opens(&by_code(&world, ANNA, &code).await), "its code went with it");

        let (older, older_code) = world.proof(ANNA).await;
        let (newer, newer_code) = world.proof("Anna@Example.NET").await;
        refused(&by_token(&world, &older).await, "a newer one was sent");
        assert!(!opens(&by_code(&world, ANNA, &older_code).await));
        // Opening an address is nobody's press: scanners do it.
        let before = world.snapshot().await;
        for path in ["/my-data/prove", &format!("/my-data/prove?token={newer}&email={ANNA}&code={newer_code}")] {
            assert_eq!(world.get(path).in_browser().send().await.status, StatusCode::OK);
        }
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        world.wait(15 * 60 - 30);
        assert!(opens(&by_token(&world, &newer).await), "within a quarter of an hour");

        world.wait(3600);
        let (late, late_code) = world.proof(ANNA).await;
        world.wait(15 * 60 + 1);
        refused(&by_token(&world, &late).await, "too old");
        assert!(!opens(&by_code(&world, ANNA, &late_code).await));
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_good_for_its_purpose_alone() {
    each_database("portal purpose", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let coach = two.maya_id.to_string();
        let fields = [("coach", coach.as_str()), ("step", "address"), ("email", "new@example.net")];
        let asked = world.post("/my-data/correct").by_person(&portal).form(&fields).send().await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
        let (token, code) = world.newest_proof().await;
        assert!(!opens(&by_token(&world, &token).await), "a code for a new address opens nothing");
        assert!(!opens(&by_code(&world, "new@example.net", &code).await));
        assert!(!opens(&by_code(&world, ANNA, &code).await));
        // The mailed token of an account opens nothing here, and a room's neither.
        world.post("/login").form(&[("_form", "request_reset"), ("email", two.maya.email.as_str())]).send().await;
        world.run_jobs().await;
        let mails = world.mails_to(&two.maya.email);
        let reset = mails.iter().find_map(|mail| between(&mail.text, "/reset/new?t=", "\n")).expect("a reset");
        assert!(!opens(&by_token(&world, reset).await));
        // And a proof of the portal opens no account.
        let (token, open_code) = world.proof(ANNA).await;
        let fields = [("_form", "reset_password"), ("token", token.as_str()), ("password", "another quiet lantern")];
        let answer = world.post("/reset/new").form(&fields).send().await;
        assert_ne!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        // Nor does it prove a new address.
        let fields =
            [("coach", coach.as_str()), ("step", "code"), ("email", "new@example.net"), ("code", open_code.as_str())];
        let answer = world.post("/my-data/correct").by_person(&portal).form(&fields).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        assert!(opens(&by_token(&world, &token).await), "it is still good for what it was made for");
    })
    .await;
}

#[tokio::test]
async fn a_code_can_be_mistyped_five_times_and_the_button_still_works() {
    each_database("portal code", |test| async move {
        let world = World::new(test);
        let other = |code: &str| if code == "00000000" { "00000001" } else { "00000000" };
        let (_, code) = world.proof(ANNA).await;
        for _ in 0..4 {
            let answer = by_code(&world, ANNA, other(&code)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text().contains("id=\"code-error\""), "{}", answer.text());
        }
        let spaced = format!("{} {}", &code[..4], &code[4..]);
        assert!(opens(&by_code(&world, "ANNA@example.net", &spaced).await), "the fifth try is the right one");

        let (token, code) = world.proof(ANNA).await;
        let wrong = by_code(&world, ANNA, other(&code)).await;
        for _ in 0..4 {
            by_code(&world, ANNA, other(&code)).await;
        }
        let right = by_code(&world, ANNA, &code).await;
        assert_eq!(right.whole().matches("mw_portal").count(), 0);
        assert_eq!(right.status, wrong.status);
        // An address that never asked is refused in the same words.
        let strange = by_code(&world, "abcd@example.net", &code).await;
        assert_eq!(strange.whole().replace("abcd@", "anna@"), right.whole());
        assert!(opens(&by_token(&world, &token).await), "nobody can lock somebody out by guessing");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_itself_and_by_hand() {
    each_database("portal session", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        world.wait(29 * 60);
        assert!(shown(&world, &portal).await.contains("Breathing before talking"));
        world.wait(2 * 60);
        assert!(!shown(&world, &portal).await.contains("Breathing before talking"));
        let before = world.snapshot().await;
        let late = wish(&world, &portal, &two.maya_id.to_string(), "erase", &[]).await;
        assert_eq!(late.status, StatusCode::UNAUTHORIZED);
        assert!(late.text().contains("nothing was done"), "{}", late.text());
        let page = world.get(&format!("/my-data/erase?coach={}", two.maya_id)).by_person(&portal).send().await;
        assert_eq!(page.header("location"), "/my-data");
        assert_eq!(before.changes_to(&world.snapshot().await), "");

        let portal = world.portal(ANNA).await;
        let left = world.post("/my-data/leave").by_person(&portal).send().await;
        assert!(left.header("set-cookie").contains("Max-Age=0"), "{}", left.header("set-cookie"));
        assert!(!shown(&world, &portal).await.contains("Breathing before talking"));
        // A forged cookie is no session, and a coach's is none either.
        assert!(shown(&world, "AAAA").await.contains("Send me the mail"));
        let coach = world.get("/my-data").by(&two.maya).in_browser().send().await;
        assert!(coach.text().contains("Send me the mail"));
    })
    .await;
}

#[tokio::test]
async fn the_cookie_is_locked_like_a_coachs() {
    each_database("portal cookie", |test| async move {
        let variables = [
            ("MW_BASE_URL", "https://webinars.example"),
            ("MW_MAIL_FROM", "hello@webinars.example"),
            ("MW_CONTACT_EMAIL", "privacy@webinars.example"),
        ];
        let world = World::with(test, &variables);
        let (token, _) = world.proof(ANNA).await;
        let cookie = by_token(&world, &token).await.header("set-cookie");
        assert!(cookie.starts_with("__Host-mw_portal="), "{cookie}");
        for part in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax", "; Max-Age=1800"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let value = between(&cookie, "=", ";").expect("a value");
        let plain = world.get("/my-data").header("cookie", &format!("mw_portal={value}")).send().await;
        assert!(plain.text().contains("Send me the mail"), "a neighbouring host could set the plain name");
        let locked = world.get("/my-data").header("cookie", &format!("__Host-mw_portal={value}")).send().await;
        assert!(locked.text().contains("No coach holds anything"), "{}", locked.text());
    })
    .await;
}

#[tokio::test]
async fn neither_tokens_nor_addresses_can_be_read_from_the_rows() {
    each_database("portal at rest", |test| async move {
        let world = World::new(test);
        let (token, code) = world.proof(ANNA).await;
        let session = world.portal("other@example.net").await;
        let rows = format!("{:?}", world.snapshot().await);
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
        for secret in [token.as_str(), code.as_str(), session.as_str(), ANNA, "other@example.net"] {
            assert!(!rows.contains(secret), "{secret} is stored");
            assert!(!rows.to_uppercase().contains(&hex(secret)), "{secret} is stored as bytes");
        }
        // A proof that was used has no address and no key any more.
        let keys = world.snapshot().await.rows("keyring.dek");
        assert!(opens(&by_token(&world, &token).await));
        assert_eq!(world.snapshot().await.rows("keyring.dek"), keys - 1);
    })
    .await;
}
