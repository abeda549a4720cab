//! Archives nobody honest would bring: each is refused in one sentence, and nothing is changed by it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use persistence::entities::coach;
use privacy::portability::manifest::{MANIFEST, SIGNATURE, Signature};
use privacy::receipt::Signer;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::each_database;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::check_archive;
use crate::Backend;
use crate::world::archives::{Files, another_database, unpacked};
use crate::world::{World, engine};

/// Writes files as a ZIP, media as it is.
fn packed(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(std::fs::File::create(path).expect("a file"));
    for (name, bytes) in files {
        let is_stored = name.starts_with("media/");
        let method = if is_stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).expect("begins");
        zip.write_all(bytes).expect("packs");
    }
    zip.finish().expect("ends");
}

/// The files with a manifest that fits them, signed by somebody.
fn signed(mut files: Files, change: impl FnOnce(&mut Value)) -> Files {
    let mut manifest: Value = serde_json::from_slice(&files[MANIFEST]).expect("JSON");
    let old: BTreeMap<String, Value> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| (file["path"].as_str().expect("a path").to_owned(), file.clone()))
        .collect();
    files.remove(MANIFEST);
    files.remove(SIGNATURE);
    let listed: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| {
            let mut entry = old
                .get(path)
                .cloned()
                .unwrap_or_else(|| json!({ "path": path, "rows": null, "schema": null, "classes": [] }));
            entry["bytes"] = bytes.len().into();
            entry["sha256"] = hex::encode(Sha256::digest(bytes)).into();
            if !entry["rows"].is_null() {
                entry["rows"] = bytes.iter().filter(|byte| **byte == b'\n').count().into();
            }
            entry
        })
        .collect();
    manifest["files"] = listed.into();
    change(&mut manifest);
    let text = serde_json::to_vec(&manifest).expect("is written");
    let signature = Signature::of(&Signer::from_seed(&[66; 32]), &text);
    files.insert(SIGNATURE.to_owned(), serde_json::to_vec(&signature).expect("is written"));
    files.insert(MANIFEST.to_owned(), text);
    files
}

fn list(files: Files) -> Vec<(String, Vec<u8>)> {
    files.into_iter().collect()
}

/// A file with one word exchanged.
fn exchanged(files: &Files, path: &str, from: &str, to: &str) -> Files {
    let text = String::from_utf8(files[path].clone()).expect("UTF-8");
    assert!(text.contains(from), "{from} is in {path}");
    let mut files = files.clone();
    files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
    files
}

struct Case {
    folder: TempDir,
    other: Backend,
}

impl Case {
    fn path(&self) -> PathBuf {
        self.folder.path().join("hostile.zip")
    }

    /// Refused with this in its sentence, by the check and by the import, and nothing is changed.
    async fn refuses(&self, what: &str, why: &str) {
        for checking in [true, false] {
            let told = match checking {
                true => check_archive(&self.path(), None).await.map(drop),
                false => self.other.import_archive(&self.path(), None).await.map(drop),
            };
            let error = told.expect_err(what);
            let refusal = error.refusal().unwrap_or_else(|| panic!("{what}: {error:?}"));
            assert!(refusal.message.contains(why) && !refusal.message.contains('\n'), "{what}: {}", refusal.message);
        }
        assert_eq!(coach::Entity::find().count(self.other.db().reader()).await.expect("counts"), 0, "{what}");
        assert!(self.other.bucket().list("coaches").await.expect("lists").is_empty(), "{what} left a file");
    }
}

#[tokio::test]
async fn every_trick_is_refused_in_one_sentence() {
    each_database("hostile", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let files = unpacked(&world.archive("honest.zip").await);
        let databases = TempDir::new().expect("a folder");
        let case = Case {
            other: engine(&another_database(&databases).await, &databases),
            folder: TempDir::new().expect("a folder"),
        };
        let write = |files: Files| packed(&case.path(), &list(files));
        let with = |path: &str, bytes: &[u8]| {
            let mut files = files.clone();
            files.insert(path.to_owned(), bytes.to_vec());
            files
        };

        // Not what the signature was made for.
        write(exchanged(&files, "data/webinars.jsonl", "Calm mornings", "Cool mornings"));
        case.refuses("another title", "is not the file the manifest was signed for").await;
        write(exchanged(&files, MANIFEST, "\"state\":\"ready\"", "\"state\":\"ready \""));
        case.refuses("another manifest", "changed after it was signed").await;
        write(with("data/more.jsonl", b"{}\n"));
        case.refuses("a stray file", "not in the manifest").await;
        let mut fewer = files.clone();
        fewer.remove("omissions.json");
        write(fewer);
        case.refuses("a missing file", "not in the archive").await;

        // Another form, or none.
        write(signed(files.clone(), |manifest| manifest["format"] = "mini-webinar-archive/2.0".into()));
        case.refuses("another major version", "mini-webinar-archive/2.0").await;
        std::fs::write(case.path(), b"PK\x03\x04 no archive").expect("written");
        case.refuses("rubbish", "no ZIP archive").await;
        let honest = std::fs::read(world.file("honest.zip")).expect("reads");
        std::fs::write(case.path(), &honest[..honest.len() / 2]).expect("written");
        case.refuses("half an archive", "no ZIP archive").await;

        // Names.
        for name in ["../outside.txt", "data/../../outside.txt", "/etc/cron.d/x", "data\\x", "C:x"] {
            write(signed(with(name, b"x"), |_| ()));
            case.refuses(name, "leads elsewhere").await;
        }
        write(signed(with("Data/Webinars.jsonl", b""), |_| ()));
        case.refuses("two names that are one elsewhere", "two files").await;
        let mut twice = list(files.clone());
        twice.push(("data/webinar~.jsonl".to_owned(), b"{}\n".to_vec()));
        packed(&case.path(), &twice);
        let mut bytes = std::fs::read(case.path()).expect("reads");
        while let Some(at) = bytes.windows(19).position(|part| part == b"data/webinar~.jsonl") {
            bytes[at..at + 19].copy_from_slice(b"data/webinars.jsonl");
        }
        std::fs::write(case.path(), bytes).expect("written");
        case.refuses("two of the same name", "two files of the same name").await;

        // Tables, columns, rows.
        write(signed(with("data/secrets.jsonl", b"{}\n"), |_| ()));
        case.refuses("a foreign table", "a table this program does not have").await;
        write(signed(exchanged(&files, "data/webinars.jsonl", "{\"accent\"", "{\"aaa\":1,\"accent\""), |_| ()));
        case.refuses("a foreign column", "no column of webinars").await;
        write(signed(exchanged(&files, "data/webinars.jsonl", "\"accent\":", "\"akcent\":"), |_| ()));
        case.refuses("a missing column", "column").await;
        write(signed(exchanged(&files, "data/videos.jsonl", "\"version\":1", "\"version\":\"one\""), |_| ()));
        case.refuses("another kind of value", "version should be a number").await;
        let webinars = String::from_utf8(files["data/webinars.jsonl"].clone()).expect("UTF-8");
        write(signed(with("data/webinars.jsonl", webinars.repeat(2).as_bytes()), |_| ()));
        case.refuses("a row twice", "its id was there before").await;
        let other = domain::ids::WebinarId::new().to_string();
        let mine = world.webinar.to_string();
        write(signed(exchanged(&files, "data/sessions.jsonl", &mine, &other), |_| ()));
        case.refuses("a row of somebody else's", "belongs to a webinar that is not in the archive").await;
        write(signed(files.clone(), |manifest| manifest["person"] = other.clone().into()));
        case.refuses("another person", "not of the one account").await;

        // Bombs.
        write(signed(with("data/webinars.jsonl", &vec![b' '; 30_000_000]), |_| ()));
        case.refuses("a bomb", "unpacks to more").await;
        let mut line = vec![b'"'; 9 * 1024 * 1024];
        line.extend((0..40_000_u32).flat_map(u32::to_le_bytes));
        write(signed(with("data/webinars.jsonl", &line), |_| ()));
        case.refuses("an endless row", "too long").await;

        // And the honest one is taken in.
        std::fs::write(case.path(), &honest).expect("written");
        let key = world.backend.receipt_signer().public_key();
        assert!(check_archive(&case.path(), Some(&Signer::from_seed(&[1; 32]).public_key())).await.is_err());
        case.other.import_archive(&case.path(), Some(&key)).await.expect("is taken in");
    })
    .await;
}

/// Rules of forms hold for what did not come through one. The check knows no rule of a form; taking in does.
#[tokio::test]
async fn what_no_form_takes_is_not_taken_in() {
    each_database("hostile forms", |test| async move {
        let (world, _) = World::lived_in(&test).await;
        let files = unpacked(&world.archive("honest.zip").await);
        let databases = TempDir::new().expect("a folder");
        let other = engine(&another_database(&databases).await, &databases);
        let path = databases.path().join("hostile.zip");
        let slug = format!("\"slug\":\"{}\"", world.slug);
        for (file, from, to) in [
            ("data/webinars.jsonl", "\"accent\":\"", "\"accent\":\"red}body{display:none"),
            ("data/webinars.jsonl", "\"embed_hosts\":\"[", "\"embed_hosts\":\"[\\\"'none'; script-src *\\\","),
            ("data/webinars.jsonl", slug.as_str(), "\"slug\":\"../admin\""),
            ("data/webinars.jsonl", "image/png", "text/html"),
            ("data/videos.jsonl", "video/mp4", "text/html"),
            ("data/people.jsonl", "tom@example.net", "nobody"),
        ] {
            packed(&path, &list(signed(exchanged(&files, file, from, to), |_| ())));
            let error = other.import_archive(&path, None).await.expect_err(to);
            assert!(error.refusal().is_some(), "{to}: {error:?}");
        }
        let logo = files.keys().find(|path| path.ends_with(".png")).expect("a logo").clone();
        let script = b"<script>alert(1)</script>".to_vec();
        let name = format!("media/{}.png", hex::encode(Sha256::digest(&script)));
        let mut changed = exchanged(&files, "data/webinars.jsonl", &logo, &name);
        changed.remove(&logo);
        changed.insert(name, script);
        packed(&path, &list(signed(changed, |_| ())));
        assert!(other.import_archive(&path, None).await.expect_err("no picture").refusal().is_some());
        assert_eq!(coach::Entity::find().count(other.db().reader()).await.expect("counts"), 0);
        assert!(other.bucket().list("coaches").await.expect("lists").is_empty());
    })
    .await;
}
