//! One session by itself: moved or called off, with people on it or before anybody has booked it, and brought back.

use domain::ids::WebinarId;
use domain::schedule::{BookedSession, ChangedDate, MoveForm};
use leptos::prelude::*;

use crate::forms::{PostForm, Submit, TextArea, TextField, was_done};

/// The way to the forms of one session, or back. One at a time is open, named in the address, so that a form has its
/// fields to itself.
pub fn change_link(session: &str, zone: Option<&str>, is_open: bool) -> AnyView {
    let zone = zone.map(|zone| format!("zone={}", in_address(zone)));
    let session = (!is_open).then(|| format!("session={}", in_address(session)));
    let asks: Vec<String> = [zone, session].into_iter().flatten().collect();
    let address = format!("?{}", asks.join("&"));
    let label = if is_open { "Close" } else { "Move or call off" };
    view! { <p class="subject"><a href=address aria-expanded=is_open.to_string()>{label}</a></p> }.into_any()
}

/// Zones such as `Etc/GMT+5` hold the one character that would be read as a space.
fn in_address(text: &str) -> String {
    text.replace('+', "%2B")
}

/// Sessions with people on them.
#[component]
pub fn Booked(id: WebinarId, booked: Vec<BookedSession>, open: String) -> impl IntoView {
    let done = match (was_done("move_session"), was_done("call_off_session")) {
        (true, _) => Some("Moved. Whoever is booked on it gets one mail with the new time."),
        (_, true) => Some("Called off. Whoever is booked on it gets one mail, and nothing else about it."),
        _ => None,
    };
    let done = done.map(|done| view! { <p class="done" role="status">{done}</p> });
    if booked.is_empty() {
        return done.map(|done| view! { <section id="booked">{done}</section> }).into_any();
    }
    let sessions: Vec<_> = booked
        .into_iter()
        .map(|session| {
            let is_open = session.id.to_string() == open;
            view! { <BookedOne id=id session=session is_open=is_open/> }
        })
        .collect();
    view! {
        <section id="booked">
            <h2>"Booked"</h2>
            {done}
            <p class="hint">"Changing the rules leaves these as they are: people rely on them. Here you move one with everybody on it, or call it off."</p>
            <ul class="sequence">{sessions}</ul>
        </section>
    }
    .into_any()
}

/// `1 person`, `37 people`
fn people_text(people: i64) -> String {
    if people == 1 { "1 person".to_owned() } else { format!("{people} people") }
}

#[component]
fn BookedOne(id: WebinarId, session: BookedSession, is_open: bool) -> impl IntoView {
    let BookedSession { id: session, text, own_text, people, note, form } = session;
    let session = session.to_string();
    let people = people_text(people);
    let link = change_link(&session, None, is_open);
    let forms = is_open.then(|| view! { <ChangeForms id=id session=session form=form is_booked=true/> });
    view! {
        <li>
            <p class="when">{text}<span class="quiet">" · "{people}</span></p>
            {own_text.map(|text| view! { <p class="hint own-time">{text}</p> })}
            {note.map(|note| view! { <p class="look">{note}</p> })}
            {link}
            {forms}
        </li>
    }
}

/// The forms that move one session and call it off.
#[component]
pub fn ChangeForms(
    /// Of which webinar.
    id: WebinarId,
    /// As forms name it.
    session: String,
    /// Its time now.
    form: MoveForm,
    /// Whether people are on it, who are told.
    is_booked: bool,
) -> impl IntoView {
    let this = vec![("webinar", id.to_string()), ("session", session)];
    let to_move = [this.clone(), vec![("zone", form.zone.clone())]].concat();
    let zone = match form.zone.as_str() {
        "" => "in each visitor’s own zone".to_owned(),
        zone => zone.replace('_', " "),
    };
    let note = move || {
        is_booked.then(|| view! { <TextArea name="note" label="A word to them" rows=2 optional=true hint="It stands in the mail."/> })
    };
    let (moves, move_label) = match is_booked {
        true => (
            "Everybody booked gets one mail with the new time, calendars move by themselves, reminders are planned anew. Links stay as they are, and new visitors are offered the new time.",
            "Move everybody",
        ),
        false => (
            "Nobody is booked on it. Visitors are offered the new time instead, from two weeks before it on, on a day off as well.",
            "Move it",
        ),
    };
    let calls_off = match is_booked {
        true => {
            "Everybody gets one mail, calendars take it out, no reminder follows. Their links offer the other dates."
        }
        false => "Nobody is booked on it. Visitors are not offered it any more; the other dates stay as they are.",
    };
    view! {
        <div class="editing">
            <PostForm name="move_session" hidden=to_move>
                <h3>"To another time"</h3>
                <div class="timing">
                    <TextField name="date" label="Day" kind="date" value=form.date/>
                    <TextField name="at" label="Starts at" kind="time" value=form.at/>
                    <p class="quiet from">{zone}</p>
                </div>
                {note()}
                <p class="hint">{moves}</p>
                <Submit label=move_label/>
            </PostForm>
            <PostForm name="call_off_session" hidden=this>
                <h3>"It does not take place"</h3>
                {note()}
                <p class="hint">{calls_off}</p>
                <Submit label="Call it off" kind="danger"/>
            </PostForm>
        </div>
    }
}

/// Single dates that are off or on by hand, each with its way back.
#[component]
pub fn Changed(id: WebinarId, changed: Vec<ChangedDate>) -> impl IntoView {
    let done = match (was_done("bring_back"), was_done("remove_date")) {
        (true, _) => Some("It is back. Whoever was told that it is off can book it again with their link."),
        (_, true) => Some("Taken away. Whoever is booked on it stays booked."),
        _ => None,
    };
    if changed.is_empty() && done.is_none() {
        return ().into_any();
    }
    let dates: Vec<_> = changed
        .into_iter()
        .map(|ChangedDate { name, text, is_off }| {
            let hidden = vec![("webinar", id.to_string()), ("date", name)];
            let (says, way_back) = match is_off {
                true => (
                    "Off: ",
                    view! { <PostForm name="bring_back" class="inline" hidden=hidden><Submit label="Bring it back" kind="quiet"/></PostForm> }.into_any(),
                ),
                false => (
                    "Added: ",
                    view! { <PostForm name="remove_date" class="inline" hidden=hidden><Submit label="Take away" kind="quiet"/></PostForm> }.into_any(),
                ),
            };
            view! {
                <li>
                    <span>{says}{text}</span>
                    {way_back}
                </li>
            }
        })
        .collect();
    view! {
        <section id="changed">
            <h2>"Changed by hand"</h2>
            {done.map(|done| view! { <p class="done" role="status">{done}</p> })}
            {(!dates.is_empty()).then(|| view! { <ul class="rules">{dates}</ul> })}
        </section>
    }
    .into_any()
}
