//! "Access your data at any time", the coach's half: everything on one page, in every account state.

use domain::rights::AccountState;
use privacy::{Person, Plan, Root};
use testkit::each_database;

use crate::world::World;

#[tokio::test]
async fn everything_an_erasure_would_take_is_shown_in_every_state() {
    each_database("p26 coach", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        let view = world.open_room(&guest).await.expect("a view");
        world.watch(view, 1).await;
        world.run_jobs().await;
        for state in [AccountState::Active, AccountState::Restricted, AccountState::Leaving, AccountState::Closing] {
            world.set_account(state).await;
            let data = world.coach.my_data().await.expect("reads");
            assert_eq!((data.name.as_str(), data.state), ("Maya Lindqvist", state));
            let values: Vec<&String> =
                data.held.iter().flat_map(|held| &held.places).flat_map(|place| &place.values).collect();
            for value in ["maya@coach.example", "Maya Lindqvist", "Calm mornings", "calm.mp4"] {
                assert!(values.iter().any(|shown| *shown == value), "{state:?}: {value} is not shown");
            }
            assert!(values.iter().all(|shown| !shown.contains("viewer.example") && !shown.contains("argon2")));
            for held in &data.held {
                assert!(!held.title.is_empty() && held.count() > 0, "{}", held.class);
            }

            // Table by table: a row that would go and is not counted here would be held in secret.
            let counted = privacy::holding::rows(world.backend.db().reader(), Person::Coach(world.id())).await;
            let counted = counted.expect("counts");
            let shown: std::collections::BTreeSet<&String> =
                data.held.iter().flat_map(|held| &held.places).map(|place| &place.table).collect();
            let plan = Plan::new(privacy::DataMap::current(), Root::Coach).expect("a plan");
            for rows in plan.rows.iter().filter(|rows| counted.get(&rows.table).is_some_and(|count| *count > 0)) {
                assert!(shown.contains(&rows.table), "{} goes and is not shown", rows.table);
            }
        }
    })
    .await;
}
