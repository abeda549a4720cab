//! "Provide, improve, communicate, process payments": a closed list, and every place personal data can sit names its
//! purposes from it.

use crate::DataMap;

#[test]
fn there_are_four_purposes_and_every_place_serves_some_of_them() {
    let map = DataMap::current();
    let purposes: Vec<&str> = map.purposes.keys().map(String::as_str).collect();
    assert_eq!(purposes, ["communicate", "improve", "pay", "provide"]);
    let personal: Vec<_> = map.places.iter().filter(|place| place.is_personal()).collect();
    assert!(personal.len() > 150, "only {} places", personal.len());
    for place in personal {
        assert!(!place.purposes.is_empty(), "{} serves nothing", place.location);
        assert!(place.purposes.iter().all(|purpose| map.purposes.contains_key(purpose)), "{}", place.location);
        assert!(place.basis.is_some(), "{} has no basis", place.location);
    }
}

#[test]
fn a_fifth_purpose_cannot_be_named() {
    let text = include_str!("../../datamap.toml");
    let with_sale = text.replacen("purpose = [\"communicate\"]", "purpose = [\"advertise\"]", 1);
    assert_ne!(text, with_sale);
    let error = DataMap::parse(&with_sale).expect_err("there is no such purpose").to_string();
    assert!(error.contains("advertise, which does not exist"), "{error}");
}
