//! "You can complain": every mail about a request names the authority and our own form.

use domain::rights::{AUTHORITIES, SubjectState};
use testkit::each_database;

use crate::mails::about_rights::{
    AGREE_AGAIN, LIFT_ANNOUNCED, OBJECTION_REJECTED, OBJECTION_UPHELD, REPORTED, RESTING,
};
use crate::rights::messages::COMPLAINT_PAGE;
use crate::rights::resting::RUN_WEBINAR;
use crate::world::World;

const TEMPLATES: [&str; 6] = [AGREE_AGAIN, RESTING, LIFT_ANNOUNCED, OBJECTION_UPHELD, OBJECTION_REJECTED, REPORTED];

#[tokio::test]
async fn every_letter_about_a_request_says_whom_to_complain_to() {
    each_database("p34 letters", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        world.run_jobs().await;
        let before = world.sent().len();
        world.set_person(guest.subject, SubjectState::Restricted).await.expect("rests");
        let now = world.backend.now();
        let transaction = world.backend.db().begin().await.expect("begins");
        let person = (world.id(), guest.subject);
        world.backend.withdraw(&transaction, person, RUN_WEBINAR, now).await.expect("taken back, to be asked again");
        for template in TEMPLATES {
            let once = format!("{template}:test");
            let planned =
                world.backend.enqueue_mail(&transaction, world.id(), template, &once, Some(guest.booking), None, now);
            planned.await.expect("is planned");
        }
        transaction.commit().await.expect("commits");
        world.run_jobs().await;
        let sent = world.sent();
        assert_eq!(sent.len(), before + TEMPLATES.len(), "each was sent");
        for mail in &sent[..TEMPLATES.len()] {
            assert!(mail.text.contains(COMPLAINT_PAGE), "{}: {}", mail.subject, mail.text);
            assert!(AUTHORITIES.iter().any(|one| mail.text.contains(one.url)), "{}: {}", mail.subject, mail.text);
        }
    })
    .await;
}

#[tokio::test]
async fn the_receipt_of_an_erasure_says_it_too() {
    each_database("p34 receipt", |test| async move {
        let world = World::published(&test).await;
        world.guest("tom@viewer.example").await;
        let account = world.account().await;
        world.backend.erase_now("tom@viewer.example", Some(&account.email)).await.expect("is erased");
        let receipts: Vec<_> = world.sent().into_iter().filter(|mail| mail.subject.contains("receipt")).collect();
        assert_eq!(receipts.len(), 1);
        assert!(
            receipts[0].text.contains(COMPLAINT_PAGE) && receipts[0].text.contains("cnil.fr"),
            "{}",
            receipts[0].text
        );
    })
    .await;
}
