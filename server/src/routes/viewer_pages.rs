//! Pages of viewers: registration, its frame, the room. Complete HTML from one render, no cookie, no storage, no
//! third party; forms work without JavaScript.

use app::registration::{
    Around, ViewerAssets, link_sent_page, mail_choice_page, registered_page, registration_page, switched_page,
};
use app::room::room_page;
use axum::Extension;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use backend::Client;
use backend::page_views::clean_source;
use domain::Refusal;
use domain::registration::RegistrationForm;
use domain::webinar::{Invitation, MailChoice};
use serde::Deserialize;

use super::answer;
use super::policy_pages::Signal;
use crate::kept_pages::Looks;
use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// One of the words in an address's query. A malformed query is no reason to show no page.
fn asked(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Where a visitor comes from, as it may be kept, and the zone times are shown in.
fn source_and_zone(query: Option<&str>) -> (String, Option<String>) {
    (asked(query, "utm_source").map(|source| clean_source(&source)).unwrap_or_default(), asked(query, "zone"))
}

fn nonce() -> String {
    hex::encode(backend::secrets::random::<16>())
}

fn assets(state: &AppState) -> ViewerAssets {
    ViewerAssets {
        css: state.assets.url("viewer.css"),
        viewer_js: state.assets.url("viewer.js"),
        viewer_wasm: state.assets.url("viewer_bg.wasm"),
    }
}

/// Sites a page may be framed by: nobody, or for its frame the webinar's list and ourselves.
fn frame_ancestors(embed_hosts: Option<&[String]>) -> String {
    let Some(embed_hosts) = embed_hosts else {
        return "'none'".to_owned();
    };
    let mut list = "'self'".to_owned();
    for host in embed_hosts {
        let local = host.starts_with("localhost") || host.starts_with("127.0.0.1");
        list.push_str(if local { " http://" } else { " https://" });
        list.push_str(host);
    }
    list
}

fn page(status: StatusCode, html: String, nonce: &str, frame_ancestors: &str) -> Response {
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, viewer_policy(nonce, frame_ancestors));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The coach who looks at her own draft, if that is who asks.
async fn previewing(state: &AppState, token: &app::context::SessionToken) -> Option<domain::ids::CoachId> {
    let token = token.0.as_deref()?;
    state.backend.coach_by_token(token).await.ok().flatten().map(|coach| coach.id())
}

/// Who looks at a registration page, and from where.
struct Look<'a> {
    source: String,
    zone: Option<String>,
    has_signal: bool,
    client: &'a Client,
    token: &'a app::context::SessionToken,
    /// `HEAD` looks at nothing, so it is no view.
    method: &'a Method,
}

async fn show(state: &AppState, slug: &str, embed: bool, look: Look<'_>) -> Response {
    let Look { source, zone, has_signal, client, token, method } = look;
    let coach = previewing(state, token).await;
    let visitor = state.backend.visitor();
    let invitation = match visitor.invitation(slug, coach, zone.as_deref()).await {
        Ok(invitation) => invitation,
        Err(error) => return answer::page_or_frame(state, error, embed),
    };
    if coach.is_none() && method == Method::GET {
        visitor.count_page_view(slug, client, &source);
    }
    let nonce = nonce();
    let ancestors = frame_ancestors(embed.then_some(&invitation.embed_hosts));
    let looks = Looks { source: &source, embed, has_signal };
    let html = state.kept_pages.page(invitation, &looks, &nonce, |invitation, nonce| {
        let form = RegistrationForm { source: source.clone(), ..RegistrationForm::default() };
        let around = Around { embed, has_signal, nonce, assets: &assets(state) };
        registration_page(invitation, &form, None, around)
    });
    match html {
        Ok(html) => page(StatusCode::OK, html, &nonce, &ancestors),
        Err(error) => answer::page_or_frame(state, error.into(), embed),
    }
}

/// The registration page.
pub async fn registration(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    Extension(client): Extension<Client>,
    Extension(token): Extension<app::context::SessionToken>,
    Signal(has_signal): Signal,
    method: Method,
) -> Response {
    let (source, zone) = source_and_zone(query.as_deref());
    let look = Look { source, zone, has_signal, client: &client, token: &token, method: &method };
    show(&state, &slug, false, look).await
}

/// The registration page made for a frame. No cookie reaches it there, so nobody is recognised.
pub async fn registration_embed(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    method: Method,
) -> Response {
    let nobody = app::context::SessionToken(None);
    let (source, zone) = source_and_zone(query.as_deref());
    let look = Look { source, zone, has_signal, client: &client, token: &nobody, method: &method };
    show(&state, &slug, true, look).await
}

/// The answer to a form of a webinar's page, in a frame or not: what came of it, or the refusal with its status.
fn answered(
    state: &AppState,
    invitation: &Invitation,
    (embed, has_signal): (bool, bool),
    refusal: Option<&Refusal>,
    render: impl FnOnce(Around<'_>) -> String,
) -> Response {
    let nonce = nonce();
    let html = render(Around { embed, has_signal, nonce: &nonce, assets: &assets(state) });
    let ancestors = frame_ancestors(embed.then_some(&invitation.embed_hosts));
    match refusal {
        None => page(StatusCode::OK, html, &nonce, &ancestors),
        Some(refusal) => answer::with_retry(page(answer::status(refusal), html, &nonce, &ancestors), refusal),
    }
}

async fn book(
    state: &AppState,
    slug: &str,
    (embed, has_signal): (bool, bool),
    form: RegistrationForm,
    client: &Client,
) -> Response {
    let visitor = state.backend.visitor();
    let outcome = visitor.register(slug, &form, client).await.map_err(backend::Error::into_refusal);
    let zone = Some(form.zone.as_str()).filter(|zone| !zone.is_empty());
    let invitation = match visitor.invitation(slug, None, zone).await {
        Ok(invitation) => invitation,
        Err(error) => return answer::page_or_frame(state, error, embed),
    };
    answered(state, &invitation, (embed, has_signal), outcome.as_ref().err(), |around| match &outcome {
        Ok(booking) => registered_page(&invitation, &form, booking, around),
        Err(refusal) => registration_page(&invitation, &form, Some(refusal), around),
    })
}

/// Takes a registration.
pub async fn register(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    Form(form): Form<RegistrationForm>,
) -> Response {
    book(&state, &slug, (false, has_signal), form, &client).await
}

/// Takes a registration from a frame.
pub async fn register_embed(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    Form(form): Form<RegistrationForm>,
) -> Response {
    book(&state, &slug, (true, has_signal), form, &client).await
}

/// The form behind "send my link again".
#[derive(Deserialize)]
pub struct LinkForm {
    #[serde(default)]
    email: String,
    /// Sent by the frame's form.
    #[serde(default)]
    embed: bool,
}

/// Sends a registrant's link again; the answer is the same whether or not the address is known.
pub async fn link_again(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    Form(form): Form<LinkForm>,
) -> Response {
    let visitor = state.backend.visitor();
    let invitation = match visitor.invitation(&slug, None, None).await {
        Ok(invitation) => invitation,
        Err(error) => return answer::page_or_frame(&state, error, form.embed),
    };
    let refusal = visitor.send_link_again(&slug, &form.email, &client).await.err().map(backend::Error::into_refusal);
    answered(&state, &invitation, (form.embed, has_signal), refusal.as_ref(), |around| {
        link_sent_page(&invitation, &form.email, refusal.as_ref(), around)
    })
}

/// The form behind "switch to this time".
#[derive(Deserialize)]
pub struct SwitchForm {
    #[serde(default)]
    token: String,
    /// Sent by the frame's form.
    #[serde(default)]
    embed: bool,
}

/// Takes up the offer to come at another time.
pub async fn switch_time(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    Form(form): Form<SwitchForm>,
) -> Response {
    let visitor = state.backend.visitor();
    let invitation = match visitor.invitation(&slug, None, None).await {
        Ok(invitation) => invitation,
        Err(error) => return answer::page_or_frame(&state, error, form.embed),
    };
    let outcome = visitor.switch_time(&slug, &form.token, &client).await.map_err(backend::Error::into_refusal);
    answered(&state, &invitation, (form.embed, has_signal), outcome.as_ref().err(), |around| {
        switched_page(&invitation, outcome.as_ref(), around)
    })
}

/// The form behind "take this time" in a room.
#[derive(Deserialize)]
pub struct TimeForm {
    #[serde(default)]
    slot: String,
    #[serde(default)]
    zone: String,
    /// Somebody agrees again, from the page a mail led to.
    #[serde(default)]
    again: String,
}

/// Takes another time with one's own link, and shows the room it leads to.
pub async fn change_time(
    State(state): State<AppState>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    Form(form): Form<TimeForm>,
) -> Response {
    let embed = query.as_deref() == Some("embed=1");
    let visitor = state.backend.visitor();
    let chosen = (form.slot.as_str(), form.zone.as_str());
    let done = match form.again.as_str() {
        "" => visitor.change_time(&token, chosen).await.map(drop),
        again => visitor.agree_again(&token, again, chosen).await,
    };
    match done {
        Ok(()) => {
            let back = if embed { format!("/r/{token}?embed=1") } else { format!("/r/{token}") };
            axum::response::Redirect::to(&back).into_response()
        }
        Err(error) => answer::page_or_frame(&state, error, embed),
    }
}

/// The page behind "No more of these mails". Scanners follow links: it changes nothing.
pub async fn mail_choice(
    State(state): State<AppState>,
    Path(token): Path<String>,
    Signal(has_signal): Signal,
) -> Response {
    match state.backend.visitor().mail_choice(&token).await {
        Ok(choice) => choice_page(&state, &choice, has_signal),
        Err(error) => answer::page_or_frame(&state, error, false),
    }
}

/// The button of that page, or of a mail program (RFC 8058): a POST without a cookie, answered 200 without a redirect.
pub async fn choose_mail(
    State(state): State<AppState>,
    Path(token): Path<String>,
    Signal(has_signal): Signal,
    body: String,
) -> Response {
    let wants_mail = body.split('&').any(|field| field == "wish=again");
    match state.backend.visitor().choose_mail(&token, wants_mail).await {
        Ok(choice) => choice_page(&state, &choice, has_signal),
        Err(error) => answer::page_or_frame(&state, error, false),
    }
}

fn choice_page(state: &AppState, choice: &MailChoice, has_signal: bool) -> Response {
    let nonce = nonce();
    let around = Around { embed: false, has_signal, nonce: &nonce, assets: &assets(state) };
    let mut response = page(StatusCode::OK, mail_choice_page(choice, around), &nonce, &frame_ancestors(None));
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}

/// The calendar entry of a registration.
pub async fn calendar(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    match state.backend.visitor().calendar(&token).await {
        Ok(file) => {
            let headers = [
                (header::CONTENT_TYPE, "text/calendar; charset=utf-8; method=PUBLISH"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"session.ics\""),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
            ];
            (headers, file).into_response()
        }
        Err(error) => answer::page_or_frame(&state, error, false),
    }
}

/// A registrant's own link. GET changes nothing about the person: a visit is opened, attendance needs play.
///
/// Opened from the frame it stays in the frame (`?embed=1`), on the sites the coach named.
pub async fn room(
    State(state): State<AppState>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    Extension(client): Extension<Client>,
    Signal(has_signal): Signal,
    method: Method,
) -> Response {
    let visitor = (method == Method::GET).then_some(&client);
    let embed = query.as_deref() == Some("embed=1");
    // A link to agree again brings only its own parameter, made of letters that need no escaping.
    let again = query.as_deref().and_then(|query| query.strip_prefix("again="));
    let asked = match again {
        Some(again) => state.backend.visitor().room_to_agree(&token, again).await,
        None => state.backend.visitor().room(&token, visitor).await,
    };
    let room = match asked {
        Ok(room) => room,
        Err(error) => return answer::page_or_frame(&state, error, embed),
    };
    let nonce = nonce();
    let around = Around { embed, has_signal, nonce: &nonce, assets: &assets(&state) };
    let html = room_page(&room, around);
    let ancestors = frame_ancestors(embed.then_some(&room.embed_hosts));
    let mut response = page(StatusCode::OK, html, &nonce, &ancestors);
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}
