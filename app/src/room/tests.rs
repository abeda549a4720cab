//! What the room says and holds, as rendered.

use domain::ids::{CaptionId, ViewId};
use domain::moment::Moment;
use domain::video::{CaptionTrack, TranscriptLine};
use domain::webinar::{PlayerProps, Room, RoomPhase, SessionKind};

use super::room_page;
use crate::registration::{Around, ViewerAssets};

const HOSTILE: &str = "</script><script>alert(1)</script>";

fn room() -> Room {
    Room {
        path: "/r/token".to_owned(),
        title: "Calm mornings".to_owned(),
        slug: "calm".to_owned(),
        presenter: "Maya Moreau".to_owned(),
        accent: String::new(),
        logo_url: None,
        description_html: String::new(),
        first_name: Some("Tom".to_owned()),
        recorded: "October 2026".to_owned(),
        embed_hosts: Vec::new(),
        session_kind: SessionKind::OnDemand,
        expires_at: Moment::from_unix_seconds(1_800_000_000),
        phase: RoomPhase::Open,
        time_text: None,
        change_note: None,
        joins_where_it_is: false,
        times: None,
        calendar: None,
        agree: None,
        player: Some(PlayerProps {
            view: Some(ViewId("00000000-0000-0000-0000-000000000007".parse().expect("an id"))),
            media_url: "/media/one.mp4?a=1&b=2".to_owned(),
            content_type: "video/mp4".to_owned(),
            poster_url: Some("/media/poster.jpg".to_owned()),
            duration_seconds: 180.0,
            resume_seconds: 60.0,
            captions: vec![CaptionTrack {
                id: CaptionId("00000000-0000-0000-0000-000000000008".parse().expect("an id")),
                language: "en".to_owned(),
                label: "English".to_owned(),
                url: "/media/one.vtt".to_owned(),
                cue_count: 1,
            }],
            transcript: vec![TranscriptLine { start_seconds: 65.0, end_seconds: 70.0, text: "Breathe in.".to_owned() }],
        }),
    }
}

fn around(embed: bool) -> Around<'static> {
    static ASSETS: ViewerAssets =
        ViewerAssets { css: String::new(), viewer_js: String::new(), viewer_wasm: String::new() };
    Around { embed, has_signal: false, nonce: "n0nce", assets: &ASSETS }
}

fn page(room: &Room) -> String {
    room_page(room, around(false))
}

#[test]
fn the_recording_plays_and_can_be_read_without_script() {
    let html = page(&room());
    for part in [
        "src=\"/media/one.mp4?a=1&amp;b=2#t=60\"",
        " controls",
        " playsinline",
        "preload=\"metadata\"",
        "kind=\"captions\"",
        "srclang=\"en\"",
        "Breathe in.",
        "1:05",
        "This is a recording, 3 minutes, recorded October 2026.",
        "Tom",
        "15 January 2027, 08:00 UTC",
        "No cookies",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("style=\""), "the policy forbids style attributes");
}

#[test]
fn what_needs_script_says_so() {
    let html = page(&room());
    assert!(html.contains("big-play needs-script") && html.contains("Resume at 1:00"), "{html}");
    assert!(
        html.contains("class=\"line\"") && !html.contains("<button class=\"line\""),
        "a line is text until script runs"
    );
}

#[test]
fn the_browser_gets_back_exactly_what_was_rendered() {
    let mut room = room();
    room.title = HOSTILE.to_owned();
    room.first_name = Some(HOSTILE.to_owned());
    if let Some(player) = &mut room.player {
        player.captions[0].label = HOSTILE.to_owned();
        player.transcript[0].text = HOSTILE.to_owned();
    }
    let html = page(&room);
    assert!(!html.contains(HOSTILE));
    let start = html.find("id=\"player-props\">").expect("there") + "id=\"player-props\">".len();
    let end = start + html[start..].find("</script>").expect("closed");
    let props: PlayerProps = serde_json::from_str(&html[start..end]).expect("JSON");
    let expected = room.player.map(|player| PlayerProps { transcript: Vec::new(), ..player });
    assert_eq!(Some(props), expected, "all but the transcript, which the page holds already");
}

#[test]
fn a_room_without_a_recording_explains_itself_and_loads_no_script() {
    let html = page(&Room { player: None, ..room() });
    assert!(html.contains("nothing to play here any more") && html.contains("href=\"/w/calm\""), "{html}");
    assert!(!html.contains("<video") && !html.contains("<script"));
}

#[test]
fn a_place_near_either_end_is_not_worth_resuming() {
    for (at, expected) in [(0.0, false), (3.0, false), (60.0, true), (178.0, false)] {
        let mut room = room();
        if let Some(player) = &mut room.player {
            player.resume_seconds = at;
        }
        let html = page(&room);
        assert_eq!(html.contains("Resume at"), expected, "{at}");
        assert_eq!(html.contains("#t="), expected, "without script the browser itself begins there: {at}");
    }
}

#[test]
fn in_a_frame_the_room_reports_its_height_and_leads_nowhere_that_cannot_be_framed() {
    let framed = |room: &Room| room_page(room, around(true));
    let html = framed(&room());
    assert!(html.contains("postMessage") && html.contains("miniWebinar:\"calm\""), "{html}");
    assert!(html.contains("href=\"/terms\" target=\"_blank\""), "{html}");
    let over = framed(&Room { player: None, ..room() });
    assert!(over.contains("href=\"/w/calm/embed\""), "{over}");
    assert!(!page(&room()).contains("postMessage"));
}
