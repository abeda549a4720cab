//! What a page reads from the server: once while it is rendered, again when something was changed.
//!
//! Answers of server functions and what a rendered page brings along are read from bytes by one and the same code.
//! Leptos' own codec reads the latter from text, which in WebAssembly is a second copy of every reader.

use codee::{Decoder, Encoder};
use leptos::prelude::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON, read from bytes.
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}

/// Reads by `fetch` for what `source` says, and again whenever that changes.
pub fn read<S, T, Fut>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> Fut + Send + Sync + 'static,
) -> Resource<T, Json>
where
    S: Send + Sync + Clone + PartialEq + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(source, fetch, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_brings_along_is_read_back() {
        let value = vec![("Zoë".to_owned(), Some(1.5)), (String::new(), None)];
        let text = <Json as Encoder<_>>::encode(&value).expect("is written");
        let back: Vec<(String, Option<f64>)> = Json::decode(&text).expect("is read");
        assert_eq!(back, value);
        assert!(<Json as Decoder<Vec<u8>>>::decode("{").is_err());
    }
}
