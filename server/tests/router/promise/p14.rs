//! "Country level, not precise": the address a request came from is nowhere afterwards, in no form.

use std::net::SocketAddr;

use testkit::each_database;

use super::{logged, traces};
use crate::registering::open_webinar;
use crate::world::World;

#[tokio::test]
async fn the_address_is_gone_when_the_answer_is_given() {
    each_database("p14", |test| async move {
        let world = World::new(test);
        let (_, webinar) = open_webinar(&world).await;
        let form = world.filled_form(&webinar, "anna@example.net").await;
        let from: SocketAddr = "203.0.113.77:40123".parse().expect("an address");
        let page = format!("/w/{}", webinar.slug);
        let (answer, log) = logged(async {
            world.get(&page).from(from).in_browser().send().await;
            let answer = world.post(&page).form(&form).from(from).in_browser().send().await;
            world
                .post("/login")
                .form(&[("_form", "sign_in"), ("email", "x@example.org"), ("password", "y")])
                .from(from)
                .send()
                .await;
            world
                .post("/privacy/complain")
                .form(&[("email", "a@example.net"), ("words", "No.")])
                .from(from)
                .send()
                .await;
            world.run_jobs().await;
            answer
        })
        .await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        // In text, in hexadecimal digits, and as the bytes themselves, which a dump of the rows shows in digits.
        assert_eq!(traces(&world, &["203.0.113.77", "cb00714d", "3405803853"]).await, Vec::<String>::new());
        let rows = format!("{:?}", world.snapshot().await).to_lowercase();
        assert!(!rows.contains("cb00714d"), "{rows}");
        assert!(!log.contains("203.0.113.77"), "it was logged");
    })
    .await;
}
