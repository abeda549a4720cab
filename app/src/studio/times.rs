//! When a webinar takes place: its rules, what goes for all of them, and the next sessions in any zone.
//!
//! Which fields a rule needs is decided by the style sheet from the chosen kind, so the form is the same with and
//! without a script; the server passes over what does not belong to the kind.

mod single;

use domain::ids::WebinarId;
use domain::schedule::{Day, LateJoin, Nth, PreviewLine, RuleKind, RuleView, ScheduleForm, ScheduleView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

use self::single::{Booked, ChangeForms, Changed, change_link};
use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{Checkbox, Fold, FormState, PostForm, Problem, Select, Submit, TextArea, TextField};
use crate::reading::read;
use crate::time_zones::zone_options;
use crate::ui::{Missing, Refused};

/// Everything the page of times shows.
#[server(prefix = "/api/fn", endpoint = "schedule")]
pub async fn read_schedule(id: WebinarId, zone: Option<String>) -> Result<ScheduleView, AppError> {
    Ok(crate::context::server::door()?.coach().await?.schedule(id, zone.as_deref()).await?)
}

/// The page.
#[component]
pub fn TimesPage() -> impl IntoView {
    let id = webinar_in_path();
    let refresh = expect_context::<Refresh>();
    let address = use_query_map();
    let zone = Memo::new(move |_| address.with(|address| address.get("zone").filter(|zone| !zone.is_empty())));
    let open = Memo::new(move |_| address.with(|address| address.get("session").unwrap_or_default()));
    let schedule = read(
        move || (id(), zone.get(), refresh.watch()),
        |(id, zone, _)| async move {
            match id {
                Some(id) => read_schedule(id, zone).await.map(|schedule| Some((id, schedule))),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide times" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match schedule.await {
                        Ok(Some((id, schedule))) => view! { <Times id=id schedule=schedule open=open.get()/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Times(id: WebinarId, schedule: ScheduleView, open: String) -> impl IntoView {
    let ScheduleView { title, is_scheduled, rules, form, zone, zones, next, booked, changed } = schedule;
    let zones = StoredValue::new(zones);
    let kind = (!is_scheduled && !rules.is_empty()).then(|| {
        view! {
            <p class="look">
                "This webinar is not shown at set times at the moment, so nobody is offered these. Choose “At set times” under "
                <a href=format!("/dashboard/webinars/{id}")>"Set up"</a>"."
            </p>
        }
    });
    view! {
        <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
        <Title text=format!("Times · {title}")/>
        <h1 dir="auto">{title}</h1>
        <WebinarTabs id=id current="times"/>
        {kind}
        <Rules id=id rules=rules/>
        <Booked id=id booked=booked open=open.clone()/>
        <AddRule id=id zone=zone.clone() zones=zones/>
        <Preview id=id next=next zone=zone zones=zones open=open/>
        <Changed id=id changed=changed/>
        <ForAll id=id form=form/>
    }
}

#[component]
fn Rules(id: WebinarId, rules: Vec<RuleView>) -> impl IntoView {
    let is_empty = rules.is_empty();
    let rules: Vec<_> = rules
        .into_iter()
        .map(|rule| {
            let hidden = vec![("webinar", id.to_string()), ("rule", rule.id.to_string())];
            view! {
                <li>
                    <span>{rule.text}</span>
                    <PostForm name="remove_rule" class="inline" hidden=hidden><Submit label="Take away" kind="quiet"/></PostForm>
                </li>
            }
        })
        .collect();
    view! {
        <section id="times">
            <h2>"When it takes place"</h2>
            {if is_empty {
                view! { <p class="hint">"No times yet. Add the first one below, and people choose among the coming sessions instead of watching at once."</p> }.into_any()
            } else {
                view! {
                    <ul class="rules">{rules}</ul>
                    <p class="hint">"Taking a rule away never touches people who are booked already."</p>
                }.into_any()
            }}
        </section>
    }
}

#[component]
fn AddRule(id: WebinarId, zone: String, zones: StoredValue<Vec<String>>) -> impl IntoView {
    view! {
        <section class="add-rule">
            <h2>"Add a time"</h2>
            <PostForm name="add_rule" class="rule" done="Added." hidden=vec![("webinar", id.to_string())]>
                <RuleFields zone=zone zones=zones/>
                <Submit label="Add"/>
            </PostForm>
        </section>
    }
}

#[component]
fn RuleFields(zone: String, zones: StoredValue<Vec<String>>) -> impl IntoView {
    let state = expect_context::<FormState>();
    let kinds = RuleKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), kind.label().to_owned())).collect();
    let days: Vec<_> = Day::ALL
        .iter()
        .map(|day| {
            let is_ticked = state.typed(day.as_str()).is_some();
            view! { <label class="day"><input type="checkbox" name=day.as_str() checked=is_ticked/><span>{day.label()}</span></label> }
        })
        .collect();
    let nths = Nth::ALL.iter().map(|nth| (nth.as_str().to_owned(), nth.as_str().to_owned())).collect();
    let weekdays = Day::ALL.iter().map(|day| (day.as_str().to_owned(), day.label().to_owned())).collect();
    let minutes =
        domain::schedule::JUST_IN_TIME_MINUTES.map(|one| (one.to_string(), format!("{one} minutes"))).to_vec();
    let chosen = state.typed("zone").unwrap_or(zone);
    view! {
        <Select name="kind" label="How it repeats" options=kinds value="weekly"/>
        <fieldset class="for-weekly">
            <legend>"On"</legend>
            <div class="days">{days}</div>
            <Problem name="days"/>
        </fieldset>
        <div class="for-fortnightly"><TextField name="anchor" label="The first one" kind="date" optional=true hint="Every second week is counted from this day."/></div>
        <div class="for-monthly_date"><TextField name="month_day" label="Day of the month" inputmode="numeric" optional=true hint="1 to 31. A month without it is left out."/></div>
        <div class="for-monthly_weekday">
            <Select name="nth" label="Which one of the month" options=nths value="first"/>
            <Select name="nth_day" label="Day of the week" options=weekdays value="tuesday"/>
        </div>
        <div class="for-dates"><TextArea name="dates" label="Dates" rows=3 optional=true hint="One a line, such as 2026-12-01."/></div>
        <div class="for-timed">
            <TextField name="at" label="Starts at" kind="time" value="18:00"/>
            <div class="field">
                <label for="add-rule-zone">"Time zone"</label>
                <select id="add-rule-zone" name="zone">{zones.with_value(|zones| zone_options(zones, &chosen))}</select>
                <Problem name="zone"/>
            </div>
            <Checkbox name="floats">"At this time in each visitor’s own zone instead"</Checkbox>
        </div>
        <div class="for-just_in_time">
            <Select name="every_minutes" label="Every" options=minutes value="15" hint="On the clock of whoever looks: at most this long to wait, never less than two minutes."/>
            <TextField name="opens" label="From" kind="time" value="07:00"/>
            <TextField name="closes" label="Until" kind="time" value="22:00"/>
        </div>
    }
}

#[component]
fn Preview(
    id: WebinarId,
    next: Vec<PreviewLine>,
    zone: String,
    zones: StoredValue<Vec<String>>,
    open: String,
) -> impl IntoView {
    let is_empty = next.is_empty();
    let lines: Vec<_> = next
        .into_iter()
        .map(|line| {
            // One with people on it stands among those that are booked.
            let is_free = line.booked == 0;
            let is_open = is_free && line.name == open;
            let link = is_free.then(|| change_link(&line.name, Some(&zone), is_open));
            let forms = is_open.then(
                || view! { <ChangeForms id=id session=line.name.clone() form=line.form.clone() is_booked=false/> },
            );
            let note = line.note.map(|note| view! { <p class="look">{note}</p> });
            let booked =
                (line.booked > 0).then(|| view! { <span class="quiet">{format!(" · {} booked", line.booked)}</span> });
            view! {
                <li>
                    <time datetime=line.starts_at.rfc3339()>{line.text}</time>
                    {booked}
                    {line.own_text.map(|text| view! { <span class="hint own-time">{text}</span> })}
                    {note}
                    {link}
                    {forms}
                </li>
            }
        })
        .collect();
    view! {
        <section id="preview">
            <h2>"The next sessions"</h2>
            <Form method="GET" action="" attr:class="zone-form">
                <label for="preview-zone">"As somebody there sees them"</label>
                <select id="preview-zone" name="zone">{zones.with_value(|zones| zone_options(zones, &zone))}</select>
                <button type="submit" class="button">"Show"</button>
            </Form>
            {if is_empty {
                view! { <p class="hint">"There is none. Just-in-time sessions are made for each visitor and do not stand here."</p> }.into_any()
            } else {
                view! { <ol class="sessions sequence">{lines}</ol> }.into_any()
            }}
        </section>
    }
}

#[component]
fn ForAll(id: WebinarId, form: ScheduleForm) -> impl IntoView {
    let late = vec![
        (LateJoin::FromTheStart.as_str().to_owned(), "It starts from the beginning for them".to_owned()),
        (LateJoin::WhereItIs.as_str().to_owned(), "They join where it is by then, and are told so".to_owned()),
    ];
    view! {
        <section>
            <h2>"For every session"</h2>
            <PostForm name="save_schedule" done="Saved." hidden=vec![("webinar", id.to_string())]>
                <Checkbox name="on_demand" checked=form.on_demand.is_some()>"The recording can be watched at once as well"</Checkbox>
                <TextField name="replay_days" label="Days it can still be watched afterwards" value=form.replay_days.clone() inputmode="numeric" hint="0 for none. Nobody is cut off in the middle."/>
                <Select name="late_join" label="Somebody comes late" options=late value=form.late_join.clone()/>
                <Fold summary="Notice, doors, days off">
                    <TextField name="shown" label="How many sessions a visitor is offered" value=form.shown.clone() inputmode="numeric"/>
                    <TextField name="notice_minutes" label="Minutes before the start until which one can register" value=form.notice_minutes.clone() inputmode="numeric"/>
                    <TextField name="doors_minutes" label="Minutes before the start at which the doors open" value=form.doors_minutes.clone() inputmode="numeric"/>
                    <TextArea name="blackouts" label="Days on which nothing takes place" value=form.blackouts.clone() rows=3 optional=true hint="One a line, such as 2026-12-25, in the zone of each rule."/>
                </Fold>
                <Submit label="Save"/>
            </PostForm>
        </section>
    }
}
