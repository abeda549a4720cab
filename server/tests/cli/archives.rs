//! An account taken along from one installation to another, by the real binary.

use crate::installation::Installation;

const MAYA: &str = "maya@coach.example";
const PASSWORD: &str = "seven quiet otters\n";

#[test]
fn an_account_moves_from_one_installation_to_another() {
    let (from, to) = (Installation::new(), Installation::new());
    let words = ["account", "create", "--email", MAYA, "--name", "Maya Lindqvist"];
    from.run_with_input(&words, PASSWORD).succeeded();
    let file = from.path("maya.zip").display().to_string();
    let said = from.run(&["privacy", "export", "--coach", MAYA, "--out", &file]).succeeded();
    let key = said.trim().rsplit(' ').next().expect("the key").to_owned();

    // The check needs nothing of an installation.
    let nowhere = Installation::new();
    let checked = nowhere.run(&["import", &file, "--verify"]).succeeded();
    assert!(checked.contains(&key) && checked.contains("Fingerprint"), "{checked}");
    assert!(!nowhere.path("data").exists());
    nowhere.run(&["import", &file, "--verify", "--key", &key]).succeeded();
    nowhere.run(&["import", &file, "--verify", "--key", "AAAA"]).failed_with(&["another installation"]);
    let rubbish = nowhere.write("rubbish.zip", "no archive");
    nowhere.run(&["import", &rubbish, "--verify"]).failed_with(&["no ZIP archive"]);

    let taken = to.run(&["import", &file, "--key", &key]).succeeded();
    assert!(taken.contains(&format!("account reset-password --email {MAYA}")), "{taken}");
    to.run_with_input(&["account", "reset-password", "--email", MAYA], PASSWORD).succeeded();
    let again = to.run(&["import", &file]).succeeded();
    assert!(again.contains("0 new in account"), "{again}");
    from.run(&["privacy", "export", "--coach", "nobody@coach.example", "--out", &file])
        .failed_with(&["Nothing is held"]);
}
