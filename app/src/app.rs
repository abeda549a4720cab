//! The studio's routes.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::account::{AccountPage, ConfirmPage, LoginPage, NewPasswordPage, ResetPage, SecondFactorPage, SignUpPage};
use crate::context::Refresh;
use crate::forms::LastDone;
use crate::home::HomePage;
use crate::kit::KitPage;
use crate::studio::{
    DashboardPage, EditorPage, RegistrantPage, RegistrantsPage, ResultsPage, StudioLayout, Transfers, WebinarsPage,
};
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
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/signup") view=SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/confirm") view=ConfirmPage ssr=SsrMode::Async/>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/login/second-factor") view=SecondFactorPage ssr=SsrMode::Async/>
                <Route path=path!("/reset") view=ResetPage ssr=SsrMode::Async/>
                <Route path=path!("/reset/new") view=NewPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/dev/kit") view=KitPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/dashboard") view=StudioLayout ssr=SsrMode::Async>
                    <Route path=path!("") view=DashboardPage ssr=SsrMode::Async/>
                    <Route path=path!("webinars") view=WebinarsPage ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar") view=EditorPage ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/results") view=ResultsPage ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/registrants") view=RegistrantsPage ssr=SsrMode::Async/>
                    <Route path=path!("webinars/:webinar/registrants/:registration") view=RegistrantPage ssr=SsrMode::Async/>
                    <Route path=path!("account") view=AccountPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
