//! Liveness, readiness, metrics.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::state::AppState;

/// Jobs overdue by more than this make the server not ready: mail is late then.
const MAX_JOB_LAG_SECONDS: f64 = 600.0;

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// Database, migrations, storage write probe, job lag.
pub async fn ready(State(state): State<AppState>) -> Response {
    let backend = &state.backend;
    let database = backend.db().ping().await.is_ok();
    let migrations =
        persistence::migration_status(backend.db()).await.is_ok_and(|all| all.iter().all(|(_, applied)| *applied));
    let storage = backend.bucket().probe().await.is_ok();
    let lag = jobs_lag(&state).await;
    let jobs = lag.is_some_and(|lag| lag <= MAX_JOB_LAG_SECONDS);
    let ready = database && migrations && storage && jobs;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "ready": ready, "database": database, "migrations": migrations, "storage": storage, "jobs": jobs, "job_lag_seconds": lag,
    });
    (status, Json(body)).into_response()
}

async fn jobs_lag(state: &AppState) -> Option<f64> {
    match state.backend.next_job_at().await {
        Ok(Some(next)) => Some(state.backend.now().seconds_since(next).max(0.0)),
        Ok(None) => Some(0.0),
        Err(_) => None,
    }
}

/// Prometheus text. Outside dev it wants `Authorization: Bearer` with the configured token, and without one it does
/// not exist.
pub async fn metrics(
    State(state): State<AppState>,
    Extension(handle): Extension<PrometheusHandle>,
    headers: HeaderMap,
) -> Response {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let allowed = match (&state.config.metrics_token, given) {
        (Some(token), Some(given)) => backend::secrets::same(token.as_bytes(), given.as_bytes()),
        _ => state.config.dev,
    };
    if !allowed {
        return super::answer::plain(domain::Refusal::not_found().into());
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response()
}
