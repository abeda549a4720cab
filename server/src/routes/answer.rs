//! How a plain route says no: a page for people, one line of text for programs.

use app::document::message_page;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use backend::Error;
use domain::Refusal;

use crate::layers::headers::message_policy;
use crate::state::AppState;

/// Status of a refusal.
#[must_use]
pub fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// Tells a program or a browser when it is worth trying again.
#[must_use]
pub fn with_retry(mut response: Response, refusal: &Refusal) -> Response {
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// One line for a program.
#[must_use]
pub fn plain(error: Error) -> Response {
    let refusal = error.into_refusal();
    let response = (status(&refusal), [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], refusal.message.clone())
        .into_response();
    with_retry(response, &refusal)
}

/// The refusal itself for a page's own script, which puts it beside its field; one line for every other program.
#[must_use]
pub fn for_script(refusal: Refusal, headers: &HeaderMap) -> Response {
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));
    if wants_json {
        with_retry((status(&refusal), axum::Json(&refusal)).into_response(), &refusal)
    } else {
        plain(refusal.into())
    }
}

/// A page for a person.
#[must_use]
pub fn page(state: &AppState, error: Error) -> Response {
    message(state, error, false)
}

/// A page for a person, who may look at it in a frame of a coach's site. Which webinar it was meant for may be unknown,
/// so any site may frame it: it holds one sentence, nothing to press, and nothing about anybody.
#[must_use]
pub fn page_or_frame(state: &AppState, error: Error, embed: bool) -> Response {
    message(state, error, embed)
}

fn message(state: &AppState, error: Error, embed: bool) -> Response {
    let refusal = error.into_refusal();
    let status = status(&refusal);
    let title = match status {
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::GONE => "This is over",
        StatusCode::TOO_MANY_REQUESTS => "A moment, please",
        _ if status.is_server_error() => "Something went wrong",
        _ => "That did not work",
    };
    // A frame is not led away from the site it stands on.
    let way = (!embed).then_some(("/", "To the home page"));
    let html = message_page(&state.assets.url("viewer.css"), title, &refusal.message, way);
    let mut response = (status, Html(html)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, message_policy(if embed { "'self' https: http:" } else { "'none'" }));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_retry(response, &refusal)
}

/// Whether a form came from somebody who reads pages.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
