//! "E-mail sequences and calls to action": what of them exists so far. Every message, planned or sent, is in the archive,
//! and every kind of work that waits is in the data map.

use privacy::DataMap;
use testkit::each_database;

use crate::jobs::PERIODIC;
use crate::world::World;
use crate::world::archives::{rows, unpacked};

#[tokio::test]
async fn every_message_is_in_the_archive() {
    each_database("p08", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        world.coach.resend_link(world.webinar, guests[2].booking).await.expect("planned");
        let files = unpacked(&world.archive("all.zip").await);
        let messages = rows(&files, "data/messages.jsonl");
        for guest in &guests {
            let of_guest = messages.iter().filter(|message| message["registration_id"] == guest.booking.to_string());
            let states: Vec<_> = of_guest.map(|message| message["state"].as_str().expect("a state")).collect();
            assert!(states.contains(&"sent"), "{states:?}");
        }
        assert!(messages.iter().any(|message| message["state"] == "queued"), "also what is only planned");
        let mut planned = 0;
        for guest in &guests {
            planned += world.planned(guest.booking).await.len();
        }
        assert!(messages.len() >= planned);
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_work_is_in_the_map() {
    each_database("p08 queue", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        world.coach.ask_archive().await.expect("asked");
        let jobs = &DataMap::current().jobs;
        for job in world.backend.unfinished_jobs().await.expect("reads") {
            assert!(jobs.contains(&job.kind), "{} is not in the map", job.kind);
        }
        for (kind, _) in PERIODIC {
            assert!(jobs.contains(kind), "{kind} is not in the map");
        }
        assert!(jobs.contains(crate::rights::archive::WRITE_ARCHIVE));
    })
    .await;
}
