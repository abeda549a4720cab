#!/usr/bin/env bash
# Everything that needs no running server: format, lints per package, the crate graph, what browsers download.
# Lints go package by package where features differ: in one call `hydrate` and `ssr` would meet in one leptos.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh run
wasm=wasm32-unknown-unknown

say "Format"; cargo fmt --all --check
say "Lints: server side"
cargo clippy --quiet --all-targets -p domain -p jobs -p mail -p media -p persistence -p privacy -p storage -p testkit -p warrant -p backup -p backend \
  --features domain/server -- -D warnings
cargo clippy --quiet --all-targets -p app --features app/ssr -- -D warnings
cargo clippy --quiet --all-targets -p server -- -D warnings
cargo clippy --quiet --all-targets -p xtask -- -D warnings
say "Lints: browser side"
cargo clippy --quiet --target $wasm -p frontend -- -D warnings
cargo clippy --quiet --target $wasm -p viewer -- -D warnings
say "Types of the journeys"
if have npm; then (cd end2end && node_modules/.bin/tsc --noEmit); else warn "Node is missing: the journeys were not checked."; fi
say "Rules"
cargo xtask cfg-count
cargo xtask purity
say "Weight"; cargo xtask size
say "Lints: the binary that carries the site"
MW_SITE_INDEX=$SITE_INDEX cargo clippy --quiet --all-targets -p server --features embed -- -D warnings
