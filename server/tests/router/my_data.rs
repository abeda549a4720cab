//! The viewers' portal as its callers meet it: uniform answers, a proof that works once, a session that ends, one coach
//! at a time, and nobody else's anything (privacy-design §4: A5, X1, X3, X14).

mod proofs;
mod rights;

use axum::http::StatusCode;
use domain::ids::CoachId;
use testkit::each_database;

use crate::world::{Answer, Coach, Webinar, World, between};

pub(super) const ANNA: &str = "anna@example.net";
pub(super) const BEN: &str = "ben@example.net";

/// Two coaches with a webinar each, at both of which Anna is registered; Ben is at the second alone.
pub(super) struct Two {
    pub(super) maya: Coach,
    pub(super) maya_id: CoachId,
    pub(super) her_webinar: Webinar,
    pub(super) tom: Coach,
    pub(super) tom_id: CoachId,
}

impl Two {
    pub(super) async fn tell(world: &World) -> Self {
        let maya = world.coach("Maya", "maya@example.com").await;
        let tom = world.coach("Tom", "tom@example.org").await;
        let her_webinar = world.published(&maya, "Breathing before talking").await;
        let his_webinar = world.published(&tom, "Toms own hour").await;
        world.register(&her_webinar, ANNA).await;
        world.register(&his_webinar, ANNA).await;
        world.register(&his_webinar, BEN).await;
        world.run_jobs().await;
        let (maya_id, tom_id) = (world.handle(&maya).await.id(), world.handle(&tom).await.id());
        Self { maya, maya_id, her_webinar, tom, tom_id }
    }
}

/// One wish at one coach, with more fields where it has some.
pub(super) async fn wish(world: &World, portal: &str, coach: &str, wish: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("wish", wish), ("coach", coach)];
    fields.extend(more);
    world.post("/my-data/act").by_person(portal).form(&fields).in_browser().send().await
}

/// A wish that is done.
pub(super) async fn done(world: &World, portal: &str, coach: &str, what: &str, more: &[(&str, &str)]) {
    let answer = wish(world, portal, coach, what, more).await;
    assert_eq!(answer.header("location"), format!("/my-data?done={what}"), "{} {}", answer.status, answer.text());
}

/// The person's page.
pub(super) async fn shown(world: &World, portal: &str) -> String {
    let answer = world.get("/my-data").by_person(portal).in_browser().send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.text()
}

/// Lines of the rows that were lost or changed and name a coach.
pub(super) fn of_coach(changes: &str, coach: CoachId) -> Vec<&str> {
    // PostgreSQL writes ids with hyphens, SQLite as bytes.
    let ids = [coach.to_string(), coach.0.simple().to_string().to_uppercase()];
    changes.lines().filter(|line| ids.iter().any(|id| line.contains(id))).collect()
}

#[tokio::test]
async fn every_page_and_mail_is_private_and_says_where_to_complain() {
    each_database("portal pages", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let pages = [
            "/my-data".to_owned(),
            "/my-data/prove".to_owned(),
            format!("/my-data/erase?coach={}", two.maya_id),
            "/my-data/erase?coach=all".to_owned(),
            format!("/my-data/correct?coach={}", two.maya_id),
        ];
        for path in &pages {
            let answer = world.get(path).by_person(&portal).in_browser().send().await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
            let page = answer.text();
            assert!(page.contains("https://www.cnil.fr") && page.contains("/privacy/complain"), "{path}");
            assert!(page.contains("content=\"noindex\""), "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            let scripts = page.matches("<script").count();
            assert_eq!(scripts, usize::from(path.ends_with("prove")), "{path}");
        }
        world.proof(ANNA).await;
        world.run_jobs().await;
        let mails = world.mails_to(ANNA);
        let mail = mails.iter().find(|mail| mail.subject.contains("open it")).expect("the proof");
        assert!(mail.text.contains("https://www.cnil.fr") && mail.text.contains("/privacy/complain"), "{}", mail.text);
        let link = between(&mail.text, "/my-data/prove", "\n").expect("the link");
        assert!(link.starts_with('#'), "the token would reach a log: {link}");
    })
    .await;
}

#[tokio::test]
async fn a_card_for_every_coach_says_what_is_held() {
    each_database("portal cards", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let page = shown(&world, &portal).await;
        for text in [
            "2 coaches hold something",
            "Breathing before talking",
            "Toms own hour",
            "maya@example.com",
            "tom@example.org",
            "You have not opened the room.",
            "was mailed to you on",
            "To run webinars",
            "Art. 28 GDPR",
            "Take my agreement back",
        ] {
            assert!(page.contains(text), "{text} is not on the page: {page}");
        }
        assert!(!page.contains(BEN));
        let one = shown(&world, &world.portal("Ben@Example.NET").await).await;
        assert!(one.contains("One coach holds something") && !one.contains("Breathing"), "{one}");
        let none = shown(&world, &world.portal("nobody@example.net").await).await;
        assert!(none.contains("No coach holds anything"), "{none}");
        // A coach's own address is no viewer's.
        let coach = shown(&world, &world.portal(&two.maya.email).await).await;
        assert!(coach.contains("No coach holds anything"), "{coach}");
    })
    .await;
}

#[tokio::test]
async fn other_peoples_ids_answer_like_missing_ones() {
    each_database("portal ids", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(BEN).await;
        // Maya holds nothing of Ben's; nobody is called so; and what is no id at all.
        let (hers, missing) = (two.maya_id.to_string(), CoachId::new().to_string());
        let before = world.snapshot().await;
        for path in ["/my-data/erase?coach=", "/my-data/correct?coach=", "/my-data/receipt?request="] {
            let ask = |id: &str| world.get(&format!("{path}{id}")).by_person(&portal).in_browser().send();
            let (one, two, three) = (ask(&hers).await, ask(&missing).await, ask("x").await);
            assert_eq!(one.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!((one.whole(), three.whole()), (two.whole(), two.whole()), "{path}");
        }
        for (name, more) in [
            ("restrict", ("ground", "claim")),
            ("lift", ("ground", "claim")),
            ("object", ("scope", "all")),
            ("unsubscribe", ("words", "")),
            ("withdraw", ("purpose", "run_webinar")),
            ("erase", ("forget_mark", "yes")),
        ] {
            let one = wish(&world, &portal, &hers, name, &[more]).await;
            let two = wish(&world, &portal, &missing, name, &[more]).await;
            assert_eq!(one.status, StatusCode::NOT_FOUND, "{name}");
            assert_eq!(one.whole(), two.whole(), "{name}");
        }
        for step in ["", "address", "code"] {
            let ask = |id: &str| {
                let fields = [("coach", id), ("step", step), ("name", "X"), ("email", "x@example.net"), ("code", "1")];
                world.post("/my-data/correct").by_person(&portal).form(&fields).in_browser().send()
            };
            let (one, two) = (ask(&hers).await, ask(&missing).await);
            assert_eq!(one.status, StatusCode::NOT_FOUND, "{step}");
            assert_eq!(one.whole(), two.whole(), "{step}");
        }
        assert_eq!(before.changes_to(&world.snapshot().await), "", "asking about others changed something");
    })
    .await;
}

#[tokio::test]
async fn acting_at_one_coach_leaves_the_other_to_the_byte() {
    each_database("portal one coach", |test| async move {
        let world = World::new(test);
        let two = Two::tell(&world).await;
        let portal = world.portal(ANNA).await;
        let before = world.snapshot().await;
        let (maya, tom) = (two.maya_id.to_string(), two.tom_id);
        done(&world, &portal, &maya, "unsubscribe", &[]).await;
        done(&world, &portal, &maya, "restrict", &[("ground", "claim")]).await;
        done(&world, &portal, &maya, "lift", &[("ground", "claim")]).await;
        done(&world, &portal, &maya, "withdraw", &[("purpose", "run_webinar")]).await;
        done(&world, &portal, &maya, "erase", &[]).await;
        world.run_jobs().await;
        let after = world.snapshot().await;
        let changes = before.changes_to(&after);
        assert!(!of_coach(&changes, two.maya_id).is_empty(), "nothing was done at hers");
        assert_eq!(of_coach(&changes, tom), Vec::<&str>::new(), "something of his changed");
        let page = shown(&world, &portal).await;
        assert!(page.contains("Toms own hour") && !page.contains("Breathing before talking"), "{page}");
        assert_eq!(before.rows("subject") - 1, after.rows("subject"));
        // Maya was told of every one, and of nobody.
        let told: Vec<_> =
            world.mails_to(&two.maya.email).into_iter().filter(|m| m.subject.contains("viewers")).collect();
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.iter().all(|mail| !mail.text.contains("anna")), "{told:?}");
        assert!(world.mails_to(&two.tom.email).iter().all(|mail| !mail.subject.contains("viewers")));
    })
    .await;
}
