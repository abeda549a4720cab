//! The uploader: choosing a recording, how far it is, and what to do about it.

use domain::ids::WebinarId;
use domain::uploading::{percent, progress_text};
use domain::video::{UploadView, max_upload_text, size_text};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, File, HtmlInputElement};

use super::transfer::{Phase, Transfer, Transfers};
use crate::context::Refresh;
use crate::forms::{PostForm, Submit};

/// Choosing a file, and how far it is.
#[component]
pub fn Uploader(
    /// Where the recording belongs.
    webinar: WebinarId,
    /// Uploads that can be gone on with.
    open: Vec<UploadView>,
) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    // The page around it is read again, and left, now and then; a transfer under way must not notice.
    let transfer = expect_context::<Transfers>().of(webinar);
    let known = StoredValue::new(open.clone());
    let begin = move |file: File| known.with_value(|open| transfer.begin(file, webinar, open, refresh));
    let choose = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            begin(file);
        }
        // The same file can be chosen again.
        input.set_value("");
    };
    let is_over = RwSignal::new(false);
    let drag = move |event: DragEvent| {
        // Without this the browser would open the file instead of handing it over.
        event.prevent_default();
        is_over.set(true);
    };
    let take = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        if let Some(file) = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0)) {
            begin(file);
        }
    };
    let is_idle = move || transfer.phase.with(Phase::is_open);
    let failed = move || {
        match transfer.phase.get() {
        Phase::Failed(reason) => Some(view! { <p class="problem general" role="alert">{reason}</p> }.into_any()),
        Phase::SignedOut => Some(
            view! { <p class="problem general" role="alert">"You were signed out. What has arrived is kept: "<a href="/login" rel="external">"sign in again"</a>" and choose the same file, and it goes on."</p> }
                .into_any(),
        ),
        _ => None,
    }
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
            <label class="file big" class:hidden=move || !is_idle() class:over=move || is_over.get() on:dragover=drag on:dragleave=move |_| is_over.set(false) on:drop=take>
                <span>{format!("Choose your recording, or drop it here: MP4, MOV, WebM or MKV, up to {}", max_upload_text())}</span>
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
        Phase::Finishing => "Everything is sent; the server is looking at it.".to_owned(),
        Phase::Waiting(why) => why,
        Phase::Paused => {
            format!("Paused at {} %. Nothing is lost.", percent(transfer.sent.get(), transfer.length.get()))
        }
        _ => transfer.speed.with(|speed| progress_text(transfer.sent.get(), transfer.length.get(), speed)),
    };
    let is_shown = Memo::new(move |_| !transfer.phase.with(Phase::is_open));
    let is_paused = Memo::new(move |_| transfer.phase.get() == Phase::Paused);
    move || {
        is_shown.get().then(|| {
            view! {
                <div class="transfer">
                    <p><strong class="break-anywhere" dir="ltr">{move || transfer.name.get()}</strong></p>
                    <progress max="100" value=move || percent(transfer.sent.get(), transfer.length.get()) aria-label="Upload"></progress>
                    <p class="quiet" aria-live="off">{text}</p>
                    <div class="transfer-acts">
                        {move || if is_paused.get() {
                            view! { <button type="button" class="button primary" on:click=move |_| transfer.go_on(webinar, refresh)>"Go on"</button> <GiveUp transfer=transfer/> }.into_any()
                        } else {
                            view! { <button type="button" class="button" on:click=move |_| transfer.pause()>"Pause"</button> }.into_any()
                        }}
                    </div>
                    <p class="hint">"You may close this tab: what has arrived stays for seven days, and choosing the same file goes on from there."</p>
                </div>
            }
        })
    }
}

/// Gives a paused upload up; what had arrived is removed.
#[component]
fn GiveUp(transfer: Transfer) -> impl IntoView {
    match transfer.upload() {
        Some(upload) => view! {
            <PostForm name="cancel_upload" class="inline" hidden=vec![("upload", upload.to_string())] then=Callback::new(move |()| transfer.forget())>
                <Submit label="Give it up" kind="quiet"/>
            </PostForm>
        }
        .into_any(),
        // Paused before the server knew of it.
        None => view! { <button type="button" class="button quiet" on:click=move |_| transfer.forget()>"Give it up"</button> }.into_any(),
    }
}

/// Transfers of webinars other than the one that is shown, on every page of the studio.
#[component]
pub fn Elsewhere() -> impl IntoView {
    let transfers = expect_context::<Transfers>();
    transfers.ask_before_leaving();
    let path = use_location().pathname;
    move || {
        let lines: Vec<_> = transfers
            .begun()
            .into_iter()
            .map(|(webinar, transfer)| (format!("/dashboard/webinars/{webinar}"), transfer))
            .filter(|(editor, _)| path.with(|path| path != editor))
            .map(|(editor, transfer)| {
                let stands = move || {
                    let stands = percent(transfer.sent.get(), transfer.length.get());
                    let is_paused = transfer.phase.with(|phase| *phase == Phase::Paused);
                    if is_paused { format!(" is paused at {stands} %. ") } else { format!(" is being uploaded: {stands} %. ") }
                };
                view! { <p class="elsewhere"><strong class="break-anywhere" dir="ltr">{move || transfer.name.get()}</strong>{stands}<a href=editor>"Show it"</a></p> }
            })
            .collect();
        (!lines.is_empty()).then(|| view! { <aside class="transfers" aria-label="Uploads">{lines}</aside> })
    }
}
