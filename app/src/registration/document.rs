//! The frame of every viewer page: one style sheet, one nonce, and script only where a page asks for it.

use leptos::prelude::*;
use leptos::tachys::view::RenderHtml;

use super::brand::accent_rule;

/// Addresses of the built files a viewer page may load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewerAssets {
    /// The style sheet.
    pub css: String,
    /// The glue of the viewer's WebAssembly.
    pub viewer_js: String,
    /// The WebAssembly itself.
    pub viewer_wasm: String,
}

/// What differs between two looks at the same page.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Whether it stands in a frame of the coach's site.
    pub embed: bool,
    /// Whether the browser sends the Global Privacy Control signal.
    pub has_signal: bool,
    /// Nonce of the page's policy.
    pub nonce: &'a str,
    /// Where its files are.
    pub assets: &'a ViewerAssets,
}

/// What the frame needs to know of a page.
pub struct Page<'a> {
    /// Title of the tab.
    pub title: String,
    /// For search engines.
    pub summary: Option<String>,
    /// The coach's colour, `#rrggbb` or empty.
    pub accent: &'a str,
    /// Whether search engines may list it.
    pub may_be_indexed: bool,
    /// Slug under which the page tells its host how high it is.
    pub height_reporter: Option<&'a str>,
    /// JSON for the viewer's script; without it no script is loaded.
    pub scripts: Option<String>,
    /// A few lines that run by themselves, where the page needs no more.
    pub own_script: Option<String>,
    /// Without a script, the page asks for itself again after so many seconds.
    pub again_after_seconds: Option<i64>,
}

/// Renders the whole document.
pub fn render(page: Page<'_>, around: Around<'_>, body: impl IntoView) -> String {
    let Page { title, summary, accent, may_be_indexed, height_reporter, scripts, own_script, again_after_seconds } =
        page;
    let Around { assets, .. } = around;
    let nonce = around.nonce.to_owned();
    let styles = accent_rule(accent).map(|rule| view! { <style nonce=nonce.clone() inner_html=rule></style> });
    let unscripted = (scripts.is_some() || own_script.is_some()).then(|| {
        let again = again_after_seconds
            .map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"))
            .unwrap_or_default();
        let style = format!("{again}<style nonce=\"{nonce}\">.needs-script{{display:none}}</style>");
        view! { <noscript inner_html=style></noscript> }
    });
    let robots = (!may_be_indexed).then(|| view! { <meta name="robots" content="noindex"/> });
    let summary = summary.map(|text| view! { <meta name="description" content=text/> });
    let reporter = height_reporter.map(|slug| {
        view! { <script nonce=nonce.clone() inner_html=height_script(slug)></script> }
    });
    let scripts = scripts.map(|props| {
        view! {
            <script type="application/json" id="player-props" inner_html=props></script>
            <script type="module" nonce=nonce.clone() inner_html=loader(assets)></script>
        }
    });
    let own_script = own_script.map(|script| view! { <script nonce=nonce.clone() inner_html=script></script> });
    let class = if height_reporter.is_some() { "viewer embedded" } else { "viewer" };
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                {summary}
                {robots}
                <link rel="stylesheet" href=assets.css.clone()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {styles}
                {unscripted}
            </head>
            <body class=class>
                <div class="viewer-page" id="page">{body.into_any()}</div>
                {scripts}
                {own_script}
                {reporter}
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

/// Tells the host page how high this page is. Only a height and the slug leave the frame, so any host may hear it.
fn height_script(slug: &str) -> String {
    let slug = script_safe(&serde_json::Value::from(slug).to_string());
    format!(
        "(()=>{{const page=document.getElementById(\"page\"),tell=()=>parent.postMessage({{miniWebinar:{slug},height:Math.ceil(page.getBoundingClientRect().bottom+scrollY)}},\"*\");new ResizeObserver(tell).observe(page);tell()}})()"
    )
}

/// Loads the viewer's WebAssembly once the first frame is painted and the browser has nothing better to do. Waiting
/// for `load` would wait for the video.
fn loader(assets: &ViewerAssets) -> String {
    let text = |url: &str| script_safe(&serde_json::Value::from(url).to_string());
    format!(
        "const go=()=>import({}).then(m=>m.default({{module_or_path:{}}}));requestAnimationFrame(()=>self.requestIdleCallback?requestIdleCallback(go,{{timeout:1500}}):setTimeout(go,50))",
        text(&assets.viewer_js),
        text(&assets.viewer_wasm)
    )
}

/// JSON that can stand inside `<script>`: no end tag, no comment, no line separator older scripts stumble over.
#[must_use]
pub fn script_safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_a_script() {
        let hostile = "</script><!-- <script> & \u{2028}\u{2029}";
        let json = script_safe(&serde_json::Value::from(hostile).to_string());
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        let back: String = serde_json::from_str(&json).expect("still JSON");
        assert_eq!(back, hostile);
    }
}
