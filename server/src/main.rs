//! `mini-webinar`: one binary; `serve` is what it does when told nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything can open a TLS connection: one provider for the whole graph (quality.md §2.8).
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("mini-webinar: a TLS provider was already installed");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mini-webinar: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(server::cli::run())
}
