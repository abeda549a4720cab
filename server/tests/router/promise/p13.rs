//! "Browser and device information": a browser's full description is used for its family and kind, and kept nowhere.

use testkit::each_database;

use super::{logged, traces};
use crate::registering::open_webinar;
use crate::world::{PASSWORD, World};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0 qxagentcanaryzq/9.1";

#[tokio::test]
async fn a_unique_browser_leaves_its_family_and_nothing_else() {
    each_database("p13", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let form = world.filled_form(&webinar, "anna@example.net").await;
        let page = format!("/w/{}", webinar.slug);
        let (answer, log) = logged(async {
            let agent = |ask: crate::world::Ask| ask.header("user-agent", AGENT).in_browser().send();
            agent(world.get(&page)).await;
            let answer = agent(world.post(&page).form(&form)).await;
            let fields = [("_form", "sign_in"), ("email", "maya@example.com"), ("password", PASSWORD)];
            agent(world.post("/login").form(&fields)).await;
            agent(world.get("/nothing-here")).await;
            world.run_jobs().await;
            answer
        })
        .await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        assert_eq!(traces(&world, &["qxagentcanaryzq", "Gecko/20100101"]).await, Vec::<String>::new());
        assert!(!log.contains("qxagentcanaryzq"), "it was logged");
        assert!(!traces(&world, &["Firefox/desktop"]).await.is_empty(), "the family is what is kept");
    })
    .await;
}
