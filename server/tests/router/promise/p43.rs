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
