//! "Questions by e-mail": without a contact a public start is refused, and every page about privacy shows it.

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
async fn every_page_about_privacy_says_where_questions_go() {
    each_database("p53", |test| async move {
        let world = World::new(test);
        let contact = world.backend.config().contact_email.clone();
        for path in PRIVACY_PAGES {
            assert!(world.get(path).send().await.text().contains(&format!("mailto:{contact}")), "{path}");
        }
    })
    .await;
}
