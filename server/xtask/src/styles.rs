//! Plain CSS, bundled along its `@import`s and minified for browsers of the last three years.

use std::path::Path;

use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use lightningcss::targets::{Browsers, Features, Targets};

use crate::Outcome;

/// `major << 16 | minor << 8`, as the targets are written.
const fn version(major: u32, minor: u32) -> Option<u32> {
    Some(major << 16 | minor << 8)
}

/// Bundles and minifies one entry sheet.
pub fn bundle(entry: &Path) -> Outcome<String> {
    // `light-dark()` and nesting are understood by all of these; left alone they stay small.
    let targets = Targets {
        browsers: Some(Browsers {
            chrome: version(123, 0),
            edge: version(123, 0),
            firefox: version(121, 0),
            safari: version(17, 5),
            ios_saf: version(17, 5),
            ..Browsers::default()
        }),
        exclude: Features::LightDark | Features::Nesting,
        ..Targets::default()
    };
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", entry.display());
    let mut sheet = bundler.bundle(entry).map_err(|error| failed(&error))?;
    sheet.minify(MinifyOptions { targets, ..MinifyOptions::default() }).map_err(|error| failed(&error))?;
    let printed = sheet
        .to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() })
        .map_err(|error| failed(&error))?;
    Ok(printed.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_bundled_and_modern_css_stays_as_written() {
        let folder = std::env::temp_dir().join(format!("xtask-styles-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join("tokens.css"), ":root { --ink: light-dark(#222, #eee); }").expect("written");
        std::fs::write(
            folder.join("studio.css"),
            "@layer tokens, page;\n@import \"tokens.css\" layer(tokens);\n@layer page { .card { color: var(--ink); & p { margin: 0 0 1rem 0; } } }",
        )
        .expect("written");
        let css = bundle(&folder.join("studio.css")).expect("bundles");
        assert!(css.contains("--ink:light-dark(#222,#eee)"), "{css}");
        assert!(css.contains("& p{margin:0 0 1rem}"), "{css}");
        assert!(!css.contains("@import"), "{css}");
        assert!(bundle(&folder.join("missing.css")).is_err());
        std::fs::remove_dir_all(&folder).ok();
    }
}
