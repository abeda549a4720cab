//! Receipts of erasures: the public key, and the page on which anybody checks one.

use app::receipt::{Checked, receipt_page};
use axum::extract::{Form, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use privacy::receipt::{FORMAT, Signed, verify};
use serde::Deserialize;

use crate::layers::headers::viewer_policy;
use crate::state::AppState;

/// The routes of receipts.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/.well-known/mini-webinar-receipts.json", get(keys))
        .route("/privacy/receipt", get(form).post(check))
}

async fn keys(State(state): State<AppState>) -> Response {
    let key = state.backend.receipt_signer().public_key();
    let body =
        serde_json::json!({ "keys": [{ "alg": "Ed25519", "encoding": "base64", "key": key, "signs": [FORMAT] }] });
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(body)).into_response()
}

fn page(state: &AppState, typed: &str, address: &str, checked: Option<&Checked>) -> Response {
    let html = receipt_page(&state.assets.url("viewer.css"), typed, address, checked);
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, viewer_policy("none", "'none'"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

async fn form(State(state): State<AppState>) -> Response {
    page(&state, "", "", None)
}

/// What is pasted.
#[derive(Deserialize)]
struct Pasted {
    #[serde(default)]
    receipt: String,
    #[serde(default)]
    address: String,
}

async fn check(State(state): State<AppState>, Form(pasted): Form<Pasted>) -> Response {
    let key = state.backend.receipt_signer().public_key();
    let checked = match verify(&pasted.receipt, Some(&key), Some(&pasted.address)) {
        Ok(signed) => Checked {
            is_good: true,
            verdict: if pasted.address.trim().is_empty() {
                "This receipt is ours, and it is unchanged.".to_owned()
            } else {
                "This receipt is ours, it is unchanged, and it is about this address.".to_owned()
            },
            facts: facts(&signed),
        },
        Err(error) => {
            let text = error.to_string();
            Checked { is_good: false, verdict: capitalised(&text), facts: Vec::new() }
        }
    };
    page(&state, &pasted.receipt, &pasted.address, Some(&checked))
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// What a receipt says, for people.
#[must_use]
pub fn facts(signed: &Signed) -> Vec<(String, String)> {
    let receipt = &signed.receipt;
    let removed: i64 = receipt.results.iter().map(|line| line.removed).sum();
    let kept: Vec<String> = receipt
        .retained
        .iter()
        .map(|kept| {
            format!("{} ({}) until {}", kept.class, kept.ground, kept.until.as_deref().unwrap_or("the account goes"))
        })
        .collect();
    [
        ("Request", receipt.request.clone()),
        (
            "About",
            if receipt.subject_kind == "coach" { "a coach's account" } else { "a viewer of one coach" }.to_owned(),
        ),
        ("Asked", receipt.received_at.clone()),
        ("Deleted", receipt.completed_at.clone()),
        ("Rows, files and keys removed", removed.to_string()),
        ("Kept", if kept.is_empty() { "nothing".to_owned() } else { kept.join("; ") }),
        ("Backups unreadable from", receipt.backups_unreadable_since.clone()),
        ("Last backup gone by", receipt.backups_gone_by.clone()),
        ("Address still found in the databases", format!("{} times", receipt.scan.hits)),
    ]
    .map(|(label, text)| (label.to_owned(), text))
    .to_vec()
}
