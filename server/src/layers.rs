//! Layers around every route, outermost first: request id, trace, panic guard, headers, CSRF, limits, session.

pub mod client;
pub mod csrf;
pub mod headers;
pub mod https;
pub mod trace;
