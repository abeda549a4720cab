//! `POST /api/beats`: one watch beat. 204 only when it is on disk.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::watching::Beat;
use domain::{Refusal, RefusalKind};

use super::answer::plain;
use crate::state::AppState;

/// Takes a beat as `application/json`, or as `text/plain` from `sendBeacon`; the content type decides nothing.
pub async fn take(State(state): State<AppState>, body: Bytes) -> Response {
    let beat: Beat = match serde_json::from_slice(&body) {
        Ok(beat) => beat,
        Err(_) => {
            let refusal = Refusal::new(
                RefusalKind::Invalid,
                "A beat has the form {\"view\",\"seq\",\"from\",\"to\",\"rate\",\"hidden\",\"muted\",\"captions\"}.",
            );
            return plain(refusal.into());
        }
    };
    use backend::watching::BeatAnswer;
    match state.backend.beat(beat).await {
        Ok(BeatAnswer::Durable) => StatusCode::NO_CONTENT.into_response(),
        Ok(BeatAnswer::Unknown) => plain(Refusal::not_found().into()),
        Ok(BeatAnswer::Over) => plain(Refusal::new(RefusalKind::Gone, "This link has expired.").into()),
        Ok(BeatAnswer::Flawed(flaw)) => plain(Refusal::new(RefusalKind::Invalid, flaw.message()).into()),
        Err(error) => plain(error),
    }
}
