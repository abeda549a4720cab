//! "Password hashed, never seen in plain text": a canary password goes through every door and is nowhere afterwards,
//! neither in a store nor in a log line; what is stored is an Argon2id hash with its parameters.

use persistence::entities::coach;
use sea_orm::EntityTrait;
use testkit::each_database;

use super::{logged, traces};
use crate::world::World;

const CANARY: &str = "qxcanary-lantern-meadow-71";
const WRONG: &str = "qxwrong-lantern-meadow-72";
const NEXT: &str = "qxnext-lantern-meadow-73";

#[tokio::test]
async fn a_canary_password_is_nowhere() {
    each_database("p04", |test| async move {
        let world = World::new(test);
        let (answers, log) = logged(async {
            let post = |path: &str, fields: &[(&str, &str)]| world.post(path).form(fields).in_browser().send();
            let email = ("email", "nell@example.org");
            let boxes = [("age_ok", "on"), ("terms", "on")];
            let opened = post(
                "/signup",
                &[("_form", "sign_up"), ("name", "Nell"), email, ("password", CANARY), boxes[0], boxes[1]],
            )
            .await;
            world.run_jobs().await;
            let refused = post("/login", &[("_form", "sign_in"), email, ("password", WRONG)]).await;
            let signed_in = post("/login", &[("_form", "sign_in"), email, ("password", CANARY)]).await;
            let cookie = signed_in.header("set-cookie");
            let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
            let changed = world
                .post("/dashboard/account")
                .header("cookie", &cookie)
                .form(&[("_form", "change_password"), ("current_password", CANARY), ("password", NEXT)])
                .in_browser()
                .send()
                .await;
            world.run_jobs().await;
            [opened, refused, signed_in, changed]
        })
        .await;
        let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
        assert_eq!(statuses[0], 303, "{}", answers[0].text());
        assert_eq!((statuses[2], statuses[3]), (303, 303), "{}", answers[3].text());
        assert!((400..500).contains(&statuses[1]), "{statuses:?}");
        assert_eq!(traces(&world, &[CANARY, WRONG, NEXT]).await, Vec::<String>::new());
        assert!(log.len() > 1_000, "nothing was logged, so nothing was looked at");
        for word in [CANARY, WRONG, NEXT] {
            assert!(!log.contains(word), "{word} was logged");
            assert!(answers.iter().all(|answer| !answer.text().contains(word)), "{word} came back");
        }
        let rows = coach::Entity::find().all(world.backend.db().reader()).await.expect("reads");
        assert_eq!(rows.len(), 1);
        for row in rows {
            let hash = row.password_hash;
            let parameters = hash.strip_prefix("$argon2id$v=19$m=").unwrap_or_else(|| panic!("{hash}"));
            let memory: u32 = parameters.split(',').next().and_then(|m| m.parse().ok()).expect("the memory it takes");
            // OWASP: at least 19 MiB.
            assert!(memory >= 19_456, "{hash}");
        }
    })
    .await;
}
