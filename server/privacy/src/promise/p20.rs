//! "Only with the listed recipients": a host that is not on the public list is refused by its name, before anything is
//! looked up, and nothing in the sources can make a connection that was not admitted.

use std::path::{Path, PathBuf};

use crate::DataMap;
use crate::recipients::Recipients;

const TEXT: &str = include_str!("../../policy/recipients.toml");

#[test]
fn only_listed_hosts_in_use_and_our_own_machines_are_admitted() {
    let list = Recipients::built_in();
    for own in ["127.0.0.1", "localhost", "::1", "[::1]", "10.2.3.4", "192.168.1.9", "db", "keys.internal"] {
        assert_eq!(list.admit(own), Ok(()), "{own}");
    }
    for stranger in ["example.com", "8.8.8.8", "api.stripe.com", "us1.api.mailchimp.com", "2606:4700::1111"] {
        assert_eq!(list.admit(stranger).expect_err("is not listed").0, stranger);
    }
}

#[test]
fn a_host_is_admitted_by_being_published() {
    let host = "hosts = [\"s3.fr-par.example.net\", \"*.db.example.net\"]";
    let text = TEXT.replacen("hosts = []", host, 1);
    let list = Recipients::parse(&text, DataMap::current()).expect("reads");
    for listed in ["s3.fr-par.example.net", "S3.FR-PAR.example.net.", "one.db.example.net"] {
        assert_eq!(list.admit(listed), Ok(()), "{listed}");
    }
    for other in
        ["example.net", "db.example.net", "evil-db.example.net", "s3.fr-par.example.net.evil.org", ".db.example.net"]
    {
        assert!(list.admit(other).is_err(), "{other}");
    }
    for everything in ["*", "*.", "*.com/", "https://x.example", "*.net"] {
        let text = TEXT.replacen("hosts = []", &format!("hosts = [\"{everything}\"]"), 1);
        assert!(Recipients::parse(&text, DataMap::current()).is_err(), "{everything}");
    }
}

/// What makes a connection to somewhere else, and the one file each may stand in.
const WAYS_OUT: [(&str, &[&str]); 8] = [
    ("reqwest", &[]),
    ("hyper_util::client", &[]),
    ("UdpSocket", &[]),
    ("AmazonS3Builder", &["storage/src/bucket.rs"]),
    ("AsyncSmtpTransport", &[]),
    ("AsyncSmtpConnection", &["mail/src/connections.rs"]),
    ("PgConnectOptions", &["persistence/src/database.rs"]),
    // To the mail server; and what asks this very server whether it is alive.
    ("TcpStream::connect", &["mail/src/connections.rs", "src/cli/healthcheck.rs"]),
];
/// Who opens them, each behind the wall: the binary's `state.rs`.
const OPENERS: [&str; 4] = ["Bucket::open(", "Mailer::smtp(", "Database::connect(", "Keyring::connect("];
/// The wall, and the engine of tests.
const MAY_OPEN: [&str; 2] = ["src/state.rs", "backend/src/world.rs"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .filter(|path| !path.ends_with("tests") && !path.ends_with("testkit") && !path.ends_with("xtask"))
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn nothing_else_in_the_sources_reaches_out() {
    let server = testkit::package_folder().join("..");
    let mut seen = 0;
    for file in sources(&server) {
        let name = file.strip_prefix(&server).expect("below it").display().to_string();
        if name.contains("/promise/")
            || name.ends_with("/promise.rs")
            || name.ends_with("tests.rs")
            || name.contains("/world/")
            || name.contains("/measurements/")
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source");
        // What stands below are tests of the file itself, which start servers of their own.
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (way, allowed) in WAYS_OUT {
            let is_allowed = allowed.iter().any(|file| name == *file);
            seen += usize::from(is_allowed && text.contains(way));
            assert!(is_allowed || !text.contains(way), "{name} uses {way}: connections are made in one place each");
        }
        let opens = OPENERS.iter().any(|opener| text.contains(opener));
        let is_inner = ["persistence/src/", "storage/src/", "mail/src/", "backup/src/"]
            .iter()
            .any(|inner| name.starts_with(inner));
        assert!(
            !opens || is_inner || MAY_OPEN.contains(&name.as_str()),
            "{name} opens a connection past the wall in src/state.rs"
        );
    }
    assert!(seen >= 4, "only {seen} ways out were found where they belong");
    let state = std::fs::read_to_string(server.join("src/state.rs")).expect("the binary's state");
    assert!(state.matches("admitted(").count() >= 3, "databases, objects and mail go through the wall");
}
