//! Cross-site request forgery: `Sec-Fetch-Site` first, then `Origin` (quality.md §2.5), over everything that changes
//! state. Clients that send neither, such as tus libraries and curl, are no browsers that could be tricked.

use tower_http::csrf::CsrfLayer;

/// The layer. Beats and forms of embedded pages come from our own frame, so they are same-origin and need no
/// exemption.
pub fn layer() -> CsrfLayer {
    CsrfLayer::new()
}
