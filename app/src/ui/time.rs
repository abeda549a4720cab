//! Moments in the coach's zone, with the zone shown.

use domain::Moment;
use leptos::prelude::*;

/// The zone times are shown in; provided by the studio's layout.
#[derive(Clone, Debug)]
pub struct Zone(pub RwSignal<Option<String>>);

/// A moment. It is sent in UTC, and put into the coach's zone once the page is awake: browsers know every zone's
/// rules, and shipping them again would weigh more than the page.
#[component]
pub fn Time(
    /// When.
    at: Moment,
) -> impl IntoView {
    let text = RwSignal::new(at.utc_text());
    let zone = use_context::<Zone>();
    Effect::new(move |_| {
        if let Some(local) = zone.as_ref().and_then(|zone| zone.0.get()).and_then(|zone| local_text(at, &zone)) {
            text.set(local);
        }
    });
    view! { <time datetime=at.rfc3339()>{move || text.get()}</time> }
}

/// `24 November 2026, 02:54 CET`, as the browser says it.
fn local_text(at: Moment, zone: &str) -> Option<String> {
    let date = js_sys::Date::new(&(at.unix_millis() as f64).into());
    let options = crate::room::moment_form()?;
    js_sys::Reflect::set(&options, &"timeZone".into(), &zone.into()).ok()?;
    // A zone this browser does not know would throw.
    let format = js_sys::Reflect::get(&date, &"toLocaleString".into()).ok()?;
    let format: js_sys::Function = wasm_bindgen::JsCast::dyn_into(format).ok()?;
    format.call2(&date, &"en-GB".into(), &options).ok()?.as_string()
}
