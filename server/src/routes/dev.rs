//! Routes under `/dev`, there only with `MW_DEV=1`: mailbox and clock (contract.md).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use domain::{Moment, Refusal, RefusalKind};
use serde::Deserialize;

use super::answer::plain;
use crate::state::AppState;

/// Mails sent so far, newest first.
pub async fn mailbox_json(State(state): State<AppState>) -> Response {
    match list(&state) {
        Ok(mails) => Json(mails).into_response(),
        Err(error) => plain(error),
    }
}

fn list(state: &AppState) -> Result<Vec<mail::StoredMail>, backend::Error> {
    let Some(mailbox) = state.backend.mailer().dev_mailbox() else {
        return Ok(Vec::new());
    };
    mailbox.list().map_err(|error| backend::Error::fault("read the dev mailbox", error))
}

/// The same for people.
pub async fn mailbox(State(state): State<AppState>) -> Response {
    match list(&state) {
        Ok(mails) => {
            let letters: Vec<_> = mails.into_iter().map(|mail| (mail.at, mail.to, mail.subject, mail.text)).collect();
            let html = app::document::mailbox_page(&state.assets.url("viewer.css"), &letters);
            let mut response = Html(html).into_response();
            response.headers_mut().insert(
                axum::http::header::CONTENT_SECURITY_POLICY,
                crate::layers::headers::viewer_policy("none", "'none'"),
            );
            response
        }
        Err(error) => plain(error),
    }
}

/// What time it is here.
pub async fn clock(State(state): State<AppState>) -> Response {
    Json(serde_json::json!({ "now": state.backend.now().to_string() })).into_response()
}

/// How to move the clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    advance_seconds: Option<i64>,
    set: Option<String>,
}

/// Moves the clock and runs everything that fell due, in order, before answering.
pub async fn move_clock(State(state): State<AppState>, body: axum::body::Bytes) -> Response {
    let wrong = || {
        plain(Refusal::new(RefusalKind::Invalid, "Send {\"advance_seconds\": N} or {\"set\": \"RFC 3339\"}.").into())
    };
    let Ok(wanted) = serde_json::from_slice::<Move>(&body) else {
        return wrong();
    };
    let target = match (wanted.advance_seconds, wanted.set.as_deref().map(str::parse::<Moment>)) {
        (Some(seconds), None) => state.backend.now().plus_seconds(seconds),
        (None, Some(Ok(moment))) => moment,
        _ => return wrong(),
    };
    match state.backend.move_clock(target).await {
        Ok(()) => (StatusCode::OK, clock(State(state)).await).into_response(),
        Err(error) => plain(error),
    }
}
