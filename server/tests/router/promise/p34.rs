//! "You can complain": the policy and the form name the authorities, a complaint is acknowledged at once by a mail that
//! names the right one and the form, and an answer ends it with everything in it.

use axum::http::StatusCode;
use domain::rights::{AUTHORITIES, authority};
use testkit::each_database;

use super::traces;
use crate::world::{World, between};

#[tokio::test]
async fn the_policy_and_the_form_name_whom_to_complain_to() {
    each_database("p34 pages", |test| async move {
        let world = World::new(test);
        let policy = world.get("/privacy").send().await.text();
        assert!(policy.contains("supervisory authority") && policy.contains("CNIL"), "{policy}");
        assert!(policy.contains("href=\"/privacy/complain\""));
        let form = world.get("/privacy/complain").send().await.text();
        for authority in AUTHORITIES {
            assert!(form.contains(authority.url), "{}", authority.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_complaint_is_acknowledged_answered_and_forgotten() {
    each_database("p34 complaint", |test| async move {
        let world = World::new(test);
        for (law, country, email) in [
            ("gdpr", "FR", "ann@complaint.example"),
            ("uk", "GB", "ben@complaint.example"),
            ("california", "US", "cat@complaint.example"),
            ("nonsense", "FR", "dan@complaint.example"),
        ] {
            let words = "qxcomplaintwordszq is not as promised";
            let fields = [("email", email), ("law", law), ("words", words)];
            let answer = world.post("/privacy/complain").form(&fields).in_browser().send().await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let page = answer.text();
            let id =
                between(&page, "Its reference is <strong class=\"break-anywhere\">", "</strong>").expect("a reference");
            let id = id.trim_end_matches("<!>");
            assert_eq!(traces(&world, &["qxcomplaintwordszq", email]).await, Vec::<String>::new(), "it is sealed");
            world.run_jobs().await;
            let mails = world.mails_to(email);
            assert_eq!(mails.len(), 1, "{law}");
            assert!(mails[0].text.contains(authority(country).url), "{law}: {}", mails[0].text);
            assert!(mails[0].text.contains("/privacy/complain"), "{}", mails[0].text);
            assert!(mails[0].text.contains(id), "{id} {}", mails[0].text);
            assert!(!mails[0].text.contains("qxcomplaintwordszq"), "a mailbox needs no copy");

            let id = id.parse().expect("an id");
            let opened = world.backend.read_message(id).await.expect("opens");
            assert_eq!((opened.words.as_str(), opened.answer_to.as_deref()), (words, Some(email)));
            world.backend.answer_message(id, "We are sorry.\n\nIt works again.").await.expect("is answered");
            assert!(world.mails_to(email)[0].text.contains("It works again."));
            assert!(world.backend.read_message(id).await.is_err(), "it is over");
        }
        assert_eq!(world.backend.messages().await.expect("lists"), []);
        let left = traces(&world, &["qxcomplaintwordszq"]).await;
        assert_eq!(left, Vec::<String>::new());
        let rows = world.snapshot().await;
        assert_eq!((rows.rows("dsr_request"), rows.rows("keyring.dek")), (4, 0), "a record without a key");
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_named_and_what_was_typed_stays() {
    each_database("p34 refused", |test| async move {
        let world = World::new(test);
        let before = world.snapshot().await.without(&["rate_limit"]);
        let fields = [("email", "no address"), ("law", "uk"), ("words", "It is late.")];
        let answer = world.post("/privacy/complain").form(&fields).in_browser().send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = answer.text();
        assert!(
            page.contains("no address") && page.contains("It is late.") && page.contains("email-problem"),
            "{page}"
        );
        // A machine fills what people do not see, and learns nothing.
        let fields = [("email", "a@example.net"), ("words", "Buy this."), ("website", "https://spam.example")];
        assert_eq!(world.post("/privacy/complain").form(&fields).send().await.status, StatusCode::OK);
        assert_eq!(before.changes_to(&world.snapshot().await.without(&["rate_limit"])), "");
    })
    .await;
}
