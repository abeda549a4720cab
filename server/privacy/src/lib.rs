//! Privacy: the data map, which says of every place data can sit what it is, whose, what for and until when.
//!
//! `datamap.toml` is the one source. Tests compare it with the schema of both databases in both directions, so a new
//! column without an entry cannot be merged, and neither can an entry whose column is gone.

pub mod audit;
pub mod map;
pub mod restriction;
pub mod retention;
pub mod schema;

pub use map::{DataMap, Place};
