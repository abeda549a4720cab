//! "Know what and why": the map is public, as a page that names every kind of data, as JSON, and as JSON-LD for who asks.

use privacy::DataMap;
use testkit::each_database;

use crate::world::World;

#[tokio::test]
async fn the_map_is_there_in_every_form() {
    each_database("p35", |test| async move {
        let world = World::new(test);
        let page = world.get("/privacy/data-map").in_browser().send().await.text();
        for (key, class) in &DataMap::current().classes {
            assert!(page.contains(&format!("<tr id=\"{key}\">")) && page.contains(&class.title), "{key}");
        }
        let json = world.get("/privacy/data-map.json").send().await.json();
        assert_eq!(json["sha256"], hex::encode(DataMap::hash()));
        let asked = world.get("/privacy/data-map").header("accept", "application/ld+json").send().await;
        assert_eq!(asked.header("content-type"), "application/ld+json");
        assert_eq!(asked.body, world.get("/privacy/data-map.jsonld").send().await.body);
        assert!(asked.json()["@graph"].as_array().is_some_and(|graph| graph.len() > 15));
        let records = world.get("/privacy/records").send().await.text();
        assert!(records.contains("Art. 30(1)") && records.contains("Art. 30(2)"), "{records}");
        let recipients = world.get("/privacy/subprocessors").send().await.text();
        assert!(recipients.contains("standard contractual clauses") && recipients.contains("Ukraine"), "{recipients}");
        let document = world.get("/privacy/documents/ukraine.md").send().await;
        use sha2::Digest as _;
        assert!(recipients.contains(&hex::encode(sha2::Sha256::digest(&document.body))), "its digest is on the page");
    })
    .await;
}
