//! Privacy: the data map, which says of every place data can sit what it is, whose, what for and until when.
//!
//! `datamap.toml` is the one source. Tests compare it with the schema of both databases in both directions, so a new
//! column without an entry cannot be merged, and neither can an entry whose column is gone.
//!
//! From it alone come what is in an archive ([`portability`]), the plan of an erasure ([`plan`]) and the engine that carries it out ([`erasure`]); what a
//! deletion leaves in pages and logs is scrubbed ([`scrub`]), looked for byte by byte ([`scan`]), and the person gets a
//! signed receipt ([`receipt`]).

pub mod audit;
pub mod canonical;
pub mod consent;
pub mod erasure;
pub mod held;
pub mod holding;
pub mod map;
pub mod plan;
pub mod policy;
pub mod portability;
#[cfg(test)]
mod promise;
pub mod promises;
pub mod published;
pub mod reach;
pub mod receipt;
pub mod recipients;
pub mod restriction;
pub mod retention;
pub mod scan;
pub mod schema;
pub mod scrub;

pub use erasure::{Erasure, Outcome, Person, Stores, Target};
pub use map::{DataMap, Place};
pub use plan::{Plan, Root};
