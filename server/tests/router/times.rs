//! Sessions at set times: what is clicked is what is booked, the room opens on time, and there is always a way in.

mod single;

use axum::http::{StatusCode, header};
use domain::Moment;
use persistence::entities::{registration, session};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use testkit::each_database;

use crate::world::{Coach, Webinar, World, between, player_props};

/// Adds a rule through the page of times.
async fn add_rule(world: &World, coach: &Coach, webinar: &Webinar, fields: &[(&str, &str)]) {
    let id = webinar.id.to_string();
    let page = format!("/dashboard/webinars/{id}/times");
    let form = [&[("_form", "add_rule"), ("webinar", id.as_str())], fields].concat();
    let answer = world.post(&page).by(coach).form(&form).send().await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

pub(crate) async fn webinar_at(world: &World, rule: &[(&str, &str)]) -> (Coach, Webinar) {
    let maya = world.coach("Maya", "maya@example.com").await;
    let webinar = world.published(&maya, "Breathing before talking").await;
    add_rule(world, &maya, &webinar, rule).await;
    (maya, webinar)
}

/// What the radios of a page send, in order.
pub(crate) fn slots(page: &str) -> Vec<String> {
    let radios = page.split("type=\"radio\" name=\"slot\" value=\"").skip(1);
    radios.map(|rest| rest.split('"').next().expect("a value").to_owned()).collect()
}

/// Fills the form of a page in this zone and presses the button, with the slot at this place.
pub(crate) async fn register(world: &World, webinar: &Webinar, email: &str, zone: &str, place: usize) -> String {
    let path = format!("/w/{}?zone={zone}", webinar.slug);
    let page = world.get(&path).send().await.text();
    let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("a stamp").to_owned();
    let slot = slots(&page).get(place).expect("a slot").clone();
    world.wait(2);
    let fields = [
        ("email", email.to_owned()),
        ("consent", "yes".to_owned()),
        ("form_stamp", stamp),
        ("slot", slot),
        ("zone", zone.to_owned()),
    ];
    let answer = world.post(&format!("/w/{}", webinar.slug)).form(&fields).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.text()
}

pub(crate) async fn bookings(world: &World) -> Vec<(registration::Model, session::Model)> {
    let found = registration::Entity::find().order_by_asc(registration::Column::Id).find_also_related(session::Entity);
    let rows = found.all(world.database.database.reader()).await.expect("answers");
    rows.into_iter().map(|(row, session)| (row, session.expect("a session"))).collect()
}

pub(crate) fn room_of(world: &World, row: &registration::Model) -> String {
    world.backend.room_path(row.id, row.link_version)
}

/// Moves the clock to a moment.
pub(crate) fn go_to(world: &World, moment: Moment) {
    world.wait(moment.seconds_since(world.backend.now()).ceil() as i64);
}

#[tokio::test]
async fn a_booked_time_is_waited_for_opens_by_itself_and_has_a_way_in_when_missed() {
    each_database("a slot", |test| async move {
        let world = World::new(test);
        let rule = [("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")];
        let (_, webinar) = webinar_at(&world, &rule).await;
        // Without a choice the times stand in the rule's zone, and in no page does anything run that was not signed for.
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(page.contains(", 18:00<") && page.contains("Europe/Paris"), "{page}");
        assert_eq!(slots(&page).len(), 3);
        let shown = register(&world, &webinar, "anna@example.net", "America/New_York", 1).await;
        assert!(shown.contains(", 12:00") || shown.contains(", 13:00"), "noon in New York: {shown}");
        assert!(!shown.contains("/r/"), "the way in is in the mail: {shown}");

        let all = bookings(&world).await;
        let (row, session) = &all[0];
        let starts_at = session.starts_at.expect("a time");
        assert_eq!((session.kind.as_str(), row.time_zone.as_deref()), ("scheduled", Some("America/New_York")));
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert!(mails[0].text.contains("America/New York"), "{}", mails[0].text);

        let room = room_of(&world, row);
        let file = &mails[0].attachments[0];
        assert_eq!((file.name.as_str(), file.content.contains("SEQUENCE:0")), ("session.ics", true), "{file:?}");
        assert!(file.content_type.contains("method=REQUEST") && file.content.contains("METHOD:REQUEST"), "{file:?}");
        let calendar = world.get(&format!("{room}/calendar.ics")).send().await;
        assert!(
            calendar.header("content-type").starts_with("text/calendar") && calendar.text().contains("METHOD:PUBLISH")
        );
        assert!(calendar.text().contains(&starts_at.timestamp().strftime("DTSTART:%Y%m%dT%H%M%SZ").to_string()));
        let early = world.get(&room).send().await;
        assert_eq!(early.status, StatusCode::OK);
        assert!(player_props(&early.text()).is_none() && !early.text().contains("/media/video"), "nothing plays yet");
        assert!(early.text().contains("id=\"countdown\"") && early.text().contains("http-equiv=\"refresh\""));
        go_to(&world, starts_at);
        let open = world.get(&room).send().await.text();
        assert_eq!(world.get(&format!("{room}/calendar.ics")).send().await.status, StatusCode::NOT_FOUND);
        let player = player_props(&open).expect("it plays");
        assert!(player.resume_seconds.abs() < f64::EPSILON, "from the start: {}", player.resume_seconds);

        // A quarter of an hour after its end a missed one is final; the recording can still be watched for a week.
        world.backend.plan_periodic().await.expect("planned");
        world.wait(3_600);
        world.backend.run_due_jobs("test").await.expect("jobs run");
        assert_eq!(bookings(&world).await[0].0.outcome, "missed");
        assert!(player_props(&world.get(&room).send().await.text()).is_some());
        go_to(&world, row.expires_at);
        let over = world.get(&room).send().await.text();
        assert!(player_props(&over).is_none());
        let again = slots(&over)[0].clone();
        let fields = [("slot", again), ("zone", "America/New_York".to_owned())];
        let taken = world.post(&room).form(&fields).send().await;
        assert_eq!((taken.status, taken.header(header::LOCATION.as_str())), (StatusCode::SEE_OTHER, room.clone()));
        let (row, session) = bookings(&world).await.remove(0);
        assert!(session.starts_at.expect("a time") > world.backend.now());
        assert_eq!((row.outcome.as_str(), row.calendar_sequence, row.finalised_at), ("registered", 1, None));
        assert!(world.get(&room).send().await.text().contains("id=\"countdown\""), "the same link waits again");
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        let sequences: Vec<_> = mails.iter().map(|mail| mail.attachments[0].content.contains("SEQUENCE:1")).collect();
        assert_eq!(sequences, [true, false], "the calendar moves the entry it has");
    })
    .await;
}

#[tokio::test]
async fn somebody_registered_already_is_offered_a_switch_and_keeps_one_booking_and_one_link() {
    each_database("switch", |test| async move {
        let world = World::new(test);
        let (_, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        register(&world, &webinar, "gita@example.net", "UTC", 0).await;
        let before = bookings(&world).await.remove(0);
        world.wait(120);
        let offered = register(&world, &webinar, "GITA@example.net", "UTC", 2).await;
        let token = between(&offered, "name=\"token\" value=\"", "\"").expect("an offer").to_owned();
        assert!(!offered.contains("/r/"), "{offered}");
        assert_eq!(bookings(&world).await[0].1.starts_at, before.1.starts_at, "nothing changes by itself");

        let forged = format!("{}x", &token[..token.len() - 1]);
        let switch = format!("/w/{}/switch", webinar.slug);
        assert_eq!(world.post(&switch).form(&[("token", forged)]).send().await.status, StatusCode::CONFLICT);
        let answer = world.post(&switch).form(&[("token", token.clone())]).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let after = bookings(&world).await;
        assert_eq!(after.len(), 1);
        assert!(after[0].1.starts_at > before.1.starts_at);
        assert_eq!((after[0].0.id, after[0].0.link_version), (before.0.id, before.0.link_version));
        // Pressed twice it is done once.
        assert_eq!(world.post(&switch).form(&[("token", token.clone())]).send().await.status, StatusCode::OK);
        assert_eq!(bookings(&world).await[0].0.calendar_sequence, 1);
        // Nobody's inbox is flooded by somebody who knows the address: three mails a day, then no more changes.
        let offered = register(&world, &webinar, "gita@example.net", "UTC", 1).await;
        let another = between(&offered, "name=\"token\" value=\"", "\"").expect("an offer").to_owned();
        let answer = world.post(&switch).form(&[("token", another)]).send().await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text());
        assert_eq!(bookings(&world).await[0].0.calendar_sequence, 1);
        // An old offer is none.
        world.wait(3_700);
        assert_eq!(world.post(&switch).form(&[("token", token)]).send().await.status, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test]
async fn what_was_clicked_is_booked_what_passed_becomes_the_next_and_nothing_else_is_taken() {
    each_database("slots", |test| async move {
        let world = World::new(test);
        let rule = [("kind", "just_in_time"), ("every_minutes", "15"), ("opens", "00:00"), ("closes", "23:59")];
        let (_, webinar) = webinar_at(&world, &rule).await;
        let path = format!("/w/{}", webinar.slug);
        let page = world.get(&format!("{path}?zone=Asia/Kathmandu")).send().await.text();
        let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("a stamp").to_owned();
        let slot = slots(&page).remove(0);
        world.wait(2);
        let send = |slot: String| {
            let fields = [
                ("email", "ben@example.net".to_owned()),
                ("consent", "yes".to_owned()),
                ("form_stamp", stamp.clone()),
                ("zone", "Asia/Kathmandu".to_owned()),
                ("slot", slot),
            ];
            world.post(&path).form(&fields).send()
        };
        for wrong in [String::new(), "now".to_owned(), "AAAA.AAAA".to_owned(), format!("{slot}A")] {
            let answer = send(wrong.clone()).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(
                answer.text().contains("choose-slot-error") && answer.text().contains("ben@example.net"),
                "{wrong}"
            );
        }
        assert_eq!(registration::Entity::find().count(world.database.database.reader()).await.expect("answers"), 0);
        // The page stood open for an hour: the time is over, and the next one is said.
        world.wait(3_600);
        let answer = send(slot).await.text();
        assert!(answer.contains("had just passed") && answer.contains("Asia/Kathmandu"), "{answer}");
        let (row, session) = bookings(&world).await.remove(0);
        let starts_at = session.starts_at.expect("a time");
        let wait = starts_at.seconds_since(world.backend.now());
        assert!((120.0..=1_020.0).contains(&wait), "{wait}");
        assert_eq!((session.kind.as_str(), starts_at.unix_seconds() % 900), ("just_in_time", 0));
        let shown = world.backend.shown_room_path(row.id, row.link_version);
        assert!(answer.contains(&shown), "so soon, the way in stands on the page");
        assert!(!answer.contains(&room_of(&world, &row)), "what is mailed is for the mailbox alone");
    })
    .await;
}

#[tokio::test]
async fn one_evening_in_three_zones_is_three_sessions() {
    each_database("zones", |test| async move {
        let world = World::new(test);
        let rule = [("kind", "daily"), ("at", "19:00"), ("zone", "UTC"), ("floats", "on")];
        let (_, webinar) = webinar_at(&world, &rule).await;
        for (email, zone) in [
            ("lea@example.net", "America/Los_Angeles"),
            ("kiran@example.net", "Asia/Kolkata"),
            ("sam@example.net", "Australia/Sydney"),
        ] {
            let shown = register(&world, &webinar, email, zone, 1).await;
            assert!(shown.contains(", 19:00") && shown.contains(&zone.replace('_', " ")), "{shown}");
        }
        let all = bookings(&world).await;
        let starts: std::collections::BTreeSet<_> = all.iter().map(|(_, session)| session.starts_at).collect();
        assert_eq!(starts.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn impossible_rules_are_refused_by_field_and_a_rule_taken_away_leaves_bookings_alone() {
    each_database("rules", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        register(&world, &webinar, "anna@example.net", "UTC", 0).await;
        let handle = world.handle(&maya).await;
        let form =
            |kind: &str| domain::schedule::RuleForm { kind: kind.into(), at: "18:00".into(), ..Default::default() };
        let refused = |form| {
            let handle = &handle;
            async move {
                let error = handle.add_rule(webinar_id(handle).await, &form).await.expect_err("refused");
                error.into_refusal().field
            }
        };
        async fn webinar_id(handle: &backend::Coach) -> domain::ids::WebinarId {
            handle.webinars(None).await.expect("hers")[0].id
        }
        let past = domain::schedule::RuleForm { dates: "2020-01-01".into(), ..form("dates") };
        assert_eq!(refused(past).await.as_deref(), Some("dates"));
        assert_eq!(refused(form("weekly")).await.as_deref(), Some("days"));

        let view = handle.schedule(webinar.id, None).await.expect("hers");
        assert_eq!((view.rules.len(), view.next[0].booked), (1, 1));
        handle.remove_rule(webinar.id, view.rules[0].id).await.expect("taken away");
        assert_eq!(bookings(&world).await.len(), 1);
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(slots(&page).is_empty() && page.contains("There is no date at the moment"), "{page}");
        let view = handle.webinar(webinar.id).await.expect("hers");
        assert!(view.findings.iter().any(|finding| finding.blocks && finding.about == "times"));
    })
    .await;
}

/// Sends a form of the page of times.
async fn change(world: &World, coach: &Coach, webinar: &Webinar, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let id = webinar.id.to_string();
    let form = [&[("webinar", id.as_str())], fields].concat();
    let session = fields.iter().find(|(name, _)| *name == "session").map_or("", |(_, session)| *session);
    let page = format!("/dashboard/webinars/{id}/times?session={session}");
    let answer = world.post(&page).by(coach).form(&form).send().await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn a_session_is_moved_with_everybody_on_it_who_are_told_once() {
    each_database("moved", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")]).await;
        register(&world, &webinar, "anna@example.net", "America/New_York", 2).await;
        register(&world, &webinar, "ben@example.net", "UTC", 2).await;
        register(&world, &webinar, "cleo@example.net", "UTC", 1).await;
        world.run_jobs().await;
        let before = bookings(&world).await;
        let (anna, old) = before[0].clone();
        let (old_start, session) = (old.starts_at.expect("a time"), old.id.to_string());
        let day = old_start.plus_days(2).rfc3339()[..10].to_owned();
        let to = |date: &'static str, at: &'static str| {
            [("_form", "move_session"), ("date", date), ("at", at), ("zone", "Europe/Paris")]
        };
        // What is none is refused with its field named, and nothing changes.
        for (date, at, field) in
            [("soon", "19:30", "date"), ("2026-01-01", "19:30", "date"), ("2031-01-01", "25:00", "at")]
        {
            let form = [&[("session", session.as_str())], &to(date, at)[..]].concat();
            let (status, page) = change(&world, &maya, &webinar, &form).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{date} {at}");
            assert!(page.contains(&format!("move_session-{field}-problem")), "{field}: {page}");
        }
        let form = [
            ("_form", "move_session"),
            ("session", session.as_str()),
            ("date", day.as_str()),
            ("at", "19:30"),
            ("zone", "Europe/Paris"),
            ("note", "I am at a fair on that evening."),
        ];
        let (status, page) = change(&world, &maya, &webinar, &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let after = bookings(&world).await;
        for at in [0, 1] {
            let (row, session) = &after[at];
            assert!(session.starts_at.expect("a time") > old_start && session.cancelled_at.is_none());
            assert_eq!((row.calendar_sequence, row.link_version), (1, anna.link_version));
            assert!(row.finalises_at > session.starts_at && row.expires_at > session.starts_at.expect("a time"));
        }
        assert_eq!(after[2], before[2], "who booked another one is left alone");
        let new_start = after[0].1.starts_at.expect("a time");

        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert!(mails[0].subject.starts_with("New time: "), "{}", mails[0].subject);
        assert!(mails[0].text.contains(", 13:30") && mails[0].text.contains("I am at a fair"), "{}", mails[0].text);
        let entry = &mails[0].attachments[0].content;
        assert!(entry.contains("METHOD:REQUEST") && entry.contains("SEQUENCE:1"), "{entry}");
        assert!(entry.contains(&new_start.timestamp().strftime("DTSTART:%Y%m%dT%H%M%SZ").to_string()));
        assert_eq!(world.mails_to("cleo@example.net").len(), 1);
        // Nobody is offered the old time any more; the new one is offered to everybody.
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(!page.contains(&format!("datetime=\"{}\"", old_start.rfc3339())), "{page}");
        let listed = world.get(&format!("/dashboard/webinars/{}/times", webinar.id)).by(&maya).send().await.text();
        let changed = between(&listed, "id=\"changed\"", "</section>").expect("what was changed by hand");
        assert!(changed.contains("Off: ") && changed.contains(&format!("{day}T19:30:00@Europe/Paris")), "{changed}");
        // Reminders go before the new start, once each, and none before the old one.
        let told = world.mails_to("anna@example.net").len();
        go_to(&world, old_start);
        world.run_jobs().await;
        assert_eq!(world.mails_to("anna@example.net").len(), told, "nothing about the old time");
        go_to(&world, new_start);
        world.run_jobs().await;
        let reminders = world.mails_to("anna@example.net").len() - told;
        assert!((1..=3).contains(&reminders), "{reminders}");
        // It has begun.
        let session = after[0].1.id.to_string();
        let form = [&[("session", session.as_str())], &to("2031-01-01", "19:00")[..]].concat();
        assert_eq!(change(&world, &maya, &webinar, &form).await.0, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_called_off_and_its_links_lead_to_other_dates() {
    each_database("called off", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")]).await;
        let page = world.get(&format!("/w/{}?zone=UTC", webinar.slug)).send().await.text();
        let stale = slots(&page)[1].clone();
        register(&world, &webinar, "anna@example.net", "Europe/Paris", 1).await;
        world.run_jobs().await;
        let (anna, old) = bookings(&world).await.remove(0);
        let old_start = old.starts_at.expect("a time");
        let session = old.id.to_string();
        let form = [("_form", "call_off_session"), ("session", session.as_str()), ("note", "I caught a cold.")];
        assert_eq!(change(&world, &maya, &webinar, &form).await.0, StatusCode::SEE_OTHER);
        assert_eq!(change(&world, &maya, &webinar, &form).await.0, StatusCode::CONFLICT, "once");
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert_eq!(mails.len(), 2);
        assert!(
            mails[0].subject.starts_with("Called off: ") && mails[0].text.contains("I caught a cold."),
            "{mails:?}"
        );
        let entry = &mails[0].attachments[0];
        assert!(entry.content_type.contains("method=CANCEL") && entry.content.contains("STATUS:CANCELLED"));
        assert!(entry.content.contains("SEQUENCE:1"));

        // The old link says so and offers the others, but not this one, to anybody.
        let room = room_of(&world, &anna);
        let shown = world.get(&room).send().await.text();
        assert!(
            shown.contains("Called off") && shown.contains("I caught a cold.") && !shown.contains("countdown"),
            "{shown}"
        );
        assert_eq!(world.get(&format!("{room}/calendar.ics")).send().await.status, StatusCode::NOT_FOUND);
        assert!(!shown.contains(&format!("datetime=\"{}\"", old_start.rfc3339())));
        let gone = [("slot", stale.clone()), ("zone", "UTC".to_owned())];
        let refused = world.post(&room).form(&gone).send().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        // Nothing follows, and nobody is told afterwards that they missed it.
        go_to(&world, old_start.plus_days(2));
        world.backend.plan_periodic().await.expect("planned");
        world.run_jobs().await;
        assert_eq!(world.mails_to("anna@example.net").len(), 2);
        assert_eq!(bookings(&world).await[0].0.outcome, "registered");
        // One press books another date with the same link, and its reminders are planned.
        let shown = world.get(&room).send().await.text();
        let fields = [("slot", slots(&shown)[1].clone()), ("zone", "Europe/Paris".to_owned())];
        assert_eq!(world.post(&room).form(&fields).send().await.status, StatusCode::SEE_OTHER);
        let (row, session) = bookings(&world).await.remove(0);
        let start = session.starts_at.expect("a time");
        assert!(start > world.backend.now() && session.cancelled_at.is_none() && row.finalises_at.is_some());
        assert!(world.get(&room).send().await.text().contains("id=\"countdown\""));
        world.run_jobs().await;
        let told = world.mails_to("anna@example.net").len();
        go_to(&world, start);
        world.run_jobs().await;
        assert!(world.mails_to("anna@example.net").len() > told, "reminders of the new one");
    })
    .await;
}

#[tokio::test]
async fn without_a_date_people_leave_their_address_and_are_told_once_there_is_one() {
    each_database("waiting list", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("a stamp").to_owned();
        world.wait(2);
        let ask = |stamp: String| {
            let fields = [
                ("email", "anna@example.net".to_owned()),
                ("consent", "yes".to_owned()),
                ("form_stamp", stamp),
                ("zone", "Europe/Paris".to_owned()),
                ("slot", "later".to_owned()),
            ];
            world.post(&format!("/w/{}", webinar.slug)).form(&fields).send()
        };
        assert_eq!(ask(stamp).await.status, StatusCode::UNPROCESSABLE_ENTITY, "there are dates to choose from");

        let handle = world.handle(&maya).await;
        let view = handle.schedule(webinar.id, None).await.expect("reads");
        handle.remove_rule(webinar.id, view.rules[0].id).await.expect("taken away");
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(page.contains("Tell me about new dates") && page.contains("value=\"later\""), "{page}");
        let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").expect("a stamp").to_owned();
        world.wait(2);
        let answer = ask(stamp).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert!(answer.text().contains("You are on the list") && !answer.text().contains("/r/"), "{}", answer.text());
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.starts_with("You are on the list: "), "{mails:?}");
        let (row, _) = bookings(&world).await.remove(0);
        let room = room_of(&world, &row);
        let shown = world.get(&room).send().await.text();
        assert!(shown.contains("on the list") && player_props(&shown).is_none(), "{shown}");

        // A date that is far away is out of reach; once it is near, those who wait are told by themselves.
        let far = world.backend.now().plus_days(20).rfc3339()[..10].to_owned();
        add_rule(
            &world,
            &maya,
            &webinar,
            &[("kind", "dates"), ("dates", far.as_str()), ("at", "18:00"), ("zone", "UTC")],
        )
        .await;
        world.run_jobs().await;
        assert_eq!(world.mails_to("anna@example.net").len(), 1);
        world.backend.plan_periodic().await.expect("planned");
        world.wait(10 * 86_400);
        world.run_jobs().await;
        // Whatever comes then: one mail, and one press books a date with the same link.
        for at in ["18:00", "20:00"] {
            add_rule(&world, &maya, &webinar, &[("kind", "daily"), ("at", at), ("zone", "UTC")]).await;
            world.run_jobs().await;
        }
        let mails = world.mails_to("anna@example.net");
        assert_eq!(mails.len(), 2, "{mails:?}");
        assert!(mails[0].subject.starts_with("New dates: ") && mails[0].text.contains(&room), "{mails:?}");
        let shown = world.get(&room).send().await.text();
        let fields = [("slot", slots(&shown)[1].clone()), ("zone", "Europe/Paris".to_owned())];
        assert_eq!(world.post(&room).form(&fields).send().await.status, StatusCode::SEE_OTHER);
        let (row, session) = bookings(&world).await.remove(0);
        let start = session.starts_at.expect("a time");
        assert!(row.finalises_at > Some(start));
        assert!(world.get(&room).send().await.text().contains("id=\"countdown\""));
        world.run_jobs().await;
        let told = world.mails_to("anna@example.net").len();
        go_to(&world, start);
        world.run_jobs().await;
        assert!(world.mails_to("anna@example.net").len() > told, "reminders like everybody's");
    })
    .await;
}

#[tokio::test]
async fn a_date_that_was_called_off_can_be_named_again_and_whoever_was_told_stays_told() {
    each_database("called off and on", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "Europe/Paris")]).await;
        register(&world, &webinar, "anna@example.net", "Europe/Paris", 1).await;
        let (anna, old) = bookings(&world).await.remove(0);
        let (start, session) = (old.starts_at.expect("a time"), old.id.to_string());
        let off = [("_form", "call_off_session"), ("session", session.as_str())];
        assert_eq!(change(&world, &maya, &webinar, &off).await.0, StatusCode::SEE_OTHER);
        let offered = |page: &str| page.contains(&format!("datetime=\"{}\"", start.rfc3339()));
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(!offered(&page), "{page}");
        let day = start.rfc3339()[..10].to_owned();
        let again = [("kind", "dates"), ("dates", day.as_str()), ("at", "18:00"), ("zone", "Europe/Paris")];
        add_rule(&world, &maya, &webinar, &again).await;
        let page = world.get(&format!("/w/{}", webinar.slug)).send().await.text();
        assert!(offered(&page), "a date that is named takes place: {page}");
        register(&world, &webinar, "ben@example.net", "Europe/Paris", 1).await;
        let rows = bookings(&world).await;
        assert_ne!(rows[0].0.session_id, rows[1].0.session_id);
        assert!(rows[0].1.cancelled_at.is_some() && rows[1].1.cancelled_at.is_none());
        world.run_jobs().await;
        let mails = world.mails_to("anna@example.net");
        assert!(mails[0].subject.starts_with("Called off: "), "{mails:?}");
        // And she takes it herself, if it suits her still.
        let room = room_of(&world, &anna);
        let shown = world.get(&room).send().await.text();
        let fields = [("slot", slots(&shown)[1].clone()), ("zone", "Europe/Paris".to_owned())];
        assert_eq!(world.post(&room).form(&fields).send().await.status, StatusCode::SEE_OTHER);
        let rows = bookings(&world).await;
        assert_eq!(rows[0].0.session_id, rows[1].0.session_id);
    })
    .await;
}
