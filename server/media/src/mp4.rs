//! MP4 and QuickTime: the row of boxes a file is made of. Source: ISO/IEC 14496-12 and Apple's QuickTime File Format.

pub(crate) mod fragments;
pub(crate) mod movie;

use bytes::Bytes;

use crate::probe::ProbeError;
use crate::source::{ReadAt, Window};

/// A fragmented recording has two boxes per fragment; this is over two hours of one-second fragments.
pub(crate) const MAX_TOP_BOXES: usize = 20_000;

/// Eight hours of 60 pictures a second index in about 30 MiB; anything above twice that is no recording of a talk.
pub(crate) const MAX_MOOV_BYTES: u64 = 64 * 1024 * 1024;

/// One box at the top level of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopBox {
    pub(crate) kind: [u8; 4],
    /// Where its header starts.
    pub(crate) offset: u64,
    /// 8, or 16 with a long size.
    pub(crate) header: u64,
    /// Header and body.
    pub(crate) size: u64,
}

impl TopBox {
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.size
    }
}

/// Walks the top-level boxes, reading their headers only.
///
/// # Errors
/// When a box runs past the end of the file or is none at all. Stray bytes after a whole recording are forgiven.
pub(crate) async fn walk(source: &impl ReadAt) -> Result<Vec<TopBox>, ProbeError> {
    let total = source.len();
    let mut window = Window::new(source);
    let mut boxes: Vec<TopBox> = Vec::new();
    let mut offset = 0;
    while offset < total && boxes.len() < MAX_TOP_BOXES {
        let head = window.read(offset, 16).await?;
        let whole = first(&boxes, *b"moov").is_some() && first(&boxes, *b"mdat").is_some();
        let (Some(size), Some(kind)) = (be32(&head, 0), fourcc(&head, 4)) else {
            break;
        };
        let (header, size) = match size {
            0 => (8, total - offset),
            1 => (16, be64(&head, 8).unwrap_or(0)),
            size => (8, u64::from(size)),
        };
        if size < header || !kind.iter().all(|byte| (0x20..0x7F).contains(byte) || *byte == 0xA9) {
            if whole {
                break;
            }
            return Err(if boxes.is_empty() || head.len() < 16 { ProbeError::Truncated } else { ProbeError::Damaged });
        }
        if size > total - offset {
            if whole && !matches!(&kind, b"mdat" | b"moof" | b"moov") {
                break;
            }
            return Err(ProbeError::Truncated);
        }
        boxes.push(TopBox { kind, offset, header, size });
        offset += size;
    }
    Ok(boxes)
}

/// The first box of a kind.
pub(crate) fn first(boxes: &[TopBox], kind: [u8; 4]) -> Option<&TopBox> {
    boxes.iter().find(|one| one.kind == kind)
}

/// Reads the body of a box no larger than `cap`.
///
/// # Errors
/// When it is larger, or the source ends inside it.
pub(crate) async fn body(source: &impl ReadAt, one: &TopBox, cap: u64) -> Result<Bytes, ProbeError> {
    let length = one.size - one.header;
    let length = usize::try_from(length).ok().filter(|_| length <= cap).ok_or(ProbeError::IndexTooLarge)?;
    let bytes = source.read_at(one.offset + one.header, length).await?;
    if bytes.len() < length { Err(ProbeError::Truncated) } else { Ok(bytes) }
}

/// A box inside a body already in memory.
#[derive(Clone, Copy)]
pub(crate) struct Inner<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: &'a [u8],
}

/// The boxes inside a body. Ends quietly at the first thing that is no box, for QuickTime closes some lists with zeros.
pub(crate) struct Boxes<'a> {
    rest: &'a [u8],
}

pub(crate) fn boxes(body: &[u8]) -> Boxes<'_> {
    Boxes { rest: body }
}

impl<'a> Boxes<'a> {
    /// What was not taken as a box.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Inner<'a>;

    fn next(&mut self) -> Option<Inner<'a>> {
        let size = be32(self.rest, 0)?;
        let kind = fourcc(self.rest, 4)?;
        let (header, size) = match size {
            0 if kind != [0; 4] => (8, self.rest.len()),
            1 => (16, usize::try_from(be64(self.rest, 8)?).ok()?),
            size => (8, size as usize),
        };
        let body = self.rest.get(header..size)?;
        self.rest = self.rest.get(size..)?;
        Some(Inner { kind, body })
    }
}

/// The first box of a kind inside a body.
pub(crate) fn find(body: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    boxes(body).find(|one| one.kind == kind).map(|one| one.body)
}

pub(crate) fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

pub(crate) fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

pub(crate) fn be64(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().copied().map(u64::from_be_bytes)
}

pub(crate) fn fourcc(data: &[u8], at: usize) -> Option<[u8; 4]> {
    data.get(at..)?.first_chunk().copied()
}
