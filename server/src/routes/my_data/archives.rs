//! Taking it along: one form for asking, fetching and ending.

use app::context::portal_cookie_name;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use domain::Refusal;
use domain::ids::ExportId;
use serde::Deserialize;

use super::{asking, coach_in, say_no};
use crate::layers::client::cookie;
use crate::state::AppState;

/// What is to become of which archive.
#[derive(Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    coach: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    archive: String,
}

/// Does it, and goes back to the page or on to the file.
pub(super) async fn take(State(state): State<AppState>, headers: HeaderMap, Form(form): Form<Step>) -> Response {
    let portal = match asking(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    let named = || form.archive.parse::<ExportId>().map_err(|_| backend::Error::from(Refusal::not_found()));
    let done = async {
        let coach = coach_in(&form.coach)?;
        match form.step.as_str() {
            "ask" => portal.ask_archive(coach).await.map(|_| "/my-data?done=archive".to_owned()),
            "fetch" => {
                let name = portal_cookie_name(state.backend.config().is_https());
                let session = cookie(&headers, name).unwrap_or_default();
                portal.archive_link(coach, named()?, &session).await
            }
            "end" => portal.revoke_archive(coach, named()?).await.map(|()| "/my-data?done=archive-ended".to_owned()),
            _ => Err(Refusal::not_found().into()),
        }
    };
    match done.await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(error) => say_no(&state, error),
    }
}
