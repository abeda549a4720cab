//! Files of the studio: logo and captions in, CSV out. Plain multipart forms that lead back to their page; when one is
//! refused, its page comes back with what was typed and why, as with every other form.

use app::context::SessionToken;
use app::forms::{FormAnswer, Posted};
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use backend::{Client, Coach, Error};
use domain::ids::{RegistrationId, VideoId, WebinarId};
use domain::{Refusal, RefusalKind};

use super::{answer, studio_pages};
use crate::state::AppState;

/// The coach who is signed in with this token.
///
/// # Errors
/// Asks to sign in.
pub async fn coach(state: &AppState, token: &SessionToken) -> Result<Coach, Error> {
    let token = token.0.as_deref().ok_or_else(Refusal::sign_in)?;
    state.backend.coach_by_token(token).await?.ok_or_else(|| Refusal::sign_in().into())
}

/// What a form with a file holds.
#[derive(Default)]
struct Upload {
    file: Vec<u8>,
    language: String,
    label: String,
    /// What is wrong with the file. The fields beside it are read all the same: they are shown again.
    objection: Option<Refusal>,
}

impl Upload {
    async fn read(mut form: Multipart, limit: usize) -> Self {
        let mut upload = Self::default();
        let broken = || Refusal::new(RefusalKind::Invalid, "The form did not arrive whole. Please send it again.");
        if upload.fill(&mut form, limit).await.is_err() {
            upload.objection.get_or_insert_with(broken);
        }
        if upload.file.is_empty() {
            upload.objection.get_or_insert_with(|| Refusal::field("file", "Please choose a file first."));
        }
        upload
    }

    async fn fill(&mut self, form: &mut Multipart, limit: usize) -> Result<(), MultipartError> {
        while let Some(mut part) = form.next_field().await? {
            match part.name().unwrap_or_default() {
                "file" => {
                    while let Some(chunk) = part.chunk().await? {
                        if self.file.len() + chunk.len() > limit {
                            let words = "This file is larger than 2 MB. Please choose a smaller one.";
                            let too_large = Refusal::new(RefusalKind::TooLarge, words);
                            self.objection = Some(Refusal { field: Some("file".to_owned()), ..too_large });
                        } else {
                            self.file.extend_from_slice(&chunk);
                        }
                    }
                }
                "language" => self.language = part.text().await?,
                "label" => self.label = part.text().await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What was typed, to be shown again.
    fn typed(&self) -> Vec<(String, String)> {
        vec![("language".to_owned(), self.language.clone()), ("label".to_owned(), self.label.clone())]
    }
}

/// Everything an answer to a form with a file needs.
struct Asked<'a> {
    state: &'a AppState,
    client: Client,
    token: SessionToken,
    headers: HeaderMap,
}

impl Asked<'_> {
    /// Leads back to the page, or shows it with what was typed and why it was not taken.
    async fn answer(self, form: &str, page: &str, anchor: &str, typed: Vec<(String, String)>, done: Done) -> Response {
        let wants_page = answer::wants_page(&self.headers);
        let refusal = match done {
            Ok(()) if wants_page => return Redirect::to(&format!("{page}#{anchor}")).into_response(),
            Ok(()) => return StatusCode::NO_CONTENT.into_response(),
            Err(error) => error.into_refusal(),
        };
        let status = answer::status(&refusal);
        if !wants_page {
            return answer::for_script(refusal, &self.headers);
        }
        if refusal.kind == RefusalKind::SignInNeeded {
            return Redirect::to("/login").into_response();
        }
        let Ok(uri) = page.parse::<Uri>() else {
            return answer::page(self.state, refusal.into());
        };
        if refusal.kind == RefusalKind::NotFound {
            return answer::page(self.state, refusal.into());
        }
        let posted = Posted::new(form.to_owned(), typed, FormAnswer::Refused(refusal));
        let posted = Posted { page: Some(page.to_owned()), ..posted };
        let mut response = studio_pages::render(self.state, &uri, &self.headers, self.client, self.token, posted).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = status;
        }
        response
    }
}

type Done = Result<(), Error>;

/// Takes a logo.
pub async fn set_logo(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Extension(token): Extension<SessionToken>,
    Path(webinar): Path<WebinarId>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let done = async {
        let coach = coach(&state, &token).await?;
        let upload = Upload::read(form, domain::video::MAX_CAPTION_BYTES).await;
        match upload.objection {
            Some(refusal) => Err(refusal.into()),
            None => coach.set_logo(webinar, upload.file.into()).await,
        }
    };
    let done = done.await;
    let page = format!("/dashboard/webinars/{webinar}");
    Asked { state: &state, client, token, headers }.answer("set_logo", &page, "page", Vec::new(), done).await
}

/// Takes a caption track.
pub async fn add_caption(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Extension(token): Extension<SessionToken>,
    Path(video): Path<VideoId>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let mut page = "/dashboard/webinars".to_owned();
    let mut typed = Vec::new();
    let done = async {
        let coach = coach(&state, &token).await?;
        page = format!("/dashboard/webinars/{}", coach.webinar_of(video).await?);
        let upload = Upload::read(form, domain::video::MAX_CAPTION_BYTES).await;
        typed = upload.typed();
        match upload.objection {
            Some(refusal) => Err(refusal.into()),
            None => coach.add_caption(video, &upload.language, &upload.label, &upload.file).await.map(drop),
        }
    };
    let done = done.await;
    Asked { state: &state, client, token, headers }.answer("add_caption", &page, "captions", typed, done).await
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
