//! "Access your data at any time", a viewer's half: on screen at once, whatever state the person or the coach is in.

use domain::my_data::{Card, Errand};
use domain::rights::{AccountState, SubjectState};
use privacy::DataMap;
use privacy::map::{Export, Store, Subject};
use privacy::plan::{Plan, Root};
use testkit::each_database;

use crate::world::World;

const TOM: &str = "tom@viewer.example";

async fn card(world: &World) -> Card {
    // Three mails an hour go to one address.
    world.backend.clock().advance_seconds(3_600);
    let portal = world.portal(TOM, Errand::Myself).await;
    portal.everything().await.expect("shown").cards.pop().expect("a card")
}

#[tokio::test]
async fn everything_is_shown_in_every_state_of_the_person_and_the_account() {
    each_database("p26 states", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let view = world.open_room(&guest).await.expect("is measured");
        for seq in 1..=12 {
            world.watch(view, seq).await;
        }
        for state in AccountState::ALL.iter().filter(|state| **state != AccountState::Erasing) {
            world.set_account(*state).await;
            for person in [SubjectState::Active, SubjectState::Restricted] {
                world.set_person(guest.subject, person).await.expect("moves");
                let card = card(&world).await;
                let what = format!("{state:?}, {person:?}: {card:?}");
                assert_eq!((card.state, card.coach_name.as_str()), (person, "Maya Lindqvist"), "{what}");
                let history = card.bookings[0].history.join(" ");
                assert!(history.contains("opened the room once") && history.contains("watched 2.0 minutes"), "{what}");
                let shows = |value: &str| card.classes.iter().any(|of| of.facts.iter().any(|(_, text)| text == value));
                assert!(shows(TOM) && shows("other/other"), "{what}");
            }
        }
    })
    .await;
}

/// What the map says is theirs to see is on the page: a new column that is not would be hidden from its person.
#[tokio::test]
async fn every_class_of_the_map_that_is_held_is_on_the_page() {
    each_database("p26 classes", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let view = world.open_room(&guest).await.expect("is measured");
        assert_eq!(world.watch(view, 1).await, crate::watching::BeatAnswer::Durable);
        let card = card(&world).await;
        let map = DataMap::current();
        let plan = Plan::new(map, Root::Subject).expect("a plan");
        let held = ["subject", "registration", "consent", "view", "beat", "watch_map", "mail"];
        for (table, column, place) in map.columns(Store::Business) {
            let is_theirs = matches!(place.export, Some(Export::Access | Export::Portable));
            // Answers, zone and name were not given, and the campaign word is empty.
            let is_empty = ["answers", "name", "preference", "source"].contains(&place.class.as_str());
            if !held.contains(&table) || !is_theirs || is_empty || place.class == "identifier" {
                continue;
            }
            assert!(plan.rows_of(table).is_some() && place.subject == Subject::Viewer, "{table}.{column}");
            let title = &map.classes[&place.class].title;
            let shown = card.classes.iter().find(|class| class.title == *title);
            let shown = shown.unwrap_or_else(|| panic!("{table}.{column}: “{title}” is not shown: {card:?}"));
            assert!(!shown.purposes.is_empty() && !shown.bases.is_empty() && !shown.kept.is_empty(), "{shown:?}");
        }
    })
    .await;
}
