//! The studio's routes.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::context::Refresh;
use crate::forms::LastDone;
use crate::pieces;
use crate::studio::{StudioLayout, Transfers};
use crate::ui::Missing;

/// The whole application, page by page. Every page is complete before it is sent.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Refresh::new());
    provide_context(Transfers::new());
    provide_context(LastDone::new());
    view! {
        <Title formatter=|title: String| if title.is_empty() { "My Mini Webinar".to_owned() } else { format!("{title} · My Mini Webinar") }/>
        <Router>
            <Routes fallback=|| view! { <main class="narrow" id="content"><Missing/></main> }>
                <Route path=path!("/") view=pieces::HOME ssr=SsrMode::Async/>
                <Route path=path!("/signup") view=pieces::SIGN_UP ssr=SsrMode::Async/>
                <Route path=path!("/confirm") view=pieces::CONFIRM ssr=SsrMode::Async/>
                <Route path=path!("/login") view=pieces::LOGIN ssr=SsrMode::Async/>
                <Route path=path!("/login/second-factor") view=pieces::SECOND_FACTOR ssr=SsrMode::Async/>
                <Route path=path!("/reset") view=pieces::RESET ssr=SsrMode::Async/>
                <Route path=path!("/reset/new") view=pieces::NEW_PASSWORD ssr=SsrMode::Async/>
                <Route path=path!("/dev/kit") view=pieces::KIT ssr=SsrMode::Async/>
                <ParentRoute path=path!("/dashboard") view=StudioLayout ssr=SsrMode::Async>
                    <Route path=path!("") view=pieces::DASHBOARD ssr=SsrMode::Async/>
                    <Route path=path!("webinars") view=pieces::WEBINARS ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar") view=pieces::EDITOR ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/times") view=pieces::TIMES ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/mails") view=pieces::MAILS ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/rehearsal") view=pieces::REHEARSAL ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/results") view=pieces::RESULTS ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/registrants") view=pieces::REGISTRANTS ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/registrants/:registration") view=pieces::REGISTRANT ssr=SsrMode::Async/>
                    <Route path=path!("account") view=pieces::ACCOUNT ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
