//! "Other regions, with the safeguards that needs": everybody in use has a region, a mechanism that reaches it, and a
//! document with its digest and day.

use crate::DataMap;
use crate::recipients::{Category, Recipients, State};

const TEXT: &str = include_str!("../../policy/recipients.toml");

#[test]
fn everybody_in_use_has_region_mechanism_document_and_day() {
    let list = Recipients::built_in();
    let in_use = list.recipients.iter().filter(|one| one.state == State::InUse && one.category != Category::Authority);
    let mut seen = 0;
    for recipient in in_use {
        let document = recipient.document.as_ref().unwrap_or_else(|| panic!("{} has no document", recipient.id));
        assert_eq!(document.sha256.len(), 64, "{}", recipient.id);
        assert!(!document.date.is_empty() && !recipient.countries.is_empty(), "{}", recipient.id);
        seen += 1;
    }
    assert!(seen >= 2, "hosting and mail are in use");
}

#[test]
fn what_is_missing_is_named() {
    let faults = |from: &str, to: &str| {
        assert!(TEXT.contains(from), "{from}");
        let text = TEXT.replacen(from, to, 1);
        Recipients::parse(&text, DataMap::current()).expect_err("is incomplete").to_string()
    };
    let hosting = "countries = [\"FR\"]\nmechanism = \"home\"\nhosts = []\ndocument";
    let abroad = "countries = [\"FR\", \"US\"]\nmechanism = \"home\"\nhosts = []\ndocument";
    assert!(faults(hosting, abroad).contains("hosting is in US and needs a mechanism"));
    let nowhere = "countries = []\nmechanism = \"home\"\nhosts = []\ndocument";
    assert!(faults(hosting, nowhere).contains("hosting names no country"));
    let unsigned = "countries = [\"FR\"]\nmechanism = \"home\"\nhosts = []\n#";
    assert!(faults(hosting, unsigned).contains("hosting is in use without a document"));
    assert!(faults("file = \"hosting.md\", sha256 = \"d", "file = \"hosting.md\", sha256 = \"e").contains("digest"));
    // Whoever is planned becomes real only with a document.
    let stripe = "category = \"payment\"\nstate = \"planned\"";
    let real = "category = \"payment\"\nstate = \"in_use\"";
    assert!(faults(stripe, real).contains("stripe is in use without a document"));
    assert!(faults("classes = [\"name\", \"email\"]", "classes = [\"card\"]").contains("card, which is no class"));
}
