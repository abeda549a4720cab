//! What mail costs: planning for many, and sending to a mail server that takes everything.

use std::process::Command;
use std::time::Instant;

use domain::Moment;
use domain::ids::SessionId;
use domain::schedule::{MoveForm, SessionName};
use mail::{Mailer, SmtpSettings};
use persistence::schedules::WantedSession;
use testkit::{MailSink, each_database};

use super::line;
use crate::world::{World, engine_with};

const PEOPLE: usize = 10_000;

/// So many people on a session in some days; tells when it starts.
async fn booked(world: &World, days: i64) -> (SessionId, Moment) {
    let now = world.backend.now();
    let starts_at = now.plus_days(days);
    let wanted = WantedSession::scheduled(starts_at, "UTC");
    let transaction = world.backend.db().begin().await.expect("begins");
    let session = persistence::schedules::session(&transaction, world.webinar, &wanted, now).await.expect("is made");
    let session = session.expect("takes place");
    let whose = (world.coach.id(), world.webinar, session);
    testkit::crowd(&transaction, world.backend.keyring(), whose, PEOPLE, now).await;
    transaction.commit().await.expect("commits");
    (session, starts_at)
}

fn to(moment: Moment) -> MoveForm {
    let text = moment.rfc3339();
    MoveForm { date: text[..10].to_owned(), at: text[11..16].to_owned(), zone: "UTC".to_owned(), note: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement with 10,000 registrants"]
async fn ten_thousand_people_are_planned_for_anew() {
    each_database("measured planning", |test| async move {
        let kind = test.kind;
        let world = World::published(&test).await;
        let (session, starts_at) = booked(&world, 3).await;
        let began = Instant::now();
        world
            .coach
            .move_session(world.webinar, &SessionName::Booked(session), &to(starts_at.plus_seconds(3_600)))
            .await
            .expect("moves");
        line("10,000 people moved and planned for the first time", kind, began.elapsed().as_secs_f64(), "s", 5.0);
        let view = world.coach.schedule(world.webinar, None).await.expect("reads");
        let began = Instant::now();
        let moved = world
            .coach
            .move_session(world.webinar, &SessionName::Booked(view.booked[0].id), &to(starts_at.plus_seconds(7_200)))
            .await;
        moved.expect("moves");
        line("10,000 people moved, told and planned anew", kind, began.elapsed().as_secs_f64(), "s", 5.0);
        let mails = world.coach.mail_sequence(world.webinar).await.expect("reads").templates;
        let mut reminder = mails.into_iter().find(|one| one.form.timing == "before").expect("a reminder").form;
        reminder.amount = "2".to_owned();
        let began = Instant::now();
        world.coach.save_template(world.webinar, &reminder).await.expect("saved");
        line("a mail replanned for 10,000 registrants", kind, began.elapsed().as_secs_f64(), "s", 1.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that sends 10,000 mails"]
async fn ten_thousand_mails_are_sent() {
    each_database("measured mail", |test| async move {
        let kind = test.kind;
        let Some(sink) = MailSink::start() else { return };
        let folder = tempfile::TempDir::new().expect("a folder");
        let settings = SmtpSettings { url: sink.url.clone(), dkim: None };
        let engine = engine_with(&test, &folder, Mailer::smtp(&settings).expect("a way out"));
        let world = World::published_with(engine, folder).await;
        world.run_jobs().await;
        let (session, _) = booked(&world, 3).await;
        world
            .coach
            .call_off_session(world.webinar, &SessionName::Booked(session), &MoveForm::default())
            .await
            .expect("is called off");
        let before = sink.came().0.len();
        let began = Instant::now();
        world.run_jobs().await;
        let ours = PEOPLE as f64 / began.elapsed().as_secs_f64();
        assert_eq!(sink.came().0.len() - before, PEOPLE);
        let mut theirs = None;
        if let Some(program) = std::env::var_os("TEST_SMTP_SOURCE") {
            let address = sink.url.trim_start_matches("smtp://").to_owned();
            let arguments = ["-s", "16", "-m", "10000", "-l", "6000", "-f", "a@a.example", "-t", "b@b.example"];
            let began = Instant::now();
            assert!(Command::new(program).args(arguments).arg(&address).status().expect("runs").success());
            theirs = Some(PEOPLE as f64 / began.elapsed().as_secs_f64());
        }
        let peer = theirs.map_or_else(|| "not here".to_owned(), |theirs| format!("smtp-source {theirs:.0}"));
        let ratio = theirs.map_or(f64::NAN, |theirs| ours / theirs);
        println!("\n| mails sent, {kind:?} | mails/s | {ours:.0} | {peer} | | {ratio:.3} | ≥ 0.5 | {} |", ratio >= 0.5);
        line("50,000 mails due in one minute are out after", kind, 50_000.0 / ours, "s", 60.0);
    })
    .await;
}
