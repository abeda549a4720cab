//! What lies one click deeper. A refusal or a confirmation inside must not hide there.

use leptos::context::Provider;
use leptos::prelude::*;

/// Whether the fold around a form or a field stands open.
#[derive(Clone, Copy)]
struct FoldOpen(RwSignal<bool>);

/// Opens the fold around the form or field being made, if there is one.
pub fn open_fold() {
    if let Some(FoldOpen(is_open)) = use_context::<FoldOpen>() {
        is_open.set(true);
    }
}

/// Content that is folded away until somebody opens it, or until something inside has to be read.
#[component]
pub fn Fold(
    /// The line that opens it.
    summary: &'static str,
    /// What is inside.
    children: Children,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    view! {
        <Provider value=FoldOpen(is_open)>
            <details open=move || is_open.get()>
                <summary>{summary}</summary>
                {children()}
            </details>
        </Provider>
    }
}
