//! Stills by ffmpeg, fenced in: the file is a stranger's and decoders are where such files attack.
//!
//! The child gets a cleared environment, a temporary folder of its own, no standard input, limits on memory, processor
//! time and file size (`prlimit`), low priority, no network (`unshare`, where the system allows it) and a deadline.
//! The demuxer is forced from our own sniffing and only local files may be opened, so a playlist dressed as a video
//! reaches nothing. Without ffmpeg or without `prlimit` there are no stills; nothing else depends on them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;

use crate::sniff::{NotMedia, SNIFF_BYTES, sniff};

/// Wide enough for a page, small enough for a mail preview.
const MAX_WIDTH_PIXELS: u32 = 1_280;

/// 8K; larger pictures are refused before their memory is asked for.
const MAX_PICTURE_PIXELS: u32 = 8_192 * 4_320;

/// Stills asked for at once.
pub const MAX_STILLS: usize = 12;

const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const CPU_SECONDS: u32 = 30;
const OUTPUT_BYTES: u64 = 16 * 1024 * 1024;
const WALL_CLOCK: Duration = Duration::from_secs(60);

/// Decoders of the formats a probe accepts; any other in the file stays shut.
const DECODERS: &str = "h264,hevc,vp8,vp9,av1,libdav1d,libaom-av1";

/// Fixed, so that nothing is found by way of an environment.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Why there are no stills.
#[derive(Debug, Error)]
pub enum StillError {
    /// The input is not what it was taken for.
    #[error(transparent)]
    NotMedia(#[from] NotMedia),
    /// It ran longer than a minute and was ended.
    #[error("ffmpeg took too long for a still at {at_seconds} s")]
    TooSlow {
        /// The place asked for.
        at_seconds: f64,
    },
    /// It ended with an error or was ended by a limit; what it said is kept for the log.
    #[error("ffmpeg made no still at {at_seconds} s: {said}")]
    Failed {
        /// The place asked for.
        at_seconds: f64,
        /// The start of its error output.
        said: String,
    },
    /// The file system or the start of the process failed.
    #[error("ffmpeg could not be run")]
    Io(#[from] io::Error),
}

/// An ffmpeg that can be run safely.
#[derive(Clone, Debug)]
pub struct Tool {
    ffmpeg: PathBuf,
    /// Program and arguments put in front: limits, priority and, where it works, a network of nothing.
    fence: Vec<String>,
    deadline: Duration,
}

impl Tool {
    /// Looks for ffmpeg and what fences it in; tries once whether the network can be taken away. Blocks briefly.
    #[must_use]
    pub fn find() -> Option<Self> {
        let ffmpeg = installed("ffmpeg")?;
        let mut fence = vec![
            installed("prlimit")?.to_str()?.to_owned(),
            format!("--as={MEMORY_BYTES}"),
            format!("--cpu={CPU_SECONDS}"),
            format!("--fsize={OUTPUT_BYTES}"),
            "--core=0".to_owned(),
        ];
        if let Some(nice) = installed("nice") {
            fence.extend([nice.to_str()?.to_owned(), "-n".to_owned(), "10".to_owned()]);
        }
        fence.extend(no_network().unwrap_or_default());
        Some(Self { ffmpeg, fence, deadline: WALL_CLOCK })
    }

    /// Makes one JPEG, at most 1280 pixels wide, for each place in the recording, named `still-0.jpg` and so on in
    /// `out_dir`. A place past the end has none and is left out. At most [`MAX_STILLS`] places are looked at.
    ///
    /// # Errors
    /// When the input is no accepted container, or ffmpeg fails, is stopped by a limit or by the deadline.
    pub async fn posters(&self, input: &Path, at_seconds: &[f64], out_dir: &Path) -> Result<Vec<PathBuf>, StillError> {
        let input = tokio::fs::canonicalize(input).await?;
        let demuxer = if sniff(&first_bytes(&input).await?)?.is_boxes() { "mov" } else { "matroska" };
        // Inside the target, so that a finished still is moved there by a rename and is never seen half written.
        let work = tempfile::Builder::new().prefix(".stills-").tempdir_in(out_dir)?;
        let mut stills = Vec::new();
        for (index, at_seconds) in at_seconds.iter().copied().take(MAX_STILLS).enumerate() {
            let made = work.path().join("still.jpg");
            self.still(&input, demuxer, at_seconds.max(0.0), work.path(), &made).await?;
            if is_jpeg(&made).await {
                let still = out_dir.join(format!("still-{index}.jpg"));
                tokio::fs::rename(&made, &still).await?;
                stills.push(still);
            }
        }
        Ok(stills)
    }

    async fn still(
        &self,
        input: &Path,
        demuxer: &str,
        at_seconds: f64,
        work: &Path,
        output: &Path,
    ) -> Result<(), StillError> {
        let said = work.join("said");
        let mut words = self.fence.iter();
        let mut command = match words.next() {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(words).arg(&self.ffmpeg);
                command
            }
            None => Command::new(&self.ffmpeg),
        };
        command.args([
            "-nostdin",
            "-hide_banner",
            "-loglevel",
            "error",
            "-y",
            "-protocol_whitelist",
            "file",
            "-threads",
            "1",
        ]);
        command.args(["-codec_whitelist", DECODERS, "-max_pixels", &MAX_PICTURE_PIXELS.to_string()]);
        if demuxer == "mov" {
            // QuickTime may name other files to read from.
            command.args(["-enable_drefs", "0"]);
        }
        command.args(["-an", "-sn", "-dn", "-f", demuxer, "-ss", &format!("{at_seconds:.3}"), "-i"]).arg(input);
        let scale = format!("scale=w='min({MAX_WIDTH_PIXELS},iw)':h=-2:flags=bicubic");
        command.args(["-map", "0:V:0", "-frames:v", "1", "-filter_threads", "1", "-threads", "1", "-vf", &scale]);
        command
            .args(["-pix_fmt", "yuvj420p", "-q:v", "4", "-map_metadata", "-1", "-c:v", "mjpeg", "-f", "mjpeg"])
            .arg(output);
        command.env_clear().env("TMPDIR", work).env("LC_ALL", "C").current_dir(work);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said)?).kill_on_drop(true);
        let mut child = command.spawn()?;
        let Ok(ended) = tokio::time::timeout(self.deadline, child.wait()).await else {
            child.kill().await?;
            return Err(StillError::TooSlow { at_seconds });
        };
        if ended?.success() { Ok(()) } else { Err(StillError::Failed { at_seconds, said: start_of(&said) }) }
    }
}

fn installed(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// The words that take the network away: as root directly, otherwise through a user namespace where those are allowed.
fn no_network() -> Option<Vec<String>> {
    let unshare = installed("unshare")?;
    let harmless = installed("true")?;
    [&["--net"][..], &["--user", "--map-current-user", "--net"]].into_iter().find_map(|options| {
        let mut attempt = std::process::Command::new(&unshare);
        attempt.args(options).arg(&harmless).env_clear();
        attempt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let works = attempt.status().is_ok_and(|status| status.success());
        works.then(|| {
            std::iter::once(unshare.display().to_string()).chain(options.iter().map(ToString::to_string)).collect()
        })
    })
}

async fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt;
    let mut first = Vec::new();
    tokio::fs::File::open(path).await?.take(SNIFF_BYTES as u64).read_to_end(&mut first).await?;
    Ok(first)
}

/// ffmpeg ends well without a picture when the place lies past the end.
async fn is_jpeg(path: &Path) -> bool {
    tokio::fs::read(path).await.is_ok_and(|bytes| bytes.starts_with(&[0xFF, 0xD8]) && bytes.ends_with(&[0xFF, 0xD9]))
}

fn start_of(path: &Path) -> String {
    let mut said = Vec::new();
    // A log line loses nothing when this cannot be read.
    let _ = File::open(path).and_then(|file| file.take(600).read_to_end(&mut said));
    String::from_utf8_lossy(&said).lines().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[tokio::test]
    async fn stills_are_made_and_a_place_past_the_end_has_none() {
        let Some(ffmpeg) = samples::ffmpeg() else { return };
        let tool = Tool::find().expect("ffmpeg and prlimit");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = tempfile::tempdir().expect("a temporary folder");
        for (name, options) in [
            ("a.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -vf scale=1600:900"),
            ("b.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -vf scale=1600:900"),
        ] {
            let input = folder.path().join(name);
            samples::make(&ffmpeg, &input, 2.0, options);
            let stills = tool.posters(&input, &[0.0, 1.2, 900.0], out.path()).await.expect("made");
            assert_eq!(stills, [out.path().join("still-0.jpg"), out.path().join("still-1.jpg")], "{name}");
            let first = std::fs::read(&stills[0]).expect("read");
            let frame = first.windows(2).position(|two| two == [0xFF, 0xC0]).expect("a baseline frame");
            let side = |at: usize| u16::from_be_bytes([first[frame + at], first[frame + at + 1]]);
            assert_eq!((side(7), side(5)), (1280, 720), "{name}");
            assert_ne!(first, std::fs::read(&stills[1]).expect("read"), "{name}");
        }
        let names: Vec<_> =
            std::fs::read_dir(out.path()).expect("listed").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(names.len(), 2, "nothing else stays behind: {names:?}");
    }

    #[test]
    fn the_fence_holds() {
        if samples::ffmpeg().is_none() {
            return;
        }
        let tool = Tool::find().expect("ffmpeg and prlimit");
        let output = std::process::Command::new(&tool.fence[0])
            .args(&tool.fence[1..])
            .args(["/bin/sh", "-c", "ulimit -v; ulimit -t; ulimit -c; nice; tail -n +3 /proc/net/dev | wc -l"])
            .output()
            .expect("run");
        let said = String::from_utf8(output.stdout).expect("text");
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(said[..3], ["2097152", "30", "0"]);
        assert!(said[3].parse::<i32>().is_ok_and(|nice| nice >= 10));
        if no_network().is_some() {
            assert!(said[4].trim().parse::<i32>().is_ok_and(|devices| devices <= 1), "{said:?}");
        }
    }

    #[tokio::test]
    async fn the_deadline_ends_it() {
        let Some(ffmpeg) = samples::ffmpeg() else { return };
        let tool = Tool { deadline: Duration::ZERO, ..Tool::find().expect("ffmpeg and prlimit") };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let input = folder.path().join("a.mp4");
        samples::make(&ffmpeg, &input, 1.0, "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -an");
        let error = tool.posters(&input, &[0.0], folder.path()).await.expect_err("too slow");
        assert!(matches!(error, StillError::TooSlow { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_playlist_and_a_broken_file_make_nothing() {
        if samples::ffmpeg().is_none() {
            return;
        }
        let tool = Tool::find().expect("ffmpeg and prlimit");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let input = folder.path().join("video.mp4");
        std::fs::write(&input, "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n").expect("written");
        let error = tool.posters(&input, &[0.0], folder.path()).await.expect_err("refused");
        assert!(matches!(error, StillError::NotMedia(_)), "{error}");
        std::fs::write(&input, samples::mp4(&samples::Recipe::default())).expect("written");
        let error = tool.posters(&input, &[0.0], folder.path()).await.expect_err("no picture inside");
        assert!(matches!(error, StillError::Failed { .. }), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
