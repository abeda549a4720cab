//! My data in every account state, the ways out, viewers' requests, and the operators' seats, over HTTP.

use domain::rights::AccountState;
use futures::FutureExt;
use testkit::each_database;

use crate::lines::{About, ROUTE_LINES};
use crate::world::{Answer, Coach, Ids, PASSWORD, Story, World, between, every_route, filled};

async fn set_state(world: &World, coach: &Coach, to: AccountState) {
    let id = world.handle(coach).await.id();
    let moved = world.backend.fence(move |transaction| {
        async move { Ok(persistence::rights::set_account_state(transaction, id, AccountState::ALL, to).await?) }.boxed()
    });
    assert!(moved.await.expect("moves"));
}

async fn close(world: &World, coach: &Coach, fields: &[(&str, &str)]) -> Answer {
    world.post("/dashboard/my-data/close").by(coach).in_browser().form(fields).send().await
}

/// The token of the newest mailed link.
async fn mailed_token(world: &World, coach: &Coach) -> String {
    let asked = world.post("/dashboard/my-data/close-link").by(coach).in_browser().send().await;
    assert_eq!(asked.header("location"), "/dashboard/my-data?done=close-link", "{}", asked.text());
    world.run_jobs().await;
    let mail = world.mails_to(&coach.email).into_iter().find(|mail| mail.text.contains("/my-data/close?t="));
    let text = mail.expect("the mail").text;
    between(&text, "/my-data/close?t=", "\n").expect("a token").trim().to_owned()
}

/// P26, the coach's half.
#[tokio::test]
async fn my_data_is_there_in_every_account_state() {
    each_database("my data states", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        for state in [AccountState::Restricted, AccountState::Leaving, AccountState::Closing, AccountState::Active] {
            set_state(&world, &story.maya, state).await;
            let page = world.get("/dashboard/my-data").by(&story.maya).in_browser().send().await;
            assert_eq!(page.status, 200, "{state:?}: {}", page.text());
            let text = page.text();
            for held in ["maya@example.com", "Breathing before talking", "id=\"tldr\"", "E-mail address"] {
                assert!(text.contains(held), "{state:?}: {held} is not on the page");
            }
            // Who registered with her is counted here, and not named.
            assert!(!text.contains(&story.anna.email));
            let rest = world.get("/dashboard/webinars").by(&story.maya).in_browser().send().await.text();
            let is_closed = rest.contains("class=\"look closed\"");
            assert_eq!(is_closed, state != AccountState::Active, "{state:?}: one sentence on every other page");
            let create = [("_form", "create_webinar"), ("title", "More")];
            let tried = world.post("/dashboard/webinars").by(&story.maya).form(&create).send().await;
            assert_eq!(tried.status == 409, state != AccountState::Active, "{state:?}: {}", tried.status);
        }
    })
    .await;
}

/// X18: a session alone opens no way out.
#[tokio::test]
async fn a_stolen_session_closes_nothing() {
    each_database("stolen session", |test| async move {
        let world = World::new(test);
        let tom = world.coach("Tom", "tom@example.org").await;
        let webinar = world.published(&tom, "Toms own hour").await;
        let token = mailed_token(&world, &tom).await;
        let good = [("exit", "later"), ("password", PASSWORD), ("token", &token), ("name", "tom")];
        for (name, value) in [("exit", "never"), ("password", "guess"), ("token", "AAAA"), ("name", "Tim")] {
            let fields: Vec<_> = good.map(|(field, good)| (field, if field == name { value } else { good })).to_vec();
            let refused = close(&world, &tom, &fields).await;
            assert_eq!(refused.status, 422, "{name}: {}", refused.text());
            assert!(refused.text().contains("role=\"alert\""));
            assert!(!refused.text().contains(PASSWORD), "a password travels back");
        }
        // His password changes: whoever did that waits for three days, and he has the mail.
        let change =
            [("_form", "change_password"), ("current_password", PASSWORD), ("password", "another-quiet-lantern")];
        assert_eq!(world.post("/dashboard/account").by(&tom).form(&change).send().await.status, 303);
        let hot = [("exit", "later"), ("password", "another-quiet-lantern"), ("token", &token), ("name", "tom")];
        assert_eq!(close(&world, &tom, &hot).await.status, 409);
        let page = world.get("/dashboard/my-data/close").by(&tom).in_browser().send().await.text();
        assert!(page.contains("id=\"cooling\"") && !page.contains("id=\"confirm\""));
        assert_eq!(world.get(&format!("/w/{}", webinar.slug)).send().await.status, 200, "nothing was closed");

        world.wait(72 * 3_600 + 1);
        let token = mailed_token(&world, &tom).await;
        let cooled = [("exit", "later"), ("password", "another-quiet-lantern"), ("token", &token), ("name", "tom")];
        let left = close(&world, &tom, &cooled).await;
        assert_eq!(left.header("location"), "/dashboard/my-data?done=close", "{}", left.text());
    })
    .await;
}

#[tokio::test]
async fn leaving_shuts_everything_at_once_and_one_button_leads_back() {
    each_database("leaving", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let preview = world.get("/dashboard/my-data/close").by(&story.maya).in_browser().send().await.text();
        for part in ["id=\"going\"", "id=\"kept\"", "webinars", "people registered", "name=\"code\""] {
            assert!(preview.contains(part), "the preview lacks {part}");
        }
        let code = story.factor.codes.last().expect("a code");
        let fields = [("exit", "later"), ("password", PASSWORD), ("code", code), ("name", "Maya")];
        assert_eq!(close(&world, &story.maya, &fields).await.status, 303);
        assert_eq!(world.get(&format!("/w/{}", story.webinar.slug)).send().await.status, 410);
        assert_eq!(world.get(&story.anna.room).send().await.status, 410);
        let upload = format!("/uploads/{}", story.hers.upload);
        let ask = world.ask(axum::http::Method::HEAD, &upload).by(&story.maya).tus().send().await;
        assert_eq!(ask.status, 410, "the upload under way ended");
        let other = world.backend.coach_by_token(&story.other_browser).await.expect("asked");
        assert!(other.is_none(), "her other browser is signed out");
        world.run_jobs().await;
        let told = world.mails_to(&story.maya.email);
        assert!(told.iter().any(|mail| mail.subject.contains("deleted in 14 days")), "she is told by mail");
        // The code was used up.
        assert_eq!(
            close(&world, &story.maya, &[("exit", "now"), ("password", PASSWORD), ("code", code), ("name", "Maya")])
                .await
                .status,
            422
        );

        let page = world.get("/dashboard/my-data").by(&story.maya).in_browser().send().await.text();
        assert!(page.contains("action=\"/dashboard/my-data/stay\""));
        let stay = world.post("/dashboard/my-data/stay").by(&story.maya).in_browser().send().await;
        assert_eq!(stay.header("location"), "/dashboard/my-data?done=stay");
        assert_eq!(world.get(&format!("/w/{}", story.webinar.slug)).send().await.status, 200);
        world.wait(40 * 86_400);
        world.run_jobs().await;
        let still = world.sign_in_with(&story.maya.email, &story.factor.codes[0]).await;
        assert_eq!(world.get("/dashboard/my-data").by(&still).in_browser().send().await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn delete_now_leads_to_a_page_with_its_steps_and_the_receipt() {
    each_database("delete now", |test| async move {
        let world = World::new(test);
        let tom = world.coach("Tom", "tom@example.org").await;
        world.published(&tom, "Toms own hour").await;
        let token = mailed_token(&world, &tom).await;
        let left =
            close(&world, &tom, &[("exit", "now"), ("password", PASSWORD), ("token", &token), ("name", "Tom")]).await;
        let place = left.header("location");
        assert!(place.starts_with("/privacy/erasures/"), "{}", left.text());
        assert_eq!(world.get("/dashboard").by(&tom).send().await.header("location"), "/login", "signed out at once");
        let running = world.get(&place).in_browser().send().await;
        assert_eq!(running.status, 200);
        assert!(!running.text().contains("tom@example.org"));
        for _ in 0..4 {
            world.run_jobs().await;
            world.wait(3_600);
        }
        let over = world.get(&place).in_browser().send().await.text();
        assert!(over.contains("id=\"receipt\"") && over.contains("<strong>done<"), "{over}");
        assert!(world.mails_to("tom@example.org").iter().any(|mail| mail.subject.contains("receipt")));
        let nothing = world.get(&format!("/privacy/erasures/{}", domain::ids::RequestId::new())).send().await;
        assert_eq!(nothing.status, 404);
    })
    .await;
}

#[tokio::test]
async fn the_console_is_nowhere_for_who_has_no_seat() {
    each_database("console", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let before = world.snapshot().await.without(&["rate_limit"]);
        let missing = Ids::missing(&world);
        let mut tried = 0;
        for route in every_route(&world).await {
            let Some(line) = ROUTE_LINES.iter().find(|line| line.path == route.path && route.method == line.method)
            else {
                continue;
            };
            if line.about != About::Operator {
                continue;
            }
            tried += 1;
            for ids in [&story.hers, &missing] {
                let path = filled(&route.path, |name| ids.in_path(name));
                let ask = || (line.sent)(ids).on(world.ask(route.method.clone(), &path)).in_browser();
                assert_eq!(ask().send().await.header("location"), "/login", "{} by a guest", route.name());
                assert_eq!(ask().by(&story.tom).send().await.status, 404, "{} by Tom", route.name());
            }
        }
        assert!(tried >= 14, "only {tried} routes of the console");
        assert_eq!(before.changes_to(&world.snapshot().await.without(&["rate_limit"])), "");
    })
    .await;
}

/// P42: no second factor, no console; no reason, no look; and the coach reads the reason.
#[tokio::test]
async fn an_operator_shows_a_second_factor_and_says_why() {
    each_database("operator", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let tom = world.handle(&story.tom).await.id();
        world.backend.remove_operator(&story.nora.email).await.expect("free");
        world.backend.add_operator(&story.tom.email).await.expect("a seat");
        let console = |coach| world.get("/operators").by(coach).in_browser().send();
        assert_eq!(console(&story.tom).await.status, 403, "a seat without a second factor opens nothing");
        let (with_factor, _) = world.with_factor(&story.tom).await;
        assert_eq!(console(&story.tom).await.status, 403, "a browser from before has never shown it");
        assert_eq!(console(&with_factor).await.status, 200);

        let look = |reason: &'static str| {
            let ask = world.post(&format!("/operators/coaches/{tom}")).by(&story.maya).in_browser();
            ask.form(&[("reason", reason)]).send()
        };
        let before = world.snapshot().await;
        let refused = look(" ").await;
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert!(!refused.text().contains("tom@example.org"));
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        let opened = look("He asked us why his mails do not arrive.").await;
        assert_eq!(opened.status, 200);
        assert!(opened.text().contains("tom@example.org"));
        let own = world.get("/dashboard/my-data").by(&with_factor).in_browser().send().await.text();
        assert!(own.contains("He asked us why his mails do not arrive."));
    })
    .await;
}

/// P25: one operator alone gets 403, two get what the order names, and everybody gets the count.
#[tokio::test]
async fn an_authority_gets_what_two_operators_agreed_on() {
    each_database("authority", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let id = story.hers.waiting.disclosure;
        let coach = story.hers.waiting.coach.to_string();
        let named = [("coach", coach.as_str()), ("email", story.anna.email.as_str())];
        let hand_out = |who: &Coach| {
            let ask = world.post(&format!("/operators/disclosures/{id}/hand-out")).by(who).in_browser();
            ask.form(&named).send()
        };
        let agree = |who: &Coach| world.post(&format!("/operators/disclosures/{id}/agree")).by(who).in_browser().send();
        assert_eq!(hand_out(&story.nora).await.status, 403);
        assert_eq!(agree(&story.nora).await.status, 403, "she entered it herself");
        assert_eq!(hand_out(&story.maya).await.status, 403);
        assert_eq!(agree(&story.maya).await.status, 303);
        let handed = hand_out(&story.nora).await;
        assert_eq!(handed.status, 200, "{}", handed.text());
        let text = handed.text();
        assert!(text.contains(&story.anna.email), "{text}");
        for beyond in ["Breathing before talking", "registered_at", "percent"] {
            assert!(!text.contains(beyond), "the order does not name {beyond}: {text}");
        }
        let count = world.get("/privacy/disclosures").in_browser().send().await.text();
        assert!(count.contains("<td>1<"), "{count}");
        assert!(!count.contains("A court"));
        let own = world.get("/dashboard/my-data").by(&story.maya).in_browser().send().await.text();
        assert!(own.contains("disclosure"), "the coach sees that it was handed out");
        world.wait(31 * 86_400);
        assert_ne!(hand_out(&story.nora).await.status, 200, "not for ever");
    })
    .await;
}

#[tokio::test]
async fn a_coach_sees_requests_without_people_and_answers_with_reasons() {
    each_database("handling", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let get = || world.get("/dashboard/requests").by(&story.maya).in_browser().send();
        let page = get().await.text();
        assert!(page.contains("Please not.") && page.contains("a legal claim"), "{page}");
        assert!(!page.contains(&story.hers.waiting.viewer), "who it is does not stand here");
        let path = format!("/dashboard/requests/objections/{}", story.hers.waiting.objection);
        let decide = |reasons: &'static str| {
            let ask = world.post(&path).by(&story.maya).in_browser();
            ask.form(&[("decision", "reject"), ("reasons", reasons)]).send()
        };
        assert_eq!(decide("").await.status, 422, "no reasons, no rejection");
        assert_eq!(decide("We have to bill by time.").await.status, 303);
        world.run_jobs().await;
        let mails = world.mails_to(&story.hers.waiting.viewer);
        assert!(mails.iter().any(|mail| mail.text.contains("We have to bill by time.")), "{mails:?}");
        assert!(mails.iter().any(|mail| mail.subject.contains("kept for a legal reason")));
        let texts = world.get("/dashboard/consent-texts").by(&story.maya).in_browser().send().await;
        assert!(texts.text().contains("version 1"), "{}", texts.text());
    })
    .await;
}

#[tokio::test]
async fn pages_about_the_asker_tell_somebody_else_nothing() {
    each_database("asker pages", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let before = world.snapshot().await;
        for line in ROUTE_LINES.iter().filter(|line| line.about == About::Asker) {
            let ask = || world.ask(line.method.parse().expect("a method"), line.path).in_browser();
            let guest = (line.sent)(&story.hers).on(ask()).send().await;
            assert_eq!(guest.header("location"), "/login", "{} {}", line.method, line.path);
            if line.method == "GET" {
                let toms = ask().by(&story.tom).send().await;
                assert_eq!(toms.status, 200);
                for mark in [&story.maya.email, &story.anna.email, &story.webinar.title] {
                    assert!(!toms.text().contains(mark), "{} tells {mark}", line.path);
                }
            }
        }
        assert_eq!(before.changes_to(&world.snapshot().await), "");
    })
    .await;
}

/// P50: one action, everywhere, and no name on record.
#[tokio::test]
async fn a_reported_child_is_removed_everywhere_at_once() {
    each_database("child", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        let toms = world.published(&story.tom, "Another hour").await;
        world.register(&toms, &story.hers.child).await;
        let purge = |address: String| {
            let ask = world.post("/operators/children").by(&story.maya).in_browser();
            ask.form(&[("address", address)]).send()
        };
        assert_eq!(purge("nobody@example.com".to_owned()).await.header("location"), "/operators/children?done=nobody");
        assert_eq!(purge(story.hers.child.clone()).await.header("location"), "/operators/children?done=child");
        world.run_jobs().await;
        world.wait(3_600);
        world.run_jobs().await;
        let told = |email: &str| {
            world.mails_to(email).into_iter().find(|mail| mail.subject.contains("child")).expect("she is told")
        };
        for email in [&story.maya.email, &story.tom.email] {
            assert!(!told(email).text.contains(&story.hers.child), "the mail says whom");
        }
        let people = world.handle(&story.maya).await.registrants(story.webinar.id, &Default::default()).await;
        let people = people.expect("reads").rows;
        assert!(people.iter().all(|row| row.email != story.hers.child));
        assert!(people.iter().any(|row| row.email == story.anna.email), "everybody else is still there");
    })
    .await;
}
