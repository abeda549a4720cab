//! Media addresses: signed, expiring, and byte ranges as RFC 9110 §14 has them.

use axum::http::{Method, StatusCode};
use testkit::each_database;

use crate::world::{Answer, CAPTIONS, SAMPLE, World, between};

const HOUR: i64 = 3_600;

/// The signed address of the sample, as a room tells it.
async fn address(world: &World) -> String {
    let maya = world.coach("Maya", "maya@example.com").await;
    let webinar = world.published(&maya, "Breathing before talking").await;
    let anna = world.register(&webinar, "anna@example.net").await;
    world.enter(&anna).await.media_url
}

/// The same address with one parameter changed.
fn with(url: &str, name: &str, value: &str) -> String {
    let (path, query) = url.split_once('?').expect("a signed address");
    let pairs = url::form_urlencoded::parse(query.as_bytes()).map(|(key, old)| {
        let new = if key == name { value.to_owned() } else { old.into_owned() };
        (key.into_owned(), new)
    });
    format!("{path}?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

#[tokio::test]
async fn only_an_address_we_signed_plays_and_only_for_a_while() {
    each_database("signatures", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        let (path, query) = url.split_once('?').expect("a signed address");
        let whole = world.get(&url).send().await;
        assert_eq!(whole.status, StatusCode::OK);
        assert!(whole.body == SAMPLE);

        let expiry: i64 = between(query, "e=", "&").and_then(|text| text.parse().ok()).expect("an expiry");
        let other = address_of_another_recording(&world).await;
        let (other_path, _) = other.split_once('?').expect("a signed address");
        let forged = [
            path.to_owned(),
            format!("{path}?"),
            format!("{path}?e={expiry}"),
            with(&url, "s", ""),
            with(&url, "s", "AAAAAAAAAAAAAAAAAAAAAA"),
            with(&url, "e", &(expiry + HOUR).to_string()),
            with(&url, "e", "9223372036854775807"),
            with(&url, "e", "x"),
            // Signed, for another recording and for another kind of object.
            format!("{other_path}?{query}"),
            url.replace("/media/video/", "/media/caption/"),
            url.replace("/media/video/", "/media/logo/"),
        ];
        for address in forged {
            for method in [Method::GET, Method::HEAD] {
                let answer = world.ask(method, &address).header("range", "bytes=0-9").send().await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address}");
                assert!(answer.headers.get("content-range").is_none(), "{address} tells the length");
            }
        }
        assert_eq!(
            world.get(&url.replace("/media/video/", "/media/secret/")).send().await.status,
            StatusCode::NOT_FOUND
        );

        world.wait(5 * HOUR);
        assert_eq!(world.get(&url).send().await.status, StatusCode::OK, "a long talk with breaks");
        world.wait(3 * HOUR);
        assert_eq!(world.get(&url).send().await.status, StatusCode::FORBIDDEN, "it still plays after eight hours");
    })
    .await;
}

async fn address_of_another_recording(world: &World) -> String {
    let tom = world.coach("Tom", "tom@example.org").await;
    let webinar = world.recorded(&tom, "Toms own hour").await;
    world.handle(&tom).await.webinar(webinar.id).await.expect("his").video.expect("recorded").media_url
}

async fn range(world: &World, url: &str, range: &str) -> Answer {
    world.get(url).header("range", range).send().await
}

#[tokio::test]
async fn one_range_is_exactly_those_bytes() {
    each_database("ranges", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        let end = SAMPLE.len() - 1;
        for (asked, first, last) in [
            ("bytes=0-0".to_owned(), 0, 0),
            ("bytes=0-999".to_owned(), 0, 999),
            ("bytes=1000-".to_owned(), 1_000, end),
            (format!("bytes={end}-"), end, end),
            (format!("bytes={}-{}", end - 5, end + 5_000), end - 5, end),
            ("bytes=-1".to_owned(), end, end),
            ("bytes=-70000".to_owned(), SAMPLE.len() - 70_000, end),
            ("bytes=-99999999999".to_owned(), 0, end),
        ] {
            let answer = range(&world, &url, &asked).await;
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{asked}");
            assert_eq!(answer.header("content-range"), format!("bytes {first}-{last}/{}", SAMPLE.len()), "{asked}");
            assert_eq!(answer.header("content-length"), (last - first + 1).to_string(), "{asked}");
            assert_eq!(answer.header("content-type"), "video/mp4", "{asked}");
            assert!(answer.body == SAMPLE[first..=last], "{asked}: other bytes");
        }
    })
    .await;
}

#[tokio::test]
async fn a_range_outside_is_refused_and_a_malformed_one_is_no_range() {
    each_database("no ranges", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        for asked in
            [format!("bytes={}-", SAMPLE.len()), "bytes=-0".to_owned(), "bytes=99999999999999999999-".to_owned()]
        {
            let answer = range(&world, &url, &asked).await;
            assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{asked}");
            assert_eq!(answer.header("content-range"), format!("bytes */{}", SAMPLE.len()), "{asked}");
            assert!(answer.body.is_empty());
        }
        let many = format!("bytes={}", (0..40).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(","));
        let overlapping = format!("bytes=0-{0},0-{0}", SAMPLE.len() - 1);
        for asked in ["bytes=9-5", "bytes=a-b", "items=0-5", "bytes=-", "bytes=1", "0-5", &many, &overlapping] {
            let answer = range(&world, &url, asked).await;
            assert_eq!(answer.status, StatusCode::OK, "{asked}");
            assert!(answer.body == SAMPLE, "{asked}");
        }
    })
    .await;
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    each_database("multipart", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        let end = SAMPLE.len() - 1;
        let answer = range(&world, &url, "bytes=0-9, 5000-5009,-3, 99999999-").await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        let kind = answer.header("content-type");
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("parts").to_owned();
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let mut expected = Vec::new();
        for part in [0..=9, 5_000..=5_009, end - 2..=end] {
            let (first, last) = (part.start(), part.end());
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes {first}-{last}/{}\r\n\r\n",
                SAMPLE.len()
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend_from_slice(&SAMPLE[part]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert!(answer.body == expected, "{}", answer.text());
    })
    .await;
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    each_database("validators", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        let whole = world.get(&url).send().await;
        let (tag, modified) = (whole.header("etag"), whole.header("last-modified"));
        assert!(tag.starts_with('"') && tag.ends_with('"'), "a strong tag: {tag}");
        let other = "\"something-else\"";

        for (header, value, status) in [
            ("if-none-match", tag.as_str(), 304),
            ("if-none-match", "*", 304),
            ("if-none-match", &format!("{other}, W/{tag}"), 304),
            ("if-none-match", other, 200),
            ("if-modified-since", modified.as_str(), 304),
            ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ] {
            let answer = world.get(&url).header(header, value).send().await;
            assert_eq!(answer.status.as_u16(), status, "{header}: {value}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.body.is_empty(), status == 304, "{header}: {value}");
        }
        // A tag speaks before a date (RFC 9110 §13.2.2).
        let both = world.get(&url).header("if-none-match", other).header("if-modified-since", &modified).send().await;
        assert_eq!(both.status, StatusCode::OK);

        for (validator, status) in [(tag.as_str(), 206), (&modified, 206), (other, 200), (&format!("W/{tag}"), 200)] {
            let answer = world.get(&url).header("range", "bytes=10-19").header("if-range", validator).send().await;
            assert_eq!(answer.status.as_u16(), status, "if-range: {validator}");
            let bytes = if status == 206 { &SAMPLE[10..20] } else { SAMPLE };
            assert!(answer.body == bytes, "if-range: {validator}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_answer_says_what_it_is_and_lets_nobody_else_keep_it() {
    each_database("media headers", |test| async move {
        let world = World::new(test);
        let url = address(&world).await;
        let head = world.ask(Method::HEAD, &url).header("range", "bytes=0-9").send().await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.header("content-length"), SAMPLE.len().to_string());
        for answer in [head, range(&world, &url, "bytes=0-9").await] {
            assert_eq!(answer.header("accept-ranges"), "bytes");
            assert_eq!(answer.header("content-type"), "video/mp4");
            assert!(answer.header("cache-control").starts_with("private"), "{}", answer.header("cache-control"));
            assert!(answer.header("content-security-policy").contains("sandbox"));
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert!(answer.headers.get("content-encoding").is_none());
        }
        let packed =
            world.get(&url).header("accept-encoding", "br, gzip").header("range", "bytes=0-99999").send().await;
        assert!(packed.headers.get("content-encoding").is_none() && packed.body == SAMPLE[..100_000]);
    })
    .await;
}

#[tokio::test]
async fn captions_are_served_as_text() {
    each_database("captions", |test| async move {
        let world = World::new(test);
        let maya = world.coach("Maya", "maya@example.com").await;
        let webinar = world.recorded(&maya, "Breathing before talking").await;
        world.caption(&maya, &webinar).await;
        let view = world.handle(&maya).await.webinar(webinar.id).await.expect("hers");
        let track = view.video.expect("recorded").captions.remove(0);
        let answer = world.get(&track.url).send().await;
        assert_eq!(
            (answer.status, answer.header("content-type").as_str()),
            (StatusCode::OK, "text/vtt; charset=utf-8")
        );
        assert!(answer.text().starts_with("WEBVTT"), "{}", answer.text());
        let spoken = String::from_utf8_lossy(CAPTIONS);
        let line = spoken.lines().find(|line| line.starts_with("Hello")).expect("the first words");
        assert!(answer.text().contains(line), "{}", answer.text());
        assert_eq!(world.get(track.url.split('?').next().expect("a path")).send().await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
