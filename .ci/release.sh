#!/usr/bin/env bash
# One binary with its assets inside.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh run
cargo xtask build --release
MW_SITE_INDEX=$SITE_INDEX cargo build --release -p server --features embed
binary=$CARGO_TARGET_DIR/release/mini-webinar

# Asked far away from every folder of the build, so that what it needs it has to carry.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
(cd "$elsewhere" && env -i MW_DATA_DIR="$elsewhere/data" "$binary" doctor)
say "$(ls -lh "$binary" | awk '{print $5}')  $binary"
