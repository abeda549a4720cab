//! Public evidence: how often authorities asked (promise P25), and where an erasure stands.

use app::evidence::{Progress, disclosure_count_page, erasure_page};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::Refusal;
use domain::ids::RequestId;
use domain::rights::RequestState;

use super::{answer, desk};
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/privacy/disclosures", get(disclosures)).route("/privacy/erasures/{request}", get(erasure))
}

async fn disclosures(State(state): State<AppState>) -> Response {
    match state.backend.disclosure_counts().await {
        Ok(years) => {
            let years: Vec<_> = years
                .into_iter()
                .rev()
                .map(|(year, count)| (year, count.requests, count.answered, count.people))
                .collect();
            desk::page(StatusCode::OK, disclosure_count_page(&state.assets.url("viewer.css"), &years))
        }
        Err(error) => answer::page(&state, error),
    }
}

async fn erasure(State(state): State<AppState>, Path(request): Path<RequestId>) -> Response {
    let found = match state.backend.erasure_progress(request).await {
        Ok(Some(found)) => found,
        Ok(None) => return answer::page(&state, Refusal::not_found().into()),
        Err(error) => return answer::page(&state, error),
    };
    let progress = Progress {
        request: request.to_string(),
        state: found.state.label(),
        is_over: found.state.is_over() || found.state == RequestState::Held,
        due: found.due_at.utc_text(),
        steps: found.steps,
        receipt: found.receipt,
    };
    desk::page(StatusCode::OK, erasure_page(&state.assets.url("viewer.css"), &progress))
}
