//! "European Union: withdraw consent": per purpose, at once, with the record of it kept.

use domain::my_data::{Errand, Wish};
use futures::FutureExt;
use persistence::entities::{consent, registration};
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::mails::Claim;
use crate::rights::resting::RUN_WEBINAR;
use crate::watching::BeatAnswer;
use crate::world::{Guest, World};

const TOM: &str = "tom@viewer.example";

async fn withdraw(world: &World, guest: &Guest, purpose: &'static str) -> crate::Result<()> {
    let (backend, person) = (world.backend.clone(), (world.id(), guest.subject));
    let withdrawn = world.backend.fence(move |transaction| {
        let backend = backend.clone();
        async move { backend.withdraw(transaction, person, purpose, backend.now()).await }.boxed()
    });
    withdrawn.await
}

#[tokio::test]
async fn an_agreement_taken_back_ends_link_and_mail_and_stays_on_record() {
    each_database("p33 withdraw", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let view = world.open_room(&guest).await.expect("is measured");
        assert_eq!(world.watch(view, 1).await, BeatAnswer::Durable);
        world.coach.resend_link(world.webinar, guest.booking).await.expect("planned");
        assert!(withdraw(&world, &guest, "newsletter").await.is_err(), "nothing was agreed to for that");

        withdraw(&world, &guest, RUN_WEBINAR).await.expect("taken back");
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), 1, "the one from before");
        assert_eq!(world.watch(view, 2).await, BeatAnswer::Over);
        let room = world.backend.visitor().room(&guest.token, Some(&crate::Client::unknown())).await.expect("opens");
        assert!(room.player.is_none());
        let records = consent::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        assert_eq!(records.len(), 1);
        assert!(records[0].withdrawn_at.is_some(), "what was in order until then is on record");
        let row = registration::Entity::find_by_id(guest.booking).one(world.backend.db().reader()).await;
        assert_eq!(row.expect("reads").expect("there").total_ms, 10_000, "the past is not undone");
        assert!(withdraw(&world, &guest, RUN_WEBINAR).await.is_err(), "once");
    })
    .await;
}

#[tokio::test]
async fn agreeing_again_is_one_press_as_well() {
    each_database("p33 again", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        withdraw(&world, &guest, RUN_WEBINAR).await.expect("taken back");
        world.backend.clock().advance_seconds(3_600);
        let again = world.press(World::form(TOM)).await.expect("registers again");
        assert!(again.was_registered);
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), 2);
        let records = || async { consent::Entity::find().all(world.backend.db().reader()).await.expect("reads") };
        assert_eq!(records().await.len(), 1, "anybody can type anybody's address");
        let visitor = world.backend.visitor();
        let mail = world.sent().into_iter().find(|mail| mail.text.contains("?again=")).expect("is asked by mail");
        let link = mail.text.split("?again=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link");
        assert!(visitor.room(&guest.token, None).await.expect("opens").agree.is_none(), "the link alone is no proof");
        assert!(
            visitor.agree_again(&guest.token, link, ("", "")).await.is_err(),
            "opening a mail's link is not enough"
        );
        let page = visitor.room_to_agree(&guest.token, link).await.expect("opens").agree.expect("can agree");
        assert_eq!(records().await.len(), 1, "a scanner that opens the link agrees to nothing");
        visitor.agree_again(&guest.token, &page.token, ("", "")).await.expect("agrees");
        let given = records().await;
        assert_eq!(given.iter().filter(|record| record.withdrawn_at.is_none()).count(), 1);
        assert_eq!(given.len(), 2, "both are on record");
        assert!(world.open_room(&guest).await.is_some());
        // The next withdrawal is not undone by an old mail.
        withdraw(&world, &guest, RUN_WEBINAR).await.expect("taken back");
        assert!(visitor.room_to_agree(&guest.token, link).await.expect("opens").agree.is_none());
        assert!(visitor.agree_again(&guest.token, &page.token, ("", "")).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_mail_is_sent_before_the_withdrawal_or_never() {
    each_database("p33 race", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(TOM).await;
        let planned = world.letters(guest.booking).await[0].0;
        let Claim::Taken(claimed) = world.backend.claim_mail(planned).await.expect("claims") else {
            panic!("it can be sent");
        };
        let (withdrawn, sent) = tokio::join!(withdraw(&world, &guest, RUN_WEBINAR), async {
            let sent = world.backend.deliver(&claimed).await;
            world.backend.mail_settled().notify_waiters();
            sent
        });
        withdrawn.expect("taken back");
        sent.expect("sent");
        let records = consent::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        let sent_at = persistence::mails::mail(world.backend.db().reader(), planned).await.expect("reads");
        let sent_at = sent_at.expect("there").sent_at.expect("sent");
        assert!(sent_at >= records[0].given_at && world.sent_to(TOM) == 1);
        world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), 1, "never after it");
    })
    .await;
}

#[tokio::test]
async fn the_person_takes_it_back_at_the_portal_and_the_coach_is_told() {
    each_database("p33 portal", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let portal = world.portal(TOM, Errand::Myself).await;
        let told = |data: &domain::my_data::MyData| data.cards[0].agreements.clone();
        let before = told(&portal.everything().await.expect("shown"));
        assert_eq!((before.len(), before[0].withdrawn_at, before[0].purpose.as_str()), (1, None, RUN_WEBINAR));
        assert!(!before[0].wording.is_empty(), "the wording that was agreed to is shown");
        let wish = |purpose: &str| Wish::Withdraw(purpose.to_owned());
        assert!(portal.wish(world.id(), &wish("newsletter")).await.is_err(), "per purpose");
        portal.wish(world.id(), &wish(RUN_WEBINAR)).await.expect("taken back");
        world.run_jobs().await;
        let after = told(&portal.everything().await.expect("shown"));
        assert!(after[0].withdrawn_at.is_some(), "the record of it stays");
        let room = world.backend.visitor().room(&guest.token, Some(&crate::Client::unknown())).await.expect("opens");
        assert!(room.player.is_none());
        let mail =
            world.sent().into_iter().find(|mail| mail.to == "maya@coach.example" && mail.subject.contains("right"));
        let mail = mail.expect("she is told");
        assert!(mail.text.contains("took an agreement back") && !mail.text.contains("tom"), "{}", mail.text);
    })
    .await;
}
