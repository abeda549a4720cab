//! A sealed file: a header in plain text that says what it is, and its content in chunks under a key of its own.
//!
//! Each file has its own key, HKDF-SHA256 of the backup key over a random salt in the header. Chunks of one MiB are
//! sealed with XChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce counts
//! the chunks and marks the last one, so that chunks can be neither swapped nor left out, and a file that was cut off
//! does not open as a shorter one. The header is associated data of every chunk: another header opens nothing.

use bytes::{Buf, Bytes, BytesMut};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::ids::BackupId;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use persistence::dump::Engine;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::{Error, Store};

/// First bytes of every sealed file.
const MAGIC: &[u8] = b"mini-webinar backup 1\n";
/// Plain bytes of a chunk.
const CHUNK: usize = 1 << 20;
/// Bytes a seal adds to a chunk.
const TAG: usize = 16;
const NONCE: usize = 24;
/// Longest header that is believed.
const LONGEST_HEADER: usize = 16 << 10;
/// Bytes in which a header is for certain.
pub(crate) const HEAD_BYTES: u64 = (MAGIC.len() + 4 + LONGEST_HEADER) as u64;

/// The key everything is sealed with. Prints nothing of itself, and is wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// From its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn derive(&self, salt: Option<&[u8]>, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(salt, self.0.as_slice())
            .expand(purpose.as_bytes(), key.as_mut_slice())
            .expect("32 bytes are a valid HKDF-SHA256 length");
        key
    }

    /// Tells keys apart without showing any.
    fn id(&self) -> String {
        hex::encode(&self.derive(None, "name of the key")[..8])
    }

    /// A name for some content that only the holder of the key can compute: a host cannot tell whether it holds a file
    /// that it knows.
    pub(crate) fn name_of(&self, sha256: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.derive(None, "names of contents").as_slice())
            .expect("HMAC takes a key of any length");
        mac.update(sha256);
        hex::encode(mac.finalize().into_bytes())
    }
}

/// What a sealed file says of itself to anybody. It names nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `database`, `manifest`, `media` or `tombstone`.
    pub kind: String,
    /// Of which backup.
    pub backup: Option<BackupId>,
    /// Of which of the two databases.
    pub store: Option<Store>,
    /// Which kind of database that was.
    pub engine: Option<Engine>,
    /// Of which moment, in RFC 3339.
    pub created_at: Option<String>,
    /// When it has to be gone, in RFC 3339.
    pub expires_at: Option<String>,
    /// Version of the program that wrote it.
    pub software: String,
    /// Which key opens it.
    key: String,
    salt: String,
}

impl Header {
    pub(crate) fn new(kind: &str, key: &Key) -> Self {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).expect("the operating system gives randomness");
        Self {
            kind: kind.to_owned(),
            backup: None,
            store: None,
            engine: None,
            created_at: None,
            expires_at: None,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            key: key.id(),
            salt: hex::encode(salt),
        }
    }

    pub(crate) fn of_backup(kind: &str, key: &Key, place: &crate::place::Entry, engine: Engine) -> Self {
        Self {
            backup: Some(place.id),
            store: Some(place.store),
            engine: Some(engine),
            created_at: Some(place.created_at.to_string()),
            expires_at: Some(place.expires_at().to_string()),
            ..Self::new(kind, key)
        }
    }

    fn written(&self) -> Result<Bytes> {
        let json = serde_json::to_vec(self).map_err(|error| Error::Json("a header", error))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        Ok([MAGIC, &length.to_be_bytes(), &json].concat().into())
    }

    /// Takes a header off the beginning of a file; nothing while it is not all there.
    pub(crate) fn take(buffer: &mut BytesMut, name: &str) -> Result<Option<(Self, [u8; 32])>> {
        let broken = || Error::Broken(name.to_owned());
        let known = buffer.len().min(MAGIC.len());
        if buffer[..known] != MAGIC[..known] {
            return Err(broken());
        }
        if buffer.len() < MAGIC.len() + 4 {
            return Ok(None);
        }
        let length = (&buffer[MAGIC.len()..MAGIC.len() + 4]).get_u32() as usize;
        if length > LONGEST_HEADER {
            return Err(broken());
        }
        let whole = MAGIC.len() + 4 + length;
        if buffer.len() < whole {
            return Ok(None);
        }
        let written = buffer.split_to(whole);
        let header = serde_json::from_slice(&written[MAGIC.len() + 4..]).map_err(|_| broken())?;
        Ok(Some((header, Sha256::digest(&written).into())))
    }
}

fn cipher(key: &Key, header: &Header) -> Result<XChaCha20Poly1305> {
    let salt = hex::decode(&header.salt).map_err(|_| Error::Broken("a header".to_owned()))?;
    let own = key.derive(Some(&salt), "a sealed file");
    Ok(XChaCha20Poly1305::new(own.as_slice().try_into().expect("a key has 32 bytes")))
}

/// The place of a chunk in its file. The key is the file's own, so a counter never meets itself.
fn nonce(number: u32, is_last: bool) -> XNonce {
    let mut nonce = [0; NONCE];
    nonce[NONCE - 5..NONCE - 1].copy_from_slice(&number.to_be_bytes());
    nonce[NONCE - 1] = u8::from(is_last);
    XNonce::from(nonce)
}

struct Sealer {
    cipher: XChaCha20Poly1305,
    about: [u8; 32],
    number: u32,
    buffer: BytesMut,
}

impl Sealer {
    fn seal(&mut self, plain: &[u8], is_last: bool) -> Vec<u8> {
        let sealed = self
            .cipher
            .encrypt(&nonce(self.number, is_last), Payload { msg: plain, aad: &self.about })
            .expect("a chunk is far below what can be sealed at once");
        self.number += 1;
        sealed
    }

    /// A chunk is sealed when it is known not to be the last.
    fn push(&mut self, plain: &[u8]) -> Bytes {
        self.buffer.extend_from_slice(plain);
        let mut sealed = Vec::new();
        while self.buffer.len() > CHUNK {
            let chunk = self.buffer.split_to(CHUNK);
            sealed.extend(self.seal(&chunk, false));
        }
        sealed.into()
    }

    fn finish(&mut self) -> Bytes {
        let chunk = self.buffer.split();
        self.seal(&chunk, true).into()
    }
}

struct Opener {
    cipher: XChaCha20Poly1305,
    about: [u8; 32],
    number: u32,
    buffer: BytesMut,
    name: String,
}

impl Opener {
    fn open(&mut self, sealed: &[u8], is_last: bool) -> Result<Vec<u8>> {
        let opened = self
            .cipher
            .decrypt(&nonce(self.number, is_last), Payload { msg: sealed, aad: &self.about })
            .map_err(|_| Error::Broken(self.name.clone()))?;
        self.number = self.number.checked_add(1).ok_or_else(|| Error::Broken(self.name.clone()))?;
        Ok(opened)
    }

    fn push(&mut self, sealed: &[u8]) -> Result<Bytes> {
        self.buffer.extend_from_slice(sealed);
        let mut plain = Vec::new();
        while self.buffer.len() > CHUNK + TAG {
            let chunk = self.buffer.split_to(CHUNK + TAG);
            plain.extend(self.open(&chunk, false)?);
        }
        Ok(plain.into())
    }

    fn finish(&mut self) -> Result<Bytes> {
        let chunk = self.buffer.split();
        Ok(self.open(&chunk, true)?.into())
    }
}

/// Bytes on their way to a storage.
pub(crate) type Outgoing<'a> = BoxStream<'a, Result<Bytes, storage::Error>>;
/// Bytes that were opened.
pub(crate) type Opened<'a> = BoxStream<'a, Result<Bytes>>;

/// Seals a stream.
pub(crate) fn seal<'a>(key: &Key, header: &Header, plain: Outgoing<'a>) -> Result<Outgoing<'a>> {
    let head = header.written()?;
    let sealer = Sealer {
        cipher: cipher(key, header)?,
        about: Sha256::digest(&head).into(),
        number: 0,
        buffer: BytesMut::new(),
    };
    let body = futures::stream::try_unfold(Some((sealer, plain)), |state| async move {
        let Some((mut sealer, mut plain)) = state else { return Ok::<_, storage::Error>(None) };
        match plain.try_next().await? {
            Some(piece) => {
                let sealed = sealer.push(&piece);
                Ok(Some((sealed, Some((sealer, plain)))))
            }
            None => Ok(Some((sealer.finish(), None))),
        }
    });
    let head = futures::stream::once(async move { Ok(head) });
    Ok(head.chain(body).try_filter(|piece| std::future::ready(!piece.is_empty())).boxed())
}

/// Seals something small.
pub(crate) fn seal_whole(key: &Key, header: &Header, plain: &[u8]) -> Result<Bytes> {
    let head = header.written()?;
    let about = Sha256::digest(&head).into();
    let mut sealer = Sealer { cipher: cipher(key, header)?, about, number: 0, buffer: BytesMut::new() };
    let body = sealer.push(plain);
    Ok([head, body, sealer.finish()].concat().into())
}

/// Opens a stream: its header, and its content as it comes. What was changed or cut off ends in an error.
pub(crate) async fn open<'a>(key: &Key, name: &str, mut sealed: Outgoing<'a>) -> Result<(Header, Opened<'a>)> {
    let mut buffer = BytesMut::new();
    let (header, about) = loop {
        if let Some(found) = Header::take(&mut buffer, name)? {
            break found;
        }
        match sealed.try_next().await? {
            Some(piece) => buffer.extend_from_slice(&piece),
            None => return Err(Error::Broken(name.to_owned())),
        }
    };
    if header.key != key.id() {
        return Err(Error::AnotherKey(name.to_owned()));
    }
    let opener =
        Opener { cipher: cipher(key, &header)?, about, number: 0, buffer: BytesMut::new(), name: name.to_owned() };
    let rest = futures::stream::once(async move { Ok(buffer.freeze()) }).chain(sealed).boxed();
    let plain = futures::stream::try_unfold(Some((opener, rest)), |state| async move {
        let Some((mut opener, mut rest)) = state else { return Ok::<_, Error>(None) };
        match rest.try_next().await? {
            Some(piece) => {
                let plain = opener.push(&piece)?;
                Ok(Some((plain, Some((opener, rest)))))
            }
            None => Ok(Some((opener.finish()?, None))),
        }
    });
    Ok((header, plain.try_filter(|piece: &Bytes| std::future::ready(!piece.is_empty())).boxed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new([7; 32])
    }

    fn stream(bytes: &[u8], size: usize) -> Outgoing<'static> {
        let pieces: Vec<_> = bytes.chunks(size.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        futures::stream::iter(pieces).boxed()
    }

    async fn sealed(plain: &[u8]) -> Vec<u8> {
        let header = Header::new("media", &key());
        let pieces: Vec<Bytes> =
            seal(&key(), &header, stream(plain, 300_001)).expect("begins").try_collect().await.expect("seals");
        pieces.concat()
    }

    async fn opened(key: &Key, sealed: &[u8], size: usize) -> Result<Vec<u8>> {
        let (_, plain) = open(key, "a file", stream(sealed, size)).await?;
        let pieces: Vec<Bytes> = plain.try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn what_was_sealed_opens_whatever_its_length_and_however_it_is_cut() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77] {
            let plain: Vec<u8> = (0..length).map(|at| (at * 31 + at / 251) as u8).collect();
            let file = sealed(&plain).await;
            for size in [9_973, CHUNK + TAG, file.len()] {
                assert!(opened(&key(), &file, size).await.expect("opens") == plain, "{length} by {size}");
            }
            let header = Header::new("manifest", &key());
            let whole = seal_whole(&key(), &header, &plain).expect("seals");
            assert!(opened(&key(), &whole, 100_003).await.expect("opens") == plain, "{length} at once");
        }
    }

    #[tokio::test]
    async fn another_key_opens_nothing_and_says_so() {
        let file = sealed(b"anything").await;
        let refused = opened(&Key::new([8; 32]), &file, 50).await.expect_err("is refused");
        assert!(matches!(refused, Error::AnotherKey(_)), "{refused}");
    }

    #[tokio::test]
    async fn a_changed_byte_or_a_missing_end_is_noticed_wherever_it_is() {
        let plain = vec![5; 2 * CHUNK + 100];
        let file = sealed(&plain).await;
        for at in (0..file.len()).step_by(file.len() / 97).chain([file.len() - 1]) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&key(), &changed, 500_000).await.is_err(), "byte {at} does not count");
        }
        let head = file.len() - plain.len() - 3 * TAG;
        let ends = [1, MAGIC.len(), head, head + CHUNK + TAG, head + 2 * (CHUNK + TAG), file.len() - 1];
        for end in ends {
            assert!(opened(&key(), &file[..end], 500_000).await.is_err(), "{end} bytes are taken for the whole");
        }
        let (first, second) = (head..head + CHUNK + TAG, head + CHUNK + TAG..head + 2 * (CHUNK + TAG));
        let swapped = [&file[..head], &file[second.clone()], &file[first], &file[second.end..]].concat();
        assert!(opened(&key(), &swapped, 500_000).await.is_err(), "chunks can be swapped");
        let longer = [&file[..], &[0; 40]].concat();
        assert!(opened(&key(), &longer, 500_000).await.is_err(), "something can be added");
    }

    #[test]
    fn a_name_tells_nothing_without_the_key() {
        let digest = Sha256::digest(b"a film everybody knows");
        assert_eq!(key().name_of(&digest), key().name_of(&digest));
        assert_ne!(key().name_of(&digest), Key::new([8; 32]).name_of(&digest));
        assert_ne!(key().name_of(&digest), hex::encode(digest));
        assert_eq!(format!("{:?}", key()), "Key(…)");
    }
}
