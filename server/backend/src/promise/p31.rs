//! "European Union: restrict processing": what each part of the service does while somebody's data rests, and what
//! happens when it ends.

use domain::RefusalKind;
use domain::results::RegistrantQuery;
use domain::rights::{RestrictionGround, SubjectState};
use domain::watching::Attendance;
use futures::{FutureExt, TryStreamExt};
use persistence::entities::{beat, legal_hold, registration, subject, view};
use persistence::registrations as queries;
use privacy::audit::Role;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use testkit::{TestDatabase, each_database};

use crate::watching::BeatAnswer;
use crate::world::{Guest, World, count};
use crate::{Client, Error};

const TOM: &str = "tom@viewer.example";

async fn restrict(world: &World, guest: &Guest, ground: RestrictionGround) {
    let (backend, person) = (world.backend.clone(), (world.id(), guest.subject));
    let restricted = world.backend.fence(move |transaction| {
        let backend = backend.clone();
        async move { backend.restrict(transaction, person, ground, Role::Viewer, backend.now()).await }.boxed()
    });
    restricted.await.expect("restricted");
}

async fn lift(world: &World, guest: &Guest) {
    let (backend, person) = (world.backend.clone(), (world.id(), guest.subject));
    let lifted = world.backend.fence(move |transaction| {
        let backend = backend.clone();
        async move { backend.lift(transaction, person, None, Role::Viewer, backend.now()).await }.boxed()
    });
    lifted.await.expect("lifted");
}

/// Two people, of whom the first has watched and then asks for restriction.
async fn resting(test: &TestDatabase) -> (World, Guest) {
    let world = World::published(test).await;
    let guest = world.guest(TOM).await;
    world.guest("ann@viewer.example").await;
    world.run_jobs().await;
    let view = world.open_room(&guest).await.expect("is measured");
    for seq in 1..=2 {
        assert_eq!(world.watch(view, seq).await, BeatAnswer::Durable);
    }
    restrict(&world, &guest, RestrictionGround::Accuracy).await;
    (world, guest)
}

#[tokio::test]
async fn mail_waits_and_is_dropped_when_the_restriction_ends() {
    each_database("p31 mail", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        // Planned, not yet sent, when the restriction comes.
        restrict(&world, &guest, RestrictionGround::Unlawful).await;
        world.run_jobs().await;
        assert_eq!(world.planned(guest.booking).await[0].1, "held");
        assert_eq!(world.sent_to(TOM), 0);
        let refusal = world.coach.resend_link(world.webinar, guest.booking).await.expect_err("refused");
        assert_eq!(refusal.refusal().map(|refusal| refusal.kind), Some(RefusalKind::Conflict));

        lift(&world, &guest).await;
        world.run_jobs().await;
        assert_eq!(world.planned(guest.booking).await[0].1, "dropped");
        assert_eq!(world.sent_to(TOM), 0, "nobody is flooded");
        // And what is asked for afterwards works.
        world.coach.resend_link(world.webinar, guest.booking).await.expect("planned");
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), 1);
    })
    .await;
}

#[tokio::test]
async fn playing_works_and_nothing_of_it_is_kept() {
    each_database("p31 playing", |test| async move {
        let (world, guest) = resting(&test).await;
        let (views, beats) = (count::<view::Entity>(&world).await, count::<beat::Entity>(&world).await);
        let room = world.backend.visitor().room(&guest.token, Some(&Client::unknown())).await.expect("opens");
        let player = room.player.expect("plays");
        assert_eq!((player.view, player.resume_seconds, room.first_name), (None, 0.0, None));
        assert_eq!(count::<view::Entity>(&world).await, views);
        // A page that was open before goes on playing; what it reports is dropped, and it is not told.
        let open: Option<view::Model> = view::Entity::find().one(world.backend.db().reader()).await.expect("reads");
        assert_eq!(world.watch(open.expect("a visit").id, 3).await, BeatAnswer::Durable);
        assert_eq!(count::<beat::Entity>(&world).await, beats);

        lift(&world, &guest).await;
        let view = world.open_room(&guest).await.expect("is measured anew");
        assert_eq!(world.watch(view, 1).await, BeatAnswer::Durable);
        assert_eq!(count::<beat::Entity>(&world).await, beats + 1, "without what was played meanwhile");
    })
    .await;
}

#[tokio::test]
async fn numbers_leave_the_person_out_and_totals_stay() {
    each_database("p31 numbers", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest(TOM).await;
        let view = world.open_room(&guest).await.expect("is measured");
        for seq in 1..=12 {
            world.watch(view, seq).await;
        }
        let before = world.coach.results(world.webinar).await.expect("reads");
        assert_eq!((before.retention.viewers, before.mean_percent.is_some()), (1, true));
        restrict(&world, &guest, RestrictionGround::Accuracy).await;
        let during = world.coach.results(world.webinar).await.expect("reads");
        assert_eq!((during.retention.viewers, during.mean_percent), (0, None));
        assert_eq!(during.funnel.registered, before.funnel.registered);
        assert_eq!(during.funnel.attended, before.funnel.attended);
        // What she changes about thresholds judges everybody anew, except them.
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        let form = domain::webinar::WebinarForm { floor_seconds: "3600".to_owned(), ..editor.form };
        world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");
        let row = registration::Entity::find_by_id(guest.booking).one(world.backend.db().reader()).await;
        assert_eq!(row.expect("reads").expect("there").outcome, Attendance::LeftEarly.as_str());
        lift(&world, &guest).await;
        assert_eq!(world.coach.results(world.webinar).await.expect("reads").retention.viewers, 1);
    })
    .await;
}

#[tokio::test]
async fn the_coach_sees_a_masked_row_and_nothing_in_search_order_or_csv() {
    each_database("p31 screens", |test| async move {
        let (world, guest) = resting(&test).await;
        let table = |search: &str, sort: &str, status: &str| RegistrantQuery {
            search: search.to_owned(),
            sort: sort.to_owned(),
            status: status.to_owned(),
            page: 0,
        };
        let page = world.coach.registrants(world.webinar, &table("", "", "")).await.expect("reads");
        assert_eq!((page.total, page.matching, page.rows.len()), (2, 2, 2));
        let masked = page.rows.iter().find(|row| row.id == guest.booking).expect("a row");
        assert!(masked.is_masked && masked.email.is_empty() && masked.name.is_empty());
        assert_eq!((masked.percent, masked.strip.len(), masked.country.as_str()), (0.0, 0, ""));

        for query in [
            table(TOM, "", ""),
            table("tom", "", ""),
            table("", "percent", ""),
            table("", "name", ""),
            table("", "", Attendance::Registered.as_str()),
            table("", "", Attendance::LeftEarly.as_str()),
        ] {
            let page = world.coach.registrants(world.webinar, &query).await.expect("reads");
            assert!(page.rows.iter().all(|row| row.id != guest.booking), "{query:?}");
            assert_eq!(page.matching, page.rows.len(), "{query:?}");
        }
        let person = world.coach.registrant(world.webinar, guest.booking).await.expect("reads");
        assert!(person.row.is_masked && person.timeline.is_empty() && person.room_url.is_empty());
        let rows: Vec<bytes::Bytes> =
            world.coach.registrants_csv(world.webinar).await.expect("opens").try_collect().await.expect("reads");
        let csv = String::from_utf8(rows.concat()).expect("text");
        assert!(!csv.contains(TOM) && csv.contains("ann@viewer.example"), "{csv}");

        lift(&world, &guest).await;
        let person = world.coach.registrant(world.webinar, guest.booking).await.expect("reads");
        assert_eq!((person.row.email.as_str(), person.row.is_masked), (TOM, false));
    })
    .await;
}

#[tokio::test]
async fn registering_again_adds_nothing_and_tells_the_person_alone() {
    each_database("p31 register", |test| async move {
        let (world, guest) = resting(&test).await;
        let before = world.person(guest.subject).await.expect("there");
        world.backend.clock().advance_seconds(3_600);
        let form = domain::registration::RegistrationForm { first_name: "Tom".to_owned(), ..World::form(TOM) };
        let answer = world.press(form.clone()).await.expect("the answer of every known address");
        assert!(answer.was_registered && answer.room_path.is_empty());
        world.press(form).await.expect("the same");
        world.run_jobs().await;
        let mails: Vec<_> = world.sent().into_iter().filter(|mail| mail.to == TOM).collect();
        assert_eq!(mails.len(), 2, "the confirmation before, and one about the restriction: once a day");
        let about = mails.iter().find(|mail| mail.subject.contains("rests")).expect("it says why");
        assert!(about.text.contains("https://webinar.example/my-data"), "{}", about.text);
        assert!(about.text.contains("cnil.fr") && about.text.contains("privacy@webinar.example"), "{}", about.text);
        assert_eq!(world.person(guest.subject).await.expect("there"), before, "unchanged to the byte");
        // Nobody else writes to the row either.
        let transaction = world.backend.db().begin().await.expect("begins");
        queries::set_missing_name(&transaction, world.id(), guest.subject, vec![1]).await.expect("asked");
        transaction.commit().await.expect("commits");
        assert_eq!(world.person(guest.subject).await.expect("there").name_ct, before.name_ct);
    })
    .await;
}

#[tokio::test]
async fn the_person_is_told_before_somebody_else_ends_it() {
    each_database("p31 notice", |test| async move {
        let (world, guest) = resting(&test).await;
        let now = world.backend.now();
        let transaction = world.backend.db().begin().await.expect("begins");
        let person = (world.id(), guest.subject);
        let ground = RestrictionGround::Accuracy;
        world.backend.announce_lift(&transaction, person, ground, now).await.expect("announced");
        let twice = world.backend.announce_lift(&transaction, person, ground, now).await;
        assert!(matches!(twice, Err(Error::Refused(_))));
        transaction.commit().await.expect("commits");
        world.run_jobs().await;
        assert!(world.sent().iter().any(|mail| mail.to == TOM && mail.subject.contains("about to end")));
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(world.person(guest.subject).await.expect("there").state, "restricted");
        world.backend.clock().advance_seconds(3 * 86_400 + 1);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(world.person(guest.subject).await.expect("there").state, "active");
    })
    .await;
}

#[tokio::test]
async fn two_grounds_end_one_after_the_other() {
    each_database("p31 grounds", |test| async move {
        let (world, guest) = resting(&test).await;
        restrict(&world, &guest, RestrictionGround::Claim).await;
        let person = (world.id(), guest.subject);
        for (ground, state) in
            [(RestrictionGround::Accuracy, SubjectState::Restricted), (RestrictionGround::Claim, SubjectState::Active)]
        {
            let backend = world.backend.clone();
            let lifted = world.backend.fence(move |transaction| {
                let backend = backend.clone();
                let now = backend.now();
                async move { backend.lift(transaction, person, Some(ground), Role::Viewer, now).await }.boxed()
            });
            lifted.await.expect("lifted");
            assert_eq!(world.person(guest.subject).await.expect("there").state, state.as_str());
        }
    })
    .await;
}

#[tokio::test]
async fn retention_waits_for_a_claim_and_a_hold_and_for_nothing_else() {
    each_database("p31 retention", |test| async move {
        let world = World::published(&test).await;
        let claiming = world.guest("claim@viewer.example").await;
        let held = world.guest("held@viewer.example").await;
        let plain = world.guest("plain@viewer.example").await;
        let unsure = world.guest("unsure@viewer.example").await;
        world.run_jobs().await;
        restrict(&world, &claiming, RestrictionGround::Claim).await;
        restrict(&world, &unsure, RestrictionGround::Accuracy).await;
        let now = world.backend.now();
        let transaction = world.backend.db().begin().await.expect("begins");
        let hold = legal_hold::ActiveModel {
            id: Set(domain::ids::LegalHoldId::new()),
            coach_id: Set(world.id()),
            subject_id: Set(Some(held.subject)),
            ground: Set("dispute_open".to_owned()),
            classes: Set("[]".to_owned()),
            until_at: Set(now.plus_days(400)),
            approved_by: Set("operator".to_owned()),
            created_at: Set(now),
        };
        legal_hold::Entity::insert(hold).exec_without_returning(&transaction).await.expect("is written");
        transaction.commit().await.expect("commits");
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        let form = domain::webinar::WebinarForm { retention_days: "30".to_owned(), ..editor.form };
        world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");

        let left = || async {
            let rows = subject::Entity::find().all(world.backend.db().reader()).await.expect("reads");
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        world.backend.clock().advance_seconds(30 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        assert_eq!(left().await.len(), 4, "the link still works for some days");
        world.backend.clock().advance_seconds(8 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        let kept = left().await;
        assert!(kept.contains(&claiming.subject) && kept.contains(&held.subject), "{kept:?}");
        assert!(!kept.contains(&plain.subject) && !kept.contains(&unsure.subject), "{kept:?}");

        // The clock resumes when the claim and the hold are over.
        lift(&world, &claiming).await;
        world.backend.clock().advance_seconds(400 * 86_400);
        world.backend.keep_promises().await.expect("runs");
        assert!(left().await.is_empty());
        let holds = legal_hold::Entity::find()
            .filter(legal_hold::Column::CoachId.eq(world.id()))
            .all(world.backend.db().reader())
            .await
            .expect("reads");
        assert!(holds.is_empty(), "a hold ends by itself");
    })
    .await;
}
