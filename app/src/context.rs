//! What a page knows besides its address, and everything that differs between the server and the browser: the feature
//! `ssr` is switched on here and nowhere else (`cargo xtask cfg-count`).

#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod perform;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod shell;

use leptos::prelude::*;

/// Whether this is the server's build.
pub const ON_SERVER: bool = cfg!(feature = "ssr");

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

/// Name of the cookie of the viewers' portal, by the same rule.
#[must_use]
pub const fn portal_cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-mw_portal" } else { "mw_portal" }
}

/// Whether the browser sends the Global Privacy Control signal.
#[derive(Clone, Copy, Debug, Default)]
pub struct HasSignal(pub bool);

/// The line that says that the signal is honoured, as HTML: there on the server for a browser that sends it.
#[must_use]
pub fn signal_line() -> String {
    #[cfg(feature = "ssr")]
    if use_context::<HasSignal>().is_some_and(|signal| signal.0) {
        return format!("<p id=\"gpc-honoured\">{}</p>", crate::registration::SIGNAL_HONOURED);
    }
    String::new()
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

/// Sets the status of the page being rendered; a browser, which has none, leaves it alone.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    server::set_status(status);
    #[cfg(not(feature = "ssr"))]
    let _browser_has_no_status = status;
}

/// Tells the browser to fetch a piece of code while the page is still on its way.
#[cfg(feature = "studio")]
pub fn announce_piece(piece: &'static str) {
    #[cfg(feature = "ssr")]
    shell::announce_piece(piece);
    #[cfg(not(feature = "ssr"))]
    let _browser_fetches_it_itself = piece;
}
