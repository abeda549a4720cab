//! One link for good: it goes on on every device, and shows whose mailbox it came from only when somebody does something.

use axum::http::StatusCode;
use domain::ids::{RegistrationId, ViewId};
use domain::watching::Beat;
use persistence::entities::registration;
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::times::{bookings, room_of, slots, webinar_at};
use crate::world::{Registrant, World, between};

/// Plays ten seconds from there on, as a browser reports them.
async fn play(world: &World, view: ViewId, from: f64) {
    world.wait(10);
    let beat = Beat { view, seq: 0, from, to: from + 10.0, rate: 1.0, hidden: false, muted: false, captions: false };
    let answer = world.post("/api/beats").json(&serde_json::to_value(&beat).expect("is written")).send().await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
}

async fn row_of(world: &World, id: RegistrationId) -> registration::Model {
    let found = registration::Entity::find_by_id(id).one(world.database.database.reader()).await;
    found.expect("answers").expect("is there")
}

/// The link a mail brought.
fn mailed(world: &World, email: &str) -> Registrant {
    let mail = world.mails_to(email).remove(0);
    let token = between(&mail.text, "/r/", "\n").expect("a link").trim().to_owned();
    Registrant { email: email.to_owned(), room: format!("/r/{token}") }
}

#[tokio::test]
async fn a_third_device_goes_on_at_the_last_second() {
    each_database("third device", |test| async move {
        let world = World::new(test);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        let shown = world.register(&webinar, "anna@example.net").await;
        world.run_jobs().await;
        let link = mailed(&world, "anna@example.net");
        assert_ne!(link.room, shown.room);
        // The page after registering, the telephone by the mail, and a computer by the mail.
        let first = world.enter(&shown).await;
        assert!(first.resume_seconds.abs() < f64::EPSILON);
        play(&world, first.view.expect("a visit"), 5.0).await;
        let second = world.enter(&link).await;
        assert!((second.resume_seconds - 15.0).abs() < 0.01, "{}", second.resume_seconds);
        play(&world, second.view.expect("a visit"), 40.0).await;
        // Days later, and the first one's window still open.
        world.wait(2 * 86_400);
        let third = world.enter(&link).await;
        assert!((third.resume_seconds - 50.0).abs() < 0.01, "{}", third.resume_seconds);
        assert!(third.view != second.view && third.view != first.view);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_proven_by_what_somebody_does_with_a_mailed_link_and_by_no_scanner() {
    each_database("proven", |test| async move {
        let world = World::new(test);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        let shown = world.register(&webinar, "anna@example.net").await;
        let id = world.backend.room_token_names(shown.room.trim_start_matches("/r/")).expect("a token of ours");
        world.run_jobs().await;
        // Who typed the address can watch at once, and has shown nothing of the mailbox by that.
        let view = world.enter(&shown).await.view.expect("a visit");
        play(&world, view, 0.0).await;
        assert_eq!(row_of(&world, id).await.proven_at, None);
        // Nor has the coach who looks at the link.
        let person = world.handle(&maya).await.registrant(webinar.id, id).await.expect("reads");
        assert!(person.room_url.ends_with(&shown.room), "{}", person.room_url);

        // A scanner opens every link of a mail, and some ask twice.
        let link = mailed(&world, "anna@example.net");
        for _ in 0..2 {
            assert_eq!(world.get(&link.room).send().await.status, StatusCode::OK);
        }
        world.get(&world.backend.unsubscribe_path(id)).send().await;
        let view = world.enter(&link).await.view.expect("a visit");
        assert_eq!(row_of(&world, id).await.proven_at, None);
        // Play is what a person does.
        let before = world.backend.now();
        play(&world, view, 0.0).await;
        let proven_at = row_of(&world, id).await.proven_at.expect("is proven");
        assert!(before < proven_at && proven_at <= world.backend.now(), "{proven_at}");
        let view = world.enter(&link).await.view.expect("a visit");
        play(&world, view, 20.0).await;
        assert_eq!(row_of(&world, id).await.proven_at, Some(proven_at), "the first time counts");
        let page = format!("/dashboard/webinars/{}/registrants/{id}", webinar.id);
        let page = world.get(&page).by(&maya).send().await.text();
        assert!(page.contains("Showed that the address is theirs"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_press_on_the_page_of_a_mailed_link_proves_the_address_and_no_other_press_does() {
    each_database("proven by a press", |test| async move {
        let world = World::new(test);
        let (_, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        crate::times::register(&world, &webinar, "anna@example.net", "UTC", 0).await;
        let (row, _) = bookings(&world).await.remove(0);
        let shown = world.backend.shown_room_path(row.id, row.link_version);
        for (path, proves) in [(shown, false), (room_of(&world, &row), true)] {
            let page = world.get(&path).send().await.text();
            let fields = [("slot", slots(&page)[usize::from(proves) + 1].clone()), ("zone", "UTC".to_owned())];
            let answer = world.post(&path).form(&fields).send().await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            assert_eq!(row_of(&world, row.id).await.proven_at.is_some(), proves);
        }
    })
    .await;
}

#[tokio::test]
async fn the_link_comes_again_three_times_an_hour_and_nobody_learns_who_is_registered() {
    each_database("again", |test| async move {
        let world = World::new(test);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.published(&maya, "Breathing before talking").await;
        world.register(&webinar, "anna@example.net").await;
        world.run_jobs().await;
        let link = mailed(&world, "anna@example.net");
        let ask =
            |email: &'static str| world.post(&format!("/w/{}/link", webinar.slug)).form(&[("email", email)]).send();
        for place in 0..4 {
            let (known, unknown) = (ask("anna@example.net").await, ask("nobody@example.net").await);
            let wanted = if place < 3 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!((known.status, unknown.status), (wanted, wanted), "{place}");
            // What differs is the address that was typed, and what is made anew for each page.
            let plain = |answer: &str, email: &str| {
                let page = between(answer, "<main", "</main>").expect("a page").replace(email, "ADDRESS");
                let stamp = between(&page, "name=\"form_stamp\" value=\"", "\"").map(str::to_owned);
                stamp.map_or(page.clone(), |stamp| page.replace(&stamp, "STAMP"))
            };
            let texts = (plain(&known.text(), "anna@example.net"), plain(&unknown.text(), "nobody@example.net"));
            assert_eq!(texts.0, texts.1, "{place}");
            world.run_jobs().await;
        }
        // The confirmation and two more: nobody's inbox is flooded. The link is the same one.
        assert_eq!(world.mails_to("anna@example.net").len(), 3);
        assert_eq!(mailed(&world, "anna@example.net").room, link.room);
        assert!(world.mails_to("nobody@example.net").is_empty());
    })
    .await;
}

#[tokio::test]
async fn unpublishing_closes_the_form_and_honours_who_booked_unless_the_coach_closes_at_once() {
    each_database("unpublished", |test| async move {
        let world = World::new(test);
        let (maya, webinar) = webinar_at(&world, &[("kind", "daily"), ("at", "18:00"), ("zone", "UTC")]).await;
        for (email, place) in [("anna@example.net", 1), ("ben@example.net", 2)] {
            crate::times::register(&world, &webinar, email, "UTC", place).await;
        }
        world.run_jobs().await;
        let rows = bookings(&world).await;
        let start = |place: usize| rows[place].1.starts_at.expect("a time");
        let (anna, ben) = (room_of(&world, &rows[0].0), room_of(&world, &rows[1].0));
        let handle = world.handle(&maya).await;
        handle.unpublish(webinar.id, false).await.expect("is unpublished");
        assert_eq!(world.get(&format!("/w/{}", webinar.slug)).send().await.status, StatusCode::NOT_FOUND);
        let shown = world.get(&anna).send().await.text();
        assert!(shown.contains("id=\"countdown\"") && slots(&shown).is_empty(), "waits, and changes no more: {shown}");
        crate::times::go_to(&world, start(0));
        world.run_jobs().await;
        assert!(world.mails_to("anna@example.net").len() > 1, "reminders come");
        assert!(crate::world::player_props(&world.get(&anna).send().await.text()).is_some(), "and the room opens");

        handle.unpublish(webinar.id, true).await.expect("is closed");
        assert_eq!(world.get(&ben).send().await.status, StatusCode::GONE);
        let told = world.mails_to("ben@example.net").len();
        crate::times::go_to(&world, start(1));
        world.run_jobs().await;
        assert_eq!(world.mails_to("ben@example.net").len(), told, "nobody is reminded of a closed door");
        assert_eq!(world.get(&ben).send().await.status, StatusCode::GONE);
    })
    .await;
}
