//! "Regular security reviews": where weaknesses are reported is said at the fixed address, and what is said there is
//! always good for a while (RFC 9116), today as in ten years.

use domain::Moment;
use testkit::each_database;

use crate::world::World;

#[tokio::test]
async fn the_contact_never_runs_out() {
    each_database("p43", |test| async move {
        let world = World::new(test);
        for _ in 0..2 {
            let answer = world.get("/.well-known/security.txt").send().await;
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            let text = answer.text();
            let field = |name: &str| {
                let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect();
                assert_eq!(found.len(), 1, "{name} {text}");
                found[0].to_owned()
            };
            assert!(field("Contact:").starts_with("mailto:"), "{text}");
            assert!(field("Canonical:").ends_with("/.well-known/security.txt"), "{text}");
            assert!(field("Policy:").ends_with("/privacy"), "{text}");
            let expires: Moment = field("Expires:").parse().expect("RFC 3339");
            let now = world.backend.now();
            assert!(expires > now && expires < now.plus_days(365), "{text}");
            world.wait(10 * 365 * 86_400);
        }
    })
    .await;
}

/// What the public page says stands in the way of this promise.
async fn reason(world: &World) -> String {
    let page = world.get("/privacy/promises.json").send().await.json();
    let promises = page["promises"].as_array().expect("a list");
    let promise = promises.iter().find(|promise| promise["id"] == "P43").expect("is on it");
    promise["reason"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn without_a_review_of_the_last_half_year_the_promise_is_red() {
    each_database("p43 review", |test| async move {
        let world = World::new(test);
        let owed = "no security review of the last half year is on record in this installation";
        assert_eq!(reason(&world).await, owed);
        let maya = world.coach("Maya", "maya@coach.example").await;
        let (maya, _) = world.operator(&maya).await;
        let operator = world.handle(&maya).await.operator().await.expect("a seat");
        operator.enter_review("Looked at who can get in, and at every dependency.", 180).await.expect("entered");
        assert_ne!(reason(&world).await, owed);
        world.wait(181 * 86_400);
        assert_eq!(reason(&world).await, owed);
    })
    .await;
}
