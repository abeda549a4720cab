//! What tests of several crates share. Nothing here is part of the server: only dev-dependencies may name it, and
//! everything panics instead of returning errors.

mod databases;
mod snapshot;

pub use databases::{Kind, TestDatabase, each_database, each_empty_database};
pub use snapshot::Snapshot;
