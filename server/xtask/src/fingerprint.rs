//! Fingerprints of inputs, so that work whose inputs did not change is skipped, and of outputs, for their names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Outcome;

/// Characters of a content hash in a file name: 64 bits, far more than a site has files.
const NAME_CHARS: usize = 16;

/// The part of a file name that stands for its content.
pub fn of_content(bytes: &[u8]) -> String {
    let mut text = hex::encode(Sha256::digest(bytes));
    text.truncate(NAME_CHARS);
    text
}

/// One fingerprint over files and folders (with their names) and a few words that steer the work.
pub fn of_inputs(root: &Path, inputs: &[&str], words: &[&str]) -> Outcome<String> {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_le_bytes());
        hasher.update(word.as_bytes());
    }
    let mut files = BTreeSet::new();
    for input in inputs {
        collect(&root.join(input), &mut files)?;
    }
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = std::fs::read(&file)?;
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    Ok(hex::encode(hasher.finalize()))
}

/// Every file below a path; a path that does not exist has none.
pub fn files_below(path: &Path) -> Outcome<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    collect(path, &mut files)?;
    Ok(files)
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Outcome<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.insert(path.to_owned());
    }
    Ok(())
}
