//! `/media/{kind}/{name}?e=…&s=…`: signed, expiring, with byte ranges per RFC 9110 §14.

use std::ops::RangeInclusive;

use app::context::SessionToken;
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use backend::links::MediaKind;
use backend::videos::SignedObject;
use bytes::Bytes;
use domain::{Moment, Refusal};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;

use super::answer::plain;
use crate::state::AppState;

/// Ranges of one request; a player asks for one.
const MAX_RANGES: usize = 16;

/// The signature of a media address.
#[derive(Deserialize)]
pub struct Signature {
    e: i64,
    s: String,
}

/// Serves one object.
pub async fn serve(
    State(state): State<AppState>,
    Path((kind, name)): Path<(String, String)>,
    signature: Result<Query<Signature>, QueryRejection>,
    Extension(token): Extension<SessionToken>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(kind) = MediaKind::parse(&kind) else {
        return plain(Refusal::not_found().into());
    };
    let allowed =
        signature.is_ok_and(|Query(signature)| state.backend.media_allowed(kind, &name, signature.e, &signature.s));
    if !allowed {
        return plain(
            Refusal::new(domain::RefusalKind::NotAllowed, "This address has expired. Load the page again to go on.")
                .into(),
        );
    }
    match state.backend.signed_object(kind, &name, token.0.as_deref()).await {
        Ok(SignedObject::Text { content_type, text }) => {
            ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "private, max-age=3600")], text)
                .into_response()
        }
        Ok(SignedObject::Stored { key, length, content_type, etag, modified }) => {
            let object = Object { key, length, content_type, etag, modified: http_date(modified) };
            object.answer(&state, &method, &headers).await
        }
        Err(error) => plain(error),
    }
}

struct Object {
    key: String,
    length: u64,
    content_type: String,
    etag: String,
    modified: String,
}

/// `Tue, 24 Nov 2026 01:54:09 GMT` (RFC 9110 §5.6.7).
fn http_date(moment: Moment) -> String {
    domain::moment::http_date(moment)
}

/// What a `Range` header asks of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Parts(Vec<RangeInclusive<u64>>),
    Nothing,
}

/// RFC 9110 §14.1.2: malformed or too many ranges are ignored, unsatisfiable ones dropped; with none left it is 416.
pub(super) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    let Some(list) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let mut parts = Vec::new();
    let mut total: u64 = 0;
    for spec in list.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        let Some((first, last)) = spec.split_once('-') else {
            return Wanted::Whole;
        };
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().unwrap_or(u64::MAX));
        let (first, last) = (first.trim(), last.trim());
        let range = match (first.is_empty(), last.is_empty()) {
            (true, true) => return Wanted::Whole,
            (true, false) => match number(last) {
                None => return Wanted::Whole,
                Some(0) => continue,
                Some(suffix) => length.saturating_sub(suffix)..=length.saturating_sub(1),
            },
            (false, _) => {
                let Some(first) = number(first) else {
                    return Wanted::Whole;
                };
                let last = if last.is_empty() { Some(u64::MAX) } else { number(last) };
                let Some(last) = last else { return Wanted::Whole };
                if last < first {
                    return Wanted::Whole;
                }
                first..=last.min(length.saturating_sub(1))
            }
        };
        if length == 0 || *range.start() >= length {
            continue;
        }
        total = total.saturating_add(range.end() - range.start() + 1);
        parts.push(range);
        if parts.len() > MAX_RANGES {
            return Wanted::Whole;
        }
    }
    // Overlapping ranges that add up to more than the whole are a way to make a server work (RFC 9110 §17.15).
    if parts.len() > 1 && total > length {
        return Wanted::Whole;
    }
    if parts.is_empty() { Wanted::Nothing } else { Wanted::Parts(parts) }
}

impl Object {
    fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
        headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn base(&self, status: StatusCode) -> http::response::Builder {
        Response::builder()
            .status(status)
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::ETAG, &self.etag)
            .header(header::LAST_MODIFIED, &self.modified)
            // Private: the address is a secret of one viewer. Six hours: as long as the address works at least.
            .header(header::CACHE_CONTROL, "private, max-age=21600")
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
    }

    async fn answer(&self, state: &AppState, method: &Method, headers: &HeaderMap) -> Response {
        let matches = |list: &str| {
            list.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.etag)
        };
        let fresh = match Self::text(headers, &header::IF_NONE_MATCH) {
            Some(list) => matches(list),
            None => Self::text(headers, &header::IF_MODIFIED_SINCE) == Some(self.modified.as_str()),
        };
        if fresh {
            return finish(self.base(StatusCode::NOT_MODIFIED), Body::empty());
        }
        // A validator that does not match means: send the whole (RFC 9110 §13.1.5). Weak tags never match here.
        let unchanged = Self::text(headers, &header::IF_RANGE)
            .is_none_or(|validator| validator == self.etag || validator == self.modified);
        let range = Self::text(headers, &header::RANGE).filter(|_| unchanged && method == Method::GET);
        match wanted(range, self.length) {
            Wanted::Whole => {
                let builder = self
                    .base(StatusCode::OK)
                    .header(header::CONTENT_TYPE, &self.content_type)
                    .header(header::CONTENT_LENGTH, self.length);
                if method == Method::HEAD {
                    return finish(builder, Body::empty());
                }
                self.stream(state, builder, 0..self.length).await
            }
            Wanted::Nothing => {
                let builder = self
                    .base(StatusCode::RANGE_NOT_SATISFIABLE)
                    .header(header::CONTENT_RANGE, format!("bytes */{}", self.length));
                finish(builder, Body::empty())
            }
            Wanted::Parts(parts) => match parts.as_slice() {
                [one] => {
                    let (start, end) = (*one.start(), *one.end());
                    let builder = self
                        .base(StatusCode::PARTIAL_CONTENT)
                        .header(header::CONTENT_TYPE, &self.content_type)
                        .header(header::CONTENT_RANGE, format!("bytes {start}-{end}/{}", self.length))
                        .header(header::CONTENT_LENGTH, end - start + 1);
                    self.stream(state, builder, start..end + 1).await
                }
                several => self.multipart(state, several),
            },
        }
    }

    async fn stream(
        &self,
        state: &AppState,
        builder: http::response::Builder,
        range: std::ops::Range<u64>,
    ) -> Response {
        match state.backend.bucket().read(&self.key, range).await {
            Ok(bytes) => finish(builder, Body::from_stream(bytes)),
            Err(error) => plain(error.into()),
        }
    }

    fn multipart(&self, state: &AppState, parts: &[RangeInclusive<u64>]) -> Response {
        let boundary = hex::encode(backend::secrets::random::<10>());
        let heads: Vec<Bytes> = parts
            .iter()
            .map(|part| {
                let (start, end) = (part.start(), part.end());
                format!(
                    "\r\n--{boundary}\r\nContent-Type: {}\r\nContent-Range: bytes {start}-{end}/{}\r\n\r\n",
                    self.content_type, self.length
                )
                .into()
            })
            .collect();
        let tail = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let length = heads.iter().map(|head| head.len() as u64).sum::<u64>()
            + parts.iter().map(|part| part.end() - part.start() + 1).sum::<u64>()
            + tail.len() as u64;
        let bucket = state.backend.bucket().clone();
        let key = self.key.clone();
        let pieces = heads.into_iter().zip(parts.to_vec());
        let body = futures::stream::iter(pieces)
            .then(move |(head, part)| {
                let (bucket, key) = (bucket.clone(), key.clone());
                async move {
                    let bytes = bucket.read(&key, *part.start()..part.end() + 1).await?;
                    Ok::<_, storage::Error>(futures::stream::once(async move { Ok(head) }).chain(bytes))
                }
            })
            .try_flatten()
            .chain(futures::stream::once(async move { Ok(tail) }));
        let builder = self
            .base(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"))
            .header(header::CONTENT_LENGTH, length);
        finish(builder, Body::from_stream(body))
    }
}

fn finish(builder: http::response::Builder, body: Body) -> Response {
    builder.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "a media response could not be built");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            HeaderValue::from_static("text/plain").to_str().unwrap_or_default().to_owned(),
        )
            .into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_rfc() {
        let part = |a: u64, b: u64| Wanted::Parts(vec![a..=b]);
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), part(0, 0)),
            (Some("bytes=0-99"), part(0, 99)),
            (Some("bytes=50-"), part(50, 99)),
            (Some("bytes=-10"), part(90, 99)),
            (Some("bytes=-1000"), part(0, 99)),
            (Some("bytes=90-1000"), part(90, 99)),
            (Some("bytes=100-"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            (Some("bytes=5-4"), Wanted::Whole),
            (Some("bytes=a-b"), Wanted::Whole),
            (Some("items=0-5"), Wanted::Whole),
            (Some("bytes=-"), Wanted::Whole),
            (Some("bytes=0-1, 5-6"), Wanted::Parts(vec![0..=1, 5..=6])),
            (Some("bytes=0-1,200-"), part(0, 1)),
            (Some("bytes=0-99,0-99"), Wanted::Whole),
            (Some("bytes=99999999999999999999999-"), Wanted::Nothing),
        ] {
            assert_eq!(wanted(header, 100), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
    }
}
