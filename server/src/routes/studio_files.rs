//! Files of the studio: logo and captions in, CSV out. Plain multipart forms that lead back to their page, with what
//! went wrong in the address as a message, never what was typed.

use app::context::SessionToken;
use axum::body::Body;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use backend::{Coach, Error};
use domain::ids::{RegistrationId, VideoId, WebinarId};
use domain::{Refusal, RefusalKind};

use super::answer;
use crate::state::AppState;

async fn coach(state: &AppState, token: &SessionToken) -> Result<Coach, Error> {
    let token = token.0.as_deref().ok_or_else(Refusal::sign_in)?;
    state.backend.coach_by_token(token).await?.ok_or_else(|| Refusal::sign_in().into())
}

struct Upload {
    file: Vec<u8>,
    language: String,
    label: String,
    webinar: Option<WebinarId>,
}

async fn read(mut form: Multipart, limit: usize) -> Result<Upload, Error> {
    let broken =
        |_| Error::from(Refusal::new(RefusalKind::Invalid, "The form did not arrive whole. Please send it again."));
    let mut upload = Upload { file: Vec::new(), language: String::new(), label: String::new(), webinar: None };
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        match part.name().unwrap_or_default() {
            "file" => {
                while let Some(chunk) = part.chunk().await.map_err(broken)? {
                    if upload.file.len() + chunk.len() > limit {
                        return Err(Refusal {
                            field: Some("file".to_owned()),
                            ..Refusal::new(
                                RefusalKind::TooLarge,
                                "This file is larger than 2 MB. Please choose a smaller one.",
                            )
                        }
                        .into());
                    }
                    upload.file.extend_from_slice(&chunk);
                }
            }
            "language" => upload.language = part.text().await.map_err(broken)?,
            "label" => upload.label = part.text().await.map_err(broken)?,
            "webinar" => upload.webinar = part.text().await.map_err(broken)?.parse().ok(),
            _ => {}
        }
    }
    if upload.file.is_empty() {
        return Err(Refusal::field("file", "Please choose a file first.").into());
    }
    Ok(upload)
}

fn back(state: &AppState, headers: &HeaderMap, to: &str, done: Result<(), Error>) -> Response {
    match done {
        Ok(()) if answer::wants_page(headers) => Redirect::to(to).into_response(),
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) if !answer::wants_page(headers) => answer::plain(error),
        Err(error) => {
            let refusal = error.into_refusal();
            if refusal.kind == RefusalKind::SignInNeeded {
                return Redirect::to("/login").into_response();
            }
            if refusal.kind == RefusalKind::NotFound {
                return answer::page(state, refusal.into());
            }
            let query: String =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("problem", &refusal.message).finish();
            let (path, anchor) = to.split_once('#').unwrap_or((to, ""));
            Redirect::to(&format!("{path}?{query}#{anchor}")).into_response()
        }
    }
}

/// Takes a logo.
pub async fn set_logo(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(webinar): Path<WebinarId>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let done = async {
        let coach = coach(&state, &token).await?;
        coach.set_logo(webinar, read(form, domain::video::MAX_CAPTION_BYTES).await?.file.into()).await
    };
    back(&state, &headers, &format!("/dashboard/webinars/{webinar}#page"), done.await)
}

/// Takes a caption track.
pub async fn add_caption(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(video): Path<VideoId>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let mut to = "/dashboard/webinars".to_owned();
    let done = async {
        let coach = coach(&state, &token).await?;
        let webinar = coach.webinar_of(video).await?;
        to = format!("/dashboard/webinars/{webinar}#captions");
        let upload = read(form, domain::video::MAX_CAPTION_BYTES).await?;
        coach.add_caption(video, &upload.language, &upload.label, &upload.file).await.map(drop)
    };
    let done = done.await;
    back(&state, &headers, &to, done)
}

/// What one registrant agreed to, as records of consent.
pub async fn consents(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path((webinar, registration)): Path<(WebinarId, RegistrationId)>,
) -> Response {
    let records = async { coach(&state, &token).await?.consent_records(webinar, registration).await };
    match records.await {
        Ok(records) => ([(header::CACHE_CONTROL, "no-store")], Json(records)).into_response(),
        Err(error) => answer::page(&state, error),
    }
}

/// Registrants as CSV, streamed.
pub async fn registrants_csv(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(webinar): Path<WebinarId>,
) -> Response {
    let opened = async { coach(&state, &token).await?.registrants_csv(webinar).await };
    match opened.await {
        Ok(rows) => {
            let mut response = Body::from_stream(rows).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
            headers.insert(
                header::CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"registrants.csv\""),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => answer::page(&state, error),
    }
}
