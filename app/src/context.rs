//! What a page knows besides its address.

use leptos::prelude::*;

/// The session token the browser sent, if any.
#[derive(Clone, Debug, Default)]
pub struct SessionToken(pub Option<String>);

/// Whether the routes under `/dev` exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct IsDev(pub bool);

/// Name of the session cookie. Over https the prefix makes browsers refuse one set by a neighbouring host.
#[must_use]
pub const fn session_cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-mw_session" } else { "mw_session" }
}

/// Name of the cookie of somebody who looks at what is held about them.
#[must_use]
pub const fn portal_cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-mw_portal" } else { "mw_portal" }
}

/// Raised whenever something was changed, so that what is shown is read again.
#[derive(Clone, Copy, Debug)]
pub struct Refresh(RwSignal<u32>);

impl Refresh {
    /// For the whole application.
    #[must_use]
    pub fn new() -> Self {
        Self(RwSignal::new(0))
    }

    /// Something was changed.
    pub fn raise(self) {
        self.0.update(|count| *count += 1);
    }

    /// Subscribes the caller to changes.
    #[must_use]
    pub fn watch(self) -> u32 {
        self.0.get()
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Self::new()
    }
}

/// The server's side of a call: the engine, who asks, and what the answer may set.
#[cfg(feature = "ssr")]
pub mod server {
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
}
