//! Files of the built site: the best encoding the browser takes, validators, and how long each may be kept.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::site::{Encoding, File, Packed, Site};

/// Folders whose files never change under their name.
const FOR_EVER: [&str; 2] = ["/pkg/", "/fonts/"];
/// The embed loader, which other sites load under this fixed name.
const LOADER: &str = "/embed.js";

/// A route for everything in the site, and nothing else.
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Arc<Site>) -> Router<S> {
    let mut router = Router::new().route("/pkg/{*file}", get(serve)).route("/fonts/{*file}", get(serve));
    for path in site.paths().filter(|path| !is_for_ever(path)) {
        router = router.route(path, get(serve));
    }
    router.with_state(site.clone())
}

async fn serve(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let Some(file) = site.file(path) else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    let (encoding, packed) = choose(file, &headers);
    let is_known = text(&headers, &header::IF_NONE_MATCH).any(|list| holds(list, &packed.etag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Body::from(packed.bytes.clone()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        if encoding != Encoding::Identity {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        response
    };
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&packed.etag) {
        headers.insert(header::ETAG, etag);
    }
    if file.has_twins() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep(path)));
    if path == LOADER {
        // It runs on coaches' own sites.
        headers
            .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

fn is_for_ever(path: &str) -> bool {
    FOR_EVER.iter().any(|folder| path.starts_with(folder))
}

/// How long a browser may keep a file.
fn keep(path: &str) -> &'static str {
    if is_for_ever(path) {
        "public, max-age=31536000, immutable"
    } else if path == LOADER {
        // An hour: coaches' pages pick up a mended loader the same day.
        "public, max-age=3600"
    } else {
        "public, max-age=86400"
    }
}

/// Every value of a header that is text; a list may be spread over several lines.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

/// Whether an `If-None-Match` list holds a tag (weak comparison, RFC 9110 §13.1.2).
fn holds(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// The body the browser likes best among those there are; between equals the smallest (RFC 9110 §12.5.3).
fn choose<'a>(file: &'a File, headers: &HeaderMap) -> (Encoding, &'a Packed) {
    let accepted: Vec<(&str, f32)> = text(headers, &header::ACCEPT_ENCODING)
        .flat_map(|list| list.split(','))
        .filter_map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            Some((name.trim(), quality(parameters)?))
        })
        .collect();
    let named = |wanted: &str| accepted.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, q)| *q);
    let mut best = (Encoding::Identity, file.plain());
    // Where it is not named the plain body is taken, but only when nothing else is.
    let mut best_quality = named(Encoding::Identity.name()).unwrap_or(0.0);
    for encoding in [Encoding::Gzip, Encoding::Brotli] {
        let quality = named(encoding.name()).or_else(|| named("*")).unwrap_or(0.0);
        if let Some(packed) = file.packed(encoding).filter(|_| quality > 0.0 && quality >= best_quality) {
            best = (encoding, packed);
            best_quality = quality;
        }
    }
    best
}

/// What `;q=0.8` says, 1 where nothing is said; nothing for what is no quality (RFC 9110 §12.4.2).
fn quality(parameters: &str) -> Option<f32> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1.0);
    }
    let (name, value) = parameters.split_once('=')?;
    let value: f32 = value.trim().parse().ok()?;
    (name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Method, Request};
    use bytes::Bytes;
    use tower::ServiceExt;

    const FILES: [(&str, &str); 9] = [
        ("/pkg/app.0123.js", "console.log('plain')"),
        ("/pkg/app.0123.js.br", "packed by brotli"),
        ("/pkg/app.0123.js.gz", "packed by gzip"),
        ("/pkg/assets.json", r#"{"app.js":"/pkg/app.0123.js"}"#),
        ("/fonts/serif.woff2", "a font"),
        ("/favicon.svg", "<svg/>"),
        ("/robots.txt", "User-agent: *"),
        ("/embed.js", "(() => {})()"),
        ("/embed.js.br", "packed loader"),
    ];

    fn carried() -> Arc<Site> {
        let files = FILES.map(|(path, text)| (path.to_owned(), Bytes::from_static(text.as_bytes())));
        Arc::new(Site::from_files(files))
    }

    /// More than any file of the site has.
    const MOST_BYTES: usize = 16 << 20;

    async fn ask(site: &Arc<Site>, method: Method, path: &str, headers: &[(&str, &str)]) -> (Response<()>, Bytes) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let (parts, body) = routes::<()>(site).oneshot(request).await.expect("never fails").into_parts();
        (Response::from_parts(parts, ()), axum::body::to_bytes(body, MOST_BYTES).await.expect("in memory"))
    }

    fn header_of<'a>(answer: &'a Response<()>, name: &str) -> &'a str {
        answer.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    #[tokio::test]
    async fn the_smallest_body_the_browser_takes_is_sent() {
        let cases = [
            ("", "", "console.log('plain')"),
            ("br", "br", "packed by brotli"),
            ("gzip, deflate, br, zstd", "br", "packed by brotli"),
            ("gzip", "gzip", "packed by gzip"),
            ("GZIP", "gzip", "packed by gzip"),
            ("br;q=0, gzip", "gzip", "packed by gzip"),
            ("br;q=0.2, gzip;q=0.8", "gzip", "packed by gzip"),
            ("br;q=0.5, identity", "", "console.log('plain')"),
            ("*", "br", "packed by brotli"),
            ("*;q=0.5, br;q=0", "gzip", "packed by gzip"),
            ("deflate", "", "console.log('plain')"),
            ("br;q=2, gzip;level=9", "", "console.log('plain')"),
            ("identity", "", "console.log('plain')"),
        ];
        let site = carried();
        for (accepts, encoding, body) in cases {
            let (answer, bytes) = ask(&site, Method::GET, "/pkg/app.0123.js", &[("accept-encoding", accepts)]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{accepts}");
            assert_eq!(header_of(&answer, "content-encoding"), encoding, "{accepts}");
            assert_eq!(bytes, body, "{accepts}");
            assert_eq!(header_of(&answer, "vary"), "accept-encoding", "{accepts}");
            assert_eq!(header_of(&answer, "content-type"), "text/javascript; charset=utf-8", "{accepts}");
        }
    }

    #[tokio::test]
    async fn a_body_the_browser_has_is_not_sent_again() {
        let site = carried();
        let (first, _) = ask(&site, Method::GET, "/pkg/app.0123.js", &[("accept-encoding", "br")]).await;
        let etag = header_of(&first, "etag").to_owned();
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let headers = [("accept-encoding", "br"), ("if-none-match", known.as_str())];
            let (again, bytes) = ask(&site, Method::GET, "/pkg/app.0123.js", &headers).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(bytes.is_empty(), "{known}");
            for name in ["etag", "vary", "cache-control"] {
                assert_eq!(header_of(&again, name), header_of(&first, name), "{name} with {known}");
            }
        }
        let plain = ask(&site, Method::GET, "/pkg/app.0123.js", &[("if-none-match", &etag)]).await.0;
        assert_eq!(plain.status(), StatusCode::OK, "the tag of the packed body says nothing about the plain one");
        assert_ne!(header_of(&plain, "etag"), etag);
    }

    #[tokio::test]
    async fn head_tells_what_get_would_send() {
        let site = carried();
        let packed = [("accept-encoding", "br")];
        let (got, body) = ask(&site, Method::GET, "/pkg/app.0123.js", &packed).await;
        let (told, nothing) = ask(&site, Method::HEAD, "/pkg/app.0123.js", &packed).await;
        assert_eq!(told.status(), StatusCode::OK);
        assert!(nothing.is_empty());
        assert_eq!(header_of(&told, "content-length"), body.len().to_string());
        for name in ["content-type", "content-encoding", "etag", "vary", "cache-control"] {
            assert_eq!(header_of(&told, name), header_of(&got, name), "{name}");
        }
    }

    #[tokio::test]
    async fn files_are_kept_as_long_as_their_name_promises() {
        let site = carried();
        let cases = [
            ("/pkg/app.0123.js", "public, max-age=31536000, immutable"),
            ("/fonts/serif.woff2", "public, max-age=31536000, immutable"),
            ("/favicon.svg", "public, max-age=86400"),
            ("/robots.txt", "public, max-age=86400"),
            ("/embed.js", "public, max-age=3600"),
        ];
        for (path, expected) in cases {
            let (answer, _) = ask(&site, Method::GET, path, &[]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(header_of(&answer, "cache-control"), expected, "{path}");
        }
    }

    #[tokio::test]
    async fn only_the_loader_may_be_used_by_other_sites() {
        let site = carried();
        let (loader, _) = ask(&site, Method::GET, "/embed.js", &[]).await;
        assert_eq!(header_of(&loader, "cross-origin-resource-policy"), "cross-origin");
        assert_eq!(header_of(&loader, "access-control-allow-origin"), "*");
        let (other, _) = ask(&site, Method::GET, "/pkg/app.0123.js", &[]).await;
        assert_eq!(header_of(&other, "cross-origin-resource-policy"), "");
        assert_eq!(header_of(&other, "access-control-allow-origin"), "");
    }

    #[tokio::test]
    async fn what_is_not_in_the_site_is_not_there() {
        let site = carried();
        for path in [
            "/pkg/",
            "/pkg/app.js",
            "/pkg/app.0123.js.br",
            "/pkg/assets.json",
            "/pkg/../robots.txt",
            "/pkg/%2e%2e/robots.txt",
            "/pkg/..%2frobots.txt",
            "/pkg//etc/passwd",
            "/pkg/%00",
            "/fonts/../../../../etc/passwd",
            "/fonts",
            "/fingerprints.json",
        ] {
            for method in [Method::GET, Method::HEAD] {
                let (answer, _) = ask(&site, method, path, &[]).await;
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
                assert_eq!(header_of(&answer, "cache-control"), "", "{path}: nobody keeps a miss");
            }
        }
        let (answer, _) = ask(&site, Method::POST, "/robots.txt", &[]).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    /// The folder and the binary hold the same files, so every answer has to be the same, header by header.
    async fn answers_alike(one: &Arc<Site>, other: &Arc<Site>) {
        assert!(one.paths().count() > 0);
        let mut paths: Vec<String> = one.paths().chain(other.paths()).map(str::to_owned).collect();
        paths.extend(["/pkg/assets.json", "/pkg/none.js", "/fingerprints.json"].map(str::to_owned));
        for path in paths {
            for accepts in ["", "br", "gzip", "br;q=0, *", "identity"] {
                for method in [Method::GET, Method::HEAD] {
                    let headers = [("accept-encoding", accepts)];
                    let (a, a_body) = ask(one, method.clone(), &path, &headers).await;
                    let (b, b_body) = ask(other, method.clone(), &path, &headers).await;
                    assert_eq!(a.status(), b.status(), "{method} {path} {accepts}");
                    assert_eq!(a.headers(), b.headers(), "{method} {path} {accepts}");
                    assert_eq!(a_body, b_body, "{method} {path} {accepts}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_folder_answers_like_files_in_memory() {
        let folder = tempfile::tempdir().expect("folder");
        for (path, text) in FILES {
            let file = folder.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(file.parent().expect("below the folder")).expect("made");
            std::fs::write(file, text).expect("written");
        }
        answers_alike(&carried(), &Arc::new(Site::read(folder.path()).expect("reads"))).await;
    }

    #[cfg(feature = "embed")]
    #[tokio::test]
    async fn this_binary_answers_like_the_folder_it_was_made_from() {
        let built = std::path::Path::new(env!("MW_SITE_INDEX")).with_file_name("site");
        let nowhere = Site::open(std::path::Path::new("/nowhere"));
        assert!(nowhere.check(&built).expect("whole").starts_with("inside this binary"));
        answers_alike(&Arc::new(nowhere), &Arc::new(Site::read(&built).expect("built"))).await;
    }
}
