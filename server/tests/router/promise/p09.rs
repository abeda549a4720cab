//! "Viewer data collected on your behalf": the agreement is accepted at sign-up and kept with version, fingerprint and
//! time, and every row about a viewer leads to the coach who decides about it.

use persistence::entities::coach;
use privacy::DataMap;
use privacy::map::{Store, Subject};
use sea_orm::EntityTrait;
use testkit::each_database;

use crate::world::{PASSWORD, World, between};

#[tokio::test]
async fn what_was_accepted_is_kept_and_can_be_compared_with_the_page() {
    each_database("p09", |test| async move {
        let world = World::new(test);
        let fields = [
            ("_form", "sign_up"),
            ("name", "Nell"),
            ("email", "nell@example.org"),
            ("password", PASSWORD),
            ("age_ok", "on"),
        ];
        let without = world.post("/signup").form(&fields).in_browser().send().await;
        assert_eq!(without.status.as_u16(), 422, "without the agreement there is no account");
        let with: Vec<_> = fields.into_iter().chain([("terms", "on")]).collect();
        let before = world.backend.now();
        assert_eq!(world.post("/signup").form(&with).in_browser().send().await.status.as_u16(), 303);
        let rows = coach::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        let [row] = rows.as_slice() else { panic!("{} accounts", rows.len()) };
        assert!(row.terms_accepted_at >= before);
        let page = world.get("/terms").send().await.text();
        let shown = between(&page, "SHA-256 ", ".").expect("the fingerprint");
        assert_eq!(row.terms_hash.as_deref().map(hex::encode).as_deref(), Some(shown));
        assert!(page.contains("data-processing agreement"), "{page}");
        assert!(!row.terms_version.is_empty());
    })
    .await;
}

#[test]
fn every_table_about_viewers_has_its_controller_or_leads_to_one() {
    let map = DataMap::current();
    let mut tables: Vec<&str> = map
        .columns(Store::Business)
        .filter(|(_, _, place)| place.subject == Subject::Viewer)
        .map(|(table, _, _)| table)
        .collect();
    tables.dedup();
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let links: Vec<&str> = map
            .columns(Store::Business)
            .filter(|(name, _, _)| *name == table)
            .filter_map(|(_, _, place)| place.link.as_ref().map(|link| link.to.as_str()))
            .collect();
        let leads = ["coach", "subject", "registration", "view", "dsr_request", "consent", "webinar"];
        let is_excused = map.unlinked(Store::Business, table).is_some();
        assert!(is_excused || links.iter().any(|to| leads.contains(to)), "{table} names nobody who decides about it");
    }
}
