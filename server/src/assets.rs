//! Names of the built files: a plain name leads to the hashed one of this build.

use std::collections::BTreeMap;

/// Addresses of the built files.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    names: BTreeMap<String, String>,
}

impl Assets {
    /// Wraps the build's map. Without a build it is empty and the plain names are used, so that pages still render.
    #[must_use]
    pub fn new(names: BTreeMap<String, String>) -> Self {
        if names.is_empty() {
            tracing::warn!("the browser's part is not built; pages work as plain HTML without styles");
        }
        Self { names }
    }

    /// Address of a file by its plain name.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| format!("/pkg/{name}"))
    }

    /// Addresses of an entry's pieces: the build calls them `entry/piece`.
    #[must_use]
    pub fn pieces(&self, entry: &str) -> BTreeMap<String, String> {
        let piece = |name: &str| name.strip_prefix(entry)?.strip_prefix('/').map(str::to_owned);
        self.names.iter().filter_map(|(name, url)| Some((piece(name)?, url.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_its_pieces_and_nobody_elses() {
        let name = |name: &str| (name.to_owned(), format!("/pkg/{name}.bin"));
        let assets = Assets::new(BTreeMap::from([name("frontend/door"), name("frontend.js"), name("viewer/room")]));
        let pieces = assets.pieces("frontend");
        assert_eq!(pieces, BTreeMap::from([("door".to_owned(), "/pkg/frontend/door.bin".to_owned())]));
    }
}
