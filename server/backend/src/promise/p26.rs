//! "Access your data at any time": an archive a day in every state of an account, for a coach and for a viewer.

mod coach;
mod viewer;

use domain::RefusalKind;
use domain::archive::ArchiveState;
use domain::rights::{AccountState, SubjectState};
use testkit::each_database;

use crate::rights::Whose;
use crate::world::World;

fn kind<T: std::fmt::Debug>(result: crate::Result<T>) -> RefusalKind {
    result.expect_err("refused").refusal().expect("a refusal, no fault").kind
}

#[tokio::test]
async fn a_coach_gets_her_archive_whatever_her_account_is_at() {
    each_database("p26 coach", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        for state in [AccountState::Active, AccountState::Restricted, AccountState::Leaving, AccountState::Closing] {
            world.set_account(state).await;
            world.backend.clock().advance_seconds(86_401);
            world.coach.prove_again(&"seven quiet otters".into(), "").await.expect("proves");
            let id = world.coach.ask_archive().await.unwrap_or_else(|error| panic!("{state:?}: {error}"));
            world.run_jobs().await;
            let archives = world.coach.archives().await.expect("reads");
            assert_eq!((archives[0].id, archives[0].state), (id, ArchiveState::Ready), "{state:?}");
            assert_eq!(archives[0].percent, 100);
            assert!(world.coach.archive_link(id).await.is_ok(), "{state:?}");
        }
        world.set_account(AccountState::Erasing).await;
        world.backend.clock().advance_seconds(86_401);
        assert_eq!(kind(world.backend.ask_archive(Whose::Coach(world.id())).await), RefusalKind::Conflict);
    })
    .await;
}

#[tokio::test]
async fn a_viewer_gets_theirs_also_while_their_data_rests() {
    each_database("p26 viewer", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let whose = Whose::Viewer(world.id(), guests[0].subject);
        world.set_person(guests[0].subject, SubjectState::Restricted).await.expect("moves");
        let id = world.backend.ask_archive(whose).await.expect("asked");
        world.run_jobs().await;
        let archives = world.backend.archives(whose).await.expect("reads");
        assert_eq!((archives.len(), archives[0].id, archives[0].state), (1, id, ArchiveState::Ready));
        let mails: Vec<_> = world.sent().into_iter().filter(|mail| mail.to == "tom@example.net").collect();
        assert!(mails.iter().any(|mail| mail.subject == "Your archive is ready"));
        // Another person's is not there, whoever asks.
        let other = Whose::Viewer(world.id(), guests[1].subject);
        assert_eq!(kind(world.backend.archive_link(other, id, "session").await), RefusalKind::NotFound);
        assert_eq!(kind(world.backend.revoke_archive(other, id).await), RefusalKind::NotFound);
        assert_eq!(kind(world.backend.revoke_archive(Whose::Coach(world.id()), id).await), RefusalKind::NotFound);
        assert!(world.coach.archives().await.expect("reads").is_empty());
        world.set_person(guests[0].subject, SubjectState::Erasing).await.expect("moves");
        world.backend.clock().advance_seconds(86_401);
        assert_eq!(kind(world.backend.ask_archive(whose).await), RefusalKind::Conflict);
    })
    .await;
}

#[tokio::test]
async fn one_a_day_and_no_more() {
    each_database("p26 daily", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        world.coach.ask_archive().await.expect("asked");
        let again = world.coach.ask_archive().await.expect_err("too often");
        let refusal = again.refusal().expect("a refusal").clone();
        assert_eq!(refusal.kind, RefusalKind::TooOften);
        assert!(refusal.retry_after_seconds.is_some_and(|seconds| (86_000..=86_401).contains(&seconds)));
        // Everybody has a day of their own.
        assert!(world.backend.ask_archive(Whose::Viewer(world.id(), guests[0].subject)).await.is_ok());
        world.backend.clock().advance_seconds(86_401);
        world.coach.prove_again(&"seven quiet otters".into(), "").await.expect("proves");
        assert!(world.coach.ask_archive().await.is_ok());
    })
    .await;
}
