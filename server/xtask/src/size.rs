//! What a browser downloads, in bytes on the wire (Brotli), against the goal of each kind of page and the limit it must
//! not pass. Where the two differ, BENCHMARKS.md says why; the limit then only keeps things from getting worse.

use std::path::Path;

use crate::Outcome;
use crate::build::{self, Mode};
use crate::fingerprint;
use crate::places::Places;
use crate::site;

/// One kind of page and what it may weigh.
struct Budget {
    what: &'static str,
    goal_bytes: u64,
    limit_bytes: u64,
    /// `assets.json` names.
    assets: &'static [&'static str],
    /// Files and folders of the site.
    files: &'static [&'static str],
}

const BUDGETS: [Budget; 4] = [
    Budget {
        what: "viewer pages, all JS and WASM",
        goal_bytes: 90_000,
        limit_bytes: 90_000,
        assets: &["viewer.js", "viewer_bg.wasm"],
        files: &[],
    },
    Budget { what: "loader on a host page", goal_bytes: 3_200, limit_bytes: 3_200, assets: &[], files: &["embed.js"] },
    Budget {
        what: "dashboard, first load all in",
        goal_bytes: 250_000,
        limit_bytes: 275_000,
        assets: &["frontend.js", "frontend_pieces.js", "frontend_bg.wasm", "frontend/webinars", "studio.css"],
        files: &["fonts"],
    },
    Budget {
        what: "editor, the heaviest page, if opened first",
        goal_bytes: 250_000,
        limit_bytes: 340_000,
        assets: &["frontend.js", "frontend_pieces.js", "frontend_bg.wasm", "frontend/editor", "studio.css"],
        files: &["fonts"],
    },
];

/// Builds what ships, prints the table, fails when a page is over its budget.
pub fn check(places: &Places) -> Outcome<()> {
    let assets = build::build(places, Mode::Release)?;
    let mut over = Vec::new();
    for budget in BUDGETS {
        let mut total = 0;
        let mut parts = Vec::new();
        for name in budget.assets {
            let path = assets.get(*name).ok_or_else(|| format!("{name} was not built"))?;
            let bytes = wire_bytes(&places.site.join(path.trim_start_matches('/')))?;
            total += bytes;
            parts.push(format!("{name} {bytes}"));
        }
        for name in budget.files {
            let mut bytes = 0;
            for file in fingerprint::files_below(&places.site.join(name))? {
                if !matches!(file.extension().and_then(|e| e.to_str()), Some("br" | "gz" | "txt")) {
                    bytes += wire_bytes(&file)?;
                }
            }
            total += bytes;
            parts.push(format!("{name} {bytes}"));
        }
        let verdict = match total {
            _ if total > budget.limit_bytes => "OVER",
            _ if total > budget.goal_bytes => "over its goal",
            _ => "ok",
        };
        let Budget { what, goal_bytes, limit_bytes, .. } = budget;
        println!(
            "{verdict:>13}  {total:>7} B, goal {goal_bytes:>6}, limit {limit_bytes:>6}  {what} ({})",
            parts.join(", ")
        );
        if total > budget.limit_bytes {
            over.push(format!("{} by {} B", budget.what, total - budget.limit_bytes));
        }
    }
    if over.is_empty() { Ok(()) } else { Err(format!("over budget: {}", over.join("; ")).into()) }
}

fn wire_bytes(path: &Path) -> Outcome<u64> {
    let twin = site::twin_path(path, "br");
    let served = if twin.is_file() { twin } else { path.to_owned() };
    Ok(std::fs::metadata(&served).map_err(|error| format!("{}: {error}", served.display()))?.len())
}
