//! Backups from the command line: a machine burns, and another one goes on with what was backed up.

use crate::installation::{Installation, mode};

const CREATE_ACCOUNT: [&str; 6] = ["account", "create", "--email", "maya@example.com", "--name", "Maya"];
const RESET: [&str; 4] = ["account", "reset-password", "--email", "maya@example.com"];

fn json(printed: &str) -> serde_json::Value {
    serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// An installation with an account and a backup.
fn backed_up() -> (Installation, serde_json::Value) {
    let installation = Installation::new();
    installation.run_with_input(&CREATE_ACCOUNT, "quiet lantern meadow\n").succeeded();
    installation.write("data/objects/coaches/someone/logos/one.png", "a picture");
    let made = json(&installation.run(&["backup", "create", "--json"]).succeeded());
    (installation, made)
}

/// An empty machine that was given the backups and their key, and nothing else.
fn another_machine(first: &Installation) -> Installation {
    let backups = format!("file://{}", first.path("data/backups").display());
    Installation::new()
        .with("MW_BACKUP_URL", backups)
        .with("MW_BACKUP_KEY_FILE", first.path("data/backup.key").display().to_string())
}

#[test]
fn a_lost_machine_goes_on_elsewhere() {
    let (first, made) = backed_up();
    assert_eq!((made[0]["store"].as_str(), made[1]["store"].as_str()), (Some("business"), Some("keyring")));
    assert_eq!((made[0]["objects"].as_u64(), made[0]["tables"]["coach"].as_u64()), (Some(1), Some(1)));
    assert_eq!(mode(&first.path("data/backup.key")), 0o600);
    let listed = json(&first.run(&["backup", "list", "--json"]).succeeded());
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&made[0]["id"], &made[1]["id"]));
    assert_eq!(first.run(&["backup", "list"]).succeeded().lines().count(), 2);
    let verified = json(&first.run(&["backup", "verify", "--json"]).succeeded());
    assert!(verified.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["ok"] == true)));

    let other = another_machine(&first);
    assert_eq!(json(&other.run(&["backup", "list", "--json"]).succeeded()), listed);
    let restored = json(&other.run(&["backup", "restore", "--json"]).succeeded());
    assert_eq!((&restored["backup"], restored["erased_again"].as_u64()), (&made[0]["id"], Some(0)));
    assert_eq!(restored["objects_written"].as_u64(), Some(1));
    assert_eq!(
        std::fs::read_to_string(other.path("data/objects/coaches/someone/logos/one.png")).expect("is back"),
        "a picture"
    );
    let secret = |of: &Installation| std::fs::read_to_string(of.path("data/secret.key")).expect("a secret");
    assert_eq!(secret(&first), secret(&other), "without it the keyring opens nothing");
    assert_eq!(mode(&other.path("data/secret.key")), 0o600);
    other.run_with_input(&RESET, "other meadow lantern\n").succeeded();
    other.run(&["backup", "restore"]).failed_with(&["not empty"]);
    other.run(&["backup", "restore", "--finish"]).failed_with(&["no restore to finish"]);
    assert!(other.serve().stop(), "it serves");
}

#[tokio::test]
async fn a_restore_that_was_interrupted_is_served_only_when_it_is_finished() {
    use sea_orm::ConnectionTrait;

    let (first, made) = backed_up();
    let other = another_machine(&first);
    let id = made[0]["id"].as_str().expect("an id");
    other.run(&["backup", "restore", id]).succeeded();
    let url = format!("sqlite://{}", other.path("data/mini-webinar.db").display());
    let database = sea_orm::Database::connect(url).await.expect("opens");
    database.execute_unprepared("UPDATE restore_run SET finished_at = NULL").await.expect("as after a crash");
    database.close().await.expect("closes");
    for words in [&["serve"][..], &["backup", "create"], &["jobs", "list"]] {
        other.run(words).failed_with(&["interrupted", "--finish"]);
    }
    other.run(&["backup", "restore", "--finish"]).succeeded();
    other.run(&["jobs", "list"]).succeeded();
}

#[test]
fn nothing_is_restored_under_a_running_server_or_with_another_key() {
    let (first, _) = backed_up();
    let other = another_machine(&first);
    let wrong = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let stranger = Installation::new()
        .with("MW_BACKUP_URL", format!("file://{}", first.path("data/backups").display()))
        .with("MW_BACKUP_KEY", wrong);
    for words in [&["backup", "restore"][..], &["backup", "verify"]] {
        stranger.run(words).failed_with(&["another key", "MW_BACKUP_KEY"]);
    }
    assert!(!stranger.path("data/mini-webinar.db").exists(), "nothing was made");

    let mixed = Installation::new()
        .with("MW_BACKUP_URL", format!("file://{}", first.path("data/backups").display()))
        .with("MW_BACKUP_KEY_FILE", first.path("data/backup.key").display().to_string())
        .with("MW_SECRET_KEY", wrong);
    mixed.run(&["backup", "restore"]).failed_with(&["MW_SECRET_KEY:", "another secret"]);

    let running = other.serve();
    running.installation.run(&["backup", "restore"]).failed_with(&["stop it"]);
    assert!(running.stop());
}

#[test]
fn a_backup_says_what_is_wrong_with_it() {
    let (first, made) = backed_up();
    let unknown = "0199b2c8-0000-7000-8000-000000000000";
    for words in [&["backup", "verify", unknown][..], &["backup", "restore", unknown]] {
        Installation::new().run(words).failed_with(&["no backup"]);
    }
    Installation::new().run(&["backup", "restore"]).failed_with(&["no backup"]);
    assert_eq!(Installation::new().run(&["backup", "list"]).succeeded(), "");
    let off = Installation::new().with("MW_BACKUP_URL", "off");
    for words in ["create", "list", "verify", "restore", "prune"] {
        off.run(&["backup", words]).failed_with(&["MW_BACKUP_URL:", "off"]);
    }
    assert!(off.run(&["config", "print"]).succeeded().contains("MW_BACKUP_URL=off"));

    let pruned = json(&first.run(&["backup", "prune", "--json"]).succeeded());
    assert_eq!(pruned, serde_json::json!({ "removed": [], "unused_objects": 0 }));
    let database = first.path(&format!("data/backups/{}/database", made[0]["name"].as_str().expect("a name")));
    let mut bytes = std::fs::read(&database).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&database, &bytes).expect("writes");
    first.run(&["backup", "verify"]).failed_with(&["changed or cut off"]);
    another_machine(&first).run(&["backup", "restore"]).failed_with(&["changed or cut off"]);
    let listed = std::fs::read_dir(first.path("data/work")).expect("lists").count();
    assert_eq!(listed, 0, "nothing readable is left behind");
}
