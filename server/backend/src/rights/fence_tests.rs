//! Races, driven by hand: what another transaction does between two steps of a writer, on both databases.

use bytes::Bytes;
use domain::RefusalKind;
use domain::rights::{AccountState, SubjectState};
use domain::watching::Attendance;
use futures::stream;
use persistence::entities::{beat, login, page_view, registration, upload, video, view, webinar};
use persistence::rights as queries;
use sea_orm::EntityTrait;
use testkit::{TestDatabase, each_database};

use crate::links::MediaKind;
use crate::mails::Claim;
use crate::uploads::UploadMetadata;
use crate::watching::BeatAnswer;
use crate::world::{RECORDING, World, beat as ten_seconds, count};
use crate::{Client, Error};

fn refused<T>(result: Result<T, Error>) -> RefusalKind {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(Error::Refused(refusal)) => refusal.kind,
        Err(Error::Fault(fault)) => panic!("it broke: {}", crate::error::chain(&fault)),
    }
}

#[tokio::test]
async fn a_mail_claimed_before_an_erasure_is_sent_before_it_and_one_after_it_never() {
    each_database("mail race", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed("tom@viewer.example").await;
        world.coach.resend_link(world.webinar, guest.booking).await.expect("planned");
        let planned = world.letters(guest.booking).await;
        assert_eq!(planned.len(), 2);

        // The worker has claimed the first one when the erasure wants to begin.
        let Claim::Taken(claimed) = world.backend.claim_mail(planned[0].0).await.expect("claims") else {
            panic!("the mail is there to be sent");
        };
        let transaction = world.backend.db().begin().await.expect("begins");
        let raised = queries::set_subject_state(
            &transaction,
            world.id(),
            guest.subject,
            &[SubjectState::Active],
            SubjectState::Erasing,
        );
        let error = raised.await.expect_err("not over a mail that is on its way");
        assert!(persistence::mails::is_under_way(&error), "{error}");
        transaction.rollback().await.expect("rolls back");

        // Told to wait, it waits: the mail is delivered, then the fence is raised.
        let (raised, sent) = tokio::join!(world.set_person(guest.subject, SubjectState::Erasing), async {
            let sent = world.backend.deliver(&claimed).await;
            world.backend.mail_settled().notify_waiters();
            sent
        });
        assert!(raised.expect("raised"));
        sent.expect("sent");
        assert_eq!(world.sent_to("tom@viewer.example"), 1);

        // Whatever the worker tries from now on, nothing is claimed, nothing rendered, nothing sent.
        assert!(matches!(world.backend.claim_mail(planned[1].0).await.expect("asked"), Claim::Settled));
        world.run_jobs().await;
        assert_eq!(world.sent_to("tom@viewer.example"), 1);
        let states: Vec<_> = world.letters(guest.booking).await.into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["sent", "dropped"]);
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_waits_for_an_erasure_finds_it_done() {
    each_database("claim waits", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed("tom@viewer.example").await;
        let planned = world.letters(guest.booking).await;
        let transaction = world.backend.db().begin().await.expect("begins");
        let from = [SubjectState::Active];
        queries::set_subject_state(&transaction, world.id(), guest.subject, &from, SubjectState::Erasing)
            .await
            .expect("raised");
        // The claim comes while the erasure is not yet committed: it has to wait for it, and then finds it.
        let (claim, ()) = tokio::join!(world.backend.claim_mail(planned[0].0), async {
            tokio::task::yield_now().await;
            transaction.commit().await.expect("commits");
        });
        assert!(matches!(claim.expect("asked"), Claim::Settled));
        world.run_jobs().await;
        assert_eq!(world.sent_to("tom@viewer.example"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_died_while_sending_stops_nobody_for_long() {
    each_database("dead worker", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed("tom@viewer.example").await;
        let planned = world.letters(guest.booking).await;
        assert!(matches!(world.backend.claim_mail(planned[0].0).await.expect("claims"), Claim::Taken(_)));
        assert!(matches!(world.backend.claim_mail(planned[0].0).await.expect("asked"), Claim::Busy));
        world.backend.clock().advance_seconds(persistence::mails::SENDING_SECONDS + 1);
        assert!(world.set_person(guest.subject, SubjectState::Restricted).await.expect("raised"));
        assert_eq!(world.letters(guest.booking).await[0].1, "held");
    })
    .await;
}

#[tokio::test]
async fn an_account_closed_between_two_pieces_ends_the_upload() {
    each_database("upload race", |test| async move {
        let world = World::published(&test).await;
        let before = world.objects();
        let uploader = world.coach.uploader();
        let metadata = UploadMetadata { file_name: "more.mp4".to_owned(), webinar: Some(world.webinar) };
        let started = uploader.create_upload(RECORDING.len() as u64, metadata).await.expect("begins");
        let half = RECORDING.len() / 2;
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(&RECORDING[..half]))]);
        uploader.append(started.id, 0, None, first).await.expect("arrives");
        assert!(world.objects().len() > before.len(), "the parts are on the disk");

        // The account is closed while the second piece is on its way.
        let closing = &world;
        let second = Box::pin(stream::unfold(0, move |step| async move {
            match step {
                0 => Some((Ok::<_, std::io::Error>(Bytes::from_static(&RECORDING[half..half + 1024])), 1)),
                1 => {
                    closing.set_account(AccountState::Erasing).await;
                    Some((Ok(Bytes::from_static(&RECORDING[half + 1024..])), 2))
                }
                _ => None,
            }
        }));
        assert_eq!(refused(uploader.append(started.id, half as u64, None, second).await), RefusalKind::Conflict);
        let row = upload::Entity::find_by_id(started.id).one(world.backend.db().reader()).await.expect("reads");
        assert_eq!(row.expect("its record").state, "expired");
        assert_eq!(world.objects(), before, "nothing of it is left");
        assert_eq!(count::<video::Entity>(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_whole_upload_is_not_adopted_by_a_closed_account() {
    each_database("adopt race", |test| async move {
        let world = World::published(&test).await;
        let before = world.objects();
        let metadata = UploadMetadata { file_name: "more.mp4".to_owned(), webinar: Some(world.webinar) };
        let uploader = world.coach.uploader();
        let started = uploader.create_upload(RECORDING.len() as u64, metadata).await.expect("begins");
        world.set_account(AccountState::Closing).await;
        let whole = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(RECORDING))]);
        assert_eq!(refused(uploader.append(started.id, 0, None, whole).await), RefusalKind::Conflict);
        assert_eq!(world.objects(), before);
        assert_eq!(refused(uploader.create_upload(10, UploadMetadata::default()).await), RefusalKind::Conflict);
    })
    .await;
}

/// The look before is only a look: an account can close while the recording is being probed.
#[tokio::test]
async fn an_account_that_closes_while_its_recording_is_looked_into_gets_none() {
    each_database("probe race", |test| async move {
        let world = World::published(&test).await;
        let whole = upload::Entity::find().one(world.backend.db().reader()).await.expect("reads").expect("an upload");
        world.backend.adopt_recording(&whole).await.expect("adopted before, so nothing is done");
        world.set_account(AccountState::Closing).await;
        assert_eq!(refused(world.backend.adopt_recording(&whole).await), RefusalKind::Conflict);
    })
    .await;
}

#[tokio::test]
async fn what_the_background_work_made_for_an_erased_account_goes() {
    each_database("process race", |test| async move {
        let world = World::published(&test).await;
        let before = world.objects();
        world.set_account(AccountState::Erasing).await;
        world.backend.process_video(world.video).await.expect("ends");
        assert_eq!(world.objects(), before, "no poster, no copy");
        let row = video::Entity::find_by_id(world.video).one(world.backend.db().reader()).await.expect("reads");
        assert_eq!(row.expect("still there").state, "processing");
    })
    .await;
}

/// The batch that was about to be written when the erasure committed.
async fn beats_against(test: &TestDatabase, person: Option<SubjectState>, account: Option<AccountState>) -> BeatAnswer {
    let world = World::published(test).await;
    let guest = world.guest("tom@viewer.example").await;
    let view = world.open_room(&guest).await.expect("is measured");
    assert_eq!(world.watch(view, 1).await, BeatAnswer::Durable);
    let stored = count::<beat::Entity>(&world).await;
    world.backend.clock().advance_seconds(10);

    let transaction = world.backend.db().begin().await.expect("begins");
    if let Some(to) = person {
        let from = [SubjectState::Active];
        queries::set_subject_state(&transaction, world.id(), guest.subject, &from, to).await.expect("raised");
    }
    if let Some(to) = account {
        queries::set_account_state(&transaction, world.id(), &[AccountState::Active], to).await.expect("raised");
    }
    let (answer, ()) = tokio::join!(world.backend.beat(ten_seconds(view, 2)), async {
        // The writer has taken the beat and waits for this transaction, however long it takes.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        transaction.commit().await.expect("commits");
    });
    assert_eq!(count::<beat::Entity>(&world).await, stored, "nothing was stored");
    let row = registration::Entity::find_by_id(guest.booking).one(world.backend.db().reader()).await.expect("reads");
    assert_eq!(row.expect("there").total_ms, 10_000);
    answer.expect("answers")
}

#[tokio::test]
async fn a_beat_batch_that_meets_an_erasure_stores_nothing() {
    each_database("beat race", |test| async move {
        assert_eq!(beats_against(&test, Some(SubjectState::Erasing), None).await, BeatAnswer::Durable);
    })
    .await;
}

#[tokio::test]
async fn a_beat_batch_that_meets_a_closing_account_is_over() {
    each_database("beat closing", |test| async move {
        assert_eq!(beats_against(&test, None, Some(AccountState::Closing)).await, BeatAnswer::Over);
    })
    .await;
}

#[tokio::test]
async fn a_beat_batch_that_meets_a_resting_account_is_dropped_without_a_word() {
    each_database("beat resting", |test| async move {
        assert_eq!(beats_against(&test, None, Some(AccountState::Restricted)).await, BeatAnswer::Durable);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_added_to_a_person_who_is_being_erased() {
    each_database("book race", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        world.backend.clock().advance_seconds(3_600);
        world.set_person(guest.subject, SubjectState::Erasing).await.expect("raised");
        let (registered, mails) = (count::<registration::Entity>(&world).await, world.planned(guest.booking).await);
        assert_eq!(refused(world.press(World::form("tom@viewer.example")).await), RefusalKind::Conflict);
        world
            .backend
            .visitor()
            .send_link_again(&world.slug, "tom@viewer.example", &Client::unknown())
            .await
            .expect("the same answer as ever");
        assert_eq!(refused(world.coach.resend_link(world.webinar, guest.booking).await), RefusalKind::Conflict);
        assert_eq!(
            refused(world.backend.visitor().room(&guest.token, Some(&Client::unknown())).await),
            RefusalKind::Gone
        );
        assert_eq!(count::<registration::Entity>(&world).await, registered);
        assert_eq!(world.planned(guest.booking).await, mails);
        assert_eq!(count::<view::Entity>(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_public_pages_of_a_resting_account_are_gone_and_its_coach_can_read() {
    each_database("account states", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        let visitor = world.backend.visitor();
        let someone = Client::unknown();
        let media = format!("{}-0", world.video);
        let counted = count::<page_view::Entity>(&world).await;
        for state in [AccountState::Restricted, AccountState::Leaving, AccountState::Closing, AccountState::Erasing] {
            world.set_account(state).await;
            // Past what one address may ask for in an hour.
            world.backend.clock().advance_seconds(2 * 3_600);
            assert_eq!(refused(visitor.invitation(&world.slug, None, None).await), RefusalKind::Gone, "{state:?}");
            assert_eq!(refused(visitor.room(&guest.token, Some(&someone)).await), RefusalKind::Gone);
            let again = visitor.send_link_again(&world.slug, "tom@viewer.example", &someone).await;
            assert_eq!(refused(again), RefusalKind::Gone);
            let object = world.backend.signed_object(MediaKind::Video, &media, None).await;
            assert_eq!(refused(object), RefusalKind::Gone);
            visitor.count_page_view(&world.slug, &someone, "");
            world.backend.write_page_views().await.expect("counts nothing");

            // Reading stays hers in every state; changing does not.
            world.coach.webinar(world.webinar).await.expect("reads");
            world.coach.results(world.webinar).await.expect("reads");
            visitor.invitation(&world.slug, Some(world.id()), None).await.expect("her own preview");
            assert_eq!(refused(world.coach.create_webinar("More").await), RefusalKind::Conflict);
            let view = world.coach.webinar(world.webinar).await.expect("reads");
            let saved = world.coach.save_webinar(world.webinar, view.revision, view.form).await;
            assert_eq!(refused(saved), RefusalKind::Conflict);
            assert_eq!(refused(world.coach.unpublish(world.webinar, false).await), RefusalKind::Conflict);
            let caption = world.coach.add_caption(world.video, "en", "", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n");
            assert_eq!(refused(caption.await), RefusalKind::Conflict);
        }
        assert_eq!(count::<page_view::Entity>(&world).await, counted);
        world.set_account(AccountState::Active).await;
        visitor.invitation(&world.slug, None, None).await.expect("open again");
        assert_eq!(count::<webinar::Entity>(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_registration_under_way_when_the_account_closes_is_not_made() {
    each_database("register race", |test| async move {
        let world = World::published(&test).await;
        let invitation = world.backend.visitor().invitation(&world.slug, None, None).await.expect("open");
        world.backend.clock().advance_seconds(2);
        // The page was open, and the coach closes her account before the button is pressed.
        world.set_account(AccountState::Leaving).await;
        let mut form = World::form("tom@viewer.example");
        form.form_stamp = invitation.form_stamp;
        let pressed = world.backend.visitor().register(&world.slug, &form, &Client::unknown()).await;
        assert_eq!(refused(pressed), RefusalKind::Gone);
        assert_eq!(count::<registration::Entity>(&world).await, 0);
        assert_eq!(count::<persistence::entities::subject::Entity>(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn no_browser_is_signed_in_to_an_account_that_is_being_erased() {
    each_database("login race", |test| async move {
        let world = World::published(&test).await;
        let logins = count::<login::Entity>(&world).await;
        world.set_account(AccountState::Erasing).await;
        let email = world.account().await.email;
        let tried = world.backend.visitor().sign_in(&email, &"seven quiet otters".into(), &Client::unknown()).await;
        assert_eq!(refused(tried.map(|_| ())), RefusalKind::Invalid, "in the words of a wrong password");
        assert_eq!(count::<login::Entity>(&world).await, logins);
        world.backend.visitor().request_password_reset(&email, &Client::unknown()).await.expect("the same answer");
        world.run_jobs().await;
        assert_eq!(world.sent_to(&email), 0);
    })
    .await;
}

#[tokio::test]
async fn planned_mail_of_an_account_that_rests_waits_and_is_overtaken() {
    each_database("account mail", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        world.set_account(AccountState::Leaving).await;
        world.run_jobs().await;
        assert_eq!(world.planned(guest.booking).await[0].1, "held");
        world.set_account(AccountState::Active).await;
        world.run_jobs().await;
        assert_eq!(world.planned(guest.booking).await[0].1, "dropped");
        assert_eq!(world.sent_to("tom@viewer.example"), 0);
    })
    .await;
}

#[tokio::test]
async fn an_outcome_is_not_touched_while_its_person_rests() {
    each_database("final", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest("tom@viewer.example").await;
        world.set_person(guest.subject, SubjectState::Restricted).await.expect("rests");
        world.backend.clock().advance_seconds(400 * 86_400);
        world.backend.finalise_registrations().await.expect("runs");
        let read = || registration::Entity::find_by_id(guest.booking).one(world.backend.db().reader());
        assert_eq!(read().await.expect("reads").expect("there").finalised_at, None);
        world.set_person(guest.subject, SubjectState::Active).await.expect("lifted");
        world.backend.finalise_registrations().await.expect("runs");
        let row = read().await.expect("reads").expect("there");
        assert_eq!(row.outcome, Attendance::Missed.as_str());
    })
    .await;
}
