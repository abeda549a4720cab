//! "European Union: object": marketing ends at once, anything else rests until it is decided.

use domain::ids::ObjectionId;
use domain::rights::ObjectionScope;
use futures::FutureExt;
use persistence::entities::{mail as outbox, objection, suppression};
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::mails::Claim;
use crate::world::{Guest, World, count};

const TOM: &str = "tom@viewer.example";

async fn object(world: &World, guest: &Guest, scope: ObjectionScope) -> ObjectionId {
    let (backend, person) = (world.backend.clone(), (world.id(), guest.subject));
    let objected = world.backend.fence(move |transaction| {
        let backend = backend.clone();
        async move { backend.object(transaction, person, scope, "I would rather not.", backend.now()).await }.boxed()
    });
    objected.await.expect("noted")
}

async fn write(world: &World, guest: &Guest, template: &str) -> domain::ids::MailId {
    let transaction = world.backend.db().begin().await.expect("begins");
    let now = world.backend.now();
    let (coach, booking) = (world.id(), Some(guest.booking));
    let once = format!("{template}:{}", now.0);
    world.backend.enqueue_mail(&transaction, coach, template, &once, booking, None, now).await.expect("planned");
    transaction.commit().await.expect("commits");
    world.planned(guest.booking).await.last().expect("planned").0
}

async fn state_of(world: &World, id: domain::ids::MailId) -> String {
    let row = outbox::Entity::find_by_id(id).one(world.backend.db().reader()).await.expect("reads");
    row.expect("planned").state
}

#[tokio::test]
async fn nothing_the_coach_wishes_to_write_leaves_after_an_objection() {
    each_database("p32 marketing", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        // One is on its way, one is planned, one is planned afterwards.
        let on_its_way = write(&world, &guest, "broadcast").await;
        let Claim::Taken(claimed) = world.backend.claim_mail(on_its_way).await.expect("claims") else {
            panic!("it can be sent");
        };
        world.backend.clock().advance_seconds(1);
        let planned = write(&world, &guest, "broadcast").await;
        let (_, sent) = tokio::join!(object(&world, &guest, ObjectionScope::Marketing), async {
            let sent = world.backend.deliver(&claimed).await;
            world.backend.mail_settled().notify_waiters();
            sent
        });
        sent.expect("sent before the objection was stored");
        let until_then = world.sent_to(TOM);
        world.backend.clock().advance_seconds(1);
        let later = write(&world, &guest, "broadcast").await;
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), until_then);
        assert_eq!(state_of(&world, on_its_way).await, "sent");
        assert_eq!(
            (state_of(&world, planned).await, state_of(&world, later).await),
            ("dropped".into(), "dropped".into())
        );
        assert_eq!(count::<suppression::Entity>(&world).await, 1);
        // What belongs to the booking still arrives, and the person stays in the numbers.
        world.coach.resend_link(world.webinar, guest.booking).await.expect("planned");
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), until_then + 1);
        assert_eq!(world.person(guest.subject).await.expect("there").state, "active");
        // Objecting twice is objecting once.
        object(&world, &guest, ObjectionScope::Marketing).await;
        assert_eq!(count::<suppression::Entity>(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn any_other_objection_rests_until_the_coach_has_decided() {
    each_database("p32 others", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let id = object(&world, &guest, ObjectionScope::Analytics).await;
        assert_eq!(world.person(guest.subject).await.expect("there").state, "restricted");
        let stored = objection::Entity::find_by_id(id).one(world.backend.db().reader()).await.expect("reads");
        let reason = stored.expect("noted").reason_ct.expect("sealed");
        assert!(!reason.windows(6).any(|part| part == b"rather"), "the words are sealed");

        // Rejected: told first, used again some days later.
        world.coach.decide_objection(id, false, "We are in a dispute with them.").await.expect("decided");
        assert!(world.coach.decide_objection(id, true, "").await.is_err(), "decided once");
        world.run_jobs().await;
        assert!(world.sent().iter().any(|mail| mail.to == TOM && mail.subject.contains("about to end")));
        assert_eq!(world.person(guest.subject).await.expect("there").state, "restricted");
        world.backend.clock().advance_seconds(3 * 86_400 + 1);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(world.person(guest.subject).await.expect("there").state, "active");
    })
    .await;
}

#[tokio::test]
async fn an_objection_nobody_answers_is_upheld_after_thirty_days() {
    each_database("p32 silence", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let id = object(&world, &guest, ObjectionScope::All).await;
        let decision = || async {
            let row = objection::Entity::find_by_id(id).one(world.backend.db().reader()).await.expect("reads");
            row.expect("there").decision
        };
        world.backend.clock().advance_seconds(29 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(decision().await, None);
        world.backend.clock().advance_seconds(2 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(decision().await.as_deref(), Some("upheld"));
        world.backend.clock().advance_seconds(365 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(world.person(guest.subject).await.expect("there").state, "restricted", "it stays so");
    })
    .await;
}

#[tokio::test]
async fn nobody_decides_about_the_viewers_of_another_coach() {
    each_database("p32 tenancy", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let id = object(&world, &guest, ObjectionScope::All).await;
        world
            .backend
            .create_account("Ines", "ines@coach.example", &"nine loud badgers".into())
            .await
            .expect("an account");
        let visitor = world.backend.visitor();
        let signed_in =
            visitor.sign_in("ines@coach.example", &"nine loud badgers".into(), &crate::Client::unknown()).await;
        let other = world.backend.coach_by_token(&signed_in.expect("signs in").token).await.expect("asked");
        let error = other.expect("signed in").decide_objection(id, false, "No.").await.expect_err("not hers");
        assert_eq!(error.refusal().map(domain::Refusal::status), Some(404));
    })
    .await;
}
