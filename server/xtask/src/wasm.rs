//! One WebAssembly entry: cargo, where asked the cut into pieces, wasm-bindgen (as the library of our own lock) and
//! wasm-opt.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use crate::Outcome;
use crate::build::Mode;
use crate::fingerprint;
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

/// A package that becomes one module in the browser, or a first one and pieces that come when they are needed.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub package: &'static str,
    /// Cut at the functions the code names (`app/src/pieces.rs`).
    pub in_pieces: bool,
}

/// How the script looks for what it fetches; what it shares with the first module stands before it.
const FETCHING: &str = include_str!("pieces.js");
/// Where the tool's own script begins to fetch: module by module, which is many requests and packs badly.
const FETCHING_BEGINS: &str = "function wrapAsyncCb(";

/// Whether an asset is a piece: those are called `package/piece`.
pub fn is_piece(package: &str, asset: &str) -> bool {
    asset.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'))
}

/// What the cut leaves beside the first module.
struct Pieces {
    /// File stems, by piece; one file may belong to several.
    files: BTreeMap<String, Vec<String>>,
    /// Name of the script that fetches them.
    loader: String,
}

/// Builds the package of `entry` for the browser and publishes its glue and its modules.
///
/// Each entry gets its own cargo call: in one call their features would unify, and the viewer's bundle would carry
/// the coach's router.
pub fn build(places: &Places, entry: Entry, mode: Mode) -> Outcome<Assets> {
    let Entry { package, in_pieces } = entry;
    let compiled = compile(places, entry, mode)?;
    let out = work_folder(places, package)?;
    let (first, pieces) = if in_pieces { cut(&compiled, package, &out)? } else { (compiled, None) };

    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&first)
        .out_name(package)
        .web(true)
        .map_err(|error| error.to_string())?
        .typescript(false)
        .omit_default_module_path(false)
        // Pieces find what they share with the first module by its linker names.
        .keep_lld_exports(in_pieces)
        .demangle(!in_pieces)
        .remove_name_section(mode != Mode::Dev)
        .remove_producers_section(true)
        .generate(&out)
        .map_err(|error| format!("wasm-bindgen: {error:#}"))?;

    let bound = format!("{package}_bg");
    let module_name = site::publish(places, &bound, "wasm", &small_module(places, &out, &bound, mode)?, mode)?;
    let mut assets = Assets::from([(format!("{bound}.wasm"), format!("/pkg/{module_name}"))]);
    // The page passes the module's address to `init()`; the glue's own guess is kept right as well.
    let glue = read(&out.join(format!("{package}.js")))?.replace(&format!("{bound}.wasm"), &module_name);
    let glue_name = match pieces {
        None => site::publish(places, package, "js", glue.as_bytes(), mode)?,
        Some(pieces) => publish_pieces(places, package, &out, &glue, &pieces, mode, &mut assets)?,
    };
    assets.insert(format!("{package}.js"), format!("/pkg/{glue_name}"));

    let snippets = out.join("snippets");
    for file in fingerprint::files_below(&snippets)? {
        let target = places.pkg().join("snippets").join(file.strip_prefix(&snippets)?);
        site::write_with_twins(&target, &std::fs::read(&file)?, mode)?;
    }
    Ok(assets)
}

fn compile(places: &Places, entry: Entry, mode: Mode) -> Outcome<PathBuf> {
    let (profile, folder) = if mode == Mode::Dev { ("dev", "debug") } else { ("wasm-release", "wasm-release") };
    let mut cargo = places.cargo();
    cargo.args(["rustc", "--quiet", "--target", "wasm32-unknown-unknown", "--profile", profile, "-p", entry.package]);
    if entry.in_pieces {
        // The cut follows who calls whom, which only the linker's relocations tell.
        cargo.args(["--", "-Clink-args=--emit-relocs"]);
    }
    run(&mut cargo)?;
    Ok(places.target.join("wasm32-unknown-unknown").join(folder).join(format!("{}.wasm", entry.package)))
}

fn cut(compiled: &Path, package: &str, out: &Path) -> Outcome<(PathBuf, Option<Pieces>)> {
    let input = std::fs::read(compiled)?;
    let first = out.join("first.wasm");
    let loader = format!("{package}_pieces.js");
    let (link_name, main_module) = (format!("./{loader}"), format!("./{package}.js"));
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = out;
    options.main_out_path = &first;
    options.link_name = &link_name;
    options.main_module = &main_module;
    let split = wasm_split_cli_support::transform(options).map_err(|error| format!("cutting {package}: {error:#}"))?;
    let files = split.prefetch_map.into_iter().collect();
    Ok((first, Some(Pieces { files, loader })))
}

/// Publishes the pieces, the script that fetches them and the glue. Those two name each other, so that one hash, made
/// from both, stands in both names.
fn publish_pieces(
    places: &Places,
    package: &str,
    out: &Path,
    glue: &str,
    pieces: &Pieces,
    mode: Mode,
    assets: &mut Assets,
) -> Outcome<String> {
    let made = read(&out.join(&pieces.loader))?;
    let (shared, _) = made.split_once(FETCHING_BEGINS).ok_or("the cut's script is not as it was")?;
    let mut loader = format!("{shared}{FETCHING}");
    let stems: BTreeSet<&String> = pieces.files.values().flatten().collect();
    let mut modules = BTreeMap::new();
    for (number, stem) in stems.into_iter().enumerate() {
        modules.insert(stem, (u32::try_from(number)?, small_module(places, out, stem, mode)?));
    }
    for (piece, stems) in &pieces.files {
        let (mut head, mut body) = (u32::try_from(stems.len())?.to_le_bytes().to_vec(), Vec::new());
        for (number, module) in stems.iter().map(|stem| &modules[stem]) {
            head.extend(number.to_le_bytes());
            head.extend(u32::try_from(module.len())?.to_le_bytes());
            body.extend(module);
        }
        head.append(&mut body);
        let name = site::publish(places, &format!("{package}_{piece}"), "bin", &head, mode)?;
        writeln!(loader, "export const __wasm_split_load_{piece} = piece(\"./{name}\");")?;
        assets.insert(format!("{package}/{piece}"), format!("/pkg/{name}"));
    }
    let print = fingerprint::of_content(format!("{glue}{loader}").as_bytes());
    let (glue_name, loader_name) = (format!("{package}.{print}.js"), format!("{package}_pieces.{print}.js"));
    let glue = renamed(glue, &pieces.loader, &loader_name)?;
    let loader = renamed(&loader, &format!("{package}.js"), &glue_name)?;
    site::write_with_twins(&places.pkg().join(&glue_name), glue.as_bytes(), mode)?;
    site::write_with_twins(&places.pkg().join(&loader_name), loader.as_bytes(), mode)?;
    assets.insert(pieces.loader.clone(), format!("/pkg/{loader_name}"));
    Ok(glue_name)
}

/// A script that imports from `./from`, importing from `./to` instead.
fn renamed(script: &str, from: &str, to: &str) -> Outcome<String> {
    let mut renamed = script.to_owned();
    for quote in ['"', '\''] {
        renamed = renamed.replace(&format!("from {quote}./{from}{quote}"), &format!("from {quote}./{to}{quote}"));
    }
    if renamed == script { Err(format!("nothing is imported from {from}").into()) } else { Ok(renamed) }
}

/// One module, as small as this mode wants it.
fn small_module(places: &Places, out: &Path, stem: &str, mode: Mode) -> Outcome<Vec<u8>> {
    let made = out.join(format!("{stem}.wasm"));
    Ok(match (mode, places.wasm_opt()) {
        (Mode::Dev, _) => std::fs::read(&made)?,
        (_, Some(wasm_opt)) => {
            let small = out.join("small.wasm");
            run(std::process::Command::new(wasm_opt).args(WASM_OPT_FLAGS).arg(&made).arg("-o").arg(&small))?;
            std::fs::read(&small)?
        }
        (Mode::Release, None) => return Err("wasm-opt is missing: run `npm ci` in end2end".into()),
        (Mode::Shipped, None) => {
            eprintln!(
                "xtask: wasm-opt is missing (`npm ci` in end2end brings it): {stem} works, but is larger than it should be"
            );
            std::fs::read(&made)?
        }
    })
}

fn read(path: &Path) -> Outcome<String> {
    Ok(std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn work_folder(places: &Places, package: &str) -> Outcome<PathBuf> {
    let out = places.target.join("bindgen").join(package);
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    Ok(out)
}
