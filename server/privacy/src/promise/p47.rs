//! "Operated from France and Ukraine": both are named, and Ukraine, which has no adequacy decision, is covered by
//! clauses and a document.

use crate::DataMap;
use crate::recipients::{Mechanism, Recipients};

const TEXT: &str = include_str!("../../policy/recipients.toml");

fn faults(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    let text = TEXT.replacen(from, to, 1);
    Recipients::parse(&text, DataMap::current()).expect_err("is incomplete").to_string()
}

#[test]
fn both_places_are_named_and_covered() {
    let list = Recipients::built_in();
    let places: Vec<(&str, Mechanism)> =
        list.places.iter().map(|place| (place.country.as_str(), place.mechanism)).collect();
    assert_eq!(places, [("FR", Mechanism::Home), ("UA", Mechanism::Scc)]);
    assert!(list.places[1].document.is_some());
}

#[test]
fn ukraine_without_a_mechanism_or_a_document_is_refused() {
    let place = "name = \"Ukraine\"\nmechanism = \"scc\"";
    assert!(faults(place, "name = \"Ukraine\"").contains("missing field `mechanism`"));
    for weak in ["home", "eea"] {
        let fault = faults(place, &format!("name = \"Ukraine\"\nmechanism = \"{weak}\""));
        assert!(fault.contains("UA needs a mechanism that reaches it"), "{fault}");
    }
    let fault = faults("document = { title = \"Reaching", "# document = { title = \"Reaching");
    assert!(fault.contains("UA has no document"), "{fault}");
}
