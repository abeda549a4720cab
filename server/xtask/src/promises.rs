//! The ledger of promises: which tests of `promise::pNN` a run found green, for the page `/privacy/promises`.
//!
//! It is made from what the runner wrote, never by hand, and it replaces the one before it: a test that is gone is gone
//! from the page as well.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Serialize;

use crate::Outcome;
use crate::places::{Places, capture};
use crate::site::write_whole;

/// Name of the file in the site's folder; the server shows it and serves it to nobody as it is.
pub const LEDGER: &str = "promises.json";
/// The form the server reads.
const FORMAT: &str = "mini-webinar-promises/1";

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Tested {
    name: String,
    passed: bool,
}

#[derive(Serialize)]
struct Ledger {
    format: &'static str,
    ran_at: String,
    commit: String,
    has_changes: bool,
    tests: BTreeMap<String, Vec<Tested>>,
}

/// Reads the results of one run and writes the ledger into the site's folder.
pub fn write(places: &Places, results: &[&str]) -> Outcome<()> {
    let mut ran_at = None;
    let mut tested = Vec::new();
    for path in results {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let (at, found) = if text.trim_start().starts_with('<') {
            junit(&text)?
        } else {
            (Some(modified(Path::new(path))?), libtest(&text))
        };
        ran_at = ran_at.or(at);
        tested.extend(found);
    }
    let git = |words: &[&str]| capture(Command::new("git").args(words).current_dir(&places.root));
    let commit = git(&["rev-parse", "HEAD"]).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    let has_changes = git(&["status", "--porcelain"]).is_ok_and(|text| !text.trim().is_empty());
    let ran_at = ran_at.ok_or("the results do not say when the tests ran")?;
    let ledger = Ledger { format: FORMAT, ran_at, commit, has_changes, tests: by_module(tested) };
    let (modules, failed) = (ledger.tests.len(), ledger.tests.values().flatten().filter(|test| !test.passed).count());
    write_whole(&places.site.join(LEDGER), &serde_json::to_vec_pretty(&ledger)?)?;
    println!("promises: tests of {modules} written down, {failed} of them failed");
    Ok(())
}

/// The module of a test's name: `p31` of `promise::p31::nothing_is_sent`.
fn module_of(test: &str) -> Option<&str> {
    let (before, rest) = test.split_once("promise::")?;
    let is_whole = before.is_empty() || before.ends_with("::") || before.ends_with(' ');
    rest.split_once("::").map(|(module, _)| module).filter(|_| is_whole)
}

fn by_module(tested: Vec<Tested>) -> BTreeMap<String, Vec<Tested>> {
    let mut modules: BTreeMap<String, Vec<Tested>> = BTreeMap::new();
    for test in tested {
        if let Some(module) = module_of(&test.name) {
            modules.entry(module.to_owned()).or_default().push(test);
        }
    }
    for tests in modules.values_mut() {
        tests.sort_by(|one, two| one.name.cmp(&two.name));
    }
    modules
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok().flatten()?;
    String::from_utf8(found.value.into_owned()).ok()
}

/// JUnit XML as nextest writes it: when the run began, and every test. One that is skipped says nothing.
fn junit(text: &str) -> Outcome<(Option<String>, Vec<Tested>)> {
    let mut reader = Reader::from_str(text);
    let mut ran_at = None;
    let mut tested: Vec<Tested> = Vec::new();
    let mut is_skipped = false;
    loop {
        let event = reader.read_event().map_err(|error| format!("the results are no JUnit XML: {error}"))?;
        let element = match &event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::End(element) if element.name().as_ref() == b"testcase" => {
                if is_skipped {
                    tested.pop();
                }
                continue;
            }
            Event::Eof => return Ok((ran_at, tested)),
            _ => continue,
        };
        match element.name().as_ref() {
            b"testsuites" | b"testsuite" => ran_at = ran_at.or_else(|| attribute(element, "timestamp")),
            b"testcase" => {
                is_skipped = false;
                let name = attribute(element, "name").ok_or("a test case has no name")?;
                let suite = attribute(element, "classname").unwrap_or_default();
                tested.push(Tested { name: format!("{suite} {name}"), passed: true });
            }
            b"failure" | b"error" => {
                if let Some(test) = tested.last_mut() {
                    test.passed = false;
                }
            }
            b"skipped" => is_skipped = true,
            _ => {}
        }
    }
}

/// The text of `cargo test`: `test promise::p31::nothing_is_sent ... ok`.
fn libtest(text: &str) -> Vec<Tested> {
    let line = |line: &str| {
        let (name, outcome) = line.trim().strip_prefix("test ")?.rsplit_once(" ... ")?;
        match outcome {
            "ok" => Some(Tested { name: name.to_owned(), passed: true }),
            "FAILED" => Some(Tested { name: name.to_owned(), passed: false }),
            _ => None,
        }
    };
    text.lines().filter_map(line).collect()
}

/// When a file was written, in UTC.
fn modified(path: &Path) -> Outcome<String> {
    let seconds = std::fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH)?.as_secs();
    capture(Command::new("date").args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]))
        .map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0" timestamp="2026-11-26T07:00:00.000+00:00" time="3.2">
  <testsuite name="backend" tests="4">
    <testcase name="promise::p31::nothing_is_sent" classname="backend" timestamp="x" time="0.1"></testcase>
    <testcase name="promise::p45::in_time" classname="backend" time="0.1">
      <failure message="thread &apos;x&apos; panicked" type="test failure">promise::p99::no_test</failure>
    </testcase>
    <testcase name="promise::p46::later" classname="backend"><skipped/></testcase>
    <testcase name="rights::other" classname="backend"/>
  </testsuite>
</testsuites>"#;

    fn states(tests: &BTreeMap<String, Vec<Tested>>) -> Vec<(&str, bool)> {
        tests.iter().map(|(module, tests)| (module.as_str(), tests.iter().all(|test| test.passed))).collect()
    }

    #[test]
    fn nextests_report_is_read_test_by_test() {
        let (ran_at, tested) = junit(JUNIT).expect("reads");
        assert_eq!(ran_at.as_deref(), Some("2026-11-26T07:00:00.000+00:00"));
        let modules = by_module(tested);
        assert_eq!(states(&modules), [("p31", true), ("p45", false)]);
        assert_eq!(modules["p31"][0].name, "backend promise::p31::nothing_is_sent");
        assert!(junit("<testsuites><testcase").is_err());
    }

    #[test]
    fn the_text_of_cargo_test_is_read_as_well() {
        let text = "running 3 tests\ntest promise::p31::a ... ok\ntest promise::p45::b ... FAILED\n\
                    test promise::p46::c ... ignored\ntest compromise::p01::x ... ok\n\ntest result: FAILED. 1 passed\n";
        assert_eq!(states(&by_module(libtest(text))), [("p31", true), ("p45", false)]);
    }
}
