//! "Correct inaccurate information": everything a viewer gave can be corrected by them, and the coach is told.

use domain::my_data::Errand;
use domain::rights::SubjectState;
use domain::webinar::{Asked, FieldChoice, RegistrationField, WebinarForm};
use privacy::DataMap;
use privacy::map::{Store, Subject};
use testkit::each_database;

use crate::rights::portal::{Corrected, answer_name};
use crate::world::World;

const TOM: &str = "tom@viewer.example";

/// A webinar that asks for everything it can, and somebody who answered.
async fn answered(test: &testkit::TestDatabase) -> (World, crate::world::Guest) {
    let world = World::published(test).await;
    let editor = world.coach.webinar(world.webinar).await.expect("reads");
    let fields = FieldChoice {
        first_name: Asked::Optional,
        last_name: Asked::Optional,
        company: Asked::Optional,
        phone: Asked::Optional,
    };
    let form = WebinarForm { fields, ..editor.form };
    world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");
    let form = domain::registration::RegistrationForm {
        first_name: "Tomm".to_owned(),
        company: "ACNE".to_owned(),
        ..World::form(TOM)
    };
    let booking = world.press(form).await.expect("registers");
    let token = booking.room_path.rsplit('/').next().expect("a token").to_owned();
    let id = world.backend.room_token_names(&token).expect("names a booking");
    let row = persistence::registrations::named_by_token(world.backend.db().reader(), id).await.expect("reads");
    let guest = crate::world::Guest { subject: row.expect("there").subject, booking: id, token };
    world.run_jobs().await;
    (world, guest)
}

/// The map says what can be corrected; each of it is, below. A new column with `rectify` needs its way here.
#[test]
fn what_the_map_lets_a_viewer_correct_is_what_the_portal_corrects() {
    let mut found: Vec<String> = DataMap::current()
        .columns(Store::Business)
        .filter(|(.., place)| place.subject == Subject::Viewer && place.rectify)
        .map(|(table, column, _)| format!("{table}.{column}"))
        .collect();
    found.sort();
    assert_eq!(found, ["registration.answers_ct", "subject.email_ct", "subject.name_ct"]);
}

#[tokio::test]
async fn name_answers_and_address_are_corrected_and_the_coach_is_told() {
    each_database("p29", |test| async move {
        let (world, guest) = answered(&test).await;
        let portal = world.portal(TOM, Errand::Myself).await;
        let field = |field| answer_name(guest.booking, field);
        let sent = [
            ("name".to_owned(), "Tom".to_owned()),
            (field(RegistrationField::FirstName), "Tom".to_owned()),
            (field(RegistrationField::Company), "ACME".to_owned()),
            (field(RegistrationField::Phone), "+33 1".to_owned()),
            // Somebody else's booking, and what nobody asks for.
            (answer_name(domain::ids::RegistrationId::new(), RegistrationField::Phone), "666".to_owned()),
            ("state".to_owned(), "erasing".to_owned()),
        ];
        assert_eq!(portal.correct(world.id(), &sent).await.expect("corrected"), Corrected::Done);
        assert_eq!(portal.correct(world.id(), &sent).await.expect("the same"), Corrected::Same);
        let seen = world.coach.registrant(world.webinar, guest.booking).await.expect("hers");
        assert_eq!(seen.row.name, "Tom");
        let answers =
            [("Company", "ACME"), ("Phone", "+33 1")].map(|(label, text)| (label.to_owned(), text.to_owned()));
        assert_eq!(seen.answers, answers);
        assert_eq!(world.person(guest.subject).await.expect("there").state, "active");

        portal.ask_new_address(world.id(), "thomas@viewer.example").await.expect("asked");
        world.run_jobs().await;
        let mail = world.sent().into_iter().find(|mail| mail.to == "thomas@viewer.example").expect("the code");
        let code: String = mail
            .text
            .lines()
            .find(|line| line.len() == 9 && line.chars().all(|c| c == ' ' || c.is_ascii_digit()))
            .expect("a code")
            .to_owned();
        assert!(portal.prove_new_address(world.id(), "other@viewer.example", &code).await.is_err());
        let done = portal.prove_new_address(world.id(), "thomas@viewer.example", &code).await.expect("proven");
        assert_eq!(done, Corrected::Done);
        let seen = world.coach.registrant(world.webinar, guest.booking).await.expect("hers");
        assert_eq!(seen.row.email, "thomas@viewer.example");
        world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
        world.run_jobs().await;
        assert_eq!(world.sent_to("thomas@viewer.example"), 2, "the code and the link");
        let told =
            world.sent().into_iter().filter(|mail| mail.to == "maya@coach.example" && mail.text.contains("corrected"));
        assert_eq!(told.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_correction_of_restricted_data_waits_and_is_applied_when_the_restriction_ends() {
    each_database("p29 waits", |test| async move {
        let (world, guest) = answered(&test).await;
        world.set_person(guest.subject, SubjectState::Restricted).await.expect("moves");
        let portal = world.portal(TOM, Errand::Myself).await;
        let sent = [("name".to_owned(), "Tom".to_owned())];
        assert_eq!(portal.correct(world.id(), &sent).await.expect("noted"), Corrected::Waits);
        world.run_jobs().await;
        world.backend.clock().advance_seconds(3_600);
        world.backend.keep_promises().await.expect("runs");
        world.run_jobs().await;
        let card =
            world.portal(TOM, Errand::Myself).await.everything().await.expect("shown").cards.pop().expect("a card");
        assert_eq!((card.name.as_str(), card.requests.len()), ("Tomm", 1), "unchanged while it rests");
        // Ended by somebody else than the portal: the watchdog applies it.
        world.set_person(guest.subject, SubjectState::Active).await.expect("moves");
        world.backend.clock().advance_seconds(3_600);
        world.backend.keep_promises().await.expect("runs");
        world.run_jobs().await;
        let card =
            world.portal(TOM, Errand::Myself).await.everything().await.expect("shown").cards.pop().expect("a card");
        assert_eq!((card.name.as_str(), card.requests.len()), ("Tom", 0));
    })
    .await;
}
