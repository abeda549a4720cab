//! What mail that waits costs, measured on the real binary (`.ci/bench.sh rights`): how long after its moment a mail is
//! with the mail server, and what a long queue costs in memory. Nothing here can fail for being slow.

use std::time::SystemTime;

use domain::Moment;
use domain::fence::SESSION_MOVED;
use domain::ids::{MailId, RegistrationId};
use persistence::entities::mail;
use sea_orm::{EntityTrait, Set};
use testkit::MailSink;

use crate::installation::Installation;
use crate::mail_batch::{Booked, booked};

/// Rows written with one statement.
const ROWS: usize = 500;

fn line(what: &str, unit: &str, ours: f64, goal: f64) {
    let met = if ours <= goal { "yes" } else { "NO" };
    println!("\n| {what} | {unit} | {ours:.2} | the limit | {goal} | {:.3} | ≤ {goal} {unit} | {met} |", ours / goal);
}

/// Lets a notice to each of these people wait for its moment.
async fn waiting(booked: &Booked, mails: impl Iterator<Item = (RegistrationId, Moment)>) -> Vec<(MailId, Moment)> {
    let now = booked.backend.now();
    let transaction = booked.backend.db().begin().await.expect("begins");
    let row = |(place, (registration, due_at)): (usize, (RegistrationId, Moment))| mail::ActiveModel {
        id: Set(MailId::new()),
        coach_id: Set(booked.coach.id()),
        registration_id: Set(Some(registration)),
        one_time_token_id: Set(None),
        template: Set(SESSION_MOVED.to_owned()),
        dedupe_key: Set(format!("measured:{place}")),
        state: Set("waiting".to_owned()),
        note: Set(None),
        created_at: Set(now),
        sent_at: Set(None),
        template_id: Set(None),
        send_at: Set(Some(due_at)),
        due_at: Set(Some(due_at)),
        useful_until_at: Set(Some(due_at.plus_days(1))),
        decided_at: Set(None),
        reason: Set(None),
    };
    let rows: Vec<mail::ActiveModel> = mails.enumerate().map(row).collect();
    for some in rows.chunks(ROWS) {
        mail::Entity::insert_many(some.iter().cloned()).exec_without_returning(&transaction).await.expect("planned");
    }
    let first = rows.iter().filter_map(|row| row.due_at.clone().take().flatten()).min().expect("some");
    let job = jobs::NewJob {
        kind: "send_due_mails",
        payload: serde_json::json!({}),
        run_at: first,
        idempotency_key: None,
        max_attempts: 12,
    };
    jobs::enqueue(&transaction, job, now).await.expect("planned");
    transaction.commit().await.expect("commits");
    rows.into_iter().filter_map(|mut row| Some((row.id.take()?, row.due_at.take().flatten()?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that waits a minute"]
async fn how_long_after_its_moment_a_mail_is_out() {
    const MAILS: usize = 6_000;
    let Some(sink) = MailSink::start() else { return };
    let installation = Installation::new().with("MW_SMTP_URL", &*sink.url);
    let booked = booked(&installation, MAILS).await;
    let starts = booked.backend.now().plus_seconds(8);
    // Spread over a minute, as the follow-ups of many webinars are.
    let people = booked.people.iter().enumerate();
    let mails = people.map(|(place, one)| (*one, Moment(starts.0 + place as i64 * 10_000)));
    let due = waiting(&booked, mails).await;
    booked.backend.close().await;
    let server = installation.serve();
    sink.has(MAILS).await;
    let arrivals = sink.arrivals();
    assert!(server.stop(), "ends well");
    let late = |(id, due_at): &(MailId, Moment)| {
        let (_, at) = arrivals.iter().find(|(known, _)| known.contains(&id.to_string())).expect("came");
        let at = at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
        at - due_at.0 as f64 / 1e6
    };
    let mut late: Vec<f64> = due.iter().map(late).collect();
    late.sort_by(f64::total_cmp);
    line("due → with the mail server, median", "s", late[MAILS / 2], 2.0);
    line("due → with the mail server, p99 of 100 a second", "s", late[MAILS * 99 / 100], 2.0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement with a million mails that wait"]
async fn what_a_million_mails_that_wait_cost() {
    const PEOPLE: usize = 10_000;
    const EACH: usize = 100;
    const SENT: usize = 20_000;
    let Some(sink) = MailSink::start() else { return };
    let mut peaks = Vec::new();
    for each in [0, EACH] {
        let installation = Installation::new().with("MW_SMTP_URL", &*sink.url);
        let booked = booked(&installation, PEOPLE).await;
        let now = booked.backend.now();
        if each > 0 {
            // The first fifty of everybody are due at once, the others tomorrow.
            let moment = |turn: usize| if turn < each / 2 { now } else { now.plus_days(1) };
            let mails = (0..each).flat_map(|turn| booked.people.iter().map(move |one| (*one, moment(turn))));
            waiting(&booked, mails).await;
        }
        booked.backend.close().await;
        let server = installation.serve();
        if each > 0 {
            sink.has(SENT).await;
        }
        peaks.push(server.peak_mib());
    }
    line("a million mails that wait, added to the peak of memory while they go out", "MiB", peaks[1] - peaks[0], 60.0);
}
