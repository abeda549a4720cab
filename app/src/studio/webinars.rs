//! The list of webinars, and the one field that begins a new one.

use domain::video::clock_text;
use domain::webinar::{WebinarCard, WebinarState};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{PostForm, Submit, TextField};
use crate::reading::read;
use crate::ui::{Badge, Refused};

/// Her webinars in one state, or all when the state is none.
#[server(prefix = "/api/fn", endpoint = "webinars")]
pub async fn read_webinars(state: String) -> Result<Vec<WebinarCard>, AppError> {
    Ok(crate::context::server::door()?.coach().await?.webinars(WebinarState::from_stored(&state)).await?)
}

/// Tone of a state's badge.
pub(super) const fn tone(state: WebinarState) -> &'static str {
    match state {
        WebinarState::Published => "good",
        WebinarState::Unpublished => "look",
        WebinarState::Draft | WebinarState::Archived => "plain",
    }
}

/// The list.
#[component]
pub fn WebinarsPage() -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let query = use_query_map();
    let state = Memo::new(move |_| query.with(|query| query.get("state").unwrap_or_default()));
    let list = read(move || (state.get(), refresh.watch()), |(state, _)| read_webinars(state));
    let filter = move |value: &'static str, label: &'static str| {
        let href = if value.is_empty() {
            "/dashboard/webinars".to_owned()
        } else {
            format!("/dashboard/webinars?state={value}")
        };
        view! { <a href=href aria-current=move || (state.get() == value).then_some("page")>{label}</a> }
    };
    view! {
        <Title text="Webinars"/>
        <main class="wide" id="content">
            <h1>"Webinars"</h1>
            <NewWebinar/>
            <nav class="tabs" aria-label="State">
                {filter("", "All")}
                {WebinarState::ALL.map(|state| filter(state.as_str(), state.label()))}
            </nav>
            <Transition>
                {move || Suspend::new(async move {
                    match list.await {
                        Ok(webinars) if webinars.is_empty() => {
                            view! { <p class="empty">"There is none here yet. A webinar begins with a title and one recording."</p> }.into_any()
                        }
                        Ok(webinars) => view! { <WebinarList webinars=webinars/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

/// Begins a webinar.
#[component]
pub fn NewWebinar() -> impl IntoView {
    view! {
        <PostForm name="create_webinar" class="new-webinar">
            <TextField name="title" label="Title of a new webinar"/>
            <Submit label="Create it"/>
        </PostForm>
    }
}

/// Webinars, one a row.
#[component]
pub fn WebinarList(
    /// Last touched first.
    webinars: Vec<WebinarCard>,
) -> impl IntoView {
    let rows: Vec<_> = webinars
        .into_iter()
        .map(|card| {
            let href = format!("/dashboard/webinars/{}", card.id);
            let poster = match card.poster_url.clone() {
                Some(url) => view! { <img src=url alt="" width="160" height="90" loading="lazy"/> }.into_any(),
                None => view! { <span class="no-poster" aria-hidden="true"></span> }.into_any(),
            };
            let length = card.duration_seconds.map_or_else(|| "no recording yet".to_owned(), clock_text);
            let people = (card.registered > 0).then(|| {
                let results = format!("{href}/results");
                view! { <a class="people" href=results>{card.registered}" registered, "{card.attended}" attended"</a> }
            });
            view! {
                <li class="webinar-row">
                    <a class="poster" href=href.clone() tabindex="-1" aria-hidden="true">{poster}</a>
                    <div>
                        <h3><a href=href dir="auto">{card.title.clone()}</a></h3>
                        <p class="quiet"><Badge label=card.state.label() tone=tone(card.state)/>" "{card.session_kind.label()}" · "{length}</p>
                        {people}
                    </div>
                </li>
            }
        })
        .collect();
    view! { <ul class="webinar-list">{rows}</ul> }
}
