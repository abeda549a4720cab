//! What other servers tell us: signed, or it was never said.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Refusal;

use super::answer::plain;
use crate::state::AppState;

/// The header a signature comes in.
const SIGNATURE: &str = "x-signature";

/// One mail from the mailbox undeliverable mail comes back to, as it came. There only with `MW_BOUNCE_MAILBOX`.
///
/// Answers 200 whether it meant anything or not; only 5xx wants the same mail again.
pub async fn returned_mail(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(bounces) = &state.config.bounces else { return plain(Refusal::not_found().into()) };
    let given = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !backend::signatures::is_signed(&bounces.secret, given, &body, state.backend.now()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match state.backend.take_returned(&body).await {
        Ok(was_ours) => (StatusCode::OK, if was_ours { "noted\n" } else { "ignored\n" }).into_response(),
        Err(error) => plain(error),
    }
}
