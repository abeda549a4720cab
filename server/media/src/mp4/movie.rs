//! What the index (`moov`) says: length, tracks, codecs.

use super::{be16, be32, be64, boxes, find, fourcc};
use crate::codec::{Codec, mp4_audio, mp4_object_type, mp4_video};
use crate::probe::ProbeError;

/// A camera writes a handful; every further one is ignored.
const MAX_TRACKS: usize = 64;

/// The index of a recording.
pub(crate) struct Movie {
    /// From the movie header or its fragment twin; none when it is not known there.
    pub(crate) duration_seconds: Option<f64>,
    /// Pictures and sound follow in fragments (`moof`).
    pub(crate) fragmented: bool,
    pub(crate) tracks: Vec<Track>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Video,
    Audio,
    Other,
}

/// One track of the index.
pub(crate) struct Track {
    pub(crate) id: u32,
    pub(crate) kind: Kind,
    /// None without a sample description.
    pub(crate) codec: Option<Codec>,
    pub(crate) encrypted: bool,
    /// Its samples lie in another file (a QuickTime reference movie).
    pub(crate) elsewhere: bool,
    /// As shown: after rotation and pixel shape.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Ticks per second; 0 when unknown.
    pub(crate) timescale: u32,
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) samples: u32,
    /// Where its last piece of data starts in the file; 0 without any.
    pub(crate) furthest_chunk: u64,
    /// `profile_idc` of H.264.
    pub(crate) h264_profile: Option<u8>,
    /// Ticks of a sample whose fragment does not say (`trex`).
    pub(crate) default_sample_ticks: u32,
}

/// Reads the body of a `moov` box.
///
/// # Errors
/// When it is compressed, as some files of the 1990s are.
pub(crate) fn parse(moov: &[u8]) -> Result<Movie, ProbeError> {
    if find(moov, *b"cmov").is_some() {
        return Err(ProbeError::Damaged);
    }
    if find(moov, *b"rmra").is_some() {
        return Err(ProbeError::Elsewhere);
    }
    let header = find(moov, *b"mvhd").and_then(timed_header);
    let mut tracks: Vec<Track> =
        boxes(moov).filter(|one| one.kind == *b"trak").take(MAX_TRACKS).map(|one| track(one.body)).collect();
    let extends = find(moov, *b"mvex");
    let mut duration_seconds = header.and_then(Timed::seconds);
    if let Some(mvex) = extends {
        for trex in boxes(mvex).filter(|one| one.kind == *b"trex") {
            if let (Some(id), Some(ticks)) = (be32(trex.body, 4), be32(trex.body, 12))
                && let Some(track) = tracks.iter_mut().find(|track| track.id == id)
            {
                track.default_sample_ticks = ticks;
            }
        }
        if let (Some(header), Some(mehd)) = (header, find(mvex, *b"mehd")) {
            let ticks = if mehd.first() == Some(&1) { be64(mehd, 4) } else { be32(mehd, 4).map(u64::from) };
            duration_seconds =
                ticks.and_then(|ticks| Timed { ticks: Some(ticks), ..header }.seconds()).or(duration_seconds);
        }
    }
    Ok(Movie { duration_seconds, fragmented: extends.is_some(), tracks })
}

/// The shared start of `mvhd` and `mdhd`.
#[derive(Clone, Copy)]
struct Timed {
    timescale: u32,
    ticks: Option<u64>,
}

impl Timed {
    fn seconds(self) -> Option<f64> {
        let ticks = self.ticks.filter(|ticks| *ticks > 0)?;
        (self.timescale > 0).then(|| ticks as f64 / f64::from(self.timescale))
    }
}

/// All bits set means "not known" in both widths.
fn timed_header(body: &[u8]) -> Option<Timed> {
    if body.first()? == &1 {
        Some(Timed { timescale: be32(body, 20)?, ticks: be64(body, 24).filter(|ticks| *ticks != u64::MAX) })
    } else {
        Some(Timed {
            timescale: be32(body, 12)?,
            ticks: be32(body, 16).filter(|ticks| *ticks != u32::MAX).map(u64::from),
        })
    }
}

fn track(body: &[u8]) -> Track {
    let mdia = find(body, *b"mdia").unwrap_or_default();
    let minf = find(mdia, *b"minf").unwrap_or_default();
    let stbl = find(minf, *b"stbl").unwrap_or_default();
    let kind = match find(mdia, *b"hdlr").and_then(|hdlr| fourcc(hdlr, 8)) {
        Some(kind) if kind == *b"vide" => Kind::Video,
        Some(kind) if kind == *b"soun" => Kind::Audio,
        _ => Kind::Other,
    };
    let time = find(mdia, *b"mdhd").and_then(timed_header);
    let mut track = Track {
        id: 0,
        kind,
        codec: None,
        encrypted: false,
        elsewhere: elsewhere(minf),
        width: 0,
        height: 0,
        timescale: time.map_or(0, |time| time.timescale),
        duration_seconds: time.and_then(Timed::seconds),
        samples: find(stbl, *b"stsz").or_else(|| find(stbl, *b"stz2")).and_then(|table| be32(table, 8)).unwrap_or(0),
        furthest_chunk: furthest_chunk(stbl),
        h264_profile: None,
        default_sample_ticks: 0,
    };
    if let Some(stsd) = find(stbl, *b"stsd") {
        describe(&mut track, stsd);
    }
    if let Some(tkhd) = find(body, *b"tkhd") {
        let shift = if tkhd.first() == Some(&1) { 12 } else { 0 };
        track.id = be32(tkhd, 12 + if shift > 0 { 8 } else { 0 }).unwrap_or(0);
        let shown = |at| be32(tkhd, at).map_or(0, |fixed| fixed.saturating_add(0x8000) >> 16);
        let (width, height) = (shown(76 + shift), shown(80 + shift));
        if width > 0 && height > 0 {
            (track.width, track.height) = (width, height);
        }
        // A quarter turn: the matrix has nothing on its diagonal.
        if be32(tkhd, 40 + shift) == Some(0) && be32(tkhd, 56 + shift) == Some(0) && be32(tkhd, 44 + shift) != Some(0) {
            (track.width, track.height) = (track.height, track.width);
        }
    }
    track
}

/// The first sample description decides; a browser plays no second one.
fn describe(track: &mut Track, stsd: &[u8]) {
    let Some(entry) = stsd.get(8..).and_then(|list| boxes(list).next()) else {
        return;
    };
    track.encrypted = matches!(&entry.kind, b"encv" | b"enca" | b"drmi" | b"drms" | b"p608");
    match track.kind {
        Kind::Video => {
            track.codec = Some(mp4_video(entry.kind));
            track.width = be16(entry.body, 24).map_or(0, u32::from);
            track.height = be16(entry.body, 26).map_or(0, u32::from);
            let inside = entry.body.get(78..).unwrap_or_default();
            track.h264_profile = find(inside, *b"avcC").and_then(|config| config.get(1).copied());
        }
        Kind::Audio if entry.kind == *b"mp4a" => track.codec = Some(mp4a(entry.body)),
        Kind::Audio => track.codec = Some(mp4_audio(entry.kind)),
        Kind::Other => {}
    }
}

/// Finds the object type behind `mp4a`; QuickTime lengthens the entry and may wrap the descriptor in `wave`.
fn mp4a(entry: &[u8]) -> Codec {
    let fixed = match be16(entry, 8) {
        Some(1) => 44,
        Some(2) => 64,
        _ => 28,
    };
    let inside = entry.get(fixed..).unwrap_or_default();
    let esds = find(inside, *b"esds").or_else(|| find(find(inside, *b"wave")?, *b"esds"));
    // An `mp4a` without a descriptor is AAC in every file seen; a browser has the last word.
    esds.and_then(object_type).map_or(Codec::Plays("aac"), mp4_object_type)
}

/// Walks ES descriptor (3) to decoder configuration (4). Source: ISO/IEC 14496-1, 7.2.6.
fn object_type(esds: &[u8]) -> Option<u8> {
    let (tag, es) = descriptor(esds.get(4..)?)?;
    if tag != 3 {
        return None;
    }
    let flags = *es.get(2)?;
    let mut skip = 3;
    if flags & 0x80 != 0 {
        skip += 2;
    }
    if flags & 0x40 != 0 {
        skip += 1 + usize::from(*es.get(skip)?);
    }
    if flags & 0x20 != 0 {
        skip += 2;
    }
    let (tag, config) = descriptor(es.get(skip..)?)?;
    if tag == 4 { config.first().copied() } else { None }
}

/// Tag and body; the length is up to four bytes of seven bits and is not trusted beyond what is there.
fn descriptor(data: &[u8]) -> Option<(u8, &[u8])> {
    let tag = *data.first()?;
    let length_bytes = 1 + data.get(1..)?.iter().take(3).take_while(|byte| **byte & 0x80 != 0).count();
    Some((tag, data.get(1 + length_bytes..)?))
}

/// Flag 1 on a data reference means "in this file".
fn elsewhere(minf: &[u8]) -> bool {
    let dref = find(minf, *b"dinf").and_then(|dinf| find(dinf, *b"dref")).and_then(|dref| dref.get(8..));
    dref.is_some_and(|list| boxes(list).any(|one| one.body.get(3).is_some_and(|flags| flags & 1 == 0)))
}

fn furthest_chunk(stbl: &[u8]) -> u64 {
    let short = find(stbl, *b"stco").and_then(|table| table.get(8..)).unwrap_or_default();
    let long = find(stbl, *b"co64").and_then(|table| table.get(8..)).unwrap_or_default();
    let short = short.as_chunks().0.iter().map(|bytes| u64::from(u32::from_be_bytes(*bytes)));
    let long = long.as_chunks().0.iter().map(|bytes| u64::from_be_bytes(*bytes));
    short.chain(long).max().unwrap_or(0)
}
