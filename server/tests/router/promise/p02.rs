//! A plain summary on top of the policy and of every page about rights, made from the map the program works by.

use axum::http::StatusCode;
use testkit::each_database;

use super::PRIVACY_PAGES;
use crate::world::{World, between};

#[tokio::test]
async fn the_short_version_stands_on_top_and_counts_what_the_map_holds() {
    each_database("p02", |test| async move {
        let world = World::new(test);
        for path in PRIVACY_PAGES {
            let answer = world.get(path).in_browser().send().await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            let page = answer.text();
            assert_eq!(page.matches("id=\"tldr\"").count(), 1, "{path}");
            let main = page.find("<h1>").expect("a title");
            let short = page.find("id=\"tldr\"").expect("the short version");
            let next = page[short..].find("<h2").expect("its own heading") + short;
            assert!(main < short && page[..next].matches("<h2").count() == 0, "{path}: it is not on top");
        }
        let map = world.get("/privacy/data-map.json").send().await.json();
        let about = |word: &str| {
            let kinds = map["kinds"].as_array().expect("a list");
            kinds.iter().filter(|kind| kind["about"].as_array().expect("a list").iter().any(|one| one == word)).count()
        };
        let page = world.get("/privacy").send().await.text();
        let short = between(&page, "id=\"tldr\"", "</section>").expect("the short version");
        let counted = format!("{} kinds of data about coaches and {} about viewers", about("coach"), about("viewer"));
        assert!(short.contains(&counted), "{counted}: {short}");
    })
    .await;
}
