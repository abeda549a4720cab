//! The one error that crosses from server functions to the browser: a refusal in words, a fault as its reference.

use domain::{Refusal, RefusalKind};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why a server function gave no result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppError(pub Refusal);

impl std::fmt::Display for AppError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for AppError {}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

const NOT_UNDERSTOOD: &str = "The answer of the server could not be understood. Please load the page again.";

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let message = match error {
            ServerFnErrorErr::Request(_) => {
                "The server cannot be reached at the moment. What you typed is still here; please try again."
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                // On the server these say what was wrong with the call, in the browser with the answer.
                crate::context::set_status(400);
                NOT_UNDERSTOOD
            }
            _ => NOT_UNDERSTOOD,
        };
        Self(Refusal::new(RefusalKind::Conflict, message))
    }
}
