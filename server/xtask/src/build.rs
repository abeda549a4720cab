//! The whole site, skipping every part whose inputs are as they were.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::places::Places;
use crate::site::{self, Assets};
use crate::wasm::Entry;
use crate::{Outcome, fingerprint, styles, wasm};

/// How much care the build takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dev profile, no wasm-opt, light compression.
    Dev,
    /// What ships; wasm-opt when it is installed.
    Shipped,
    /// What ships; wasm-opt must be installed.
    Release,
}

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Shipped | Self::Release => "shipped",
        }
    }
}

/// The WebAssembly entries, and the folder each one's own code is in. The viewer's is one page and stays whole.
const ENTRIES: [(Entry, &str); 2] = [
    (Entry { package: "frontend", in_pieces: true }, "frontend/src"),
    (Entry { package: "viewer", in_pieces: false }, "frontend/viewer"),
];
/// The entry sheets in `style/`.
const SHEETS: [&str; 3] = ["studio", "viewer", "document"];
/// What both entries are made of.
const SHARED: [&str; 6] =
    ["Cargo.lock", "Cargo.toml", ".cargo/config.toml", "app", "server/xtask/src", "frontend/Cargo.toml"];

/// Builds what changed and returns the map of names.
pub fn build(places: &Places, mode: Mode) -> Outcome<Assets> {
    let started = Instant::now();
    std::fs::create_dir_all(places.pkg())?;
    let stamp_file = places.site.join("fingerprints.json");
    let mut stamps: BTreeMap<String, String> =
        std::fs::read(&stamp_file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let mut assets = site::read_assets(places);
    let mut built = Vec::new();

    let optimiser = if places.wasm_opt().is_some() { "wasm-opt" } else { "no wasm-opt" };
    for (entry, own) in ENTRIES {
        let mut inputs = SHARED.to_vec();
        inputs.push(own);
        let print = fingerprint::of_inputs(&places.root, &inputs, &[mode.word(), optimiser])?;
        let package = entry.package;
        let mut names = vec![format!("{package}.js"), format!("{package}_bg.wasm")];
        names.extend(assets.keys().filter(|name| wasm::is_piece(package, name)).cloned());
        if stamps.get(package) == Some(&print) && all_there(places, &assets, &names) {
            if mode == Mode::Release && places.wasm_opt().is_none() {
                return Err("wasm-opt is missing: run `npm ci` in end2end".into());
            }
            continue;
        }
        assets.retain(|name, _| !wasm::is_piece(package, name));
        assets.extend(wasm::build(places, entry, mode)?);
        stamps.insert(package.to_owned(), print);
        built.push(package.to_owned());
    }

    let style_print = fingerprint::of_inputs(&places.root, &["style", "server/xtask/src"], &[mode.word()])?;
    let sheet_names: Vec<String> = SHEETS.iter().map(|sheet| format!("{sheet}.css")).collect();
    if stamps.get("style") != Some(&style_print) || !all_there(places, &assets, &sheet_names) {
        for (sheet, name) in SHEETS.iter().zip(sheet_names) {
            let css = styles::bundle(&places.root.join("style").join(&name))?;
            let hashed = site::publish(places, sheet, "css", css.as_bytes(), mode)?;
            assets.insert(name, format!("/pkg/{hashed}"));
        }
        stamps.insert("style".to_owned(), style_print);
        built.push("style".to_owned());
    }

    let public_print = fingerprint::of_inputs(&places.root, &["public", "server/xtask/src"], &[mode.word()])?;
    if stamps.get("public") != Some(&public_print) {
        site::copy_public(places, mode)?;
        stamps.insert("public".to_owned(), public_print);
        built.push("public".to_owned());
    }

    site::write_assets(places, &assets)?;
    site::prune(places, &assets)?;
    site::write_index(places)?;
    std::fs::write(&stamp_file, serde_json::to_vec_pretty(&stamps)?)?;
    if built.is_empty() {
        println!("site: nothing changed");
    } else {
        println!("site: built {} in {:.1} s", built.join(", "), started.elapsed().as_secs_f64());
    }
    Ok(assets)
}

fn all_there(places: &Places, assets: &Assets, names: &[String]) -> bool {
    names
        .iter()
        .all(|name| assets.get(name).is_some_and(|path| places.site.join(path.trim_start_matches('/')).is_file()))
}
