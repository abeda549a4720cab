//! The privacy policy, its versions and its living evidence: pages made from the very files the program works by, so
//! that none of them can say something else (privacy-design §2.1).

mod evidence;
mod messages;
mod well_known;

use app::document::prose::{Around, Block, Prose, Row, Run, prose_page};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::{Moment, Refusal};
use privacy::DataMap;
use privacy::policy::{Change, Piece, Sentence, Version, Versions, differences};
use privacy::published;
use privacy::recipients::DOCUMENTS;

use super::answer;
use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// The routes around the policy.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/privacy", get(policy))
        .route("/privacy/versions", get(versions))
        .route("/privacy/versions/{version}", get(version))
        .route("/privacy/documents/{document}", get(document))
        .route("/terms", get(terms))
        .route("/privacy/data-map", get(evidence::data_map))
        .route("/privacy/data-map.json", get(evidence::data_map_json))
        .route("/privacy/data-map.jsonld", get(evidence::data_map_json_ld))
        .route("/privacy/records", get(evidence::records))
        .route("/privacy/subprocessors", get(evidence::subprocessors))
        .route("/privacy/promises", get(evidence::promises))
        .route("/privacy/promises.json", get(evidence::promises_json))
        .route("/privacy/complain", get(messages::complaint).post(messages::complain))
        .route("/privacy/report-child", get(messages::child_report).post(messages::report_child))
        .route("/.well-known/gpc.json", get(well_known::gpc))
        .route("/.well-known/security.txt", get(well_known::security))
}

/// What the frame of a page is told.
fn around<'a>(state: &'a AppState, css: &'a str, headers: &HeaderMap) -> Around<'a> {
    Around { css, has_signal: has_signal(headers), contact: &state.backend.config().contact_email }
}

/// Whether a browser says "do not sell or share" (Global Privacy Control).
#[must_use]
pub fn has_signal(headers: &HeaderMap) -> bool {
    headers.get("sec-gpc").is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
}

/// [`has_signal`] of a request.
pub struct Signal(pub bool);

impl<S: Sync> axum::extract::FromRequestParts<S> for Signal {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(has_signal(&parts.headers)))
    }
}

fn html(html: String) -> Response {
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, viewer_policy("none", "'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("sec-gpc"));
    response
}

fn page(state: &AppState, headers: &HeaderMap, prose: Prose) -> Response {
    let css = state.assets.url("document.css");
    html(prose_page(&around(state, &css, headers), prose))
}

/// `26 November 2026`.
fn day(moment: Moment) -> String {
    let text = moment.utc_text();
    text.split_once(',').map_or(text.clone(), |(day, _)| day.to_owned())
}

fn short(state: &AppState) -> Vec<String> {
    published::summary(DataMap::current(), &state.config.recipients)
}

/// A sentence with its classes and promises as links.
fn runs(sentence: &Sentence) -> Vec<Run> {
    let map = DataMap::current();
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Run::text(text.clone()),
        Piece::Class(key) => {
            let title = map.classes.get(key).map_or_else(|| key.clone(), |class| class.title.to_lowercase());
            Run::link(format!("/privacy/data-map#{key}"), title)
        }
    };
    let mark = |id: &String| Run::Mark { href: format!("/privacy/promises#{id}"), text: id.clone() };
    sentence.pieces.iter().map(piece).chain(sentence.promises.iter().map(mark)).collect()
}

fn said(version: &Version) -> Vec<Block> {
    version
        .sections
        .iter()
        .flat_map(|section| {
            let sentences = section.sentences.iter().map(runs).collect();
            [Block::heading(section.title.clone()), Block::List(sentences)]
        })
        .collect()
}

fn dateline(version: &Version) -> String {
    format!("Last updated on {}. In force since {}.", day(version.published), day(version.effective))
}

async fn policy(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let now = state.backend.now();
    let versions = Versions::of_the_policy();
    let current = versions.current(now);
    let coming = versions.published(now).next_back().filter(|newest| newest.effective > now);
    let notice = coming.map(|newest| {
        Block::Paragraph(vec![
            Run::Strong(format!("From {} on: {} ", day(newest.effective), newest.summary)),
            Run::link(format!("/privacy/versions/{}", newest.name), "See every sentence that changes"),
        ])
    });
    let blocks = notice.into_iter().chain(said(current)).collect();
    page(
        &state,
        &headers,
        Prose {
            title: "Privacy policy".to_owned(),
            path: "/privacy",
            dateline: Some(dateline(current)),
            short: short(&state),
            blocks,
        },
    )
}

async fn terms(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let current = Versions::of_the_terms().current(state.backend.now());
    page(
        &state,
        &headers,
        Prose {
            title: "Terms and data processing".to_owned(),
            path: "/terms",
            dateline: Some(format!("Version of {}. SHA-256 {}.", day(current.published), current.digest())),
            short: vec![current.summary.clone()],
            blocks: said(current),
        },
    )
}

async fn versions(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let row = |version: &Version| {
        let link = Run::link(format!("/privacy/versions/{}", version.name), day(version.published));
        let matters = if version.is_material { "yes" } else { "no" };
        let cells = vec![
            vec![link],
            vec![Run::text(day(version.effective))],
            vec![Run::text(matters)],
            vec![Run::text(version.summary.clone())],
            vec![Run::text(version.digest())],
        ];
        Row { id: Some(version.name.clone()), cells }
    };
    let rows = Versions::of_the_policy().published(state.backend.now()).rev().map(row).collect();
    let head = ["Published", "In force from", "Matters to people", "What is new", "SHA-256"];
    page(
        &state,
        &headers,
        Prose {
            title: "Versions of the privacy policy".to_owned(),
            path: "/privacy/versions",
            dateline: None,
            short: vec![
                "Every version stays here, word for word, with what changed in it.".to_owned(),
                "When a change matters to people, every coach is told by mail and on her home page, 30 days before it takes effect."
                    .to_owned(),
            ],
            blocks: vec![Block::Table {
                caption: "Versions, newest first".to_owned(),
                head: head.map(str::to_owned).to_vec(),
                rows,
            }],
        },
    )
}

async fn version(State(state): State<AppState>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let now = state.backend.now();
    let found = Versions::of_the_policy().named(&name).filter(|(version, _)| version.published <= now);
    let Some((version, before)) = found else {
        return answer::page(&state, Refusal::not_found().into());
    };
    let blocks = changes(version, before).into_iter().chain(said(version)).collect();
    page(
        &state,
        &headers,
        Prose {
            title: format!("Privacy policy of {}", day(version.published)),
            path: "/privacy/versions",
            dateline: Some(format!("In force from {}. SHA-256 {}.", day(version.effective), version.digest())),
            short: vec![version.summary.clone()],
            blocks,
        },
    )
}

/// What changed, sentence by sentence.
fn changes(version: &Version, before: Option<&Version>) -> Vec<Block> {
    let heading = |text: &str| Block::Heading { id: Some("changes".to_owned()), text: text.to_owned() };
    let Some(before) = before else {
        return vec![
            heading("What changed"),
            Block::words("This is the first version."),
            Block::heading("The whole text"),
        ];
    };
    let change = |change| match change {
        Change::Kept(_) => None,
        Change::Added(text) => Some(Block::Added(text)),
        Change::Removed(text) => Some(Block::Removed(text)),
    };
    let changed = differences(before, version, DataMap::current()).into_iter().filter_map(change);
    std::iter::once(heading(&format!("What changed since {}", day(before.published))))
        .chain(changed)
        .chain([Block::heading("The whole text")])
        .collect()
}

/// A document the list of recipients names, as it was hashed.
async fn document(State(state): State<AppState>, Path(name): Path<String>) -> Response {
    match DOCUMENTS.iter().find(|(file, _)| *file == name) {
        Some((_, text)) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], *text).into_response(),
        None => answer::page(&state, Refusal::not_found().into()),
    }
}
