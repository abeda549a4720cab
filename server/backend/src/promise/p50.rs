//! "A child's data is deleted when it is reported": it rests at once and is gone within 72 hours at every coach; the
//! registered address is told, and a wrong report can be called off.

use domain::messages::{ChildReportForm, REPORT_HOURS};
use domain::rights::{MINOR_HOURS, RequestState, RightKind, SubjectState};
use persistence::entities::dsr_request;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use testkit::each_database;

use crate::Client;
use crate::world::World;

const KID: &str = "kid@viewer.example";

fn form(child: &str, words: &str) -> ChildReportForm {
    ChildReportForm { child_email: child.to_owned(), words: words.to_owned(), ..ChildReportForm::default() }
}

async fn report(world: &World, form: &ChildReportForm) {
    world.backend.visitor().report_child(form, &Client::unknown()).await.expect("is taken");
    world.run_jobs().await;
}

async fn requests(world: &World) -> Vec<dsr_request::Model> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::Kind.eq(RightKind::Minor.as_str()))
        .all(world.backend.db().reader())
        .await
        .expect("reads")
}

#[tokio::test]
async fn it_rests_at_once_and_is_gone_within_three_days() {
    each_database("p50 time", |test| async move {
        let world = World::published(&test).await;
        let kid = world.guest(KID).await;
        let other = world.guest("ann@viewer.example").await;
        world.run_jobs().await;
        let reported = world.backend.now();
        report(&world, &form("KID@viewer.example", "")).await;
        let state = |row: Option<persistence::entities::subject::Model>| row.map(|row| row.state);
        assert_eq!(state(world.person(kid.subject).await).as_deref(), Some(SubjectState::Restricted.as_str()));
        assert!(
            world.sent().iter().any(|mail| mail.to == KID && mail.subject.contains("child")),
            "the address is told"
        );
        // Reported again, by whomever, it is one erasure.
        report(&world, &form(KID, "")).await;
        let waiting = requests(&world).await.into_iter().filter(|row| row.subject_id == Some(kid.subject)).count();
        assert_eq!(waiting, 1);

        world.backend.move_clock(reported.plus_seconds(REPORT_HOURS * 3_600 - 60)).await.expect("moves");
        assert!(world.person(kid.subject).await.is_some(), "a wrong report can still be called off");
        world.backend.move_clock(reported.plus_seconds(MINOR_HOURS * 3_600)).await.expect("moves");
        assert!(world.person(kid.subject).await.is_none());
        let done = requests(&world).await;
        let last = done.iter().filter_map(|row| row.completed_at).max().expect("it is over");
        assert!(last <= reported.plus_seconds(MINOR_HOURS * 3_600), "{last}");
        assert!(done.iter().all(|row| row.details_ct.is_none()), "and what was reported is forgotten");
        assert_eq!(state(world.person(other.subject).await).as_deref(), Some(SubjectState::Active.as_str()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_report_is_called_off_and_everything_is_as_before() {
    each_database("p50 wrong", |test| async move {
        let world = World::published(&test).await;
        let adult = world.guest(KID).await;
        report(&world, &form(KID, "")).await;
        let row =
            requests(&world).await.into_iter().find(|row| row.subject_id == Some(adult.subject)).expect("planned");
        world.backend.call_report_off(row.id).await.expect("is called off");
        assert_eq!(world.person(adult.subject).await.expect("there").state, SubjectState::Active.as_str());
        let later = world.backend.now().plus_days(10);
        world.backend.move_clock(later).await.expect("moves");
        assert!(world.person(adult.subject).await.is_some());
        assert!(world.backend.call_report_off(row.id).await.is_err(), "once");
    })
    .await;
}

#[tokio::test]
async fn an_operator_erases_at_every_coach_with_one_action() {
    each_database("p50 operator", |test| async move {
        let world = World::published(&test).await;
        let kid = world.guest(KID).await;
        world.run_jobs().await;
        assert!(world.backend.purge_child("nobody@viewer.example").await.is_err());
        // A report was there already: the action hurries it.
        report(&world, &form(KID, "")).await;
        let done = world.backend.purge_child(KID).await.expect("is done");
        assert_eq!(done.len(), 1);
        world.run_jobs().await;
        assert!(world.person(kid.subject).await.is_none());
        let row = requests(&world).await.into_iter().find(|row| row.id == done[0]).expect("on record");
        assert_eq!(row.state, RequestState::Done.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_report_that_matches_nobody_waits_for_a_person_and_rings() {
    each_database("p50 unknown", |test| async move {
        let world = World::published(&test).await;
        world.backend.plan_periodic().await.expect("plans");
        report(&world, &form("", "A boy of twelve on the page about calm mornings.")).await;
        let open = world.backend.messages().await.expect("lists");
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].due_at, open[0].received_at.plus_seconds(MINOR_HOURS * 3_600));
        let later = open[0].received_at.plus_seconds((REPORT_HOURS + 1) * 3_600);
        world.backend.move_clock(later).await.expect("moves");
        let rung = world.sent().iter().filter(|mail| mail.text.contains("72 hours are running out")).count();
        assert_eq!(rung, 1);
        world.backend.answer_message(open[0].id, "").await.expect("nobody asked for an answer");
        assert!(world.backend.messages().await.expect("lists").is_empty());
    })
    .await;
}
