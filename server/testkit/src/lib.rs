//! What tests of several crates share. Nothing here is part of the server: only dev-dependencies may name it, and
//! everything panics instead of returning errors.

mod crowd;
mod databases;
mod mail_sink;
mod snapshot;

pub use crowd::{crowd, in_the_crowd};
pub use databases::{Kind, TestDatabase, each_database, each_empty_database};
pub use mail_sink::MailSink;
pub use snapshot::Snapshot;

/// Folder of the package whose test runs. Asked at run time: clones share a target folder, so that what the compiler
/// wrote down may be the place of another clone.
///
/// # Panics
/// When the test was not started by cargo.
#[must_use]
pub fn package_folder() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder").into()
}
