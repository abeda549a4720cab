//! "Questions by e-mail; every mail read by the founders": without a contact a public start is refused, every page about
//! privacy shows it, a message nobody opens rings, and no machine closes one.

use domain::messages::UNREAD_ALARM_HOURS;
use server::config::{Config, Flags, Variables};
use testkit::each_database;

use super::PRIVACY_PAGES;
use crate::world::World;

#[test]
fn a_public_start_without_a_contact_is_refused() {
    let public = [("MW_BASE_URL", "https://webinars.example"), ("MW_MAIL_FROM", "hello@webinars.example")];
    let variables: Variables = public.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let error = Config::from_variables(&Flags::default(), &variables).err().expect("refused").to_string();
    assert!(error.starts_with("MW_CONTACT_EMAIL: required"), "{error}");
}

#[tokio::test]
async fn a_message_waits_for_a_person_and_rings_until_one_opens_it() {
    each_database("p53", |test| async move {
        let world = World::new(test);
        world.backend.plan_periodic().await.expect("plans");
        let contact = world.backend.config().contact_email.clone();
        for path in PRIVACY_PAGES {
            assert!(world.get(path).send().await.text().contains(&format!("mailto:{contact}")), "{path}");
        }
        let fields = [("email", "ann@example.net"), ("law", "uk"), ("words", "A question.")];
        assert_eq!(world.post("/privacy/complain").form(&fields).send().await.status.as_u16(), 200);
        world.run_jobs().await;
        assert_eq!(world.mails_to(&contact).len(), 1, "the founders are told");
        let rung = |world: &World| {
            world.mails_to(&contact).iter().filter(|mail| mail.text.contains("nobody has opened")).count()
        };
        let later = |hours: i64| world.backend.now().plus_seconds(hours * 3_600);
        world.backend.move_clock(later(UNREAD_ALARM_HOURS - 2)).await.expect("moves");
        assert_eq!(rung(&world), 0);
        world.backend.move_clock(later(4)).await.expect("moves");
        assert_eq!(rung(&world), 1, "once");
        // Forty days of everything periodic: no machine closes it.
        world.backend.move_clock(later(40 * 24)).await.expect("moves");
        assert_eq!(rung(&world), 1);
        let open = world.backend.messages().await.expect("lists");
        assert_eq!(open.len(), 1);
        assert!(!open[0].is_read);
        let opened = world.backend.read_message(open[0].id).await.expect("opens");
        assert_eq!(opened.words, "A question.");
        assert!(world.backend.messages().await.expect("lists")[0].is_read);
    })
    .await;
}
