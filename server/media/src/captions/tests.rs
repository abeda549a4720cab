use super::*;
use proptest::prelude::*;

fn cue(start_seconds: f64, end_seconds: f64, text: &str, markup: &str) -> Cue {
    Cue { start_seconds, end_seconds, text: text.to_owned(), markup: markup.to_owned() }
}

#[test]
fn webvtt_is_read_with_all_its_trimmings() {
    let file = "\u{feff}WEBVTT - a talk\r\nKind: captions\r\n\r\nNOTE\r\nnot shown\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nREGION\r\nid:one\r\n\r\n\
        intro\r\n00:01.500 --> 00:04.000 align:start position:10%\r\n<v Mara>Hello <i>there</i> &amp; welcome\r\n<c.big>again</c>\r\n\r\n\
        01:00:00.000 --> 01:00:01.250\r\nNOTE is only a word here";
    let cues = parse(file.as_bytes()).expect("read");
    assert_eq!(
        cues,
        [
            cue(1.5, 4.0, "Hello there & welcome\nagain", "Hello <i>there</i> &amp; welcome\nagain"),
            cue(3600.0, 3601.25, "NOTE is only a word here", "NOTE is only a word here"),
        ]
    );
}

#[test]
fn srt_is_read_with_the_habits_of_its_editors() {
    let file = "2\n00:00:05,5 --> 00:00:07,000 X1:0\n{\\an8}<font color=\"red\">I <3 tea</font>, a < b & c\n3\n00:00:08,000 --> 00:00:09,000\n<b>bold <i>both</b> end\n\n\n1\n00:00:01 --> 00:00:02\nfirst\n\n4\n00:00:10,000 --> 00:00:11,000\n\n";
    let cues = parse(file.as_bytes()).expect("read");
    assert_eq!(
        cues,
        [
            cue(1.0, 2.0, "first", "first"),
            cue(5.5, 7.0, "I <3 tea, a < b & c", "I &lt;3 tea, a &lt; b &amp; c"),
            cue(8.0, 9.0, "bold both end", "<b>bold <i>both</i></b> end"),
        ]
    );
}

#[test]
fn faults_name_their_line() {
    let line = |bytes: &[u8]| parse(bytes).expect_err("refused");
    assert_eq!(line(b"WEBVTT\n\n00:01.000 --> 00:02.000\nok\n\n\xFF\xFE"), CaptionError::NotUtf8 { line: 6 });
    assert_eq!(line(b"WEBVTT\n\nNOTE nothing\n"), CaptionError::NoCue);
    assert_eq!(line(b""), CaptionError::NoCue);
    assert_eq!(line(b"Dear reader,\nthis is a letter.\n"), CaptionError::NoTime { line: 2 });
    assert_eq!(line(b"1\n00:00:05,000 --> 00:00:04,000\nx"), CaptionError::EndsBeforeStart { line: 2 });
    assert_eq!(
        line(b"1\n00:00:75,000 --> 00:00:80,000\nx"),
        CaptionError::BadTime { line: 2, text: "00:00:75,000".to_owned() }
    );
    assert_eq!(line(&vec![b' '; MAX_CAPTION_BYTES + 1]), CaptionError::TooLarge);
    assert_eq!(line("00:01.000 --> 00:02.000\nx\n\n".repeat(MAX_CUES + 1).as_bytes()), CaptionError::TooManyCues);
    assert!(line(b"1\nx").to_string().starts_with("Line 2: "));
}

#[test]
fn hostile_text_stays_inside_its_caption() {
    let evil = cue(0.0, 1.0, "", "a\n\n00:00.000 --> 00:09.000\n<script>alert(1)</script>\r\rSTYLE & </i><i>open");
    let file = to_webvtt(&[evil]);
    assert_eq!(file.matches("-->").count(), 1);
    assert_eq!(file.split("\n\n").count(), 2);
    assert!(file.contains("alert(1)") && !file.contains("script") && file.contains("<i>open</i>"));
    // Each of these once cost the square of its length in parsers of this kind.
    for pattern in ["<", "<a", "&", "<i>", "</b>", "{\\", "\n", "-", "<i></b>"] {
        let mut file = String::from("1\n00:00:01,000 --> 00:00:02,000\nx");
        file.push_str(&pattern.repeat(MAX_CAPTION_BYTES / 8 / pattern.len()));
        let _ = parse(file.as_bytes());
    }
}

fn cues() -> impl Strategy<Value = Vec<Cue>> {
    let fragment = prop_oneof![
        "[a-z <>&/;#{}\\\\-]{0,12}",
        "\\PC{0,8}",
        prop::sample::select(vec![
            "<i>", "</i>", "<b>", "</b>", "<u>", "</u>", "&amp;", "&lt;", "-->", "\n", "\n\n", "\r", "NOTE ", "WEBVTT",
            "12", "<v A>", "&nbsp;", "\0"
        ])
        .prop_map(str::to_owned),
    ];
    let markup = prop::collection::vec(fragment, 1..8).prop_map(|parts| parts.concat());
    let one = (0u32..50_000_000, 1u32..60_000, markup).prop_filter_map("says something", |(start, length, markup)| {
        Cue::new(f64::from(start) / 1000.0, f64::from(start + length) / 1000.0, &markup)
    });
    prop::collection::vec(one, 1..12).prop_map(|mut cues| {
        cues.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
        cues
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(cues in cues()) {
        prop_assert_eq!(parse(to_webvtt(&cues).as_bytes()).expect("own output"), cues);
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn whatever_is_read_survives_a_round(text in "(WEBVTT\n\n)?([0-9]{1,2}\n)?00:0[0-3]:00[,.]000 --> 00:0[4-9]:00[,.]000\n([a-z<>&;/{}\\\\ \n0-9-]|</?[ibu]>|&amp;){1,60}") {
        if let Ok(cues) = parse(text.as_bytes()) {
            prop_assert_eq!(parse(to_webvtt(&cues).as_bytes()).expect("own output"), cues);
        }
    }
}
