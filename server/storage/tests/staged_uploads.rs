//! Staged uploads on a local folder and, when `TEST_S3_URL` names one, on S3.

use bytes::Bytes;
use storage::{Bucket, S3Credentials, StagedUpload};

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment which servers they may use")]
fn s3_url() -> Result<String, std::env::VarError> {
    std::env::var("TEST_S3_URL")
}

/// A folder of its own for every test, in S3 as well: tests run side by side, and each lists what is left behind.
fn buckets(test: &str) -> Vec<(Bucket, Option<tempfile::TempDir>)> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let folder = tempfile::tempdir().expect("folder");
    let local = Bucket::open(&format!("file://{}", folder.path().display()), None).expect("opens");
    let mut buckets = vec![(local, Some(folder))];
    match s3_url() {
        Ok(url) => {
            let credentials = S3Credentials { access_key_id: "testing".into(), secret_access_key: "testing".into() };
            let (place, parameters) = url.split_once('?').unwrap_or((&url, ""));
            let own = format!("{place}/{test}-{}?{parameters}", std::process::id());
            buckets.push((Bucket::open(&own, Some(&credentials)).expect("opens"), None));
        }
        Err(_) => eprintln!("TEST_S3_URL is not set: staged uploads were tried on a local folder only"),
    }
    buckets
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[tokio::test]
async fn pieces_of_any_size_become_the_same_object() {
    for (bucket, _folder) in buckets("pieces_of_any_size_become_the_same_object") {
        let whole = pattern(21 * 1024 * 1024 + 17);
        let mut state = StagedUpload::default();
        let key = "videos/pieces";
        for cut in [0..3, 3..9_000_000, 9_000_000..9_000_001, 9_000_001..whole.len()] {
            let mut writer = bucket.staged_writer(key, state).await.expect("opens");
            for piece in whole[cut].chunks(700_001) {
                writer.write(piece).await.expect("writes");
            }
            state = writer.checkpoint().await.expect("durable");
        }
        assert_eq!(state.offset, whole.len() as u64);
        bucket.finish_staged(key, &state).await.expect("finishes");
        assert_eq!(bucket.get(key).await.expect("reads"), Bytes::from(whole.clone()));
        bucket.finish_staged(key, &state).await.expect("finishing twice is harmless");
        if state.tail_bytes > 0 {
            // A crash after S3 joined the parts and before the last of them was cleared away.
            let tail = format!("{}/{}", Bucket::staged_prefix(key), state.offset);
            bucket.put(&tail, Bytes::from_static(b"left over")).await.expect("writes");
            bucket.finish_staged(key, &state).await.expect("is finished all the same");
            assert!(bucket.get(&tail).await.expect_err("is cleared away").is_missing());
        }
        assert_eq!(bucket.list("staged").await.expect("lists"), Vec::<String>::new());
        bucket.delete(key).await.expect("removes");
    }
}

#[tokio::test]
async fn what_came_after_the_last_checkpoint_is_dropped() {
    for (bucket, _folder) in buckets("what_came_after_the_last_checkpoint_is_dropped") {
        let whole = pattern(10 * 1024 * 1024);
        let key = "videos/crash";
        let mut writer = bucket.staged_writer(key, StagedUpload::default()).await.expect("opens");
        writer.write(&whole[..9 * 1024 * 1024]).await.expect("writes");
        let durable = writer.checkpoint().await.expect("durable");
        writer.write(b"these bytes were never acknowledged").await.expect("writes");
        drop(writer);
        let mut writer = bucket.staged_writer(key, durable).await.expect("opens");
        writer.write(&whole[9 * 1024 * 1024..]).await.expect("writes");
        let state = writer.checkpoint().await.expect("durable");
        bucket.finish_staged(key, &state).await.expect("finishes");
        assert!(bucket.get(key).await.expect("reads") == whole);
        bucket.delete(key).await.expect("removes");
    }
}

#[tokio::test]
async fn an_upload_given_up_leaves_nothing() {
    for (bucket, _folder) in buckets("an_upload_given_up_leaves_nothing") {
        let mut writer = bucket.staged_writer("videos/gone", StagedUpload::default()).await.expect("opens");
        writer.write(&pattern(100)).await.expect("writes");
        let state = writer.checkpoint().await.expect("durable");
        bucket.abort_staged("videos/gone", &state).await.expect("gives up");
        assert_eq!(bucket.list("staged").await.expect("lists"), Vec::<String>::new());
        assert!(bucket.get("videos/gone").await.expect_err("is gone").is_missing());
    }
}

#[tokio::test]
async fn ranges_are_exact() {
    use futures::TryStreamExt;
    for (bucket, _folder) in buckets("ranges_are_exact") {
        let whole = pattern(1_000_000);
        bucket.put("videos/range", Bytes::from(whole.clone())).await.expect("writes");
        for range in [0..1, 0..1_000_000, 999_999..1_000_000, 250_000..750_001] {
            let parts: Vec<Bytes> =
                bucket.read("videos/range", range.clone()).await.expect("opens").try_collect().await.expect("reads");
            assert!(parts.concat() == whole[range.start as usize..range.end as usize]);
        }
        bucket.delete("videos/range").await.expect("removes");
        bucket.probe().await.expect("is writable");
    }
}
