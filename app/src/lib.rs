//! Everything people see. Viewer pages are rendered whole by the server and need no script; the coach's studio is a
//! routed application, rendered on the server and hydrated in the browser.
//!
//! Features decide what a build holds: `ssr` the server's half, `hydrate` the browser's, `studio` the coach's side,
//! which the viewer's bundle leaves out together with the router.

pub mod registration;
pub mod room;
mod time_zones;

#[cfg(feature = "studio")]
pub mod account;
#[cfg(feature = "studio")]
pub mod app;
pub mod context;
#[cfg(feature = "studio")]
pub mod document;
#[cfg(feature = "studio")]
pub mod error;
#[cfg(feature = "studio")]
pub mod evidence;
#[cfg(feature = "studio")]
pub mod forms;
#[cfg(feature = "studio")]
pub mod home;
#[cfg(feature = "studio")]
pub mod kit;
#[cfg(feature = "studio")]
pub mod my_data;
#[cfg(feature = "studio")]
pub mod pieces;
#[cfg(feature = "studio")]
pub mod reading;
#[cfg(feature = "studio")]
pub mod receipt;
#[cfg(feature = "studio")]
pub mod studio;
#[cfg(feature = "studio")]
pub mod ui;

/// Takes over the page the server sent, with what a posted form led to.
#[cfg(all(feature = "studio", feature = "hydrate"))]
pub async fn wake() {
    use leptos::prelude::*;
    let Some(body) = document().body() else { return };
    let owner = leptos::mount::hydrate_from_async(body, studio_in_browser).await;
    owner.forget();
    // Tells whoever waits for it, such as a test, that the page answers.
    request_animation_frame(|| {
        if let Some(root) = document().document_element()
            && root.set_attribute("data-awake", "").is_err()
        {
            leptos::logging::warn!("the page cannot say that it is awake");
        }
    });
}

#[cfg(all(feature = "studio", feature = "hydrate"))]
fn studio_in_browser() -> impl leptos::IntoView {
    use leptos::prelude::*;
    let posted = document().get_element_by_id("posted").and_then(|element| element.text_content());
    if let Some(posted) = posted.and_then(|json| serde_json::from_slice::<forms::Posted>(json.as_bytes()).ok()) {
        if let Some(page) = &posted.page
            && let Ok(history) = window().history()
            && history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(page)).is_err()
        {
            leptos::logging::warn!("the address stays another page's");
        }
        provide_context(posted);
    }
    view! { <app::App/> }
}
