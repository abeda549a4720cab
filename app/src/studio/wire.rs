//! What a transfer needs of the browser: requests, their answers, and a place to keep both.

use domain::uploading::checksum_header;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, XmlHttpRequest};

use crate::context::ON_SERVER;

/// What the server answered.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Bytes the server holds.
    pub offset: Option<u64>,
    /// Where a new upload lies.
    pub location: Option<String>,
    /// How long the server asks to wait.
    pub retry_after_seconds: Option<f64>,
    /// In words.
    pub text: String,
}

/// Something of the browser's own. The server holds none: it must not be dropped on another thread than its own.
pub struct Held<T: 'static>(Option<StoredValue<Option<T>, LocalStorage>>);

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Held<T> {}

impl<T: Clone> Held<T> {
    /// Empty.
    pub fn nothing() -> Self {
        Self((!ON_SERVER).then(|| StoredValue::new_local(None)))
    }

    /// Keeps it.
    pub fn put(self, value: Option<T>) {
        if let Some(place) = self.0 {
            place.set_value(value);
        }
    }

    /// What is kept.
    pub fn get(self) -> Option<T> {
        self.0.and_then(|place| place.get_value())
    }
}

/// Sends one request; nothing when no answer came.
pub async fn ask(request: &XmlHttpRequest, body: Option<&Blob>) -> Option<Reply> {
    let ended = js_sys::Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    match body {
        Some(body) => request.send_with_opt_blob(Some(body)).ok()?,
        None => request.send().ok()?,
    }
    JsFuture::from(ended).await.ok()?;
    let status = request.status().ok().filter(|status| *status > 0)?;
    let header = |name: &str| request.get_response_header(name).ok().flatten();
    Some(Reply {
        status,
        offset: header("Upload-Offset").and_then(|offset| offset.parse().ok()),
        location: header("Location"),
        retry_after_seconds: header("Retry-After").and_then(|seconds| seconds.parse::<u32>().ok()).map(f64::from),
        text: request.response_text().ok().flatten().unwrap_or_default(),
    })
}

/// A tus request that is ready to be sent.
pub fn request(method: &str, address: &str, headers: &[(&str, &str)]) -> Option<XmlHttpRequest> {
    let request = XmlHttpRequest::new().ok()?;
    request.open(method, address).ok()?;
    for (name, value) in [("Tus-Resumable", "1.0.0")].iter().chain(headers) {
        request.set_request_header(name, value).ok()?;
    }
    Some(request)
}

/// The checksum of a piece, where the browser can make one: only on pages from https or this very machine.
pub async fn checksum(piece: &Blob) -> Option<String> {
    if !window().is_secure_context() {
        return None;
    }
    let bytes = JsFuture::from(piece.array_buffer()).await.ok()?;
    let digest = window().crypto().ok()?.subtle().digest_with_str_and_buffer_source("SHA-256", bytes.unchecked_ref());
    let digest = JsFuture::from(digest.ok()?).await.ok()?;
    Some(checksum_header(&js_sys::Uint8Array::new(&digest).to_vec()))
}

/// Ends a request without an answer.
pub fn abort(request: &XmlHttpRequest) {
    if let Err(error) = request.abort() {
        leptos::logging::warn!("the request goes on: {error:?}");
    }
}
