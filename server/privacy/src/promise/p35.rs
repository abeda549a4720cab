//! "California: know what is kept and why": the map as JSON answers, for every kind of data, what, whose, what for, from
//! where, who gets it and how long.

use serde_json::Value;

use crate::recipients::Recipients;
use crate::{DataMap, published};

fn words<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    let list = value[field].as_array().unwrap_or_else(|| panic!("{field} is no list in {value}"));
    list.iter().map(|word| word.as_str().expect("a word")).collect()
}

#[test]
fn every_kind_of_data_says_everything() {
    let map = published::json(DataMap::current(), Recipients::built_in());
    let text = map.to_string();
    let map: Value = serde_json::from_str(&text).expect("it is JSON");
    let keys = |field: &str| map[field].as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let (purposes, bases, retentions) = (keys("purposes"), keys("bases"), keys("retentions"));
    let recipients: Vec<&str> =
        map["recipients"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id")).collect();
    let kinds = map["kinds"].as_array().expect("a list");
    assert_eq!(kinds.len(), DataMap::current().classes.len());
    for kind in kinds {
        assert!(kind["title"].as_str().is_some_and(|title| !title.is_empty()), "{kind}");
        assert!(["given", "observed", "made"].contains(&kind["source"].as_str().expect("a source")), "{kind}");
        assert!(words(kind, "recipients").iter().all(|one| recipients.contains(one)), "{kind}");
        if words(kind, "about").is_empty() {
            continue;
        }
        for (field, known) in [("purposes", &purposes), ("bases", &bases), ("retentions", &retentions)] {
            let named = words(kind, field);
            assert!(!named.is_empty() && named.iter().all(|one| known.iter().any(|key| key == one)), "{field}: {kind}");
        }
        assert!(!words(kind, "recipients").is_empty(), "at least the host gets {kind}");
    }
    let places = map["places"].as_array().expect("a list");
    assert_eq!(places.len(), DataMap::current().places.len(), "nothing is left out");
}
