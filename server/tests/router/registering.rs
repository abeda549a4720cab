//! Registering, and opening an account: what is pressed twice is done once, what is refused is kept as it was typed,
//! and whoever knows an address learns nothing from it.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use persistence::entities::registration;
use sea_orm::{EntityTrait, PaginatorTrait};
use testkit::each_database;

use crate::world::{Coach, Webinar, World, between};

async fn registrations(world: &World) -> u64 {
    registration::Entity::find().count(world.database.database.reader()).await.expect("answers")
}

/// A coach and her published webinar.
pub async fn open_webinar(world: &World) -> (Coach, Webinar) {
    let maya = world.coach("Maya", "maya@example.com").await;
    let webinar = world.published(&maya, "Breathing before talking").await;
    (maya, webinar)
}

#[tokio::test]
async fn registering_twice_keeps_one_booking_and_shows_the_link_once() {
    each_database("twice", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let page = format!("/w/{}", webinar.slug);
        let form = world.filled_form(&webinar, "anna@example.net").await;
        let shown = world.post(&page).form(&form).send().await.text();
        let anna = format!("/r/{}", between(&shown, "href=\"/r/", "\"").expect("the way in"));
        // The same press, as an impatient finger sends it.
        assert!(world.post(&page).form(&form).send().await.text().contains(&anna));
        // Somebody else with a form of their own, in the same minute and later.
        for pause in [0, 120] {
            world.wait(pause);
            let form = world.filled_form(&webinar, "Anna@Example.NET").await;
            let answer = world.post(&page).form(&form).send().await;
            assert_eq!(answer.status, StatusCode::OK);
            assert!(!answer.text().contains("/r/"), "whoever knows an address gets its room: {}", answer.text());
        }
        assert_eq!(registrations(&world).await, 1);
        let rows = world.snapshot().await;
        assert_eq!((rows.rows("subject"), rows.rows("consent")), (1, 1));

        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        // The same room by a token of its own, which takes the mailbox to know.
        let id = world.backend.room_token_names(anna.trim_start_matches("/r/")).expect("a token of ours");
        let mailed = world.backend.room_path(id, 1);
        assert!(!mails.is_empty() && mails.iter().all(|mail| mail.text.contains(&mailed)), "{mails:?}");
        assert!(mailed != anna && mails.iter().all(|mail| !mail.text.contains(&anna)), "{mails:?}");
    })
    .await;
}

/// What is on record is what was read: a form that showed another wording is asked to be read again.
#[tokio::test]
async fn nobody_agrees_to_a_wording_they_have_not_seen() {
    each_database("wording", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = open_webinar(&world).await;
        let page = format!("/w/{}", webinar.slug);
        let form = world.filled_form(&webinar, "anna@example.net").await;
        let handle = world.handle(&maya).await;
        let view = handle.webinar(webinar.id).await.expect("it is hers");
        let wording = "I agree that Maya runs this webinar, sees that I watched it, and writes to me about it.";
        let changed = domain::webinar::WebinarForm { consent_text: wording.to_owned(), ..view.form };
        handle.save_webinar(webinar.id, view.revision, changed).await.expect("is saved");
        let answer = world.post(&page).form(&form).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains(wording) && answer.text().contains("anna@example.net"), "{}", answer.text());
        assert_eq!(registrations(&world).await, 0);
        let again = world.filled_form(&webinar, "anna@example.net").await;
        assert!(world.post(&page).form(&again).send().await.text().contains("/r/"));
    })
    .await;
}

#[tokio::test]
async fn registering_many_times_at_once_keeps_one_booking() {
    each_database("at once", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let form = world.filled_form(&webinar, "anna@example.net").await;
        let page = format!("/w/{}", webinar.slug);
        let answers = futures::future::join_all((0..10).map(|_| world.post(&page).form(&form).send())).await;
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
        let rooms: BTreeSet<_> = answers
            .iter()
            .filter_map(|answer| between(&answer.text(), "href=\"/r/", "\"").map(str::to_owned))
            .collect();
        assert_eq!(rooms.len(), 1, "{rooms:?}");
        assert_eq!(registrations(&world).await, 1);
        let rows = world.snapshot().await;
        // A key nobody uses is destroyed, or an erasure would leave it behind.
        let counts = ["subject", "consent", "session", "mail", "keyring.dek"].map(|table| rows.rows(table));
        // The confirmation, and on record that three reminders have nothing to remind of.
        assert_eq!(counts, [1, 1, 1, 4, 1]);
        world.run_jobs().await;
        assert_eq!(world.mails_to("anna@example.net").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_form_that_is_refused_comes_back_as_it_was_typed_and_keeps_nothing() {
    each_database("refused form", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let page = format!("/w/{}", webinar.slug);
        let good = world.filled_form(&webinar, "anna@example.net").await;
        let changed = |name: &'static str, value: &str| -> Vec<(&str, String)> {
            let fields = good.iter().filter(|(field, _)| *field != name).cloned();
            fields.chain((!value.is_empty()).then(|| (name, value.to_owned()))).collect()
        };
        let before = world.snapshot().await.without(&["page_view", "rate_limit"]);
        for (name, value) in [
            ("email", "anna at home"),
            ("email", "anna@example.net\r\nBcc: x@y.z"),
            ("consent", ""),
            ("form_stamp", ""),
            ("form_stamp", "AAAA"),
        ] {
            let answer = world.post(&page).form(&changed(name, value)).send().await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {value}");
            let typed = if name == "email" { "anna at home" } else { "anna@example.net" };
            assert!(answer.text().contains(typed) || value.contains('\n'), "{name}: what was typed is lost");
        }
        // A machine fills what people do not see, and learns nothing from the answer.
        let caught = world.post(&page).form(&changed("website", "https://spam.example")).send().await;
        assert_eq!(caught.status, StatusCode::OK);
        let room = format!("/r/{}", between(&caught.text(), "href=\"/r/", "\"").expect("a way in"));
        assert_eq!(world.get(&room).send().await.status, StatusCode::NOT_FOUND);
        assert_eq!(before.changes_to(&world.snapshot().await.without(&["page_view", "rate_limit"])), "");
        assert_eq!(world.post(&page).form(&good).send().await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_registrations_from_one_network_stops_nobody_else() {
    each_database("registration flood", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let page = format!("/w/{}", webinar.slug);
        let form = world.filled_form(&webinar, "").await;
        let sent = |number: usize| {
            let email = format!("guest{number}@example.net");
            let form: Vec<_> =
                form.iter().map(|(name, value)| (*name, if *name == "email" { &email } else { value })).collect();
            world.post(&page).form(&form)
        };
        // Fifty at once; on a slow machine the time this takes allows one or two more.
        let mut taken = 0;
        let refused = loop {
            let answer = sent(taken).in_browser().send().await;
            if answer.status != StatusCode::OK {
                break answer;
            }
            taken += 1;
            assert!(taken < 60, "nothing stops it");
        };
        assert!(taken >= 50, "stopped after {taken}");
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.text().contains(&format!("guest{taken}@example.net")), "what was typed is lost");
        let wait: i64 = refused.header("retry-after").parse().expect("seconds");
        // A header anybody can send makes no other network of it; a neighbour in the same one is held up as well.
        let forged = sent(taken).header("x-forwarded-for", "198.51.100.9").send().await;
        assert_eq!(forged.status, StatusCode::TOO_MANY_REQUESTS);
        let from = |address: &str| sent(taken).from(address.parse().expect("an address")).send();
        assert_eq!(from("203.0.113.200:1").await.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(from("198.51.100.9:1").await.status, StatusCode::OK);
        world.wait(wait);
        assert_eq!(sent(taken + 1).send().await.status, StatusCode::OK);
        assert_eq!(registrations(&world).await, taken as u64 + 2);
    })
    .await;
}

#[tokio::test]
async fn a_coach_opens_an_account_by_mail_and_signs_in() {
    each_database("sign up", |test| async move {
        let world = World::new(test);
        let password = "slow-heron-orchard";
        let fields = [
            ("_form", "sign_up"),
            ("name", "Maya"),
            ("email", "maya@example.com"),
            ("password", password),
            ("age_ok", "on"),
            ("terms", "on"),
        ];
        let answer = world.post("/signup").form(&fields).send().await;
        assert_eq!(answer.header("location"), "/signup?sent=1", "{}", answer.text());
        world.run_jobs().await;
        let mails = world.mails_to("maya@example.com");
        let link = between(&mails[0].text, "http://127.0.0.1:3000", "\n").expect("a link").trim().to_owned();
        let token = link.split_once("t=").expect("a token").1.to_owned();

        // Scanners open links: only the press counts.
        let before = world.snapshot().await;
        assert_eq!(world.get(&link).in_browser().send().await.status, StatusCode::OK);
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        let press = || world.post("/confirm").form(&[("_form", "confirm_email"), ("token", token.as_str())]).send();
        assert_eq!(press().await.header("location"), "/confirm?ok=1");
        assert_eq!(press().await.status, StatusCode::GONE, "a token works once");

        let sign_in = |password: &str| {
            world
                .post("/login")
                .form(&[("_form", "sign_in"), ("email", "maya@example.com"), ("password", password)])
                .send()
        };
        let wrong = sign_in("slow-heron-orchards").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.headers.get("set-cookie").is_none() && !wrong.text().contains("slow-heron"));
        let right = sign_in(password).await;
        assert_eq!(right.header("location"), "/dashboard");
        let cookie = right.header("set-cookie");
        let session = between(&cookie, "=", ";").expect("a value").to_owned();
        let maya = Coach { email: "maya@example.com".to_owned(), session };
        assert_eq!(world.get("/dashboard").by(&maya).send().await.status, StatusCode::OK);

        let out = world.post("/dashboard/account").by(&maya).form(&[("_form", "sign_out")]).send().await;
        assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
        assert_eq!(
            world.get("/dashboard").by(&maya).send().await.header("location"),
            "/login",
            "the old cookie still works"
        );
    })
    .await;
}
