//! Forms that carry a file. As plain HTML they go to a route of their own, which sends the page back when it refuses;
//! once the page is awake they are sent from where they are, so that nothing else on the page is lost.

use domain::{Refusal, RefusalKind};
use leptos::context::Provider;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, Headers, HtmlFormElement, RequestInit, Response};

use super::fold::open_fold;
use super::{FormState, GeneralProblem, Posted, focus};
use crate::context::Refresh;

/// A form with a file, sent to `action`.
#[component]
pub fn FileForm(
    /// What it does.
    name: &'static str,
    /// The route that takes it.
    action: String,
    /// Extra class.
    #[prop(optional)]
    class: &'static str,
    /// Fields and button.
    children: Children,
) -> impl IntoView {
    let posted = use_context::<Posted>().filter(|posted| posted.form == name).unwrap_or_default();
    let state = FormState::new(name, posted);
    if state.refusal.with_untracked(Option::is_some) {
        open_fold();
    }
    let refresh = use_context::<Refresh>();
    let target = action.clone();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else {
            return;
        };
        if state.is_busy.get_untracked() {
            return;
        }
        state.is_busy.set(true);
        let target = target.clone();
        leptos::task::spawn_local(async move {
            let refusal = send(&form, &target).await;
            state.is_busy.set(false);
            state.refusal.set(refusal.clone());
            match refusal {
                Some(refusal) => request_animation_frame(move || focus(&form, refusal.field.as_deref())),
                None => {
                    form.reset();
                    if let Some(refresh) = refresh {
                        refresh.raise();
                    }
                }
            }
        });
    };
    view! {
        <Provider value=state>
            <form method="post" action=action enctype="multipart/form-data" class=class on:submit=on_submit novalidate=true>
                <GeneralProblem/>
                {children()}
            </form>
        </Provider>
    }
}

/// Sends the form; why it was not taken.
async fn send(form: &HtmlFormElement, action: &str) -> Option<Refusal> {
    let lost = || Refusal::new(RefusalKind::Fault, "It did not arrive. Please check your connection and try again.");
    let Some(response) = post(form, action).await else {
        return Some(lost());
    };
    // Whoever is signed out is led to the door, and the browser follows by itself.
    if response.redirected() {
        return Some(Refusal::sign_in());
    }
    if response.ok() {
        return None;
    }
    let text = match response.text() {
        Ok(text) => JsFuture::from(text).await.ok().and_then(|text| text.as_string()),
        Err(_) => None,
    };
    text.and_then(|text| serde_json::from_slice(text.as_bytes()).ok()).or_else(|| Some(lost()))
}

async fn post(form: &HtmlFormElement, action: &str) -> Option<Response> {
    let headers = Headers::new().ok()?;
    headers.set("accept", "application/json").ok()?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers_headers(&headers);
    request.set_body(FormData::new_with_form(form).ok()?.as_ref());
    let response = JsFuture::from(window().fetch_with_str_and_init(action, &request)).await.ok()?;
    response.dyn_into().ok()
}
