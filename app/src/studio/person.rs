//! One registrant: what was watched, and what happened when.

use domain::ids::{RegistrationId, WebinarId};
use domain::results::RegistrantView;
use domain::sequence::Suppression;
use domain::video::clock_text;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{id_in_path, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{PostForm, Submit};
use crate::reading::read;
use crate::ui::{Badge, Copyable, HeatStrip, Missing, Refused, Time, country_text, device_text};

/// Everything about one registrant.
#[server(prefix = "/api/fn", endpoint = "registrant")]
pub async fn read_registrant(webinar: WebinarId, id: RegistrationId) -> Result<RegistrantView, AppError> {
    Ok(crate::context::server::door()?.coach().await?.registrant(webinar, id).await?)
}

/// The page.
#[component]
pub fn RegistrantPage() -> impl IntoView {
    let webinar = webinar_in_path();
    let id = id_in_path::<RegistrationId>("registration");
    let refresh = expect_context::<Refresh>();
    let person = read(
        move || (webinar().zip(id()), refresh.watch()),
        |(ids, _)| async move {
            match ids {
                Some((webinar, id)) => read_registrant(webinar, id).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match person.await {
                        Ok(Some(person)) if person.row.is_masked => view! { <Resting person=person/> }.into_any(),
                        Ok(Some(person)) => view! { <Person person=person/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

/// Somebody who asked for restriction: kept, and not shown.
#[component]
fn Resting(person: RegistrantView) -> impl IntoView {
    let back = format!("/dashboard/webinars/{}/registrants", person.webinar);
    view! {
        <Title text="Restricted"/>
        <p class="back"><a href=back>{person.title}</a></p>
        <div class="title-line"><h1>"Somebody whose data rests"</h1><Badge label="restricted" tone="look"/></div>
        <p>"Registered "<Time at=person.row.registered_at/>"."</p>
        <p>"This person asked for their data to be kept and not used. Until they end that, you see that they are registered and nothing more, no mail goes out to them, and what they watch is not measured. They are left out of the search, of the CSV and of every average; the totals stay."</p>
        <p>"Everything is still there and comes back when the restriction ends."</p>
    }
}

#[component]
fn Person(person: RegistrantView) -> impl IntoView {
    let row = person.row;
    let heading = if row.name.is_empty() { row.email.clone() } else { row.name.clone() };
    let back = format!("/dashboard/webinars/{}/registrants", person.webinar);
    let answers: Vec<_> = person
        .answers
        .into_iter()
        .map(|(label, text)| view! { <div><dt>{label}</dt><dd dir="auto">{text}</dd></div> })
        .collect();
    let source =
        (!person.source.is_empty()).then(|| view! { <div><dt>"Came from"</dt><dd>{person.source.clone()}</dd></div> });
    let hidden = (person.hidden_seconds >= 1.0)
        .then(|| view! { <div><dt>"Played in the background"</dt><dd>{clock_text(person.hidden_seconds)}</dd></div> });
    let consents = format!("/dashboard/webinars/{}/registrants/{}/consents.json", person.webinar, row.id);
    let strip = format!(
        "Saw {:.0} % of the recording: {} of {}",
        row.percent,
        clock_text(f64::from(row.unique_seconds)),
        clock_text(person.duration_seconds)
    );
    let suppressed = person.suppression.map(|why| {
        let hidden = vec![("webinar", person.webinar.to_string()), ("registration", row.id.to_string())];
        match why {
            Suppression::Bounced => view! {
                <p class="look">"This address does not take mail, so nothing goes there. The timeline below says what its mail server answered."</p>
                <PostForm name="try_address_again" done="The next mail goes there again." hidden=hidden>
                    <Submit label="Write to it again" kind=""/>
                </PostForm>
            }
            .into_any(),
            Suppression::Complained | Suppression::Asked => view! {
                <p class="look">"This person reported a mail of yours as unwanted. Nothing more goes there. Only they can change that, with the link at the foot of any mail they got."</p>
            }
            .into_any(),
        }
    });
    let timeline: Vec<_> = person
        .timeline
        .into_iter()
        .map(|entry| {
            let detail = entry.detail.map(|detail| view! { <span class="quiet">" · "{if detail.contains('/') && !detail.contains(' ') { device_text(&detail) } else { detail }}</span> });
            view! { <li><span class="when"><Time at=entry.at/></span><span>{entry.what}{detail}</span></li> }
        })
        .collect();
    view! {
        <Title text=heading.clone()/>
        <p class="back"><a href=back>{person.title.clone()}</a></p>
        <div class="title-line"><h1 class="break-anywhere" dir="auto">{heading}</h1><Badge label=row.attendance.label() tone=super::registrants::tone(row.attendance)/></div>
        {(!row.name.is_empty()).then(|| view! { <p class="break-anywhere" dir="ltr">{row.email.clone()}</p> })}
        <section>
            <h2>"What was watched"</h2>
            <HeatStrip cells=person.wide_strip label=strip wide=true/>
            <dl class="numbers">
                <div><dt>"Different minutes seen"</dt><dd>{clock_text(f64::from(row.unique_seconds))}<span class="n">{format!(" of {}, {:.0} %", clock_text(person.duration_seconds), row.percent)}</span></dd></div>
                <div><dt>"Played in all, with rewatching"</dt><dd>{clock_text(row.total_seconds)}</dd></div>
                <div><dt>"Furthest point"</dt><dd>{clock_text(person.furthest_seconds)}</dd></div>
                {hidden}
            </dl>
        </section>
        <section>
            <h2>"About the person"</h2>
            <dl class="numbers">
                {answers}
                <div><dt>"Country"</dt><dd>{country_text(&row.country)}</dd></div>
                <div><dt>"Registered with"</dt><dd>{device_text(&person.device)}</dd></div>
                {source}
            </dl>
            <details>
                <summary>"The person's own link"</summary>
                <p class="hint">"Whoever has it watches as this person. Send it to nobody else."</p>
                <Copyable text=person.room_url label="The person's own link"/>
            </details>
            {suppressed}
            <PostForm name="resend_link" done="It is on its way." hidden=vec![("webinar", person.webinar.to_string()), ("registration", row.id.to_string())]>
                <Submit label="Mail the link again" kind=""/>
            </PostForm>
            <p><a href=consents rel="external">"What this person agreed to, as a record"</a></p>
            <details>
                <summary>"This is a child under 16"</summary>
                <p class="hint">"Everything about this person is erased now and cannot be brought back. Nobody has to prove anything."</p>
                <PostForm name="forget_child" hidden=vec![("webinar", person.webinar.to_string()), ("registration", row.id.to_string())]>
                    <Submit label="Erase this person’s data" kind=""/>
                </PostForm>
            </details>
        </section>
        <section>
            <h2>"What happened"</h2>
            <ol class="timeline">{timeline}</ol>
        </section>
    }
}
