//! "Non-discrimination": two accounts, one of which used every right it could, get the same limits, the same space and
//! the same answers.

use domain::rights::{Regime, RightKind};
use testkit::each_database;

use crate::rights::{Asked, Details, Whose};
use crate::world::World;
use crate::{Client, Coach};

async fn sign_in(world: &World, email: &str) -> Coach {
    let signed_in = world
        .backend
        .visitor()
        .sign_in(email, &"nine loud badgers".into(), &Client::unknown())
        .await
        .expect("signs in");
    world.backend.coach_by_token(&signed_in.token).await.expect("asked").expect("signed in")
}

#[tokio::test]
async fn using_rights_changes_neither_limits_nor_features() {
    each_database("p37", |test| async move {
        let world = World::published(&test).await;
        let backend = &world.backend;
        for (name, email) in [("Ines", "ines@coach.example"), ("Jana", "jana@coach.example")] {
            backend.create_account(name, email, &"nine loud badgers".into()).await.expect("an account");
        }
        let (ines, jana) = (sign_in(&world, "ines@coach.example").await, sign_in(&world, "jana@coach.example").await);
        let now = backend.now();
        for kind in [RightKind::Access, RightKind::Rectify, RightKind::Object, RightKind::Complaint] {
            let key = backend.request_key(now).await.expect("a key");
            let asked = Asked {
                regime: Regime::California,
                kind,
                whose: Whose::Coach(ines.id()),
                undo_until: None,
                details: Details::default(),
            };
            let transaction = backend.db().begin().await.expect("begins");
            backend.open_request(&transaction, &key, &asked, now).await.expect("is asked");
            transaction.commit().await.expect("commits");
        }
        world.run_jobs().await;
        let (of_ines, of_jana) = (ines.home().await.expect("reads"), jana.home().await.expect("reads"));
        assert_eq!(of_ines, of_jana, "what the home page offers");
        for number in 0..25 {
            let (one, two) = (ines.create_webinar("Hour").await, jana.create_webinar("Hour").await);
            assert_eq!(one.is_ok(), two.is_ok(), "webinar {number}");
        }
        for number in 0..25 {
            let begin = |coach: &Coach| {
                let uploader = coach.uploader();
                async move {
                    let metadata = crate::uploads::UploadMetadata { file_name: "a.mp4".to_owned(), webinar: None };
                    uploader.create_upload(1_000, metadata).await.is_ok()
                }
            };
            assert_eq!(begin(&ines).await, begin(&jana).await, "upload {number}");
        }
        let (of_ines, of_jana) = (ines.home().await.expect("reads"), jana.home().await.expect("reads"));
        assert_eq!((of_ines.quota_bytes, of_ines.webinars.len()), (of_jana.quota_bytes, of_jana.webinars.len()));
    })
    .await;
}
