//! Files as they lie, and objects that lie elsewhere.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use storage::Bucket;

use super::needles::Seen;
use super::reading::Reading;
use super::{Error, Needles, Report};

/// Bytes read at once.
const PIECE: usize = 1 << 20;
/// Files up to this size are looked at whole, and into what is packed in them.
const WHOLE_BYTES: u64 = 64 << 20;

/// Looks at a file, or at everything below a folder; names count as well as contents. What is not there holds nothing.
pub(super) async fn look(path: &Path, store: &str, needles: &Needles, report: &mut Report) -> Result<(), Error> {
    report.open(store);
    let mut names = Vec::new();
    walk(path, &mut names).map_err(|error| Error::File(path.display().to_string(), error))?;
    for name in names {
        let place = name.strip_prefix(path).unwrap_or(&name).display().to_string();
        let place = if place.is_empty() { name.display().to_string() } else { place };
        let seen = look_at(&name, &place, needles)?;
        report.add(store, &place, &seen);
        // A long look must not keep a worker of the runtime from everybody else.
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn walk(path: &Path, names: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let kind = match std::fs::symlink_metadata(path) {
        Ok(kind) => kind,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind.is_dir() {
        for entry in std::fs::read_dir(path)? {
            walk(&entry?.path(), names)?;
        }
    } else if kind.is_file() {
        names.push(path.to_owned());
    }
    Ok(())
}

fn look_at(path: &Path, place: &str, needles: &Needles) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    needles.feed_whole(&mut seen, place.as_bytes());
    let failed = |error| Error::File(path.display().to_string(), error);
    let mut file = match Reading::open(path) {
        Ok(file) => file,
        // Gone between the walk and here.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(seen),
        Err(error) => return Err(failed(error)),
    };
    if file.length().map_err(failed)? <= WHOLE_BYTES {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        needles.feed_whole(&mut seen, &bytes);
        return Ok(seen);
    }
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(seen),
            read => needles.feed(&mut seen, &piece[..read]),
        }
    }
}

/// Looks at every object of a bucket that is no folder.
pub(super) async fn look_at_objects(
    bucket: &Bucket,
    store: &str,
    needles: &Needles,
    report: &mut Report,
) -> Result<(), Error> {
    report.open(store);
    for key in bucket.list("").await? {
        let mut seen = Seen::default();
        needles.feed_whole(&mut seen, key.as_bytes());
        let size = bucket.size(&key).await?;
        if size <= WHOLE_BYTES {
            needles.feed_whole(&mut seen, &bucket.get(&key).await?);
        } else {
            let mut pieces = bucket.read(&key, 0..size).await?;
            while let Some(piece) = pieces.try_next().await? {
                needles.feed(&mut seen, &piece);
            }
        }
        report.add(store, &key, &seen);
    }
    Ok(())
}
