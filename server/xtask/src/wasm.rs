//! One WebAssembly entry: cargo, wasm-bindgen (as the library of our own lock) and wasm-opt.

use std::path::PathBuf;

use wasm_bindgen_cli_support::Bindgen;

use crate::Outcome;
use crate::build::Mode;
use crate::places::{Places, run};
use crate::site::{self, Assets};

/// What wasm-bindgen's output uses; without these wasm-opt refuses it.
const WASM_OPT_FLAGS: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds the package `entry` for the browser and publishes its glue and its module.
///
/// Each entry gets its own cargo call: in one call their features would unify, and the viewer's bundle would carry
/// the coach's router.
pub fn build(places: &Places, entry: &str, mode: Mode) -> Outcome<Assets> {
    let profile = if mode == Mode::Dev { "dev" } else { "wasm-release" };
    run(places.cargo().args([
        "build",
        "--quiet",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        profile,
        "-p",
        entry,
    ]))?;
    let folder = if mode == Mode::Dev { "debug" } else { "wasm-release" };
    let compiled = places.target.join("wasm32-unknown-unknown").join(folder).join(format!("{entry}.wasm"));

    let out = work_folder(places, entry)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&compiled)
        .out_name(entry)
        .web(true)
        .map_err(|error| error.to_string())?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(mode != Mode::Dev)
        .remove_producers_section(true)
        .generate(&out)
        .map_err(|error| format!("wasm-bindgen: {error:#}"))?;

    let bound = out.join(format!("{entry}_bg.wasm"));
    let module = match (mode, places.wasm_opt()) {
        (Mode::Dev, _) => std::fs::read(&bound)?,
        (_, Some(wasm_opt)) => {
            let small = out.join("small.wasm");
            run(std::process::Command::new(wasm_opt).args(WASM_OPT_FLAGS).arg(&bound).arg("-o").arg(&small))?;
            std::fs::read(&small)?
        }
        (Mode::Release, None) => return Err("wasm-opt is missing: run `npm ci` in end2end".into()),
        (Mode::Shipped, None) => {
            eprintln!(
                "xtask: wasm-opt is missing (`npm ci` in end2end brings it): {entry} works, but is larger than it should be"
            );
            std::fs::read(&bound)?
        }
    };

    let module_name = site::publish(places, &format!("{entry}_bg"), "wasm", &module, mode)?;
    // The page passes the module's address to `init()`; the glue's own guess is kept right as well.
    let glue =
        std::fs::read_to_string(out.join(format!("{entry}.js")))?.replace(&format!("{entry}_bg.wasm"), &module_name);
    let glue_name = site::publish(places, entry, "js", glue.as_bytes(), mode)?;

    let snippets = out.join("snippets");
    for file in crate::fingerprint::files_below(&snippets)? {
        let target = places.pkg().join("snippets").join(file.strip_prefix(&snippets)?);
        site::write_with_twins(&target, &std::fs::read(&file)?, mode)?;
    }
    Ok(Assets::from([
        (format!("{entry}.js"), format!("/pkg/{glue_name}")),
        (format!("{entry}_bg.wasm"), format!("/pkg/{module_name}")),
    ]))
}

fn work_folder(places: &Places, entry: &str) -> Outcome<PathBuf> {
    let out = places.target.join("bindgen").join(entry);
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    Ok(out)
}
