//! Pages of the studio around the Leptos application: what a page is told, who is let in, and forms posted to the page
//! they stand on, for browsers whose WebAssembly has not arrived or never will.

use app::context::perform::perform;
use app::context::server::Door;
use app::context::shell::{StudioAssets, studio_shell};
use app::context::{HasSignal, IsDev, SessionToken};
use app::forms::{FORM_FIELD, FormAnswer, Posted};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use backend::Client;
use domain::Refusal;
use leptos::prelude::{provide_context, use_context};

use super::answer;
use crate::state::AppState;

/// What every page of the studio is told.
pub fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let backend = state.backend.clone();
    let assets = StudioAssets {
        css: state.assets.url("studio.css"),
        js: state.assets.url("frontend.js"),
        wasm: state.assets.url("frontend_bg.wasm"),
        pieces: state.assets.pieces("frontend").into(),
    };
    let dev = state.config.dev;
    move || {
        provide_context(backend.clone());
        provide_context(assets.clone());
        provide_context(IsDev(dev));
        if let Some(parts) = use_context::<axum::http::request::Parts>() {
            provide_context(parts.extensions.get::<Client>().cloned().unwrap_or_else(Client::unknown));
            provide_context(parts.extensions.get::<SessionToken>().cloned().unwrap_or_default());
            provide_context(HasSignal(super::policy_pages::has_signal(&parts.headers)));
        }
    }
}

/// Sends whoever is not signed in to the door. The pages ask again for themselves; this only spares a page of
/// refusals.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = request.method() == Method::GET || request.method() == Method::POST;
    if !is_page || !(path == "/dashboard" || path.starts_with("/dashboard/")) {
        return next.run(request).await;
    }
    let token = request.extensions().get::<SessionToken>().and_then(|token| token.0.clone());
    let Some(token) = token else {
        return Redirect::to("/login").into_response();
    };
    match state.backend.coach_by_token(&token).await {
        Ok(Some(_)) => next.run(request).await,
        Ok(None) => Redirect::to("/login").into_response(),
        Err(error) => answer::page(&state, error),
    }
}

/// Where a page leads back to once its form is done: itself, with the form's name, so that it can say so.
fn back_to(uri: &Uri, form: &str) -> String {
    // A confirmation's token was used up and need not stay in the address; everything else a page asks by is kept.
    let kept = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(key, _)| key != "done" && key != "t");
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("done", form).finish();
    format!("{}?{query}", uri.path())
}

/// Takes a form posted to the page it stands on.
pub async fn take_form(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Extension(token): Extension<SessionToken>,
    uri: Uri,
    headers: HeaderMap,
    Form(mut fields): Form<Vec<(String, String)>>,
) -> Response {
    let form = fields.iter().find(|(name, _)| name == FORM_FIELD).map(|(_, value)| value.clone()).unwrap_or_default();
    fields.retain(|(name, _)| name != FORM_FIELD);
    let door = Door { backend: state.backend.clone(), client: client.clone(), token: token.0.clone() };
    let performed = perform(&door, &form, &fields).await;
    let (status, answer) = match performed.answer {
        FormAnswer::Go(to) => return with_cookie(Redirect::to(&to).into_response(), performed.cookie),
        FormAnswer::Done | FormAnswer::Saved(_) => return Redirect::to(&back_to(&uri, &form)).into_response(),
        FormAnswer::Show(shown) => (StatusCode::OK, FormAnswer::Show(shown)),
        FormAnswer::Refused(refusal) => (answer::status(&refusal), FormAnswer::Refused(refusal)),
    };
    let posted = Posted::new(form, fields, answer);
    let mut response = with_cookie(render(&state, &uri, &headers, client, token, posted).await, performed.cookie);
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

fn with_cookie(mut response: Response, cookie: Option<String>) -> Response {
    if let Some(value) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The page as it would be shown, with what its form led to.
pub(super) async fn render(
    state: &AppState,
    uri: &Uri,
    headers: &HeaderMap,
    client: Client,
    token: SessionToken,
    posted: Posted,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(token);
    let context = context(state);
    let options = (*state.leptos_options).clone();
    let handler = leptos_axum::render_app_async_with_context(
        move || {
            context();
            provide_context(posted.clone());
        },
        move || studio_shell(options.clone()),
    );
    handler(request).await
}

/// The page for an address that leads nowhere.
pub async fn nothing_here(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if answer::wants_page(&headers) {
        answer::page(&state, Refusal::not_found().into())
    } else {
        answer::plain(Refusal::not_found().into())
    }
}
