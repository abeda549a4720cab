//! Documents the server sends: the studio's shell, and small pages that need no routing.

pub mod messages;
pub mod prose;

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::tachys::view::RenderHtml;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::app::App;
use crate::forms::Posted;
pub use crate::registration::ViewerAssets;
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
}

/// The studio's policy: our own files, one nonce, WebAssembly, and nobody who frames us.
fn studio_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
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
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="stylesheet" href=assets.css/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
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

pub(crate) fn plain_page(css: &str, title: &str, main: impl IntoView + 'static) -> String {
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                <title>{title.to_owned()}</title>
                <link rel="stylesheet" href=css.to_owned()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            </head>
            <body class="viewer"><div class="viewer-page message-page" id="page">{main}</div></body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

/// One sentence for somebody who cannot go on, with the way that is left.
#[must_use]
pub fn message_page(css: &str, title: &str, message: &str, link: Option<(&str, &str)>) -> String {
    let link = link.map(|(href, label)| view! { <p><a class="button" href=href.to_owned()>{label.to_owned()}</a></p> });
    let main = view! { <main class="message" id="content"><h1>{title.to_owned()}</h1><p>{message.to_owned()}</p>{link}</main> };
    plain_page(css, title, main)
}

/// The dev mailbox for people: when, to whom, about what, and the text.
#[must_use]
pub fn mailbox_page(css: &str, mails: &[(String, String, String, String)]) -> String {
    let mails: Vec<_> = mails
        .iter()
        .map(|(at, to, subject, text)| {
            view! {
                <details>
                    <summary><strong>{subject.clone()}</strong>" · "{to.clone()}" · "{at.clone()}</summary>
                    <pre class="letter" inner_html=linked(text)></pre>
                </details>
            }
        })
        .collect();
    let empty =
        mails.is_empty().then(|| view! { <p>"No mail was sent yet. Register for a webinar, and it appears here."</p> });
    let main = view! { <main class="mailbox" id="content"><h1>"Dev mailbox"</h1>{empty}{mails}</main> };
    plain_page(css, "Dev mailbox", main)
}

/// A plain text as HTML in which addresses can be clicked.
fn linked(text: &str) -> String {
    let escape =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let word = |word: &str| {
        let escaped = escape(word);
        if word.starts_with("http://") || word.starts_with("https://") {
            format!("<a href=\"{escaped}\">{escaped}</a>")
        } else {
            escaped
        }
    };
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let bare = piece.trim_end();
            format!("{}{}", word(bare), &piece[bare.len()..])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_can_be_clicked_and_breaks_nothing() {
        let html = linked("Hello <b>\nhttps://x.example/confirm?t=a&b=\"1\" bye");
        assert_eq!(
            html,
            "Hello &lt;b&gt;\n<a href=\"https://x.example/confirm?t=a&amp;b=&quot;1&quot;\">https://x.example/confirm?t=a&amp;b=&quot;1&quot;</a> bye"
        );
    }
}
