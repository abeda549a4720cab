//! "Delete account and all associated data": a preview that tells the truth, a proof no stolen session has, a fence in
//! the same second, one way back, and an end on time. That nothing is left is the canary's to show.

use domain::leaving::Exit;
use domain::rights::{AccountState, HoldGround, RequestState, SubjectKind};
use domain::{Moment, RefusalKind};
use persistence::entities::{coach, registration, webinar};
use persistence::holds::{self, NewHold};
use persistence::rights as queries;
use testkit::each_database;

use crate::Client;
use crate::rights::leaving::LeavingProof;
use crate::tokens::Purpose;
use crate::world::{PASSWORD, World, count, refused};

/// What she has who is really there: password, name, and the link just mailed.
pub(crate) async fn proof(world: &World) -> LeavingProof {
    world.coach.mail_leaving_link().await.expect("mailed");
    world.run_jobs().await;
    let mails = world.sent();
    let mail = mails.iter().find(|mail| mail.text.contains("/my-data/close?t=")).expect("the link");
    let token = mail.text.split("/my-data/close?t=").nth(1).and_then(|rest| rest.split_whitespace().next());
    LeavingProof {
        password: PASSWORD.into(),
        token: token.expect("a token").to_owned(),
        name: "maya lindqvist".to_owned(),
        code: String::new(),
    }
}

async fn state(world: &World) -> AccountState {
    AccountState::from_stored(&world.account().await.state).expect("a state")
}

async fn move_to(world: &World, at: Moment) {
    world.backend.move_clock(at).await.expect("the clock moves");
}

#[tokio::test]
async fn without_proof_nothing_happens() {
    each_database("p28 proof", |test| async move {
        let world = World::published(&test).await;
        let LeavingProof { token: mailed, name, .. } = proof(&world).await;
        let good = || LeavingProof {
            password: PASSWORD.into(),
            token: mailed.clone(),
            name: name.clone(),
            code: String::new(),
        };
        let wrong = [
            LeavingProof { password: "a guess".into(), ..good() },
            LeavingProof { token: String::new(), ..good() },
            LeavingProof { name: "Maya".to_owned(), ..good() },
        ];
        for proof in wrong {
            for exit in Exit::ALL.iter().copied() {
                assert_eq!(refused(world.coach.leave(exit, &proof).await), RefusalKind::Invalid);
            }
            world.backend.clock().advance_seconds(16);
        }
        // A token for another purpose is none for this.
        world.coach.change_email(&PASSWORD.into(), "elsewhere@coach.example").await.expect("asked");
        world.run_jobs().await;
        let other = world.sent().into_iter().find(|mail| mail.to == "elsewhere@coach.example").expect("a mail");
        let token = other.text.split("?t=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a token");
        let foreign = LeavingProof { token: token.to_owned(), ..good() };
        assert_eq!(refused(world.coach.leave(Exit::Now, &foreign).await), RefusalKind::Invalid);
        assert_eq!(state(&world).await, AccountState::Active);
        assert_eq!(Purpose::CloseAccount.as_str(), "close_account");

        world.coach.leave(Exit::Later, &good()).await.expect("leaves");
        assert_eq!(refused(world.coach.leave(Exit::Later, &good()).await), RefusalKind::Conflict);
    })
    .await;
}

#[tokio::test]
async fn the_preview_counts_what_goes_and_says_what_stays() {
    each_database("p28 preview", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        world.guest("ann@viewer.example").await;
        let now = world.backend.now();
        let until = now.plus_days(3_650);
        let transaction = world.backend.db().begin().await.expect("begins");
        let hold = NewHold {
            id: domain::ids::LegalHoldId::new(),
            coach: world.id(),
            subject: None,
            ground: HoldGround::Invoice10yFr,
            classes: "[\"account_event\"]".to_owned(),
            until,
            approved_by: "operator",
        };
        holds::insert(&transaction, hold, now).await.expect("held");
        transaction.commit().await.expect("commits");

        let preview = world.coach.leaving_preview().await.expect("reads");
        let going = |words: &str| preview.going.iter().find(|(what, _)| what == words).map(|(_, count)| *count);
        assert_eq!(going("webinars"), Some(count::<webinar::Entity>(&world).await));
        assert_eq!(going("registrations"), Some(count::<registration::Entity>(&world).await));
        assert_eq!(going("people registered"), Some(2));
        let held = preview.kept.iter().find(|kept| kept.until == until).expect("the hold is told");
        assert!(held.why.contains("ten years") && held.what.starts_with("What happened"), "{held:?}");
        assert!(preview.kept.len() >= 3, "the mark and the record stay as well");

        // A8: preview, receipt and what is left agree; on its day it goes by itself.
        let proof = proof(&world).await;
        let request = world.coach.leave(Exit::Now, &proof).await.expect("leaves").expect("a request");
        for hour in 1..4 {
            world.run_jobs().await;
            move_to(&world, now.plus_seconds(hour * 3_600)).await;
        }
        let read = || queries::request(world.backend.db().reader(), request);
        let row = read().await.expect("reads").expect("there");
        assert_eq!(row.state, RequestState::Held.as_str());
        assert!(row.receipt.expect("a receipt").contains("invoice_10y_fr"));
        assert_eq!(count::<webinar::Entity>(&world).await, 0);
        assert_eq!(count::<coach::Entity>(&world).await, 1, "the held row stays");
        move_to(&world, until.plus_seconds(-1)).await;
        assert_eq!(count::<coach::Entity>(&world).await, 1);
        move_to(&world, until.plus_days(1)).await;
        assert_eq!(count::<coach::Entity>(&world).await, 0, "after ten simulated years it is gone");
    })
    .await;
}

#[tokio::test]
async fn a_deletion_shuts_at_once_can_be_called_off_and_ends_on_time() {
    each_database("p28 fortnight", |test| async move {
        let mut world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        let first = proof(&world).await;
        let other = world.backend.visitor().sign_in("maya@coach.example", &PASSWORD.into(), &Client::unknown()).await;
        let other = other.expect("signs in").token;
        let day0 = world.backend.now();
        world.coach.leave(Exit::Later, &first).await.expect("leaves");
        assert_eq!(state(&world).await, AccountState::Leaving);
        assert!(world.backend.coach_by_token(&other).await.expect("asked").is_none(), "other browsers are signed out");
        let page = world.backend.visitor().invitation(&world.slug, None, None).await;
        assert_eq!(refused(page.map(drop)), RefusalKind::Gone);
        let room = world.backend.visitor().room(&guest.token, None).await;
        assert_eq!(refused(room.map(drop)), RefusalKind::Gone);

        // Day 13: called off, and everything is as it was.
        move_to(&world, day0.plus_days(13)).await;
        world.coach.stay().await.expect("stays");
        assert_eq!(state(&world).await, AccountState::Active);
        world.backend.visitor().invitation(&world.slug, None, None).await.expect("open again");
        assert_eq!(refused(world.coach.stay().await), RefusalKind::Conflict, "once");
        move_to(&world, day0.plus_days(40)).await;
        assert_eq!(state(&world).await, AccountState::Active, "what was called off never comes back");

        // And for good: day 14 it begins, and it is done long before day 25 rings and day 30 ends.
        let signed_in =
            world.backend.visitor().sign_in("maya@coach.example", &PASSWORD.into(), &Client::unknown()).await;
        let coach = world.backend.coach_by_token(&signed_in.expect("signs in").token).await.expect("asked");
        world.coach = coach.expect("signed in");
        let second = proof(&world).await;
        let begin = world.backend.now();
        let request = world.coach.leave(Exit::Later, &second).await.expect("leaves").expect("a request");
        let read = || queries::request(world.backend.db().reader(), request);
        move_to(&world, begin.plus_days(14).plus_seconds(-1)).await;
        assert_eq!(read().await.expect("reads").expect("there").state, RequestState::Undo.as_str());
        move_to(&world, begin.plus_days(15)).await;
        let done = read().await.expect("reads").expect("there");
        assert_eq!(done.state, RequestState::Done.as_str());
        assert!(done.completed_at.expect("done") <= begin.plus_days(25), "before the alarm");
        assert!(done.due_at <= done.received_at.plus_days(30), "and the hard stop");
        assert_eq!(count::<coach::Entity>(&world).await, 0);
        let mails = world.sent();
        assert!(mails.iter().any(|mail| mail.to == "maya@coach.example" && mail.subject.contains("receipt")));
    })
    .await;
}

#[tokio::test]
async fn a_closed_account_is_read_for_a_month_and_then_goes() {
    each_database("p28 close", |test| async move {
        let world = World::published(&test).await;
        world.coach.restrict_account().await.expect("rests");
        let take = proof(&world).await;
        let begin = world.backend.now();
        assert_eq!(world.coach.leave(Exit::TakeAlong, &take).await.expect("closes"), None);
        move_to(&world, begin.plus_days(12)).await;
        world.coach.stay().await.expect("stays");
        assert_eq!(state(&world).await, AccountState::Restricted, "back to where it was");

        let again = proof(&world).await;
        let begin = world.backend.now();
        world.coach.leave(Exit::TakeAlong, &again).await.expect("closes");
        // Signing in every week keeps a browser signed in.
        for day in [10, 20, 29] {
            move_to(&world, begin.plus_days(day)).await;
            assert_eq!(state(&world).await, AccountState::Closing);
            assert!(world.coach.my_data().await.expect("reads").held.len() > 3, "readable on day {day}");
            assert_eq!(refused(world.coach.create_webinar("More").await), RefusalKind::Conflict);
        }
        move_to(&world, begin.plus_days(30)).await;
        world.backend.keep_promises().await.expect("the month is over");
        move_to(&world, begin.plus_days(31)).await;
        assert_eq!(count::<coach::Entity>(&world).await, 0);
        let reader = world.backend.db().reader();
        let left = queries::requests_of_coach(reader, world.id(), SubjectKind::Coach).await.expect("reads");
        assert!(left.iter().all(|row| row.state != RequestState::Failed.as_str()));
    })
    .await;
}

#[tokio::test]
async fn who_waits_can_still_have_it_now() {
    each_database("p28 now", |test| async move {
        let world = World::published(&test).await;
        let first = proof(&world).await;
        let waiting = world.coach.leave(Exit::Later, &first).await.expect("leaves").expect("a request");
        let second = proof(&world).await;
        let now = world.coach.leave(Exit::Now, &second).await.expect("now").expect("a request");
        assert_eq!(now, waiting, "the same request, without the days left");
        assert_eq!(refused(world.coach.stay().await), RefusalKind::Conflict, "nothing calls it off any more");
        world.run_jobs().await;
        let at = world.backend.now().plus_seconds(7_200);
        move_to(&world, at).await;
        assert_eq!(count::<coach::Entity>(&world).await, 0);
    })
    .await;
}
