//! Routes under `/dev`, there only with `MW_DEV=1`: mailbox, clock and byte scan (contract.md).

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

/// What to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    needles: Vec<String>,
}

/// Looks for the needles in every byte there is: hits per store, and where.
pub async fn scan(State(state): State<AppState>, body: axum::body::Bytes) -> Response {
    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else {
        return plain(Refusal::new(RefusalKind::Invalid, "Send {\"needles\": [\"text\", …]}.").into());
    };
    match scan_everything(&state, &wanted.needles).await {
        Ok(report) => {
            let total = report.total();
            Json(serde_json::json!({ "hits": report.hits, "total": total, "bytes": report.bytes, "places": report.places }))
                .into_response()
        }
        Err(error @ privacy::scan::Error::TooShort) => {
            plain(Refusal::new(RefusalKind::Invalid, format!("Please send longer texts: {error}.")).into())
        }
        Err(error) => plain(backend::Error::fault("scan", error)),
    }
}

async fn scan_everything(state: &AppState, texts: &[String]) -> Result<privacy::scan::Report, privacy::scan::Error> {
    let stores = state.backend.stores();
    let mut known = vec![stores.work.clone()];
    known.extend(stores.mailbox.clone());
    known.extend(stores.bucket.local_root());
    for database in [&stores.database, stores.keyring.database()] {
        if let Some(file) = database.file().await? {
            known.extend(["", "-wal", "-shm", "-journal"].map(|beside| {
                let mut name = file.clone().into_os_string();
                name.push(beside);
                name.into()
            }));
        }
    }
    // Whatever else lies in the data folder, such as backups, under its own name.
    let folder = &state.config.data_dir;
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
    let entries =
        std::fs::read_dir(&folder).map_err(|e| privacy::scan::Error::File(folder.display().to_string(), e))?;
    let same = |one: &std::path::Path, other: &std::path::Path| {
        one == other || std::fs::canonicalize(other).is_ok_and(|other| one == other)
    };
    let further: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(_, path)| !known.iter().any(|other| same(path, other)))
        .collect();
    let needles = privacy::scan::Needles::new(texts)?;
    privacy::scan::scan(&stores, &further, privacy::scan::Depth::Everything, &needles).await
}
