//! The studio's shell: the document around every page of the coach's side.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::app::App;
use crate::forms::Posted;
use crate::registration::script_safe;

/// Addresses of the studio's built files.
#[derive(Clone, Debug, Default)]
pub struct StudioAssets {
    /// The style sheet.
    pub css: String,
    /// The glue of the WebAssembly.
    pub js: String,
    /// The WebAssembly.
    pub wasm: String,
    /// Addresses of the pieces (`pieces.rs`).
    pub pieces: Arc<BTreeMap<String, String>>,
}

/// Names a piece in the answer's head, so that the browser asks for it before anything runs.
pub(super) fn announce_piece(piece: &str) {
    let (Some(assets), Some(response)) = (use_context::<StudioAssets>(), use_context::<ResponseOptions>()) else {
        return;
    };
    if let Some(url) = assets.pieces.get(piece) {
        // What makes the page answer comes after what makes it readable: styles and the font go first.
        let link = format!("<{url}>; rel=preload; as=fetch; crossorigin=anonymous; fetchpriority=low");
        if let Ok(value) = http::HeaderValue::from_str(&link) {
            response.append_header(http::header::LINK, value);
        }
    }
}

/// The studio's policy: our own files, one nonce, WebAssembly, and nobody who frames us.
fn studio_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The document around every page of the studio.
pub fn studio_shell(_options: LeptosOptions) -> impl IntoView {
    let assets = use_context::<StudioAssets>().unwrap_or_default();
    let nonce = use_nonce();
    if let (Some(nonce), Some(response)) = (&nonce, use_context::<ResponseOptions>()) {
        if let Ok(value) = http::HeaderValue::from_str(&studio_policy(nonce)) {
            response.insert_header(http::header::CONTENT_SECURITY_POLICY, value);
        }
        response.insert_header(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    }
    // What a posted form led to: the page that wakes up has to show the same.
    let posted = use_context::<Posted>().and_then(|posted| serde_json::to_string(&posted).ok()).map(|json| {
        view! { <script type="application/json" id="posted" inner_html=script_safe(&json)></script> }
    });
    let text = |url: &str| script_safe(&serde_json::Value::from(url).to_string());
    let loader = format!(
        "import({}).then(m=>m.default({{module_or_path:{}}}).then(()=>m.hydrate()))",
        text(&assets.js),
        text(&assets.wasm)
    );
    let unscripted = nonce
        .as_ref()
        .map(|nonce| format!("<style nonce=\"{nonce}\">.needs-script{{display:none}}</style>"))
        .unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Upload one recording and have a webinar that runs by itself."/>
                <link rel="stylesheet" href=assets.css/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <noscript inner_html=unscripted></noscript>
                <link rel="modulepreload" href=assets.js nonce=nonce.clone()/>
                {posted}
                <script type="module" nonce=nonce inner_html=loader></script>
                <MetaTags/>
            </head>
            // Nothing but the application may stand here: the browser takes the body over from its first node.
            <body class="studio">
                <App/>
            </body>
        </html>
    }
}
