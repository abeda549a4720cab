//! Matroska and WebM: the head of the file, as far as the first cluster. Source: RFC 8794 (EBML), RFC 9559 (Matroska).

use bytes::Bytes;

use crate::codec::{Codec, matroska_audio, matroska_video};
use crate::probe::ProbeError;
use crate::source::{ReadAt, Window};

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;

/// Elements looked at before the first cluster; real files have about ten.
const MAX_ELEMENTS: usize = 256;

/// Tracks carry codec set-up of a few kilobytes each.
const MAX_ELEMENT_BYTES: u64 = 1024 * 1024;

/// As in [`crate::mp4::movie`].
const MAX_TRACKS: usize = 64;

/// What the head of a Matroska file says.
pub(crate) struct Head {
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) tracks: Vec<Track>,
    /// Length and tracks come before the first picture.
    pub(crate) head_first: bool,
}

/// One track.
pub(crate) struct Track {
    pub(crate) video: bool,
    pub(crate) audio: bool,
    pub(crate) codec: Codec,
    pub(crate) encrypted: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The document type in the first bytes of an EBML file; `matroska` is its default.
pub(crate) fn doc_type(first: &[u8]) -> Option<&[u8]> {
    let (id, at) = id(first)?;
    let (size, width) = size(first.get(at..)?)?;
    let body = first.get(at + width..)?;
    let body = &body[..body.len().min(usize::try_from(size?).ok()?)];
    if id != EBML {
        return None;
    }
    let name = elements(body).find(|(id, _)| *id == 0x4282).map_or(&b"matroska"[..], |(_, name)| name);
    Some(name.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// Reads the head of a file that [`doc_type`] recognised.
///
/// # Errors
/// When it is cut off, damaged or lacks its tracks.
pub(crate) async fn read(source: &impl ReadAt) -> Result<Head, ProbeError> {
    let mut window = Window::new(source);
    let segment = segment_start(source, &mut window).await?;
    let (mut info, mut tracks, mut seeks) = (None, None, Vec::new());
    let (mut at, mut cluster) = (segment, false);
    for _ in 0..MAX_ELEMENTS {
        if at >= source.len() {
            break;
        }
        let element = header(&mut window, at).await?;
        if element.id == CLUSTER {
            cluster = true;
            break;
        }
        match element.id {
            INFO => info = Some(element.body(source).await?),
            TRACKS => tracks = Some(element.body(source).await?),
            SEEK_HEAD => seeks.extend(targets(&element.body(source).await?)),
            _ => {}
        }
        at = element.end(source.len())?;
    }
    if !cluster {
        return Err(ProbeError::Truncated);
    }
    let head_first = info.is_some() && tracks.is_some();
    for (id, place) in seeks.into_iter().take(MAX_ELEMENTS) {
        let slot = match id {
            INFO => &mut info,
            TRACKS => &mut tracks,
            _ => continue,
        };
        if slot.is_none() {
            let element = header(&mut window, segment.saturating_add(place)).await?;
            if element.id == id {
                *slot = Some(element.body(source).await?);
            }
        }
    }
    let tracks = tracks.ok_or(ProbeError::Truncated)?;
    Ok(Head {
        duration_seconds: info.as_deref().and_then(duration_seconds),
        tracks: elements(&tracks).filter(|(id, _)| *id == 0xAE).take(MAX_TRACKS).map(|(_, body)| track(body)).collect(),
        head_first,
    })
}

/// Where the segment's content starts; its size must fit the file, unless it was written live and has none.
async fn segment_start<S: ReadAt>(source: &S, window: &mut Window<'_, S>) -> Result<u64, ProbeError> {
    let mut at = 0;
    for _ in 0..8 {
        let element = header(window, at).await?;
        if element.id == SEGMENT {
            if element.size.is_some() {
                element.end(source.len())?;
            }
            return Ok(element.start);
        }
        at = element.end(source.len())?;
    }
    Err(ProbeError::Damaged)
}

struct Element {
    id: u32,
    /// Where its content starts.
    start: u64,
    /// None when it was written without knowing.
    size: Option<u64>,
}

impl Element {
    fn end(&self, total: u64) -> Result<u64, ProbeError> {
        let end = self.start.checked_add(self.size.ok_or(ProbeError::Damaged)?).ok_or(ProbeError::Damaged)?;
        if end > total { Err(ProbeError::Truncated) } else { Ok(end) }
    }

    async fn body(&self, source: &impl ReadAt) -> Result<Bytes, ProbeError> {
        let size = self.size.filter(|size| *size <= MAX_ELEMENT_BYTES).ok_or(ProbeError::IndexTooLarge)? as usize;
        let body = source.read_at(self.start, size).await?;
        if body.len() < size { Err(ProbeError::Truncated) } else { Ok(body) }
    }
}

async fn header<S: ReadAt>(window: &mut Window<'_, S>, at: u64) -> Result<Element, ProbeError> {
    let bytes = window.read(at, 12).await?;
    let cut = || {
        if bytes.len() < 12 { ProbeError::Truncated } else { ProbeError::Damaged }
    };
    let (id, id_width) = id(&bytes).ok_or_else(cut)?;
    let (size, size_width) = size(bytes.get(id_width..).unwrap_or_default()).ok_or_else(cut)?;
    Ok(Element { id, start: at + (id_width + size_width) as u64, size })
}

/// `(element id, place from the segment's start)` of each entry.
fn targets(seek_head: &[u8]) -> Vec<(u32, u64)> {
    let entry = |body| {
        let wanted =
            elements(body).find(|(id, _)| *id == 0x53AB).and_then(|(_, body)| u32::try_from(unsigned(body)).ok());
        let place = elements(body).find(|(id, _)| *id == 0x53AC).map(|(_, body)| unsigned(body));
        wanted.zip(place)
    };
    elements(seek_head).filter(|(id, _)| *id == 0x4DBB).filter_map(|(_, body)| entry(body)).take(MAX_ELEMENTS).collect()
}

fn duration_seconds(info: &[u8]) -> Option<f64> {
    let mut nanoseconds_per_tick = 1_000_000;
    let mut ticks = None;
    for (id, body) in elements(info) {
        match id {
            0x2A_D7B1 => nanoseconds_per_tick = unsigned(body),
            0x4489 => ticks = float(body),
            _ => {}
        }
    }
    ticks.map(|ticks| ticks * nanoseconds_per_tick as f64 / 1e9).filter(|seconds| seconds.is_finite() && *seconds > 0.0)
}

fn track(body: &[u8]) -> Track {
    let (mut kind, mut codec_id, mut encrypted) = (0, &b""[..], false);
    let (mut pixels, mut shown, mut unit) = ((0, 0), (0, 0), 0);
    for (id, body) in elements(body) {
        match id {
            0x83 => kind = unsigned(body),
            0x86 => codec_id = body.split(|byte| *byte == 0).next().unwrap_or_default(),
            0x6D80 => encrypted |= encodings_encrypt(body),
            0xE0 => {
                for (id, body) in elements(body) {
                    let value = u32::try_from(unsigned(body)).unwrap_or(u32::MAX);
                    match id {
                        0xB0 => pixels.0 = value,
                        0xBA => pixels.1 = value,
                        0x54B0 => shown.0 = value,
                        0x54BA => shown.1 = value,
                        0x54B2 => unit = value,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // Other units (centimetres, a bare ratio) say nothing about pixels.
    let (width, height) = if unit == 0 && shown.0 > 0 && shown.1 > 0 { shown } else { pixels };
    let codec = if kind == 1 { matroska_video(codec_id) } else { matroska_audio(codec_id) };
    Track { video: kind == 1, audio: kind == 2, codec, encrypted, width, height }
}

fn encodings_encrypt(encodings: &[u8]) -> bool {
    let encrypts = |(id, body): (u32, &[u8])| id == 0x5035 || (id == 0x5033 && unsigned(body) == 1);
    elements(encodings).filter(|(id, _)| *id == 0x6240).any(|(_, encoding)| elements(encoding).any(encrypts))
}

/// The elements of a body in memory, ending quietly where they end making sense.
fn elements(mut rest: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, at) = id(rest)?;
        let (size, width) = size(rest.get(at..)?)?;
        let start = at + width;
        let end = start.checked_add(usize::try_from(size?).ok()?)?;
        let body = rest.get(start..end)?;
        rest = &rest[end..];
        Some((id, body))
    })
}

fn id(data: &[u8]) -> Option<(u32, usize)> {
    let width = data.first()?.leading_zeros() as usize + 1;
    if width > 4 {
        return None;
    }
    let bytes = data.get(..width)?;
    Some((bytes.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), width))
}

/// A size of one to eight bytes; all value bits set means unknown.
fn size(data: &[u8]) -> Option<(Option<u64>, usize)> {
    let width = data.first()?.leading_zeros() as usize + 1;
    if width > 8 {
        return None;
    }
    let bits = 7 * width as u32;
    let mask = u64::MAX >> (64 - bits);
    let value = data.get(..width)?.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte)) & mask;
    Some(((value != mask).then_some(value), width))
}

fn unsigned(body: &[u8]) -> u64 {
    body.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn float(body: &[u8]) -> Option<f64> {
    match body.len() {
        4 => body.first_chunk().map(|bytes| f64::from(f32::from_be_bytes(*bytes))),
        8 => body.first_chunk().map(|bytes| f64::from_be_bytes(*bytes)),
        _ => None,
    }
}
