//! The document around the player.

use domain::moment::Moment;
use domain::webinar::{AgreeAgain, PlayerProps, Room, RoomPhase};
use leptos::prelude::*;

use crate::registration::{
    Around, Page, brand_header_of, data_lines, entry_path, presenter_line, recording_sentence, render, script_safe,
    slots, viewer_footer,
};

use super::player::player;
use super::transcript::transcript;
use super::waiting::{another_time, called_off, no_date_yet, wait_seconds, waiting, waiting_script};

/// The page behind a registrant's own link.
#[must_use]
pub fn room_page(room: &Room, around: Around<'_>) -> String {
    // The player holds signals, and signals live as long as their owner.
    Owner::new().with(|| render(page_of(room, around), around, body(room, around)))
}

fn page_of<'a>(room: &'a Room, around: Around<'_>) -> Page<'a> {
    // The transcript stands in the page already; the script finds it there.
    let props = room.player.clone().map(|props| PlayerProps { transcript: Vec::new(), ..props });
    let props = props.and_then(|props| serde_json::to_string(&props).ok());
    let (own_script, again_after_seconds) = match room.phase {
        RoomPhase::Waiting { starts_at, now, .. } => {
            (Some(waiting_script(starts_at, now, around.assets)), Some(wait_seconds(starts_at, now)))
        }
        RoomPhase::Open | RoomPhase::CalledOff | RoomPhase::NoDateYet | RoomPhase::Over => (None, None),
    };
    Page {
        title: room.title.clone(),
        summary: room
            .player
            .as_ref()
            .map(|props| recording_sentence(room.session_kind, props.duration_seconds, &room.recorded)),
        accent: &room.accent,
        may_be_indexed: false,
        height_reporter: around.embed.then_some(room.slug.as_str()),
        scripts: props.map(|json| script_safe(&json)),
        own_script,
        again_after_seconds,
    }
}

fn body(room: &Room, around: Around<'_>) -> AnyView {
    let main = match &room.player {
        Some(props) => {
            let language = props.captions.first().map(|track| track.language.clone());
            let recording = recording_sentence(room.session_kind, props.duration_seconds, &room.recorded);
            view! {
                <main class="room" id="content">
                    <div class="room-player">
                        <div id="room">{player(props.clone())}</div>
                        {transcript(&props.transcript, language)}
                    </div>
                    {about(room, recording)}
                </main>
            }
            .into_any()
        }
        None => match room.phase {
            RoomPhase::Waiting { starts_at, doors_at, now } => waiting(room, (starts_at, doors_at, now)),
            RoomPhase::CalledOff => called_off(room),
            RoomPhase::NoDateYet => no_date_yet(room),
            RoomPhase::Open | RoomPhase::Over => gone(room, around.embed),
        },
    };
    view! { {brand_header_of(room.logo_url.as_deref(), &room.presenter)} {main} {viewer_footer(around)} }.into_any()
}

fn about(room: &Room, recording: String) -> AnyView {
    let greeting = room.first_name.as_deref().map_or_else(
        || view! { "Good to have you here." }.into_any(),
        |name| view! { "Hello "<span dir="auto">{name.to_owned()}</span>", good to have you here." }.into_any(),
    );
    let description = (!room.description_html.is_empty()).then(|| {
        view! { <div class="prose" dir="auto" inner_html=room.description_html.clone()></div> }
    });
    let is_running = room.joins_where_it_is && room.player.as_ref().is_some_and(|player| player.resume_seconds > 0.0);
    let joined = is_running.then(|| {
        view! { <p class="look">"It began before you came: you join where it is by now. Afterwards you can watch it from the start."</p> }
    });
    view! {
        <div class="room-about">
            <h1 dir="auto">{room.title.clone()}</h1>
            {presenter_line(&room.presenter)}
            <p class="recording-note">{recording}</p>
            {joined}
            <p class="greeting">
                {greeting}
                " This is your own link: it works until "{moment(room.expires_at)}
                ", on any device, and remembers where you stopped."
            </p>
            {description}
            {data_lines(&room.presenter)}
        </div>
    }
    .into_any()
}

/// Nothing plays here any more: said plainly, with the way back.
fn gone(room: &Room, embed: bool) -> AnyView {
    if let Some(agree) = &room.agree {
        return agreeing(room, agree);
    }
    let again = entry_path(&room.slug, embed);
    view! {
        <main class="message" id="content">
            <h1 dir="auto">{room.title.clone()}</h1>
            <p>
                "There is nothing to play here any more. Your link worked until "{moment(room.expires_at)}
                "; if that is still to come, the recording itself was taken away by the people who run this webinar."
            </p>
            {another_time(room, "Choose another time")}
            <p>"What you watched before stays counted. If registration is still open, you can get a new link."</p>
            <p><a class="button primary" href=again>"Register again"</a></p>
        </main>
    }
    .into_any()
}

/// The agreement was taken back, and its person may give it again: one box, one button, the wording of today.
fn agreeing(room: &Room, agree: &AgreeAgain) -> AnyView {
    let times = room.times.as_ref().map(|times| slots(times, "", None, false));
    view! {
        <main class="message" id="content">
            <h1 dir="auto">{room.title.clone()}</h1>
            {presenter_line(&room.presenter)}
            <p>"You had taken your agreement to this webinar back. If you want to take part after all, agree once more; your own link works again then."</p>
            <form method="post">
                <input type="hidden" name="again" value=agree.token.clone() />
                {times}
                <label class="consent">
                    <input type="checkbox" required />
                    " "<span dir="auto">{agree.wording.clone()}</span>
                </label>
                <button class="button primary" type="submit">"Agree and take part"</button>
            </form>
        </main>
    }
    .into_any()
}

/// In UTC until the player's script puts it into the person's own zone.
fn moment(at: Moment) -> AnyView {
    view! { <time datetime=at.rfc3339()>{at.utc_text()}</time> }.into_any()
}
