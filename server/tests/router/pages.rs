//! Pages and what stands around them: headers, nonces, frames, cookies, and the answer for what is not there.

use std::task::Poll;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use testkit::each_database;

use crate::lines::nothing_is_without_its_line;
use crate::world::{Answer, Ids, PASSWORD, Story, World, between, every_route, filled};

/// On every answer, whatever it is (quality.md §4).
const HEADERS: [&str; 6] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
];

/// Fails when an answer lacks a security header, or has one that says too much.
pub fn is_secured(what: &str, answer: &Answer) {
    for header in HEADERS {
        assert!(!answer.header(header).is_empty(), "{what} ({}) has no {header}", answer.status);
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    let may_be_framed = policy.contains("frame-ancestors 'self'");
    assert_eq!(answer.header("x-frame-options") == "DENY", !may_be_framed, "{what}: {policy}");
    let is_media = policy.contains("sandbox");
    assert!(may_be_framed || is_media || policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    each_database("headers", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let routes = every_route(&world).await;
        nothing_is_without_its_line(&routes);
        let (hers, missing) = (story.hers.clone(), Ids::missing(&world));
        for route in &routes {
            for ids in [&hers, &missing] {
                let path = filled(&route.path, |name| ids.in_path(name));
                let ask = || world.ask(route.method.clone(), &path);
                // With nothing in it most of them are refused; those answers count as well.
                is_secured(&format!("{} by a guest", route.name()), &ask().in_browser().send().await);
                is_secured(&format!("{} by a program", route.name()), &ask().send().await);
                is_secured(&format!("{} by Tom", route.name()), &ask().by(&story.tom).in_browser().send().await);
                let cross = ask().header("sec-fetch-site", "cross-site").send().await;
                is_secured(&format!("{} from another site", route.name()), &cross);
            }
            let strange = Method::from_bytes(b"BREW").expect("a method");
            let path = filled(&route.path, |name| hers.in_path(name));
            is_secured(&format!("BREW {}", route.path), &world.ask(strange, &path).send().await);
        }
        for path in ["/nothing", "/wp-admin.php", "/w", "/r/", "/uploads/x/y", "/%2e%2e/etc/passwd", "/media/video"] {
            for ask in [world.get(path), world.get(path).in_browser(), world.post(path)] {
                let answer = ask.send().await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
                is_secured(path, &answer);
            }
        }
    })
    .await;
}

/// A fault on our side is an answer, too, and no less guarded.
#[tokio::test]
async fn a_broken_request_is_answered_with_the_headers_too() {
    each_database("broken", |test| async move {
        let world = World::new(test);
        let breaking = futures::stream::poll_fn(|_| -> Poll<Option<std::io::Result<Bytes>>> {
            panic!("a handler breaks while it reads this")
        });
        let answer = world.post("/api/beats").body(Body::from_stream(breaking)).send().await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        is_secured("a panic", &answer);
        assert!(!answer.text().contains("a handler breaks"), "{}", answer.text());

        let large = world.post("/w/x").form(&[("email", "a".repeat(300_000))]).send().await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        is_secured("too large", &large);
    })
    .await;
}

#[tokio::test]
async fn over_https_cookies_are_locked_to_the_host_and_browsers_stay_there() {
    each_database("https", |test| async move {
        let variables = [
            ("MW_BASE_URL", "https://webinars.example"),
            ("MW_MAIL_FROM", "hello@webinars.example"),
            ("MW_CONTACT_EMAIL", "privacy@webinars.example"),
        ];
        let world = World::with(test, &variables);
        world.backend.create_account("Maya", "maya@example.com", &PASSWORD.into()).await.expect("opens");
        let fields = [("_form", "sign_in"), ("email", "maya@example.com"), ("password", PASSWORD)];
        let answer = world.post("/login").form(&fields).send().await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-mw_session="), "{cookie}");
        for part in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        let token = between(&cookie, "=", ";").expect("a value");
        // A neighbouring host could set the plain name; it opens nothing here.
        let plain = world.get("/dashboard").header("cookie", &format!("mw_session={token}")).send().await;
        assert_eq!(plain.header("location"), "/login");
        let locked = world.get("/dashboard").header("cookie", &format!("__Host-mw_session={token}")).send().await;
        assert_eq!(locked.status, StatusCode::OK);
        for answer in [answer, locked, world.get("/nothing").send().await, world.get("/healthz").send().await] {
            let lasts = answer.header("strict-transport-security");
            assert!(lasts.starts_with("max-age=") && !lasts.starts_with("max-age=0"), "{lasts}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_script_of_a_page_carries_the_nonce_of_its_policy() {
    each_database("nonces", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let registration = format!("/w/{}", story.webinar.slug);
        let pages = [
            registration.clone(),
            format!("{registration}/embed"),
            story.anna.room.clone(),
            "/login".to_owned(),
            "/dashboard".to_owned(),
        ];
        for path in pages {
            let load = || world.get(&path).by(&story.maya).in_browser().send();
            let (one, two) = (load().await, load().await);
            let nonce = |answer: &Answer| {
                let policy = answer.header("content-security-policy");
                between(&policy, "'nonce-", "'").expect("a nonce").to_owned()
            };
            assert_ne!(nonce(&one), nonce(&two), "{path}: the nonce is the same twice");
            let page = one.text();
            let scripts = page.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            for script in scripts.filter(|script| !script.contains("application/json")) {
                assert!(script.contains(&format!("nonce=\"{}\"", nonce(&one))), "{path}: <script{script}>");
            }
            for handler in [" onclick=", " onload=", " onerror=", "javascript:"] {
                assert!(!page.contains(handler), "{path} has {handler}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn only_the_frames_of_a_webinar_may_be_framed_and_only_by_its_sites() {
    each_database("frames", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let handle = world.handle(&story.maya).await;
        let view = handle.webinar(story.webinar.id).await.expect("hers");
        let form = domain::webinar::WebinarForm { embed_hosts: "www.maya.example".to_owned(), ..view.form };
        handle.save_webinar(story.webinar.id, view.revision, form).await.expect("saved");

        let registration = format!("/w/{}", story.webinar.slug);
        let ancestors = |answer: &Answer| {
            let policy = answer.header("content-security-policy");
            policy.split_once("frame-ancestors ").expect("said").1.to_owned()
        };
        for path in [format!("{registration}/embed"), format!("{}?embed=1", story.anna.room)] {
            let answer = world.get(&path).send().await;
            assert_eq!(ancestors(&answer), "'self' https://www.maya.example", "{path}");
            assert!(answer.headers.get("x-frame-options").is_none(), "{path}");
        }
        for path in [registration, story.anna.room.clone(), format!("{}?embed=0", story.anna.room), "/login".to_owned()]
        {
            assert_eq!(ancestors(&world.get(&path).send().await), "'none'", "{path}");
        }
        // What is not there says so on the coach's site as well, with nothing to press and nothing that runs.
        for path in ["/w/no-such-webinar/embed".to_owned(), format!("/r/{}?embed=1", "A".repeat(43))] {
            let answer = world.get(&path).send().await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(ancestors(&answer), "'self' https: http:", "{path}");
            assert!(answer.headers.get("x-frame-options").is_none(), "{path}");
            assert!(answer.header("content-security-policy").contains("script-src 'none'"), "{path}");
            assert!(!answer.text().contains("<a ") && !answer.text().contains("<form"), "{path}");
        }
        let missing = world.get("/w/no-such-webinar").send().await;
        assert_eq!(ancestors(&missing), "'none'");
    })
    .await;
}

#[tokio::test]
async fn viewers_get_no_cookie() {
    each_database("cookies", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let page = format!("/w/{}", story.webinar.slug);
        let form = world.filled_form(&story.webinar, "ben@example.net").await;
        let link = [("email", "anna@example.net")];
        let asks = [
            world.get(&page),
            world.get(&format!("{page}/embed")),
            world.post(&page).form(&form),
            world.post(&format!("{page}/embed")).form(&form),
            world.post(&page).form(&[("email", "no address")]),
            world.post(&format!("{page}/link")).form(&link),
            world.get(&story.anna.room),
            world.get(&format!("{}?embed=1", story.anna.room)),
            world.get("/embed.js"),
            world.get("/w/nothing-is-here"),
            world.get("/r/nothing-is-here"),
            world.get("/"),
            world.post("/api/beats").bytes("{}".into()),
        ];
        for ask in asks {
            let answer = ask.in_browser().send().await;
            assert!(answer.headers.get("set-cookie").is_none(), "{:?}", answer.headers);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_yours_are_one_page() {
    each_database("not there", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let webinar = |state: &str| format!("/dashboard/webinars/{}?{state}", story.webinar.id);
        let draft = format!("/w/{}", story.draft.slug);
        let same = |answers: &[Answer]| {
            assert_eq!(answers[0].status, StatusCode::NOT_FOUND, "{}", answers[0].text());
            for answer in answers {
                assert_eq!(answer.whole(), answers[0].whole());
            }
        };
        // An address nobody has, one that is none, and a draft: for guests and for another coach.
        let (mut answers, mut framed) = (Vec::new(), Vec::new());
        for path in ["/w/nothing-is-here", "/w/Not%20An%20Address", "/w/%00", &draft] {
            answers.push(world.get(path).in_browser().send().await);
            answers.push(world.get(path).in_browser().by(&story.tom).send().await);
            framed.push(world.get(&format!("{path}/embed")).in_browser().send().await);
            answers.push(
                world.post(path).form(&[("email", "ben@example.net"), ("consent", "yes")]).in_browser().send().await,
            );
            answers.push(
                world.post(&format!("{path}/link")).form(&[("email", "ben@example.net")]).in_browser().send().await,
            );
        }
        same(&answers);
        same(&framed);
        let preview = world.get(&draft).by(&story.maya).send().await;
        assert_eq!(preview.status, StatusCode::OK, "a coach sees her own draft");

        // A link that is not ours, one of somebody who is not there, and one that was tampered with.
        let token = story.anna.room.trim_start_matches("/r/");
        // Behind the id, in the signature.
        let (first, signed) = token.split_at(30);
        let other = if signed.starts_with('A') { "B" } else { "A" };
        let tampered = format!("{first}{other}{}", &signed[1..]);
        let mut answers = Vec::new();
        for token in ["x", "AAAA", &tampered, Ids::missing(&world).room.trim_start_matches("/r/"), &token[1..]] {
            answers.push(world.get(&format!("/r/{token}")).in_browser().send().await);
        }
        same(&answers);

        // What was public and is not any more.
        for form in ["unpublish", "archive"] {
            let id = story.webinar.id.to_string();
            let done =
                world.post(&webinar(form)).by(&story.maya).form(&[("_form", form), ("webinar", &id)]).send().await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
            let page = format!("/w/{}", story.webinar.slug);
            same(&[
                world.get("/w/nothing-is-here").in_browser().send().await,
                world.get(&page).in_browser().send().await,
            ]);
            let room = world.get(&story.anna.room).send().await;
            assert_eq!(room.status, StatusCode::OK, "people who booked are served: {}", room.text());
        }
    })
    .await;
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    each_database("head", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        for route in every_route(&world).await.iter().filter(|route| route.method == Method::GET) {
            let path = filled(&route.path, |name| story.hers.in_path(name));
            let get = world.get(&path).by(&story.maya).in_browser().send().await;
            let head = world.ask(Method::HEAD, &path).by(&story.maya).in_browser().send().await;
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
            assert!(head.body.is_empty(), "{path}");
        }
    })
    .await;
}
