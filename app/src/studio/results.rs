//! Results of one webinar: the funnel, the curve under its video, and where page views came from.

use domain::ids::WebinarId;
use domain::results::{Results, Share};
use domain::video::clock_text;
use leptos::html::Video;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::reading::read;
use crate::ui::{CountTable, Curve, Funnel, Meter, Missing, Refused, country_text, device_text};

/// Rows of the table beside the curve.
const TABLE_ROWS: usize = 12;

/// The results of one webinar.
#[server(prefix = "/api/fn", endpoint = "results")]
pub async fn read_results(id: WebinarId) -> Result<Results, AppError> {
    Ok(crate::context::server::door()?.coach().await?.results(id).await?)
}

/// The results page.
#[component]
pub fn ResultsPage() -> impl IntoView {
    let id = webinar_in_path();
    let refresh = expect_context::<Refresh>();
    let results = read(
        move || (id(), refresh.watch()),
        |(id, _)| async move {
            match id {
                Some(id) => read_results(id).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match results.await {
                        Ok(Some(results)) => view! { <Shown results=results/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Shown(results: Results) -> impl IntoView {
    let id = results.webinar;
    let is_empty = results.funnel.registered == 0;
    let mean = results.mean_percent.map(|percent| {
        view! { <p>"Those who attended saw "<strong>{format!("{percent:.0} %")}</strong>" of it on average"<span class="n">{format!(" n = {}", results.funnel.attended)}</span>"."</p> }
    });
    let watching =
        (results.funnel.watching > 0).then(|| view! { <p class="good">{results.funnel.watching}" watching now"</p> });
    let missed = (results.funnel.missed > 0).then(|| {
        let share = Share { part: results.funnel.missed, of: results.funnel.registered };
        view! { <p>"Missed it: "{results.funnel.missed}" "<Meter share=share/></p> }
    });
    let body = if is_empty {
        view! { <p class="empty">"Nobody has registered yet. Share the address of the page; the first registration shows here within seconds."</p> }.into_any()
    } else {
        view! { <Watched results=results.clone()/> }.into_any()
    };
    view! {
        <Title text=format!("Results · {}", results.title)/>
        <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
        <h1 dir="auto">{results.title.clone()}</h1>
        <WebinarTabs id=id current="results"/>
        <section>
            <h2>"From page to end"</h2>
            <Funnel numbers=results.funnel.clone()/>
            {watching}
            {mean}
            {missed}
        </section>
        {body}
        <section class="two">
            <CountTable heading="Country" rows=results.countries text=country_text/>
            <CountTable heading="Browser" rows=results.devices text=device_text/>
        </section>
    }
}

/// The video with its curve: each moves the other.
#[component]
fn Watched(results: Results) -> impl IntoView {
    let video = NodeRef::<Video>::new();
    let cursor = RwSignal::new(0.0);
    let on_seek = Callback::new(move |second: f64| {
        cursor.set(second);
        if let Some(video) = video.get() {
            video.set_current_time(second);
        }
    });
    let follow = move |_| {
        if let Some(video) = video.get() {
            cursor.set(video.current_time());
        }
    };
    let retention = results.retention.clone();
    let rows: Vec<_> = (0..TABLE_ROWS)
        .map(|row| {
            let second = row * retention.seen.len() / TABLE_ROWS;
            let seen = retention.seen.get(second).copied().unwrap_or_default();
            let again = retention.again.get(second).copied().unwrap_or_default();
            let share = Share { part: i64::from(seen), of: retention.viewers };
            view! { <tr><th scope="row">{clock_text(second as f64)}</th><td class="number">{seen}</td><td class="number">{again}</td><td class="number"><Meter share=share/></td></tr> }
        })
        .collect();
    let player = results.media_url.clone().map(|url| {
        view! { <video class="preview" node_ref=video src=url poster=results.poster_url.clone() controls=true playsinline=true preload="metadata" on:timeupdate=follow on:seeking=follow></video> }
    });
    let picture = if retention.viewers == 0 {
        view! { <p class="empty">"Nobody has pressed play yet. As soon as somebody does, the curve of who stayed stands here, second by second."</p> }.into_any()
    } else {
        view! {
            {player}
            <Curve retention=retention cursor=cursor on_seek=on_seek/>
            <details>
                <summary>"The same as a table"</summary>
                <table class="counts">
                    <thead><tr><th scope="col">"At"</th><th scope="col" class="number">"Viewers"</th><th scope="col" class="number">"Again"</th><th scope="col" class="number">"Of all viewers"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
        .into_any()
    };
    view! { <section><h2>"Where people stayed, and where they left"</h2>{picture}</section> }
}
