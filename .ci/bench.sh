#!/usr/bin/env bash
# Speed and weight beside the peers, as ratios within one run. The server and its peers share one core, the load
# comes from another. Names of measurements pick some of them: bench.sh beats page rights.
# MW_BENCH_QUICK=1 tries the bench itself, in short rounds on the debug binary: its figures mean nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh test
quick=${MW_BENCH_QUICK:-}
peers=$CACHE/peers
chromium=$(chromium_path)
export PATH=$PATH:/usr/sbin
for tool in nginx taskset npm; do
  have "$tool" || { warn "$tool is missing; make setup says how to get it."; exit 1; }
done
[ -n "$chromium" ] || { warn "Chromium is missing; make setup says how to get it."; exit 1; }
[ "$(nproc)" -gt 1 ] || warn "There is one core: the load takes its time from what it measures."

# The peers are installed and built outside the clone, once for each state of their folder.
install_peers() {
  local sources=end2end/bench/peers state headers
  local built=(--exclude=node_modules --exclude=build --exclude=.svelte-kit --exclude=.next)
  state=$(tar -C "$sources" "${built[@]}" --sort=name --mtime=@0 --owner=0 --group=0 --mode=644 -c . | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$peers/.installed" 2>/dev/null || true)" = "$state" ]; then return; fi
  say "Installing and building the peers (minutes, once)"
  mkdir -p "$peers"
  rm -rf "$peers/.installed" "$peers/sveltekit" "$peers/next"
  tar -C "$sources" "${built[@]}" -c . | tar -C "$peers" -x
  # Where Node's own headers are installed, its native modules need not fetch them.
  headers=$(node -p 'require("path").resolve(process.execPath, "../..")')
  if [ -f "$headers/include/node/node.h" ]; then export npm_config_nodedir=$headers; fi
  if ! (cd "$peers" && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent); then
    warn "The peers could not be installed; nothing was measured. They need the npm registry, and one of them a C++ compiler, make and python3."
    exit 1
  fi
  unset npm_config_nodedir
  echo "$state" > "$peers/.installed"
}
install_peers

if [ -n "$quick" ]; then
  cargo xtask build --dev
  cargo build --quiet -p server
  server=(MW_BIN="$CARGO_TARGET_DIR/debug/mini-webinar" MW_SITE="$SITE")
else
  # What `make release` ships: the site inside.
  cargo xtask size || warn "Over the weight budget; the figures follow all the same."
  MW_SITE_INDEX=$SITE_INDEX cargo build --quiet --release -p server --features embed
  server=(MW_BIN="$CARGO_TARGET_DIR/release/mini-webinar")
fi
last_core=$(($(nproc) - 1))
# What rights cost is measured inside the engine, on SQLite: no page shows a million events being packed.
measures_rights=$([ $# = 0 ] && echo yes || true)
names=()
for name in "$@"; do
  if [ "$name" = rights ]; then measures_rights=yes; else names+=("$name"); fi
done
if [ $# = 0 ] || [ ${#names[@]} -gt 0 ]; then
  (cd end2end && env "${server[@]}" MW_CHROMIUM="$chromium" MW_PEERS="$peers" MW_BENCH_CORE=0 \
    taskset -c "$last_core" node_modules/.bin/playwright test --config playwright.bench.config.ts "${names[@]}")
fi
if [ -n "$measures_rights" ] && [ -z "$quick" ]; then
  say "Archives, the portal, erasure, fences, mail"
  if [ -x "$FOREIGN/bin/smtp-sink" ]; then
    export TEST_SMTP_SINK="$FOREIGN/bin/smtp-sink" TEST_SMTP_SOURCE="$FOREIGN/bin/smtp-source"
  fi
  cargo test --quiet --release -p backend --lib measurements -- --ignored --nocapture --test-threads 1 | grep '^|'
  # On the binary itself: how long a due mail waits, what a long queue costs.
  cargo test --quiet --release -p server --test cli mail_speed -- --ignored --nocapture --test-threads 1 | grep '^|'
fi
