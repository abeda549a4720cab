//! "Provide, improve, communicate, process payments": a closed list, and every place personal data can sit names its
//! purposes from it.

use domain::processing::ProcessingPurpose;
use persistence::Error;
use persistence::sealed::{Place, SubjectKey};

use crate::DataMap;
use crate::map::{Form, Location};

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

#[test]
fn what_names_a_person_is_opened_only_for_what_the_map_says() {
    let map = DataMap::current();
    let known: Vec<&str> = ProcessingPurpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
    assert_eq!(known.len(), map.purposes.len());
    assert!(known.iter().all(|purpose| map.purposes.contains_key(*purpose)));
    let key = SubjectKey::from_bytes([7; 32]);
    let mut opened_places = 0;
    for entry in map.places.iter().filter(|place| place.form == Form::Sealed && place.is_personal()) {
        // A backup is sealed as a whole, and opened by whoever restores it.
        let Location::Column { table, column, .. } = &entry.location else { continue };
        let place = Place::of_column(table, column).unwrap_or_else(|| panic!("{} is nowhere opened", entry.location));
        opened_places += 1;
        let value = key.seal(place, &[1; 16], b"tom");
        for purpose in ProcessingPurpose::ALL {
            let opened = key.open(purpose, place, &[1; 16], &value);
            let is_kept_for_it = entry.purposes.iter().any(|one| one == purpose.as_str());
            assert_eq!(opened.is_ok(), is_kept_for_it, "{} to {}", entry.location, purpose.as_str());
            assert!(is_kept_for_it || matches!(opened, Err(Error::Purpose { .. })));
        }
    }
    assert_eq!(opened_places, Place::COLUMNS.len());
}
