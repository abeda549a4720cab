//! Recordings, pictures and logos: copied once, under a name that follows from their content.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use storage::{Bucket, Listed};

use crate::error::Result;
use crate::seal::{self, Opened};
use crate::{Error, Header, MediaEntry, Place};

/// Where they lie.
pub(crate) const FOLDER: &str = "media";
/// Objects that no backup takes: parts of uploads under way, archives that live for a week under keys of their own, and
/// what readiness leaves.
const LEFT_OUT: [&str; 3] = ["staged/", "exports/", "probe/"];

pub(crate) fn object_of(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

/// What copying did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copied {
    pub(crate) entries: Vec<MediaEntry>,
    /// Objects that were not in any backup before.
    pub(crate) new: u64,
    pub(crate) new_bytes: u64,
}

impl Place {
    /// Copies what no backup has yet. `known` is what the last backup knew: an object that its store says is the same is
    /// not read again.
    pub(crate) async fn copy_media(&self, objects: &Bucket, known: Vec<MediaEntry>) -> Result<Copied> {
        let known: BTreeMap<String, MediaEntry> = known.into_iter().map(|one| (one.key.clone(), one)).collect();
        let mut there: BTreeSet<String> = self.bucket.list(FOLDER).await?.into_iter().collect();
        let mut copied = Copied::default();
        let mut listed = objects.list_with_facts("").await?;
        listed.sort_by(|one, other| one.key.cmp(&other.key));
        for one in listed {
            if LEFT_OUT.iter().any(|prefix| one.key.starts_with(prefix)) {
                continue;
            }
            let sha256 = match known.get(&one.key).filter(|known| is_same(known, &one)) {
                Some(known) => known.sha256.clone(),
                None => match digest(objects, &one).await {
                    Ok(digest) => hex::encode(digest),
                    // Deleted since it was listed: then it belongs to no backup.
                    Err(Error::Storage(error)) if error.is_missing() => continue,
                    Err(error) => return Err(error),
                },
            };
            let name = self.key.name_of(sha256.as_bytes());
            if !there.contains(&object_of(&name)) {
                match self.copy_one(objects, &one, &sha256, &name).await {
                    Ok(()) => {}
                    Err(Error::Storage(error)) if error.is_missing() => continue,
                    Err(error) => return Err(error),
                }
                there.insert(object_of(&name));
                copied.new += 1;
                copied.new_bytes += one.size_bytes;
            }
            copied.entries.push(MediaEntry {
                key: one.key,
                size_bytes: one.size_bytes,
                sha256,
                name,
                e_tag: one.e_tag,
                changed_at_micros: one.changed_at_micros,
            });
        }
        Ok(copied)
    }

    async fn copy_one(&self, objects: &Bucket, one: &Listed, sha256: &str, name: &str) -> Result<()> {
        let plain = objects.read(&one.key, 0..one.size_bytes).await?;
        let checked = checked(plain.map_err(Error::from).boxed(), one.key.clone(), one.size_bytes, sha256.to_owned());
        let key = one.key.clone();
        let checked = checked.map_err(move |error| error.into_storage(&key)).boxed();
        let sealed = seal::seal(&self.key, &Header::new("media", &self.key), checked)?;
        Ok(self.bucket.put_stream(&object_of(name), sealed).await?)
    }

    /// An object as it was.
    pub(crate) async fn open_media(&self, entry: &MediaEntry) -> Result<Opened<'static>> {
        let (_, plain) = self.open(&object_of(&entry.name)).await?;
        Ok(checked(plain, entry.key.clone(), entry.size_bytes, entry.sha256.clone()))
    }
}

fn is_same(known: &MediaEntry, listed: &Listed) -> bool {
    known.size_bytes == listed.size_bytes
        && known.changed_at_micros == listed.changed_at_micros
        && known.e_tag == listed.e_tag
}

async fn digest(objects: &Bucket, one: &Listed) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut pieces = objects.read(&one.key, 0..one.size_bytes).await?;
    while let Some(piece) = pieces.try_next().await? {
        hash.update(&piece);
    }
    Ok(hash.finalize().into())
}

/// The same bytes, and an error at the end when they are not the expected ones.
pub(crate) fn checked(plain: Opened<'_>, key: String, size: u64, sha256: String) -> Opened<'_> {
    struct State<'a> {
        plain: Opened<'a>,
        hash: Sha256,
        size: u64,
    }
    let begin = Some(State { plain, hash: Sha256::new(), size: 0 });
    futures::stream::try_unfold((begin, key, size, sha256), |(state, key, size, sha256)| async move {
        let Some(mut state) = state else { return Ok(None) };
        match state.plain.try_next().await? {
            Some(piece) => {
                state.hash.update(&piece);
                state.size += piece.len() as u64;
                Ok(Some((piece, (Some(state), key, size, sha256))))
            }
            None if state.size == size && hex::encode(state.hash.finalize()) == sha256 => {
                Ok(Some((Bytes::new(), (None, key, size, sha256))))
            }
            None => Err(Error::Broken(key)),
        }
    })
    .try_filter(|piece| std::future::ready(!piece.is_empty()))
    .boxed()
}
