//! Names of the built files: the build writes `pkg/assets.json`, which maps a file's plain name to its hashed one.

use std::collections::BTreeMap;
use std::path::Path;

/// Addresses of the built files.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    names: BTreeMap<String, String>,
}

impl Assets {
    /// Reads the map. Without a build the plain names are used, so that pages still render.
    #[must_use]
    pub fn read(site_dir: &Path) -> Self {
        let path = site_dir.join("pkg/assets.json");
        let names = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if names.is_none() {
            tracing::warn!("the browser's part is not built; pages work as plain HTML without styles");
        }
        Self { names: names.unwrap_or_default() }
    }

    /// Address of a file by its plain name.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| format!("/pkg/{name}"))
    }
}
