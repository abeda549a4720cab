//! The times to choose from, wherever one can be chosen: when registering, in the waiting room, after a missed one.
//!
//! They are printed in one zone, with the zone named; whoever is elsewhere picks theirs, without a script too.

use domain::Refusal;
use domain::webinar::{AT_ONCE, LATER, SlotView, Times};
use leptos::prelude::*;

use super::document::script_safe;
use super::fields::Refused;
use crate::time_zones::zone_options;

/// The radios of one form, with the zone they are shown in.
pub fn slots(times: &Times, chosen: &str, refusal: Option<&Refusal>, offers_at_once: bool) -> AnyView {
    let refused = Refused::of("choose-slot", refusal);
    let radio = |value: &str, label: AnyView| {
        let is_chosen = value == chosen;
        view! {
            <label class="slot">
                <input type="radio" name="slot" value=value.to_owned() checked=is_chosen/>
                <span>{label}</span>
            </label>
        }
        .into_any()
    };
    let one = |slot: &SlotView| {
        let note = slot.note.clone().map(|note| view! { <span class="slot-note">{note}</span> });
        let label = view! {
            <time datetime=slot.starts_at.rfc3339()>{slot.text.clone()}</time>
            <span class="quiet">{slot.zone_text.clone()}</span>
            {note}
        };
        radio(&slot.value, label.into_any())
    };
    let mut all: Vec<AnyView> = times.slots.iter().map(one).collect();
    if times.on_demand && offers_at_once {
        all.push(radio(AT_ONCE, view! { <span>"Watch the recording at once"</span> }.into_any()));
    }
    let none = all.is_empty().then(|| {
        let later = offers_at_once.then(|| view! { <input type="hidden" name="slot" value=LATER/> });
        view! {
            <p>"There is no date at the moment. Leave your address, and you get one mail as soon as there is one."</p>
            {later}
        }
    });
    view! {
        <fieldset class="slots" aria-describedby=refused.described_by()>
            <legend>{if all.is_empty() { "New dates" } else { "Choose a time" }}</legend>
            {none}
            {all}
            {refused.message()}
            <input type="hidden" name="zone" value=times.zone.clone()/>
        </fieldset>
    }
    .into_any()
}

/// "Somewhere else?": the same page with its times in another zone.
pub fn zone_picker(times: &Times, path: &str, source: &str) -> AnyView {
    let source =
        (!source.is_empty()).then(|| view! { <input type="hidden" name="utm_source" value=source.to_owned()/> });
    view! {
        <details class="zone-picker">
            <summary>"Times for "{times.zone.replace('_', " ")}". Are you somewhere else?"</summary>
            <form method="get" action=path.to_owned()>
                <label for="zone-picker">"Your time zone"</label>
                <select id="zone-picker" name="zone">{zone_options(&times.zones, &times.zone)}</select>
                {source}
                <button class="button" type="submit">"Show my times"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Asks for the same page in the browser's own zone, before anything was typed.
pub fn zone_script(times: &Times) -> String {
    let shown = script_safe(&serde_json::Value::from(times.zone.as_str()).to_string());
    format!(
        "(()=>{{const z=Intl.DateTimeFormat().resolvedOptions().timeZone,u=new URL(location);if(z&&z!=={shown}&&!u.searchParams.has(\"zone\")){{u.searchParams.set(\"zone\",z);location.replace(u)}}}})()"
    )
}
