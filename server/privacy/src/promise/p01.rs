//! "Last updated", and the date moves with every change: a published text cannot be changed, only followed by another
//! with a newer date; every sentence says what it promises.

use sha2::{Digest, Sha256};

use crate::DataMap;
use crate::policy::{Version, Versions};
use crate::promises::ids;

const FILE: &str = include_str!("../../policy/2026-11-26.md");

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[test]
fn a_changed_word_fails_until_the_date_moves() {
    let published = digest(FILE);
    assert!(Versions::parse(&[(FILE, &published)]).is_ok());
    let edited = FILE.replacen("We never sell data", "We seldom sell data", 1);
    assert_ne!(edited, FILE);
    let fault = Versions::parse(&[(&edited, &published)]).expect_err("it was changed").fault;
    assert!(fault.contains("changed after it was published"), "{fault}");
    // Writing the new digest down is not enough beside the old version: its day is taken.
    let fault = Versions::parse(&[(FILE, &published), (&edited, &digest(&edited))]).expect_err("the same day").fault;
    assert!(fault.contains("not newer"), "{fault}");
    let moved = edited.replacen("version: 2026-11-26", "version: 2026-12-01", 1).replacen(
        "effective: 2026-11-26",
        "effective: 2027-01-01",
        1,
    );
    let versions = Versions::parse(&[(FILE, &published), (&moved, &digest(&moved))]).expect("the date moved");
    assert_eq!(versions.current(domain::Moment(i64::MAX)).name, "2026-12-01");
}

#[test]
fn the_policy_names_every_class_and_every_promise_and_no_sentence_is_without_one() {
    let now = domain::Moment(i64::MAX);
    let faults = Versions::of_the_policy().current(now).faults(DataMap::current(), &ids());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_class_left_out_and_a_sentence_without_a_promise_are_named() {
    let faults = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        Version::parse(&FILE.replacen(from, to, 1)).expect("reads").faults(DataMap::current(), &ids())
    };
    assert_eq!(faults("{suppression}", "such a mark"), ["the class suppression is not named"]);
    assert_eq!(
        faults("Registering and watching set none. [P15]", "Registering and watching set none."),
        ["this sentence names no promise: Registering and watching set none."]
    );
    let unknown = faults("[P37]", "[P54]");
    assert!(unknown.iter().any(|fault| fault.starts_with("there is no promise P54")), "{unknown:?}");
    assert!(unknown.contains(&"no sentence makes promise P37".to_owned()), "{unknown:?}");
}
