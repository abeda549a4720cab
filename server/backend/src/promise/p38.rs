//! "United Kingdom: same rights": the ICO is named, and a complaint that cannot be acknowledged rings on the 20th day, ten
//! before the law's last one.

use domain::messages::{ACKNOWLEDGE_ALARM_DAYS, ComplaintForm, Step};
use domain::rights::Regime;
use persistence::messages as queries;
use testkit::each_database;

use crate::Client;
use crate::world::World;

fn complaint(email: &str) -> ComplaintForm {
    ComplaintForm {
        email: email.to_owned(),
        law: Regime::Uk.as_str().to_owned(),
        words: "It is late.".to_owned(),
        website: String::new(),
    }
}

#[tokio::test]
async fn a_british_complaint_is_acknowledged_and_names_the_ico() {
    each_database("p38 ico", |test| async move {
        let world = World::published(&test).await;
        let id =
            world.backend.visitor().complain(&complaint("ben@uk.example"), &Client::unknown()).await.expect("is taken");
        world.run_jobs().await;
        let mail = world.sent().into_iter().find(|mail| mail.to == "ben@uk.example").expect("an acknowledgement");
        assert!(mail.text.contains("https://ico.org.uk"), "{}", mail.text);
        let line = world.backend.messages().await.expect("lists").pop().expect("it waits for its answer");
        assert_eq!((line.id, line.is_acknowledged, line.due_at), (id, true, line.received_at.plus_days(30)));
    })
    .await;
}

#[tokio::test]
async fn one_that_could_not_be_acknowledged_rings_on_the_twentieth_day() {
    each_database("p38 alarm", |test| async move {
        let world = World::published(&test).await;
        let id =
            world.backend.visitor().complain(&complaint("ben@uk.example"), &Client::unknown()).await.expect("is taken");
        let received = world.backend.now();
        // Opened by a person, so that only the acknowledgement is missing; the mail that would carry it never leaves.
        world.backend.read_message(id).await.expect("opens");
        let transaction = world.backend.db().begin().await.expect("begins");
        queries::finish(&transaction, id, Step::Notify.as_str(), received).await.expect("is told otherwise");
        transaction.commit().await.expect("commits");
        let rung = || world.sent().iter().filter(|mail| mail.text.contains("could not be acknowledged")).count();
        for (days, expected) in
            [(ACKNOWLEDGE_ALARM_DAYS - 1, 0), (ACKNOWLEDGE_ALARM_DAYS, 1), (ACKNOWLEDGE_ALARM_DAYS + 1, 1)]
        {
            let now = received.plus_days(days).plus_seconds(1);
            world.backend.watch_messages(now).await.expect("looks");
            assert_eq!(rung(), expected, "day {days}");
        }
    })
    .await;
}
