//! Times in the person's own zone, with the zone named. The server prints UTC, because it does not know better.

use wasm_bindgen::JsValue;
use web_sys::Document;

/// Spelled as the browser's own formatter takes it.
const FORM: &str =
    r#"{"day":"numeric","month":"long","year":"numeric","hour":"2-digit","minute":"2-digit","timeZoneName":"short"}"#;

/// How a moment is written for people.
#[must_use]
pub fn moment_form() -> Option<JsValue> {
    js_sys::JSON::parse(FORM).ok()
}

/// Rewrites every `<time datetime>` of the page.
pub fn localise_moments(document: &Document) {
    let Some(form) = moment_form() else { return };
    let places = document.get_elements_by_tag_name("time");
    for place in (0..places.length()).filter_map(|index| places.item(index)) {
        let Some(moment) = place.get_attribute("datetime") else {
            continue;
        };
        let date = js_sys::Date::new(&JsValue::from(moment));
        // What the browser cannot read stays as it was printed.
        if !date.get_time().is_nan() {
            place.set_text_content(date.to_locale_string("en-GB", &form).as_string().as_deref());
        }
    }
}
