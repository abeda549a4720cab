//! `mini-webinar import`: an account from another installation's archive, or a check of one.

use std::io::Write;
use std::path::Path;

use backend::rights::archive::check_archive;
use privacy::portability::read::Checked;

use super::Outcome;
use crate::config::Config;
use crate::state::open_backend;

pub(super) async fn import(config: &Config, file: &Path, verify: bool, key: Option<&str>) -> Outcome {
    if verify {
        let checked = check_archive(file, key).await?;
        say(&checked, key.is_some())?;
        println!("Everything in it is as it was signed.");
        return Ok(());
    }
    let backend = open_backend(config).await?;
    let imported = backend.import_archive(file, key).await;
    backend.close().await;
    let imported = imported?;
    say(&imported.checked, key.is_some())?;
    let mut out = std::io::stdout().lock();
    for (file, rows) in &imported.taken.rows {
        writeln!(out, "{rows:>10} new in {file}")?;
    }
    if imported.taken.erased > 0 {
        let (people, rows) = (imported.taken.erased, imported.taken.left_out);
        writeln!(out, "{people} people were erased here and stay away, with {rows} rows about them.")?;
    }
    writeln!(out, "Nothing was sent, and nobody can sign in yet. To give the account a password:")?;
    writeln!(out, "  mini-webinar account reset-password --email {}", imported.taken.email)?;
    Ok(())
}

fn say(checked: &Checked, is_expected: bool) -> Result<(), std::io::Error> {
    let manifest = &checked.manifest;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Archive {} of a {}, made at {}", manifest.archive, manifest.kind, manifest.snapshot_at)?;
    writeln!(out, "{} files, {} rows, {}", manifest.files.len(), checked.rows, manifest.state)?;
    writeln!(out, "Signed with the key {}", checked.key)?;
    if !is_expected {
        writeln!(out, "Fingerprint {}: compare it with what the other installation shows.", checked.fingerprint)?;
    }
    Ok(())
}
