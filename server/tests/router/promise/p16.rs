//! "Analytics cookies only on opt-in": there is nothing to opt in to. A visitor who never says yes gets no cookie at all
//! and makes no request to anybody else, and every cookie there is belongs to the contract, not to a consent.

use privacy::DataMap;
use privacy::map::Location;
use testkit::each_database;

use super::PRIVACY_PAGES;
use crate::world::{Story, World};

/// Attributes by which a page makes a browser ask somebody.
const LOADS: [&str; 5] = ["src=\"", "srcset=\"", "poster=\"", "<link rel=\"stylesheet\" href=\"", "action=\""];

#[tokio::test]
async fn a_visitor_gets_no_cookie_and_asks_nobody_else() {
    each_database("p16", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let registration = format!("/w/{}", story.webinar.slug);
        let embed = format!("{registration}/embed");
        let pages = ["/", "/terms", "/signup", "/login", "/reset", &registration, &embed, &story.anna.room];
        for path in pages.into_iter().chain(PRIVACY_PAGES) {
            for signal in [false, true] {
                let ask = world.get(path).in_browser();
                let answer = if signal { ask.header("sec-gpc", "1") } else { ask }.send().await;
                assert_eq!(answer.status.as_u16(), 200, "{path}");
                assert!(answer.headers.get("set-cookie").is_none(), "{path}");
                let page = answer.text();
                for load in LOADS {
                    for rest in page.split(load).skip(1) {
                        let target = rest.split('"').next().unwrap_or_default();
                        let is_ours = target.starts_with('/') && !target.starts_with("//");
                        assert!(is_ours || target.starts_with("data:"), "{path} loads {target}");
                    }
                }
                let policy = answer.header("content-security-policy");
                assert!(!policy.contains("https://") && policy.contains("connect-src 'self'"), "{path}: {policy}");
            }
        }
    })
    .await;
}

#[test]
fn no_cookie_rests_on_a_consent() {
    let cookies: Vec<_> =
        DataMap::current().places.iter().filter(|place| matches!(place.location, Location::Cookie(_))).collect();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        assert_ne!(
            cookie.basis.as_deref(),
            Some("consent"),
            "{}: an optional cookie needs its own opt-in",
            cookie.location
        );
    }
}
