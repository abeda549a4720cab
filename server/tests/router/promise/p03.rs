//! "Account: name and e-mail": sign-up takes its five fields and refuses a form with any other; there is no column for
//! what is not asked.

use axum::http::StatusCode;
use privacy::schema::introspect;
use serde_json::json;
use testkit::each_database;

use crate::world::{PASSWORD, World};

const FIELDS: [(&str, &str); 5] =
    [("name", "Nell"), ("email", "nell@example.org"), ("password", PASSWORD), ("age_ok", "on"), ("terms", "on")];

#[tokio::test]
async fn a_field_nobody_asks_for_is_refused_and_nothing_is_kept() {
    each_database("p03 fields", |test| async move {
        let world = World::new(test);
        let before = world.snapshot().await;
        for (name, value) in
            [("phone", "+49301234567"), ("birth_date", "1990-01-01"), ("company", "Acme"), ("is_admin", "1")]
        {
            let fields: Vec<_> = FIELDS.into_iter().chain([(name, value)]).collect();
            let posted: Vec<_> = fields.iter().copied().chain([("_form", "sign_up")]).collect();
            let page = world.post("/signup").form(&posted).in_browser().send().await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", page.text());
            let called =
                world.post("/api/fn/submit").json(&json!({ "form": "sign_up", "fields": fields })).send().await;
            assert_eq!(called.json().pointer("/Refused/kind"), Some(&json!("invalid")), "{name}");
        }
        assert_eq!(before.changes_to(&world.snapshot().await), "");
        let called = world.post("/api/fn/submit").json(&json!({ "form": "sign_up", "fields": FIELDS })).send().await;
        assert!(called.json().pointer("/Refused").is_none(), "{}", called.text());
        assert_eq!(world.snapshot().await.rows("coach"), 1, "the five alone are taken");
    })
    .await;
}

#[tokio::test]
async fn there_is_no_column_for_what_is_not_asked() {
    each_database("p03 columns", |test| async move {
        let schema = introspect(&test.database).await.expect("the schema");
        let columns: Vec<&str> =
            schema.columns.keys().filter(|(table, _)| table == "coach").map(|(_, column)| column.as_str()).collect();
        assert!(columns.contains(&"email"), "{columns:?}");
        for word in ["phone", "birth", "dob", "gender", "street", "city", "postal"] {
            assert!(!columns.iter().any(|column| column.contains(word)), "{columns:?}");
        }
    })
    .await;
}
