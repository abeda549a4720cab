//! The length of a fragmented recording whose header does not say: where its last fragment ends.

use super::movie::Track;
use super::{TopBox, be32, be64, body, boxes, find};
use crate::probe::ProbeError;
use crate::source::ReadAt;

/// Sound and pictures may end in different fragments, so the last few are looked at.
const LAST_FRAGMENTS: usize = 8;

/// A fragment of minutes stays far below.
const MAX_MOOF_BYTES: u64 = 4 * 1024 * 1024;

/// When the last fragment ends, in seconds; none when the fragments carry no times.
///
/// # Errors
/// When a fragment header cannot be read.
pub(crate) async fn end_seconds(
    source: &impl ReadAt,
    top: &[TopBox],
    tracks: &[Track],
) -> Result<Option<f64>, ProbeError> {
    let mut end: Option<f64> = None;
    for one in top.iter().rev().filter(|one| one.kind == *b"moof").take(LAST_FRAGMENTS) {
        let moof = body(source, one, MAX_MOOF_BYTES).await?;
        for traf in boxes(&moof).filter(|inner| inner.kind == *b"traf") {
            if let Some(seconds) = track_end(traf.body, tracks) {
                end = Some(end.map_or(seconds, |end| end.max(seconds)));
            }
        }
    }
    Ok(end)
}

fn track_end(traf: &[u8], tracks: &[Track]) -> Option<f64> {
    let tfhd = find(traf, *b"tfhd")?;
    let id = be32(tfhd, 4)?;
    let track = tracks.iter().find(|track| track.id == id && track.timescale > 0)?;
    let flags = be32(tfhd, 0)? & 0x00FF_FFFF;
    let at = 8 + if flags & 0x1 != 0 { 8 } else { 0 } + if flags & 0x2 != 0 { 4 } else { 0 };
    let default_ticks = if flags & 0x8 != 0 { be32(tfhd, at)? } else { track.default_sample_ticks };
    let tfdt = find(traf, *b"tfdt")?;
    let start = if tfdt.first() == Some(&1) { be64(tfdt, 4)? } else { u64::from(be32(tfdt, 4)?) };
    let ticks = boxes(traf)
        .filter(|inner| inner.kind == *b"trun")
        .filter_map(|trun| run_ticks(trun.body, default_ticks))
        .fold(start, u64::saturating_add);
    Some(ticks as f64 / f64::from(track.timescale))
}

fn run_ticks(trun: &[u8], default_ticks: u32) -> Option<u64> {
    let flags = be32(trun, 0)? & 0x00FF_FFFF;
    let count = be32(trun, 4)?;
    if flags & 0x100 == 0 {
        return Some(u64::from(count) * u64::from(default_ticks));
    }
    let head = 8 + if flags & 0x1 != 0 { 4 } else { 0 } + if flags & 0x4 != 0 { 4 } else { 0 };
    // The duration comes first among the fields a sample may have.
    let each = 4 * (flags & 0xF00).count_ones() as usize;
    let samples = trun.get(head..)?.chunks_exact(each).take(count as usize);
    Some(samples.filter_map(|sample| be32(sample, 0)).map(u64::from).fold(0, u64::saturating_add))
}
