//! The room: what a registrant's own link shows.
//!
//! How the data travels: `GET /r/{token}` → `room_page` renders everything, the player included, and puts the
//! player's data into `#player-props` → the video plays with the browser's own controls → the viewer's WebAssembly
//! reads the same data, takes over the same markup and begins to measure.
//!
//! The script is loaded by people on phones while a video loads too, so weight decides its shape: one signal, no JSON
//! parser of its own, and no transcript among the hydrated views. See `cargo xtask size`.

mod measuring;
mod moments;
mod page;
mod player;
mod props;
mod transcript;
mod waiting;

pub use moments::{localise_moments, moment_form};
pub use page::room_page;
pub use player::player;
pub use props::read_props;

#[cfg(test)]
mod tests;
