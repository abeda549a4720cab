//! Configuration: what stops the start, and the one line that says why.

use crate::installation::Installation;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_malformed_value_stops_every_command_with_one_line_that_names_it() {
    let cases = [
        ("MW_ADDR", "localhost", "127.0.0.1:3000"),
        ("MW_ADDR", "127.0.0.1:99999", "127.0.0.1:3000"),
        ("MW_BASE_URL", "webinars.example.com", "https://"),
        ("MW_BASE_URL", "ftp://webinars.example.com", "https://"),
        ("MW_BASE_URL", "https://webinars.example.com/path", "without a path"),
        ("MW_BASE_URL", "https://me:pw@webinars.example.com", "https://"),
        ("MW_BASE_URL", "https://webinars.example.com/#top", "https://"),
        ("MW_DATABASE_URL", "mysql://localhost/mw", "postgres://"),
        ("MW_DATABASE_URL", "data.db", "sqlite://"),
        ("MW_DATABASE_URL", "sqlite://data.db?mode=rwx", "mode=rwc"),
        ("MW_DATABASE_URL", "postgres://localhost:port/mw", "postgres://"),
        ("MW_KEYRING_URL", "keys.txt", "sqlite://"),
        ("MW_STORAGE_URL", "objects", "file:///folder"),
        ("MW_STORAGE_URL", "ftp://host/objects", "s3://"),
        ("MW_STORAGE_URL", "s3:///prefix", "bucket"),
        ("MW_STORAGE_URL", "s3://bucket?endpoint=localhost:9000", "http"),
        ("MW_STORAGE_URL", "s3://bucket?secret=x", "secret"),
        ("MW_BACKUP_URL", "backups", "file:///folder"),
        ("MW_BACKUP_URL", "s3://bucket?secret=x", "secret"),
        ("MW_BACKUP_KEY", "short", "64 hexadecimal digits"),
        ("MW_SMTP_URL", "mail.example.com:25", "smtp://"),
        ("MW_SMTP_URL", "smtp://", "smtp://"),
        ("MW_SMTP_URL", "smtp://mail.example.com?tls=maybe", "smtps://"),
        ("MW_MAIL_FROM", "hello@", "hello@example.com"),
        ("MW_CONTACT_EMAIL", "our office", "hello@example.com"),
        ("MW_TRUSTED_PROXIES", "proxy.internal", "172.16.0.0/12"),
        ("MW_DEV", "maybe", "1 or 0"),
        ("MW_SECRET_KEY", "short", "64 hexadecimal digits"),
        ("MW_LOG", "server=loud", "info"),
        ("MW_LOG_FORMAT", "xml", "json"),
    ];
    for (name, value, expected) in cases {
        let installation = Installation::new().with(name, value);
        for words in [vec!["serve"], vec![], vec!["config", "print"], vec!["doctor"], vec!["migrate", "status"]] {
            installation.run(&words).failed_with(&[&format!("{name}:"), expected]);
        }
        assert!(!installation.path("data").exists(), "{name}: nothing is made before everything is understood");
    }
}

#[test]
fn an_unknown_variable_stops_the_start() {
    for name in ["MW_ADR", "MW_", "MW_PORT", "MW_ADDR_FILE", "MW_BASE_URL_FILE", "MW_DEV_FILE"] {
        Installation::new().with(name, "1").run(&["serve"]).failed_with(&[&format!("{name}: unknown"), "MW_ADDR"]);
    }
    Installation::new().with("OTHER_ADDR", "1").run(&["config", "print"]).succeeded();
}

#[test]
fn an_address_for_the_public_requires_what_people_will_be_told() {
    let public = || Installation::new().with("MW_BASE_URL", "https://webinars.example.com");
    public().with("MW_CONTACT_EMAIL", "a@example.com").run(&[]).failed_with(&["MW_MAIL_FROM: required", "e-mail"]);
    public().with("MW_MAIL_FROM", "a@example.com").run(&[]).failed_with(&["MW_CONTACT_EMAIL: required", "e-mail"]);
    let told = public().with("MW_CONTACT_EMAIL", "a@example.com").with("MW_MAIL_FROM", "b@example.com");
    told.run(&["config", "print"]).succeeded();
    let plain = told.with("MW_DATABASE_URL", "postgres://db/mw?sslmode=disable");
    plain.run(&[]).failed_with(&["MW_DATABASE_URL:", "sslmode"]);
}

#[test]
fn a_bucket_requires_both_of_its_keys() {
    let bucket =
        || Installation::new().with("MW_STORAGE_URL", "s3://videos?endpoint=http://127.0.0.1:9&region=eu-west-1");
    bucket().with("AWS_SECRET_ACCESS_KEY", "s").run(&[]).failed_with(&["AWS_ACCESS_KEY_ID: required"]);
    bucket().with("AWS_ACCESS_KEY_ID", "k").run(&[]).failed_with(&["AWS_SECRET_ACCESS_KEY: required"]);
    let both = bucket().with("AWS_ACCESS_KEY_ID", "k");
    let file = both.write("secret", "s\n");
    both.with("AWS_SECRET_ACCESS_KEY_FILE", file).run(&["config", "print"]).succeeded();
}

#[test]
fn backups_lie_apart_from_what_they_are_of() {
    for (storage, backups) in
        [("/a/objects", "/a/objects"), ("/a/objects", "/a/objects/backups"), ("/a/all/objects", "/a/all")]
    {
        let installation = Installation::new()
            .with("MW_STORAGE_URL", format!("file://{storage}"))
            .with("MW_BACKUP_URL", format!("file://{backups}"));
        installation.run(&[]).failed_with(&["MW_BACKUP_URL:", "MW_STORAGE_URL"]);
    }
    let bucket = Installation::new().with("MW_BACKUP_URL", "s3://backups");
    bucket.run(&[]).failed_with(&["AWS_ACCESS_KEY_ID: required", "MW_BACKUP_URL"]);
}

#[test]
fn a_secret_may_come_from_a_file() {
    let cases = [
        ("MW_DATABASE_URL", "postgres://me:hunter2@db.example.com/mw", "postgres://me:***@db.example.com/mw"),
        ("MW_KEYRING_URL", "postgres://me:hunter2@keys.example.com/mw", "postgres://me:***@keys.example.com/mw"),
        ("MW_SMTP_URL", "smtps://me:hunter2@mail.example.com", "smtps://me:***@mail.example.com"),
        ("MW_SECRET_KEY", SECRET, "set"),
        ("MW_BACKUP_KEY", SECRET, "set"),
        ("MW_METRICS_TOKEN", "hunter2", "set"),
    ];
    for (name, value, shown) in cases {
        let installation = Installation::new();
        let file = installation.write("secret", &format!("{value}\n"));
        let twin = format!("{name}_FILE");
        let installation = installation.with(&twin, file);
        let printed = installation.run(&["config", "print", "--redacted"]).succeeded();
        assert!(printed.lines().any(|line| line == format!("{name}={shown}")), "{printed}");
        assert!(!printed.contains("hunter2") && !printed.contains(SECRET), "{printed}");

        installation.write("secret", "not what it should be: %%%");
        if name != "MW_METRICS_TOKEN" {
            let line = installation.run(&[]).failed_with(&[&format!("{name}:"), "expected"]);
            assert!(!line.contains("%%%"), "a secret is not repeated: {line}");
        }
        installation.write("secret", "  \n");
        installation.run(&[]).failed_with(&[&format!("{twin}:"), "empty"]);
        let both = installation.with(name, value);
        both.run(&[]).failed_with(&[&format!("{twin}:"), "not both"]);
        Installation::new()
            .with(&twin, "/nowhere/secret")
            .run(&[])
            .failed_with(&[&format!("{twin}:"), "/nowhere/secret"]);
    }
}

#[test]
fn secrets_are_never_printed() {
    let installation = Installation::new()
        .with("MW_DATABASE_URL", "postgres://me@db.example.com/mw?password=hunter2")
        .with("MW_SMTP_URL", "smtp://me:hunter2@mail.example.com")
        .with("MW_SECRET_KEY", SECRET)
        .with("MW_METRICS_TOKEN", "hunter2")
        .with("AWS_ACCESS_KEY_ID", "hunter2")
        .with("AWS_SECRET_ACCESS_KEY", "hunter2");
    for words in [vec!["config", "print"], vec!["config", "print", "--redacted"], vec!["config", "print", "--json"]] {
        let printed = installation.run(&words).succeeded();
        assert!(!printed.contains("hunter2") && !printed.contains(SECRET), "{printed}");
        assert!(printed.contains("MW_SMTP_URL") && printed.contains("mail.example.com"), "{printed}");
    }
}

#[test]
fn flags_win_over_variables() {
    let installation = Installation::new().with("MW_ADDR", "127.0.0.1:4000");
    let words = ["config", "print", "--json", "--addr", "127.0.0.1:5000", "--data-dir", "elsewhere"];
    let printed: serde_json::Value = serde_json::from_str(&installation.run(&words).succeeded()).expect("JSON");
    assert_eq!(printed["MW_ADDR"], "127.0.0.1:5000");
    assert_eq!(printed["MW_BASE_URL"], "http://127.0.0.1:5000/", "links follow the address on this machine");
    assert!(printed["MW_DATA_DIR"].as_str().expect("text").ends_with("/elsewhere"));
    installation.run(&["config", "print", "--addr", "here"]).failed_with(&["MW_ADDR:"]);
}

#[test]
fn the_dev_routes_are_for_this_machine_alone() {
    for addr in ["0.0.0.0:3000", "192.0.2.1:3000", "[::]:3000", "[::ffff:192.0.2.1]:3000"] {
        let installation = Installation::new().with("MW_DEV", "1");
        for words in [vec!["serve", "--addr", addr], vec!["demo", "--addr", addr]] {
            installation.run(&words).failed_with(&["MW_DEV:", "loopback", addr]);
        }
        installation.with("MW_ADDR", addr).run(&[]).failed_with(&["MW_DEV:", "loopback", addr]);
        Installation::new().with("MW_DEV", "0").with("MW_ADDR", addr).run(&["config", "print"]).succeeded();
    }
    for addr in ["127.0.0.1:3000", "127.8.9.10:3000", "[::1]:3000"] {
        Installation::new().with("MW_DEV", "1").with("MW_ADDR", addr).run(&["config", "print"]).succeeded();
    }
}

#[test]
fn the_data_folder_may_be_called_anything() {
    let installation = Installation::new();
    let odd = installation.path("my data? 100% #1").display().to_string();
    let installation = installation.with("MW_DATA_DIR", &odd);
    installation.run(&["migrate"]).succeeded();
    assert!(std::path::Path::new(&odd).join("mini-webinar.db").is_file());
    let findings = installation.run(&["doctor"]).stdout();
    assert!(findings.contains("ok       storage"), "{findings}");
    assert!(std::path::Path::new(&odd).join("objects").is_dir());
}

#[test]
fn returned_mail_and_signatures_want_both_of_their_halves() {
    let mailbox = || Installation::new().with("MW_BOUNCE_MAILBOX", "bounces@mail.example.com");
    mailbox().run(&[]).failed_with(&["MW_BOUNCE_SECRET:", "required with MW_BOUNCE_MAILBOX"]);
    mailbox().with("MW_BOUNCE_SECRET", "short").run(&[]).failed_with(&["MW_BOUNCE_SECRET:", "16 characters"]);
    let secret = || Installation::new().with("MW_BOUNCE_SECRET", "a secret of sixteen and more");
    secret().run(&[]).failed_with(&["MW_BOUNCE_MAILBOX:", "required with MW_BOUNCE_SECRET"]);
    for wrong in ["nobody", "a-mailbox-with-a-long-name@mail.example.com"] {
        secret().with("MW_BOUNCE_MAILBOX", wrong).run(&[]).failed_with(&["MW_BOUNCE_MAILBOX:", "15 characters"]);
    }
    let printed = mailbox().with("MW_BOUNCE_SECRET", "hunter2 hunter2 hunter2").run(&["config", "print"]).succeeded();
    assert!(printed.contains("MW_BOUNCE_SECRET=set") && !printed.contains("hunter2"), "{printed}");

    Installation::new().with("MW_DKIM_SELECTOR", "mw1").run(&[]).failed_with(&["MW_DKIM_KEY:", "MW_DKIM_SELECTOR"]);
    Installation::new().with("MW_DKIM_KEY", "x").run(&[]).failed_with(&["MW_DKIM_SELECTOR:", "MW_DKIM_KEY"]);
    let line = Installation::new().with("MW_DKIM_SELECTOR", "mw1").with("MW_DKIM_KEY", "hunter2").run(&[]);
    let line = line.failed_with(&["MW_DKIM_KEY:", "expected a private key"]);
    assert!(!line.contains("hunter2"), "a key is not repeated: {line}");
}
