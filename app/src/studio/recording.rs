//! The recording: upload, what became of it, poster, captions.

use domain::video::{CaptionTrack, UploadView, VideoState, VideoView, clock_text, size_text};
use domain::webinar::WebinarView;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::uploader::Uploader;
use crate::context::Refresh;
use crate::forms::{FileForm, PostForm, Problem, Submit, TextField};
use crate::ui::Time;

/// Seconds between two looks at work in the background.
const LOOK_AGAIN_MS: u64 = 2_000;

/// Where captions are added.
const CAPTIONS_FORM: &str = "form.captions-form";

/// The recording of a webinar.
#[component]
pub fn Recording(webinar: WebinarView, uploads: Vec<UploadView>) -> impl IntoView {
    let id = webinar.id;
    let current = webinar.video.map(|video| view! { <Current video=video/> });
    let heading = if current.is_some() { "Replace it" } else { "Upload it" };
    view! {
        <section id="video">
            <h2>"The recording"</h2>
            {current}
            <h3>{heading}</h3>
            <Uploader webinar=id open=uploads/>
        </section>
    }
}

/// Whether something was typed or chosen for new captions: what is read again would stand in its place.
fn is_being_filled() -> bool {
    let form = document().query_selector(CAPTIONS_FORM).ok().flatten();
    let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) else { return false };
    let elements = form.elements();
    (0..elements.length()).filter_map(|index| elements.item(index)).any(|element| {
        let input = element.dyn_into::<web_sys::HtmlInputElement>();
        input.is_ok_and(|input| input.type_() != "hidden" && input.value() != input.default_value())
    })
}

#[component]
fn Current(video: VideoView) -> impl IntoView {
    let is_working = video.state == VideoState::Processing;
    if is_working {
        let refresh = expect_context::<Refresh>();
        Effect::new(move |_| {
            let look_again = move || {
                if !is_being_filled() {
                    refresh.raise();
                }
            };
            let handle = set_interval_with_handle(look_again, std::time::Duration::from_millis(LOOK_AGAIN_MS));
            on_cleanup(move || {
                if let Ok(handle) = handle {
                    handle.clear();
                }
            });
        });
    }
    let working = is_working.then(|| view! { <p class="look" role="status">"It plays already. A quicker start and pictures for the page are being made in the background."</p> });
    let note = video.note.clone().map(|note| view! { <p class="look">{note}</p> });
    let size = if video.width > 0 { format!("{} × {} · ", video.width, video.height) } else { String::new() };
    let tracks: Vec<_> = video
        .captions
        .iter()
        .map(|track| view! { <track kind="captions" src=track.url.clone() srclang=track.language.clone() label=track.label.clone()/> })
        .collect();
    let candidates = video.poster_candidates.clone();
    let id = video.id;
    view! {
        <video class="preview" controls=true playsinline=true preload="metadata" src=video.media_url.clone() poster=video.poster_url.clone() data-video-ready>{tracks}</video>
        <p class="quiet">
            <span class="break-anywhere" dir="ltr">{video.file_name.clone()}</span>" · version "{video.version}" · "{clock_text(video.duration_seconds)}" · "{size}{size_text(video.size_bytes as f64)}" · uploaded "<Time at=video.created_at/>
        </p>
        {working}
        {note}
        {(!candidates.is_empty()).then(|| {
            let candidates: Vec<_> = candidates.into_iter().map(|candidate| {
                let class = if candidate.chosen { "candidate chosen" } else { "candidate" };
                let label = if candidate.chosen { format!("Picture {}, chosen", candidate.index + 1) } else { format!("Use picture {}", candidate.index + 1) };
                view! {
                    <PostForm name="choose_poster" class="inline" hidden=vec![("video", id.to_string()), ("index", candidate.index.to_string())]>
                        <button type="submit" class=class aria-label=label aria-pressed=if candidate.chosen { "true" } else { "false" }>
                            <img src=candidate.url alt="" width="160" height="90" loading="lazy"/>
                        </button>
                    </PostForm>
                }
            }).collect();
            view! { <h3>"The picture people see before they press play"</h3><div class="candidates">{candidates}</div> }
        })}
        <Captions video=id.to_string() tracks=video.captions.clone()/>
    }
}

#[component]
fn Captions(video: String, tracks: Vec<CaptionTrack>) -> impl IntoView {
    let rows: Vec<_> = tracks
        .into_iter()
        .map(|track| {
            view! {
                <li>
                    <span>{track.label}" · "{track.language}" · "{track.cue_count}" lines"</span>
                    <PostForm name="remove_caption" class="inline" hidden=vec![("caption", track.id.to_string())]><Submit label="Remove" kind="quiet"/></PostForm>
                </li>
            }
        })
        .collect();
    let rows = (!rows.is_empty()).then(|| view! { <ul class="rows">{rows}</ul> });
    let action = format!("/dashboard/videos/{video}/captions");
    view! {
        <div id="captions">
            <h3>"Captions"</h3>
            {rows}
            <FileForm name="add_caption" action=action class="captions-form">
                <label class="file"><span>"A WebVTT or SRT file"</span><input type="file" name="file" accept=".vtt,.srt,text/vtt,application/x-subrip" required=true/></label>
                <Problem name="file"/>
                <TextField name="language" label="Language" value="en" hint="As a code: en, fr, de, pt-BR. Captions are also the transcript people can search."/>
                <TextField name="label" label="Name in the menu" value="English"/>
                <Submit label="Add captions" kind=""/>
            </FileForm>
        </div>
    }
}
