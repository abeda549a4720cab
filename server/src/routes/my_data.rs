//! The viewers' portal under `/my-data`: an address, a mail, half an hour. Plain forms and one cookie; no answer says
//! whether anything is held before the address was proven.

mod archives;
mod correct;

use app::context::portal_cookie_name;
use app::my_data::{ask_page, erase_page, my_data_page, prove_page, refusal_page, sent_page};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use backend::Client;
use backend::rights::portal::{Opened, Portal};
use domain::ids::{CoachId, RequestId};
use domain::my_data::{Errand, SESSION_MINUTES, Wish};
use domain::rights::{ObjectionScope, RestrictionGround};
use domain::{Refusal, RefusalKind};
use serde::Deserialize;

use super::answer;
use crate::layers::client::cookie;
use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// The word for every coach at once.
const ALL: &str = "all";

/// The routes of the portal.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/my-data", get(show).post(ask))
        .route("/my-data/prove", get(prove_form).post(prove))
        .route("/my-data/erase", get(erase_form))
        .route("/my-data/correct", get(correct::form).post(correct::take))
        .route("/my-data/act", post(act))
        .route("/my-data/archive", post(archives::take))
        .route("/my-data/receipt", get(receipt))
        .route("/my-data/leave", post(leave))
        .layer(middleware::map_response(keep_private))
}

/// What is here is for one pair of eyes: no cache, no referrer, no search engine.
async fn keep_private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    response
}

fn page(status: StatusCode, html: String, nonce: &str) -> Response {
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, viewer_policy(nonce, "'none'"));
    response
}

fn plain(status: StatusCode, html: String) -> Response {
    page(status, html, "none")
}

fn refused(refusal: &Refusal, html: String, nonce: &str) -> Response {
    answer::with_retry(page(answer::status(refusal), html, nonce), refusal)
}

/// A page that says what could not be done, the same for what is somebody else's and what is not there.
fn say_no(state: &AppState, error: backend::Error) -> Response {
    let refusal = error.into_refusal();
    let title = match refusal.kind {
        RefusalKind::NotFound => "Nothing here",
        RefusalKind::SignInNeeded => "This page has closed",
        RefusalKind::Busy => "Not quite yet",
        RefusalKind::Fault => "Something went wrong",
        _ => "That did not work",
    };
    refused(&refusal, refusal_page(&css(state), contact(state), title, &refusal.message), "none")
}

fn css(state: &AppState) -> String {
    state.assets.url("viewer.css")
}

fn contact(state: &AppState) -> &str {
    &state.backend.config().contact_email
}

/// Who the browser's cookie stands for.
async fn portal(state: &AppState, headers: &HeaderMap) -> Result<Option<Portal>, backend::Error> {
    let name = portal_cookie_name(state.backend.config().is_https());
    match cookie(headers, name) {
        Some(token) => state.backend.portal_by_token(&token).await,
        None => Ok(None),
    }
}

/// The half hour is over, or never began.
fn closed() -> Refusal {
    let message =
        "Your half hour is over, so nothing was done. Please ask for a new mail under “Your data” and do it again.";
    Refusal::new(RefusalKind::SignInNeeded, message)
}

/// The proven person, for a page: whoever is not is sent to the door.
async fn visiting(state: &AppState, headers: &HeaderMap) -> Result<Portal, Response> {
    match portal(state, headers).await {
        Ok(Some(portal)) => Ok(portal),
        Ok(None) => Err(Redirect::to("/my-data").into_response()),
        Err(error) => Err(say_no(state, error)),
    }
}

/// The proven person, for a form: what was sent is not silently lost.
async fn asking(state: &AppState, headers: &HeaderMap) -> Result<Portal, Response> {
    match portal(state, headers).await {
        Ok(Some(portal)) => Ok(portal),
        Ok(None) => Err(say_no(state, closed().into())),
        Err(error) => Err(say_no(state, error)),
    }
}

/// What was done, and what somebody else asks for in the person's name.
#[derive(Deserialize)]
struct After {
    done: Option<String>,
    asked: Option<String>,
}

async fn show(State(state): State<AppState>, Query(after): Query<After>, headers: HeaderMap) -> Response {
    let portal = match portal(&state, &headers).await {
        Ok(Some(portal)) => portal,
        Ok(None) => return plain(StatusCode::OK, ask_page(&css(&state), contact(&state), "", None)),
        Err(error) => return say_no(&state, error),
    };
    match portal.everything().await {
        Ok(data) => {
            let asked = after.asked.as_deref().and_then(Errand::from_stored).and_then(Errand::asked);
            plain(StatusCode::OK, my_data_page(&css(&state), &data, after.done.as_deref(), asked))
        }
        Err(error) => say_no(&state, error),
    }
}

/// The form at the door.
#[derive(Deserialize)]
struct Asking {
    #[serde(default)]
    email: String,
    #[serde(default)]
    errand: String,
}

async fn ask(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Form(form): Form<Asking>,
) -> Response {
    let errand = Errand::from_stored(&form.errand).unwrap_or_default();
    match state.backend.visitor().ask_for_my_data(&form.email, errand, &client).await {
        Ok(()) => plain(StatusCode::OK, sent_page(&css(&state), contact(&state), form.email.trim(), None)),
        Err(error) => {
            let refusal = error.into_refusal();
            let html = ask_page(&css(&state), contact(&state), &form.email, Some(&refusal));
            refused(&refusal, html, "none")
        }
    }
}

fn nonce() -> String {
    hex::encode(backend::secrets::random::<16>())
}

async fn prove_form(State(state): State<AppState>) -> Response {
    let nonce = nonce();
    page(StatusCode::OK, prove_page(&css(&state), contact(&state), &nonce, "", None), &nonce)
}

/// What a mail carries: the link's token, or its address and code.
#[derive(Deserialize)]
struct Proof {
    #[serde(default)]
    token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    code: String,
}

async fn prove(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Form(form): Form<Proof>,
) -> Response {
    let visitor = state.backend.visitor();
    let proven = if form.token.is_empty() {
        visitor.prove_by_code(&form.email, &form.code, &client).await
    } else {
        visitor.prove_by_link(&form.token).await
    };
    match proven {
        Ok(opened) => enter(&state, &opened),
        Err(error) => {
            let refusal = error.into_refusal();
            let nonce = nonce();
            let html = prove_page(&css(&state), contact(&state), &nonce, &form.email, Some(&refusal));
            refused(&refusal, html, &nonce)
        }
    }
}

/// The cookie that keeps the portal open: for our own pages only, out of reach of scripts.
fn cookie_header(state: &AppState, token: &str, seconds: i64) -> Option<HeaderValue> {
    let is_https = state.backend.config().is_https();
    let secure = if is_https { "; Secure" } else { "" };
    let name = portal_cookie_name(is_https);
    HeaderValue::from_str(&format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")).ok()
}

fn with_cookie(state: &AppState, to: &str, token: &str, seconds: i64) -> Response {
    let mut response = Redirect::to(to).into_response();
    if let Some(value) = cookie_header(state, token, seconds) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn enter(state: &AppState, opened: &Opened) -> Response {
    let to = match opened.errand {
        Errand::Myself => "/my-data".to_owned(),
        errand => format!("/my-data?asked={}", errand.as_str()),
    };
    with_cookie(state, &to, &opened.token, SESSION_MINUTES * 60)
}

async fn leave(State(state): State<AppState>, headers: HeaderMap) -> Response {
    match portal(&state, &headers).await {
        Ok(Some(portal)) => {
            if let Err(error) = portal.leave().await {
                return say_no(&state, error);
            }
        }
        // Closing what is closed is done already.
        Ok(None) => {}
        Err(error) => return say_no(&state, error),
    }
    with_cookie(&state, "/my-data", "", 0)
}

/// Which coach a page or form is about.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    coach: String,
}

fn coach_in(text: &str) -> Result<CoachId, backend::Error> {
    text.parse().map_err(|_| Refusal::not_found().into())
}

async fn erase_form(State(state): State<AppState>, Query(about): Query<About>, headers: HeaderMap) -> Response {
    let portal = match visiting(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    let everywhere = about.coach == ALL;
    let previews = if everywhere { portal.erasure_previews().await } else { one_preview(&portal, &about.coach).await };
    match previews {
        Ok(previews) => plain(StatusCode::OK, erase_page(&css(&state), contact(&state), &previews, everywhere)),
        Err(error) => say_no(&state, error),
    }
}

async fn one_preview(portal: &Portal, coach: &str) -> Result<Vec<domain::my_data::Preview>, backend::Error> {
    Ok(vec![portal.erasure_preview(coach_in(coach)?).await?])
}

/// What is asked for. Which of the fields count depends on the wish.
#[derive(Deserialize)]
struct Wished {
    #[serde(default)]
    wish: String,
    #[serde(default)]
    coach: String,
    #[serde(default)]
    ground: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    purpose: String,
    forget_mark: Option<String>,
}

impl Wished {
    fn read(&self) -> Option<Wish> {
        Some(match self.wish.as_str() {
            "restrict" => Wish::Restrict(RestrictionGround::from_stored(&self.ground).filter(|ground| {
                // They stand for something else that was said, and are not asked for by themselves.
                !matches!(ground, RestrictionGround::Objection | RestrictionGround::Reported)
            })?),
            "lift" => Wish::Lift(RestrictionGround::from_stored(&self.ground).filter(|ground| {
                // Whoever reads the child's mail does not end it: the operators do, when they hear that it is wrong.
                *ground != RestrictionGround::Reported
            })?),
            "object" => Wish::Object(ObjectionScope::from_stored(&self.scope)?, self.words.clone()),
            "unsubscribe" => Wish::Object(ObjectionScope::Marketing, String::new()),
            "withdraw" => Wish::Withdraw(self.purpose.clone()),
            "erase" => Wish::Erase { forget_mark: self.forget_mark.is_some() },
            _ => return None,
        })
    }
}

async fn act(State(state): State<AppState>, headers: HeaderMap, Form(form): Form<Wished>) -> Response {
    let portal = match asking(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    let Some(wish) = form.read() else { return say_no(&state, Refusal::not_found().into()) };
    let done = if form.coach == ALL {
        portal.wish_everywhere(&wish).await
    } else {
        match coach_in(&form.coach) {
            Ok(coach) => portal.wish(coach, &wish).await.map(|()| 1),
            Err(error) => Err(error),
        }
    };
    match done {
        Ok(0) => Redirect::to("/my-data?done=nothing").into_response(),
        Ok(_) => Redirect::to(&format!("/my-data?done={}", form.wish)).into_response(),
        Err(error) => say_no(&state, error),
    }
}

/// Which receipt.
#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    request: String,
}

async fn receipt(State(state): State<AppState>, Query(which): Query<Which>, headers: HeaderMap) -> Response {
    let portal = match visiting(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    let receipt = match which.request.parse::<RequestId>() {
        Ok(request) => portal.receipt(request).await,
        Err(_) => Err(Refusal::not_found().into()),
    };
    match receipt {
        Ok(receipt) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"receipt.json\""),
            ];
            (headers, receipt).into_response()
        }
        Err(error) => say_no(&state, error),
    }
}
