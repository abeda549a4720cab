#!/usr/bin/env bash
# `start.sh demo` builds and starts the seeded demo; `start.sh dev` does so quickly and again after every change.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
.ci/setup.sh run
export MW_DEV=${MW_DEV:-1} MW_SITE_DIR=$SITE
binary=$CARGO_TARGET_DIR/debug/mini-webinar

if [ "${1:-demo}" = demo ]; then
  say "Building (the first time takes some minutes, later ones seconds)"
  cargo xtask build
  cargo build --quiet -p server
  exec "$binary" demo
fi

server_pid=
stop() { if [ -n "$server_pid" ]; then kill "$server_pid" 2>/dev/null || true; wait "$server_pid" 2>/dev/null || true; server_pid=; fi; }
trap stop EXIT
trap 'exit 0' INT TERM
marker=$(mktemp)
while :; do
  touch "$marker"
  if cargo xtask build --dev && cargo build --quiet -p server; then
    stop
    "$binary" demo &
    server_pid=$!
  else
    warn "That did not build; the last good version keeps running."
  fi
  while [ -z "$(find app frontend server style public Cargo.toml -newer "$marker" -type f -print -quit)" ]; do sleep 1; done
done
