//! Moving an MP4's index to the front without copying the media through memory: a plan of pieces the caller streams.
//!
//! The index (`moov`) names the place of every chunk in the file, so moving it shifts all of them; where the shifted
//! places no longer fit 32 bits, their tables are widened. Media bytes are never touched.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};

use crate::mp4::{self, Inner, MAX_MOOV_BYTES, be32, boxes};
use crate::probe::ProbeError;
use crate::source::ReadAt;

/// One piece of the new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// New bytes: the rewritten index.
    Bytes(Bytes),
    /// Bytes of the original, unchanged.
    Copy {
        /// Where they start in the original.
        offset: u64,
        /// How many.
        length: u64,
    },
}

impl Segment {
    /// Length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Copy { length, .. } => *length,
        }
    }
}

/// How to write a recording so that playing can start before its end has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaststartPlan {
    /// In the order to write them.
    pub segments: Vec<Segment>,
    /// Length of the new file in bytes.
    pub length: u64,
}

/// Plans the move of the index to the front; none when it is there already, the file is fragmented, or not MP4 at all.
///
/// # Errors
/// When the file is cut off or its index makes no sense: it then stays as it is.
pub async fn faststart_plan(source: &impl ReadAt) -> Result<Option<FaststartPlan>, ProbeError> {
    if !crate::sniff::sniff(&source.read_at(0, crate::sniff::SNIFF_BYTES).await?)?.is_boxes() {
        return Ok(None);
    }
    let top = mp4::walk(source).await?;
    let moov = mp4::first(&top, *b"moov").ok_or(ProbeError::Truncated)?;
    let behind = mp4::first(&top, *b"mdat").is_some_and(|media| media.offset < moov.offset);
    if !behind || mp4::first(&top, *b"moof").is_some() {
        return Ok(None);
    }
    let old = mp4::body(source, moov, MAX_MOOV_BYTES).await?;
    if mp4::find(&old, *b"mvex").is_some() {
        return Ok(None);
    }
    let front = top.first().filter(|first| first.kind == *b"ftyp").map_or(0, mp4::TopBox::end);
    let new = rewrite(&old, &Shift { front, moov_start: moov.offset, moov_end: moov.end(), total: source.len() })?;
    let mut segments = Vec::with_capacity(4);
    for segment in [
        Segment::Copy { offset: 0, length: front },
        Segment::Bytes(new),
        Segment::Copy { offset: front, length: moov.offset - front },
        Segment::Copy { offset: moov.end(), length: source.len() - moov.end() },
    ] {
        if segment.length() > 0 {
            segments.push(segment);
        }
    }
    let length = segments.iter().map(Segment::length).sum();
    Ok(Some(FaststartPlan { segments, length }))
}

/// The planned file, readable as if it had been written already: to stream it out in order, or to probe it first.
pub struct Planned<'a, S> {
    source: &'a S,
    plan: &'a FaststartPlan,
}

impl<'a, S: ReadAt> Planned<'a, S> {
    /// The plan must come from the same source.
    pub fn new(source: &'a S, plan: &'a FaststartPlan) -> Self {
        Self { source, plan }
    }
}

impl<S: ReadAt> ReadAt for Planned<'_, S> {
    fn len(&self) -> u64 {
        self.plan.length
    }

    async fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let end = offset.saturating_add(length as u64).min(self.plan.length);
        let mut out = BytesMut::new();
        let mut start = 0;
        for segment in &self.plan.segments {
            let (from, to) = (offset.max(start), end.min(start + segment.length()));
            if from < to {
                // Both ends lie inside what was asked for, so the length is a usize.
                let wanted = (to - from) as usize;
                let piece = match segment {
                    Segment::Bytes(bytes) => bytes.slice((from - start) as usize..(to - start) as usize),
                    Segment::Copy { offset, .. } => self.source.read_at(offset + (from - start), wanted).await?,
                };
                if piece.len() < wanted {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the original became shorter"));
                }
                if wanted as u64 == end - offset {
                    return Ok(piece);
                }
                out.extend_from_slice(&piece);
            }
            start += segment.length();
        }
        Ok(out.freeze())
    }
}

/// Where things lay before.
struct Shift {
    /// End of `ftyp`: everything from here moves.
    front: u64,
    moov_start: u64,
    moov_end: u64,
    total: u64,
}

impl Shift {
    /// The new place of a byte that lay at `old`, when the new index is `moov` bytes long.
    fn moved(&self, old: u64, moov: u64) -> Result<u64, ProbeError> {
        if old < self.front || old >= self.total || (self.moov_start..self.moov_end).contains(&old) {
            return Err(ProbeError::Damaged);
        }
        let removed = if old >= self.moov_end { self.moov_end - self.moov_start } else { 0 };
        Ok(old - removed + moov)
    }
}

/// Builds the new `moov`, header included. `survey` comes first: it proves every claimed count before one is allocated.
fn rewrite(old: &[u8], shift: &Shift) -> Result<Bytes, ProbeError> {
    let mut tables = Tables::default();
    survey(old, 0, &mut tables)?;
    // Widening 32-bit tables makes the index longer, which moves everything further: judged by the longer length.
    let longest = old.len() as u64 + 8 + 4 * tables.short_entries;
    let widen = tables.furthest_short.saturating_add(longest) > u64::from(u32::MAX);
    let length = 8 + rewritten_length(old, 0, widen);
    let mut out = BytesMut::with_capacity(length);
    put_header(&mut out, *b"moov", length)?;
    write(old, 0, widen, shift, length as u64, &mut out)?;
    // The offsets were computed for this length; another one would point every chunk at the wrong bytes.
    if out.len() == length { Ok(out.freeze()) } else { Err(ProbeError::Damaged) }
}

#[derive(Default)]
struct Tables {
    short_entries: u64,
    furthest_short: u64,
}

/// The path to a chunk table, by depth below `moov`.
fn leads_to_chunks(kind: [u8; 4], depth: usize) -> bool {
    [b"trak", b"mdia", b"minf", b"stbl"].get(depth).is_some_and(|name| **name == kind)
}

fn is_table(one: &Inner<'_>, depth: usize) -> bool {
    depth == 4 && matches!(&one.kind, b"stco" | b"co64")
}

fn survey(body: &[u8], depth: usize, tables: &mut Tables) -> Result<(), ProbeError> {
    for one in boxes(body) {
        if leads_to_chunks(one.kind, depth) {
            survey(one.body, depth + 1, tables)?;
        } else if is_table(&one, depth) {
            let places = offsets(&one)?;
            if one.kind == *b"stco" {
                for old in places {
                    tables.short_entries += 1;
                    tables.furthest_short = tables.furthest_short.max(old);
                }
            }
        } else if matches!(&one.kind, b"saio" | b"iloc") {
            // Further absolute places that would have to move too; only encrypted or hybrid files have them.
            return Err(ProbeError::Damaged);
        }
    }
    Ok(())
}

fn rewritten_length(body: &[u8], depth: usize, widen: bool) -> usize {
    let mut list = boxes(body);
    let mut length = 0;
    for one in list.by_ref() {
        length += 8 + if leads_to_chunks(one.kind, depth) {
            rewritten_length(one.body, depth + 1, widen)
        } else if is_table(&one, depth) {
            let count = be32(one.body, 4).unwrap_or(0) as usize;
            8 + count * if widen || one.kind == *b"co64" { 8 } else { 4 }
        } else {
            one.body.len()
        };
    }
    length + list.rest().len()
}

fn write(
    body: &[u8],
    depth: usize,
    widen: bool,
    shift: &Shift,
    moov: u64,
    out: &mut BytesMut,
) -> Result<(), ProbeError> {
    let mut list = boxes(body);
    for one in list.by_ref() {
        if leads_to_chunks(one.kind, depth) {
            put_header(out, one.kind, 8 + rewritten_length(one.body, depth + 1, widen))?;
            write(one.body, depth + 1, widen, shift, moov, out)?;
        } else if is_table(&one, depth) {
            let wide = widen || one.kind == *b"co64";
            let count = be32(one.body, 4).ok_or(ProbeError::Damaged)?;
            put_header(out, if wide { *b"co64" } else { *b"stco" }, 16 + count as usize * if wide { 8 } else { 4 })?;
            out.extend_from_slice(&one.body[..4]);
            out.put_u32(count);
            for old in offsets(&one)? {
                let new = shift.moved(old, moov)?;
                if wide {
                    out.put_u64(new);
                } else {
                    out.put_u32(u32::try_from(new).map_err(|_| ProbeError::Damaged)?);
                }
            }
        } else {
            put_header(out, one.kind, 8 + one.body.len())?;
            out.extend_from_slice(one.body);
        }
    }
    out.extend_from_slice(list.rest());
    Ok(())
}

fn put_header(out: &mut BytesMut, kind: [u8; 4], length: usize) -> Result<(), ProbeError> {
    out.put_u32(u32::try_from(length).map_err(|_| ProbeError::IndexTooLarge)?);
    out.put_slice(&kind);
    Ok(())
}

/// The entries of a chunk table; its claimed count must be there.
fn offsets<'a>(table: &Inner<'a>) -> Result<impl Iterator<Item = u64> + use<'a>, ProbeError> {
    let width = if table.kind == *b"co64" { 8 } else { 4 };
    let count = be32(table.body, 4).ok_or(ProbeError::Damaged)? as usize;
    let entries = count.checked_mul(width).and_then(|length| table.body.get(8..8usize.checked_add(length)?));
    let entries = entries.ok_or(ProbeError::Damaged)?;
    Ok(entries.chunks_exact(width).map(|entry| entry.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))))
}

#[cfg(test)]
mod tests;
