# Sourced by every script here: one cache folder outside the clone, so that a fresh clone builds in seconds on a
# machine that has built before.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${MW_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/mini-webinar}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
FOREIGN=$CACHE/foreign
SITE=$CARGO_TARGET_DIR/site
# Lists the site's files for a binary that carries them (feature `embed` of the server).
SITE_INDEX=$CARGO_TARGET_DIR/site_index.rs
# The server refuses MW_ variables it does not know; this one is ours.
unset MW_CACHE_DIR
mkdir -p "$CACHE"
cd "$ROOT"

say() { printf '\033[1m%s\033[0m\n' "$*"; }
warn() { printf '\033[33m%s\033[0m\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Where PostgreSQL's server programs are: Debian keeps them off the PATH.
postgres_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  if [ -n "$found" ]; then echo "$found"; elif have initdb; then dirname "$(command -v initdb)"; fi
}

chromium_path() {
  local name
  if [ -n "${MW_CHROMIUM:-}" ]; then echo "$MW_CHROMIUM"; return; fi
  for name in chromium chromium-browser google-chrome; do
    if have "$name"; then command -v "$name"; return; fi
  done
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}
