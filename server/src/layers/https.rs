//! Nothing but a redirect is served in plain text (promise P39): the proxy in front says how a browser reached it.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::state::AppState;

/// Asked by the machines around the server, which reach it without the proxy's certificate.
const INNER: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Sends a browser that came without encryption to the same address with it.
pub async fn only(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let came_in_plain = request
        .headers()
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|proto| proto.eq_ignore_ascii_case("http"));
    let config = state.backend.config();
    if !config.is_https() || !came_in_plain || INNER.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match HeaderValue::from_str(&config.absolute(path)) {
        Ok(place) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
