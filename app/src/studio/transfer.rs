//! One recording on its way to the server, piece by piece, through pauses, lost networks and other pages of the studio.
//! The rules are in [`domain::uploading`]; here they meet the browser.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use domain::ids::{UploadId, WebinarId};
use domain::uploading::{
    Speed, Verdict, metadata_header, next_piece, objection, path_of, pause_before_retry, unfinished, verdict,
    waiting_text,
};
use domain::video::UploadView;
use leptos::prelude::*;
use leptos::reactive::owner::WeakOwner;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, ProgressEvent, XmlHttpRequest};

use super::wire::{Held, Reply, abort, ask, checksum, request};
use crate::context::{ON_SERVER, Refresh};

/// A question without a body that takes longer than this is lost.
const ASK_MILLISECONDS: u32 = 60_000;
/// A piece of which nothing moves for this long is lost; its connection may be dead without anybody having said so.
const STALL_SECONDS: f64 = 30.0;
/// Once all of a piece is sent, the server writes it down and looks at it before it answers.
const ANSWER_SECONDS: f64 = 180.0;

/// How a transfer stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Nothing to do.
    Idle,
    /// Bytes travel.
    Sending,
    /// The coach paused it.
    Paused,
    /// It goes on by itself; why it does not yet.
    Waiting(String),
    /// Every byte was sent; the server has not answered yet.
    Finishing,
    /// Somebody has to sign in first.
    SignedOut,
    /// It will not work, with the reason.
    Failed(String),
}

impl Phase {
    /// Whether bytes are on their way or about to be.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Sending | Self::Waiting(_) | Self::Finishing)
    }

    /// Whether a file may be chosen.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Idle | Self::Failed(_) | Self::SignedOut)
    }
}

/// Why the transfer stopped.
enum Stop {
    Paused,
    SignedOut,
    Refused(String),
}

impl Stop {
    /// After an answer that ends it.
    fn after(reply: Reply) -> Self {
        match verdict(reply.status) {
            Verdict::SignIn => Self::SignedOut,
            Verdict::Gone => Self::Refused(
                "The earlier upload is no longer there. Please choose the file again to start over.".to_owned(),
            ),
            _ if reply.text.is_empty() => {
                Self::Refused("The upload was not accepted. Please choose the file again.".to_owned())
            }
            _ => Self::Refused(reply.text),
        }
    }
}

/// One webinar's recording on its way.
#[derive(Clone, Copy)]
pub struct Transfer {
    /// How it stands.
    pub phase: RwSignal<Phase>,
    /// Name of the file.
    pub name: RwSignal<String>,
    /// Bytes through.
    pub sent: RwSignal<u64>,
    /// Bytes in all.
    pub length: RwSignal<u64>,
    /// How fast it goes.
    pub speed: RwSignal<Speed>,
    is_pausing: RwSignal<bool>,
    file: Held<File>,
    address: RwSignal<Option<String>>,
    under_way: Held<XmlHttpRequest>,
    /// Ends the pause before the next try.
    wake: Held<js_sys::Function>,
}

fn now_seconds() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now() / 1000.0)
}

impl Transfer {
    fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            name: RwSignal::new(String::new()),
            sent: RwSignal::new(0),
            length: RwSignal::new(0),
            speed: RwSignal::new(Speed::default()),
            is_pausing: RwSignal::new(false),
            file: Held::nothing(),
            address: RwSignal::new(None),
            under_way: Held::nothing(),
            wake: Held::nothing(),
        }
    }

    /// Stops after what has arrived; the file stays chosen.
    pub fn pause(self) {
        self.is_pausing.set(true);
        if let Some(request) = self.under_way.get() {
            abort(&request);
        }
        if let Some(wake) = self.wake.get()
            && let Err(error) = wake.call0(&wasm_bindgen::JsValue::NULL)
        {
            leptos::logging::warn!("the pause goes on: {error:?}");
        }
    }

    /// Begins with a chosen file, or goes on with one that was begun before.
    pub fn begin(self, file: File, webinar: WebinarId, open: &[UploadView], refresh: Refresh) {
        if !self.phase.with_untracked(Phase::is_open) {
            return;
        }
        let size = file.size() as u64;
        if let Some(reason) = objection(size, &file.type_()) {
            self.phase.set(Phase::Failed(reason));
            return;
        }
        self.name.set(file.name());
        self.length.set(size);
        self.sent.set(0);
        self.address.set(unfinished(open, &file.name(), size).map(|upload| upload.url.clone()));
        self.file.put(Some(file));
        self.go_on(webinar, refresh);
    }

    /// Sends what is left.
    pub fn go_on(self, webinar: WebinarId, refresh: Refresh) {
        self.is_pausing.set(false);
        self.phase.set(Phase::Sending);
        leptos::task::spawn_local(async move {
            let ended = self.run(webinar).await;
            if let Err(Stop::Paused) = ended {
                self.speed.update(Speed::pause);
                self.phase.set(Phase::Paused);
                return;
            }
            self.file.put(None);
            self.address.set(None);
            self.phase.set(match ended {
                Err(Stop::Refused(reason)) => Phase::Failed(reason),
                Err(Stop::SignedOut) => Phase::SignedOut,
                Ok(()) | Err(Stop::Paused) => Phase::Idle,
            });
            // What the server keeps of it may be less than the page shows.
            refresh.raise();
        });
    }

    /// The upload it belongs to, once it has begun.
    pub fn upload(self) -> Option<UploadId> {
        self.address.with(|address| address.as_deref()?.rsplit('/').next()?.parse().ok())
    }

    /// Forgets a paused transfer; the server is told by whoever asks for it.
    pub fn forget(self) {
        if self.phase.get_untracked() == Phase::Paused {
            self.file.put(None);
            self.address.set(None);
            self.phase.set(Phase::Idle);
        }
    }

    /// Stops here when the coach paused it.
    fn heed(self) -> Result<(), Stop> {
        if self.is_pausing.get_untracked() { Err(Stop::Paused) } else { Ok(()) }
    }

    /// One request of this transfer; waits out a lost network, with longer pauses each time.
    async fn insist(self, make: impl Fn() -> Option<XmlHttpRequest>) -> Result<Reply, Stop> {
        let mut failures = 0;
        loop {
            self.heed()?;
            let reply = match make() {
                Some(request) => {
                    request.set_timeout(ASK_MILLISECONDS);
                    self.under_way.put(Some(request.clone()));
                    let reply = ask(&request, None).await;
                    self.under_way.put(None);
                    reply
                }
                None => None,
            };
            match reply {
                Some(reply) if verdict(reply.status) != Verdict::AskAgain => return Ok(reply),
                other => {
                    failures += 1;
                    self.wait(failures, other.as_ref()).await?;
                }
            }
        }
    }

    /// Waits before the next try: as long as the server asks for, and no longer than until the network is back.
    async fn wait(self, failures: u32, answer: Option<&Reply>) -> Result<(), Stop> {
        self.heed()?;
        self.phase.set(Phase::Waiting(waiting_text(answer.map(|reply| (reply.status, reply.text.as_str())))));
        self.speed.update(Speed::pause);
        let own = pause_before_retry(failures, js_sys::Math::random());
        let asked = answer.and_then(|reply| reply.retry_after_seconds).unwrap_or_default();
        self.sleep(own.max(asked), answer.is_none()).await;
        self.heed()?;
        self.phase.set(Phase::Sending);
        Ok(())
    }

    async fn sleep(self, seconds: f64, until_online: bool) {
        let promise = js_sys::Promise::new(&mut |resolve, _| {
            let milliseconds = (seconds * 1000.0) as i32;
            if window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).is_err() {
                leptos::logging::warn!("no timer could be set");
            }
            if until_online && window().add_event_listener_with_callback("online", &resolve).is_err() {
                leptos::logging::warn!("the network's return goes unheard");
            }
            self.wake.put(Some(resolve));
        });
        if JsFuture::from(promise).await.is_err() {
            leptos::logging::warn!("a timer failed");
        }
        if let Some(wake) = self.wake.get()
            && window().remove_event_listener_with_callback("online", &wake).is_err()
        {
            leptos::logging::warn!("a listener stays");
        }
        self.wake.put(None);
    }

    async fn run(self, webinar: WebinarId) -> Result<(), Stop> {
        let Some(file) = self.file.get() else { return Ok(()) };
        let length = self.length.get_untracked();
        let (address, mut offset) = match self.address.get_untracked() {
            Some(address) => {
                let offset = self.stands_at(&address).await?;
                (address, offset)
            }
            None => (self.create(&file, webinar, length).await?, 0),
        };
        self.address.set(Some(address.clone()));
        let mut failures = 0;
        while let Some((from, to)) = next_piece(offset, length) {
            self.heed()?;
            self.sent.set(from);
            self.phase.set(Phase::Sending);
            let reply = self.send_piece(&file, &address, from, to).await;
            self.heed()?;
            match reply {
                Some(Reply { status: 200..=299, offset: Some(stands), .. }) => {
                    failures = 0;
                    offset = stands;
                }
                Some(reply) if !matches!(verdict(reply.status), Verdict::AskAgain | Verdict::Accepted) => {
                    return Err(Stop::after(reply));
                }
                other => {
                    failures += 1;
                    self.wait(failures, other.as_ref()).await?;
                    offset = self.stands_at(&address).await?;
                }
            }
        }
        Ok(())
    }

    async fn create(self, file: &File, webinar: WebinarId, length: u64) -> Result<String, Stop> {
        let length = length.to_string();
        let metadata = metadata_header(&file.name(), &file.type_(), webinar);
        let reply = self
            .insist(|| request("POST", "/uploads", &[("Upload-Length", &length), ("Upload-Metadata", &metadata)]))
            .await?;
        match reply {
            Reply { status: 201, location: Some(location), .. } => Ok(path_of(&location).to_owned()),
            reply => Err(Stop::after(reply)),
        }
    }

    async fn stands_at(self, address: &str) -> Result<u64, Stop> {
        let reply = self.insist(|| request("HEAD", address, &[])).await?;
        match reply.offset.filter(|_| verdict(reply.status) == Verdict::Accepted) {
            Some(offset) => Ok(offset),
            None => Err(Stop::after(reply)),
        }
    }

    async fn send_piece(self, file: &File, address: &str, from: u64, to: u64) -> Option<Reply> {
        let length = self.length.get_untracked();
        let piece = file.slice_with_f64_and_f64(from as f64, to as f64).ok()?;
        let offset = from.to_string();
        let checksum = checksum(&piece).await;
        // Reading takes a moment, in which she may have paused.
        if self.is_pausing.get_untracked() {
            return None;
        }
        let mut headers = vec![("Upload-Offset", offset.as_str()), ("Content-Type", "application/offset+octet-stream")];
        headers.extend(checksum.as_deref().map(|checksum| ("Upload-Checksum", checksum)));
        let request = request("PATCH", address, &headers)?;
        let moved_at = Rc::new(Cell::new((now_seconds(), STALL_SECONDS)));
        let moves = moved_at.clone();
        let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            let sent = from + event.loaded() as u64;
            moves.set((now_seconds(), if sent >= to { ANSWER_SECONDS } else { STALL_SECONDS }));
            self.sent.set(sent.min(length));
            self.speed.update(|speed| speed.observe(now_seconds(), sent));
            if sent >= length {
                self.phase.set(Phase::Finishing);
            }
        });
        request.upload().ok()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
        let watched = request.clone();
        let watch = move || {
            let (since, patience) = moved_at.get();
            if now_seconds() - since > patience {
                abort(&watched);
            }
        };
        let watch = set_interval_with_handle(watch, Duration::from_secs(5)).ok();
        self.under_way.put(Some(request.clone()));
        let reply = ask(&request, Some(&piece)).await;
        self.under_way.put(None);
        if let Some(watch) = watch {
            watch.clear();
        }
        reply
    }
}

/// The transfers of this tab. They live above the pages, so that looking at another page stops none.
#[derive(Clone, Copy)]
pub struct Transfers {
    /// Whose signals outlive every page.
    home: StoredValue<Option<WeakOwner>>,
    all: RwSignal<Vec<(WebinarId, Transfer)>>,
}

impl Transfers {
    /// For the whole application.
    #[must_use]
    pub fn new() -> Self {
        let home = StoredValue::new(Owner::current().map(|owner| owner.downgrade()));
        Self { home, all: RwSignal::new(Vec::new()) }
    }

    /// The transfer of one webinar.
    pub(super) fn of(self, webinar: WebinarId) -> Transfer {
        let known = self.all.with_untracked(|all| all.iter().find(|(id, _)| *id == webinar).map(|(_, it)| *it));
        known.unwrap_or_else(|| {
            let home = self.home.with_value(|home| home.as_ref().and_then(WeakOwner::upgrade));
            let transfer = home.map_or_else(Transfer::new, |home| home.with(Transfer::new));
            // While a page is rendered on the server nothing is under way.
            if !ON_SERVER {
                self.all.update(|all| all.push((webinar, transfer)));
            }
            transfer
        })
    }

    /// Those that were begun and are not over.
    pub(super) fn begun(self) -> Vec<(WebinarId, Transfer)> {
        self.all.with(|all| all.iter().filter(|(_, transfer)| !transfer.phase.with(Phase::is_open)).copied().collect())
    }

    /// Whether leaving the page would break one off.
    fn is_busy(self) -> bool {
        self.all.with_untracked(|all| all.iter().any(|(_, transfer)| transfer.phase.with_untracked(Phase::is_busy)))
    }

    /// Lets the browser ask before a page with a transfer under way is left.
    pub(super) fn ask_before_leaving(self) {
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("beforeunload", move |event| {
                if self.is_busy() {
                    event.prevent_default();
                }
            });
            on_cleanup(move || handle.remove());
        });
    }
}

impl Default for Transfers {
    fn default() -> Self {
        Self::new()
    }
}
