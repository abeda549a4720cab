//! What a recording is, or the sentence that says why it cannot be shown.

use std::io;

use thiserror::Error;

use crate::codec::Codec;
use crate::mp4::movie::{Kind, Movie};
use crate::sniff::{Container, NotMedia, SNIFF_BYTES, sniff};
use crate::source::ReadAt;
use crate::{matroska, mp4};

/// Watch maps hold two bits a second and coaches do not talk for a day: a longer length is a broken header.
pub const MAX_DURATION_SECONDS: f64 = 24.0 * 3600.0;

/// Twice 8K; browsers stop earlier.
const MAX_SIDE_PIXELS: u32 = 16_384;

/// What a playable recording is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The wrapping.
    pub container: Container,
    /// What to serve it as. QuickTime goes out as `video/mp4`: browsers play it by the same code but some refuse its name.
    pub content_type: &'static str,
    /// Greater than 0, at most [`MAX_DURATION_SECONDS`].
    pub duration_seconds: f64,
    /// Pixels across, as shown (after rotation).
    pub width: u32,
    /// Pixels down, as shown.
    pub height: u32,
    /// `h264`, `hevc`, `vp8`, `vp9` or `av1`.
    pub video_codec: &'static str,
    /// `aac`, `mp3`, `opus`, `vorbis`, `flac`, or none for a silent recording.
    pub audio_codec: Option<&'static str>,
    /// Always true today: a recording without a picture is refused. Kept so that sound-only webinars need no new shape.
    pub has_video: bool,
    /// Playing can begin before the end of the file is loaded.
    pub faststart: bool,
    /// MP4 in fragments: nothing to move, it plays as it is.
    pub fragmented: bool,
    /// Every current browser plays it.
    pub browser_playable: bool,
    /// What the coach should know about who can play it; always there when not everybody can.
    pub note: Option<&'static str>,
}

/// Why a file is not taken. Every text is meant for the person who chose it, except that of [`ProbeError::Read`].
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the sentence of each says it better")]
pub enum ProbeError {
    #[error(transparent)]
    NotMedia(#[from] NotMedia),
    #[error("This file has no picture track, only sound or data. Upload the recording with its video.")]
    NoVideo,
    #[error(
        "This recording does not say how long it is; recordings made inside a browser often do not. Open it in a video editor or converter, save it as MP4 and upload that."
    )]
    NoDuration,
    #[error("This recording claims to be longer than a day. Save it again from the program that made it, as MP4.")]
    TooLong,
    #[error(
        "This recording is cut off: its end or its index is missing. Copy or export it again and upload the whole file."
    )]
    Truncated,
    #[error("This recording is protected (encrypted), so no browser can play it. Upload an unprotected copy.")]
    Encrypted,
    #[error(
        "This file only points to a recording kept in another file. Export it as a self-contained movie and upload that."
    )]
    Elsewhere,
    #[error("This recording is damaged: its index cannot be read. Export it again as MP4 and upload that.")]
    Damaged,
    #[error("The index of this recording is too large to be sound. Export it again as MP4 and upload that.")]
    IndexTooLarge,
    #[error("Browsers cannot play the pictures of this recording ({name}). {ACCEPTED}")]
    VideoCodec { name: &'static str },
    #[error("Browsers cannot play the sound of this recording ({name}). {ACCEPTED}")]
    AudioCodec { name: &'static str },
    #[error("the recording could not be read")]
    Read(#[from] io::Error),
}

/// The whole list, in one sentence.
pub const ACCEPTED: &str = "Accepted are H.264, HEVC, VP8, VP9 and AV1 pictures with AAC, MP3, Opus, Vorbis or FLAC sound, or without sound. \
     Most editors make the first of each when asked for MP4.";

impl ProbeError {
    /// Whether the file is at fault, not the store it was read from: a refusal for people, not a fault for us.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Read(_))
    }
}

/// Reads what a recording is from its headers: a few ranges, never the media itself.
///
/// # Errors
/// A sentence for every file a browser could not play, or the store's own failure.
pub async fn probe(source: &impl ReadAt) -> Result<Probe, ProbeError> {
    let container = sniff(&source.read_at(0, SNIFF_BYTES).await?)?;
    let found = if container.is_boxes() { boxes(source).await? } else { elements(source).await? };
    let (width, height) = found.size;
    if width == 0 || height == 0 || width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS {
        return Err(ProbeError::Damaged);
    }
    let duration_seconds = found.duration_seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    let duration_seconds = duration_seconds.ok_or(ProbeError::NoDuration)?;
    if duration_seconds > MAX_DURATION_SECONDS {
        return Err(ProbeError::TooLong);
    }
    let (browser_playable, note) = audience(container, &found);
    Ok(Probe {
        container,
        content_type: content_type(container, &found),
        duration_seconds,
        width,
        height,
        video_codec: found.video,
        audio_codec: found.audio,
        has_video: true,
        faststart: found.faststart,
        fragmented: found.fragmented,
        browser_playable,
        note,
    })
}

/// What both parsers bring home.
struct Found {
    duration_seconds: Option<f64>,
    size: (u32, u32),
    video: &'static str,
    audio: Option<&'static str>,
    h264_profile: Option<u8>,
    faststart: bool,
    fragmented: bool,
}

async fn boxes(source: &impl ReadAt) -> Result<Found, ProbeError> {
    let top = mp4::walk(source).await?;
    let moov = mp4::first(&top, *b"moov").ok_or(ProbeError::Truncated)?;
    let movie = mp4::movie::parse(&mp4::body(source, moov, mp4::MAX_MOOV_BYTES).await?)?;
    let video = playing(&movie, Kind::Video)?.ok_or(ProbeError::NoVideo)?;
    let audio = playing(&movie, Kind::Audio)?;
    let has_fragments = movie.fragmented && mp4::first(&top, *b"moof").is_some();
    let track = video.track;
    if track.samples == 0 && !has_fragments {
        return Err(if movie.fragmented { ProbeError::Truncated } else { ProbeError::NoVideo });
    }
    if track.furthest_chunk >= source.len() {
        return Err(ProbeError::Truncated);
    }
    let mut duration_seconds = movie.duration_seconds;
    if duration_seconds.is_none() {
        duration_seconds = if has_fragments {
            mp4::fragments::end_seconds(source, &top, &movie.tracks).await?
        } else {
            movie.tracks.iter().filter_map(|track| track.duration_seconds).reduce(f64::max)
        };
    }
    let media = mp4::first(&top, *b"mdat").ok_or(ProbeError::Truncated)?;
    Ok(Found {
        duration_seconds,
        size: (track.width, track.height),
        video: video.codec,
        audio: audio.map(|audio| audio.codec),
        h264_profile: track.h264_profile,
        faststart: moov.offset < media.offset,
        fragmented: has_fragments,
    })
}

struct Playing<'a> {
    track: &'a mp4::movie::Track,
    codec: &'static str,
}

/// The first track of a kind that plays. Others beside it (chapter pictures, a second sound format) do not matter.
fn playing(movie: &Movie, kind: Kind) -> Result<Option<Playing<'_>>, ProbeError> {
    let mut refusal = None;
    for track in movie.tracks.iter().filter(|track| track.kind == kind) {
        let problem = match track.codec {
            _ if track.encrypted => ProbeError::Encrypted,
            _ if track.elsewhere => ProbeError::Elsewhere,
            None => ProbeError::Damaged,
            Some(Codec::Refused(name)) => refused(kind == Kind::Video, name),
            Some(Codec::Plays(codec)) => return Ok(Some(Playing { track, codec })),
        };
        refusal.get_or_insert(problem);
    }
    refusal.map_or(Ok(None), Err)
}

fn refused(video: bool, name: &'static str) -> ProbeError {
    if video { ProbeError::VideoCodec { name } } else { ProbeError::AudioCodec { name } }
}

async fn elements(source: &impl ReadAt) -> Result<Found, ProbeError> {
    let head = matroska::read(source).await?;
    let video = playing_element(&head, true)?.ok_or(ProbeError::NoVideo)?;
    Ok(Found {
        duration_seconds: head.duration_seconds,
        size: (video.width, video.height),
        video: video.codec,
        audio: playing_element(&head, false)?.map(|audio| audio.codec),
        h264_profile: None,
        faststart: head.head_first,
        fragmented: false,
    })
}

struct PlayingElement {
    codec: &'static str,
    width: u32,
    height: u32,
}

/// As [`playing`], for Matroska.
fn playing_element(head: &matroska::Head, video: bool) -> Result<Option<PlayingElement>, ProbeError> {
    let mut refusal = None;
    for track in head.tracks.iter().filter(|track| if video { track.video } else { track.audio }) {
        let problem = match track.codec {
            _ if track.encrypted => ProbeError::Encrypted,
            Codec::Refused(name) => refused(video, name),
            Codec::Plays(codec) => {
                return Ok(Some(PlayingElement { codec, width: track.width, height: track.height }));
            }
        };
        refusal.get_or_insert(problem);
    }
    refusal.map_or(Ok(None), Err)
}

fn is_webm(found: &Found) -> bool {
    matches!(found.video, "vp8" | "vp9" | "av1") && matches!(found.audio, None | Some("opus" | "vorbis"))
}

fn content_type(container: Container, found: &Found) -> &'static str {
    match container {
        Container::Mp4 | Container::Mov => "video/mp4",
        Container::Matroska if !is_webm(found) => "video/x-matroska",
        Container::Webm | Container::Matroska => "video/webm",
    }
}

/// Who can play it. Source: the browsers' own media tables (caniuse: hevc, av1, webm).
fn audience(container: Container, found: &Found) -> (bool, Option<&'static str>) {
    if found.video == "hevc" {
        return (
            false,
            Some(
                "HEVC (H.265) plays in Safari and on many newer devices, but not in every browser. To reach everybody, export it as H.264.",
            ),
        );
    }
    // High 10, High 4:2:2, High 4:4:4: phones decode only 8-bit 4:2:0 in hardware.
    if matches!(found.h264_profile, Some(110 | 122 | 244 | 44)) {
        return (
            false,
            Some(
                "This H.264 has 10 bits or full colour, which many browsers do not play. To reach everybody, export it as 8-bit 4:2:0 (“High” profile).",
            ),
        );
    }
    if !container.is_boxes() && !is_webm(found) {
        return (
            false,
            Some("Matroska (MKV) with this content plays in some browsers only. To reach everybody, export it as MP4."),
        );
    }
    if container.is_boxes() && (found.video == "vp8" || found.audio == Some("vorbis")) {
        return (
            false,
            Some(
                "This pairing of formats in MP4 plays in some browsers only. To reach everybody, export it as H.264 with AAC.",
            ),
        );
    }
    if found.video == "av1" {
        return (true, Some("AV1 does not play on Apple devices from before 2023. H.264 reaches everybody."));
    }
    (true, None)
}

#[cfg(test)]
mod tests;
