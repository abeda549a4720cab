//! "A child's data is deleted when it is reported": through the public form, without papers, and without telling the
//! reporter or anybody else whether the child is known.

use axum::http::StatusCode;
use testkit::each_database;

use super::traces;
use crate::registering::open_webinar;
use crate::world::{Answer, World, between};

async fn report(world: &World, fields: &[(&str, &str)]) -> Answer {
    world.post("/privacy/report-child").form(fields).in_browser().send().await
}

fn without_reference(answer: &Answer) -> String {
    let page = answer.text();
    let reference =
        between(&page, "The reference is <strong class=\"break-anywhere\">", "</strong>").expect("a reference");
    page.replace(reference, "REFERENCE")
}

#[tokio::test]
async fn the_answer_is_the_same_for_a_known_and_an_unknown_child() {
    each_database("p50 uniform", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        world.register(&webinar, "kid@example.net").await;
        let known = report(&world, &[("child_email", "kid@example.net"), ("email", "dad@example.org")]).await;
        let unknown = report(&world, &[("child_email", "nobody@example.net"), ("email", "mum@example.org")]).await;
        assert_eq!(known.status, StatusCode::OK, "{}", known.text());
        assert_eq!(without_reference(&known), without_reference(&unknown));
        world.run_jobs().await;
        let (dad, mum) = (world.mails_to("dad@example.org"), world.mails_to("mum@example.org"));
        assert_eq!((dad.len(), mum.len()), (1, 1));
        assert_eq!(dad[0].subject, mum[0].subject);
        assert!(!dad[0].text.contains("kid@example.net"), "{}", dad[0].text);
        let empty = report(&world, &[("words", "")]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test]
async fn a_coach_erases_a_child_with_one_press() {
    each_database("p50 coach", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = open_webinar(&world).await;
        let kid = world.register(&webinar, "qxkidzq@example.net").await;
        world.register(&webinar, "adult@example.net").await;
        let id =
            world.backend.room_token_names(kid.room.trim_start_matches("/r/")).expect("a registration").to_string();
        let page = format!("/dashboard/webinars/{}/registrants/{id}", webinar.id);
        let fields = [("_form", "forget_child"), ("webinar", &webinar.id.to_string()), ("registration", &id)];
        let answer = world.post(&page).by(&maya).form(&fields).in_browser().send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        world.run_jobs().await;
        assert_eq!(world.get(&kid.room).send().await.status, StatusCode::NOT_FOUND);
        let csv = format!("/dashboard/webinars/{}/registrants.csv", webinar.id);
        let csv = world.get(&csv).by(&maya).send().await.text();
        assert!(csv.contains("adult@example.net") && !csv.contains("qxkidzq"), "{csv}");
        let left: Vec<String> =
            traces(&world, &["qxkidzq@example.net"]).await.into_iter().filter(|hit| !hit.contains("mailbox")).collect();
        assert_eq!(left, Vec::<String>::new(), "only the letters to the address itself are in the test's mailbox");
    })
    .await;
}
