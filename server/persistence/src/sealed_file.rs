//! Files sealed as they are written, piece by piece, and opened at any place: what an archive lies in.
//!
//! XChaCha20-Poly1305 over pieces of 64 KiB in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the
//! nonce is a random prefix, the piece's number and whether it is the last one, so pieces cannot be exchanged, left
//! out or cut off. The file's own id is bound as associated data. A new writing takes a new prefix, so a key never
//! meets a nonce twice.

use std::ops::Range;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::Error;
use crate::sealed::SubjectKey;

/// Open bytes of a piece.
pub const PIECE_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const PREFIX_BYTES: usize = 19;
/// How the file was sealed.
const MAGIC: &[u8; 4] = b"MWA1";
/// Bytes before the first piece.
pub const HEADER_BYTES: usize = MAGIC.len() + PREFIX_BYTES;

fn cipher(key: &SubjectKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().as_slice().try_into().expect("a key has 32 bytes"))
}

fn nonce(prefix: &[u8; PREFIX_BYTES], number: u32, is_last: bool) -> XNonce {
    let mut bytes = [0; 24];
    bytes[..PREFIX_BYTES].copy_from_slice(prefix);
    bytes[PREFIX_BYTES..23].copy_from_slice(&number.to_be_bytes());
    bytes[23] = u8::from(is_last);
    XNonce::from(bytes)
}

/// Seals one file from its beginning to its end.
pub struct FileSealer {
    cipher: XChaCha20Poly1305,
    file: [u8; 16],
    prefix: [u8; PREFIX_BYTES],
    number: u32,
    waiting: Vec<u8>,
}

impl FileSealer {
    /// Begins a file; its first bytes come along.
    #[must_use]
    pub fn begin(key: &SubjectKey, file: [u8; 16]) -> (Self, Vec<u8>) {
        let mut prefix = [0; PREFIX_BYTES];
        getrandom::fill(&mut prefix).expect("the operating system gives randomness");
        let header = [MAGIC.as_slice(), &prefix].concat();
        let waiting = Vec::with_capacity(PIECE_BYTES);
        (Self { cipher: cipher(key), file, prefix, number: 0, waiting }, header)
    }

    /// Takes more bytes, and writes the pieces that are full. The last piece waits, because it may be the last.
    ///
    /// # Errors
    /// When the file grows beyond 256 TiB.
    pub fn seal(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.waiting.len() == PIECE_BYTES {
                self.piece(false, out)?;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = rest;
        }
        Ok(())
    }

    /// Writes the last piece.
    ///
    /// # Errors
    /// When the file grew beyond 256 TiB.
    pub fn end(mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.piece(true, out)
    }

    fn piece(&mut self, is_last: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        let nonce = nonce(&self.prefix, self.number, is_last);
        let payload = Payload { msg: &self.waiting, aad: &self.file };
        out.extend(self.cipher.encrypt(&nonce, payload).map_err(|_| Error::Sealed)?);
        self.waiting.clear();
        self.number = self.number.checked_add(1).ok_or(Error::Sealed)?;
        Ok(())
    }
}

/// Opens pieces of one file.
pub struct FileOpener {
    cipher: XChaCha20Poly1305,
    file: [u8; 16],
    prefix: [u8; PREFIX_BYTES],
    /// Open bytes of the whole.
    length: u64,
}

/// Where open bytes lie in the sealed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// The sealed bytes to read: whole pieces.
    pub sealed: Range<u64>,
    /// The number of the first of them.
    pub first: u32,
    /// Open bytes of the first piece that were not asked for.
    pub skip: usize,
}

impl FileOpener {
    /// Reads the beginning of a file whose open length is known.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn new(key: &SubjectKey, file: [u8; 16], header: &[u8], length: u64) -> Result<Self, Error> {
        let prefix = header.strip_prefix(MAGIC.as_slice()).and_then(|prefix| prefix.try_into().ok());
        Ok(Self { cipher: cipher(key), file, prefix: prefix.ok_or(Error::Sealed)?, length })
    }

    fn pieces(&self) -> u64 {
        self.length.div_ceil(PIECE_BYTES as u64).max(1)
    }

    /// Where a range of open bytes lies.
    ///
    /// # Errors
    /// When it goes beyond the end.
    pub fn lying(&self, open: &Range<u64>) -> Result<Lying, Error> {
        if open.start >= open.end || open.end > self.length {
            return Err(Error::Sealed);
        }
        let piece = PIECE_BYTES as u64;
        let sealed_piece = piece + TAG_BYTES as u64;
        let (first, last) = (open.start / piece, (open.end - 1) / piece);
        let whole = HEADER_BYTES as u64 + self.length + self.pieces() * TAG_BYTES as u64;
        let start = HEADER_BYTES as u64 + first * sealed_piece;
        let end = (HEADER_BYTES as u64 + (last + 1) * sealed_piece).min(whole);
        let number = u32::try_from(first).map_err(|_| Error::Sealed)?;
        let skip = usize::try_from(open.start - first * piece).map_err(|_| Error::Sealed)?;
        Ok(Lying { sealed: start..end, first: number, skip })
    }

    /// Sealed bytes of a piece that is not the last.
    pub const SEALED_PIECE_BYTES: usize = PIECE_BYTES + TAG_BYTES;

    /// Opens one piece.
    ///
    /// # Errors
    /// When it was sealed otherwise, elsewhere, or was changed.
    pub fn open(&self, number: u32, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let is_last = u64::from(number) + 1 == self.pieces();
        let nonce = nonce(&self.prefix, number, is_last);
        self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: &self.file }).map_err(|_| Error::Sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: [u8; 16] = [3; 16];

    fn sealed(key: &SubjectKey, plain: &[u8], step: usize) -> Vec<u8> {
        let (mut sealer, mut out) = FileSealer::begin(key, FILE);
        for some in plain.chunks(step.max(1)) {
            sealer.seal(some, &mut out).expect("seals");
        }
        sealer.end(&mut out).expect("ends");
        out
    }

    fn read(key: &SubjectKey, sealed: &[u8], length: u64, open: Range<u64>) -> Result<Vec<u8>, Error> {
        let opener = FileOpener::new(key, FILE, &sealed[..HEADER_BYTES], length)?;
        let lying = opener.lying(&open)?;
        let bytes = &sealed
            [usize::try_from(lying.sealed.start).expect("fits")..usize::try_from(lying.sealed.end).expect("fits")];
        let mut plain = Vec::new();
        for (index, piece) in bytes.chunks(FileOpener::SEALED_PIECE_BYTES).enumerate() {
            plain.extend(opener.open(lying.first + u32::try_from(index).expect("fits"), piece)?);
        }
        let wanted = usize::try_from(open.end - open.start).expect("fits");
        Ok(plain[lying.skip..lying.skip + wanted].to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_range_opens_as_it_was(length in 1usize..300_000, step in 1usize..90_000, from in 0.0f64..1.0, to in 0.0f64..1.0) {
            let key = SubjectKey::from_bytes([7; 32]);
            let plain: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let file = sealed(&key, &plain, step);
            let (one, two) = ((length as f64 * from) as usize, (length as f64 * to) as usize);
            let (start, end) = (one.min(two), one.max(two).max(one.min(two) + 1).min(length));
            let opened = read(&key, &file, length as u64, start as u64..end as u64).expect("opens");
            prop_assert_eq!(&opened, &plain[start..end]);
        }
    }

    #[test]
    fn what_was_cut_changed_or_exchanged_does_not_open() {
        let key = SubjectKey::from_bytes([7; 32]);
        let plain = vec![1; 3 * PIECE_BYTES + 10];
        let file = sealed(&key, &plain, 1000);
        let length = plain.len() as u64;
        assert!(read(&key, &file, length, 0..length).is_ok());
        // Said to be shorter, so that a piece in the middle would be the last.
        assert!(read(&key, &file, 2 * PIECE_BYTES as u64, 0..2 * PIECE_BYTES as u64).is_err());
        let mut changed = file.clone();
        changed[HEADER_BYTES + PIECE_BYTES] ^= 1;
        assert!(read(&key, &changed, length, 0..1).is_err());
        let mut exchanged = file.clone();
        let piece = FileOpener::SEALED_PIECE_BYTES;
        exchanged[HEADER_BYTES..HEADER_BYTES + 2 * piece].rotate_left(piece);
        assert!(read(&key, &exchanged, length, 0..1).is_err());
        let other = SubjectKey::from_bytes([8; 32]);
        assert!(read(&other, &file, length, 0..1).is_err());
        assert_ne!(sealed(&key, &plain, 1000), file, "two writings share no nonce");
    }
}
