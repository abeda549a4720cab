//! The right to look at data whose person asked for restriction (Art. 18 GDPR).
//!
//! A crate of its own, because Rust has no friends: `persistence` names the type in the signature that opens a
//! restricted row, `privacy` alone issues it, and whoever depends on neither but this crate's absence cannot make one.
//! `cargo xtask purity` keeps this crate out of every other manifest.

/// Proof that the privacy module looked at the reason.
#[derive(Debug)]
pub struct Warrant(());

/// Issues one. A function and no constructor, so that the type can be passed on without it.
#[must_use]
pub const fn issue() -> Warrant {
    Warrant(())
}
