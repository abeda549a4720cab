//! A recording and its captions, as pages show them.

use serde::{Deserialize, Serialize};

use crate::ids::{CaptionId, UploadId, VideoId};
use crate::moment::Moment;

/// Largest upload: 10 GiB (product.md, "Recording").
pub const MAX_UPLOAD_BYTES: u64 = 10 * 1024 * 1024 * 1024;
/// Largest caption file: an hour of speech is about 100 kB.
pub const MAX_CAPTION_BYTES: usize = 2 * 1024 * 1024;

/// How far the background work on a recording has come. The recording plays from `Processing` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoState {
    /// Playable; faststart, posters and details are still being made.
    Processing,
    /// Everything is there.
    Ready,
    /// Playable, but the background work could not be done; the reason is beside it.
    ReadyWithoutExtras,
}

impl VideoState {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::ReadyWithoutExtras => "ready_without_extras",
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::Processing, Self::Ready, Self::ReadyWithoutExtras].into_iter().find(|s| s.as_str() == text)
    }
}

/// One version of a webinar's recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoView {
    /// Which version.
    pub id: VideoId,
    /// 1 for the first upload; replacing raises it.
    pub version: i32,
    /// State of the background work.
    pub state: VideoState,
    /// What the background work could not do, in plain words.
    pub note: Option<String>,
    /// Name of the file as uploaded, for the coach's eyes only.
    pub file_name: String,
    /// Size in bytes.
    pub size_bytes: i64,
    /// Duration in seconds.
    pub duration_seconds: f64,
    /// Pixels, when known.
    pub width: i32,
    /// Pixels, when known.
    pub height: i32,
    /// Signed address that plays it.
    pub media_url: String,
    /// MIME type for `<source type>`.
    pub content_type: String,
    /// Signed address of the chosen poster.
    pub poster_url: Option<String>,
    /// Signed addresses of the candidates, with which one is chosen.
    pub poster_candidates: Vec<PosterCandidate>,
    /// Caption tracks.
    pub captions: Vec<CaptionTrack>,
    /// When it was uploaded.
    pub created_at: Moment,
}

/// A still picture offered as poster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PosterCandidate {
    /// Number within the video.
    pub index: i32,
    /// Signed address.
    pub url: String,
    /// Whether it is the poster.
    pub chosen: bool,
}

/// A caption track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaptionTrack {
    /// Which track.
    pub id: CaptionId,
    /// BCP 47 language, such as `en` or `pt-BR`.
    pub language: String,
    /// What the player's menu calls it.
    pub label: String,
    /// Signed address of the WebVTT file.
    pub url: String,
    /// Number of cues.
    pub cue_count: i32,
}

/// One spoken line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// Media seconds at which it starts.
    pub start_seconds: f64,
    /// Media seconds at which it ends.
    pub end_seconds: f64,
    /// Plain text, no markup.
    pub text: String,
}

/// An upload that can be resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadView {
    /// Its id.
    pub id: UploadId,
    /// `/uploads/{id}`
    pub url: String,
    /// Name of the file it was started with, so that resuming asks for the same one.
    pub file_name: String,
    /// Whole length in bytes.
    pub length_bytes: i64,
    /// Durable so far.
    pub offset_bytes: i64,
    /// When it is given up.
    pub expires_at: Moment,
}

/// `1:02:03` or `4:05`: a media time for people.
#[must_use]
pub fn clock_text(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `1.2 GB`: a size for people, decimal units as upload dialogs use them.
#[must_use]
pub fn size_text(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes.max(0.0);
    let mut unit = 0;
    while size >= 1000.0 && unit < units.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 || size >= 100.0 { format!("{size:.0} {}", units[unit]) } else { format!("{size:.1} {}", units[unit]) }
}

/// The largest upload for people, in the units other sizes are shown in.
#[must_use]
pub fn max_upload_text() -> String {
    size_text(MAX_UPLOAD_BYTES as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_ten_gibibytes_and_said_in_the_units_of_other_sizes() {
        assert_eq!(MAX_UPLOAD_BYTES, 10_737_418_240);
        assert_eq!(max_upload_text(), "10.7 GB");
    }

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(clock_text(3723.9), "1:02:03");
        assert_eq!(clock_text(65.0), "1:05");
        assert_eq!(clock_text(-1.0), "0:00");
        assert_eq!(size_text(1_234_000_000.0), "1.2 GB");
        assert_eq!(size_text(999.0), "999 B");
    }
}
