//! Messages to the operators: sealed from the moment they are written, gone with their answer.

use domain::messages::{ChildReportForm, ComplaintForm};
use testkit::each_database;

use crate::evidence::stray;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_and_a_report_are_sealed_and_leave_nothing() {
    each_database("canary messages", |test| async move {
        let world = World::new(&test);
        let visitor = world.backend.visitor();
        let words: Vec<String> =
            ["qccomplaintzq", "qcreportzq", "qcann@canary.test", "qckid@canary.test", "qcdad@canary.test"]
                .map(str::to_owned)
                .to_vec();
        let complaint = ComplaintForm { email: words[2].clone(), words: words[0].clone(), ..ComplaintForm::default() };
        let report = ChildReportForm {
            child_email: words[3].clone(),
            words: words[1].clone(),
            email: words[4].clone(),
            ..ChildReportForm::default()
        };
        let ids = [
            visitor.complain(&complaint, &world.client()).await.expect("is taken"),
            visitor.report_child(&report, &world.client()).await.expect("is taken"),
        ];
        // Not even while they wait: only letters to the two addresses name them.
        world.work().await;
        let is_letter = |store: &str, _: &str, needle: usize| store == "mailbox" && (needle == 2 || needle == 4);
        assert_eq!(stray(&world.look(&words).await, &is_letter), Vec::<String>::new());
        // Positive control: the operators are shown all of it.
        let opened = world.backend.read_message(ids[0]).await.expect("opens");
        assert_eq!((opened.words, opened.answer_to), (words[0].clone(), Some(words[2].clone())));
        let opened = world.backend.read_message(ids[1]).await.expect("opens");
        assert_eq!((opened.words, opened.child), (words[1].clone(), Some(words[3].clone())));

        for id in ids {
            let key = world.request(id).await.dek_id;
            world.backend.answer_message(id, "Thank you.").await.expect("is answered");
            let row = world.request(id).await;
            assert!(row.details_ct.is_none() && row.completed_at.is_some());
            assert!(world.backend.keyring().keys(&[key]).await.expect("asks").is_empty(), "the key is gone");
        }
        world.work().await;
        assert_eq!(stray(&world.look(&words).await, &is_letter), Vec::<String>::new());
    })
    .await;
}
