//! What a ZIP says of itself, before anything of it is unpacked.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};

use zip::{CompressionMethod, ZipArchive};

use super::Error;

/// One file that is not media, unpacked.
const FILE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// How much larger than packed a file can be: rows of ours pack to a tenth, and deflating can do 1032.
const MOST_RATIO: u64 = 500;
/// Longest name.
const NAME_CHARS: usize = 200;

/// A name that stays where the archive is: lower folders, plain letters, no way up or out.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    name.len() <= NAME_CHARS && name.split('/').all(part)
}

/// Every entry's name and size, before anything is unpacked.
pub(super) fn names(zip: &mut ZipArchive<BufReader<File>>) -> Result<BTreeMap<String, u64>, Error> {
    let mut sizes = BTreeMap::new();
    let mut folded = HashSet::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index)?;
        let name = entry.name().map_err(|_| Error::refused("the archive has a file without a name"))?.into_owned();
        let shown = name.escape_debug().to_string();
        if !is_plain(&name) {
            return Err(Error::refused(format!("the archive has a file whose name leads elsewhere: {shown}")));
        }
        // Two names that are one on another system.
        if !folded.insert(name.to_lowercase()) {
            return Err(Error::refused(format!("the archive has two files of the name {shown}")));
        }
        let is_known = matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated);
        if !is_known || entry.encrypted() || entry.is_dir() || entry.is_symlink() {
            return Err(Error::refused(format!("{shown} is packed in a way an archive of ours is not")));
        }
        let (packed, size) = (entry.compressed_size(), entry.size());
        let is_media = name.starts_with("media/");
        let is_bomb = size > packed.saturating_mul(MOST_RATIO).saturating_add(4096)
            || (is_media && (entry.compression() != CompressionMethod::Stored || size != packed))
            || (!is_media && size > FILE_BYTES);
        if is_bomb {
            return Err(Error::refused(format!("{shown} unpacks to more than it can hold")));
        }
        sizes.insert(name, size);
    }
    Ok(sizes)
}

pub(super) fn whole(zip: &mut ZipArchive<BufReader<File>>, name: &str, most: u64) -> Result<Vec<u8>, Error> {
    let missing = |_| Error::refused(format!("the archive has no {name}"));
    let file = zip.by_name(name).map_err(missing)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::refused(format!("{name} is too large")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_seen() {
        for plain in ["README.html", "data/events-0001.jsonl", "media/ab.mp4", "access/records/login.jsonl"] {
            assert!(is_plain(plain), "{plain}");
        }
        for odd in [
            "../x",
            "data/../x",
            "/etc/passwd",
            "C:\\x",
            "data\\x",
            "data//x",
            "data/",
            "",
            "a\0b",
            "data/.",
            "ü.json",
            "a b",
            "data/x\n",
        ] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }
}
