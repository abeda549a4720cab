//! The build of record and the checks of the crate graph: `cargo xtask <command>`.
//!
//! It exists because the wasm-bindgen step must always be the version in our own lock: as a library it can never
//! differ from the crate. Reads no network; Node is needed only for wasm-opt.

mod build;
mod fingerprint;
mod places;
mod promises;
mod purity;
mod site;
mod size;
mod source_rules;
mod styles;
mod wasm;

use std::process::ExitCode;

use places::Places;

/// Whatever goes wrong here ends the command with one line.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask <command>

  build [--dev|--release]  both WebAssembly entries, the styles and public/ into <target>/site
                           --dev      quick: dev profile, no wasm-opt, light compression
                           --release  as without a flag, but a missing wasm-opt is an error
  size                     what a browser downloads, against its budget (builds first)
  purity                   which crates may not be reached from where
  cfg-count                `ssr` cfgs outside app/src/context.rs
  promises <results>…      what a run of the tests found of each promise, for the site: JUnit XML, or the text of cargo test
  site                     prints the folder the server serves";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome<()> {
    let places = Places::find()?;
    match words {
        ["build"] => build::build(&places, build::Mode::Shipped).map(drop),
        ["build", "--release"] => build::build(&places, build::Mode::Release).map(drop),
        ["build", "--dev"] => build::build(&places, build::Mode::Dev).map(drop),
        ["size"] => size::check(&places),
        ["purity"] => purity::check(&places),
        ["cfg-count"] => source_rules::check(&places),
        ["promises", results @ ..] if !results.is_empty() => promises::write(&places, results),
        ["site"] => {
            println!("{}", places.site.display());
            Ok(())
        }
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}
