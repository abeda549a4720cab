//! How a plain route says no: a page for people, one line of text for programs.

use app::document::message_page;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use backend::Error;
use domain::{Refusal, RefusalKind};

use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// Status of a refusal.
#[must_use]
pub fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// A fault's reference: logged once with its causes, shown without them.
fn reference(error: &backend::Fault) -> String {
    let reference = hex::encode(backend::secrets::random::<4>());
    tracing::error!(reference, error = backend::error::chain(error), "a request failed");
    reference
}

/// The refusal an error stands for; a fault becomes one that names its reference.
#[must_use]
pub fn as_refusal(error: Error) -> (StatusCode, Refusal) {
    match error {
        Error::Refused(refusal) => (status(&refusal), refusal),
        Error::Fault(fault) => {
            let full = is_full(&fault);
            let message = if full {
                "The disk is full at the moment, so nothing could be saved. What you had is safe; please try again later.".to_owned()
            } else {
                format!("Something went wrong on our side. Please try again; if it stays, tell us the reference {}.", reference(&fault))
            };
            let status = if full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::INTERNAL_SERVER_ERROR };
            (status, Refusal::new(RefusalKind::Conflict, message))
        }
    }
}

fn is_full(fault: &backend::Fault) -> bool {
    fault.source.downcast_ref::<storage::Error>().is_some_and(storage::Error::is_full)
}

fn with_retry(mut response: Response, refusal: &Refusal) -> Response {
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// One line for a program.
#[must_use]
pub fn plain(error: Error) -> Response {
    let (status, refusal) = as_refusal(error);
    let response = (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], refusal.message.clone()).into_response();
    with_retry(response, &refusal)
}

/// A page for a person.
#[must_use]
pub fn page(state: &AppState, error: Error) -> Response {
    let (status, refusal) = as_refusal(error);
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
