//! The uploader: sends a recording piece by piece, shows how far it is, and goes on after a pause, a lost network or a
//! closed tab. The rules are in [`domain::uploading`]; here they meet the browser.

use domain::ids::WebinarId;
use domain::uploading::{
    Speed, metadata_header, next_piece, objection, pause_before_retry, percent, progress_text, unfinished,
};
use domain::video::{UploadView, size_text};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, HtmlInputElement, ProgressEvent, XmlHttpRequest};

use crate::context::{ON_SERVER, Refresh};
use crate::forms::{PostForm, Submit};

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Idle,
    Sending,
    Paused,
    Waiting,
    Finishing,
    Failed(String),
}

/// What the server answered.
struct Reply {
    status: u16,
    offset: Option<u64>,
    location: Option<String>,
    text: String,
}

impl Reply {
    fn reason(self) -> String {
        if self.text.is_empty() {
            "The upload was not accepted. Please choose the file again.".to_owned()
        } else {
            self.text
        }
    }
}

/// Why the transfer stopped.
enum Stop {
    /// The coach paused it.
    Paused,
    /// It will not work, with the reason.
    Refused(String),
}

#[derive(Clone, Copy)]
struct Transfer {
    phase: RwSignal<Phase>,
    name: RwSignal<String>,
    sent: RwSignal<u64>,
    length: RwSignal<u64>,
    speed: RwSignal<Speed>,
    is_pausing: RwSignal<bool>,
    file: Held<File>,
    address: RwSignal<Option<String>>,
    under_way: Held<XmlHttpRequest>,
}

/// Something of the browser's own. The server holds none: it must not be dropped on another thread than its own.
struct Held<T: 'static>(Option<StoredValue<Option<T>, LocalStorage>>);

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Held<T> {}

impl<T: Clone> Held<T> {
    fn nothing() -> Self {
        Self((!ON_SERVER).then(|| StoredValue::new_local(None)))
    }

    fn put(self, value: Option<T>) {
        if let Some(place) = self.0 {
            place.set_value(value);
        }
    }

    fn get(self) -> Option<T> {
        self.0.and_then(|place| place.get_value())
    }
}

fn now_seconds() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now() / 1000.0)
}

async fn sleep(seconds: f64) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let milliseconds = (seconds * 1000.0) as i32;
        if window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).is_err() {
            leptos::logging::warn!("no timer could be set");
        }
    });
    if JsFuture::from(promise).await.is_err() {
        leptos::logging::warn!("a timer failed");
    }
}

/// Sends one request; nothing when no answer came.
async fn ask(request: &XmlHttpRequest, body: Option<&Blob>) -> Option<Reply> {
    let ended = js_sys::Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    match body {
        Some(body) => request.send_with_opt_blob(Some(body)).ok()?,
        None => request.send().ok()?,
    }
    JsFuture::from(ended).await.ok()?;
    let status = request.status().ok().filter(|status| *status > 0)?;
    let header = |name: &str| request.get_response_header(name).ok().flatten();
    Some(Reply {
        status,
        offset: header("Upload-Offset").and_then(|offset| offset.parse().ok()),
        location: header("Location"),
        text: request.response_text().ok().flatten().unwrap_or_default(),
    })
}

fn request(method: &str, address: &str, headers: &[(&str, &str)]) -> Option<XmlHttpRequest> {
    let request = XmlHttpRequest::new().ok()?;
    request.open(method, address).ok()?;
    for (name, value) in [("Tus-Resumable", "1.0.0")].iter().chain(headers) {
        request.set_request_header(name, value).ok()?;
    }
    Some(request)
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
        }
    }

    fn pause(self) {
        self.is_pausing.set(true);
        if let Some(request) = self.under_way.get()
            && let Err(error) = request.abort()
        {
            leptos::logging::warn!("the request goes on: {error:?}");
        }
    }

    /// Begins with a chosen file, or goes on with one that was begun before.
    fn begin(self, file: File, webinar: WebinarId, open: &[UploadView], refresh: Refresh) {
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

    fn go_on(self, webinar: WebinarId, refresh: Refresh) {
        self.is_pausing.set(false);
        self.phase.set(Phase::Sending);
        leptos::task::spawn_local(async move {
            match self.run(webinar).await {
                Ok(()) => {
                    self.phase.set(Phase::Idle);
                    refresh.raise();
                }
                Err(Stop::Paused) => {
                    self.speed.update(Speed::pause);
                    self.phase.set(Phase::Paused);
                }
                Err(Stop::Refused(reason)) => self.phase.set(Phase::Failed(reason)),
            }
        });
    }

    /// One request of this transfer; waits out a lost network, with longer pauses each time.
    async fn insist(self, make: impl Fn() -> Option<XmlHttpRequest>) -> Result<Reply, Stop> {
        let mut failures = 0;
        loop {
            if self.is_pausing.get_untracked() {
                return Err(Stop::Paused);
            }
            let reply = match make() {
                Some(request) => ask(&request, None).await,
                None => None,
            };
            match reply {
                Some(reply) if reply.status < 500 && reply.status != 429 => return Ok(reply),
                _ => {
                    failures += 1;
                    self.wait(failures).await;
                }
            }
        }
    }

    async fn wait(self, failures: u32) {
        self.phase.set(Phase::Waiting);
        self.speed.update(Speed::pause);
        sleep(pause_before_retry(failures, js_sys::Math::random())).await;
        self.phase.set(Phase::Sending);
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
            self.sent.set(from);
            self.phase.set(Phase::Sending);
            let reply = self.send_piece(&file, &address, from, to).await;
            if self.is_pausing.get_untracked() {
                return Err(Stop::Paused);
            }
            match reply {
                Some(Reply { status: 200..=299, offset: Some(stands), .. }) => {
                    failures = 0;
                    offset = stands;
                }
                Some(reply)
                    if matches!(reply.status, 400..=499) && !matches!(reply.status, 409 | 408 | 423 | 429 | 460) =>
                {
                    return Err(Stop::Refused(reply.reason()));
                }
                _ => {
                    failures += 1;
                    self.wait(failures).await;
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
            Reply { status: 201, location: Some(location), .. } => Ok(location),
            reply => Err(Stop::Refused(reply.reason())),
        }
    }

    async fn stands_at(self, address: &str) -> Result<u64, Stop> {
        let reply = self.insist(|| request("HEAD", address, &[])).await?;
        reply.offset.ok_or_else(|| {
            Stop::Refused(
                "The earlier upload is no longer there. Please choose the file again to start over.".to_owned(),
            )
        })
    }

    async fn send_piece(self, file: &File, address: &str, from: u64, to: u64) -> Option<Reply> {
        let length = self.length.get_untracked();
        let piece = file.slice_with_f64_and_f64(from as f64, to as f64).ok()?;
        let offset = from.to_string();
        let headers = [("Upload-Offset", offset.as_str()), ("Content-Type", "application/offset+octet-stream")];
        let request = request("PATCH", address, &headers)?;
        let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            let sent = from + event.loaded() as u64;
            self.sent.set(sent.min(length));
            self.speed.update(|speed| speed.observe(now_seconds(), sent));
            if sent >= length {
                self.phase.set(Phase::Finishing);
            }
        });
        request.upload().ok()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
        self.under_way.put(Some(request.clone()));
        let reply = ask(&request, Some(&piece)).await;
        self.under_way.put(None);
        reply
    }
}

/// Choosing a file, and how far it is.
#[component]
pub fn Uploader(
    /// Where the recording belongs.
    webinar: WebinarId,
    /// Uploads that can be gone on with.
    open: Vec<UploadView>,
) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    // The page around it is read again now and then; a transfer under way must not notice.
    let transfer = use_context::<StoredTransfer>().map_or_else(Transfer::new, |stored| stored.of(webinar));
    let known = StoredValue::new(open.clone());
    let choose = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            known.with_value(|open| transfer.begin(file, webinar, open, refresh));
        }
        // The same file can be chosen again.
        input.set_value("");
    };
    let is_idle = move || matches!(transfer.phase.get(), Phase::Idle | Phase::Failed(_));
    let failed = move || match transfer.phase.get() {
        Phase::Failed(reason) => Some(view! { <p class="problem general" role="alert">{reason}</p> }),
        _ => None,
    };
    let unfinished: Vec<_> = open
        .into_iter()
        .map(|upload| {
            let part = percent(upload.offset_bytes.unsigned_abs(), upload.length_bytes.unsigned_abs());
            let size = size_text(upload.length_bytes as f64);
            view! {
                <li>
                    <span><strong class="break-anywhere" dir="ltr">{upload.file_name}</strong>{format!(" · {part} % of {size} is here. Choose the same file to go on.")}</span>
                    <PostForm name="cancel_upload" class="inline" hidden=vec![("upload", upload.id.to_string())]><Submit label="Give it up" kind="quiet"/></PostForm>
                </li>
            }
        })
        .collect();
    let unfinished =
        (!unfinished.is_empty()).then(|| view! { <ul class="rows" class:hidden=move || !is_idle()>{unfinished}</ul> });
    view! {
        <div class="uploader">
            {failed}
            {unfinished}
            <label class="file big" class:hidden=move || !is_idle()>
                <span>"Choose your recording, or drop it here: MP4, MOV, WebM or MKV, up to 10 GB"</span>
                <input type="file" accept="video/*,.mkv,.mp4,.mov,.webm" on:change=choose/>
            </label>
            <noscript><p class="look">"Sending a large file in pieces needs JavaScript. Please switch it on for this page."</p></noscript>
            <UploadProgress transfer=transfer webinar=webinar/>
        </div>
    }
}

#[component]
fn UploadProgress(transfer: Transfer, webinar: WebinarId) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let text = move || match transfer.phase.get() {
        Phase::Finishing => "Everything is here; it is being looked at.".to_owned(),
        Phase::Waiting => "The network is away. It goes on by itself as soon as it is back.".to_owned(),
        Phase::Paused => {
            format!("Paused at {} %. Nothing is lost.", percent(transfer.sent.get(), transfer.length.get()))
        }
        _ => transfer.speed.with(|speed| progress_text(transfer.sent.get(), transfer.length.get(), speed)),
    };
    let is_shown = Memo::new(move |_| !matches!(transfer.phase.get(), Phase::Idle | Phase::Failed(_)));
    let is_paused = Memo::new(move |_| transfer.phase.get() == Phase::Paused);
    move || {
        is_shown.get().then(|| {
            view! {
                <div class="transfer">
                    <p><strong class="break-anywhere" dir="ltr">{move || transfer.name.get()}</strong></p>
                    <progress max="100" value=move || percent(transfer.sent.get(), transfer.length.get()) aria-label="Upload"></progress>
                    <p class="quiet" aria-live="off">{text}</p>
                    <p>
                        {move || if is_paused.get() {
                            view! { <button type="button" class="button primary" on:click=move |_| transfer.go_on(webinar, refresh)>"Go on"</button> }.into_any()
                        } else {
                            view! { <button type="button" class="button" on:click=move |_| transfer.pause()>"Pause"</button> }.into_any()
                        }}
                    </p>
                    <p class="hint">"You may close this tab: what has arrived stays for seven days, and choosing the same file goes on from there."</p>
                </div>
            }
        })
    }
}

/// Transfers of this tab, kept above the parts of the page that are read again.
#[derive(Clone, Copy)]
pub struct StoredTransfer {
    webinar: WebinarId,
    transfer: Transfer,
}

impl StoredTransfer {
    /// For one webinar's page.
    #[must_use]
    pub fn new(webinar: WebinarId) -> Self {
        Self { webinar, transfer: Transfer::new() }
    }

    fn of(self, webinar: WebinarId) -> Transfer {
        if self.webinar == webinar { self.transfer } else { Transfer::new() }
    }
}
