//! The coach's side, behind the door.

mod dashboard;
mod editor;
mod layout;
mod mails;
mod person;
mod publish;
mod recording;
mod registrants;
mod rehearsal;
mod results;
mod settings;
mod times;
mod transfer;
mod uploader;
mod webinars;
mod wire;

use domain::ids::WebinarId;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

pub use dashboard::DashboardPage;
pub use editor::EditorPage;
pub use layout::StudioLayout;
pub use mails::MailsPage;
pub use person::RegistrantPage;
pub use registrants::RegistrantsPage;
pub use rehearsal::RehearsalPage;
pub use results::ResultsPage;
pub use times::TimesPage;
pub use transfer::Transfers;
pub use webinars::WebinarsPage;

/// The id in the address, when it is one.
fn id_in_path<T: std::str::FromStr + Send + Sync + PartialEq + 'static>(
    name: &'static str,
) -> impl Fn() -> Option<T> + Copy + Send + Sync {
    let params = use_params_map();
    move || params.with(|params| params.get(name).and_then(|text| text.parse().ok()))
}

/// The webinar in the address.
fn webinar_in_path() -> impl Fn() -> Option<WebinarId> + Copy + Send + Sync {
    id_in_path("webinar")
}

/// The tabs above everything that belongs to one webinar.
#[component]
fn WebinarTabs(
    /// Which webinar.
    id: WebinarId,
    /// `editor`, `times`, `mails`, `rehearsal`, `results` or `registrants`.
    current: &'static str,
) -> impl IntoView {
    let tab = move |name: &'static str, path: &str, label: &'static str| {
        let href = format!("/dashboard/webinars/{id}{path}");
        view! { <a href=href aria-current=(name == current).then_some("page")>{label}</a> }
    };
    view! {
        <nav class="tabs" aria-label="This webinar">
            {tab("editor", "", "Set up")}
            {tab("times", "/times", "Times")}
            {tab("mails", "/mails", "Mails")}
            {tab("rehearsal", "/rehearsal", "Rehearsal")}
            {tab("results", "/results", "Results")}
            {tab("registrants", "/registrants", "People")}
        </nav>
    }
}
