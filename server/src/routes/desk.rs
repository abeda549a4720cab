//! What the pages without a script have in common: who sits there, how a page is answered, and how "no" is said.

use app::context::SessionToken;
use app::context::desk::{Desk, Feedback};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use backend::{Coach, Error};
use domain::{Refusal, RefusalKind};
use serde::Deserialize;

use super::answer;
use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// Names and values of a posted form.
pub type Fields = Vec<(String, String)>;

/// What an address of these pages may carry.
#[derive(Default, Deserialize)]
pub struct Query {
    /// Which form was done.
    #[serde(default)]
    pub done: String,
    /// The token of a mailed link.
    #[serde(default)]
    pub t: String,
}

/// A field's value; empty when it was not sent.
#[must_use]
pub fn text<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
}

/// Every value of a field that can be sent more than once.
#[must_use]
pub fn all(fields: &[(String, String)], name: &str) -> Vec<String> {
    fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
}

/// The signed-in coach and the desk she sits at.
///
/// # Errors
/// Refuses when nobody is signed in.
pub async fn sit(state: &AppState, token: &SessionToken) -> Result<(Coach, Desk), Error> {
    let token = token.0.as_deref().ok_or_else(Refusal::sign_in)?;
    let coach = state.backend.coach_by_token(token).await?.ok_or_else(Refusal::sign_in)?;
    let card = coach.card().await?;
    let desk = Desk {
        css: state.assets.url("studio.css"),
        name: card.name,
        zone: card.time_zone,
        has_seat: coach.has_seat().await?,
        closed: card.closed,
    };
    Ok((coach, desk))
}

/// A page, never kept by anybody on the way.
#[must_use]
pub fn page(status: StatusCode, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, viewer_policy("none", "'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The way on after a form was done.
#[must_use]
pub fn done(to: &str, form: &str) -> Response {
    Redirect::to(&format!("{to}?done={form}")).into_response()
}

/// "No" to whoever cannot see the page at all.
#[must_use]
pub fn no(state: &AppState, error: Error) -> Response {
    match error.refusal().map(|refusal| refusal.kind) {
        Some(RefusalKind::SignInNeeded) => Redirect::to("/login").into_response(),
        _ => answer::page(state, error),
    }
}

/// A form that was not done: what is shown of it on its own page, with the status; or the answer, when there is no page
/// to show it on.
///
/// # Errors
/// The answer for what is not there, and for who is not signed in.
pub fn refused(
    state: &AppState,
    form: &str,
    error: Error,
    fields: &Fields,
) -> Result<(StatusCode, Feedback), Box<Response>> {
    let kind = error.refusal().map(|refusal| refusal.kind);
    if matches!(kind, Some(RefusalKind::NotFound | RefusalKind::SignInNeeded)) {
        return Err(Box::new(no(state, error)));
    }
    let refusal = error.into_refusal();
    Ok((answer::status(&refusal), Feedback::refused(form, refusal, fields)))
}
