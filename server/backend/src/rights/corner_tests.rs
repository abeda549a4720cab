//! Where two rights of one person, or the rights of two, meet: neither undoes the other.

use domain::RefusalKind;
use domain::leaving::Exit;
use domain::messages::{ChildReportForm, REPORT_HOURS};
use domain::my_data::{Errand, Wish};
use domain::rights::{HoldGround, ObjectionScope, RequestState, RestrictionGround, RightKind, SubjectState};
use futures::FutureExt;
use persistence::entities::{dsr_request, mail as outbox, objection, registration, subject};
use persistence::{mails, rights as queries};
use privacy::audit::Role;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use testkit::each_database;

use super::Whose;
use super::handling::HoldWish;
use super::portal::Corrected;
use crate::Client;
use crate::mails::Claim;
use crate::operators::disclosures::{Named, Order};
use crate::promise::p28::proof;
use crate::world::{Guest, World, count, refused};

const TOM: &str = "tom@viewer.example";
const ANN: &str = "ann@viewer.example";

async fn state(world: &World, guest: &Guest) -> String {
    world.person(guest.subject).await.expect("there").state
}

async fn object(world: &World, scope: ObjectionScope) {
    let wish = Wish::Object(scope, "I would rather not.".to_owned());
    world.portal(TOM, Errand::Myself).await.wish(world.id(), &wish).await.expect("noted");
}

async fn three_days_on(world: &World) {
    world.backend.clock().advance_seconds(3 * 86_400 + 1);
    world.backend.keep_promises().await.expect("runs");
    world.run_jobs().await;
}

#[tokio::test]
async fn a_rejected_objection_does_not_end_what_another_one_keeps() {
    each_database("two objections", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        object(&world, ObjectionScope::Analytics).await;
        let first = world.coach.open_objections().await.expect("lists").remove(0).id;
        world.coach.decide_objection(first, false, "We are in a dispute.").await.expect("decided");
        // Within the days before it is used again: objected to once more.
        object(&world, ObjectionScope::All).await;
        three_days_on(&world).await;
        assert_eq!(state(&world, &guest).await, SubjectState::Restricted.as_str());
        let second = world.coach.open_objections().await.expect("lists").remove(0).id;
        object(&world, ObjectionScope::Analytics).await;
        world.coach.decide_objection(second, false, "The same dispute.").await.expect("decided");
        world.run_jobs().await;
        let told = world.sent().into_iter().filter(|mail| mail.to == TOM && mail.text.contains("still stands"));
        assert_eq!(told.count(), 1, "the answer is told, and that the data still rests");
        three_days_on(&world).await;
        assert_eq!(state(&world, &guest).await, SubjectState::Restricted.as_str());
        // The last one is taken back by its person: nothing is left for the coach to uphold.
        let lift = Wish::Lift(RestrictionGround::Objection);
        world.portal(TOM, Errand::Myself).await.wish(world.id(), &lift).await.expect("lifted");
        assert_eq!(state(&world, &guest).await, SubjectState::Active.as_str());
        assert!(world.coach.open_objections().await.expect("lists").is_empty());
        let rows = objection::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        let decisions: Vec<_> = rows.iter().filter_map(|row| row.decision.as_deref()).collect();
        assert_eq!(decisions.iter().filter(|word| **word == "withdrawn").count(), 1, "{decisions:?}");
    })
    .await;
}

#[tokio::test]
async fn an_order_about_one_person_hands_out_one_person() {
    each_database("order of one", |test| async move {
        let world = World::published(&test).await;
        world.guest(TOM).await;
        world.guest(ANN).await;
        let (first, second) = (world.operator("one@seats.example").await, world.operator("two@seats.example").await);
        let order = Order {
            authority: "Tribunal judiciaire".to_owned(),
            legal_basis: "Art. 77-1-1".to_owned(),
            classes: vec!["email".to_owned()],
            people: 1,
        };
        let id = first.enter_order(&order).await.expect("entered");
        second.agree(id).await.expect("agrees");
        let named = |email: &str| Named { coach: world.id(), email: email.to_owned() };
        first.hand_out(id, &named(TOM)).await.expect("handed out");
        first.hand_out(id, &named(TOM)).await.expect("the same person again");
        for operator in [&first, &second] {
            assert_eq!(refused(operator.hand_out(id, &named(ANN)).await), RefusalKind::NotAllowed);
        }
        let looks = world.coach.my_data().await.expect("reads").looks;
        assert_eq!(looks.len(), 2, "what was refused was not looked at");
    })
    .await;
}

fn hold(email: &str, class: &str, until: domain::Moment) -> HoldWish {
    HoldWish { email: email.to_owned(), ground: HoldGround::DisputeOpen, classes: vec![class.to_owned()], until }
}

#[tokio::test]
async fn a_hold_on_one_viewer_keeps_nobody_else_when_the_account_goes() {
    each_database("hold and account", |test| async move {
        let world = World::published(&test).await;
        let tom = world.guest(TOM).await;
        let ann = world.guest(ANN).await;
        let view = world.open_room(&ann).await.expect("a view");
        world.watch(view, 1).await;
        let now = world.backend.now();
        let until = now.plus_days(90);
        world.coach.place_hold(&hold(TOM, "booking", until)).await.expect("held");
        let keys =
            [world.person(tom.subject).await, world.person(ann.subject).await].map(|row| row.expect("there").dek_id);
        let proof = proof(&world).await;
        world.coach.leave(Exit::Now, &proof).await.expect("leaves");
        assert!(world.coach.place_hold(&hold(ANN, "watching", until)).await.is_err(), "nobody is held on the way out");
        for hour in 1..4 {
            world.run_jobs().await;
            world.backend.move_clock(now.plus_seconds(hour * 3_600)).await.expect("moves");
        }
        let left = registration::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [tom.booking]);
        assert!(world.person(tom.subject).await.is_some(), "what he booked hangs on it");
        let tasks =
            persistence::entities::dsr_task::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        assert!(world.person(ann.subject).await.is_none(), "{tasks:#?}");
        assert!(world.backend.keyring().keys(&[keys[1]]).await.expect("asks").is_empty(), "her key is gone");
        world.backend.move_clock(until.plus_days(1)).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 0);
        assert_eq!(count::<subject::Entity>(&world).await, 0);
        assert!(world.backend.keyring().keys(&keys).await.expect("asks").is_empty());
    })
    .await;
}

#[tokio::test]
async fn each_hold_ends_on_its_own_day() {
    each_database("two holds", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let view = world.open_room(&guest).await.expect("a view");
        world.watch(view, 1).await;
        let now = world.backend.now();
        let (early, late) = (now.plus_days(30), now.plus_days(300));
        world.coach.place_hold(&hold(TOM, "watching", early)).await.expect("held");
        world.coach.place_hold(&hold(TOM, "booking", late)).await.expect("held");
        let request = world.backend.erase_now(TOM, Some("maya@coach.example")).await.expect("erases");
        world.backend.move_clock(now.plus_days(1)).await.expect("moves");
        let views = || count::<persistence::entities::view::Entity>(&world);
        assert_eq!(views().await, 1);
        world.backend.move_clock(early.plus_days(1)).await.expect("moves");
        assert_eq!(views().await, 0, "what the first one kept went on its day");
        assert_eq!(count::<registration::Entity>(&world).await, 1);
        let row =
            || async { queries::request(world.backend.db().reader(), request).await.expect("reads").expect("there") };
        assert_eq!(row().await.state, RequestState::Held.as_str());
        world.backend.move_clock(late.plus_days(1)).await.expect("moves");
        assert_eq!(count::<registration::Entity>(&world).await, 0);
        assert_eq!(row().await.state, RequestState::Done.as_str());
    })
    .await;
}

async fn report(world: &World) {
    let form = ChildReportForm { child_email: TOM.to_owned(), ..ChildReportForm::default() };
    world.backend.visitor().report_child(&form, &Client::unknown()).await.expect("is taken");
    world.run_jobs().await;
}

async fn reported(world: &World, guest: &Guest) -> dsr_request::Model {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::Kind.eq(RightKind::Minor.as_str()))
        .filter(dsr_request::Column::SubjectId.eq(guest.subject))
        .one(world.backend.db().reader())
        .await
        .expect("reads")
        .expect("reported")
}

#[tokio::test]
async fn a_report_called_off_leaves_the_persons_own_restriction_alone() {
    each_database("report and restriction", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let restrict = Wish::Restrict(RestrictionGround::Unlawful);
        world.portal(TOM, Errand::Myself).await.wish(world.id(), &restrict).await.expect("restricted");
        report(&world).await;
        // Ending one's own restriction does not end the report's.
        let lift = Wish::Lift(RestrictionGround::Unlawful);
        world.portal(TOM, Errand::Myself).await.wish(world.id(), &lift).await.expect("lifted");
        assert_eq!(state(&world, &guest).await, SubjectState::Restricted.as_str());
        world.portal(TOM, Errand::Myself).await.wish(world.id(), &restrict).await.expect("restricted");
        world.backend.call_report_off(reported(&world, &guest).await.id).await.expect("called off");
        assert_eq!(state(&world, &guest).await, SubjectState::Restricted.as_str(), "hers stands");
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_reported_child_is_held() {
    each_database("report and hold", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        report(&world).await;
        let now = world.backend.now();
        assert_eq!(
            refused(world.coach.place_hold(&hold(TOM, "booking", now.plus_days(90))).await),
            RefusalKind::Conflict
        );
        world.backend.move_clock(now.plus_seconds((REPORT_HOURS + 24) * 3_600)).await.expect("moves");
        assert!(world.person(guest.subject).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_call_off_that_comes_too_late_leaves_the_erasure_its_key() {
    each_database("report and key", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        report(&world).await;
        let row = reported(&world, &guest).await;
        let transaction = world.backend.db().begin().await.expect("begins");
        let change = dsr_request::ActiveModel::default();
        queries::move_request(&transaction, row.id, RequestState::Undo, RequestState::Running, change)
            .await
            .expect("moves");
        transaction.commit().await.expect("commits");
        world.backend.end_request(&row, RequestState::Cancelled, world.backend.now()).await.expect("changes nothing");
        assert_eq!(world.backend.keyring().keys(&[row.dek_id]).await.expect("asks").len(), 1);
        assert_eq!(reported(&world, &guest).await.state, RequestState::Running.as_str());
    })
    .await;
}

#[tokio::test]
async fn an_erasure_ends_no_archive_made_after_it() {
    each_database("archive after", |test| async move {
        let world = World::published(&test).await;
        world.guest(TOM).await;
        world.run_jobs().await;
        world.backend.erase_now(TOM, Some("maya@coach.example")).await.expect("is erased");
        let now = world.backend.now();
        world.backend.clock().advance_seconds(60);
        world.coach.prove_again(&crate::world::PASSWORD.into(), "").await.expect("proves");
        world.coach.ask_archive().await.expect("asked");
        world.run_jobs().await;
        for hours in [25, 73] {
            world.backend.move_clock(now.plus_seconds(hours * 3_600)).await.expect("moves");
        }
        assert_eq!(world.backend.archives(Whose::Coach(world.id())).await.expect("lists").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_correction_that_waits_goes_with_its_person() {
    each_database("correction and retention", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let portal = world.portal(TOM, Errand::Myself).await;
        portal.wish(world.id(), &Wish::Restrict(RestrictionGround::Accuracy)).await.expect("restricted");
        let sent = [("name".to_owned(), "Thomas".to_owned())];
        assert_eq!(portal.correct(world.id(), &sent).await.expect("noted"), Corrected::Waits);
        let waiting = || async {
            let find = dsr_request::Entity::find().filter(dsr_request::Column::Kind.eq(RightKind::Rectify.as_str()));
            find.one(world.backend.db().reader()).await.expect("reads").expect("on record")
        };
        let key = waiting().await.dek_id;
        let over = [persistence::retention::Over { booking: guest.booking, subject: guest.subject }];
        let dek = world.person(guest.subject).await.expect("there").dek_id;
        let now = world.backend.now();
        world.backend.forget_batch(world.id(), &over, &[(guest.subject, dek)], now).await.expect("forgets");
        let row = waiting().await;
        assert_eq!((row.state.as_str(), row.subject_id), (RequestState::Cancelled.as_str(), None));
        assert!(row.details_ct.is_none());
        assert!(world.backend.keyring().keys(&[key]).await.expect("asks").is_empty());
    })
    .await;
}

/// Somebody else's server has a mail; `until_over` tells after how many mails of others.
async fn restrict_while_mail_leaves(world: &World, guest: &Guest, ends: bool) -> crate::Result<usize> {
    let (id, _) = world.letters(guest.booking).await.remove(0);
    let portal = world.portal(TOM, Errand::Myself).await;
    assert!(matches!(world.backend.claim_mail(id).await.expect("asked"), Claim::Taken(_)));
    let others = async {
        // Each looks into the database as often as whoever waits does, so that the waiting is well under way.
        for _ in 0..1_000 {
            world.backend.mail_settled().notify_waiters();
            world.letters(guest.booking).await;
        }
        let transaction = world.backend.db().begin().await.expect("begins");
        if ends {
            mails::settle(&transaction, id, "sending", "sent", None, Some(world.backend.now())).await.expect("is sent");
        } else {
            // The other server lives, and has just said so by the time our patience is over.
            let later = world.backend.now().plus_seconds(2 * mails::SENDING_SECONDS);
            let row = outbox::ActiveModel { sent_at: Set(Some(later)), ..Default::default() };
            let claim = outbox::Entity::update_many().set(row).filter(outbox::Column::Id.eq(id));
            claim.exec(&transaction).await.expect("is claimed anew");
        }
        transaction.commit().await.expect("commits");
        if !ends {
            world.backend.clock().advance_seconds(2 * mails::SENDING_SECONDS);
        }
        world.backend.mail_settled().notify_waiters();
    };
    let (wished, ()) = tokio::join!(portal.wish_everywhere(&Wish::Restrict(RestrictionGround::Accuracy)), others);
    wished
}

#[tokio::test]
async fn mail_to_others_uses_up_nobodys_patience() {
    each_database("fence patience", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(TOM).await;
        assert_eq!(restrict_while_mail_leaves(&world, &guest, true).await.expect("done"), 1);
        assert_eq!(state(&world, &guest).await, SubjectState::Restricted.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_does_not_arrive_is_said_and_not_swallowed() {
    each_database("fence busy", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(TOM).await;
        assert_eq!(refused(restrict_while_mail_leaves(&world, &guest, false).await), RefusalKind::Busy);
        assert_eq!(state(&world, &guest).await, SubjectState::Active.as_str());
    })
    .await;
}

#[tokio::test]
async fn lifting_is_the_persons_or_the_clocks() {
    each_database("lift by clock", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        object(&world, ObjectionScope::All).await;
        // Ended by the installation itself: the objection stays what it was, and nobody took it back.
        let (backend, person) = (world.backend.clone(), (world.id(), guest.subject));
        let lifted = world.backend.fence(move |transaction| {
            let backend = backend.clone();
            let ground = Some(RestrictionGround::Objection);
            async move { backend.lift(transaction, person, ground, Role::System, backend.now()).await }.boxed()
        });
        lifted.await.expect("lifted");
        assert_eq!(world.coach.open_objections().await.expect("lists").len(), 1);
    })
    .await;
}
