//! What comes back, through the same door a mail server uses, on both databases.

use domain::sequence::Suppression;
use persistence::entities::{mail as outbox, suppression};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use testkit::each_database;

use crate::world::{Guest, World, count};

const ANNA: &str = "anna@viewer.example";

/// A report in a mail server's manner about the mail that went out from this return address.
fn report(return_path: &str, status: &str, words: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {return_path}\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nIt could not be delivered.\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; somebody.else@viewer.example\r\nAction: failed\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} {words}\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

fn complaint(return_path: &str) -> Vec<u8> {
    format!(
        "From: fbl@mx.example\r\nTo: {return_path}\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nA complaint.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n\
         Feedback-Type: abuse\r\nUser-Agent: mx/1.0\r\nVersion: 1\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

/// The newest mail to a guest, once everything is sent.
async fn newest(world: &World, guest: &Guest) -> outbox::Model {
    world.run_jobs().await;
    let find = outbox::Entity::find().filter(outbox::Column::RegistrationId.eq(guest.booking));
    let rows = find.filter(outbox::Column::State.eq("sent")).all(world.backend.db().reader()).await.expect("reads");
    rows.into_iter().max_by_key(|row| row.id).expect("a mail went out")
}

async fn suppressed(world: &World, guest: &Guest) -> Option<Suppression> {
    let (reader, now) = (world.backend.db().reader(), world.backend.now());
    persistence::bounces::marks(reader, world.id(), guest.subject, now).await.expect("reads").suppression
}

impl World {
    /// Where a mail to a guest comes back to.
    async fn back(&self, guest: &Guest, id: domain::ids::MailId) -> String {
        let person = self.person(guest.subject).await.expect("is there");
        self.backend.return_path(id, &person.email_bidx).expect("somebody reads it")
    }
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_written_to_no_more_and_the_coach_can_try_again() {
    each_database("hard bounce", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(ANNA).await;
        let row = newest(&world, &guest).await;
        let back = world.back(&guest, row.id).await;
        assert!(back.starts_with("bounces+") && back.ends_with("@mail.example") && !back.contains(char::is_uppercase));
        // Whoever knows no signature changes nothing, and neither does a report about another mail or no failure.
        let forged = back.replace(&back[40..44], if &back[40..44] == "0000" { "1111" } else { "0000" });
        for nothing in [
            report(&forged, "5.1.1", "no such user"),
            report("bounces@mail.example", "5.1.1", "no such user"),
            report(&back, "5.1.1", "no such user").iter().take(200).copied().collect(),
            b"Subject: Hello\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.".to_vec(),
            Vec::new(),
        ] {
            assert!(!world.backend.take_returned(&nothing).await.expect("is read"));
        }
        assert_eq!((suppressed(&world, &guest).await, count::<suppression::Entity>(&world).await), (None, 0));

        let shouted = back.to_ascii_uppercase().replace("BOUNCES", "bounces").replace("MAIL.EXAMPLE", "mail.example");
        assert!(world.backend.take_returned(&report(&shouted, "5.1.1", "no such user")).await.expect("is read"));
        assert_eq!(suppressed(&world, &guest).await, Some(Suppression::Bounced));
        let stored = outbox::Entity::find_by_id(row.id).one(world.backend.db().reader()).await.expect("reads");
        let stored = stored.expect("stays on record");
        assert_eq!(stored.state, "failed");
        assert!(stored.note.as_deref().is_some_and(|note| note.contains("5.1.1") && note.contains("no such user")));
        assert!(!world.backend.take_returned(&report(&back, "5.1.1", "no such user")).await.expect("is read"), "once");

        let before = world.sent_to(ANNA);
        world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
        world.run_jobs().await;
        assert_eq!(world.sent_to(ANNA), before, "nothing goes there");
        let view = world.coach.registrant(world.webinar, guest.booking).await.expect("reads");
        assert_eq!(view.suppression, Some(Suppression::Bounced));
        world.coach.try_address_again(world.webinar, guest.booking).await.expect("is tried");
        world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
        world.run_jobs().await;
        assert_eq!(world.sent_to(ANNA), before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_full_mailbox_is_left_alone_after_three_mails_within_a_month_for_a_month() {
    each_database("soft bounce", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(ANNA).await;
        let mut returned = Vec::new();
        for strike in 1..=3 {
            if strike > 1 {
                world.backend.clock().advance_seconds(86_400);
                world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
            }
            let row = newest(&world, &guest).await;
            assert!(!returned.contains(&row.id), "a mail of its own");
            returned.push(row.id);
            let back = world.back(&guest, row.id).await;
            assert!(world.backend.take_returned(&report(&back, "5.2.2", "mailbox full")).await.expect("is read"));
            let expected = (strike == 3).then_some(Suppression::Bounced);
            assert_eq!(suppressed(&world, &guest).await, expected, "after {strike}");
        }
        world.backend.clock().advance_seconds(30 * 86_400 + 1);
        assert_eq!(suppressed(&world, &guest).await, None, "a month later it is tried again");
        // And a policy of theirs, or a fault of ours, is nobody's address's.
        world.coach.resend_link(world.webinar, guest.booking).await.expect("asked");
        let row = newest(&world, &guest).await;
        let back = world.back(&guest, row.id).await;
        assert!(world.backend.take_returned(&report(&back, "5.7.1", "blocked network")).await.expect("is read"));
        assert_eq!(suppressed(&world, &guest).await, None);
    })
    .await;
}

#[tokio::test]
async fn whoever_reports_a_mail_hears_no_more_of_this_coach_even_after_an_erasure() {
    each_database("complaint", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(ANNA).await;
        let row = newest(&world, &guest).await;
        let back = world.back(&guest, row.id).await;
        assert!(world.backend.take_returned(&complaint(&back)).await.expect("is read"));
        assert_eq!(suppressed(&world, &guest).await, Some(Suppression::Complained));
        // The coach cannot undo what a person said.
        let tried = world.coach.try_address_again(world.webinar, guest.booking).await;
        assert!(tried.is_err());
        assert_eq!(suppressed(&world, &guest).await, Some(Suppression::Complained));
    })
    .await;
}

#[tokio::test]
async fn what_an_old_address_does_says_nothing_about_a_corrected_one() {
    each_database("late bounce", |test| async move {
        let world = World::published(&test).await;
        let guest = world.guest_to_be_mailed(ANNA).await;
        let row = newest(&world, &guest).await;
        let back = world.back(&guest, row.id).await;
        world.correct_address(ANNA, "anna@new.example").await;
        assert!(!world.backend.take_returned(&report(&back, "5.1.1", "no such user")).await.expect("is read"));
        assert_eq!(suppressed(&world, &guest).await, None);
    })
    .await;
}
