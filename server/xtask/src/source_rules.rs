//! `cfg(feature = "ssr")` has one home. Scattered, it makes two programs out of one that only a browser tells apart.

use crate::Outcome;
use crate::fingerprint;
use crate::places::Places;

/// The one module that is different on the server.
const HOME: &str = "app/src/context.rs";

/// Names every line of `app/src` outside [`HOME`] that switches on the `ssr` feature; declaring the module itself
/// is the one exception.
pub fn check(places: &Places) -> Outcome<()> {
    let mut strays = Vec::new();
    for file in fingerprint::files_below(&places.root.join("app/src"))? {
        let name = file.strip_prefix(&places.root)?.to_string_lossy().into_owned();
        if name == HOME || !name.ends_with(".rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file)?;
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let switches =
                line.contains("cfg") && line.contains("feature = \"ssr\"") && !line.trim_start().starts_with("//");
            let declares = lines.get(index + 1).is_some_and(|next| next.trim_end().ends_with("mod context;"));
            if switches && !declares {
                strays.push(format!("{name}:{}", index + 1));
            }
        }
    }
    if strays.is_empty() {
        println!("cfg-count: 0 outside {HOME}");
        Ok(())
    } else {
        Err(format!("`ssr` is switched on outside {HOME}: {}", strays.join(", ")).into())
    }
}
