//! What every query relies on: the schema's refusals and the connections' settings, on both databases.

use std::time::Duration;

use domain::ids::{CoachId, WebinarId};
use domain::{Moment, Slug};
use persistence::entities::{coach, webinar};
use persistence::{Database, accounts, migration_status, unique_violation, webinars};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter, Set, Statement, TryGetable,
};
use testkit::{Kind, TestDatabase, each_database, each_empty_database};

const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);

async fn add_coach(database: &Database, email: &str) -> CoachId {
    let id = CoachId::new();
    let row = coach::ActiveModel {
        id: Set(id),
        name: Set("Maya".to_owned()),
        email: Set(email.to_owned()),
        email_normal: Set(email.to_owned()),
        email_confirmed_at: Set(Some(NOW)),
        password_hash: Set("$argon2id$".to_owned()),
        time_zone: Set("Europe/Paris".to_owned()),
        totp_ct: Set(None),
        totp_enabled_at: Set(None),
        totp_last_step: Set(None),
        terms_version: Set("1".to_owned()),
        terms_hash: Set(None),
        terms_accepted_at: Set(NOW),
        state: Set("active".to_owned()),
        created_at: Set(NOW),
        updated_at: Set(NOW),
        ..Default::default()
    };
    let transaction = database.begin().await.expect("begins");
    assert!(accounts::insert_coach(&transaction, row).await.expect("is written"));
    transaction.commit().await.expect("commits");
    id
}

async fn add_webinar(database: &Database, coach: CoachId, slug: &str) -> Result<WebinarId, DbErr> {
    let slug: Slug = Slug::parse(slug).expect("a slug");
    let new = webinars::NewWebinar {
        id: WebinarId::new(),
        title: "Breathing",
        slug: &slug,
        presenter: "Maya",
        consent_text: "Yes",
        numbers: (14, 95, 30),
    };
    let id = new.id;
    let transaction = database.begin().await.expect("begins");
    webinars::insert(&transaction, coach, new, NOW).await?;
    transaction.commit().await?;
    Ok(id)
}

async fn one<T: TryGetable>(conn: &impl ConnectionTrait, sql: &str) -> T {
    let statement = Statement::from_string(conn.get_database_backend(), sql);
    let row = conn.query_one_raw(statement).await.expect("answers").expect("a row");
    row.try_get_by_index(0).expect("the value")
}

#[tokio::test]
async fn migrating_twice_is_harmless() {
    each_empty_database("migrate twice", |test| async move {
        persistence::migrate(&test.database).await.expect("migrates");
        let coach = add_coach(&test.database, "maya@example.com").await;
        let applied: i64 = one(test.database.reader(), "SELECT COUNT(*) FROM seaql_migrations").await;

        persistence::migrate(&test.database).await.expect("migrates again");
        assert_eq!(one::<i64>(test.database.reader(), "SELECT COUNT(*) FROM seaql_migrations").await, applied);
        assert!(accounts::coach(test.database.reader(), coach).await.expect("reads").is_some());
    })
    .await;
}

#[tokio::test]
async fn the_state_of_every_migration_can_be_asked() {
    each_empty_database("status", |test| async move {
        let before = migration_status(&test.database).await.expect("answers before the first one");
        assert!(!before.is_empty() && before.iter().all(|(_, applied)| !applied), "{before:?}");

        persistence::migrate(&test.database).await.expect("migrates");
        let after = migration_status(&test.database).await.expect("answers afterwards");
        assert_eq!(after.len(), before.len());
        assert!(after.iter().all(|(_, applied)| *applied), "{after:?}");
    })
    .await;
}

#[tokio::test]
async fn a_coach_with_webinars_cannot_be_deleted() {
    each_database("restrict", |test| async move {
        let TestDatabase { database, .. } = &test;
        let busy = add_coach(database, "maya@example.com").await;
        let idle = add_coach(database, "tom@example.com").await;
        add_webinar(database, busy, "breathing").await.expect("is written");

        let transaction = database.begin().await.expect("begins");
        let refused = coach::Entity::delete_by_id(busy).exec(&transaction).await.expect_err("is refused");
        // SQLite reports RESTRICT as a trigger's refusal, which sea-orm does not count among the foreign keys'.
        assert!(refused.to_string().to_lowercase().contains("foreign key"), "{refused:?}");
        transaction.rollback().await.expect("rolls back");
        assert!(accounts::coach(database.reader(), busy).await.expect("reads").is_some());

        let transaction = database.begin().await.expect("begins");
        let deleted = coach::Entity::delete_by_id(idle).exec(&transaction).await.expect("nothing holds her");
        transaction.commit().await.expect("commits");
        assert_eq!(deleted.rows_affected, 1);
    })
    .await;
}

#[tokio::test]
async fn a_taken_slug_is_named() {
    each_database("slug", |test| async move {
        let coach = add_coach(&test.database, "maya@example.com").await;
        add_webinar(&test.database, coach, "breathing").await.expect("is written");
        let refused = add_webinar(&test.database, coach, "breathing").await.expect_err("the slug is taken");
        let named = unique_violation(&refused);
        let expected = match test.kind {
            Kind::Sqlite => "webinar.slug",
            Kind::Postgres => "webinar_slug_key",
        };
        assert_eq!(named.as_deref(), Some(expected));

        let orphan = add_webinar(&test.database, CoachId::new(), "other").await.expect_err("no such coach");
        assert_eq!(unique_violation(&orphan), None, "another kind of refusal is not taken for this one");
    })
    .await;
}

#[tokio::test]
async fn a_transaction_dropped_halfway_leaves_nothing() {
    each_database("dropped", |test| async move {
        let coach = add_coach(&test.database, "maya@example.com").await;
        {
            let transaction = test.database.begin().await.expect("begins");
            let rename = coach::ActiveModel { name: Set("Nobody".to_owned()), ..Default::default() };
            accounts::change(&transaction, coach, rename, NOW).await.expect("is written");
        }
        // The writer is free again, too.
        add_coach(&test.database, "tom@example.com").await;
        let row = accounts::coach(test.database.reader(), coach).await.expect("reads").expect("is there");
        assert_eq!(row.name, "Maya");
    })
    .await;
}

#[tokio::test]
async fn sqlite_connections_are_set_as_promised() {
    each_database("pragmas", |test| async move {
        if test.kind == Kind::Postgres {
            return;
        }
        for database in [&test.database, test.keyring.database()] {
            let writer = database.begin().await.expect("begins");
            for (who, (secure, journal, foreign, synchronous)) in
                [("writer", settings(&writer).await), ("reader", settings(database.reader()).await)]
            {
                assert_eq!((secure, journal.as_str(), foreign, synchronous), (1, "wal", 1, 2), "{who}");
            }
            assert_eq!(one::<i32>(&writer, "PRAGMA query_only").await, 0);
            assert_eq!(one::<i32>(database.reader(), "PRAGMA query_only").await, 1);
            writer.rollback().await.expect("rolls back");
        }
    })
    .await;
}

async fn settings(conn: &impl ConnectionTrait) -> (i32, String, i32, i32) {
    (
        one(conn, "PRAGMA secure_delete").await,
        one(conn, "PRAGMA journal_mode").await,
        one(conn, "PRAGMA foreign_keys").await,
        one(conn, "PRAGMA synchronous").await,
    )
}

#[tokio::test]
async fn sqlite_readers_cannot_write() {
    each_database("read only", |test| async move {
        if test.kind == Kind::Postgres {
            return;
        }
        let coach = add_coach(&test.database, "maya@example.com").await;
        for statement in ["DELETE FROM coach", "INSERT INTO rate_limit VALUES (x'00', 1)", "DROP TABLE beat"] {
            let refused = test.database.reader().execute_unprepared(statement).await;
            assert!(refused.is_err(), "a reader ran {statement}");
        }
        assert!(accounts::coach(test.database.reader(), coach).await.expect("reads").is_some());
    })
    .await;
}

/// A deferred transaction would begin at once and fail later, when it turns from reading to writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sqlite_writer_waits_for_the_first() {
    each_database("immediate", |test| async move {
        if test.kind == Kind::Postgres {
            return;
        }
        let coach = add_coach(&test.database, "maya@example.com").await;
        let other = test.another_connection().await;

        let first = test.database.begin().await.expect("begins");
        let mut waiting = tokio::spawn({
            let other = other.clone();
            async move {
                let second = other.begin().await.expect("begins in the end");
                let row = accounts::coach(&second, coach).await.expect("reads").expect("is there");
                second.rollback().await.expect("rolls back");
                row.name
            }
        });
        let too_early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
        assert!(too_early.is_err(), "two transactions that may write are open at once");

        let rename = coach::ActiveModel { name: Set("Maya B.".to_owned()), ..Default::default() };
        accounts::change(&first, coach, rename, NOW).await.expect("is written");
        first.commit().await.expect("commits");
        assert_eq!(waiting.await.expect("ends well"), "Maya B.");
        other.close().await;
    })
    .await;
}

/// SQLite reads and then writes, which only an IMMEDIATE transaction makes safe; PostgreSQL adds in one statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_increments_all_land() {
    const ROUNDS: i32 = 20;
    each_database("increments", |test| async move {
        let coach = add_coach(&test.database, "maya@example.com").await;
        let webinar = add_webinar(&test.database, coach, "breathing").await.expect("is written");
        let other = test.another_connection().await;
        let counting = [test.database.clone(), other.clone()].map(|database| {
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    let transaction = database.begin().await.expect("begins");
                    increment(&transaction, coach, webinar).await;
                    transaction.commit().await.expect("commits");
                }
            })
        });
        for task in counting {
            task.await.expect("ends well");
        }
        let row = webinars::webinar(test.database.reader(), coach, webinar).await.expect("reads").expect("is there");
        assert_eq!(row.revision, 1 + 2 * ROUNDS);
        other.close().await;
    })
    .await;
}

async fn increment(conn: &impl ConnectionTrait, coach: CoachId, id: WebinarId) {
    let next = if conn.get_database_backend() == DbBackend::Sqlite {
        let row = webinars::webinar(conn, coach, id).await.expect("reads").expect("is there");
        tokio::task::yield_now().await;
        Expr::value(row.revision + 1)
    } else {
        Expr::col(webinar::Column::Revision).add(1)
    };
    let update = webinar::Entity::update_many().col_expr(webinar::Column::Revision, next);
    let done = update.filter(webinar::Column::Id.eq(id)).exec(conn).await.expect("is written");
    assert_eq!(done.rows_affected, 1);
}

/// The clock of a machine can be wrong and be put right; what was counted meanwhile must lock nobody out for days.
#[tokio::test]
async fn a_clock_set_back_locks_nobody_out() {
    const MINUTE: i64 = 60_000_000;
    each_database("limits", |test| async move {
        let transaction = test.database.begin().await.expect("begins");
        for now in [NOW.plus_days(8), NOW] {
            for _ in 0..3 {
                let place = accounts::take_place(&transaction, b"key", MINUTE, 3 * MINUTE, now).await;
                assert_eq!(place.expect("is written"), Ok(()));
            }
            let fourth = accounts::take_place(&transaction, b"key", MINUTE, 3 * MINUTE, now).await;
            assert_eq!(fourth.expect("is read"), Err(MINUTE));
        }
        transaction.rollback().await.expect("rolls back");
    })
    .await;
}
