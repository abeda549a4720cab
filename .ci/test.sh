#!/usr/bin/env bash
# Every test: Rust on SQLite and PostgreSQL, local and S3 storage; then Chromium.
# MW_TEST_PARTS picks parts (rust site embedded browser); MW_TEST_PACKAGES picks crates.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
parts=${MW_TEST_PARTS:-rust site embedded browser}
all_packages="domain jobs persistence privacy storage media mail testkit backup backend app server xtask"
packages=${MW_TEST_PACKAGES:-$all_packages}
unset MW_TEST_PARTS MW_TEST_PACKAGES

.ci/setup.sh test

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mini-webinar-test.XXXXXX")
chmod 755 "$scratch"
as_postgres=()
skipped=()
pg_bin=$(postgres_bin)
moto_pid=

clean_up() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$moto_pid" ]; then kill "$moto_pid" 2>/dev/null || true; fi
  if [ -f "$scratch/postgres/postmaster.pid" ]; then
    "${as_postgres[@]}" "$pg_bin/pg_ctl" -D "$scratch/postgres" -m immediate -s stop || true
  fi
  rm -rf "$scratch"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_postgres() {
  local port
  port=$(free_port)
  mkdir "$scratch/postgres" "$scratch/socket"
  if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    chown postgres "$scratch/postgres" "$scratch/socket"
    as_postgres=(runuser -u postgres --)
  fi
  (cd "$scratch" && "${as_postgres[@]}" "$pg_bin/initdb" -D "$scratch/postgres" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null)
  (cd "$scratch" && "${as_postgres[@]}" "$pg_bin/pg_ctl" -D "$scratch/postgres" -l "$scratch/postgres/log" -s -w start -o \
    "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$scratch/socket -c max_connections=300 \
     -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c log_min_error_statement=panic")
  "$pg_bin/createdb" -h 127.0.0.1 -p "$port" -U postgres mmw_test
  export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/mmw_test"
  export MW_REQUIRE_POSTGRES=1
}

start_s3() {
  local port
  port=$(free_port)
  "$FOREIGN/bin/moto_server" -H 127.0.0.1 -p "$port" >"$scratch/moto.log" 2>&1 &
  moto_pid=$!
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export TEST_S3_URL="s3://mmw-test/prefix?endpoint=http://127.0.0.1:$port&region=us-east-1"
  "$FOREIGN/bin/python" - "http://127.0.0.1:$port/mmw-test" <<'PY'
import sys, time, urllib.error, urllib.request
for _ in range(100):
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="PUT"))
        break
    except urllib.error.URLError:
        time.sleep(0.2)
else:
    sys.exit("the S3 stand-in did not start")
PY
}

cargo_tests() {
  if have cargo-nextest; then cargo nextest run "$@" --no-fail-fast --no-tests=pass; else cargo test "$@" --no-fail-fast; fi
}

# Which promises the run found kept, for the page /privacy/promises: red ones as well. A run of some crates alone says
# nothing about the rest, so it writes nothing.
write_ledger() {
  if [ "$packages" = "$all_packages" ]; then cargo xtask promises "$1"; fi
}

rust_tests() {
  if [ -n "$pg_bin" ]; then start_postgres; else skipped+=("PostgreSQL"); fi
  if [ -x "$FOREIGN/bin/moto_server" ]; then start_s3; else skipped+=("S3"); fi
  if [ -x "$FOREIGN/bin/smtp-sink" ]; then export TEST_SMTP_SINK="$FOREIGN/bin/smtp-sink"; else skipped+=("a killed batch of mails"); fi
  if [ -x "$FOREIGN/bin/python" ]; then export MW_FOREIGN="$FOREIGN" MW_REQUIRE_MAIL_SERVERS=1; else skipped+=("a misbehaving mail server"); fi
  if have ffmpeg; then export MW_REQUIRE_FFMPEG=1; else skipped+=("ffmpeg"); fi

  local selection=() package
  for package in $packages; do
    selection+=(-p "$package")
    # `server` gives the shared nouns their database traits, `ssr` makes the screens render.
    case $package in
      domain) selection+=(--features domain/server) ;;
      app) selection+=(--features app/ssr) ;;
    esac
  done
  say "Rust tests: $packages"
  local code=0
  if have cargo-nextest; then
    # By its own default the report would lie in a target folder inside the clone.
    printf '[profile.default.junit]\npath = "%s"\nstore-success-output = false\nstore-failure-output = false\n' \
      "$scratch/tests.xml" > "$scratch/nextest.toml"
    cargo_tests "${selection[@]}" --tool-config-file "promises:$scratch/nextest.toml" || code=$?
    write_ledger "$scratch/tests.xml"
  else
    cargo_tests "${selection[@]}" 2>&1 | tee "$scratch/tests.txt" || code=$?
    write_ledger "$scratch/tests.txt"
  fi
  if [ "$code" != 0 ]; then return "$code"; fi
  # What must not compile: nextest runs no examples of the documentation.
  local documented=()
  for package in domain persistence privacy; do
    if [[ " $packages " == *" $package "* ]]; then documented+=(-p "$package"); fi
  done
  if [ ${#documented[@]} -gt 0 ]; then cargo test --quiet --doc "${documented[@]}"; fi
  unset MW_REQUIRE_POSTGRES MW_REQUIRE_FFMPEG MW_FOREIGN MW_REQUIRE_MAIL_SERVERS
}

# What `make release` ships: the same server, the site inside.
embedded_tests() {
  cargo xtask build
  say "The binary that carries the site"
  MW_SITE_INDEX=$SITE_INDEX cargo_tests -p server --features embed --lib --test cli
}

browser_tests() {
  local chromium
  chromium=$(chromium_path)
  if [ -z "$chromium" ] || [ ! -x end2end/node_modules/.bin/playwright ]; then skipped+=("the browser journeys"); return; fi
  if [ ! -x "$FOREIGN/bin/python" ]; then skipped+=("tuspy"); fi
  cargo build --quiet -p server
  say "Browser journeys"
  (cd end2end && env MW_BIN="$CARGO_TARGET_DIR/debug/mini-webinar" MW_SITE="$SITE" MW_CHROMIUM="$chromium" MW_FOREIGN="$FOREIGN" \
    node_modules/.bin/playwright test "$@")
}

for part in $parts; do
  case $part in
    rust) rust_tests ;;
    site) cargo xtask build ;;
    embedded) embedded_tests ;;
    browser) browser_tests "$@" ;;
    *) warn "unknown part “$part”: rust, site, embedded or browser"; exit 2 ;;
  esac
done

if [ ${#skipped[@]} -gt 0 ]; then
  missing=$(IFS=,; echo "${skipped[*]}")
  warn "What ran is green, but not everything ran. Missing here: ${missing//,/, } (see the messages of set-up above)."
  exit 1
fi
say "Green."
