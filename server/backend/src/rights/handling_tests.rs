//! Holds end by the clock, incidents find whom they concern, reviews fall due.

use domain::RefusalKind;
use domain::rights::{HoldGround, RequestState};
use persistence::entities::{registration, subject};
use persistence::rights as queries;
use testkit::each_database;

use super::handling::HoldWish;
use crate::operators::incidents::Breach;
use crate::world::{World, count, refused};

fn wish(email: &str, until: domain::Moment) -> HoldWish {
    HoldWish { email: email.to_owned(), ground: HoldGround::DisputeOpen, classes: vec!["booking".to_owned()], until }
}

#[tokio::test]
async fn a_hold_keeps_what_it_names_until_its_day_and_not_longer() {
    each_database("hold", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let now = world.backend.now();
        let until = now.plus_days(90);
        let nobody = world.coach.place_hold(&wish("nobody@viewer.example", until)).await;
        assert_eq!(refused(nobody), RefusalKind::Invalid);
        let for_ever = world.coach.place_hold(&wish("tom@viewer.example", now.plus_days(4_000))).await;
        assert_eq!(refused(for_ever), RefusalKind::Invalid);
        world.coach.place_hold(&wish("tom@viewer.example", until)).await.expect("held");
        world.run_jobs().await;
        let told = world.sent().into_iter().filter(|mail| mail.to == "tom@viewer.example");
        assert!(told.into_iter().any(|mail| mail.subject.contains("kept for a legal reason")), "the person is told");

        let request = world.backend.erase_now("tom@viewer.example", Some("maya@coach.example")).await.expect("erases");
        world.backend.move_clock(now.plus_days(1)).await.expect("moves");
        let state = || async {
            let row = queries::request(world.backend.db().reader(), request).await.expect("reads").expect("there");
            row.state
        };
        assert_eq!(state().await, RequestState::Held.as_str());
        assert_eq!(count::<registration::Entity>(&world).await, 1);
        world.backend.move_clock(until.plus_seconds(-1)).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 1);
        world.backend.move_clock(until.plus_days(1)).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 0);
        assert_eq!(count::<subject::Entity>(&world).await, 0);
        assert_eq!(state().await, RequestState::Done.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_hold_ended_early_lets_the_erasure_go_on_and_comes_too_late_after_it_began() {
    each_database("hold ended", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let until = world.backend.now().plus_days(90);
        let hold = world.coach.place_hold(&wish("tom@viewer.example", until)).await.expect("held");
        world.backend.erase_now("tom@viewer.example", Some("maya@coach.example")).await.expect("erases");
        let later = world.backend.now().plus_days(1);
        world.backend.move_clock(later).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 1);
        // There is no veto: what has begun is not held back any more, and the address finds nobody.
        assert_eq!(refused(world.coach.place_hold(&wish("tom@viewer.example", until)).await), RefusalKind::Invalid);
        world.coach.release_hold(hold).await.expect("ended");
        assert_eq!(refused(world.coach.release_hold(hold).await), RefusalKind::NotFound);
        let later = world.backend.now().plus_days(1);
        world.backend.move_clock(later).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_incident_finds_whom_it_concerns_and_tells_their_coach() {
    each_database("incident", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let operator = world.operator("one@seats.example").await;
        let before = world.backend.now();
        world.backend.clock().advance_seconds(86_400);
        world.guest("late@viewer.example").await;
        world.run_jobs().await;
        let breach = |class: &str, to| Breach {
            class: class.to_owned(),
            from: before.plus_days(-1),
            to,
            summary: "A copy lay where it should not.".to_owned(),
        };
        assert_eq!(refused(operator.enter_incident(&breach("nothing", before)).await), RefusalKind::Invalid);
        let ahead = world.backend.now().plus_days(1);
        assert_eq!(refused(operator.enter_incident(&breach("answers", ahead)).await), RefusalKind::Invalid);
        let id = operator.enter_incident(&breach("booking", before)).await.expect("entered");
        world.run_jobs().await;
        let own = world.coach.my_data().await.expect("reads").incidents;
        let [(concerned, incident)] = own.as_slice() else { panic!("{own:?}") };
        assert_eq!(concerned.people, 1, "who came after it was over is not concerned");
        assert_eq!(incident.report_due_at, incident.found_at.plus_seconds(72 * 3_600));
        let mails = world.sent();
        assert!(mails.iter().any(|mail| mail.to == "maya@coach.example" && mail.subject.contains("incident")));
        operator.note_reported(id).await.expect("noted");
        assert_eq!(refused(operator.note_reported(id).await), RefusalKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_review_falls_due() {
    each_database("review", |test| async move {
        let world = World::published(&test).await;
        let operator = world.operator("one@seats.example").await;
        let last = || async { world.backend.last_review(world.backend.now()).await.expect("reads") };
        assert_eq!(last().await, None);
        assert_eq!(refused(operator.enter_review("Looked.", 181).await), RefusalKind::Invalid);
        assert_eq!(refused(operator.enter_review(" ", 90).await), RefusalKind::Invalid);
        operator.enter_review("Looked at who can get in, and at every dependency.", 180).await.expect("entered");
        assert!(!last().await.expect("a review").is_overdue);
        world.backend.clock().advance_seconds(180 * 86_400);
        assert!(last().await.expect("a review").is_overdue);
    })
    .await;
}
