//! Messages to the operators from the command line: nothing waits, and what is not there is said in one line.

use crate::installation::Installation;

const NOBODY: &str = "0199a0b2-0000-7000-8000-000000000000";

#[test]
fn an_installation_nobody_wrote_to_has_no_messages() {
    let installation = Installation::new();
    assert_eq!(installation.run(&["privacy", "messages"]).succeeded(), "");
    assert_eq!(installation.run(&["privacy", "messages", "--json"]).succeeded().trim(), "[]");
    installation.run(&["privacy", "message", NOBODY]).failed_with(&["no open message"]);
    installation.run_with_input(&["privacy", "answer", NOBODY], "Sorry.").failed_with(&["no open message"]);
    installation.run(&["privacy", "purge-child", "--email", "kid@example.net"]).failed_with(&["Nothing is held"]);
    installation.run(&["privacy", "keep", NOBODY]).failed_with(&["nothing at this address"]);
    installation.run(&["privacy", "message", "seven"]).failed_with(&["'seven'"]);
}

#[test]
fn a_list_of_recipients_that_is_incomplete_stops_the_start() {
    let installation = Installation::new();
    let list = installation.write("recipients.toml", "published = \"2026-11-26\"\n");
    installation.with("MW_RECIPIENTS", list).run(&["config", "print"]).failed_with(&["MW_RECIPIENTS:"]);
    let installation = Installation::new().with("MW_RECIPIENTS", "nowhere.toml");
    installation.run(&["config", "print"]).failed_with(&["MW_RECIPIENTS: cannot read nowhere.toml"]);
    let printed = Installation::new().run(&["config", "print"]).succeeded();
    assert!(printed.contains("MW_RECIPIENTS"), "{printed}");
}
