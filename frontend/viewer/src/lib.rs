//! The only script of a viewer's page: takes over the player the server rendered. Nothing of it is needed to watch.

use leptos::mount::hydrate_from;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

/// Runs when the module is loaded; does nothing on a page without a player.
#[wasm_bindgen(start)]
pub fn start() {
    // Its messages weigh more than they help where nobody reads them.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let place = document.get_element_by_id("room").and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let json = document.get_element_by_id("player-props").and_then(|element| element.text_content());
    let Some((place, json)) = place.zip(json) else { return };
    let Some(props) = app::room::read_props(&json) else {
        return;
    };
    app::room::localise_moments(&document);
    hydrate_from(place, move || app::room::player(props)).forget();
    // Tells whoever waits for it, such as a test, that the page answers.
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("data-awake", "");
    }
}
