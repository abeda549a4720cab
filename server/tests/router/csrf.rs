//! Another site's page can make a browser send a request with the coach's cookie. None of those changes anything
//! (quality.md §2.5), and no address changes anything by being opened.

use axum::http::{Method, StatusCode};
use testkit::{Snapshot, each_database};

use crate::lines::{Sent, function_at, line_of, nothing_is_without_its_line, submitted};
use crate::world::{Ask, Kind, Route, Story, World, every_route, filled};

/// What browsers say of a request that another site caused, newest browsers first.
const FOREIGN: [(&str, &str); 5] = [
    ("sec-fetch-site", "cross-site"),
    // A neighbour under the same registrable domain is another site's page as well.
    ("sec-fetch-site", "same-site"),
    ("origin", "https://evil.example"),
    // The same host, another port.
    ("origin", "http://127.0.0.1:3001"),
    // From a sandboxed frame or a local file.
    ("origin", "null"),
];
/// What they say of our own pages, and of a typed address.
const OWN: [(&str, &str); 3] =
    [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", "http://127.0.0.1:3000")];

/// What a request may change, the moved clock included.
#[derive(Debug, PartialEq)]
struct State {
    rows: Snapshot,
    objects: std::collections::BTreeMap<String, u64>,
    /// Whole hours the clock was moved by since the test began.
    moved_hours: i64,
}

async fn state(world: &World) -> State {
    State { rows: world.snapshot().await, objects: world.objects().await, moved_hours: world.moved_seconds() / 3600 }
}

/// The request of a route as its rightful sender makes it, which changes something.
fn rightful(world: &World, story: &Story, route: &Route) -> Ask {
    let ids = &story.hers;
    // Only who has no second factor needs the mailed link, and gets it.
    let sender = if route.path == "/dashboard/my-data/close-link" { &story.tom } else { &story.maya };
    let ask = world.ask(route.method.clone(), &filled(&route.path, |name| ids.in_path(name)));
    let ask = if route.path.starts_with("/my-data") { ask.by_person(&ids.portal) } else { ask.by(sender) };
    let sent = match route.kind {
        Kind::Page => Sent::Form(vec![("_form", "create_webinar".to_owned()), ("title", "Forged".to_owned())]),
        Kind::Function if route.path.ends_with("/submit") => {
            submitted("create_webinar", &vec![("title", "Forged".to_owned())])
        }
        Kind::Function => (function_at(&route.path).expect("it has its line").sent)(ids),
        Kind::Plain => (line_of(route).expect("it has its line").sent)(ids),
    };
    sent.on(ask)
}

async fn changing_routes(world: &World) -> Vec<Route> {
    let routes = every_route(world).await;
    nothing_is_without_its_line(&routes);
    let mut changing: Vec<Route> = routes.into_iter().filter(|route| !route.only_reads()).collect();
    // What ends something the others are about comes last, and each of these before what undoes it. One call ends the
    // upload the others are about, another the half hour of the portal; the clock moves after everything.
    const ENDS: [&str; 4] = [
        "/dashboard/my-data/restrict",
        "/dashboard/my-data/lift",
        "/dashboard/my-data/close",
        "/dashboard/my-data/stay",
    ];
    changing.sort_by_key(|route| {
        let end = ENDS.iter().position(|path| *path == route.path).map(|place| place + 1);
        (route.path == "/dev/clock", end, route.method == Method::DELETE)
    });
    changing
}

#[tokio::test]
async fn nothing_another_site_causes_changes_anything() {
    each_database("cross site", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let before = state(&world).await;
        for route in changing_routes(&world).await {
            for (header, value) in FOREIGN {
                let answer = rightful(&world, &story, &route).header(header, value).send().await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} with {header}: {value}", route.name());
            }
            let after = state(&world).await;
            let changes = before.rows.changes_to(&after.rows);
            assert_eq!(
                (changes.as_str(), &before.objects, before.moved_hours),
                ("", &after.objects, after.moved_hours),
                "{}",
                route.name()
            );
        }
    })
    .await;
}

/// What is posted because it is too long, or too private, for an address, and changes nothing.
const LOOKS: [&str; 5] = [
    "/dev/scan",
    "/privacy/receipt",
    "/uploads/{id}",
    "/dashboard/my-data/archives/{archive}/fetch",
    "/dashboard/webinars/{webinar}/mails/preview",
];

/// What is there only once it is configured, and is signed: it has tests of its own.
const SIGNED: [&str; 1] = ["/hooks/mail"];

/// What changes something only for a webinar at set times, which has tests of its own.
const OF_TIMES: [&str; 2] = ["/w/{slug}/switch", "/r/{token}"];

/// Without this, the test above would pass on a server that refuses everything.
#[tokio::test]
async fn the_same_requests_from_our_own_pages_do_what_they_say() {
    each_database("same site", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let mut before = state(&world).await;
        for route in changing_routes(&world).await {
            for (index, (header, value)) in OWN.into_iter().enumerate() {
                let answer = rightful(&world, &story, &route).header(header, value).send().await;
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{} with {header}: {value}", route.name());
                let reads = (route.kind == Kind::Function && !route.path.ends_with("/submit"))
                    || LOOKS.contains(&route.path.as_str())
                    || OF_TIMES.contains(&route.path.as_str())
                    || SIGNED.contains(&route.path.as_str());
                if index == 0 && !reads {
                    assert!(!answer.status.is_client_error(), "{}: {} {}", route.name(), answer.status, answer.text());
                    let after = state(&world).await;
                    assert_ne!(before, after, "{} changes nothing: {} {}", route.name(), answer.status, answer.text());
                    before = after;
                }
            }
            before = state(&world).await;
        }
    })
    .await;
}

/// A program that is no browser sends neither header, and nobody can be tricked into running one.
#[tokio::test]
async fn a_tus_client_without_a_browsers_headers_is_served() {
    each_database("no browser", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let create = changing_routes(&world).await.into_iter().find(|route| route.path == "/uploads").expect("there");
        let answer = rightful(&world, &story, &create).send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    })
    .await;
}

/// Links are opened by mail scanners, previews and other sites: with the coach's cookie, and without anybody's will.
#[tokio::test]
async fn opening_an_address_changes_nothing() {
    each_database("reading", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let mut before = state(&world).await;
        let (get, head) = (Method::GET, Method::HEAD);
        for route in every_route(&world).await {
            let path = filled(&route.path, |name| story.hers.in_path(name));
            // Forms that someone puts into an address are not read from there.
            let path = format!("{path}?_form=create_webinar&title=Forged&webinar={}", story.hers.webinar);
            for (method, is_coach) in [(&get, true), (&head, true), (&get, false), (&head, false)] {
                let ask = world.ask(method.clone(), &path).tus().in_browser().header("sec-fetch-site", "cross-site");
                let answer = if is_coach { ask.by(&story.maya) } else { ask }.send().await;
                let what = format!("{method} {}: {}", route.path, answer.status);
                assert!(!answer.status.is_server_error(), "{what} {}", answer.text());
                let after = state(&world).await;
                let changes = before.rows.changes_to(&after.rows);
                match (route.path.as_str(), method) {
                    // A page view is counted, and a visit is opened that beats can belong to. Neither is about a
                    // person: the one has no name, the other no play.
                    ("/w/{slug}" | "/w/{slug}/embed", &Method::GET) => only(&changes, "page_view", &what),
                    ("/r/{token}", &Method::GET) => only(&changes, "view", &what),
                    _ => assert_eq!(changes, "", "{what}"),
                }
                assert_eq!((&before.objects, before.moved_hours), (&after.objects, after.moved_hours), "{what}");
                before = after;
            }
        }
    })
    .await;
}

fn only(changes: &str, table: &str, what: &str) {
    let other = changes.lines().find(|line| !line[2..].starts_with(&format!("{table}: ")));
    assert_eq!(other, None, "{what}");
}
