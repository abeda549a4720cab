//! "Legal authorities if required by law": what an order names, when two operators agree, counted in public.

use domain::RefusalKind;
use testkit::each_database;

use crate::operators::disclosures::{Named, Order};
use crate::world::{World, refused};

fn order(classes: &[&str]) -> Order {
    Order {
        authority: "Tribunal judiciaire".to_owned(),
        legal_basis: "Art. 77-1-1 Code de procédure pénale".to_owned(),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        people: 1,
    }
}

#[tokio::test]
async fn one_operator_alone_hands_nothing_out() {
    each_database("p25 alone", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let (first, second) = (world.operator("one@seats.example").await, world.operator("two@seats.example").await);
        let named = Named { coach: world.id(), email: "tom@viewer.example".to_owned() };
        let id = first.enter_order(&order(&["email"])).await.expect("entered");
        for alone in [&first, &second] {
            assert_eq!(refused(alone.hand_out(id, &named).await), RefusalKind::NotAllowed);
        }
        assert_eq!(refused(first.agree(id).await), RefusalKind::NotAllowed, "an operator never agrees with herself");
        second.agree(id).await.expect("agrees");
        assert_eq!(refused(second.agree(id).await), RefusalKind::Conflict);
        let handed = first.hand_out(id, &named).await.expect("handed out").to_string();
        assert!(handed.contains("tom@viewer.example"), "{handed}");

        let counts = world.backend.disclosure_counts().await.expect("counts");
        let year = counts.values().next().expect("a year");
        assert_eq!((year.requests, year.answered, year.people), (1, 1, 1));
        let seen = world.coach.my_data().await.expect("reads").looks;
        assert_eq!(seen.len(), 1, "its coach sees that it was handed out");
    })
    .await;
}

#[tokio::test]
async fn nothing_beyond_the_order_is_handed_out() {
    each_database("p25 scope", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        world.guest("other@viewer.example").await;
        let view = world.open_room(&guest).await.expect("a view");
        world.watch(view, 1).await;
        let (first, second) = (world.operator("one@seats.example").await, world.operator("two@seats.example").await);
        // Of a viewer, and of their coach.
        let id = first.enter_order(&Order { people: 2, ..order(&["country"]) }).await.expect("entered");
        second.agree(id).await.expect("agrees");
        let named = Named { coach: world.id(), email: "tom@viewer.example".to_owned() };
        let handed = first.hand_out(id, &named).await.expect("handed out");
        let text = handed["data"].to_string();
        assert!(text.contains("country"), "{text}");
        for beyond in ["tom@viewer.example", "other@viewer.example", "Maya", "percent", "device", "registered"] {
            assert!(!text.contains(beyond), "{beyond} is beyond the order: {text}");
        }
        let own = Named { coach: world.id(), email: String::new() };
        let of_coach = first.hand_out(id, &own).await.expect("handed out")["data"].to_string();
        assert!(!of_coach.contains("viewer.example"), "her viewers are not hers to be handed out: {of_coach}");
        assert_eq!(refused(first.enter_order(&order(&["everything"])).await), RefusalKind::Invalid);
        assert_eq!(refused(first.enter_order(&order(&[])).await), RefusalKind::Invalid);
        world.backend.clock().advance_seconds(31 * 86_400);
        assert_eq!(refused(first.hand_out(id, &named).await), RefusalKind::Gone, "an order does not last for ever");
    })
    .await;
}
