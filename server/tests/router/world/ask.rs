//! One request and its whole answer.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{Coach, FROM};

/// Boundary of multipart forms.
const BOUNDARY: &str = "a-boundary-no-file-of-these-tests-holds";

/// A request being put together.
#[must_use]
pub struct Ask {
    router: Router,
    request: Request<Body>,
}

impl Ask {
    pub(super) fn new(router: Router, method: Method, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("127.0.0.1:3000"));
        request.extensions_mut().insert(ConnectInfo(FROM));
        Self { router, request }
    }

    /// From another address.
    pub fn from(mut self, address: SocketAddr) -> Self {
        self.request.extensions_mut().insert(ConnectInfo(address));
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        self.request.headers_mut().insert(name, value.parse().expect("a header value"));
        self
    }

    /// In a coach's browser.
    pub fn by(self, coach: &Coach) -> Self {
        self.header("cookie", &format!("mw_session={}", coach.session))
    }

    /// In the browser of somebody who proved an address at the portal.
    pub fn by_person(self, portal: &str) -> Self {
        self.header("cookie", &format!("mw_portal={portal}"))
    }

    /// In a browser, which wants pages.
    pub fn in_browser(self) -> Self {
        self.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    /// As a tus client.
    pub fn tus(self) -> Self {
        self.header("tus-resumable", "1.0.0")
    }

    /// With a body of any kind, whose length nobody announces.
    pub fn body(mut self, body: Body) -> Self {
        self.request.headers_mut().remove(header::CONTENT_LENGTH);
        *self.request.body_mut() = body;
        self
    }

    /// With these bytes.
    pub fn bytes(self, bytes: Bytes) -> Self {
        let length = bytes.len().to_string();
        self.body(Body::from(bytes)).header("content-length", &length)
    }

    /// With a form's fields.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, fields: &[(K, V)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").bytes(text.into())
    }

    /// With JSON.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("content-type", "application/json").bytes(value.to_string().into())
    }

    /// With a form that carries files: name, file name, content.
    pub fn multipart(self, parts: &[(&str, Option<&str>, &[u8])]) -> Self {
        let mut bytes = Vec::new();
        for (name, file_name, content) in parts {
            let file_name = file_name.map(|file_name| format!("; filename=\"{file_name}\"")).unwrap_or_default();
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}")).bytes(bytes.into())
    }

    /// Sends it and waits for all of the answer.
    pub async fn send(self) -> Answer {
        let response = self.router.oneshot(self.request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body arrives whole").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).map(|value| value.to_str().expect("plain text"));
        value.unwrap_or_default().to_owned()
    }

    /// Everything an asker could compare: status, headers and body. The nonce is taken out, because it is new in every
    /// answer.
    pub fn whole(&self) -> String {
        let mut lines: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        lines.sort();
        let text = format!("{}\n{}\n\n{}", self.status, lines.join("\n"), self.text());
        let policy = self.header(header::CONTENT_SECURITY_POLICY.as_str());
        match super::between(&policy, "'nonce-", "'") {
            Some(nonce) => text.replace(nonce, "NONCE"),
            None => text,
        }
    }
}
