//! A journey played through: one made-up registrant, everything they meet, and a clock to scrub.
//!
//! The form asks by address, so that a rehearsal can be linked to and works without a script; with one, a slider moves
//! the clock and each mail can be looked at.

use domain::ids::WebinarId;
use domain::rehearsal::form::{Look, Manner, RehearsalForm, RehearsalView, SceneView, TimeOption};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::reading::read;
use crate::time_zones::zone_options;
use crate::ui::{Missing, Refused};

/// What a made-up registrant meets.
#[server(prefix = "/api/fn", endpoint = "rehearsal", input = Json)]
pub async fn read_rehearsal(id: WebinarId, form: RehearsalForm) -> Result<RehearsalView, AppError> {
    Ok(crate::context::server::door()?.coach().await?.rehearsal(id, &form).await?)
}

/// The page.
#[component]
pub fn RehearsalPage() -> impl IntoView {
    let id = webinar_in_path();
    let refresh = expect_context::<Refresh>();
    let address = use_query_map();
    let form = Memo::new(move |_| {
        address.with(|address| {
            let text = |name: &str| address.get(name).unwrap_or_default();
            RehearsalForm {
                name: text("name"),
                zone: text("zone"),
                day: text("day"),
                at: text("at"),
                takes: text("takes"),
                offers: text("offers"),
                manner: text("manner"),
                late: text("late"),
                leaves: text("leaves"),
                back: text("back"),
                back_leaves: text("back_leaves"),
                again: text("again"),
                again_leaves: text("again_leaves"),
            }
        })
    });
    let rehearsal = read(
        move || (id(), form.get(), refresh.watch()),
        |(id, form, _)| async move {
            match id {
                Some(id) => read_rehearsal(id, form).await.map(|view| Some((id, view))),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide rehearsal" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match rehearsal.await {
                        Ok(Some((id, view))) => view! { <Rehearsal id=id rehearsal=view/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Rehearsal(id: WebinarId, rehearsal: RehearsalView) -> impl IntoView {
    let RehearsalView { title, slug, form, asks_about_offers, zones, times, scenes, problem } = rehearsal;
    let problem = problem.map(|refusal| view! { <p class="problem" role="alert">{refusal.message}</p> });
    let zone = form.zone.replace('_', " ");
    let journey = (!scenes.is_empty()).then(|| view! { <Journey id=id slug=slug zone=zone scenes=scenes/> });
    view! {
        <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
        <Title text=format!("Rehearsal · {title}")/>
        <h1 dir="auto">{title}</h1>
        <WebinarTabs id=id current="rehearsal"/>
        <p class="hint">"Somebody made up goes through everything, by the rules that hold for real people. Nobody is written to, and nothing is counted."</p>
        <Figure form=form asks_about_offers=asks_about_offers zones=zones times=times/>
        {problem}
        {journey}
    }
}

fn options(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<AnyView> {
    let option = |(value, label): (String, String)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{label}</option> }.into_any()
    };
    all.map(option).collect()
}

#[component]
fn Figure(form: RehearsalForm, asks_about_offers: bool, zones: Vec<String>, times: Vec<TimeOption>) -> impl IntoView {
    let RehearsalForm { name, zone, day, at, takes, offers, manner, late, leaves, .. } = form;
    let RehearsalForm { back, back_leaves, again, again_leaves, .. } = form;
    let first = std::iter::once((String::new(), "The first one offered".to_owned()));
    let times = options(first.chain(times.into_iter().map(|time| (time.value, time.text))), &takes);
    let manners = Manner::ALL.iter().map(|one| (one.as_str().to_owned(), manner_text(*one).to_owned()));
    let manners = options(manners, &manner);
    let name = if name.is_empty() { "Anna".to_owned() } else { name };
    view! {
        <Form method="GET" action="" attr:class="figure">
            <label><span>"First name"</span><input name="name" value=name maxlength="60"/></label>
            <label><span>"Lives in"</span><select name="zone">{zone_options(&zones, &zone)}</select></label>
            <label><span>"Registers on"</span><input name="day" type="date" value=day/></label>
            <label><span>"at, on their clock"</span><input name="at" type="time" value=at/></label>
            <label><span>"Takes"</span><select name="takes">{times}</select></label>
            {asks_about_offers.then(|| view! {
                <label class="check"><input type="checkbox" name="offers" value="yes" checked=!offers.is_empty()/><span>"Ticks the box for offers"</span></label>
            })}
            <label><span>"Then"</span><select name="manner">{manners}</select></label>
            <label class="for-comes"><span>"Minutes late"</span><input name="late" inputmode="numeric" value=late/></label>
            <label class="for-comes"><span>"Leaves at minute"</span><input name="leaves" inputmode="numeric" value=leaves/></label>
            <label class="for-comes"><span>"Comes back after (hours)"</span><input name="back" inputmode="numeric" value=back/></label>
            <label class="for-comes"><span>"and leaves at minute"</span><input name="back_leaves" inputmode="numeric" value=back_leaves/></label>
            <label class="for-comes"><span>"Once more after (hours)"</span><input name="again" inputmode="numeric" value=again/></label>
            <label class="for-comes"><span>"and leaves at minute"</span><input name="again_leaves" inputmode="numeric" value=again_leaves/></label>
            <button type="submit" class="button primary">"Rehearse"</button>
        </Form>
    }
}

const fn manner_text(manner: Manner) -> &'static str {
    match manner {
        Manner::Stays => "comes on time and stays to the end",
        Manner::Comes => "comes and leaves as follows",
        Manner::NextDay => "misses it, and opens the link the next day",
        Manner::StaysAway => "does not come",
        Manner::Unsubscribes => "unsubscribes in the first reminder",
    }
}

#[component]
fn Journey(id: WebinarId, slug: String, zone: String, scenes: Vec<SceneView>) -> impl IntoView {
    let last = scenes.len().saturating_sub(1);
    let clock = RwSignal::new(last);
    let times: StoredValue<Vec<String>> = StoredValue::new(scenes.iter().map(|scene| scene.text.clone()).collect());
    let shown = move || times.with_value(|times| times.get(clock.get()).cloned().unwrap_or_default());
    let looked_at = RwSignal::new(None::<usize>);
    let lines: Vec<_> = scenes
        .into_iter()
        .enumerate()
        .map(|(place, scene)| view! { <Scene id=id slug=slug.clone() place=place scene=scene clock=clock looked_at=looked_at/> })
        .collect();
    view! {
        <section id="journey">
            <h2>"What they meet"</h2>
            <p class="hint">"On a clock in "{zone}"."</p>
            <div class="clock needs-script">
                <label for="rehearsal-clock">"The clock"</label>
                <input
                    id="rehearsal-clock"
                    type="range"
                    min="0"
                    max=last.to_string()
                    value=last.to_string()
                    aria-valuetext=shown
                    on:input=move |event| clock.set(event_target_value(&event).parse().unwrap_or(last))
                />
                <output for="rehearsal-clock">{shown}</output>
            </div>
            <ol class="scenes">{lines}</ol>
        </section>
    }
}

#[component]
fn Scene(
    id: WebinarId,
    slug: String,
    place: usize,
    scene: SceneView,
    clock: RwSignal<usize>,
    looked_at: RwSignal<Option<usize>>,
) -> impl IntoView {
    let SceneView { at, text, sentence, note, look } = scene;
    let kind = match look {
        Look::Mail(_) => "mail",
        Look::NoMail => "no-mail",
        Look::Page | Look::Nothing => "event",
    };
    let looking = match look {
        Look::Page => {
            Some(view! { <a href=format!("/w/{slug}") rel="external" target="_blank">"See the page"</a> }.into_any())
        }
        Look::Mail(_) => Some(
            view! { <button type="button" class="button quiet needs-script" on:click=move |_| looked_at.set(Some(place))>"See the mail"</button> }
                .into_any(),
        ),
        Look::Nothing | Look::NoMail => None,
    };
    let mail = move || match look {
        Look::Mail(template) if looked_at.get() == Some(place) => {
            let address = format!("/dashboard/webinars/{id}/mails/{template}/preview");
            Some(view! { <iframe class="mail" title="The mail as it would arrive" src=address></iframe> })
        }
        _ => None,
    };
    view! {
        <li class=kind class:ahead=move || { clock.get() < place } aria-current=move || (clock.get() == place).then_some("step")>
            <time datetime=at.rfc3339()>{text}</time>
            <p dir="auto">{sentence}</p>
            {note.map(|note| view! { <p class="look">{note}</p> })}
            {looking}
            {mail}
        </li>
    }
}
