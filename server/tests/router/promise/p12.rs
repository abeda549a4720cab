//! "Page views and conversion rates": counted without a cookie and without telling one visitor from another.

use std::net::SocketAddr;

use privacy::schema::introspect;
use testkit::each_database;

use crate::registering::open_webinar;
use crate::world::World;

#[tokio::test]
async fn two_visitors_are_one_row_that_says_two() {
    each_database("p12", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let page = format!("/w/{}", webinar.slug);
        for network in ["198.51.100.1:4000", "198.51.100.1:4001"] {
            let from: SocketAddr = network.parse().expect("an address");
            let answer = world.get(&page).from(from).in_browser().send().await;
            assert!(answer.headers.get("set-cookie").is_none() && answer.headers.get("etag").is_none());
        }
        let rows = world.snapshot().await;
        assert_eq!(rows.rows("page_view"), 1, "a second row would tell two visitors apart");
        let schema = introspect(&world.database.database).await.expect("the schema");
        let columns: Vec<&str> = schema
            .columns
            .keys()
            .filter(|(table, _)| table == "page_view")
            .map(|(_, column)| column.as_str())
            .collect();
        for word in ["visitor", "hash", "address", "salt", "session", "subject"] {
            assert!(!columns.iter().any(|column| column.contains(word)), "{columns:?}");
        }
    })
    .await;
}
