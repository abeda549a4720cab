//! "California: delete, opt out of sale": an authorised agent may ask, and the person decides.

use domain::my_data::{Errand, Wish};
use persistence::entities::{dsr_request, subject, suppression};
use testkit::each_database;

use crate::world::{World, count};

const TOM: &str = "tom@viewer.example";

#[tokio::test]
async fn what_an_agent_asks_for_is_done_when_the_person_says_so_and_not_before() {
    each_database("p36", |test| async move {
        let world = World::published(&test).await;
        world.guest(TOM).await;
        world.run_jobs().await;
        let before = world.sent_to(TOM);
        let visitor = world.backend.visitor();
        visitor.ask_for_my_data(TOM, Errand::AgentErase, &crate::Client::unknown()).await.expect("asks");
        world.run_jobs().await;
        assert_eq!(world.sent_to(TOM), before + 1);
        let mail = world.sent().into_iter().find(|mail| mail.to == TOM).expect("the mail");
        assert!(mail.text.contains("somebody who says they act for you asks to have everything"), "{}", mail.text);
        assert!(mail.text.contains("We do nothing until you say so yourself"), "{}", mail.text);
        world.backend.clock().advance_seconds(40 * 86_400);
        world.run_jobs().await;
        assert_eq!((count::<subject::Entity>(&world).await, count::<dsr_request::Entity>(&world).await), (1, 0));

        let portal = world.portal(TOM, Errand::AgentErase).await;
        portal.wish(world.id(), &Wish::Erase { forget_mark: false }).await.expect("confirmed");
        world.run_jobs().await;
        assert_eq!(count::<subject::Entity>(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_agents_opt_out_is_the_persons_one_press() {
    each_database("p36 opt out", |test| async move {
        let world = World::published(&test).await;
        world.guest(TOM).await;
        let portal = world.portal(TOM, Errand::AgentOptOut).await;
        assert_eq!(count::<suppression::Entity>(&world).await, 0, "asking alone changes nothing");
        let wish = Wish::Object(domain::rights::ObjectionScope::Marketing, String::new());
        assert_eq!(portal.wish_everywhere(&wish).await.expect("done"), 1);
        assert_eq!(count::<suppression::Entity>(&world).await, 1);
    })
    .await;
}

/// Whoever types a stranger's address cannot write them a letter in our name: what an agent asks for is a word of a
/// closed list, and an unknown one is nobody's errand.
#[test]
fn an_agent_has_no_words_of_their_own() {
    assert_eq!(Errand::from_stored("Please pay 100 EUR"), None);
    for errand in Errand::ALL {
        assert!(errand.as_str().chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'));
    }
}
