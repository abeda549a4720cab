//! "Your webinar content": every column of hers that the map gives to a coach is in her archive, with its value.

use domain::ids::WebinarId;
use privacy::DataMap;
use privacy::map::{Export, Store};
use privacy::plan::Root;
use privacy::portability::tables::{ArchivePlan, Source};
use testkit::each_database;

use crate::world::World;
use crate::world::archives::{rows, unpacked};

/// Tables of what a coach makes.
const CONTENT: [&str; 6] = ["webinar", "consent_text", "schedule_rule", "session", "caption", "page_view"];

#[test]
fn all_of_it_is_in_the_archive() {
    let plan = ArchivePlan::new(DataMap::current(), Root::Coach).expect("a plan");
    let mut seen = 0;
    for (table, column, place) in DataMap::current().columns(Store::Business).filter(|(t, ..)| CONTENT.contains(t)) {
        seen += 1;
        let is_in = plan.data(table).is_some_and(|table| {
            table.columns.iter().any(|one| matches!(one.source, Source::Column(name) if name == column))
        });
        let is_never = matches!(place.export, Some(Export::Never(_)));
        assert!(is_in != is_never, "{table}.{column}");
        if is_never {
            let listed = plan.never.iter().any(|omission| omission.what.contains(&place.location.to_string()));
            assert!(listed, "{table}.{column} is left out, and no omission says so");
        }
    }
    assert!(seen > 40, "{seen} columns are no content");
}

#[tokio::test]
async fn texts_and_settings_are_as_they_were_typed() {
    each_database("p06", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let files = unpacked(&world.archive("all.zip").await);
        let webinars = rows(&files, "data/webinars.jsonl");
        let form = world.coach.webinar(world.webinar).await.expect("is there").form;
        assert_eq!(webinars.len(), 1);
        let webinar = &webinars[0];
        assert_eq!(webinar["id"], world.webinar.to_string());
        for (name, typed) in [
            ("title", &form.title),
            ("slug", &form.slug),
            ("description", &form.description),
            ("presenter", &form.presenter),
        ] {
            assert_eq!(webinar[name], **typed, "{name}");
        }
        let texts = rows(&files, "data/consent_texts.jsonl");
        assert!(texts.iter().any(|text| text["id"] == webinar["consent_text_id"]), "the text people agreed to");
        let captions = rows(&files, "data/captions.jsonl");
        assert!(captions[0]["webvtt"].as_str().expect("text").contains("Calm, \"quoted\""));
        assert_eq!(rows(&files, "data/page_views.jsonl")[0]["source"], "spring");
        assert_eq!(rows(&files, "data/sessions.jsonl").len(), 1);
    })
    .await;
}

/// Nothing of another coach comes along.
#[tokio::test]
async fn nothing_of_another_coach_comes_along() {
    each_database("p06 others", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let before = unpacked(&world.archive("before.zip").await);
        world
            .backend
            .create_account("Ines", "ines@coach.example", &"nine loud badgers".into())
            .await
            .expect("an account");
        let visitor = world.backend.visitor();
        let signed_in =
            visitor.sign_in("ines@coach.example", &"nine loud badgers".into(), &crate::Client::unknown()).await;
        let other = world.backend.coach_by_token(&signed_in.expect("signs in").token).await.expect("asked");
        let theirs: WebinarId = other.expect("signed in").create_webinar("Another one").await.expect("a draft");
        let after = unpacked(&world.archive("after.zip").await);
        for (path, bytes) in &after {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(&theirs.to_string()) && !text.contains("ines@coach"), "{path}");
            if path.starts_with("data/") {
                assert_eq!(before.get(path), Some(bytes), "{path}");
            }
        }
    })
    .await;
}
