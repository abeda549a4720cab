//! What a registrant really gets, on both databases, with the real job and the dev mailbox.

use domain::Moment;
use domain::ids::RegistrationId;
use domain::registration::RegistrationForm;
use domain::rights::RestrictionGround;
use domain::schedule::RuleForm;
use domain::sequence::form::TemplateForm;
use futures::FutureExt;
use persistence::entities::mail as outbox;
use privacy::audit::Role;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use testkit::each_database;

use crate::world::{Guest, World, refused};
use domain::RefusalKind;

const BEN: &str = "ben@viewer.example";

/// A webinar every day at 18:00 UTC, at a fixed moment of the clock.
async fn daily(test: &testkit::TestDatabase) -> World {
    let world = World::published(test).await;
    world.backend.plan_periodic().await.expect("plans");
    let rule = RuleForm { kind: "daily".into(), at: "18:00".into(), zone: "UTC".into(), ..RuleForm::default() };
    world.coach.add_rule(world.webinar, &rule).await.expect("a rule");
    // Midnight of the day after tomorrow: whole days lie ahead.
    let midnight = Moment::from_unix_seconds((world.backend.now().unix_seconds() / 86_400 + 2) * 86_400);
    world.backend.move_clock(midnight).await.expect("moves");
    world
}

async fn book(world: &World, email: &str) -> (Guest, Moment) {
    let invitation = world.backend.visitor().invitation(&world.slug, None, Some("UTC")).await.expect("opens");
    let times = invitation.times.expect("times");
    let slot = times.slots.first().expect("a slot").clone();
    let form = RegistrationForm { slot: slot.value.clone(), zone: "UTC".to_owned(), ..World::form(email) };
    let booking = world.press(form).await.expect("registers");
    let token = booking.room_path.rsplit('/').next().expect("a token").to_owned();
    let id = world.backend.room_token_names(&token).expect("ours");
    let row = persistence::entities::registration::Entity::find_by_id(id);
    let row = row.one(world.backend.db().reader()).await.expect("reads").expect("booked");
    (Guest { subject: row.subject_id, booking: id, token }, slot.starts_at)
}

async fn rows(world: &World, booking: RegistrationId) -> Vec<outbox::Model> {
    let find = outbox::Entity::find().filter(outbox::Column::RegistrationId.eq(booking));
    find.filter(outbox::Column::TemplateId.is_not_null()).all(world.backend.db().reader()).await.expect("reads")
}

/// State and reason of the reminder so many minutes before.
async fn reminder(world: &World, guest: &Guest, minutes: i32) -> (String, Option<String>) {
    let templates = persistence::sequences::templates(world.backend.db().reader(), world.webinar).await.expect("reads");
    let template = templates.iter().find(|one| one.timing == "before" && one.minutes == minutes).expect("there");
    let rows = rows(world, guest.booking).await;
    let row = rows.into_iter().find(|row| row.template_id == Some(template.id)).expect("planned");
    (row.state, row.reason)
}

fn subjects(world: &World, email: &str) -> Vec<String> {
    let mut sent = world.sent();
    sent.reverse();
    sent.into_iter().filter(|mail| mail.to == email).map(|mail| mail.subject).collect()
}

#[tokio::test]
async fn whoever_registers_early_gets_each_reminder_at_its_minute_and_one_follow_up() {
    each_database("sequence whole", |test| async move {
        let world = daily(&test).await;
        let (guest, starts_at) = book(&world, BEN).await;
        world.run_jobs().await;
        assert_eq!(subjects(&world, BEN), ["Your link: Calm mornings"]);
        for minutes in [60, 10] {
            world.backend.move_clock(starts_at.plus_seconds(-minutes * 60 - 1)).await.expect("moves");
            let before = world.sent_to(BEN);
            world.backend.move_clock(starts_at.plus_seconds(-minutes * 60)).await.expect("moves");
            assert_eq!(world.sent_to(BEN), before + 1, "{minutes} minutes before, to the second");
        }
        world.backend.move_clock(starts_at.plus_days(3)).await.expect("moves");
        let all = subjects(&world, BEN);
        assert_eq!(all.len(), 4, "{all:?}");
        assert_eq!(all[3], "You missed Calm mornings");
        let reasons: Vec<_> = rows(&world, guest.booking).await.into_iter().filter_map(|row| row.reason).collect();
        assert_eq!(reasons.iter().filter(|reason| *reason == "not_in_segment").count(), 2, "{reasons:?}");
        let person = world.coach.registrant(world.webinar, guest.booking).await.expect("hers");
        assert!(
            person.timeline.iter().any(|entry| entry.what.contains("1 hour before the start")),
            "{:?}",
            person.timeline
        );
    })
    .await;
}

#[tokio::test]
async fn who_registers_late_gets_what_still_makes_sense() {
    each_database("sequence late", |test| async move {
        let world = daily(&test).await;
        let today = Moment::from_unix_seconds(world.backend.now().unix_seconds() / 86_400 * 86_400);
        world.backend.move_clock(today.plus_seconds(18 * 3_600 - 40 * 60)).await.expect("moves");
        let (guest, starts_at) = book(&world, BEN).await;
        for minutes in [1_440, 60] {
            let late = ("skipped".to_owned(), Some("registered_too_late".to_owned()));
            assert_eq!(reminder(&world, &guest, minutes).await, late);
        }
        world.backend.move_clock(starts_at).await.expect("moves");
        assert_eq!(subjects(&world, BEN), ["Your link: Calm mornings", "Your way in: Calm mornings"]);
        let person = world.coach.registrant(world.webinar, guest.booking).await.expect("hers");
        let told = person.timeline.iter().filter_map(|entry| entry.detail.as_deref());
        assert_eq!(told.filter(|detail| detail.contains("registered too late")).count(), 2);
    })
    .await;
}

#[tokio::test]
async fn after_an_outage_only_the_most_imminent_goes() {
    each_database("sequence outage", |test| async move {
        let world = daily(&test).await;
        let (guest, starts_at) = book(&world, BEN).await;
        world.run_jobs().await;
        // The worker is down from an hour and a quarter before until five minutes before.
        world.backend.clock().set(starts_at.plus_seconds(-5 * 60));
        world.run_jobs().await;
        assert_eq!(subjects(&world, BEN), ["Your link: Calm mornings", "Your way in: Calm mornings"]);
        assert_eq!(reminder(&world, &guest, 60).await.0, "superseded");
    })
    .await;
}

#[tokio::test]
async fn one_press_ends_reminders_and_another_takes_it_back() {
    each_database("sequence unsubscribe", |test| async move {
        let world = daily(&test).await;
        let (guest, starts_at) = book(&world, BEN).await;
        world.backend.move_clock(starts_at.plus_seconds(-3_600)).await.expect("moves");
        let mail = world.sent().into_iter().find(|mail| mail.to == BEN).expect("a reminder");
        let path = world.backend.unsubscribe_path(guest.booking);
        assert!(mail.text.contains(&path), "{}", mail.text);
        let token = path.trim_start_matches("/u/");
        let visitor = world.backend.visitor();
        assert!(!visitor.mail_choice(token).await.expect("opens").is_ended, "looking changes nothing");
        assert!(visitor.choose_mail(token, false).await.expect("ends").is_ended);
        assert!(visitor.choose_mail(token, false).await.expect("twice is once").is_ended);
        world.backend.move_clock(starts_at).await.expect("moves");
        let reason = ("dropped".to_owned(), Some("unsubscribed".to_owned()));
        assert_eq!(reminder(&world, &guest, 10).await, reason);
        assert!(!visitor.choose_mail(token, true).await.expect("wants it again").is_ended);
        // A room's own token ends no mail.
        assert_eq!(refused(visitor.choose_mail(&guest.token, false).await), RefusalKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn nothing_waiting_leaves_after_an_agreement_is_taken_back_or_while_the_data_rests() {
    each_database("sequence rights", |test| async move {
        let world = daily(&test).await;
        let (ben, starts_at) = book(&world, BEN).await;
        let (ann, _) = book(&world, "ann@viewer.example").await;
        world.run_jobs().await;
        let (backend, person, other) = (world.backend.clone(), (world.id(), ben.subject), (world.id(), ann.subject));
        let changed = world.backend.fence(move |transaction| {
            let backend = backend.clone();
            async move {
                let now = backend.now();
                backend.withdraw(transaction, person, crate::rights::resting::RUN_WEBINAR, now).await?;
                backend.restrict(transaction, other, RestrictionGround::Accuracy, Role::Viewer, now).await
            }
            .boxed()
        });
        changed.await.expect("done");
        world.backend.move_clock(starts_at.plus_days(2)).await.expect("moves");
        assert_eq!(
            (world.sent_to(BEN), world.sent_to("ann@viewer.example")),
            (1, 1),
            "their confirmations, from before"
        );
        let waiting = |rows: Vec<outbox::Model>| rows.into_iter().filter(|row| row.state == "waiting").count();
        assert_eq!(waiting(rows(&world, ben.booking).await), 0);
    })
    .await;
}

#[tokio::test]
async fn a_changed_sequence_reaches_who_still_waits_and_nobody_twice() {
    each_database("sequence edit", |test| async move {
        let world = daily(&test).await;
        let (guest, starts_at) = book(&world, BEN).await;
        world.backend.move_clock(starts_at.plus_seconds(-3_600)).await.expect("moves");
        let sent = world.sent_to(BEN);
        let view = world.coach.mail_sequence(world.webinar).await.expect("hers");
        let hour = view.templates.iter().find(|one| one.when == "1 hour before the start").expect("there").form.clone();
        // Moved to half an hour before: whoever got it does not get it again.
        let moved = TemplateForm { amount: "30".to_owned(), unit: "minutes".to_owned(), ..hour.clone() };
        world.coach.save_template(world.webinar, &moved).await.expect("saved");
        let added = TemplateForm {
            template: String::new(),
            amount: "20".to_owned(),
            unit: "minutes".to_owned(),
            subject: "Nearly".to_owned(),
            ..hour.clone()
        };
        world.coach.save_template(world.webinar, &added).await.expect("added");
        let ten = view.templates.iter().find(|one| one.when == "10 minutes before the start").expect("there");
        world.coach.remove_template(world.webinar, ten.id).await.expect("taken away");
        world.backend.move_clock(starts_at).await.expect("moves");
        assert_eq!(world.sent_to(BEN), sent + 1);
        assert_eq!(subjects(&world, BEN).last().map(String::as_str), Some("Nearly"));
        let removed = rows(&world, guest.booking).await.into_iter().find(|row| row.template_id == Some(ten.id));
        assert_eq!(removed.expect("on record").reason.as_deref(), Some("removed"));
        let confirmation = view.templates.first().expect("there").id;
        assert_eq!(refused(world.coach.remove_template(world.webinar, confirmation).await), RefusalKind::Conflict);
        let twice = world.coach.save_template(world.webinar, &added).await;
        assert_eq!(refused(twice), RefusalKind::Invalid, "one mail to the same people at one time");
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_died_loses_no_mail() {
    each_database("sequence crash", |test| async move {
        let world = daily(&test).await;
        let (guest, _) = book(&world, BEN).await;
        let due = rows(&world, guest.booking).await.into_iter().find(|row| row.template == "registration_confirmed");
        let due = due.expect("planned");
        // It was taken, and nobody knows whether it left.
        let transaction = world.backend.db().begin().await.expect("begins");
        persistence::sequences::take(&transaction, &[due.id], world.backend.now()).await.expect("taken");
        transaction.commit().await.expect("commits");
        world.run_jobs().await;
        assert_eq!(world.sent_to(BEN), 0, "it may still be on its way");
        let later = world.backend.now().plus_seconds(persistence::mails::SENDING_SECONDS + 2);
        world.backend.move_clock(later).await.expect("moves");
        let sent = world.sent();
        let [mail] = sent.iter().filter(|mail| mail.to == BEN).collect::<Vec<_>>()[..] else { panic!("{sent:?}") };
        assert_eq!(mail.id, due.id.to_string(), "the same mail, by its Message-ID");
    })
    .await;
}

#[tokio::test]
async fn a_coach_sees_and_tries_her_mails() {
    each_database("sequence try", |test| async move {
        let world = World::published(&test).await;
        let view = world.coach.mail_sequence(world.webinar).await.expect("hers");
        assert_eq!(view.templates.len(), 7);
        let preview = world.coach.preview_template(world.webinar, &view.templates[0].form).await.expect("renders");
        assert!(preview.contains("Anna") && preview.contains("Calm mornings"), "{preview}");
        world.coach.test_template(world.webinar, view.templates[0].id).await.expect("sent");
        let test = world.sent().into_iter().find(|mail| mail.to == "maya@coach.example").expect("to herself");
        assert!(test.subject.starts_with("[Test]"), "{}", test.subject);
        // What she saw before anything was stored is what is stored.
        world.guest(BEN).await;
        let stored = world.coach.mail_sequence(world.webinar).await.expect("hers");
        assert_eq!(stored.templates, view.templates);
    })
    .await;
}

#[tokio::test]
async fn an_offer_goes_to_whoever_ticked_the_box_for_offers_and_has_not_ended_mail_since() {
    each_database("sequence offers", |test| async move {
        let world = daily(&test).await;
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        let form = domain::webinar::WebinarForm { offers_text: "Send me offers.".to_owned(), ..editor.form };
        world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saved");
        let offer = TemplateForm {
            timing: "after".into(),
            amount: "1".into(),
            unit: "hours".into(),
            subject: "My course".into(),
            body: "Now at a price.".into(),
            is_on: Some("on".into()),
            is_promotional: Some("on".into()),
            ..TemplateForm::default()
        };
        world.coach.save_template(world.webinar, &offer).await.expect("added");
        let times = world.backend.visitor().invitation(&world.slug, None, Some("UTC")).await.expect("opens");
        assert_eq!(times.offers_text.as_deref(), Some("Send me offers."));
        let slot = times.times.expect("times").slots.first().expect("a slot").clone();
        let register = |email: &str, offers: Option<&str>| {
            let form = RegistrationForm {
                slot: slot.value.clone(),
                zone: "UTC".to_owned(),
                offers: offers.map(str::to_owned),
                ..World::form(email)
            };
            world.press(form)
        };
        let ticked = register("anna@viewer.example", Some("yes")).await.expect("registers");
        register(BEN, None).await.expect("registers");
        let left = register("cleo@viewer.example", Some("yes")).await.expect("registers");
        // Whoever registers an address again may be anybody: it agrees to nothing.
        world.backend.clock().advance_seconds(120);
        register(BEN, Some("yes")).await.expect("answers alike");
        let token = |path: &str| path.rsplit('/').next().expect("a token").to_owned();
        let booking = |path: &str| world.backend.room_token_names(&token(path)).expect("ours");
        let cleo = booking(&left.room_path);
        let choice = world.backend.unsubscribe_path(cleo);
        world.backend.visitor().choose_mail(choice.trim_start_matches("/u/"), false).await.expect("ends it");
        world.backend.move_clock(slot.starts_at.plus_days(2)).await.expect("moves");
        let got = |email: &str| subjects(&world, email).iter().filter(|subject| *subject == "My course").count();
        assert_eq!((got("anna@viewer.example"), got(BEN), got("cleo@viewer.example")), (1, 0, 0));
        let agreed = |id| persistence::restrictions::agreed_to_offers(world.backend.db().reader(), id);
        assert!(agreed(booking(&ticked.room_path)).await.expect("reads"));
        assert!(!agreed(cleo).await.expect("reads"), "ended with the mail");
    })
    .await;
}
