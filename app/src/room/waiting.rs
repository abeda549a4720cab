//! The waiting room: when it starts, counted by the server's clock, and another time for whoever cannot come.
//!
//! With a script the page turns into the room at the start, without one it asks for itself again then. Nothing here
//! counts as watching.

use domain::moment::Moment;
use domain::webinar::{Room, RoomPhase};
use leptos::prelude::*;

use crate::registration::{ViewerAssets, presenter_line, script_safe, slots};

/// Longest time between two looks without a script, in seconds.
const LONGEST_WAIT_SECONDS: i64 = 86_400;

/// The page's middle while the session is still to come.
pub fn waiting(room: &Room, (starts_at, doors_at, now): (Moment, Moment, Moment)) -> AnyView {
    let when = room.time_text.clone().unwrap_or_else(|| starts_at.utc_text());
    let doors = if doors_at <= now {
        "The doors are open. Stay on this page: it turns into the room by itself.".to_owned()
    } else {
        let minutes = (starts_at.seconds_since(doors_at) / 60.0).round();
        format!("The doors open {minutes} minutes before. You can leave this page and come back with the same link.")
    };
    let description = (!room.description_html.is_empty()).then(|| {
        view! { <div class="prose" dir="auto" inner_html=room.description_html.clone()></div> }
    });
    let late = room.joins_where_it_is.then(|| {
        view! { <p class="quiet">"Whoever comes later joins where the recording is by then."</p> }
    });
    view! {
        <main class="message waiting" id="content">
            <h1 dir="auto">{room.title.clone()}</h1>
            {presenter_line(&room.presenter)}
            <p class="starts">"Starts on "<time datetime=starts_at.rfc3339()>{when}</time></p>
            <p class="countdown needs-script" id="countdown" role="timer" aria-live="off"></p>
            <p>{doors}</p>
            {late}
            {calendar(room)}
            {description}
            {another_time(room, "You cannot come then? Choose another time")}
        </main>
    }
    .into_any()
}

/// The page's middle when the coach called the session off: the link leads to the other dates.
pub fn called_off(room: &Room) -> AnyView {
    let when = room.time_text.clone().map(|when| view! { " on "{when} });
    let said = room.change_note.clone().map(|note| {
        let who = if room.presenter.is_empty() { "The presenter".to_owned() } else { room.presenter.clone() };
        view! { <p class="look" dir="auto">{who}" writes: "{note}</p> }
    });
    let others = another_time(room, "Choose another time").unwrap_or_else(|| {
        view! { <p>"There is no other date yet. Your registration stays, and this link shows new dates as soon as there are any."</p> }
            .into_any()
    });
    view! {
        <main class="message called-off" id="content">
            <h1 dir="auto">{room.title.clone()}</h1>
            {presenter_line(&room.presenter)}
            <p><strong>"Called off. "</strong>"The session you booked"{when}" does not take place."</p>
            {said}
            {others}
        </main>
    }
    .into_any()
}

/// The page's middle for somebody who waits for a date.
pub fn no_date_yet(room: &Room) -> AnyView {
    let dates = another_time(room, "Choose a time").unwrap_or_else(|| {
        view! { <p>"There is no date yet. You get one mail as soon as there is one, and this page shows it."</p> }
            .into_any()
    });
    view! {
        <main class="message no-date" id="content">
            <h1 dir="auto">{room.title.clone()}</h1>
            {presenter_line(&room.presenter)}
            <p>"You are on the list for new dates."</p>
            {dates}
        </main>
    }
    .into_any()
}

/// Ways to put the session into a calendar.
fn calendar(room: &Room) -> Option<AnyView> {
    let links = room.calendar.clone()?;
    let view = view! {
        <p class="calendars">
            "Put it into your calendar: "
            <a href=format!("{}/calendar.ics", room.path) download="session.ics">"file"</a>
            " · "<a href=links.google target="_blank" rel="noopener noreferrer">"Google"</a>
            " · "<a href=links.outlook target="_blank" rel="noopener noreferrer">"Outlook"</a>
        </p>
    };
    Some(view.into_any())
}

/// The times one can change to with this link, folded away.
pub fn another_time(room: &Room, summary: &'static str) -> Option<AnyView> {
    let times = room.times.as_ref().filter(|times| !times.slots.is_empty())?;
    let is_over = matches!(room.phase, RoomPhase::CalledOff | RoomPhase::NoDateYet | RoomPhase::Over);
    let form = view! {
        <details class="another-time" open=is_over>
            <summary>{summary}</summary>
            <form method="post" novalidate>
                {slots(times, "", None, false)}
                <button class="button primary" type="submit">"Take this time"</button>
            </form>
        </details>
    };
    Some(form.into_any())
}

/// Seconds until the page without a script should ask again: just after the start.
pub fn wait_seconds(starts_at: Moment, now: Moment) -> i64 {
    (starts_at.seconds_since(now).ceil() as i64 + 1).clamp(1, LONGEST_WAIT_SECONDS)
}

/// Counts down by the server's clock, and puts the room in place of the waiting room when it is time.
pub fn waiting_script(starts_at: Moment, now: Moment, assets: &ViewerAssets) -> String {
    let text = |url: &str| script_safe(&serde_json::Value::from(url).to_string());
    format!(
        "(()=>{{const left={left},t0=performance.now(),box=document.getElementById(\"countdown\"),two=n=>String(n).padStart(2,\"0\");\
         const words=s=>s>=172800?Math.floor(s/86400)+\" days\":s>=3600?Math.floor(s/3600)+\" h \"+two(Math.floor(s%3600/60))+\" min\":two(Math.floor(s/60))+\":\"+two(s%60);\
         const open=async()=>{{try{{const a=await fetch(location.href,{{cache:\"no-store\"}});const next=new DOMParser().parseFromString(await a.text(),\"text/html\");\
         const props=next.getElementById(\"player-props\"),at=d=>d.querySelector(\".starts time\")?.dateTime;\
         if(!props)return at(next)===at(document)?setTimeout(open,2000):location.reload();\
         document.getElementById(\"page\").replaceChildren(...next.getElementById(\"page\").childNodes);document.body.append(props);\
         (await import({js})).default({{module_or_path:{wasm}}})}}catch{{setTimeout(open,3000)}}}};\
         const tick=()=>{{const s=Math.ceil((left-(performance.now()-t0))/1000);if(s<=0){{box.textContent=\"\";return open()}}box.textContent=words(s);setTimeout(tick,s>172800?60000:500)}};tick()}})()",
        left = (starts_at.seconds_since(now) * 1000.0).max(0.0).round(),
        js = text(&assets.viewer_js),
        wasm = text(&assets.viewer_wasm),
    )
}
