//! "Never sell": said to browsers that ask, and honoured for each that sends the signal.

use testkit::each_database;

use super::PRIVACY_PAGES;
use crate::world::World;

#[tokio::test]
async fn the_signal_is_announced_and_answered() {
    each_database("p19", |test| async move {
        let world = World::new(test);
        let said = world.get("/.well-known/gpc.json").send().await;
        assert_eq!(said.header("content-type"), "application/json");
        let said = said.json();
        assert_eq!(said["gpc"], true);
        assert_eq!(said["lastUpdate"].as_str().map(str::len), Some("2026-11-26".len()), "{said}");
        for path in ["/", "/signup", "/login", "/terms"].into_iter().chain(PRIVACY_PAGES) {
            let with = world.get(path).in_browser().header("sec-gpc", "1").send().await.text();
            assert!(with.contains("gpc-honoured"), "{path}");
            for other in [None, Some("0"), Some("yes")] {
                let ask = world.get(path).in_browser();
                let without = match other {
                    Some(value) => ask.header("sec-gpc", value),
                    None => ask,
                };
                assert!(!without.send().await.text().contains("gpc-honoured"), "{path} with {other:?}");
            }
        }
    })
    .await;
}
