//! The site folder: content-hashed names, compressed twins beside each file, and `assets.json`, which maps logical
//! names to the hashed ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::build::Mode;
use crate::fingerprint;
use crate::places::Places;

/// Logical name → path the browser asks for, such as `viewer.js` → `/pkg/viewer.0123456789abcdef.js`.
pub type Assets = BTreeMap<String, String>;

/// Files whose bytes shrink when compressed; images, fonts and video already are.
const COMPRESSIBLE: [&str; 10] = ["bin", "css", "html", "js", "json", "map", "svg", "txt", "wasm", "webmanifest"];
/// Smaller files fit into one packet either way.
const WORTH_COMPRESSING_BYTES: usize = 512;

/// Reads `assets.json`; empty when there is none yet.
pub fn read_assets(places: &Places) -> Assets {
    std::fs::read(places.pkg().join("assets.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Writes `assets.json` last and in one step, so that a server never reads names that are not there.
pub fn write_assets(places: &Places, assets: &Assets) -> Outcome<()> {
    write_whole(&places.pkg().join("assets.json"), &serde_json::to_vec_pretty(assets)?)
}

/// Puts a file into `pkg/` under a name made from its content, with its twins. Returns the bare file name.
pub fn publish(places: &Places, stem: &str, extension: &str, bytes: &[u8], mode: Mode) -> Outcome<String> {
    let name = format!("{stem}.{}.{extension}", fingerprint::of_content(bytes));
    write_with_twins(&places.pkg().join(&name), bytes, mode)?;
    Ok(name)
}

/// Writes a file with its `.br` and `.gz` twins where they pay.
pub fn write_with_twins(path: &Path, bytes: &[u8], mode: Mode) -> Outcome<()> {
    write_whole(path, bytes)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let pays = COMPRESSIBLE.contains(&extension) && bytes.len() >= WORTH_COMPRESSING_BYTES;
    for (suffix, packed) in
        [("br", pays.then(|| brotli(bytes, mode)).transpose()?), ("gz", pays.then(|| gzip(bytes, mode)).transpose()?)]
    {
        let twin = twin_path(path, suffix);
        match packed {
            Some(packed) => write_whole(&twin, &packed)?,
            None if twin.exists() => std::fs::remove_file(&twin)?,
            None => {}
        }
    }
    Ok(())
}

/// `style.css` → `style.css.br`
pub fn twin_path(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Copies `public/` beside `pkg/`, with twins, and removes what is no longer in it.
pub fn copy_public(places: &Places, mode: Mode) -> Outcome<()> {
    let public = places.root.join("public");
    let mut wanted = BTreeSet::new();
    for file in fingerprint::files_below(&public)? {
        let target = places.site.join(file.strip_prefix(&public)?);
        write_with_twins(&target, &std::fs::read(&file)?, mode)?;
        wanted.insert(target);
    }
    for file in fingerprint::files_below(&places.site)? {
        let original = file.with_extension("");
        let is_twin =
            matches!(file.extension().and_then(|e| e.to_str()), Some("br" | "gz")) && wanted.contains(&original);
        let is_ours = file.starts_with(places.pkg())
            || file.file_name().is_some_and(|name| name == "fingerprints.json" || name == crate::promises::LEDGER);
        if !(is_ours || is_twin || wanted.contains(&file)) {
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// Removes hashed files of earlier builds.
pub fn prune(places: &Places, assets: &Assets) -> Outcome<()> {
    let kept: BTreeSet<&str> = assets.values().map(|path| path.trim_start_matches("/pkg/")).collect();
    for file in fingerprint::files_below(&places.pkg())? {
        let name = file.strip_prefix(places.pkg())?.to_string_lossy().into_owned();
        let original = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz")).unwrap_or(&name);
        if !(original == "assets.json" || original.starts_with("snippets/") || kept.contains(original)) {
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// Writes `<target>/site_index.rs`: every file of the site as an `include_bytes!`, for the binary that carries its
/// assets inside. Left alone when nothing changed, so that cargo does not rebuild for nothing.
pub fn write_index(places: &Places) -> Outcome<()> {
    let mut rows = String::from("&[\n");
    for file in fingerprint::files_below(&places.site)? {
        if file.file_name().is_some_and(|name| name == "fingerprints.json") {
            continue;
        }
        let path = file.strip_prefix(&places.site)?.to_string_lossy().into_owned();
        writeln!(rows, "    (\"/{path}\", include_bytes!({:?}) as &[u8]),", file.display().to_string())?;
    }
    rows.push_str("]\n");
    let index = places.target.join("site_index.rs");
    if std::fs::read(&index).is_ok_and(|old| old == rows.as_bytes()) {
        return Ok(());
    }
    write_whole(&index, rows.as_bytes())
}

/// Brotli as it is served: the best in what ships, a quick one while developing.
pub fn brotli(bytes: &[u8], mode: Mode) -> Outcome<Vec<u8>> {
    let quality = if mode == Mode::Dev { 4 } else { 11 };
    let mut packed = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, quality, 24);
        writer.write_all(bytes)?;
        writer.flush()?;
    }
    Ok(packed)
}

fn gzip(bytes: &[u8], mode: Mode) -> Outcome<Vec<u8>> {
    let level = if mode == Mode::Dev { flate2::Compression::fast() } else { flate2::Compression::best() };
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

pub fn write_whole(path: &Path, bytes: &[u8]) -> Outcome<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let staged = twin_path(path, "part");
    std::fs::write(&staged, bytes).map_err(|error| format!("cannot write {}: {error}", staged.display()))?;
    std::fs::rename(&staged, path)?;
    Ok(())
}
