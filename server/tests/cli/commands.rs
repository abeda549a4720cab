//! Every command: its help, what it does, and how it says no.

use crate::installation::{Installation, free_addr, mode};

const COMMANDS: [&[&str]; 30] = [
    &["serve"],
    &["demo"],
    &["migrate"],
    &["migrate", "status"],
    &["doctor"],
    &["healthcheck"],
    &["config"],
    &["config", "print"],
    &["account"],
    &["account", "create"],
    &["account", "reset-password"],
    &["import"],
    &["backup"],
    &["backup", "create"],
    &["backup", "list"],
    &["backup", "verify"],
    &["backup", "restore"],
    &["backup", "prune"],
    &["privacy", "messages"],
    &["privacy", "message"],
    &["privacy", "answer"],
    &["privacy", "purge-child"],
    &["privacy", "keep"],
    &["account", "operator"],
    &["account", "operator", "add"],
    &["account", "operator", "remove"],
    &["account", "operator", "list"],
    &["jobs"],
    &["jobs", "list"],
    &["jobs", "retry"],
];

#[test]
fn every_command_explains_itself_and_does_nothing_else() {
    let installation = Installation::new().with("MW_ADDR", "broken");
    let overview = installation.run(&["--help"]).succeeded();
    for words in COMMANDS {
        let said = installation.run(&[words, &["--help"]].concat());
        assert!(said.succeeded().contains("Usage: mini-webinar"), "{words:?}");
        assert_eq!(said.stderr(), "", "{words:?}");
        assert!(overview.contains(&format!("  {}", words[0])), "{words:?} is not in the overview");
    }
    assert!(installation.run(&["--version"]).succeeded().starts_with("mini-webinar "));
    assert!(!installation.path("data").exists());
}

#[test]
fn a_wrong_command_line_is_answered_with_one_line() {
    let cases: [(&[&str], &str); 9] = [
        (&["serv"], "'serv'"),
        (&["--port", "80"], "'--port'"),
        (&["serve", "now"], "'now'"),
        (&["config"], "subcommand"),
        (&["account"], "subcommand"),
        (&["jobs"], "subcommand"),
        (&["account", "create"], "--email <EMAIL>"),
        (&["jobs", "retry"], "<ID>"),
        (&["jobs", "retry", "seven"], "'seven'"),
    ];
    for (words, part) in cases {
        let installation = Installation::new();
        installation.run(words).failed_with(&[part]);
        assert!(!installation.path("data").exists(), "{words:?}");
    }
}

#[test]
fn migrations_are_listed_and_applied() {
    let installation = Installation::new();
    let status = || -> Vec<bool> {
        let printed = installation.run(&["migrate", "status", "--json"]).succeeded();
        let list: Vec<serde_json::Value> = serde_json::from_str(&printed).expect("JSON");
        list.iter().map(|row| row["applied"].as_bool().expect("yes or no")).collect()
    };
    assert!(!status().is_empty() && status().iter().all(|applied| !applied));
    installation.run(&["migrate"]).succeeded();
    assert!(status().iter().all(|applied| *applied));
    assert!(!installation.run(&["migrate"]).succeeded().contains("pending"), "a second time changes nothing");
    assert_eq!(mode(&installation.path("data")), 0o700);
}

#[test]
fn what_cannot_be_used_is_named_by_its_variable() {
    let installation = Installation::new();
    let file = installation.write("a-file", "");
    let cases = [
        ("MW_DATA_DIR", format!("{file}/data")),
        ("MW_DATABASE_URL", "sqlite:///nowhere/mw.db?mode=rwc".to_owned()),
        ("MW_KEYRING_URL", "sqlite:///nowhere/keys.db?mode=rwc".to_owned()),
        ("MW_STORAGE_URL", format!("file://{file}/objects")),
        ("MW_BACKUP_URL", format!("file://{file}/backups")),
    ];
    for (name, value) in cases {
        Installation::new().with(name, value).run(&["serve"]).failed_with(&[&format!("{name}:")]);
    }
}

#[test]
fn accounts_are_opened_and_get_new_passwords() {
    let installation = Installation::new();
    let create = ["account", "create", "--email", "maya@example.com", "--name", "Maya"];
    let reset = |email: &'static str| ["account", "reset-password", "--email", email];
    installation.run_with_input(&create, "short\n").failed_with(&["password"]);
    installation.run_with_input(&create, "").failed_with(&["password"]);
    installation.run_with_input(&create, "quiet lantern meadow\n").succeeded();
    installation.run_with_input(&create, "quiet lantern meadow\n").failed_with(&["already"]);
    installation.run_with_input(&reset("maya@example.com"), "other meadow lantern\n").succeeded();
    installation.run_with_input(&reset("tom@example.com"), "other meadow lantern\n").failed_with(&["no account"]);
    installation.run_with_input(&reset("maya"), "other meadow lantern\n").failed_with(&["name@example.com"]);
}

#[test]
fn jobs_are_listed_and_only_parked_ones_retried() {
    let installation = Installation::new();
    let printed = installation.run(&["jobs", "list", "--json"]).succeeded();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).expect("JSON"), serde_json::json!([]));
    assert_eq!(installation.run(&["jobs", "list"]).succeeded(), "");
    let unknown = "0199b2c8-0000-7000-8000-000000000000";
    installation.run(&["jobs", "retry", unknown]).failed_with(&["No parked job"]);
}

#[test]
fn the_doctor_tells_what_is_missing() {
    let installation = Installation::new().with("MW_SITE_DIR", "site");
    let said = installation.run(&["doctor"]);
    if cfg!(feature = "embed") {
        assert!(said.succeeded().contains("browser files: inside this binary"));
        return;
    }
    said.failed_with(&["browser files"]);
    assert!(said.stdout().contains("missing  browser files"), "{}", said.stdout());
    for part in ["database", "keyring", "storage", "backups", "mail", "ffmpeg", "time zones"] {
        assert!(said.stdout().contains(&format!("ok       {part}:")), "{}", said.stdout());
    }

    installation.write("site/pkg/assets.json", r#"{"viewer.css":"/pkg/viewer.0123.css"}"#);
    installation.run(&["doctor"]).failed_with(&["browser files"]);
    installation.write("site/pkg/viewer.0123.css", "a{}");
    let findings: Vec<serde_json::Value> =
        serde_json::from_str(&installation.run(&["doctor", "--json"]).succeeded()).expect("JSON");
    assert!(findings.iter().all(|finding| finding["ok"] == true), "{findings:?}");
}

#[test]
fn the_doctor_looks_at_everything_though_something_is_broken() {
    let installation = Installation::new()
        .with("MW_DATABASE_URL", "sqlite:///nowhere/mw.db")
        .with("MW_SMTP_URL", "smtp://127.0.0.1:9");
    let said = installation.run(&["doctor"]);
    said.failed_with(&["database", "mail"]);
    for line in ["missing  database: MW_DATABASE_URL", "missing  mail", "ok       storage"] {
        assert!(said.stdout().contains(line), "{line}: {}", said.stdout());
    }
}

#[test]
fn a_demo_keeps_out_of_a_folder_with_something_in_it() {
    let installation = Installation::new();
    installation.write("data/notes.txt", "mine");
    installation.run(&["demo"]).failed_with(&["not empty", "--data-dir"]);
    assert!(!installation.path("data/mini-webinar.db").exists());
}

#[test]
fn a_demo_tells_at_once_that_its_address_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let addr = taken.local_addr().expect("bound").to_string();
    let installation = Installation::new().with("MW_ADDR", &addr);
    installation.run(&["demo"]).failed_with(&["MW_ADDR:", &addr]);
    assert_eq!(mode(&installation.path("data")), 0o700);
    assert!(!installation.path("data/mini-webinar.db").exists());
}

#[test]
fn a_health_check_fails_without_a_server_and_with_a_silent_one() {
    let nobody = free_addr().to_string();
    Installation::new().with("MW_ADDR", &nobody).run(&["healthcheck"]).failed_with(&["no server answers", &nobody]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let addr = silent.local_addr().expect("bound").to_string();
    Installation::new().with("MW_ADDR", &addr).run(&["healthcheck"]).failed_with(&["no server answers", &addr]);
}
