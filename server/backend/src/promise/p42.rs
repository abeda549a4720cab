//! "Access limited to Yana and Lesly": two seats, a second factor, and no look without a reason its coach can read.

use domain::RefusalKind;
use domain::ids::CoachId;
use persistence::entities::operator_access;
use persistence::seats;
use privacy::audit::{Verdict, verify_chain};
use testkit::each_database;

use crate::Client;
use crate::world::{PASSWORD, World, count, refused};

#[tokio::test]
async fn there_is_no_third_seat() {
    each_database("p42 seats", |test| async move {
        let world = World::published(&test).await;
        for name in ["one", "two", "three"] {
            let email = format!("{name}@seats.example");
            world.backend.create_account(name, &email, &PASSWORD.into()).await.expect("an account");
        }
        assert_eq!(world.backend.add_operator("one@seats.example").await.expect("seat"), 1);
        assert_eq!(refused(world.backend.add_operator("one@seats.example").await), RefusalKind::Conflict);
        assert_eq!(world.backend.add_operator("two@seats.example").await.expect("seat"), 2);
        assert_eq!(refused(world.backend.add_operator("three@seats.example").await), RefusalKind::Conflict);
        assert_eq!(refused(world.backend.add_operator("nobody@seats.example").await), RefusalKind::NotFound);

        // Not even around the verb: the table knows two seats, and one coach sits once.
        let now = world.backend.now();
        for (seat, coach) in [(3, world.id()), (0, world.id()), (1, world.id()), (2, CoachId::new())] {
            let transaction = world.backend.db().begin().await.expect("begins");
            assert!(seats::sit(&transaction, seat, coach, now).await.is_err(), "seat {seat}");
            transaction.rollback().await.expect("rolls back");
        }
        world.backend.remove_operator("one@seats.example").await.expect("free");
        assert_eq!(world.backend.add_operator("three@seats.example").await.expect("seat"), 1);
        assert_eq!(world.backend.operators().await.expect("reads").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_seat_opens_nothing_without_a_second_factor() {
    each_database("p42 factor", |test| async move {
        let world = World::published(&test).await;
        assert_eq!(refused(world.coach.operator().await), RefusalKind::NotFound, "no seat, no such address");
        world.backend.add_operator("maya@coach.example").await.expect("a seat");
        assert_eq!(refused(world.coach.operator().await), RefusalKind::NotAllowed);
        let operator = world.operator("one@seats.example").await;
        assert_eq!(operator.seat(), 2);
        // Switched on in this browser, but never shown at its door.
        world.switch_on_factor(&world.coach).await;
        assert_eq!(refused(world.coach.operator().await), RefusalKind::NotAllowed);
        let half = world.backend.visitor().sign_in("maya@coach.example", &PASSWORD.into(), &Client::unknown()).await;
        let half = half.expect("half way").token;
        assert!(world.backend.coach_by_token(&half).await.expect("asked").is_none());
    })
    .await;
}

#[tokio::test]
async fn no_look_without_a_reason_and_every_look_is_shown() {
    each_database("p42 look", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let operator = world.operator("one@seats.example").await;
        for empty in ["", "  \n"] {
            assert_eq!(refused(operator.look_into(world.id(), empty).await), RefusalKind::NotAllowed);
        }
        assert_eq!(count::<operator_access::Entity>(&world).await, 0);
        assert_eq!(refused(operator.look_into(CoachId::new(), "A reason.").await), RefusalKind::NotFound);

        let opened = operator.look_into(world.id(), "She asked why her upload failed.").await.expect("looks");
        assert_eq!(opened.email, "maya@coach.example");
        let values = opened.held.iter().flat_map(|held| &held.places).flat_map(|place| &place.values);
        assert!(values.clone().any(|value| value == "Calm mornings"));
        assert!(values.clone().all(|value| !value.contains("viewer.example")), "her viewers are not opened");
        let looks = world.coach.my_data().await.expect("reads").looks;
        let [look] = looks.as_slice() else { panic!("{looks:?}") };
        assert_eq!((look.seat, look.reason.as_str()), (operator.seat(), "She asked why her upload failed."));
        let verdict = verify_chain(world.backend.db().reader()).await.expect("reads");
        let Verdict::Whole { entries, .. } = verdict else { panic!("{verdict:?}") };
        let audit = operator.audit(0).await.expect("reads");
        assert_eq!(audit.entries.len() as u64, entries);
        assert!(audit.entries.iter().any(|entry| entry.event == "looked" && entry.actor_role == "operator"));
    })
    .await;
}
