//! Who is asking. A handle is made in one place each, after its proof, and every verb hangs on a handle.

use domain::ids::{CoachId, LoginId};

use crate::Backend;

/// Anybody on the public pages.
#[derive(Clone)]
pub struct Visitor {
    pub(crate) backend: Backend,
}

/// A signed-in coach whose second factor, if she has one, was given. Made by `Backend::coach_by_token`.
#[derive(Clone)]
pub struct Coach {
    pub(crate) backend: Backend,
    pub(crate) id: CoachId,
    pub(crate) login: LoginId,
}

impl Coach {
    /// Whose data this handle reaches.
    #[must_use]
    pub const fn id(&self) -> CoachId {
        self.id
    }

    /// The signed-in browser that asks.
    #[must_use]
    pub const fn login(&self) -> LoginId {
        self.login
    }
}
