#!/usr/bin/env bash
# One binary with its assets inside.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh run
cargo xtask build --release
MW_SITE_DIR=$SITE cargo build --release -p server --features embed
say "$(ls -lh "$CARGO_TARGET_DIR/release/mini-webinar" | awk '{print $5}')  $CARGO_TARGET_DIR/release/mini-webinar"
