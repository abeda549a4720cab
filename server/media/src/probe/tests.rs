use super::*;
use crate::samples::{self, Recipe};
use bytes::Bytes;
use proptest::prelude::*;

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn probed(bytes: Vec<u8>) -> Result<Probe, ProbeError> {
    now(probe(&Bytes::from(bytes)))
}

#[test]
fn a_plain_mp4_is_read() {
    for index_first in [false, true] {
        let found = probed(samples::mp4(&Recipe { index_first, ..Recipe::default() })).expect("playable");
        assert_eq!((found.container, found.content_type), (Container::Mp4, "video/mp4"));
        assert_eq!((found.width, found.height, found.video_codec, found.audio_codec), (640, 360, "h264", Some("opus")));
        assert!((found.duration_seconds - 2.5).abs() < 1e-9);
        assert_eq!(
            (found.faststart, found.fragmented, found.browser_playable, found.note),
            (index_first, false, true, None)
        );
    }
}

#[test]
fn a_plain_webm_is_read() {
    let found = probed(samples::webm("webm", "V_VP9", "A_OPUS", Some(61_500.0))).expect("playable");
    assert_eq!((found.container, found.content_type), (Container::Webm, "video/webm"));
    assert_eq!((found.width, found.height, found.video_codec, found.audio_codec), (640, 360, "vp9", Some("opus")));
    assert!((found.duration_seconds - 61.5).abs() < 1e-9);
    let mkv = probed(samples::webm("matroska", "V_MPEG4/ISO/AVC", "A_AAC", Some(1_000.0))).expect("accepted");
    assert_eq!((mkv.content_type, mkv.browser_playable), ("video/x-matroska", false));
}

#[test]
fn a_fragmented_mp4_ends_where_its_last_fragment_does() {
    let found = probed(samples::fragmented()).expect("playable");
    assert!(found.fragmented && found.faststart && (found.duration_seconds - 4.5).abs() < 1e-9, "{found:?}");
}

#[test]
fn refusals_are_sentences_about_the_cause() {
    let recipe = Recipe::default;
    let cases = [
        (samples::mp4(&Recipe { video_entry: *b"apcn", ..recipe() }), "Apple ProRes"),
        (samples::mp4(&Recipe { audio_entry: Some(*b"ac-3"), ..recipe() }), "Dolby"),
        (samples::mp4(&Recipe { video_entry: *b"encv", ..recipe() }), "protected"),
        (samples::mp4(&Recipe { ticks: 0, ..recipe() }), "how long"),
        (samples::mp4(&Recipe { ticks: u32::MAX - 1, ..recipe() }), "longer than a day"),
        (samples::mp4(&Recipe { self_contained: false, ..recipe() }), "another file"),
        (samples::mp4(&recipe())[..60].to_vec(), "cut off"),
        (samples::webm("webm", "V_VP9", "A_OPUS", None), "how long"),
        (samples::webm("webm", "V_VP9", "A_DTS", Some(1.0)), "DTS"),
        (Vec::new(), "empty"),
        (b"%PDF-1.4".to_vec(), "PDF"),
    ];
    for (bytes, word) in cases {
        let error = probed(bytes).expect_err(word);
        let sentence = error.to_string();
        assert!(error.is_refusal() && sentence.contains(word) && sentence.ends_with('.'), "{word}: {sentence}");
    }
}

#[test]
fn every_shortened_file_is_refused_as_cut_off() {
    for whole in [
        samples::mp4(&Recipe { index_first: true, ..Recipe::default() }),
        samples::mp4(&Recipe::default()),
        samples::webm("webm", "V_VP8", "A_VORBIS", Some(9.0)),
    ] {
        assert!(probed(whole.clone()).is_ok());
        for length in 64..whole.len() {
            let error = probed(whole[..length].to_vec()).expect_err("cut");
            assert!(matches!(error, ProbeError::Truncated), "{length} of {}: {error:?}", whole.len());
        }
    }
}

#[test]
fn an_index_that_points_past_the_end_is_refused_as_cut_off() {
    let mut bytes = samples::mp4(&Recipe::default());
    let place = bytes.windows(4).position(|four| four == b"stco").expect("a table") + 12;
    let past = bytes.len() as u32;
    bytes[place..place + 4].copy_from_slice(&past.to_be_bytes());
    assert!(matches!(probed(bytes), Err(ProbeError::Truncated)));
}

#[test]
fn claimed_sizes_are_not_allocated() {
    let mut huge = samples::boxed(b"ftyp", &[b"isom\0\0\0\0isom"]);
    huge.extend([0, 0, 0, 1]);
    huge.extend(b"moov");
    huge.extend(u64::MAX.to_be_bytes());
    huge.extend([0; 64]);
    assert!(matches!(probed(huge), Err(ProbeError::Truncated)));
    let mut nested = Vec::new();
    for _ in 0..5_000 {
        nested = samples::boxed(b"moov", &[&nested]);
    }
    assert!(probed([samples::boxed(b"ftyp", &[b"isom\0\0\0\0isom"]), nested].concat()).is_err());
}

#[test]
fn real_recordings_are_read() {
    let Some(ffmpeg) = samples::ffmpeg() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let h264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let cases = [
        ("a.mp4", format!("{h264} -c:a aac"), "h264", Some("aac"), false, true),
        ("b.mp4", format!("{h264} -c:a libmp3lame -movflags +faststart"), "h264", Some("mp3"), true, true),
        ("c.mov", format!("{h264} -c:a aac"), "h264", Some("aac"), false, true),
        (
            "d.mp4",
            format!("{h264} -c:a aac -g 5 -movflags frag_keyframe+empty_moov+default_base_moof"),
            "h264",
            Some("aac"),
            true,
            true,
        ),
        (
            "e.webm",
            "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus".to_owned(),
            "vp8",
            Some("opus"),
            true,
            true,
        ),
        ("f.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -an".to_owned(), "vp9", None, true, true),
        ("g.mkv", format!("{h264} -c:a aac"), "h264", Some("aac"), true, false),
        ("h.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -an".to_owned(), "h264", None, false, false),
    ];
    for (name, options, video, audio, faststart, playable) in cases {
        let path = folder.path().join(name);
        samples::make(&ffmpeg, &path, 2.0, &options);
        let source = now(crate::source::FileSource::open(&path)).expect("opened");
        let found =
            now(async { tokio::spawn(async move { probe(&source).await }).await.expect("not panicked") }).expect(name);
        assert_eq!(
            (found.width, found.height, found.video_codec, found.audio_codec),
            (320, 180, video, audio),
            "{name}"
        );
        assert!((found.duration_seconds - 2.0).abs() < 0.15, "{name} {}", found.duration_seconds);
        assert_eq!((found.faststart, found.browser_playable), (faststart, playable), "{name}");
        assert_eq!(found.browser_playable, found.note.is_none(), "{name}");
    }
    let sound = folder.path().join("sound.mp4");
    samples::make(&ffmpeg, &sound, 1.0, "-map 1:a -c:a aac");
    assert!(matches!(probed(std::fs::read(&sound).expect("read")), Err(ProbeError::NoVideo)));
    let old = folder.path().join("old.mp4");
    samples::make(&ffmpeg, &old, 1.0, "-c:v mpeg4 -c:a aac");
    assert!(matches!(
        probed(std::fs::read(&old).expect("read")),
        Err(ProbeError::VideoCodec { name: "MPEG-4 Part 2" })
    ));
}

#[test]
fn the_demo_recording_and_its_captions_are_sound() {
    let demo =
        std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("../demo");
    let found = probed(std::fs::read(demo.join("sample.mp4")).expect("the recording")).expect("playable");
    assert!(found.faststart && found.browser_playable && found.audio_codec == Some("aac"), "{found:?}");
    let cues =
        crate::captions::parse(&std::fs::read(demo.join("sample.en.vtt")).expect("the captions")).expect("sound");
    assert!(cues.len() > 20 && cues.iter().all(|cue| cue.end_seconds <= found.duration_seconds));
}

fn seeds() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(samples::mp4(&Recipe::default())),
        Just(samples::mp4(&Recipe { index_first: true, ..Recipe::default() })),
        Just(samples::fragmented()),
        Just(samples::webm("webm", "V_VP9", "A_OPUS", Some(5_000.0))),
    ]
}

proptest! {
    #[test]
    fn random_bytes_after_a_sound_start_never_panic(start in 0usize..3, noise in proptest::collection::vec(any::<u8>(), 0..400)) {
        let head: &[u8] = [&b"\0\0\0\x10ftypisom\0\0\0\0"[..], b"\0\0\0\x08mdat", b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm\x18\x53\x80\x67\xFF"][start];
        let _ = probed([head, &noise].concat());
    }

    #[test]
    fn damaged_recordings_get_an_answer_within_bounds(mut bytes in seeds(), hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>()) {
        for (place, value) in hits {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let keep = cut.index(bytes.len() * 2).min(bytes.len());
        bytes.truncate(keep);
        if let Ok(found) = probed(bytes.clone()) {
            prop_assert!(found.duration_seconds > 0.0 && found.duration_seconds <= MAX_DURATION_SECONDS);
            prop_assert!(found.width > 0 && found.height > 0);
        }
        if let Ok(Some(plan)) = now(crate::faststart::faststart_plan(&Bytes::from(bytes.clone()))) {
            prop_assert!(plan.length <= bytes.len() as u64 * 2 + 16);
        }
    }
}
