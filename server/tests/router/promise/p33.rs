//! "Withdraw consent": what was agreed to is on record in a shape others can read, with the very wording, and the coach
//! who has to show it can.

use testkit::each_database;

use crate::registering::open_webinar;
use crate::world::World;

#[tokio::test]
async fn a_coach_can_show_what_somebody_agreed_to() {
    each_database("p33 record", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = open_webinar(&world).await;
        let anna = world.register(&webinar, "anna@example.net").await;
        let id = world.backend.room_token_names(anna.room.trim_start_matches("/r/")).expect("a registration");
        let path = format!("/dashboard/webinars/{}/registrants/{id}/consents.json", webinar.id);
        let answer = world.get(&path).by(&maya).send().await;
        let records = answer.json();
        let [record] = records.as_array().expect("a list").as_slice() else { panic!("{records}") };
        assert_eq!(record["header"]["schema_version"], "ISO/IEC TS 27560:2023");
        let notice = &record["pii_processing"]["privacy_notice"];
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(page.contains(notice["text"].as_str().expect("the wording")), "{notice}");
        assert_eq!(record["events"][0]["event_state"], "explicit");
        assert_eq!(record["party_identification"][0]["party_role"], "pii_controller");
        assert!(!answer.text().contains("anna@example.net"), "a record names nobody");
    })
    .await;
}
