//! "Every mail read by the founders": a message nobody opens rings, and no machine closes one.

use domain::messages::{ComplaintForm, UNREAD_ALARM_HOURS};
use testkit::each_database;

use crate::Client;
use crate::world::World;

#[tokio::test]
async fn a_message_waits_for_a_person_and_rings_until_one_opens_it() {
    each_database("p53", |test| async move {
        let world = World::published(&test).await;
        let backend = &world.backend;
        let contact = backend.config().contact_email.clone();
        let form = ComplaintForm {
            email: "ann@viewer.example".to_owned(),
            words: "A question.".to_owned(),
            ..ComplaintForm::default()
        };
        let id = backend.visitor().complain(&form, &Client::unknown()).await.expect("is taken");
        world.run_jobs().await;
        assert_eq!(world.sent_to(&contact), 1, "the founders are told");
        let rung = || world.sent().iter().filter(|mail| mail.text.contains("nobody has opened")).count();
        backend.clock().advance_seconds((UNREAD_ALARM_HOURS - 1) * 3_600);
        backend.keep_promises().await.expect("looks");
        assert_eq!(rung(), 0);
        backend.clock().advance_seconds(2 * 3_600);
        backend.keep_promises().await.expect("looks");
        assert_eq!(rung(), 1);
        // Forty days of looking: it rings once, and no machine closes it.
        for _ in 0..40 {
            backend.clock().advance_seconds(86_400);
            backend.keep_promises().await.expect("looks");
            world.run_jobs().await;
        }
        assert_eq!(rung(), 1);
        let open = backend.messages().await.expect("lists");
        assert_eq!(open.iter().map(|line| (line.id, line.is_read)).collect::<Vec<_>>(), [(id, false)]);
        assert_eq!(backend.read_message(id).await.expect("opens").words, "A question.");
        assert!(backend.messages().await.expect("lists")[0].is_read);
    })
    .await;
}
