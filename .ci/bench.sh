#!/usr/bin/env bash
# Speed and weight beside the peers, as ratios within one run. The server and its peers share one core, the load
# comes from another.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh test
chromium=$(chromium_path)
for tool in nginx taskset; do
  if ! PATH=$PATH:/usr/sbin have "$tool"; then warn "$tool is missing; make setup says how to get it."; exit 1; fi
done
[ -n "$chromium" ] || { warn "Chromium is missing; make setup says how to get it."; exit 1; }
(cd end2end/bench && npm ci --no-audit --no-fund --loglevel=error)
cargo xtask size || warn "Over the weight budget; the figures follow all the same."
cargo build --quiet --release -p server
last_core=$(($(nproc) - 1))
(cd end2end && env MW_BIN="$CARGO_TARGET_DIR/release/mini-webinar" MW_SITE="$SITE" MW_CHROMIUM="$chromium" MW_BENCH_CORE=0 \
  taskset -c "$last_core" node_modules/.bin/playwright test --config playwright.bench.config.ts "$@")
