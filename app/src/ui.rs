//! The small kit every page is made of. Each piece is shown at `/dev/kit`.

mod charts;
mod time;

use domain::Refusal;
use domain::RefusalKind;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

pub use charts::{CountTable, Curve, Funnel, HeatStrip, Meter};
pub use time::{Time, Zone};

use crate::context::set_status;

/// The page for what is not there, or is somebody else's: both read alike.
#[component]
pub fn Missing() -> impl IntoView {
    set_status(404);
    view! {
        <div class="empty">
            <h1>"There is nothing here"</h1>
            <p>"There is nothing at this address. It may have been moved or removed."</p>
            <p><a class="button" href="/">"To the start"</a></p>
        </div>
    }
}

/// What stands where something could not be read.
#[component]
pub fn Refused(
    /// Why.
    refusal: Refusal,
) -> impl IntoView {
    match refusal.kind {
        RefusalKind::NotFound => view! { <Missing/> }.into_any(),
        RefusalKind::SignInNeeded => view! {
            <div class="empty">
                <h1>"Please sign in again"</h1>
                <p>"You were signed out, here or in another window. Nothing is lost."</p>
                <p><a class="button primary" href="/login" rel="external">"Sign in"</a></p>
            </div>
        }
        .into_any(),
        _ => {
            set_status(refusal.status());
            view! { <div class="empty"><h1>"That did not work"</h1><p role="alert">{refusal.message}</p></div> }
                .into_any()
        }
    }
}

/// A coloured word for a state.
#[component]
pub fn Badge(
    /// The word.
    label: &'static str,
    /// `good`, `look`, `plain`.
    #[prop(default = "plain")]
    tone: &'static str,
) -> impl IntoView {
    view! { <span class=format!("badge {tone}")>{label}</span> }
}

/// Text to be copied, with a button that does it.
#[component]
pub fn Copyable(
    /// The text.
    text: String,
    /// What it is, for screen readers.
    label: &'static str,
) -> impl IntoView {
    let is_copied = RwSignal::new(false);
    let value = text.clone();
    let area = NodeRef::<leptos::html::Textarea>::new();
    let copy = move |_| {
        if let Some(area) = area.get_untracked() {
            area.select();
        }
        // Over plain http browsers hand out no clipboard; what is selected can still be copied.
        if !window().is_secure_context() {
            let document: web_sys::HtmlDocument = document().unchecked_into();
            is_copied.set(document.exec_command("copy").unwrap_or(false));
            return;
        }
        let value = value.clone();
        leptos::task::spawn_local(async move {
            let written =
                wasm_bindgen_futures::JsFuture::from(window().navigator().clipboard().write_text(&value)).await;
            is_copied.set(written.is_ok());
        });
    };
    view! {
        <div class="copyable">
            <textarea node_ref=area readonly=true rows="3" aria-label=label dir="ltr" spellcheck="false" inner_html=crate::forms::area_text(&text)></textarea>
            <button type="button" class="button needs-script" on:click=copy>{move || if is_copied.get() { "Copied" } else { "Copy" }}</button>
        </div>
    }
}

/// The file name or headline of a device such as `Firefox/desktop`, for people.
#[must_use]
pub fn device_text(device: &str) -> String {
    match device.split_once('/') {
        Some(("other", "other")) | None => "Unknown device".to_owned(),
        Some((family, "other")) => family.to_owned(),
        Some(("other", class)) => format!("Unknown browser, {class}"),
        Some((family, class)) => format!("{family}, {class}"),
    }
}

/// A country code for people.
#[must_use]
pub fn country_text(code: &str) -> String {
    if code == "??" { "unknown".to_owned() } else { code.to_owned() }
}
