//! What a file is, told from its first bytes and never from its name.

use thiserror::Error;

/// How many first bytes [`sniff`] likes to see; fewer work when the file is shorter.
pub const SNIFF_BYTES: usize = 4096;

/// The wrapping around picture and sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// ISO base media: MP4, M4V, 3GP.
    Mp4,
    /// QuickTime, the older relative of MP4.
    Mov,
    /// The Matroska subset made for browsers.
    Webm,
    /// Matroska at large (MKV).
    Matroska,
}

impl Container {
    /// Lower-case name, as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
            Self::Matroska => "matroska",
        }
    }

    /// Whether it is built from MP4 boxes.
    #[must_use]
    pub fn is_boxes(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }
}

/// A file that is no video, with a sentence for the person who chose it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} Upload the recording itself as an MP4, MOV, M4V or WebM file.", .looks_like.sentence())]
pub struct NotMedia {
    /// What it seems to be.
    pub looks_like: LooksLike,
}

/// Kinds of files people pick by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says what it is")]
pub enum LooksLike {
    Empty,
    Pdf,
    Archive,
    OldOffice,
    Picture(&'static str),
    Sound(&'static str),
    OtherVideo(&'static str),
    Playlist,
    WebPage,
    Captions,
    Text,
    Unknown,
}

impl LooksLike {
    fn sentence(self) -> String {
        match self {
            Self::Empty => "This file is empty.".to_owned(),
            Self::Pdf => "This is a PDF document, not a video.".to_owned(),
            Self::Archive => "This is a ZIP archive or an Office document, not a video. If the recording is inside a ZIP, unpack it first.".to_owned(),
            Self::OldOffice => "This is an Office document, not a video.".to_owned(),
            Self::Picture(kind) => format!("This is a {kind} picture, not a video."),
            Self::Sound(kind) => format!("This is a {kind} sound file without a picture."),
            Self::OtherVideo(kind) => format!("This is a video in the {kind} format, which browsers cannot play."),
            Self::Playlist => "This is a playlist that points to a video somewhere else, not the video.".to_owned(),
            Self::WebPage => "This is a web page, not a video. The download may have saved the page around the recording.".to_owned(),
            Self::Captions => "This is a captions file. Captions can be added once the video is there.".to_owned(),
            Self::Text => "This is a text file, not a video.".to_owned(),
            Self::Unknown => "This file is not a video we know.".to_owned(),
        }
    }
}

/// Tells the container from the first bytes; [`SNIFF_BYTES`] of them are plenty.
///
/// # Errors
/// When the bytes are no container a browser could play.
pub fn sniff(first: &[u8]) -> Result<Container, NotMedia> {
    if let Some(container) = boxes(first)? {
        return Ok(container);
    }
    if first.starts_with(&[0x1A, 0x45, 0xDF, 0xA3]) {
        return match crate::matroska::doc_type(first) {
            Some(b"webm") => Ok(Container::Webm),
            Some(b"matroska") => Ok(Container::Matroska),
            _ => Err(NotMedia { looks_like: LooksLike::Unknown }),
        };
    }
    Err(NotMedia { looks_like: looks_like(first) })
}

/// ISO media starts with `ftyp`; QuickTime from before 2001 with whichever box came first.
fn boxes(first: &[u8]) -> Result<Option<Container>, NotMedia> {
    let Some(kind) = first.get(4..8) else { return Ok(None) };
    let size = u32::from_be_bytes([first[0], first[1], first[2], first[3]]);
    let plausible = size == 0 || size == 1 || size >= 8;
    match kind {
        b"ftyp" if (8..=SNIFF_BYTES as u32).contains(&size) => brand(first.get(8..12).unwrap_or_default()).map(Some),
        b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" if plausible => Ok(Some(Container::Mov)),
        _ => Ok(None),
    }
}

fn brand(brand: &[u8]) -> Result<Container, NotMedia> {
    let looks_like = match brand {
        b"qt  " => return Ok(Container::Mov),
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => LooksLike::Picture("HEIC"),
        b"avif" | b"avis" => LooksLike::Picture("AVIF"),
        b"crx " => LooksLike::Picture("camera RAW"),
        b"M4A " | b"M4B " | b"M4P " => LooksLike::Sound("M4A"),
        _ => return Ok(Container::Mp4),
    };
    Err(NotMedia { looks_like })
}

fn looks_like(first: &[u8]) -> LooksLike {
    const MARKS: &[(&[u8], LooksLike)] = &[
        (b"%PDF-", LooksLike::Pdf),
        (b"PK\x03\x04", LooksLike::Archive),
        (b"PK\x05\x06", LooksLike::Archive),
        (b"Rar!", LooksLike::Archive),
        (b"7z\xBC\xAF", LooksLike::Archive),
        (b"\x1F\x8B", LooksLike::Archive),
        (b"\xD0\xCF\x11\xE0", LooksLike::OldOffice),
        (b"\xFF\xD8\xFF", LooksLike::Picture("JPEG")),
        (b"\x89PNG", LooksLike::Picture("PNG")),
        (b"GIF8", LooksLike::Picture("GIF")),
        (b"ID3", LooksLike::Sound("MP3")),
        (b"fLaC", LooksLike::Sound("FLAC")),
        (b"OggS", LooksLike::OtherVideo("Ogg")),
        (b"FLV\x01", LooksLike::OtherVideo("Flash")),
        (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", LooksLike::OtherVideo("Windows Media")),
        (b"\x00\x00\x01\xBA", LooksLike::OtherVideo("MPEG")),
        (b"\x00\x00\x01\xB3", LooksLike::OtherVideo("MPEG")),
        (b".RMF", LooksLike::OtherVideo("RealMedia")),
    ];
    if first.is_empty() {
        return LooksLike::Empty;
    }
    if let Some((_, kind)) = MARKS.iter().find(|(mark, _)| first.starts_with(mark)) {
        return *kind;
    }
    if first.starts_with(b"RIFF") {
        return match first.get(8..12) {
            Some(b"AVI ") => LooksLike::OtherVideo("AVI"),
            Some(b"WAVE") => LooksLike::Sound("WAV"),
            Some(b"WEBP") => LooksLike::Picture("WebP"),
            _ => LooksLike::Unknown,
        };
    }
    if first[0] == 0x47 && first.get(188) == Some(&0x47) {
        return LooksLike::OtherVideo("MPEG transport stream");
    }
    // MPEG audio frames start with eleven set bits; layer and bit rate must not be the reserved values.
    if first.len() >= 3
        && first[0] == 0xFF
        && first[1] & 0xE0 == 0xE0
        && first[1] & 0x06 != 0
        && first[2] & 0xF0 != 0xF0
    {
        return LooksLike::Sound("MP3");
    }
    text(first).unwrap_or(LooksLike::Unknown)
}

fn text(first: &[u8]) -> Option<LooksLike> {
    let body = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    let body = &body[..body.len().min(512)];
    let readable = match std::str::from_utf8(body) {
        Ok(text) => text,
        // A character cut by the end of the sample is no sign of binary.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&body[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if readable.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return None;
    }
    let start = readable.trim_start().to_ascii_lowercase();
    Some(if start.starts_with("<!doctype html") || start.starts_with("<html") {
        LooksLike::WebPage
    } else if start.starts_with("#extm3u") {
        LooksLike::Playlist
    } else if start.starts_with("webvtt") || start.lines().nth(1).is_some_and(|line| line.contains(" --> ")) {
        LooksLike::Captions
    } else {
        LooksLike::Text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn containers_are_told_by_content() {
        assert_eq!(sniff(b"\0\0\0\x18ftypisom\0\0\x02\0isommp41"), Ok(Container::Mp4));
        assert_eq!(sniff(b"\0\0\0\x14ftypM4V \0\0\0\0mp42"), Ok(Container::Mp4));
        assert_eq!(sniff(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "), Ok(Container::Mov));
        assert_eq!(sniff(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20"), Ok(Container::Mov));
        assert_eq!(sniff(b"\0\0\x10\0moov\0\0\0\x6Cmvhd"), Ok(Container::Mov));
        assert_eq!(sniff(b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm"), Ok(Container::Webm));
        assert_eq!(sniff(b"\x1A\x45\xDF\xA3\x8B\x42\x82\x88matroska"), Ok(Container::Matroska));
    }

    #[test]
    fn mistakes_are_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"", "empty"),
            (b"%PDF-1.7", "PDF"),
            (b"PK\x03\x04\x14\0", "ZIP"),
            (b"\xFF\xD8\xFF\xE0", "JPEG"),
            (b"\x89PNG\r\n\x1a\n", "PNG"),
            (b"GIF89a", "GIF"),
            (b"ID3\x04\0", "MP3"),
            (b"\xFF\xFB\x90\x64", "MP3"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
            (b"RIFF\x24\0\0\0AVI LIST", "AVI"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", "M4A"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"#EXTM3U\n#EXT-X-VERSION:3\n", "playlist"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b"1\n00:00:01,000 --> 00:00:02,000\nHi", "captions"),
            ("Grüße".as_bytes(), "text"),
            (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "not a video we know"),
        ];
        for (bytes, word) in cases {
            let sentence = sniff(bytes).expect_err("not a video").to_string();
            assert!(sentence.contains(word) && sentence.contains("Upload the recording"), "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = sniff(&bytes);
        }
    }
}
