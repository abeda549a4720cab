//! The choice of a time zone, on pages of viewers and of coaches alike.

use leptos::prelude::*;

/// What a `<select>` of time zones offers. Names are shown with spaces, as people write them.
pub fn zone_options(zones: &[String], chosen: &str) -> Vec<AnyView> {
    let option = |zone: &String| {
        let is_chosen = zone == chosen;
        view! { <option value=zone.clone() selected=is_chosen>{zone.replace('_', " ")}</option> }.into_any()
    };
    zones.iter().map(option).collect()
}
