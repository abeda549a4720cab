//! "Significant change: e-mail or in-app notice": every account from before is told before it takes effect, once, by mail
//! and on the home page, and what it acknowledged is on record.

use domain::Moment;
use persistence::entities::policy_notice;
use privacy::policy::{NOTICE_DAYS, Versions};
use sea_orm::EntityTrait;
use sha2::{Digest, Sha256};
use testkit::each_database;

use crate::world::World;

fn file(published: Moment, effective: Moment, is_material: bool, words: &str) -> (String, String) {
    let day = |moment: Moment| moment.rfc3339()[..10].to_owned();
    let material = if is_material { "yes" } else { "no" };
    let text = format!(
        "---\nversion: {}\neffective: {}\nmaterial: {material}\nsummary: {words}\n---\n## One\n{words} [P51]\n",
        day(published),
        day(effective)
    );
    let digest = hex::encode(Sha256::digest(&text));
    (text, digest)
}

#[tokio::test]
async fn every_account_from_before_is_told_in_time_and_once() {
    each_database("p51", |test| async move {
        let world = World::published(&test).await;
        let backend = &world.backend;
        for number in 0..5 {
            let email = format!("coach{number}@coach.example");
            backend.create_account("Somebody", &email, &"nine loud badgers".into()).await.expect("an account");
        }
        world.run_jobs().await;
        let now = backend.now();
        let first = file(now.plus_days(-100), now.plus_days(-100), true, "The first one.");
        let second = file(now.plus_days(10), now.plus_days(10 + NOTICE_DAYS), true, "We keep less.");
        let third = file(now.plus_days(20), now.plus_days(20), false, "A comma moved.");
        let all = [&first, &second, &third].map(|(text, digest)| (text.as_str(), digest.as_str()));
        let versions = Versions::parse(&all).expect("reads");

        assert_eq!(backend.announce_policy(&versions, now).await.expect("looks"), 0, "nothing new for anybody");
        let published = now.plus_days(11);
        backend.clock().set(published);
        backend.create_account("Late", "late@coach.example", &"nine loud badgers".into()).await.expect("an account");
        assert_eq!(backend.announce_policy(&versions, published).await.expect("tells"), 6);
        assert_eq!(backend.announce_policy(&versions, published).await.expect("tells"), 0, "once");
        world.run_jobs().await;
        let mails = world.sent().into_iter().filter(|mail| mail.subject == "Our privacy policy changes").count();
        assert_eq!(mails, 6, "each by mail, and nobody who saw it when signing up");
        let (coming, _) = versions.named(&second.0[13..23]).expect("it was published");
        let told = policy_notice::Entity::find().all(backend.db().reader()).await.expect("reads");
        assert_eq!(told.len(), 6);
        assert!(told.iter().all(|notice| notice.noticed_at < coming.effective && notice.version == coming.name));

        let notice = world.coach.policy_notice_among(&versions).await.expect("reads").expect("on her home page");
        assert_eq!((notice.summary.as_str(), notice.effective), ("We keep less.", coming.effective));
        world.coach.acknowledge_policy(&notice.version).await.expect("is noted");
        assert_eq!(world.coach.policy_notice_among(&versions).await.expect("reads"), None);
        assert!(world.coach.acknowledge_policy(&notice.version).await.is_err(), "once");
        let told = policy_notice::Entity::find().all(backend.db().reader()).await.expect("reads");
        assert_eq!(told.iter().filter(|notice| notice.acknowledged_at.is_some()).count(), 1, "hers alone");
        // A comma is no news.
        assert_eq!(backend.announce_policy(&versions, now.plus_days(60)).await.expect("looks"), 0);
    })
    .await;
}
