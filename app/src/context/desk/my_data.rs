//! "My data": everything held about a coach on one page, whatever state her account is in (promise P26).

use backend::rights::my_data::{Held, HeldPlace, MyData, class_title};
use domain::rights::{AccountState, RequestState, RightKind};
use leptos::prelude::*;

use super::fields::button;
use super::requests::right_text;
use super::{Desk, Feedback};

/// The page.
#[must_use]
pub fn my_data_page(desk: &Desk, data: &MyData, feedback: &Feedback) -> String {
    let kinds = data.held.len();
    let main = view! {
        <p class="lead" id="tldr">
            {format!("We hold {kinds} kinds of data about you and the people registered with you. All of it is on this page, with why and until when. You can correct it, let it rest, or have all of it deleted.")}
        </p>
        {way_back(desk, data)}
        {looks(desk, data)}
        {incidents(desk, data)}
        <section>
            <h2>"Correct it"</h2>
            <p>"Your name, address, password and second factor are yours to change under "<a href="/dashboard/account">"Account"</a>", texts and recordings in each webinar."</p>
        </section>
        <section id="held">
            <h2>"What is held"</h2>
            <p>"Open a kind to see the values. Of the people registered with you the numbers stand here; who they are stands under “People” of each webinar."</p>
            {held_view(&data.held)}
        </section>
        {requests(desk, data)}
        {ends(data)}
    };
    desk.page("My data", "/dashboard/my-data", feedback, main)
}

/// While the account is on its way out: how long, and the way back.
fn way_back(desk: &Desk, data: &MyData) -> Option<AnyView> {
    let words = match (data.state, data.undo_until, data.closes_at) {
        (AccountState::Leaving, Some(until), _) => {
            view! { <p>"Your account will be deleted from "<strong>{desk.time(until)}</strong>" on. Until then nothing is lost."</p> }.into_any()
        }
        (AccountState::Closing, _, Some(until)) => {
            view! { <p>"Your account is closed and can be read until "<strong>{desk.time(until)}</strong>"; then it is deleted."</p> }.into_any()
        }
        (AccountState::Restricted, ..) => {
            let lift = button("/dashboard/my-data/lift".to_owned(), "Use my account again", "primary", Vec::new());
            return Some(view! { <section class="attention"><h2>"Your account rests"</h2><p>"Everything is kept as it is. Nothing is sent, shown to others or changed."</p>{lift}</section> }.into_any());
        }
        _ => return None,
    };
    let stay = button("/dashboard/my-data/stay".to_owned(), "Call it off and keep my account", "primary", Vec::new());
    Some(
        view! {
            <section class="attention">
                <h2>"Your account is on its way out"</h2>
                {words}
                {stay}
                <p><a href="/dashboard/my-data/close">"Do not wait: delete it now"</a></p>
            </section>
        }
        .into_any(),
    )
}

fn looks(desk: &Desk, data: &MyData) -> AnyView {
    let rows: Vec<_> = data
        .looks
        .iter()
        .map(|look| {
            view! { <tr><td>{desk.time(look.at)}</td><td>{format!("Operator {}", look.seat)}</td><td>{look.what.clone()}</td><td class="break-anywhere">{look.reason.clone()}</td></tr> }
        })
        .collect();
    let table = if rows.is_empty() {
        view! { <p>"Nobody ever did. Two people keep this service; when one of them looks into your account, it stands here with the reason."</p> }.into_any()
    } else {
        view! {
            <table>
                <thead><tr><th scope="col">"When"</th><th scope="col">"Who"</th><th scope="col">"What"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! { <section id="looks"><h2>"Who looked at it"</h2>{table}</section> }.into_any()
}

fn incidents(desk: &Desk, data: &MyData) -> Option<AnyView> {
    let rows: Vec<_> = data
        .incidents
        .iter()
        .map(|(one, incident)| {
            let class = class_title(&incident.class);
            let whose = if one.is_own { "Data of yours is among it." } else { "It is about people registered with you." };
            view! {
                <li>
                    <span>
                        <strong>{class}</strong>", between "{desk.time(incident.from_at)}" and "{desk.time(incident.to_at)}"; found "{desk.time(incident.found_at)}"."<br/>
                        {format!("{whose} {} of your registrants are concerned.", one.people)}<br/>
                        <span class="break-anywhere">{incident.summary.clone()}</span>
                    </span>
                </li>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! { <section class="attention" id="incidents"><h2>"Security incidents that concern you"</h2><ul class="rows">{rows}</ul></section> }.into_any()
    })
}

/// What is held, by kind; also what an operator sees who looks.
pub(super) fn held_view(held: &[Held]) -> Vec<AnyView> {
    held.iter()
        .map(|kind| {
            let facts = [("What for", &kind.purposes), ("On which ground", &kind.bases), ("How long", &kind.retentions)];
            let facts: Vec<_> = facts
                .into_iter()
                .filter(|(_, texts)| !texts.is_empty())
                .map(|(label, texts)| view! { <dt>{label}</dt><dd>{texts.join(" ")}</dd> })
                .collect();
            let rows: Vec<_> = kind.places.iter().map(place_row).collect();
            view! {
                <details class="held">
                    <summary><strong>{kind.title.clone()}</strong>" "<span class="quiet">{counted(kind.count())}</span></summary>
                    <dl>{facts}</dl>
                    <table>
                        <thead><tr><th scope="col">"What"</th><th scope="col" class="number">"How many"</th><th scope="col">"Values"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </details>
            }
            .into_any()
        })
        .collect()
}

fn counted(count: u64) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

fn place_row(place: &HeldPlace) -> AnyView {
    let values = match &place.never {
        Some(reason) => view! { <span class="quiet">{format!("not shown: {reason}")}</span> }.into_any(),
        None if place.is_viewers => view! { <span class="quiet">"of people registered with you"</span> }.into_any(),
        None => view! { <span dir="auto">{place.values.join(" · ")}</span> }.into_any(),
    };
    let name = format!("{}: {}", place.table.replace('_', " "), place.name);
    view! { <tr><th scope="row">{name}</th><td class="number">{place.count.to_string()}</td><td class="break-anywhere">{values}</td></tr> }
        .into_any()
}

fn requests(desk: &Desk, data: &MyData) -> Option<AnyView> {
    let rows: Vec<_> = data
        .requests
        .iter()
        .map(|line| {
            let kind = RightKind::from_stored(&line.kind).map_or("a request", right_text);
            let state = RequestState::from_stored(&line.state).map_or("", RequestState::label);
            view! { <tr><td>{kind}</td><td>{state}</td><td>{desk.time(line.received_at)}</td><td>{desk.time(line.due_at)}</td></tr> }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section id="own-requests">
                <h2>"What you asked for"</h2>
                <table>
                    <thead><tr><th scope="col">"What"</th><th scope="col">"State"</th><th scope="col">"Asked"</th><th scope="col">"Done by"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
        .into_any()
    })
}

/// Resting and leaving.
fn ends(data: &MyData) -> Option<AnyView> {
    let can_rest = data.state == AccountState::Active;
    let can_leave = matches!(data.state, AccountState::Active | AccountState::Restricted);
    let rest = can_rest.then(|| {
        let form = button("/dashboard/my-data/restrict".to_owned(), "Let my account rest", "", Vec::new());
        view! {
            <section>
                <h2>"Let it rest"</h2>
                <p>"Everything is kept and nothing is used: your pages are paused, no mail leaves, nothing is measured. You can end it at any time."</p>
                {form}
            </section>
        }
    });
    can_leave.then(|| {
        view! {
            {rest}
            <section>
                <h2>"Close your account"</h2>
                <p>"You see what goes and what stays, and why, before anything happens."</p>
                <p><a class="button danger" href="/dashboard/my-data/close">"Close my account …"</a></p>
            </section>
        }
        .into_any()
    })
}
