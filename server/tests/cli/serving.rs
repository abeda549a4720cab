//! A server started from an empty folder, and the site it serves.

use crate::installation::{Installation, client, mode};

#[tokio::test]
async fn an_empty_folder_is_all_a_server_needs() {
    let server = Installation::new().serve();
    let client = client();
    let page = client.get(server.url("/")).send().await.expect("answers");
    assert_eq!(page.status(), 200);
    let health = client.get(server.url("/healthz")).send().await.expect("answers");
    assert_eq!(health.text().await.expect("text"), "ok\n");
    assert_eq!(client.get(server.url("/dev/mailbox")).send().await.expect("answers").status(), 404);
    assert_eq!(mode(&server.installation.path("data")), 0o700);
    assert_eq!(mode(&server.installation.path("data/secret.key")), 0o600);

    server.installation.run(&["healthcheck"]).succeeded();
    let addr = server.addr.to_string();
    server.installation.run(&["serve"]).failed_with(&["MW_ADDR:", &addr]);
    assert!(server.stop(), "SIGTERM is a good end");
}

#[tokio::test]
async fn the_site_is_served_through_every_layer() {
    let installation = Installation::new().with("MW_SITE_DIR", "site");
    installation.write("site/pkg/assets.json", r#"{"viewer.css":"/pkg/viewer.0123.css"}"#);
    installation.write("site/pkg/viewer.0123.css", &"a{color:red}".repeat(100));
    installation.write("site/pkg/viewer.0123.css.br", "packed");
    installation.write("site/robots.txt", "User-agent: *");
    let server = installation.serve();
    if cfg!(feature = "embed") {
        let robots = client().get(server.url("/robots.txt")).send().await.expect("answers");
        assert_ne!(robots.text().await.expect("text"), "User-agent: *", "a folder is not looked at");
        return;
    }
    let client = client();
    let ask = |accepts: &'static str, known: String| {
        client
            .get(server.url("/pkg/viewer.0123.css"))
            .header("accept-encoding", accepts)
            .header("if-none-match", known)
            .send()
    };
    let packed = ask("gzip, br", String::new()).await.expect("answers");
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
    };
    assert_eq!(header(&packed, "content-encoding"), "br");
    assert_eq!(header(&packed, "x-content-type-options"), "nosniff");
    assert_eq!(header(&packed, "vary"), "accept-encoding");
    let etag = header(&packed, "etag");
    assert_eq!(packed.text().await.expect("text"), "packed");
    assert_eq!(ask("gzip, br", etag.clone()).await.expect("answers").status(), 304);
    // There is no gzip twin, and nobody may pack the plain body under its strong tag.
    let plain = ask("gzip", etag).await.expect("answers");
    assert_eq!((plain.status().as_u16(), header(&plain, "content-encoding").as_str()), (200, ""));
    assert_eq!(plain.content_length(), Some(1200));
    for path in ["/pkg/..%2frobots.txt", "/pkg/none.css", "/pkg/assets.json", "/data/secret.key", "/embed.js"] {
        assert_eq!(client.get(server.url(path)).send().await.expect("answers").status(), 404, "{path}");
    }
}

/// Names of the journals a running server writes, with what makes each this very file.
fn journals(server: &crate::installation::Running) -> Vec<(std::ffi::OsString, u64)> {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(server.installation.path("data")).expect("there").map(|entry| entry.expect("read"));
    let journals = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with("-wal"));
    let mut found: Vec<_> = journals.map(|entry| (entry.file_name(), entry.metadata().expect("there").ino())).collect();
    found.sort();
    found
}

/// Closing a file gives up every lock this process has on it, SQLite's too. Whoever opened the database next took
/// itself for the only one and deleted the journal the server went on writing: what was written then was lost.
#[tokio::test]
async fn a_server_that_looked_for_somebody_keeps_its_journals() {
    let server = Installation::new().with("MW_DEV", "1").serve();
    let before = journals(&server);
    assert_eq!(before.len(), 2, "{before:?}");
    let wanted = r#"{"needles":["nobody@viewer.example"]}"#;
    let request = client().post(server.url("/dev/scan")).header("content-type", "application/json").body(wanted);
    assert_eq!(request.send().await.expect("answers").status(), 200);
    server.installation.run(&["jobs", "list"]).succeeded();
    assert_eq!(journals(&server), before);
}
