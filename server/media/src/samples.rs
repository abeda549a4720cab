//! Recordings for tests: a hand-made MP4 and WebM that need no tool, and real ones from ffmpeg where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A box around a body.
pub(crate) fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body: Vec<u8> = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// What to put into the hand-made MP4.
pub(crate) struct Recipe {
    pub(crate) video_entry: [u8; 4],
    pub(crate) audio_entry: Option<[u8; 4]>,
    pub(crate) ticks: u32,
    pub(crate) index_first: bool,
    pub(crate) self_contained: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            video_entry: *b"avc1",
            audio_entry: Some(*b"Opus"),
            ticks: 2_500,
            index_first: false,
            self_contained: true,
        }
    }
}

fn track(id: u32, handler: &[u8; 4], entry: &[u8], recipe: &Recipe, chunk: u32) -> Vec<u8> {
    let tkhd = [
        words(&[7, 0, 0, id, 0, recipe.ticks, 0, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]),
        words(&[640 << 16, 360 << 16]),
    ]
    .concat();
    let mdhd = words(&[0, 0, 0, 1_000, recipe.ticks, 0]);
    let hdlr = [words(&[0, 0]), handler.to_vec(), vec![0; 13]].concat();
    let dref = [words(&[0, 1]), boxed(b"url ", &[&words(&[u32::from(recipe.self_contained)])])].concat();
    let stbl = boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&words(&[0, 1]), entry]),
            &boxed(b"stsz", &[&words(&[0, 10, 1])]),
            &boxed(b"stco", &[&words(&[0, 1, chunk])]),
        ],
    );
    let minf = boxed(b"minf", &[&boxed(b"dinf", &[&boxed(b"dref", &[&dref])]), &stbl]);
    let mdia = boxed(b"mdia", &[&boxed(b"mdhd", &[&mdhd]), &boxed(b"hdlr", &[&hdlr]), &minf]);
    boxed(b"trak", &[&boxed(b"tkhd", &[&tkhd]), &mdia])
}

/// A file with a sound structure and meaningless media.
pub(crate) fn mp4(recipe: &Recipe) -> Vec<u8> {
    let ftyp = boxed(b"ftyp", &[b"isom\0\0\x02\0isomiso2"]);
    let media = boxed(b"mdat", &[b"0123456789abcdefghij"]);
    let picture = [&[0; 24][..], &640u16.to_be_bytes(), &360u16.to_be_bytes(), &[0; 50]].concat();
    let picture = boxed(&recipe.video_entry, &[&picture, &boxed(b"avcC", &[&[1, 100, 0, 30]])]);
    let build = |chunk: u32| {
        let mut parts = boxed(b"mvhd", &[&words(&[0, 0, 0, 1_000, recipe.ticks]), &[0; 80]]);
        parts.extend(track(1, b"vide", &picture, recipe, chunk));
        if let Some(kind) = recipe.audio_entry {
            parts.extend(track(2, b"soun", &boxed(&kind, &[&[0; 28]]), recipe, chunk + 10));
        }
        boxed(b"moov", &[&parts])
    };
    if recipe.index_first {
        let index = build((ftyp.len() + build(0).len() + 8) as u32);
        [ftyp, index, media].concat()
    } else {
        let index = build(ftyp.len() as u32 + 8);
        [ftyp, media, index].concat()
    }
}

/// A recording in one fragment of 25 pictures, 100 ms each, that starts at second 2; its header knows no length.
pub(crate) fn fragmented() -> Vec<u8> {
    let whole = mp4(&Recipe { ticks: 0, index_first: true, audio_entry: None, ..Recipe::default() });
    let media = whole.windows(4).position(|four| four == b"mdat").expect("media") - 4;
    let moov = &whole[24..media];
    let trex = boxed(b"trex", &[&words(&[0, 1, 1, 100, 0, 0])]);
    let moov = boxed(b"moov", &[&moov[8..], &boxed(b"mvex", &[&trex])]);
    let explicit = boxed(b"trun", &[&words(&[0x300, 2, 100, 7, 100, 7])]);
    let implied = boxed(b"trun", &[&words(&[0x1, 23, 0])]);
    let traf = boxed(
        b"traf",
        &[&boxed(b"tfhd", &[&words(&[0x2_0000, 1])]), &boxed(b"tfdt", &[&words(&[0, 2_000])]), &explicit, &implied],
    );
    [&whole[..24], &moov, &boxed(b"moof", &[&traf]), &whole[media..]].concat()
}

/// An EBML element with a four-byte size.
pub(crate) fn element(id: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let body: Vec<u8> = parts.concat();
    [id, &(body.len() as u32 | 0x1000_0000).to_be_bytes(), &body].concat()
}

/// A WebM head with one cluster of nothing.
pub(crate) fn webm(doc_type: &str, video: &str, audio: &str, duration_ms: Option<f64>) -> Vec<u8> {
    let duration = duration_ms.map(|ms| element(&[0x44, 0x89], &[&ms.to_be_bytes()])).unwrap_or_default();
    let info = element(&[0x15, 0x49, 0xA9, 0x66], &[&element(&[0x2A, 0xD7, 0xB1], &[&[0x0F, 0x42, 0x40]]), &duration]);
    let size = element(&[0xE0], &[&element(&[0xB0], &[&[2, 128]]), &element(&[0xBA], &[&[1, 104]])]);
    let picture = element(&[0xAE], &[&element(&[0x83], &[&[1]]), &element(&[0x86], &[video.as_bytes()]), &size]);
    let sound = element(&[0xAE], &[&element(&[0x83], &[&[2]]), &element(&[0x86], &[audio.as_bytes()])]);
    let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &[&picture, &sound]);
    let cluster = element(&[0x1F, 0x43, 0xB6, 0x75], &[&[0xE7, 0x81, 0x00]]);
    [
        element(&[0x1A, 0x45, 0xDF, 0xA3], &[&element(&[0x42, 0x82], &[doc_type.as_bytes()])]),
        element(&[0x18, 0x53, 0x80, 0x67], &[&info, &tracks, &cluster]),
    ]
    .concat()
}

/// The installed ffmpeg; says so loudly when tests must go without, and fails where it is required.
pub(crate) fn ffmpeg() -> Option<PathBuf> {
    let found = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("MW_REQUIRE_FFMPEG").is_none_or(|value| value != "1"),
            "ffmpeg is required and missing"
        );
        eprintln!("SKIPPED: ffmpeg is not installed, so real recordings were not tried");
    }
    found
}

/// Makes a recording of a moving test picture with a tone.
pub(crate) fn make(ffmpeg: &Path, output: &Path, seconds: f64, options: &str) {
    let picture = format!("testsrc=s=320x180:r=10:d={seconds}");
    let sound = format!("sine=f=440:d={seconds}");
    let status = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args(options.split_whitespace())
        .arg(output)
        .status()
        .expect("ffmpeg runs");
    assert!(status.success(), "ffmpeg {options}");
}
