//! The promises of the policy and what the tests found of each: the ledger behind `/privacy/promises`.
//!
//! A promise is kept when its tests ran and all passed, and nothing else makes it so: without a test, without a run, or
//! while something it needs does not exist, it is red and says why (promises.md, decision 10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

const TEXT: &str = include_str!("../policy/promises.toml");
/// Form of a ledger this code reads.
pub const FORMAT: &str = "mini-webinar-promises/1";

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// `P01` to `P53`.
    pub id: String,
    /// What it says, in a sentence.
    pub says: String,
    /// Its tests are those of the modules `promise::<tests>`, in any crate.
    pub tests: String,
    /// What has to exist before it can be kept.
    pub waits_for: Option<String>,
    /// What the people who run an installation have to keep up.
    pub needs: Option<Upkeep>,
}

/// What no program can do, only the people who run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upkeep {
    /// A review of how the service is secured is on record, and the next one is not overdue (promise P43).
    SecurityReview,
}

impl Upkeep {
    /// What is missing, for people.
    #[must_use]
    pub const fn lack(self) -> &'static str {
        match self {
            Self::SecurityReview => "no security review of the last half year is on record in this installation",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    promise: Vec<Promise>,
}

/// Every promise.
///
/// # Panics
/// When the list is broken; the tests keep such a one from being released.
#[must_use]
pub fn promises() -> &'static [Promise] {
    static PROMISES: LazyLock<Vec<Promise>> = LazyLock::new(|| {
        let file: File = toml::from_str(TEXT).expect("the tests keep a broken list from being released");
        file.promise
    });
    &PROMISES
}

/// The ids of all promises.
#[must_use]
pub fn ids() -> BTreeSet<&'static str> {
    promises().iter().map(|promise| promise.id.as_str()).collect()
}

/// The name of the module a test's full name says it belongs to: `p31` of `promise::p31::a_restricted_person…`.
#[must_use]
pub fn module_of(test: &str) -> Option<&str> {
    let (before, rest) = test.split_once("promise::")?;
    let is_whole = before.is_empty() || before.ends_with("::");
    rest.split_once("::").map(|(module, _)| module).filter(|_| is_whole)
}

/// One test of the last run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tested {
    /// Its full name, the crate's in front.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
}

/// What one run of the tests found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// [`FORMAT`].
    pub format: String,
    /// When the tests ran, RFC 3339.
    pub ran_at: String,
    /// The commit they ran on.
    pub commit: String,
    /// Whether files differed from that commit.
    pub has_changes: bool,
    /// Tests by their module.
    pub tests: BTreeMap<String, Vec<Tested>>,
}

impl Ledger {
    /// Reads a ledger.
    ///
    /// # Errors
    /// When it is no ledger of this form.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let ledger: Self = serde_json::from_slice(bytes)?;
        if ledger.format == FORMAT {
            Ok(ledger)
        } else {
            Err(serde::de::Error::custom(format!("the form {} is not {FORMAT}", ledger.format)))
        }
    }
}

/// Whether a promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its tests ran and passed.
    Kept,
    /// A test of it failed.
    NotKept,
    /// It cannot be kept yet, or nothing tests it.
    NotBuiltYet,
    /// No run of the tests is recorded in this build.
    NotChecked,
}

impl State {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NotKept => "not kept",
            Self::NotBuiltYet => "not built yet",
            Self::NotChecked => "not checked",
        }
    }
}

/// A promise and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its id.
    pub id: &'static str,
    /// What it says.
    pub says: &'static str,
    /// What to run to see for oneself.
    pub test_id: String,
    /// Whether it is kept.
    pub state: State,
    /// Why not, in words.
    pub reason: Option<String>,
    /// Its tests in the last run.
    pub tests: Vec<Tested>,
}

/// Where every promise stands, by the last run of the tests and by what this installation keeps up.
#[must_use]
pub fn standings(ledger: Option<&Ledger>, kept_up: &[Upkeep]) -> Vec<Standing> {
    promises().iter().map(|promise| standing(promise, ledger, kept_up)).collect()
}

fn standing(promise: &'static Promise, ledger: Option<&Ledger>, kept_up: &[Upkeep]) -> Standing {
    let tests = ledger.and_then(|ledger| ledger.tests.get(&promise.tests)).cloned().unwrap_or_default();
    let failed: Vec<&str> = tests.iter().filter(|test| !test.passed).map(|test| test.name.as_str()).collect();
    let (state, reason) = if !failed.is_empty() {
        (State::NotKept, Some(format!("failed: {}", failed.join(", "))))
    } else if let Some(what) = &promise.waits_for {
        (State::NotBuiltYet, Some(format!("waits for {what}")))
    } else if let Some(upkeep) = promise.needs.filter(|upkeep| !kept_up.contains(upkeep)) {
        (State::NotKept, Some(upkeep.lack().to_owned()))
    } else if ledger.is_none() {
        (State::NotChecked, Some("no run of the tests is recorded in this build".to_owned()))
    } else if tests.is_empty() {
        (State::NotBuiltYet, Some("nothing tests it yet".to_owned()))
    } else {
        (State::Kept, None)
    };
    Standing {
        id: &promise.id,
        says: &promise.says,
        test_id: format!("promise::{}", promise.tests),
        state,
        reason,
        tests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(tests: &[(&str, &str, bool)]) -> Ledger {
        let mut found = Ledger { format: FORMAT.to_owned(), ..Ledger::default() };
        for (module, name, passed) in tests {
            let tested = Tested { name: (*name).to_owned(), passed: *passed };
            found.tests.entry((*module).to_owned()).or_default().push(tested);
        }
        found
    }

    fn state(ledger: Option<&Ledger>, id: &str) -> State {
        standings(ledger, &[]).into_iter().find(|standing| standing.id == id).expect("a promise").state
    }

    #[test]
    fn there_are_fifty_three_in_order() {
        let expected: Vec<String> = (1..=53).map(|number| format!("P{number:02}")).collect();
        let found: Vec<&str> = promises().iter().map(|promise| promise.id.as_str()).collect();
        assert_eq!(found, expected);
        assert!(promises().iter().all(|promise| promise.tests.starts_with('p') && promise.tests.len() == 3));
    }

    #[test]
    fn only_a_passed_test_makes_a_promise_kept() {
        let green = ledger(&[("p31", "a", true), ("p01", "b", true), ("p05", "c", true)]);
        assert_eq!(state(Some(&green), "P31"), State::Kept);
        assert_eq!(state(Some(&green), "P52"), State::Kept, "the test of P01 is its own, too");
        assert_eq!(state(Some(&green), "P32"), State::NotBuiltYet, "no test");
        assert_eq!(state(Some(&green), "P05"), State::NotBuiltYet, "what it waits for does not exist");
        assert_eq!(state(None, "P31"), State::NotChecked);
        let red = ledger(&[("p31", "a", true), ("p31", "d", false), ("p05", "c", false)]);
        assert_eq!((state(Some(&red), "P31"), state(Some(&red), "P05")), (State::NotKept, State::NotKept));
    }

    #[test]
    fn what_people_have_to_keep_up_turns_red_when_they_do_not() {
        let green = ledger(&[("p43", "a", true)]);
        let state = |kept_up: &[Upkeep]| {
            standings(Some(&green), kept_up).into_iter().find(|standing| standing.id == "P43").expect("there").state
        };
        assert_eq!((state(&[]), state(&[Upkeep::SecurityReview])), (State::NotKept, State::Kept));
    }

    #[test]
    fn a_test_names_its_promise() {
        assert_eq!(module_of("promise::p31::nothing_is_sent"), Some("p31"));
        assert_eq!(module_of("inner::promise::p31::nothing_is_sent"), Some("p31"));
        for other in ["compromise::p31::x", "promise::p31", "p31::x"] {
            assert_eq!(module_of(other), None, "{other}");
        }
    }

    #[test]
    fn another_form_is_no_ledger() {
        let stranger = Ledger { format: "mini-webinar-promises/2".to_owned(), ..Ledger::default() };
        let bytes = serde_json::to_vec(&stranger).expect("writes");
        assert!(Ledger::parse(&bytes).is_err());
        let bytes = serde_json::to_vec(&ledger(&[("p31", "a", true)])).expect("writes");
        assert_eq!(Ledger::parse(&bytes).expect("reads").tests.len(), 1);
    }
}
