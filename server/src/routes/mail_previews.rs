//! A mail in a frame of its own: mails carry their styles with them, which no page of ours may, and nothing in one runs.

use app::context::SessionToken;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use domain::ids::{MailTemplateId, WebinarId};
use domain::sequence::form::TemplateForm;
use serde::Deserialize;

use super::answer::plain;
use super::studio_files::coach;
use crate::state::AppState;

/// Styles of its own, in a frame of ours, and nothing else: no script, no picture from elsewhere, no link to follow.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'; sandbox";

/// Why there is no mail to see, as plain text in the same frame.
const REFUSED: &str = "default-src 'none'; frame-ancestors 'self'; sandbox";

/// What a mail's form holds while it is written.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    timing: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    unit: String,
    subject: String,
    body: String,
}

/// A mail as it is being written.
pub async fn typed(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(webinar): Path<WebinarId>,
    Form(typed): Form<Typed>,
) -> Response {
    let Typed { timing, amount, unit, subject, body } = typed;
    let form = TemplateForm { timing, amount, unit, subject, body, ..TemplateForm::default() };
    framed(async { coach(&state, &token).await?.preview_template(webinar, &form).await }.await)
}

/// A mail as it was saved.
pub async fn saved(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path((webinar, template)): Path<(WebinarId, MailTemplateId)>,
) -> Response {
    framed(async { coach(&state, &token).await?.preview_saved(webinar, template).await }.await)
}

fn framed(preview: Result<String, backend::Error>) -> Response {
    let (mut response, policy) = match preview {
        Ok(html) => (Html(html).into_response(), POLICY),
        Err(error) => (plain(error), REFUSED),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
