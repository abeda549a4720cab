//! "Provide, improve, communicate, process payments": whoever works on data has said for which of them, and opens it for no
//! other.

use domain::processing::ProcessingPurpose;
use persistence::declared;
use testkit::each_database;

use crate::mails::Claim;
use crate::world::World;

const TOM: &str = "tom@viewer.example";

#[tokio::test]
async fn work_opens_nobody_s_data_for_what_it_has_not_declared() {
    each_database("p17 declared", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        world.run_jobs().await;
        let before = world.sent_to(TOM);
        let transaction = world.backend.db().begin().await.expect("begins");
        let now = world.backend.now();
        let whose = (world.id(), Some(guest.booking));
        let planned = world.backend.enqueue_mail(&transaction, whose.0, "broadcast", "p17", whose.1, None, now);
        planned.await.expect("planned");
        transaction.commit().await.expect("commits");
        let (id, _) = world.planned(guest.booking).await.last().expect("planned").clone();
        let Claim::Taken(mail) = world.backend.claim_mail(id).await.expect("claims") else { panic!("it can be sent") };
        // A job that runs webinars does not write to anybody, even where the code below it would.
        let refused = declared::serving(&[ProcessingPurpose::Provide], world.backend.deliver(&mail)).await;
        let error = refused.err().expect("it did not say that it would");
        assert!(crate::error::chain(&error).contains("is not opened to communicate"), "{error}");
        assert_eq!(world.sent_to(TOM), before);
        let sent = declared::serving(&[ProcessingPurpose::Communicate], world.backend.deliver(&mail)).await;
        sent.expect("sent");
        assert_eq!(world.sent_to(TOM), before + 1);
    })
    .await;
}
