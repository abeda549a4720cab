//! "Watch duration and engagement events": numbers of a closed set, never a text.

use privacy::schema::introspect;
use serde_json::json;
use testkit::each_database;

use super::traces;
use crate::registering::open_webinar;
use crate::world::World;

/// Tables of what is watched; what may be text in them: coarse words of a closed list.
const TABLES: [(&str, &[&str]); 3] = [("beat", &[]), ("watch_map", &[]), ("view", &["device", "country", "came_by"])];

#[tokio::test]
async fn no_column_of_an_event_can_hold_a_text() {
    each_database("p11 columns", |test| async move {
        let schema = introspect(&test.database).await.expect("the schema");
        for (table, words) in TABLES {
            let columns: Vec<_> = schema.columns.iter().filter(|((name, _), _)| name == table).collect();
            assert!(columns.len() > 5, "{table} has {} columns", columns.len());
            for ((_, column), kind) in columns {
                let is_text = ["text", "char", "json"].iter().any(|word| kind.contains(word));
                // SQLite calls the bytes of an id so.
                let is_id = kind.starts_with("uuid");
                assert!(!is_text || is_id || words.contains(&column.as_str()), "{table}.{column} is {kind}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_sent_along_with_a_beat_is_kept_nowhere() {
    each_database("p11 beats", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let anna = world.register(&webinar, "anna@example.net").await;
        let view = world.enter(&anna).await.view.expect("a view");
        for (seq, key) in ["note", "kind", "text", "event"].into_iter().enumerate() {
            world.wait(11);
            let mut beat = json!({ "view": view, "seq": seq, "from": 0.0, "to": 10.0, "rate": 1.0 });
            beat[key] = json!("qxbeatcanaryzq");
            world.post("/api/beats").json(&beat).send().await;
            // In the place of a number it is refused.
            let wrong = json!({ "view": view, "seq": seq, "from": "qxbeatcanaryzq", "to": 10.0, "rate": 1.0 });
            assert!(world.post("/api/beats").json(&wrong).send().await.status.is_client_error());
        }
        assert_eq!(traces(&world, &["qxbeatcanaryzq"]).await, Vec::<String>::new());
    })
    .await;
}
