//! The browser's side of a resumable upload, as far as it needs no browser: pieces, speed, time left, wording.

use crate::ids::WebinarId;
use crate::video::{MAX_UPLOAD_BYTES, UploadView, max_upload_text, size_text};

/// Bytes of one request. A lost connection costs at most this much of what was sent, and progress is durable this
/// often.
pub const PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// Half-life of the speed shown, in seconds: steady enough to read, quick enough to notice a change.
const SPEED_HALF_LIFE_SECONDS: f64 = 5.0;
/// Samples closer together than this are noise of the progress event.
const SAMPLE_SECONDS: f64 = 0.25;
/// Longest pause between tries, in seconds.
const LONGEST_PAUSE_SECONDS: f64 = 30.0;

/// The next piece, as a range of bytes; nothing when all was sent.
#[must_use]
pub fn next_piece(offset: u64, length: u64) -> Option<(u64, u64)> {
    (offset < length).then(|| (offset, length.min(offset.saturating_add(PIECE_BYTES))))
}

/// Seconds to wait before try number `failures` (1 for the first repeat). `jitter` is 0 to 1.
#[must_use]
pub fn pause_before_retry(failures: u32, jitter: f64) -> f64 {
    let doubled = f64::from(1u32 << failures.saturating_sub(1).min(6));
    (doubled * (0.5 + jitter.clamp(0.0, 1.0))).min(LONGEST_PAUSE_SECONDS)
}

/// The value of tus's `Upload-Metadata`: keys with values in base64.
#[must_use]
pub fn metadata_header(file_name: &str, content_type: &str, webinar: WebinarId) -> String {
    let mut pairs = vec![("filename", file_name.to_owned()), ("webinar", webinar.to_string())];
    if !content_type.is_empty() {
        pairs.insert(1, ("filetype", content_type.to_owned()));
    }
    let encoded: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} {}", base64(value.as_bytes()))).collect();
    encoded.join(",")
}

/// Standard base64 with padding (RFC 4648 §4). The browser's own `btoa` takes no characters beyond Latin-1.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// The value of tus's `Upload-Checksum` for a SHA-256 digest.
#[must_use]
pub fn checksum_header(sha256: &[u8]) -> String {
    format!("sha256 {}", base64(sha256))
}

/// The path in a `Location`. It may be absolute, at the address the server knows itself by; the page may have been
/// opened at another one, and asks only where it came from.
#[must_use]
pub fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => location,
    }
}

/// What an answer to a piece or a question means for the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Accepted,
    /// Not taken, but the same upload can go on: ask where it stands, at once or after a pause.
    AskAgain,
    /// Nobody is signed in any more.
    SignIn,
    /// The upload is no longer there.
    Gone,
    /// It will never be taken.
    Refused,
}

/// The verdict on a status (RFC 9110 §15; 423 and 460 are tus 1.0's).
#[must_use]
pub const fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Accepted,
        401 => Verdict::SignIn,
        404 | 410 => Verdict::Gone,
        408 | 409 | 423 | 425 | 429 | 460 | 500..=599 => Verdict::AskAgain,
        _ => Verdict::Refused,
    }
}

/// Why a transfer waits: the server's own words when it answered.
#[must_use]
pub fn waiting_text(answer: Option<(u16, &str)>) -> String {
    match answer {
        None => "The network is away. It goes on by itself as soon as it is back.".to_owned(),
        Some((_, "")) => "The server is busy. It goes on by itself in a moment.".to_owned(),
        Some((_, words)) => format!("{words} It is tried again by itself."),
    }
}

/// Why a file cannot be uploaded, known before a byte is sent.
#[must_use]
pub fn objection(size_bytes: u64, content_type: &str) -> Option<String> {
    if size_bytes == 0 {
        return Some("This file is empty. Please choose the recording again.".to_owned());
    }
    if size_bytes > MAX_UPLOAD_BYTES {
        return Some(format!(
            "This file has {} and the limit is {}. Export the recording at 1080p or with a lower bit rate, and upload that.",
            size_text(size_bytes as f64),
            max_upload_text()
        ));
    }
    let is_other_kind =
        ["image/", "text/", "application/pdf", "application/zip"].iter().any(|kind| content_type.starts_with(kind));
    is_other_kind.then(|| {
        "This is not a video file. Please choose the recording itself, such as an MP4, MOV or WebM file.".to_owned()
    })
}

/// The unfinished upload a chosen file goes on with. Only name and size can be compared: a browser keeps no hold of a
/// file across a reload, and reading a large file to compare would take longer than sending the rest.
#[must_use]
pub fn unfinished<'a>(open: &'a [UploadView], file_name: &str, size_bytes: u64) -> Option<&'a UploadView> {
    open.iter().find(|upload| upload.file_name == file_name && upload.length_bytes.unsigned_abs() == size_bytes)
}

/// The speed of a transfer, smoothed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speed {
    last: Option<(f64, u64)>,
    bytes_per_second: Option<f64>,
}

impl Speed {
    /// Takes how many bytes are through at `now` (seconds of a clock that never goes back).
    pub fn observe(&mut self, now: f64, bytes: u64) {
        let Some((then, before)) = self.last else {
            self.last = Some((now, bytes));
            return;
        };
        if bytes < before {
            // A piece is sent again: measured afresh, the speed known so far stays.
            self.last = Some((now, bytes));
            return;
        }
        let seconds = now - then;
        if seconds < SAMPLE_SECONDS {
            return;
        }
        let sample = (bytes - before) as f64 / seconds;
        let keep = 0.5f64.powf(seconds / SPEED_HALF_LIFE_SECONDS);
        self.bytes_per_second =
            Some(self.bytes_per_second.map_or(sample, |known| known * keep + sample * (1.0 - keep)));
        self.last = Some((now, bytes));
    }

    /// Forgets the last sample: a pause is no slow transfer.
    pub const fn pause(&mut self) {
        self.last = None;
    }

    /// Bytes per second, once known.
    #[must_use]
    pub const fn bytes_per_second(&self) -> Option<f64> {
        self.bytes_per_second
    }

    /// Seconds until the rest is through.
    #[must_use]
    pub fn seconds_left(&self, bytes_left: u64) -> Option<f64> {
        self.bytes_per_second.filter(|speed| *speed > 1.0).map(|speed| bytes_left as f64 / speed)
    }
}

/// Whole percent; 100 only when everything is through.
#[must_use]
pub fn percent(sent: u64, length: u64) -> u32 {
    if length == 0 {
        return 0;
    }
    u32::try_from(u128::from(sent.min(length)) * 100 / u128::from(length)).unwrap_or(100)
}

/// `about 3 minutes left`.
#[must_use]
pub fn time_left_text(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 10.0 {
        "a few seconds left".to_owned()
    } else if seconds < 55.0 {
        format!("about {} seconds left", ((seconds / 5.0).round() * 5.0) as u64)
    } else if seconds < 90.0 {
        "about a minute left".to_owned()
    } else if seconds < 3570.0 {
        format!("about {} minutes left", (seconds / 60.0).round() as u64)
    } else {
        let minutes = (seconds / 60.0).round() as u64;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let unit = if hours == 1 { "hour" } else { "hours" };
        if minutes == 0 {
            format!("about {hours} {unit} left")
        } else {
            format!("about {hours} {unit} {minutes} min left")
        }
    }
}

/// `62 % · 745 MB of 1.2 GB · 8.4 MB/s · about a minute left`.
#[must_use]
pub fn progress_text(sent: u64, length: u64, speed: &Speed) -> String {
    let mut text = format!("{} % · {} of {}", percent(sent, length), size_text(sent as f64), size_text(length as f64));
    if let Some(bytes_per_second) = speed.bytes_per_second() {
        text.push_str(&format!(" · {}/s", size_text(bytes_per_second)));
    }
    if let Some(seconds) = speed.seconds_left(length.saturating_sub(sent)) {
        text.push_str(" · ");
        text.push_str(&time_left_text(seconds));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use crate::ids::UploadId;
    use proptest::prelude::*;

    #[test]
    fn base64_is_the_standard_one() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("ü€", "w7zigqw="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn of_a_location_only_the_path_counts() {
        for location in ["https://webinars.example.com/uploads/7", "http://10.0.0.5:3000/uploads/7", "/uploads/7"] {
            assert_eq!(path_of(location), "/uploads/7");
        }
        assert_eq!(path_of("https://webinars.example.com"), "/");
    }

    #[test]
    fn an_answer_says_whether_to_go_on_wait_sign_in_or_stop() {
        for (status, expected) in [
            (204, Verdict::Accepted),
            (401, Verdict::SignIn),
            (404, Verdict::Gone),
            (409, Verdict::AskAgain),
            (410, Verdict::Gone),
            (413, Verdict::Refused),
            (415, Verdict::Refused),
            (422, Verdict::Refused),
            (429, Verdict::AskAgain),
            (460, Verdict::AskAgain),
            (503, Verdict::AskAgain),
            (507, Verdict::AskAgain),
        ] {
            assert_eq!(verdict(status), expected, "{status}");
        }
        assert!(waiting_text(None).contains("network is away"));
        assert!(waiting_text(Some((507, "The disk is full."))).starts_with("The disk is full."));
        assert!(!waiting_text(Some((503, ""))).contains("network"));
    }

    #[test]
    fn a_checksum_is_named_with_its_algorithm() {
        assert_eq!(checksum_header(b"foob"), "sha256 Zm9vYg==");
    }

    #[test]
    fn metadata_names_file_kind_and_webinar() {
        let webinar = WebinarId(uuid::Uuid::nil());
        let id = base64(webinar.to_string().as_bytes());
        assert_eq!(
            metadata_header("talk.mp4", "video/mp4", webinar),
            format!("filename dGFsay5tcDQ=,filetype dmlkZW8vbXA0,webinar {id}")
        );
        assert_eq!(metadata_header("talk.mp4", "", webinar), format!("filename dGFsay5tcDQ=,webinar {id}"));
    }

    #[test]
    fn speed_settles_and_a_pause_does_not_slow_it() {
        let mut speed = Speed::default();
        for second in 0..60u64 {
            speed.observe(second as f64, second * 1_000_000);
        }
        assert!((speed.bytes_per_second().expect("known") - 1_000_000.0).abs() < 1.0);
        speed.pause();
        speed.observe(600.0, 60_000_000);
        assert!((speed.bytes_per_second().expect("known") - 1_000_000.0).abs() < 1.0);
        assert_eq!(speed.seconds_left(120_000_000).map(f64::round), Some(120.0));
        speed.observe(601.0, 58_000_000);
        assert!(speed.bytes_per_second().expect("known") > 900_000.0);
    }

    #[test]
    fn wording_reads_well() {
        for (seconds, text) in [
            (3.0, "a few seconds left"),
            (33.0, "about 35 seconds left"),
            (60.0, "about a minute left"),
            (185.0, "about 3 minutes left"),
            (3600.0, "about 1 hour left"),
            (9000.0, "about 2 hours 30 min left"),
        ] {
            assert_eq!(time_left_text(seconds), text);
        }
        assert_eq!(percent(999_999, 1_000_000), 99);
        assert_eq!(progress_text(600, 1000, &Speed::default()), "60 % · 600 B of 1.0 kB");
    }

    #[test]
    fn an_unfinished_upload_is_found_by_name_and_size() {
        let open = [UploadView {
            id: UploadId(uuid::Uuid::nil()),
            url: "/uploads/x".into(),
            file_name: "talk.mp4".into(),
            length_bytes: 100,
            offset_bytes: 60,
            expires_at: Moment(0),
        }];
        assert!(unfinished(&open, "talk.mp4", 100).is_some());
        assert!(unfinished(&open, "talk.mp4", 101).is_none());
        assert!(unfinished(&open, "talk2.mp4", 100).is_none());
    }

    #[test]
    fn what_cannot_work_is_said_at_once() {
        assert!(objection(0, "video/mp4").is_some());
        assert!(objection(MAX_UPLOAD_BYTES + 1, "video/mp4").is_some());
        assert!(objection(10, "image/png").is_some());
        assert!(objection(MAX_UPLOAD_BYTES, "").is_none());
    }

    proptest! {
        #[test]
        fn pieces_cover_a_file_once(length in 0u64..200_000_000) {
            let mut offset = 0;
            while let Some((from, to)) = next_piece(offset, length) {
                prop_assert_eq!(from, offset);
                prop_assert!(to > from && to - from <= PIECE_BYTES);
                offset = to;
            }
            prop_assert_eq!(offset, length);
        }

        #[test]
        fn pauses_grow_and_end(failures in 0u32..100, jitter in -1.0f64..2.0) {
            let pause = pause_before_retry(failures, jitter);
            prop_assert!((0.5..=LONGEST_PAUSE_SECONDS).contains(&pause));
        }
    }
}
