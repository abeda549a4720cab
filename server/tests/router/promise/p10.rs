//! "Viewer name and e-mail": of a registration only what the coach's form asks for is kept, whatever is sent along.

use axum::http::StatusCode;
use testkit::each_database;

use super::traces;
use crate::registering::open_webinar;
use crate::world::World;

#[tokio::test]
async fn what_the_form_does_not_ask_for_is_dropped() {
    each_database("p10", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let mut form = world.filled_form(&webinar, "anna@example.net").await;
        let extras = [
            "first_name",
            "last_name",
            "company",
            "phone",
            "birth_date",
            "notes",
            "address",
            "answers[secret]",
            "subject_id",
            "coach_id",
            "name",
            "country",
            "device",
        ];
        for (index, name) in extras.into_iter().enumerate() {
            form.push((name, format!("qxextra{index}zq")));
        }
        let answer = world.post(&format!("/w/{}", webinar.slug)).form(&form).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        world.run_jobs().await;
        assert_eq!(world.snapshot().await.rows("registration"), 1);
        let words: Vec<String> = (0..extras.len()).map(|index| format!("qxextra{index}zq")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(traces(&world, &words).await, Vec::<String>::new());
        // What is sealed no scan can see: the coach is shown it.
        let maya = world.sign_in("maya@example.com").await;
        let list = world
            .get(&format!("/dashboard/webinars/{}/registrants", webinar.id))
            .by(&maya)
            .in_browser()
            .send()
            .await
            .text();
        assert!(list.contains("anna@example.net"), "{list}");
        let csv =
            world.get(&format!("/dashboard/webinars/{}/registrants.csv", webinar.id)).by(&maya).send().await.text();
        assert!(csv.contains("anna@example.net") && !csv.contains("qxextra"), "{csv}");
        assert!(!list.contains("qxextra"), "{list}");
    })
    .await;
}
