//! What a person types to prove themselves: it can be checked and hashed, and nothing else.

use serde::Deserialize;
use zeroize::Zeroizing;

/// A password on its way from a form to its hash (promise P04).
///
/// It cannot be printed, serialised, compared or copied, so it cannot get into a log line, a trace, a queue or an answer
/// without the word [`expose`](Self::expose) standing there. Its memory is overwritten when it is dropped.
///
/// ```compile_fail
/// let password = domain::secret::Secret::from("quiet harbour lantern");
/// println!("{password:?}");
/// ```
/// ```compile_fail
/// let password = domain::secret::Secret::from("quiet harbour lantern");
/// println!("{password}");
/// ```
/// ```compile_fail
/// fn queued(payload: &impl serde::Serialize) {}
/// queued(&domain::secret::Secret::from("quiet harbour lantern"));
/// ```
#[derive(Default, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text, for whoever hashes, checks or measures it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}
