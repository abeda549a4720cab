//! "Not for under 16": where the coach asks, the box has to be ticked, and a refused form leaves nothing behind.

use domain::registration::RegistrationForm;
use domain::webinar::WebinarForm;
use persistence::entities::{mail as outbox, registration, subject};
use persistence::keyring::entities::dek;
use sea_orm::{EntityTrait, PaginatorTrait};
use testkit::each_database;

use crate::world::{World, count};

#[tokio::test]
async fn the_box_left_open_is_named_and_nothing_is_stored() {
    each_database("p49", |test| async move {
        let world = World::published(&test).await;
        let editor = world.coach.webinar(world.webinar).await.expect("reads");
        assert_eq!(editor.form.ask_age, None);
        let form = WebinarForm { ask_age: Some("yes".to_owned()), ..editor.form };
        let saved = world.coach.save_webinar(world.webinar, editor.revision, form).await.expect("saves");
        assert!(saved.form.ask_age.is_some());
        assert!(world.backend.visitor().invitation(&world.slug, None, None).await.expect("open").ask_age);

        let error = world.press(World::form("kid@viewer.example")).await.expect_err("refused");
        let refusal = error.refusal().expect("a refusal");
        assert_eq!((refusal.status(), refusal.field.as_deref()), (422, Some("age_ok")));
        let rows = (
            count::<subject::Entity>(&world).await,
            count::<registration::Entity>(&world).await,
            count::<outbox::Entity>(&world).await,
        );
        assert_eq!(rows, (0, 0, 0));
        let keys = dek::Entity::find().count(world.backend.keyring().database().reader()).await.expect("counts");
        assert_eq!(keys, 0);

        let ticked = RegistrationForm { age_ok: Some("yes".to_owned()), ..World::form("ann@viewer.example") };
        world.press(ticked).await.expect("registers");
        assert_eq!(count::<registration::Entity>(&world).await, 1);
    })
    .await;
}
