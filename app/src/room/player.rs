//! The player: the browser's own video controls, and on top of them what they lack. The same component renders on
//! the server and takes over in the browser.

use domain::video::clock_text;
use domain::webinar::PlayerProps;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlSelectElement, HtmlVideoElement};

use super::{measuring, transcript};
use crate::context::ON_SERVER;

/// Speeds on offer. Looked up instead of parsed and printed: both would weigh more than the whole list.
const SPEEDS: [(f64, &str); 6] = [(0.75, "0.75"), (1.0, "1"), (1.25, "1.25"), (1.5, "1.5"), (1.75, "1.75"), (2.0, "2")];
/// What an arrow key moves by.
const SEEK_SECONDS: f64 = 5.0;
/// Nearer to either end, resuming helps nobody.
const RESUME_MARGIN_SECONDS: f64 = 5.0;
/// The server cannot tell a lost connection from an expired address either; loading again mends both.
pub const BROKEN: &str = "The recording could not be loaded. Please check your connection and load the page again; \
     it goes on where you stopped.";

/// What the player shows beside the video.
#[derive(Clone, Copy, PartialEq)]
struct Shown {
    /// Whether script runs; false on the server and until the browser has taken over.
    running: bool,
    /// Whether the recording was ever started on this page.
    started: bool,
    /// Where the first play goes on; nothing once the person chose a place.
    resume: Option<f64>,
    /// For the person; empty when all is well.
    notice: &'static str,
}

/// What the parts of the player share.
#[derive(Clone, Copy)]
pub struct Controls {
    shown: RwSignal<Shown>,
    duration_seconds: f64,
}

impl Controls {
    /// The video itself.
    pub fn video(self) -> Option<HtmlVideoElement> {
        element("#room video")
    }

    /// What is being said to the person.
    pub fn notice(self) -> &'static str {
        self.shown.get_untracked().notice
    }

    /// Says something to the person.
    pub fn say(self, notice: &'static str) {
        self.change(|shown| shown.notice = notice);
    }

    fn change(self, apply: impl FnOnce(&mut Shown)) {
        let before = self.shown.get_untracked();
        let mut after = before;
        apply(&mut after);
        if after != before {
            self.shown.set(after);
        }
    }

    /// Takes over from the browser's own controls, which may have played already.
    fn take_over(self, visit: Option<String>) {
        let Some(video) = self.video() else { return };
        if !video.paused() || video.current_time() > 0.0 {
            self.change(|shown| shown.started = true);
        }
        measuring::start(video, visit, self.duration_seconds, self);
        transcript::enliven(self);
        self.change(|shown| shown.running = true);
    }

    /// Follows what the video does, whoever caused it: our button, the browser's controls or its menu.
    pub fn follow(self, video: &HtmlVideoElement) {
        if !video.paused() {
            self.begin(video);
        } else if video.seeking() && !self.shown.get_untracked().started {
            self.change(|shown| shown.resume = None);
        }
        let rate = video.playback_rate();
        let speed = SPEEDS.into_iter().find(|(known, _)| *known == rate);
        if let Some(((_, name), list)) = speed.zip(element::<HtmlSelectElement>("#speed")) {
            list.set_value(name);
        }
    }

    /// What the first play needs.
    fn begin(self, video: &HtmlVideoElement) {
        let Shown { started, resume, .. } = self.shown.get_untracked();
        if started {
            return;
        }
        self.change(|shown| shown.started = true);
        if let Some(at) = resume {
            video.set_current_time(at);
        }
    }

    fn play(self) {
        let Some(video) = self.video() else { return };
        self.begin(&video);
        // The button goes away; the keyboard stays with the player.
        let _ = video.focus();
        if let Ok(promise) = video.play() {
            // A browser may refuse; its own controls then show so, and nobody needs an error in the console.
            spawn_local(async move {
                let _ = JsFuture::from(promise).await;
            });
        }
    }

    /// Goes to a place the person chose.
    pub fn go_to(self, seconds: f64) {
        let Some(video) = self.video() else { return };
        self.change(|shown| shown.resume = None);
        video.set_current_time(seconds.clamp(0.0, self.duration_seconds));
        if !self.shown.get_untracked().started {
            self.play();
        }
    }

    fn toggle(self) {
        match self.video() {
            Some(video) if !video.paused() => {
                let _ = video.pause();
            }
            _ => self.play(),
        }
    }

    fn set_speed(self, name: &str) {
        let rate = SPEEDS.into_iter().find(|(_, known)| *known == name).map(|(rate, _)| rate);
        if let Some((video, rate)) = self.video().zip(rate) {
            video.set_playback_rate(rate);
        }
    }

    fn key(self, event: &web_sys::KeyboardEvent) {
        let tag = tag_of(event);
        let is_chord = event.ctrl_key() || event.alt_key() || event.meta_key();
        if is_chord || tag == "SELECT" {
            return;
        }
        let move_by = |seconds: f64| {
            if let Some(video) = self.video() {
                self.go_to(video.current_time() + seconds);
            }
        };
        match event.key().as_str() {
            // On a button, Space presses the button.
            " " if tag == "VIDEO" && !event.repeat() => self.toggle(),
            "k" | "K" if !event.repeat() => self.toggle(),
            "ArrowLeft" => move_by(-SEEK_SECONDS),
            "ArrowRight" => move_by(SEEK_SECONDS),
            _ => return,
        }
        keep_from_browser(event);
    }

    /// Chromium's own controls play and pause when Space is let go.
    fn key_let_go(self, event: &web_sys::KeyboardEvent) {
        if event.key() == " " && tag_of(event) == "VIDEO" {
            keep_from_browser(event);
        }
    }
}

fn tag_of(event: &web_sys::Event) -> String {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.map(|element| element.tag_name()).unwrap_or_default()
}

/// The browser's controls know some of our keys too and would act a second time. Chromium's listen on the video
/// itself and ask nobody, so the event must be stopped on its way down.
fn keep_from_browser(event: &web_sys::Event) {
    event.prevent_default();
    event.stop_propagation();
}

fn element<T: JsCast>(selector: &str) -> Option<T> {
    web_sys::window()?.document()?.query_selector(selector).ok()??.dyn_into().ok()
}

/// The player of the room.
#[must_use]
pub fn player(props: PlayerProps) -> AnyView {
    let PlayerProps { view: visit, media_url, poster_url, duration_seconds, resume_seconds, captions, .. } = props;
    let worth_resuming =
        resume_seconds >= RESUME_MARGIN_SECONDS && resume_seconds <= duration_seconds - RESUME_MARGIN_SECONDS;
    let resume = worth_resuming.then_some(resume_seconds);
    let shown = RwSignal::new(Shown { running: false, started: false, resume, notice: "" });
    let controls = Controls { shown, duration_seconds };
    if !ON_SERVER {
        // After the markup has been taken over: what shows then must not differ from what the server rendered.
        spawn_local(async move { controls.take_over(visit.map(|visit| visit.to_string())) });
    }
    let tracks = captions
        .into_iter()
        .map(|track| view! { <track kind="captions" src=track.url srclang=track.language label=track.label/> })
        .collect_view();
    let is_button_hidden = move || {
        let Shown { running, started, .. } = shown.get();
        !running || started
    };
    let label = move || match shown.get().resume {
        Some(at) => format!("Resume at {}", clock_text(at)),
        None => "Play".to_owned(),
    };
    let options = SPEEDS
        .into_iter()
        .map(|(_, name)| view! { <option value=name selected={name == "1"}>{format!("{name}×")}</option> })
        .collect_view();

    view! {
        <div
            class="player"
            on:keydown:capture=move |event| controls.key(&event)
            on:keyup:capture=move |event| controls.key_let_go(&event)
        >
            <div class="stage">
                <video
                    src=media_url
                    poster=poster_url
                    controls
                    playsinline
                    preload="metadata"
                    tabindex="0"
                    aria-label="Recording"
                >
                    {tracks}
                </video>
                // Shown from the moment it can act until the first play; before that the browser's own controls do.
                <button
                    type="button"
                    class="big-play needs-script"
                    hidden=is_button_hidden
                    on:click=move |_| controls.play()
                >
                    {label}
                </button>
            </div>
            <div class="player-tools">
                <label class="speed needs-script">
                    <span>"Speed"</span>
                    <select id="speed" on:change=move |event| controls.set_speed(&event_target_value(&event))>
                        {options}
                    </select>
                </label>
                <p class="player-notice" role="status">{move || shown.get().notice}</p>
            </div>
        </div>
    }
    .into_any()
}
