//! The data map against the schema both databases really have.

use privacy::DataMap;
use privacy::map::{Form, Store};
use privacy::schema::{Schema, compare, introspect};
use testkit::{TestDatabase, each_database};

fn map() -> DataMap {
    DataMap::load().unwrap_or_else(|error| panic!("{error}"))
}

async fn schemas(test: &TestDatabase) -> [(Store, Schema); 2] {
    let business = introspect(&test.database).await.expect("the business schema");
    let keyring = introspect(test.keyring.database()).await.expect("the keyring's schema");
    [(Store::Business, business), (Store::Keyring, keyring)]
}

#[tokio::test]
async fn every_column_is_classified_and_every_entry_has_a_column() {
    each_database("data map", |test| async move {
        let map = map();
        let mut differences = Vec::new();
        for (store, schema) in schemas(&test).await {
            assert!(!schema.columns.is_empty(), "{store} has no tables: nothing would be compared");
            differences.extend(compare(&map, store, &schema).iter().map(ToString::to_string));
        }
        assert!(differences.is_empty(), "on {:?}:\n{}", test.kind, differences.join("\n"));
    })
    .await;
}

/// The proof that the test above can fail: a migration that adds a column, and one that takes one away.
#[tokio::test]
async fn a_migration_without_its_entry_is_named() {
    use sea_orm::ConnectionTrait;

    each_database("unannotated", |test| async move {
        let transaction = test.database.begin().await.expect("begins");
        for sql in [
            "ALTER TABLE coach ADD COLUMN phone text",
            "ALTER TABLE caption DROP COLUMN cue_count",
            "CREATE TABLE diary (entry text, coach_id integer)",
            "CREATE VIEW addresses AS SELECT email AS address FROM coach",
        ] {
            transaction.execute_unprepared(sql).await.expect("the schema changes");
        }
        transaction.commit().await.expect("commits");

        let schema = introspect(&test.database).await.expect("the schema");
        let messages: Vec<String> = compare(&map(), Store::Business, &schema).iter().map(ToString::to_string).collect();
        let unclassified = ["addresses.address", "coach.phone", "diary.coach_id", "diary.entry"];
        let expected: Vec<String> = unclassified
            .iter()
            .map(|name| format!("business.{name} is in the database and not in datamap.toml: say what it is"))
            .chain(["business.caption.cue_count is in datamap.toml and not in the database: take it out".to_owned()])
            .collect();
        assert_eq!(messages, expected, "on {:?}", test.kind);
    })
    .await;
}

#[tokio::test]
async fn what_is_called_sealed_is_classified_so() {
    each_database("sealed", |test| async move {
        let map = map();
        let mut seen = 0;
        for (store, schema) in schemas(&test).await {
            for (table, column, place) in map.columns(store) {
                let expected = match column.rsplit_once('_') {
                    Some((_, "ct")) => Some(Form::Sealed),
                    Some((_, "bidx")) => Some(Form::BlindIndex),
                    _ => None,
                };
                if let Some(expected) = expected {
                    seen += 1;
                    assert_eq!(place.form, expected, "{}", place.location);
                } else {
                    assert!(
                        !matches!(place.form, Form::Sealed | Form::BlindIndex),
                        "{} is not named so",
                        place.location
                    );
                }
                if place.form.is_bytes() {
                    let kind = schema.columns.get(&(table.to_owned(), column.to_owned())).expect("the column");
                    assert!(matches!(kind.as_str(), "blob" | "bytea"), "{} is of type {kind}", place.location);
                }
            }
        }
        assert!(seen >= 5, "only {seen} sealed columns were looked at");
    })
    .await;
}

/// Archives are read and written by the catalog: a column it does not know, or knows as something else, would be lost.
#[tokio::test]
async fn the_catalog_is_the_schema() {
    use persistence::catalog::{self, Kind};

    each_database("catalog", |test| async move {
        let schema = introspect(&test.database).await.expect("the schema");
        // These two have no entity of their own in that crate, and are in no archive.
        let real =
            schema.columns.into_iter().filter(|((table, _), _)| !["job", "seaql_migrations"].contains(&&**table));
        let mut real: std::collections::BTreeMap<_, _> = real.collect();
        for table in catalog::tables() {
            for column in table.columns {
                let name = (table.name.to_owned(), column.name.to_owned());
                let kind = real.remove(&name).unwrap_or_else(|| panic!("{name:?} is in the catalog alone"));
                let fits = match column.kind {
                    Kind::Id => kind.starts_with("uuid"),
                    Kind::Text => kind.contains("text") || kind.contains("char"),
                    Kind::Number if column.is_short => kind == "integer",
                    Kind::Number | Kind::Moment => kind == "bigint",
                    Kind::Flag => kind == "boolean",
                    Kind::Bytes => kind == "blob" || kind == "bytea",
                };
                assert!(fits, "on {:?}: {name:?} is of type {kind} and not {:?}", test.kind, column.kind);
            }
        }
        assert!(real.is_empty(), "on {:?}, not in the catalog: {:?}", test.kind, real.keys());
    })
    .await;
}
