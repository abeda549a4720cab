//! One line per request, without personal data: the route's pattern instead of the path, no address, no agent, no
//! query.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// Counts and logs a request.
pub async fn record(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    metrics::counter!("http_requests_total", "route" => route.clone(), "status" => status.to_string()).increment(1);
    metrics::histogram!("http_request_seconds", "route" => route.clone()).record(seconds);
    if status >= 500 {
        tracing::error!(%method, route, status, milliseconds = seconds * 1000.0, "request");
    } else {
        tracing::debug!(%method, route, status, milliseconds = seconds * 1000.0, "request");
    }
    response
}
