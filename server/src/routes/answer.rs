//! How a plain route says no: a page for people, one line of text for programs.

use app::document::message_page;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use backend::Error;
use domain::Refusal;

use crate::layers::headers::viewer_policy;
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

/// A page for a person.
#[must_use]
pub fn page(state: &AppState, error: Error) -> Response {
    let refusal = error.into_refusal();
    let status = status(&refusal);
    let title = match status {
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::GONE => "This is over",
        StatusCode::TOO_MANY_REQUESTS => "A moment, please",
        _ if status.is_server_error() => "Something went wrong",
        _ => "That did not work",
    };
    let html = message_page(&state.assets.url("viewer.css"), title, &refusal.message, Some(("/", "To the home page")));
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, viewer_policy("none", "'none'"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_retry(response, &refusal)
}

/// Whether a form came from somebody who reads pages.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
