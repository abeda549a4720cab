use super::*;
use crate::probe::probe;
use crate::samples::{self, Recipe};
use crate::source::FileSource;
use std::path::Path;
use std::process::Command;

/// A source of any claimed length: real bytes at its ends, zeros between.
struct Sparse {
    head: Bytes,
    tail: Bytes,
    length: u64,
}

impl ReadAt for Sparse {
    fn len(&self) -> u64 {
        self.length
    }

    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let tail = self.length - self.tail.len() as u64;
        let end = offset.saturating_add(length as u64).min(self.length);
        let byte = |at: u64| match at {
            at if at < self.head.len() as u64 => self.head[at as usize],
            at if at >= tail => self.tail[(at - tail) as usize],
            _ => 0,
        };
        Ok((offset..end.max(offset)).map(byte).collect())
    }
}

async fn written(source: &impl ReadAt, plan: &FaststartPlan) -> Bytes {
    let planned = Planned::new(source, plan);
    planned.read_at(0, planned.len() as usize).await.expect("read")
}

#[tokio::test]
async fn the_index_moves_and_its_places_follow() {
    let original = Bytes::from(samples::mp4(&Recipe::default()));
    let plan = faststart_plan(&original).await.expect("sound").expect("needed");
    let moved = written(&original, &plan).await;
    // The same recipe built with its index in front is the expected answer, byte for byte.
    assert_eq!(moved, samples::mp4(&Recipe { index_first: true, ..Recipe::default() }));
    assert_eq!(faststart_plan(&moved).await.expect("sound"), None);
    assert!(probe(&moved).await.expect("playable").faststart);
}

#[tokio::test]
async fn places_beyond_four_gibibytes_widen_their_tables() {
    let small = samples::mp4(&Recipe { audio_entry: None, ..Recipe::default() });
    let index = small.windows(4).position(|four| four == b"moov").expect("an index") - 4;
    let ftyp = small.windows(4).position(|four| four == b"mdat").expect("media") - 4;
    let mut tail = small[index..].to_vec();
    let place = tail.windows(4).position(|four| four == b"stco").expect("a table") + 12;
    let old = u32::MAX - 100;
    tail[place..place + 4].copy_from_slice(&old.to_be_bytes());
    let length = (1u64 << 32) + tail.len() as u64;
    let media = length - tail.len() as u64 - ftyp as u64;
    let head = [&small[..ftyp], &[0, 0, 0, 1], b"mdat", &media.to_be_bytes()].concat();
    let source = Sparse { head: head.into(), tail: tail.clone().into(), length };
    let plan = faststart_plan(&source).await.expect("sound").expect("needed");
    let Some(Segment::Bytes(moov)) = plan.segments.get(1) else { panic!("no index in {:?}", plan.segments) };
    let table = moov.windows(4).position(|four| four == b"co64").expect("widened") + 12;
    let new = u64::from_be_bytes(moov[table..table + 8].try_into().expect("eight bytes"));
    assert_eq!(new, u64::from(old) + moov.len() as u64);
    assert_eq!(moov.len(), tail.len() + 4);
    assert_eq!(plan.length, length + 4);
}

#[tokio::test]
async fn chunks_that_point_into_the_index_are_refused() {
    let mut bytes = samples::mp4(&Recipe::default());
    let place = bytes.windows(4).position(|four| four == b"stco").expect("a table") + 12;
    let inside = (bytes.len() - 20) as u32;
    bytes[place..place + 4].copy_from_slice(&inside.to_be_bytes());
    assert!(matches!(faststart_plan(&Bytes::from(bytes)).await, Err(ProbeError::Damaged)));
}

fn frame_hashes(ffmpeg: &Path, file: &Path) -> Vec<u8> {
    let output = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[tokio::test]
async fn ffmpeg_sees_the_same_frames_before_and_after() {
    let Some(ffmpeg) = samples::ffmpeg() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["before.mp4", "before.mov"] {
        let before = folder.path().join(name);
        samples::make(&ffmpeg, &before, 2.0, "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac");
        let source = FileSource::open(&before).await.expect("opened");
        let plan = faststart_plan(&source).await.expect("sound").expect("needed");
        let after = folder.path().join(format!("after-{name}"));
        std::fs::write(&after, written(&source, &plan).await).expect("written");
        assert_eq!(frame_hashes(&ffmpeg, &before), frame_hashes(&ffmpeg, &after), "{name}");
        let new = FileSource::open(&after).await.expect("opened");
        assert!(probe(&new).await.expect("playable").faststart);
        assert_eq!(faststart_plan(&new).await.expect("sound"), None);
    }
    let fragmented = folder.path().join("fragmented.mp4");
    samples::make(
        &ffmpeg,
        &fragmented,
        1.0,
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -an -movflags frag_keyframe+empty_moov",
    );
    assert_eq!(faststart_plan(&FileSource::open(&fragmented).await.expect("opened")).await.expect("sound"), None);
}
