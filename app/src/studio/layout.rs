//! The frame of the studio: where one is, where one can go, who is signed in.

use domain::account::CoachCard;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::uploader::Elsewhere;
use crate::context::Refresh;
use crate::error::AppError;
use crate::reading::read;
use crate::ui::Zone;

/// Who is signed in.
#[server(prefix = "/api/fn", endpoint = "card")]
pub async fn read_card() -> Result<CoachCard, AppError> {
    Ok(crate::context::server::door()?.coach().await?.card().await?)
}

/// The frame.
#[component]
pub fn StudioLayout() -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let card = read(move || refresh.watch(), |_| read_card());
    let location = use_location();
    // Derived here, before anybody else asks: of the parts that are rendered side by side two would be the first.
    location.search.with_untracked(|_| ());
    location.query.with_untracked(|_| ());
    let path = location.pathname;
    let within = move |place: &'static str| {
        move || {
            path.with(|path| match path.strip_prefix(place) {
                Some("") => Some("page"),
                Some(rest) if rest.starts_with('/') => Some("true"),
                _ => None,
            })
        }
    };
    let zone = RwSignal::new(None);
    provide_context(Zone(zone));
    Effect::new(move |_| {
        if let Some(Ok(card)) = card.get() {
            zone.set(Some(card.time_zone));
        }
    });
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <header class="studio-header">
            <a class="wordmark" href="/dashboard">"My Mini Webinar"</a>
            <nav aria-label="Studio">
                <a href="/dashboard" aria-current=move || (path.get() == "/dashboard").then_some("page")>"Home"</a>
                <a href="/dashboard/webinars" aria-current=within("/dashboard/webinars")>"Webinars"</a>
                <a href="/dashboard/requests" rel="external">"Requests"</a>
                <a href="/dashboard/my-data" rel="external">"My data"</a>
                <a href="/dashboard/account" aria-current=within("/dashboard/account")>
                    <Transition fallback=|| "Account">
                        {move || Suspend::new(async move {
                            match card.await {
                                Ok(card) => view! { <span class="own-name" dir="auto">{card.name}</span> }.into_any(),
                                Err(_) => "Account".into_any(),
                            }
                        })}
                    </Transition>
                </a>
            </nav>
        </header>
        <Transition>
            {move || Suspend::new(async move {
                // Whoever was signed out is told by the page below, which reads for itself.
                card.await.ok().and_then(|card| card.closed).map(|sentence| {
                    view! { <p class="look closed">{sentence}" "<a href="/dashboard/my-data" rel="external">"My data"</a></p> }
                })
            })}
        </Transition>
        <Elsewhere/>
        <Outlet/>
    }
}
