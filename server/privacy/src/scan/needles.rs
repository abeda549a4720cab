//! What is looked for, in every form it could have been written down in.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Error;

/// A shorter text is found by chance.
pub(super) const SHORTEST: usize = 4;
/// An encoded form shorter than this is found by chance.
const SHORTEST_FORM: usize = 6;
/// Most bytes taken out of one packed part.
const MOST_UNPACKED: u64 = 64 << 20;
/// How deep hidden parts are looked into: folded lines in a gzip in a zip.
const DEEPEST: usize = 3;

/// Needles, ready to be looked for.
pub struct Needles {
    forms: AhoCorasick,
    labels: Vec<(usize, &'static str)>,
    longest: usize,
}

/// What one file or table held.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) found: BTreeMap<(usize, &'static str), u64>,
    kept: Vec<u8>,
}

impl Needles {
    /// Prepares texts: as they are, in other encodings, and as hashes where they are addresses.
    ///
    /// # Errors
    /// Refuses a text that is too short.
    pub fn new(texts: &[String]) -> Result<Self, Error> {
        let mut forms: Vec<Vec<u8>> = Vec::new();
        let mut labels = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            if text.len() < SHORTEST {
                return Err(Error::TooShort);
            }
            for (encoding, form) in forms_of(text) {
                let folded = form.to_ascii_lowercase();
                let known = forms.iter().zip(&labels).any(|(other, (of, _))| *of == index && *other == folded);
                if !known && (form.len() >= SHORTEST_FORM || encoding == "utf8") {
                    forms.push(folded);
                    labels.push((index, encoding));
                }
            }
        }
        let longest = forms.iter().map(Vec::len).max().unwrap_or(1);
        let forms =
            AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(&forms)?;
        Ok(Self { forms, labels, longest })
    }

    /// Looks at the next piece of something; a needle may lie across two pieces.
    pub(super) fn feed(&self, seen: &mut Seen, piece: &[u8]) {
        let overlap = seen.kept.len();
        seen.bytes += piece.len() as u64;
        seen.kept.extend_from_slice(piece);
        for found in self.forms.find_overlapping_iter(&seen.kept) {
            if found.end() > overlap {
                *seen.found.entry(self.labels[found.pattern().as_usize()]).or_default() += 1;
            }
        }
        let spare = seen.kept.len().saturating_sub(self.longest - 1);
        seen.kept.drain(..spare);
    }

    /// Looks at something whole: also at folded lines unfolded, and into what is packed in it.
    pub(super) fn feed_whole(&self, seen: &mut Seen, bytes: &[u8]) {
        self.feed_depth(seen, bytes, 0);
    }

    fn feed_depth(&self, seen: &mut Seen, bytes: &[u8], depth: usize) {
        self.feed(seen, bytes);
        seen.kept.clear();
        if depth < DEEPEST {
            for part in hidden(bytes) {
                self.feed_depth(seen, &part, depth + 1);
            }
        }
    }
}

/// What shows that there is more to look at than the bytes as they lie.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([b"\x1f\x8b\x08".as_slice(), b"PK\x03\x04", b"=\r\n", b"=\n"]).expect("four short texts")
});
const GZIP: usize = 0;
const ZIP: usize = 1;

/// What is hidden in the bytes: packed parts, and folded lines unfolded.
fn hidden(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut unfolded = Vec::new();
    let mut from = 0;
    for mark in MARKS.find_iter(bytes) {
        match mark.pattern().as_usize() {
            GZIP => parts.extend(unpacked(&mut MultiGzDecoder::new(&bytes[mark.start()..]))),
            ZIP => parts.extend(zip_member(bytes, mark.start())),
            // A soft break of quoted-printable.
            _ => {
                unfolded.extend_from_slice(&bytes[from..mark.start()]);
                from = mark.end();
            }
        }
    }
    if from > 0 {
        unfolded.extend_from_slice(&bytes[from..]);
        parts.push(unfolded);
    }
    parts
}

/// As much as can be read: what breaks off in the middle still gives what came before.
fn unpacked(packed: &mut dyn Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let _broken_off = packed.take(MOST_UNPACKED).read_to_end(&mut out);
    (!out.is_empty()).then_some(out)
}

/// A deflated member of a zip; stored ones are seen as they lie.
fn zip_member(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let short = |from: usize| bytes.get(at + from..at + from + 2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let (method, name, extra) = (short(8)?, short(26)?, short(28)?);
    let data = bytes.get(at + 30 + usize::from(name) + usize::from(extra)..)?;
    (method == 8).then(|| unpacked(&mut DeflateDecoder::new(data))).flatten()
}

/// Every form of a text, with the name of its encoding.
fn forms_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = Vec::new();
    for text in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
        let bytes = text.as_bytes();
        forms.push(("utf8", bytes.to_vec()));
        forms.push(("utf16le", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        forms.push(("utf16be", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        forms.push(("hex", hex::encode(bytes).into_bytes()));
        forms.extend(base64_forms(bytes).into_iter().map(|form| ("base64", form)));
        forms.push(("percent", escaped(&text, |byte| format!("%{byte:02X}"))));
        forms.push((
            "percent",
            escaped(&text.replace(' ', "+"), |byte| match byte {
                b'+' => "+".to_owned(),
                _ => format!("%{byte:02X}"),
            }),
        ));
        forms.push((
            "quoted_printable",
            escaped(&text, |byte| match byte {
                b'=' | 0..=31 | 127..=255 => format!("={byte:02X}"),
                _ => char::from(byte).to_string(),
            }),
        ));
        forms.push(("json", json_escaped(&text)));
        for entity in [named_entity, decimal_entity, hex_entity, some_decimal_entity] {
            forms.push(("html", text.chars().map(entity).collect::<String>().into_bytes()));
        }
    }
    if let Ok(id) = text.parse::<uuid::Uuid>() {
        forms.push(("uuid", id.as_bytes().to_vec()));
        forms.push(("uuid", id.simple().to_string().into_bytes()));
        forms.extend(base64_forms(id.as_bytes()).into_iter().map(|form| ("uuid", form)));
    }
    if text.contains('@') {
        let address = text.trim().to_lowercase();
        let hashes = [
            ("md5", Md5::digest(&address).to_vec()),
            ("sha1", Sha1::digest(&address).to_vec()),
            ("sha256", Sha256::digest(&address).to_vec()),
        ];
        for (name, hash) in hashes {
            forms.push((name, hex::encode(&hash).into_bytes()));
            forms.push((name, STANDARD_NO_PAD.encode(&hash).into_bytes()));
            forms.push((name, hash));
        }
    }
    forms
}

/// The part of the encoded text that does not depend on what stands around it, for each of the three places it can
/// begin at.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&padded).into_bytes()[from..to].to_vec());
        }
    }
    forms
}

/// Letters, digits and the unreserved marks stay; every other byte is written by `escape`.
fn escaped(text: &str, escape: impl Fn(u8) -> String) -> Vec<u8> {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => escape(byte),
    };
    text.bytes().map(one).collect::<String>().into_bytes()
}

fn json_escaped(text: &str) -> Vec<u8> {
    let one = |unit: u16| match u8::try_from(unit) {
        Ok(byte @ (b'"' | b'\\' | b'/')) => format!("\\{}", char::from(byte)),
        Ok(byte @ 32..=126) => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(one).collect::<String>().into_bytes()
}

fn named_entity(character: char) -> String {
    match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    }
}

fn decimal_entity(character: char) -> String {
    format!("&#{};", u32::from(character))
}

fn hex_entity(character: char) -> String {
    format!("&#x{:x};", u32::from(character))
}

/// Only what is no letter or digit, as templates write an address.
fn some_decimal_entity(character: char) -> String {
    if character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_') {
        character.to_string()
    } else {
        decimal_entity(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &str = "Zoë+canary-7f3a@example.com";

    fn found(bytes: &[u8]) -> Vec<&'static str> {
        let needles = Needles::new(&[TEXT.to_owned()]).expect("prepared");
        let mut seen = Seen::default();
        needles.feed_whole(&mut seen, bytes);
        seen.found.into_keys().map(|(_, encoding)| encoding).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).expect("packs");
        packer.finish().expect("packs")
    }

    #[test]
    fn every_encoding_is_found_and_named() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let packed = gzip(format!("inside {TEXT}").as_bytes());
        let twice = gzip(&packed);
        let address = TEXT.to_lowercase();
        for (bytes, encoding) in [
            (format!("a {TEXT} b").into_bytes(), "utf8"),
            (TEXT.to_uppercase().into_bytes(), "utf8"),
            (utf16(TEXT), "utf16le"),
            (hex::encode(TEXT).into_bytes(), "hex"),
            (b"Zo%C3%AB%2Bcanary-7f3a%40example.com".to_vec(), "percent"),
            ("Zo=C3=AB+canary-7f3a@example.com".as_bytes().to_vec(), "quoted_printable"),
            (b"Zo=C3=AB+canary-=\r\n7f3a@exam=\nple.com".to_vec(), "quoted_printable"),
            (b"Zo\\u00eb+canary-7f3a@example.com".to_vec(), "json"),
            (b"Zo&#235;&#43;canary-7f3a&#64;example.com".to_vec(), "html"),
            (packed, "utf8"),
            (twice, "utf8"),
            (hex::encode(Md5::digest(&address)).into_bytes(), "md5"),
            (Sha1::digest(&address).to_vec(), "sha1"),
            (hex::encode(Sha256::digest(&address)).to_uppercase().into_bytes(), "sha256"),
        ] {
            assert!(found(&bytes).contains(&encoding), "{encoding}: {:?}", found(&bytes));
        }
        for before in ["", "x", "xy", "xyz"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{TEXT}!"));
            assert_eq!(found(encoded.as_bytes()), ["base64"], "{before}");
        }
        assert_eq!(found(b"Zoe+canary-7f3b@example.com and much else"), Vec::<&str>::new());
    }

    #[test]
    fn a_zip_is_looked_into() {
        let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        deflated.write_all(TEXT.as_bytes()).expect("packs");
        let data = deflated.finish().expect("packs");
        let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt".to_vec();
        zip.extend(data);
        assert_eq!(found(&zip), ["utf8"]);
    }

    #[test]
    fn a_needle_across_two_pieces_counts_once() {
        let needles = Needles::new(&["canary-7f3a".to_owned()]).expect("prepared");
        let text = b"....canary-7f3a....";
        for cut in 0..text.len() {
            let mut seen = Seen::default();
            needles.feed(&mut seen, &text[..cut]);
            needles.feed(&mut seen, &text[cut..]);
            assert_eq!(seen.found.values().sum::<u64>(), 1, "cut at {cut}");
            assert_eq!(seen.bytes, text.len() as u64);
        }
    }

    #[test]
    fn an_id_is_found_as_bytes_too() {
        let id = "01990000-1234-7000-8000-00000000abcd";
        let needles = Needles::new(&[id.to_owned()]).expect("prepared");
        let mut seen = Seen::default();
        needles.feed(&mut seen, id.parse::<uuid::Uuid>().expect("an id").as_bytes());
        assert_eq!(seen.found.into_keys().collect::<Vec<_>>(), [(0, "uuid")]);
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert!(matches!(Needles::new(&["abc".to_owned()]), Err(Error::TooShort)));
    }
}
