//! What browsers download: the built site as one table in memory, read from its folder at the start or, with the
//! feature `embed`, carried inside the binary.
//!
//! One table for both, so that they cannot answer differently, and no address can name what is not in it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bytes::Bytes;
use privacy::promises::Ledger;
use sha2::{Digest, Sha256};

use crate::assets::Assets;

/// Maps plain names to hashed ones; written by the build, read here, served to nobody.
const NAMES: &str = "/pkg/assets.json";
/// What the last run of the tests found of each promise; written by `cargo xtask promises`, shown on a page.
const LEDGER: &str = "/promises.json";
/// The build's own notes.
const NOTES: &str = "/fingerprints.json";
/// Bytes of a hash in an entity tag: 64 bits, far more than a site has files.
const TAG_BYTES: usize = 8;

/// The site inside this binary: `include_bytes!` of every file, listed by `cargo xtask build`.
#[cfg(feature = "embed")]
const CARRIED: Option<&[(&str, &[u8])]> =
    Some(include!(env!("MW_SITE_INDEX", "the feature `embed` wants the index of a built site; see .ci/release.sh")));
#[cfg(not(feature = "embed"))]
const CARRIED: Option<&[(&str, &[u8])]> = None;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Brotli, `.br` on disk.
    Brotli,
    /// Gzip, `.gz` on disk.
    Gzip,
    /// As it is.
    Identity,
}

impl Encoding {
    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// One body of a file, with the strong validator of exactly these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The bytes.
    pub bytes: Bytes,
    /// Entity tag, quoted.
    pub etag: String,
}

impl Packed {
    fn new(bytes: Bytes) -> Self {
        let mut etag = hex::encode(&Sha256::digest(&bytes)[..TAG_BYTES]);
        etag.insert(0, '"');
        etag.push('"');
        Self { bytes, etag }
    }
}

/// One file and its compressed twins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Media type, with its charset where it is text.
    pub content_type: &'static str,
    plain: Packed,
    brotli: Option<Packed>,
    gzip: Option<Packed>,
}

impl File {
    /// The body as it is.
    #[must_use]
    pub const fn plain(&self) -> &Packed {
        &self.plain
    }

    /// The body in an encoding, when there is one.
    #[must_use]
    pub const fn packed(&self, encoding: Encoding) -> Option<&Packed> {
        match encoding {
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
            Encoding::Identity => Some(&self.plain),
        }
    }

    /// Whether the answer depends on what the browser can unpack.
    #[must_use]
    pub const fn has_twins(&self) -> bool {
        self.brotli.is_some() || self.gzip.is_some()
    }
}

/// Every file browsers may ask for, by its path, such as `/favicon.svg`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    files: HashMap<String, File>,
    names: BTreeMap<String, String>,
    ledger: Option<Bytes>,
}

impl Site {
    /// The site this binary serves: the one it carries, otherwise the one built into `folder`.
    ///
    /// Without a build it is empty: pages still work, as plain HTML.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        if let Some(carried) = CARRIED {
            return Self::from_files(
                carried.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::from_static(bytes))),
            );
        }
        Self::read(folder).unwrap_or_else(|error| {
            tracing::warn!(folder = %folder.display(), %error, "the site cannot be read");
            Self::default()
        })
    }

    /// Reads a built site.
    ///
    /// # Errors
    /// When the folder or a file of it cannot be read.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        Ok(Self::from_files(files))
    }

    /// Puts files, given by their path in the site, into the table; `x.br` and `x.gz` become twins of `x`.
    pub fn from_files(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let mut bodies: BTreeMap<String, Bytes> = files.into_iter().filter(|(path, _)| path != NOTES).collect();
        let names = bodies.remove(NAMES).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let ledger = bodies.remove(LEDGER);
        let twin = |path: &str, suffix: &str| bodies.get(&format!("{path}.{suffix}")).cloned().map(Packed::new);
        let is_twin = |path: &str| {
            [".br", ".gz"]
                .iter()
                .any(|suffix| path.strip_suffix(suffix).is_some_and(|whole| bodies.contains_key(whole)))
        };
        let files = bodies
            .iter()
            .filter(|(path, _)| !is_twin(path))
            .map(|(path, bytes)| {
                let file = File {
                    content_type: content_type(path),
                    plain: Packed::new(bytes.clone()),
                    brotli: twin(path, "br"),
                    gzip: twin(path, "gz"),
                };
                (path.clone(), file)
            })
            .collect();
        Self { files, names, ledger }
    }

    /// A file by its path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Path of every file.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What the last run of the tests found; nothing in a build nobody tested. One that cannot be read counts as none:
    /// then no promise is shown as kept.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        let bytes = self.ledger.as_ref()?;
        Ledger::parse(bytes).inspect_err(|error| tracing::warn!(%error, "the ledger of promises cannot be read")).ok()
    }

    /// Addresses of the built files by their plain names.
    #[must_use]
    pub fn assets(&self) -> Assets {
        Assets::new(self.names.clone())
    }

    /// Where the site this binary serves is, for people.
    #[must_use]
    pub fn place(folder: &Path) -> String {
        if CARRIED.is_some() { "inside this binary".to_owned() } else { folder.display().to_string() }
    }

    /// What is there, or what is missing, for `doctor`.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn check(&self, folder: &Path) -> Result<String, String> {
        let place = Self::place(folder);
        if self.names.is_empty() {
            return Err(format!("not built ({place}); run `cargo xtask build`"));
        }
        let gone: Vec<&str> =
            self.names.values().map(String::as_str).filter(|path| !self.files.contains_key(*path)).collect();
        if !gone.is_empty() {
            return Err(format!("{} not there ({place}); run `cargo xtask build`", gone.join(", ")));
        }
        Ok(format!("{place}, {} files", self.files.len()))
    }
}

/// Every file below a folder. Links are not followed: the build makes none, and one could lead outside.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Bytes)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            files.push((path, std::fs::read(entry.path())?.into()));
        }
    }
    Ok(())
}

/// By extension, for what a site of ours is made of.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &'static str)]) -> Site {
        Site::from_files(files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from_static(text.as_bytes()))))
    }

    #[test]
    fn twins_belong_to_their_file_and_are_no_files_of_their_own() {
        let site = site(&[("/a.js", "plain"), ("/a.js.br", "b"), ("/a.js.gz", "g"), ("/lonely.gz", "archive")]);
        let file = site.file("/a.js").expect("there");
        let body = |encoding| file.packed(encoding).map(|packed| packed.bytes.as_ref());
        assert_eq!(body(Encoding::Brotli), Some(b"b".as_slice()));
        assert_eq!(body(Encoding::Gzip), Some(b"g".as_slice()));
        assert_eq!(body(Encoding::Identity), Some(b"plain".as_slice()));
        assert!(site.file("/a.js.br").is_none() && site.file("/a.js.gz").is_none());
        assert!(site.file("/lonely.gz").is_some(), "what is nobody's twin is a file");
    }

    #[test]
    fn every_body_has_a_tag_of_its_own_that_only_depends_on_its_bytes() {
        let site = site(&[("/a.js", "one"), ("/a.js.br", "two"), ("/b.js", "one")]);
        let tag = |path, encoding| site.file(path).and_then(|file| file.packed(encoding)).expect("there").etag.clone();
        assert_eq!(tag("/a.js", Encoding::Identity), tag("/b.js", Encoding::Identity));
        assert_ne!(tag("/a.js", Encoding::Identity), tag("/a.js", Encoding::Brotli));
        assert!(tag("/a.js", Encoding::Identity).starts_with('"'), "strong tags are quoted and have no W/");
    }

    #[test]
    fn the_builds_own_files_are_served_to_nobody() {
        let site = site(&[
            ("/pkg/assets.json", r#"{"viewer.css":"/pkg/viewer.0123.css"}"#),
            ("/fingerprints.json", "{}"),
            ("/pkg/viewer.0123.css", "a{}"),
        ]);
        assert_eq!(site.paths().collect::<Vec<_>>(), ["/pkg/viewer.0123.css"]);
        assert_eq!(site.assets().url("viewer.css"), "/pkg/viewer.0123.css");
    }

    #[test]
    fn a_check_names_what_is_missing() {
        let folder = Path::new("/somewhere");
        assert!(Site::default().check(folder).expect_err("empty").contains("not built"));
        let names = ("/pkg/assets.json", r#"{"viewer.css":"/pkg/viewer.0123.css"}"#);
        assert!(site(&[names]).check(folder).expect_err("a file is gone").contains("/pkg/viewer.0123.css"));
        assert!(site(&[names, ("/pkg/viewer.0123.css", "a{}")]).check(folder).expect("whole").contains("1 files"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_read_whole_and_links_out_of_it_are_not_followed() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir(folder.path().join("fonts")).expect("made");
        std::fs::write(folder.path().join("fonts/a.woff2"), "font").expect("written");
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("stolen.txt")).expect("linked");
        let read = Site::read(folder.path()).expect("reads");
        assert_eq!(read, site(&[("/fonts/a.woff2", "font")]));
    }
}
