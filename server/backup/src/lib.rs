//! Backups: made, listed, checked, restored and removed in time, sealed before they leave this machine (promises P24
//! and P46, privacy-design §2.2 and §2.8).
//!
//! Two streams that never lie in one another. `data/` holds copies of the business database with a list of the recordings
//! they go with, for 90 days. `keys/` holds copies of the keyring, for seven: with the last copy that knew a person's key
//! goes the last chance to read what `data/` still holds under it. Recordings lie in `media/` once, whatever number of
//! backups name them, and go with the last of these. `tombstones/` remembers who was erased, so that no restore brings
//! anybody back.
//!
//! ```text
//! data/{unix seconds}-{id}/database   the copy, sealed
//! data/{unix seconds}-{id}/media      which objects of media/ it needs
//! data/{unix seconds}-{id}/manifest   what it is and holds; written last: without it there is no backup
//! keys/{unix seconds}-{id}/…          the same
//! media/{name}                        a recording, sealed; the name is a keyed hash of its content
//! tombstones/{unix seconds}-{id}      an erasure, sealed; the seconds are its last
//! ```

mod create;
mod error;
mod manifest;
mod media;
mod place;
mod prune;
mod restore;
mod seal;
mod tombstones;
mod verify;

pub use create::Made;
pub use error::Error;
pub use manifest::{Manifest, MediaEntry};
pub use place::{Found, Place, Store};
pub use prune::PRUNE_AHEAD_SECONDS;
pub use restore::MediaRestored;
pub use seal::{Header, Key};
pub use verify::Verified;
