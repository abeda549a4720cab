//! The server's side of a call: the engine, who asks, and what the answer may set.

use backend::{Backend, Client, Coach};
use domain::Refusal;
use leptos::prelude::use_context;

use super::SessionToken;
use crate::error::AppError;

/// Everything a verb is called with.
#[derive(Clone)]
pub struct Door {
    /// The engine.
    pub backend: Backend,
    /// The browser, coarsely.
    pub client: Client,
    /// Its session token.
    pub token: Option<String>,
}

impl Door {
    /// The signed-in coach.
    ///
    /// # Errors
    /// Refuses when nobody is signed in.
    pub async fn coach(&self) -> Result<Coach, backend::Error> {
        let token = self.token.as_deref().ok_or_else(Refusal::sign_in)?;
        self.backend.coach_by_token(token).await?.ok_or_else(|| Refusal::sign_in().into())
    }
}

/// The door of the request being answered.
///
/// # Errors
/// When called outside a request.
pub fn door() -> Result<Door, AppError> {
    let outside = || AppError(Refusal::new(domain::RefusalKind::Conflict, "This can only be asked from a page."));
    Ok(Door {
        backend: use_context::<Backend>().ok_or_else(outside)?,
        client: use_context::<Client>().ok_or_else(outside)?,
        token: use_context::<SessionToken>().ok_or_else(outside)?.0,
    })
}

impl From<backend::Error> for AppError {
    fn from(error: backend::Error) -> Self {
        let refusal = error.into_refusal();
        answer_call(&refusal);
        Self(refusal)
    }
}

/// Gives a refused server function the status of its refusal; leptos answers 500 to whatever went wrong. A page that is
/// being rendered decides for itself.
fn answer_call(refusal: &Refusal) {
    let is_call = use_context::<http::request::Parts>().is_some_and(|parts| parts.uri.path().starts_with("/api/fn/"));
    if !is_call {
        return;
    }
    set_status(refusal.status());
    if let (Some(response), Some(seconds)) =
        (use_context::<leptos_axum::ResponseOptions>(), refusal.retry_after_seconds)
    {
        response.insert_header(http::header::RETRY_AFTER, seconds.into());
    }
}

/// Sets the status of the page being rendered.
pub(super) fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}
