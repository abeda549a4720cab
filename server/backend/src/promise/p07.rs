//! "Videos you upload": the original bytes are in the archive, under their checksum; a file that is not there any more is
//! said to be missing, never left out in silence.

use domain::archive::ArchiveState;
use persistence::entities::video;
use sea_orm::EntityTrait;
use sha2::{Digest, Sha256};
use testkit::each_database;

use crate::world::archives::{rows, unpacked};
use crate::world::{RECORDING, World};

#[tokio::test]
async fn the_original_is_in_the_archive() {
    each_database("p07", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let files = unpacked(&world.archive("all.zip").await);
        let sha256 = hex::encode(Sha256::digest(RECORDING));
        let path = format!("media/{sha256}.mp4");
        assert_eq!(files.get(&path).map(Vec::as_slice), Some(RECORDING));
        let row = &rows(&files, "data/videos.jsonl")[0];
        assert_eq!((row["media"].as_str(), row["sha256"].as_str()), (Some(path.as_str()), Some(sha256.as_str())));
        assert_eq!((&row["file_name"], &row["captions"]), (&"calm.mp4".into(), &serde_json::Value::Null));
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
        let listed = manifest["files"].as_array().expect("files").iter().find(|file| file["path"] == path);
        assert_eq!(listed.expect("listed")["sha256"], sha256);
        let logo = rows(&files, "data/webinars.jsonl")[0]["logo"].as_str().expect("a logo").to_owned();
        assert!(files[&logo].starts_with(b"\x89PNG"));
    })
    .await;
}

/// Also one the background work has not come to yet.
#[tokio::test]
async fn a_recording_that_was_just_uploaded_is_in_it() {
    each_database("p07 fresh", |test| async move {
        let world = World::published(&test).await;
        let files = unpacked(&world.archive("all.zip").await);
        let sha256 = hex::encode(Sha256::digest(RECORDING));
        assert_eq!(files.get(&format!("media/{sha256}.mp4")).map(Vec::as_slice), Some(RECORDING));
        assert_eq!(rows(&files, "data/videos.jsonl")[0]["sha256"], sha256);
    })
    .await;
}

#[tokio::test]
async fn a_missing_file_is_said_to_be_missing() {
    each_database("p07 missing", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let row = video::Entity::find_by_id(world.video).one(world.backend.db().reader()).await.expect("reads");
        world.backend.bucket().delete(&row.expect("a recording").object_key).await.expect("goes");
        let file = world.file("all.zip");
        let made = world.backend.archive_to_file(crate::world::archives::COACH, None, &file).await.expect("an archive");
        assert_eq!(made.missing, 1);
        let files = unpacked(&file);
        let omissions: serde_json::Value = serde_json::from_slice(&files["omissions.json"]).expect("JSON");
        assert_eq!(omissions["is_complete"], false);
        assert!(omissions["missing"][0]["what"][0].as_str().expect("text").contains("calm.mp4"));
        assert_eq!(rows(&files, "data/videos.jsonl")[0]["media"], serde_json::Value::Null);
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
        assert_eq!(manifest["state"], "incomplete");

        let id = world.coach.ask_archive().await.expect("asked");
        world.run_jobs().await;
        let view = world.coach.archives().await.expect("reads").into_iter().find(|one| one.id == id).expect("there");
        assert_eq!((view.state, view.omissions), (ArchiveState::Incomplete, 1));
        assert!(world.coach.archive_link(id).await.is_ok(), "what could be had can be fetched");
    })
    .await;
}
