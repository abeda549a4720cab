//! Between the video element and the pure measuring logic: reads the element, keeps the clock, carries the beats.

use std::cell::RefCell;
use std::rc::Rc;

use domain::beating::outbox::{Answer, Outbox, Outgoing};
use domain::beating::{Manner, Meter, Sample};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Headers, HtmlVideoElement, RequestInit, Response, TextTrack, TextTrackMode, Window};

use super::player::{BROKEN, Controls};

const BEATS: &str = "/api/beats";
/// Between two looks at a playing video.
const LOOK_EVERY_MS: i32 = 250;
/// Below this the element has no data to play on with.
const HAVE_FUTURE_DATA: u16 = 3;
/// Everything after which the element may play differently.
const VIDEO_EVENTS: [&str; 10] =
    ["play", "playing", "pause", "timeupdate", "waiting", "seeking", "seeked", "ratechange", "ended", "volumechange"];

const UNREACHABLE: &str = "The server cannot be reached. Your watching is kept and sent later.";
const OVER: &str = "This visit is over. Load the page again to go on where you stopped.";

/// Begins to observe `video` and to report what was played; without a visit it reports nothing. Lasts as long as the
/// page.
pub fn start(video: HtmlVideoElement, visit: Option<String>, duration_seconds: f64, controls: Controls) {
    let Some(window) = web_sys::window() else { return };
    let state = State {
        visit,
        meter: Meter::new(duration_seconds),
        // The page's clock starts when its request leaves, and the server opened the visit to answer it. Nobody can
        // play before the answer is here, so counting from zero promises nothing the server would not believe.
        outbox: Outbox::new(0.0, js_sys::Math::random()),
        timer: None,
        look: None,
    };
    let observer = Observer { video, window, controls, state: Rc::new(RefCell::new(state)) };
    observer.adopt();
    observer.listen();
    observer.look();
}

struct State {
    /// Names the visit in beats; nothing when the person asked not to be measured.
    visit: Option<String>,
    meter: Meter,
    outbox: Outbox,
    timer: Option<i32>,
    /// [`Observer::look`], for timers.
    look: Option<js_sys::Function>,
}

#[derive(Clone)]
struct Observer {
    video: HtmlVideoElement,
    window: Window,
    controls: Controls,
    state: Rc<RefCell<State>>,
}

impl Observer {
    fn listen(&self) {
        let look = self.function(Self::look);
        let away = self.function(Self::away);
        self.state.borrow_mut().look = Some(look.clone());
        for name in VIDEO_EVENTS {
            let _ = self.video.add_event_listener_with_callback(name, &look);
        }
        let _ = self.video.add_event_listener_with_callback("error", &self.function(Self::broken));
        if let Some(tracks) = self.video.text_tracks() {
            let _ = tracks.add_event_listener_with_callback("change", &look);
        }
        if let Some(document) = self.window.document() {
            let _ =
                document.add_event_listener_with_callback("visibilitychange", &self.function(Self::shown_or_hidden));
        }
        let _ = self.window.add_event_listener_with_callback("pagehide", &away);
        let _ = self.window.add_event_listener_with_callback("online", &self.function(Self::back_online));
    }

    /// Given to the browser for good: what it is attached to lives as long as the page.
    fn function(&self, act: fn(&Self)) -> js_sys::Function {
        let observer = self.clone();
        Closure::<dyn FnMut()>::new(move || act(&observer)).into_js_value().unchecked_into()
    }

    /// The native controls work before any script: play may have begun already.
    fn adopt(&self) {
        let played = self.video.played();
        let from = played.length().checked_sub(1).and_then(|last| played.start(last).ok());
        if let Some(from) = from {
            let sample = self.sample(self.now());
            self.state.borrow_mut().meter.adopt(from, &sample);
        }
    }

    fn broken(&self) {
        self.controls.say(BROKEN);
    }

    fn look(&self) {
        // First, because the first play may jump to where the person stopped last time.
        self.controls.follow(&self.video);
        self.observe(self.sample(self.now()));
        self.send_due();
        self.look_again();
    }

    fn shown_or_hidden(&self) {
        self.look();
        if self.is_hidden() {
            self.farewell();
        }
    }

    /// The page may never run again.
    fn away(&self) {
        self.observe(Sample { moving: false, ..self.sample(self.now()) });
        self.farewell();
        self.look_again();
    }

    fn back_online(&self) {
        self.state.borrow_mut().outbox.hurry(self.now());
        self.look();
    }

    fn observe(&self, sample: Sample) {
        let state = &mut *self.state.borrow_mut();
        if state.visit.is_none() {
            return;
        }
        if let Some(played) = state.meter.observe(&sample) {
            state.outbox.push(played, sample.wall_seconds);
        }
    }

    fn send_due(&self) {
        let state = &mut *self.state.borrow_mut();
        let Some(visit) = &state.visit else { return };
        if let Some(outgoing) = state.outbox.next(self.now()) {
            let body = outgoing.json(visit);
            let observer = self.clone();
            spawn_local(async move {
                let answer = post(&observer.window, &body).await.unwrap_or(Answer::Lost);
                observer.answered(outgoing, answer);
            });
        }
    }

    fn answered(&self, outgoing: Outgoing, answer: Answer) {
        self.state.borrow_mut().outbox.answered(outgoing.seq, answer, self.now());
        match answer {
            Answer::Over => self.controls.say(OVER),
            Answer::Lost | Answer::Later(_) => self.controls.say(UNREACHABLE),
            // Skipping about makes many short beats: they wait their turn, and nothing is wrong.
            Answer::Crowded(_) => {}
            Answer::Accepted | Answer::Rejected if self.controls.notice() == UNREACHABLE => self.controls.say(""),
            Answer::Accepted | Answer::Rejected => {}
        }
        self.look();
    }

    fn farewell(&self) {
        let state = &mut *self.state.borrow_mut();
        let Some(visit) = &state.visit else { return };
        for outgoing in state.outbox.take_for_farewell(self.now()) {
            let body = outgoing.json(visit);
            // A text is sent as text/plain, which needs no preflight and no further object.
            let _ = self.window.navigator().send_beacon_with_opt_str(BEATS, Some(&body));
        }
    }

    /// Soon while it plays, when something is due otherwise, and never without a reason.
    fn look_again(&self) {
        let state = &mut *self.state.borrow_mut();
        if let Some(timer) = state.timer.take() {
            self.window.clear_timeout_with_handle(timer);
        }
        let due = state.outbox.due_in(self.now()).map(|seconds| (seconds * 1000.0).ceil() as i32);
        let delay = if self.video.paused() { due } else { Some(LOOK_EVERY_MS) };
        if let Some((delay, look)) = delay.zip(state.look.as_ref()) {
            state.timer = self.window.set_timeout_with_callback_and_timeout_and_arguments_0(look, delay).ok();
        }
    }

    fn sample(&self, now: f64) -> Sample {
        let video = &self.video;
        let is_playing = !video.paused() && !video.ended();
        Sample {
            media_seconds: video.current_time(),
            wall_seconds: now,
            moving: is_playing && video.ready_state() >= HAVE_FUTURE_DATA,
            seeking: video.seeking(),
            manner: Manner {
                rate_milli: (video.playback_rate() * 1000.0).round() as u32,
                hidden: self.is_hidden(),
                muted: video.muted() || video.volume() == 0.0,
                captions: self.shows_captions(),
            },
        }
    }

    fn shows_captions(&self) -> bool {
        let Some(tracks) = self.video.text_tracks() else {
            return false;
        };
        (0..tracks.length()).any(|index| {
            let track: Option<TextTrack> = tracks.get(index);
            track.is_some_and(|track| track.mode() == TextTrackMode::Showing)
        })
    }

    fn is_hidden(&self) -> bool {
        self.window.document().is_some_and(|document| document.hidden())
    }

    /// Seconds since the page's request left.
    fn now(&self) -> f64 {
        self.window.performance().map_or(0.0, |clock| clock.now() / 1000.0)
    }
}

async fn post(window: &Window, body: &str) -> Result<Answer, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers_headers(&headers);
    request.set_body_opt_str(Some(body));
    // web-sys knows no setter for it; with it, a beat survives the page that sent it.
    js_sys::Reflect::set(&request, &"keepalive".into(), &JsValue::TRUE)?;
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(BEATS, &request)).await?.unchecked_into();
    let pause = response.headers().get("retry-after")?.and_then(|text| text.parse::<u32>().ok());
    Ok(Answer::from_status(response.status(), pause.map(f64::from)))
}
