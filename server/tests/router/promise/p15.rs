//! "Essential cookies": whatever is asked, no cookie is set that the data map does not name, and each is protected.

use axum::http::{HeaderMap, Method};
use privacy::DataMap;
use privacy::map::Location;
use testkit::each_database;

use crate::lines::{FORM_LINES, Sent, line_of};
use crate::world::{Kind, Story, World, every_route, filled};

fn named_by_the_map() -> Vec<&'static str> {
    let cookie = |location: &'static Location| match location {
        Location::Cookie(name) => Some(name.as_str()),
        _ => None,
    };
    DataMap::current().places.iter().filter_map(|place| cookie(&place.location)).collect()
}

fn check(what: &str, headers: &HeaderMap, named: &[&str], seen: &mut usize) {
    for value in headers.get_all("set-cookie") {
        let text = value.to_str().expect("plain text");
        let (name, rest) = text.split_once('=').expect("a name");
        assert!(named.contains(&name), "{what} sets {name}, which the data map does not name");
        for part in ["; Path=/", "; HttpOnly"] {
            assert!(rest.contains(part), "{what}: {text}");
        }
        assert!(rest.contains("; SameSite=Lax") || rest.contains("; SameSite=Strict"), "{what}: {text}");
        *seen += 1;
    }
}

#[tokio::test]
async fn nothing_sets_a_cookie_the_map_does_not_name() {
    each_database("p15", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let named = named_by_the_map();
        let mut seen = 0;
        for route in every_route(&world).await {
            let path = filled(&route.path, |name| story.hers.in_path(name));
            for coach in [None, Some(&story.tom), Some(&story.maya)] {
                let mut ask = world.ask(route.method.clone(), &path).in_browser();
                if let Some(coach) = coach {
                    ask = ask.by(coach);
                }
                if route.kind == Kind::Plain && route.method == Method::GET {
                    ask = line_of(&route).map(|line| (line.sent)(&story.hers)).unwrap_or(Sent::Nothing).on(ask);
                }
                check(&route.name(), &ask.send().await.headers, &named, &mut seen);
            }
        }
        for line in FORM_LINES {
            let mut fields = (line.fields)(&story.hers);
            fields.push(("_form", line.name.to_owned()));
            let answer = Sent::Form(fields).on(world.post("/login")).by(&story.tom).in_browser().send().await;
            check(line.name, &answer.headers, &named, &mut seen);
        }
        let fields = [("_form", "sign_in"), ("email", "maya@example.com"), ("password", crate::world::PASSWORD)];
        check("signing in", &world.post("/login").form(&fields).send().await.headers, &named, &mut seen);
        assert!(seen >= 2, "signing in and out were not seen to set their cookie");
    })
    .await;
}
