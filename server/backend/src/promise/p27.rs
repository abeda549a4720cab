//! "Export in a standard format": three programs that are not ours open the archive, every JSON fits its public schema,
//! the checksums are right, and no cell is a formula.

use std::path::Path;
use std::process::Command;

use domain::rights::SubjectState;
use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::each_database;

use crate::world::World;
use crate::world::archives::{FORMULA, Files, rows, unpacked};

/// Programs that read ZIP archives, each with what makes it read all of one.
const READERS: [(&str, &[&str]); 5] = [
    ("unzip", &["-tq"]),
    ("python3", &["-m", "zipfile", "-t"]),
    ("bsdtar", &["-tvf"]),
    ("7z", &["t"]),
    ("jar", &["tf"]),
];

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what this machine has to have")]
fn is_complete_machine() -> bool {
    std::env::var("MW_REQUIRE_POSTGRES").is_ok_and(|value| !value.is_empty())
}

/// How many foreign programs read an archive to its end.
fn foreign_readers(path: &Path) -> usize {
    let mut read = 0;
    for (program, words) in READERS {
        let Ok(output) = Command::new(program).args(words).arg(path).output() else {
            println!("{program} is not on this machine");
            continue;
        };
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        // Python says it in words and not in its exit.
        assert!(
            output.status.success() && !told.contains("The following enclosed file is corrupted"),
            "{program}: {told}"
        );
        read += 1;
    }
    read
}

fn json(files: &Files, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn fits(schema: &Value, value: &Value, what: &str) {
    let validator = jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{what}: {error}"));
    let faults: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{what}: {faults:?}");
}

/// Every file against the manifest, and every JSON against its schema.
fn is_in_order(files: &Files) {
    let manifest = json(files, "manifest.json");
    fits(&json(files, "schemas/archive.manifest.json"), &manifest, "manifest.json");
    let listed = manifest["files"].as_array().expect("files");
    assert_eq!(listed.len() + 2, files.len(), "every file but the manifest and its signature");
    for file in listed {
        let path = file["path"].as_str().expect("a path");
        let bytes = &files[path];
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(bytes)), "{path}");
        assert_eq!(file["bytes"], bytes.len(), "{path}");
        let Some(schema) = file["schema"].as_str() else { continue };
        let schema = json(files, schema);
        if path.starts_with("data/") || path.starts_with("access/records/") {
            let rows = rows(files, path);
            assert_eq!(file["rows"], rows.len(), "{path}");
            rows.iter().for_each(|row| fits(&schema, row, path));
        } else {
            fits(&schema, &json(files, path), path);
        }
    }
    for path in files.keys().filter(|path| path.starts_with("data/")) {
        assert!(listed.iter().any(|file| file["path"] == **path && file["schema"].is_string()), "{path} has no schema");
    }
}

#[tokio::test]
async fn foreign_programs_and_schemas_agree() {
    each_database("p27", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        let file = world.archive("all.zip").await;
        let readers = foreign_readers(&file);
        assert!(readers >= 3 || !is_complete_machine(), "only {readers} foreign programs are here");
        is_in_order(&unpacked(&file));

        let file = world.file("viewer.zip");
        let coach = Some(crate::world::archives::COACH);
        world.backend.archive_to_file("tom@example.net", coach, &file).await.expect("an archive");
        foreign_readers(&file);
        let files = unpacked(&file);
        is_in_order(&files);
        assert_eq!(rows(&files, "data/people.jsonl")[0]["email"], "tom@example.net");
        assert_eq!(rows(&files, "data/events-0001.jsonl").len(), 3);
        assert_eq!(rows(&files, "access/records/webinars.jsonl")[0]["title"], "Calm mornings");
        let all: String = files.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        for other in ["zoe@example.net", "uma@example.net", &guests[1].subject.to_string()] {
            assert!(!all.contains(other), "{other} is somebody else");
        }
    })
    .await;
}

#[tokio::test]
async fn spreadsheets_run_nothing_and_the_twin_is_lossless() {
    each_database("p27 csv", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let files = unpacked(&world.archive("all.zip").await);
        let sheet = String::from_utf8(files["csv/registrations.csv"].clone()).expect("UTF-8");
        let mut reader = csv::ReaderBuilder::new().from_reader(sheet.trim_start_matches('\u{feff}').as_bytes());
        let headings = reader.headers().expect("headings").clone();
        let place = |name: &str| headings.iter().position(|one| one == name).unwrap_or_else(|| panic!("no {name}"));
        let (email, first_name, company) = (place("email"), place("first_name"), place("company"));
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("RFC 4180");
        assert_eq!(records.len(), 3);
        for record in &records {
            assert!(!record.iter().any(|cell| cell.starts_with(['=', '+', '@', '\t', '\r'])), "{record:?}");
            assert_eq!(&record[company], "Ærø & Søn");
        }
        let tom = records.iter().find(|record| &record[email] == "tom@example.net").expect("there");
        assert_eq!(&tom[first_name], format!("'{FORMULA}"));
        let lossless = rows(&files, "data/registrations.jsonl");
        assert!(lossless.iter().any(|row| row["answers"]["first_name"] == FORMULA));
        let events = String::from_utf8(files["csv/events.csv"].clone()).expect("UTF-8");
        assert_eq!(events.lines().count(), 1 + rows(&files, "data/events-0001.jsonl").len());
    })
    .await;
}

/// A person who asked for rest is in no bulk copy; that somebody is left out is said, not who.
#[tokio::test]
async fn people_who_rest_are_left_out_and_that_is_said() {
    each_database("p27 resting", |test| async move {
        let (world, guests) = World::lived_in(&test).await;
        world.set_person(guests[2].subject, SubjectState::Restricted).await.expect("moves");
        let files = unpacked(&world.archive("all.zip").await);
        assert_eq!(rows(&files, "data/people.jsonl").len(), 2);
        assert_eq!(rows(&files, "data/registrations.jsonl").len(), 2);
        let omissions = json(&files, "omissions.json");
        assert_eq!(
            (&omissions["is_complete"], omissions["left_out"][0]["what"][0].as_str()),
            (&true.into(), Some("1 people"))
        );
        for (path, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("uma@example.net") && !text.contains(&guests[2].subject.to_string()), "{path}");
        }
        // Nothing missing is said as well.
        assert_eq!(omissions["missing"], serde_json::json!([]));
        assert!(!omissions["never_given"].as_array().expect("a list").is_empty());
    })
    .await;
}
