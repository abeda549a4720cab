//! The audit chain on both databases: whole, without people, and broken by whoever touches it.

use domain::rights::{Regime, RightKind};
use persistence::entities::audit_entry;
use privacy::audit::{Event, Role, Verdict, verify_chain};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use testkit::each_database;

use super::{Asked, Details, Whose};
use crate::world::World;

async fn entries(world: &World) -> Vec<audit_entry::Model> {
    let find = audit_entry::Entity::find().order_by_asc(audit_entry::Column::Seq);
    find.all(world.backend.db().reader()).await.expect("reads")
}

async fn put(world: &World, event: Event, count: u64) {
    let transaction = world.backend.db().begin().await.expect("begins");
    let now = world.backend.now();
    world.backend.audit(&transaction, event, Role::System, None, ("watching", count), now).await.expect("on record");
    transaction.commit().await.expect("commits");
}

#[tokio::test]
async fn a_request_is_on_record_without_anything_about_its_person() {
    each_database("audit canaries", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("canary-7f3a@viewer.example").await;
        let now = world.backend.now();
        let key = world.backend.request_key(now).await.expect("a key");
        let asked = Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Complaint,
            whose: Whose::Viewer(world.id(), guest.subject),
            undo_until: None,
            details: Details {
                answer_to: Some("canary-7f3a@viewer.example".to_owned()),
                words: "Canary Words 203.0.113.77".to_owned(),
                choices: [("canary-name".to_owned(), "Anna Canary".to_owned())].into(),
            },
        };
        let transaction = world.backend.db().begin().await.expect("begins");
        let id = world.backend.open_request(&transaction, &key, &asked, now).await.expect("opened");
        transaction.commit().await.expect("commits");
        put(&world, Event::Erased, 1_234).await;

        let rows = entries(&world).await;
        let opened = rows.iter().find(|row| row.request_id == Some(id)).expect("on record");
        assert_eq!((opened.event.as_str(), opened.actor_role.as_str()), ("opened", "viewer"));
        assert_eq!(rows.last().map(|row| row.count_bucket.as_str()), Some("1000-9999"));

        let canaries: [&[u8]; 6] = [
            b"canary",
            b"Canary",
            b"203.0.113.77",
            b"viewer.example",
            guest.subject.as_bytes().as_slice(),
            guest.booking.as_bytes().as_slice(),
        ];
        for row in &rows {
            let text = format!("{row:?}");
            let bytes = [&row.map_hash, &row.prev, &row.hash].map(Vec::as_slice).concat();
            for canary in canaries {
                let found = text.as_bytes().windows(canary.len()).any(|part| part == canary)
                    || bytes.windows(canary.len()).any(|part| part == canary);
                assert!(!found, "{canary:?} is in {text}");
            }
            for id in [world.id().to_string(), guest.subject.to_string(), guest.booking.to_string()] {
                assert!(!text.contains(&id), "{id} is in {text}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_changed_entry_breaks_the_chain_where_it_was_changed() {
    each_database("audit tampering", |test| async move {
        let world = World::published(&test).await;
        for count in 0..5 {
            put(&world, Event::Exported, count).await;
        }
        let reader = world.backend.db().reader();
        let Verdict::Whole { entries: whole, head } = verify_chain(reader).await.expect("reads") else {
            panic!("it is whole");
        };
        assert_eq!((whole, head.seq), (5, 5));

        let third = entries(&world).await[2].clone();
        for (column, value) in [
            (audit_entry::Column::Event, Expr::value("erased")),
            (audit_entry::Column::CountBucket, Expr::value("10-99")),
            (audit_entry::Column::ActorRole, Expr::value("maya@coach.example")),
            (audit_entry::Column::At, Expr::value(third.at.plus_seconds(1))),
        ] {
            let transaction = world.backend.db().begin().await.expect("begins");
            audit_entry::Entity::update_many()
                .col_expr(column, value)
                .filter(audit_entry::Column::Seq.eq(3))
                .exec(&transaction)
                .await
                .expect("tampers");
            assert_eq!(verify_chain(&transaction).await.expect("reads"), Verdict::Broken { seq: 3 }, "{column:?}");
            transaction.rollback().await.expect("rolls back");
        }
        let transaction = world.backend.db().begin().await.expect("begins");
        audit_entry::Entity::delete_by_id(3).exec(&transaction).await.expect("tampers");
        assert_eq!(verify_chain(&transaction).await.expect("reads"), Verdict::Broken { seq: 4 });
        transaction.rollback().await.expect("rolls back");
    })
    .await;
}

#[tokio::test]
async fn many_writers_make_one_chain() {
    each_database("audit writers", |test| async move {
        let world = World::published(&test).await;
        futures::future::join_all((0..20).map(|count| put(&world, Event::Looked, count))).await;
        let verdict = verify_chain(world.backend.db().reader()).await.expect("reads");
        assert!(matches!(verdict, Verdict::Whole { entries: 20, .. }), "{verdict:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_rolled_back_never_happened() {
    each_database("audit rollback", |test| async move {
        let world = World::published(&test).await;
        let transaction = world.backend.db().begin().await.expect("begins");
        let now = world.backend.now();
        let event = Event::Erased;
        world.backend.audit(&transaction, event, Role::System, None, ("email", 1), now).await.expect("on record");
        transaction.rollback().await.expect("rolls back");
        assert!(entries(&world).await.is_empty());
        // A class nobody knows is no place to hide a name in.
        let transaction = world.backend.db().begin().await.expect("begins");
        let class = ("Anna Canary", 1);
        world.backend.audit(&transaction, event, Role::System, None, class, now).await.expect("on record");
        transaction.commit().await.expect("commits");
        assert_eq!(entries(&world).await[0].class, "none");
    })
    .await;
}
