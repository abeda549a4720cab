//! Every form, server function, page and file route, asked about somebody else's things: the answer is byte for byte
//! the answer for what does not exist, and nothing of the owner's changes (quality.md §4).
//!
//! What is tried comes from the product's own registries; a line without an owner's success would prove nothing, so
//! the owner sends each of the same requests, too.

use axum::http::StatusCode;
use testkit::{Snapshot, each_database};

use crate::lines::{
    About, FORM_LINES, FUNCTION_LINES, FormLine, Sent, function_at, line_of, nothing_is_without_its_line, submitted,
};
use crate::world::{Answer, Ask, Coach, Ids, Kind, Route, Story, World, every_route, filled};

/// Counters of tries: being refused may be counted.
const COUNTERS: [&str; 1] = ["rate_limit"];

/// Who asks in somebody else's name.
fn askers(story: &Story) -> [Option<&Coach>; 2] {
    [None, Some(&story.tom)]
}

fn asked_by(ask: Ask, who: Option<&Coach>) -> Ask {
    match who {
        Some(coach) => ask.by(coach),
        None => ask,
    }
}

fn name_of(who: Option<&Coach>) -> &str {
    who.map_or("a guest", |coach| coach.email.as_str())
}

async fn state(world: &World) -> Snapshot {
    world.snapshot().await.without(&COUNTERS)
}

/// Compares the answer about her things with the one about nothing, both without the ids that were asked about.
fn same_answer(what: &str, hers: (&Answer, &Ids), nothing: (&Answer, &Ids)) {
    let told = |(answer, ids): (&Answer, &Ids)| without_waits(&ids.taken_out_of(&answer.whole()));
    assert_eq!(told(hers), told(nothing), "{what}: hers and a missing one differ");
}

/// An answer without the seconds it asks to wait: the second of two is asked a moment later.
fn without_waits(text: &str) -> String {
    let mut left = text;
    let mut told = String::new();
    while let Some((before, after)) = ["retry_after_seconds\":", "retry-after: "]
        .iter()
        .filter_map(|mark| left.find(mark).map(|at| left.split_at(at + mark.len())))
        .min_by_key(|(before, _)| before.len())
    {
        told.push_str(before);
        left = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    told + left
}

/// Nothing that is hers may be in an answer to somebody else.
fn tells_nothing_of_hers(what: &str, answer: &Answer, story: &Story) {
    let text = answer.text();
    for mark in [&story.maya.email, &story.anna.email, &story.webinar.title, &story.draft.title] {
        assert!(!text.contains(mark), "{what} tells “{mark}”: {text}");
    }
}

/// Not even by its id, unless the asker named it.
fn names_nothing_of_hers(what: &str, answer: &Answer, story: &Story) {
    tells_nothing_of_hers(what, answer, story);
    let text = answer.text();
    assert_eq!(story.hers.taken_out_of(&text), text, "{what} names what is hers");
}

async fn submit(world: &World, who: Option<&Coach>, line: &FormLine, ids: &Ids) -> Answer {
    let sent = submitted(line.name, &(line.fields)(ids));
    asked_by(sent.on(world.post("/api/fn/submit")), who).send().await
}

/// The same as a page does it whose WebAssembly has not arrived.
async fn post(world: &World, who: Option<&Coach>, line: &FormLine, ids: &Ids) -> Answer {
    let mut fields = (line.fields)(ids);
    fields.push(("_form", line.name.to_owned()));
    let page =
        if line.about == About::Public { "/login".to_owned() } else { format!("/dashboard/webinars/{}", ids.webinar) };
    asked_by(Sent::Form(fields).on(world.post(&page)), who).in_browser().send().await
}

/// The kind of a form's refusal; nothing when it was done.
fn refusal(answer: &Answer) -> Option<String> {
    let answer = answer.json();
    answer.pointer("/Refused/kind").and_then(|kind| kind.as_str()).map(str::to_owned)
}

#[tokio::test]
async fn everything_that_can_be_asked_has_its_line() {
    each_database("lines", |test| async move {
        let world = World::new(test);
        nothing_is_without_its_line(&every_route(&world).await);
    })
    .await;
}

#[tokio::test]
async fn forms_about_somebody_elses_things_answer_as_if_there_were_none() {
    each_database("forms", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let before = state(&world).await;
        for line in FORM_LINES.iter().filter(|line| line.about == About::Things) {
            for who in askers(&story) {
                let what = format!("{} by {}", line.name, name_of(who));
                let hers = submit(&world, who, line, &story.hers).await;
                same_answer(&what, (&hers, &story.hers), (&submit(&world, who, line, &missing).await, &missing));
                let wanted = if who.is_some() { "not_found" } else { "sign_in_needed" };
                assert_eq!(refusal(&hers).as_deref(), Some(wanted), "{what}: {}", hers.text());

                let hers = post(&world, who, line, &story.hers).await;
                same_answer(&what, (&hers, &story.hers), (&post(&world, who, line, &missing).await, &missing));
                tells_nothing_of_hers(&what, &hers, &story);
            }
            let changes = before.changes_to(&state(&world).await);
            assert_eq!(changes, "", "{} changed something", line.name);
        }
        for line in FORM_LINES.iter().filter(|line| line.about == About::Things) {
            let done = submit(&world, Some(&story.maya), line, &story.hers).await;
            assert_eq!(refusal(&done), None, "{} by its owner: {}", line.name, done.text());
        }
    })
    .await;
}

#[tokio::test]
async fn forms_about_an_account_reach_the_askers_own_alone() {
    each_database("own forms", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let before = state(&world).await;
        for line in FORM_LINES.iter().filter(|line| line.about == About::Asker) {
            let refused = submit(&world, None, line, &story.hers).await;
            assert_eq!(refusal(&refused).as_deref(), Some("sign_in_needed"), "{} by a guest", line.name);
        }
        assert_eq!(before.changes_to(&state(&world).await), "", "a guest changed something");

        // His own rows may change; so what must stay is told apart by leaving out the rows that name him.
        let tom = world.handle(&story.tom).await.id();
        let hers = without_rows_of(&before, tom);
        for line in FORM_LINES.iter().filter(|line| line.about == About::Asker) {
            let answer = submit(&world, Some(&story.tom), line, &story.hers).await;
            assert_ne!(refusal(&answer).as_deref(), Some("sign_in_needed"), "{} by Tom", line.name);
            names_nothing_of_hers(line.name, &answer, &story);
            let lost = hers.lost_in(&state(&world).await);
            assert_eq!(lost, "", "{} by Tom changed what is hers", line.name);
        }
        assert!(!before.lost_in(&state(&world).await).is_empty(), "not even his own account changed");
    })
    .await;
}

/// At the door, an address with an account is what somebody else's thing is elsewhere.
#[tokio::test]
async fn forms_at_the_door_answer_alike_for_known_and_unknown_addresses() {
    each_database("door forms", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let before = state(&world).await;
        for line in FORM_LINES.iter().filter(|line| line.about == About::Public) {
            let known = submit(&world, None, line, &story.hers).await;
            same_answer(line.name, (&known, &story.hers), (&submit(&world, None, line, &missing).await, &missing));
            let known = post(&world, None, line, &story.hers).await;
            same_answer(line.name, (&known, &story.hers), (&post(&world, None, line, &missing).await, &missing));
            let lost = before.lost_in(&state(&world).await);
            assert_eq!(lost, "", "{} changed something", line.name);
        }
    })
    .await;
}

/// What is counted per address must not tell either: an address is refused after as many tries, account or none.
#[tokio::test]
async fn the_limits_of_known_and_unknown_addresses_run_out_together() {
    each_database("door limits", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let line = |name: &str| FORM_LINES.iter().find(|line| line.name == name).expect("a line");
        for (name, tries) in [("sign_up", 1), ("request_reset", 4), ("sign_in", 7), ("sign_up", 4)] {
            for number in 0..tries {
                let known = submit(&world, None, line(name), &story.hers).await;
                let unknown = submit(&world, None, line(name), &missing).await;
                same_answer(&format!("{name}, try {number}"), (&known, &story.hers), (&unknown, &missing));
            }
        }
        let refused = submit(&world, None, line("request_reset"), &story.hers).await;
        assert_eq!(refusal(&refused).as_deref(), Some("too_often"), "{}", refused.text());
    })
    .await;
}

#[tokio::test]
async fn server_functions_tell_somebody_else_nothing() {
    each_database("functions", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let routes = every_route(&world).await;
        let before = state(&world).await;
        for path in routes.iter().filter(|route| route.kind == Kind::Function).map(|route| &route.path) {
            let line = function_at(path).expect("every server function has its line");
            if line.name == "submit" {
                continue;
            }
            let call = |who, ids: &Ids| asked_by((line.sent)(ids).on(world.post(path)), who).send();
            for who in askers(&story) {
                let what = format!("{path} by {}", name_of(who));
                let hers = call(who, &story.hers).await;
                same_answer(&what, (&hers, &story.hers), (&call(who, &missing).await, &missing));
                names_nothing_of_hers(&what, &hers, &story);
                let is_refused = matches!(hers.status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND);
                let is_open = line.about == About::Public || (line.about == About::Asker && who.is_some());
                assert_eq!(is_refused, !is_open, "{what}: {} {}", hers.status, hers.text());
            }
            let owned = call(Some(&story.maya), &story.hers).await;
            assert_eq!(owned.status, StatusCode::OK, "{path} by its owner: {}", owned.text());
        }
        assert_eq!(before.changes_to(&state(&world).await), "", "reading changed something");
        assert_eq!(FUNCTION_LINES.len(), routes.iter().filter(|route| route.kind == Kind::Function).count());
    })
    .await;
}

#[tokio::test]
async fn pages_about_somebody_elses_things_are_the_page_for_nothing() {
    each_database("pages", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let routes = every_route(&world).await;
        let before = state(&world).await;
        let pages = routes.iter().filter(|route| route.kind == Kind::Page && route.method == "GET");
        for page in pages {
            let get = |who, ids: &Ids| {
                let path = filled(&page.path, |name| ids.in_path(name));
                asked_by(world.get(&path), who).in_browser().send()
            };
            for who in askers(&story) {
                let what = format!("{} by {}", page.path, name_of(who));
                let hers = get(who, &story.hers).await;
                same_answer(&what, (&hers, &story.hers), (&get(who, &missing).await, &missing));
                names_nothing_of_hers(&what, &hers, &story);
                match (page.path.starts_with("/dashboard"), who) {
                    (true, None) => assert_eq!(hers.header("location"), "/login", "{what}"),
                    (true, Some(_)) if page.path.contains('{') => assert_eq!(hers.status, 404, "{what}"),
                    _ => assert_eq!(hers.status, 200, "{what}"),
                }
            }
            let owned = get(Some(&story.maya), &story.hers).await;
            assert_eq!(owned.status, StatusCode::OK, "{} by its owner", page.path);
        }
        assert_eq!(before.changes_to(&state(&world).await), "", "a page changed something");
    })
    .await;
}

#[tokio::test]
async fn files_and_uploads_of_somebody_else_answer_as_if_there_were_none() {
    each_database("files", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let missing = Ids::missing(&world);
        let routes = every_route(&world).await;
        let objects = world.objects().await;
        let before = state(&world).await;
        let owned: Vec<&Route> = routes
            .iter()
            .filter(|route| route.kind == Kind::Plain && line_of(route).is_some_and(|line| line.about == About::Things))
            .collect();
        let under = |place: &str| owned.iter().filter(|route| route.path.starts_with(place)).count();
        assert!(under("/dashboard") >= 3 && under("/uploads") >= 4, "{owned:?}");
        for route in &owned {
            for who in askers(&story) {
                for browser in [false, true] {
                    let what = format!("{} by {}", route.name(), name_of(who));
                    let call = |ids: &Ids| {
                        let ask = asked_by(named(&world, route, ids), who);
                        if browser { ask.in_browser() } else { ask }.send()
                    };
                    let hers = call(&story.hers).await;
                    same_answer(&what, (&hers, &story.hers), (&call(&missing).await, &missing));
                    tells_nothing_of_hers(&what, &hers, &story);
                    assert!(!hers.status.is_success(), "{what}: {}", hers.status);
                    if who.is_some() {
                        assert_eq!(hers.status, StatusCode::NOT_FOUND, "{what}");
                    }
                }
            }
            assert_eq!(before.changes_to(&state(&world).await), "", "{} changed something", route.name());
        }
        assert_eq!(objects, world.objects().await, "objects were written, changed or removed");
        for route in &owned {
            let answer = named(&world, route, &story.hers).by(&story.maya).send().await;
            // A form of a page without a script leads back to its page.
            let location = answer.header("location");
            let is_done =
                answer.status.is_success() || location.contains("?done=") || location.starts_with("/privacy/archives/");
            assert!(is_done, "{} by its owner: {} {}", route.name(), answer.status, answer.text());
        }
    })
    .await;
}

fn named(world: &World, route: &Route, ids: &Ids) -> Ask {
    let line = line_of(route).expect("it has its line");
    let path = filled(&route.path, |name| ids.in_path(name));
    (line.sent)(ids).on(world.ask(route.method.clone(), &path))
}

fn without_rows_of(snapshot: &Snapshot, coach: domain::ids::CoachId) -> Snapshot {
    // PostgreSQL writes ids with hyphens, SQLite as bytes.
    snapshot.clone().without_rows_with(&[coach.to_string(), coach.0.simple().to_string().to_uppercase()])
}
