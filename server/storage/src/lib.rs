//! Recordings, pictures and logos, in a local folder or in S3. Everything streams; nothing is held whole in memory
//! except what its caller made small.

mod bucket;
mod erase;
mod error;
mod location;
mod staged;

pub use bucket::{Bucket, Listed, S3Credentials};
pub use error::Error;
pub use location::Location;
pub use staged::{StagedUpload, StagedWriter};
