//! `/privacy/archives/{archive}?e=…&s=…`: an archive of everything held about somebody, for one session and ten
//! minutes, with byte ranges so that a broken download goes on. An address that is not this session's answers like an
//! archive that is not there.

use app::context::{SessionToken, portal_cookie_name};
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use backend::rights::archive::Fetch;
use domain::Refusal;
use domain::ids::ExportId;
use serde::Deserialize;

use super::answer;
use super::media::{Wanted, wanted};
use crate::layers::client::cookie;
use crate::state::AppState;

/// The route of archives.
pub fn router() -> Router<AppState> {
    Router::new().route("/privacy/archives/{archive}", get(serve))
}

/// What makes an address somebody's.
#[derive(Deserialize)]
pub struct Signature {
    e: i64,
    s: String,
}

async fn serve(
    State(state): State<AppState>,
    archive: Result<Path<ExportId>, PathRejection>,
    signature: Result<Query<Signature>, QueryRejection>,
    Extension(SessionToken(login)): Extension<SessionToken>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let (Ok(Path(archive)), Ok(Query(signature))) = (archive, signature) else {
        return answer::page(&state, Refusal::not_found().into());
    };
    let portal = cookie(&headers, portal_cookie_name(state.backend.config().is_https()));
    let proof = (signature.e, signature.s.as_str());
    match state.backend.archive_to_fetch(archive, proof, login.as_deref(), portal.as_deref()).await {
        Ok(fetch) => send(&state, fetch, &method, &headers).await,
        Err(error) => answer::page(&state, error),
    }
}

async fn send(state: &AppState, fetch: Fetch, method: &Method, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", fetch.sha256);
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // A validator that does not match means: send the whole (RFC 9110 §13.1.5).
    let unchanged = text(header::IF_RANGE).is_none_or(|validator| validator == etag);
    let range = text(header::RANGE).filter(|_| unchanged && method == Method::GET);
    let length = fetch.size_bytes;
    let (status, part) = match wanted(range, length) {
        Wanted::Nothing => {
            let refused = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, refused).into_response();
        }
        Wanted::Parts(parts) => match parts.as_slice() {
            [one] => (StatusCode::PARTIAL_CONTENT, *one.start()..one.end() + 1),
            // Nobody goes on with a download in several places at once; the whole is always a right answer.
            _ => (StatusCode::OK, 0..length),
        },
        Wanted::Whole => (StatusCode::OK, 0..length),
    };
    let mut builder = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/zip")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", fetch.file_name))
        .header(header::CONTENT_LENGTH, part.end - part.start)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, &etag)
        .header(header::LAST_MODIFIED, domain::moment::http_date(fetch.ready_at))
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer");
    if status == StatusCode::PARTIAL_CONTENT {
        builder = builder.header(header::CONTENT_RANGE, format!("bytes {}-{}/{length}", part.start, part.end - 1));
    }
    if method == Method::HEAD {
        return finish(builder, Body::empty());
    }
    // Whatever part is asked for: the first bytes say nothing about how much somebody takes.
    if let Err(error) = state.backend.note_fetch(&fetch).await {
        return answer::page(state, error);
    }
    match state.backend.read_archive(fetch, part).await {
        Ok(bytes) => finish(builder, Body::from_stream(bytes)),
        Err(error) => answer::page(state, error),
    }
}

fn finish(builder: http::response::Builder, body: Body) -> Response {
    builder.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "the answer with an archive could not be built");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}
