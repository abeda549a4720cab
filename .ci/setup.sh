#!/usr/bin/env bash
# Brings what is missing, and only that. `setup.sh run` is enough to build and start; `setup.sh test` (the default)
# adds what the tests drive: PostgreSQL, Chromium, the S3 stand-in and foreign upload clients.
# Where it may not install something it names the command that would, says what works without, and goes on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
level=${1:-test}

if ! have cargo; then
  warn "Rust is missing. Install it from https://rustup.rs (version 1.95 or newer); nothing works without it."
  exit 1
fi

# --- distribution packages ---------------------------------------------------------------------------------------
packages=()
need() { # <what is looked for> <package> <what works without it>
  if [ -z "$1" ]; then packages+=("$2"); missing+="  without $2: $3"$'\n'; fi
}
missing=
need "$(command -v cc || true)" gcc "nothing: SQLite is compiled from source"
need "$(command -v ffmpeg || true)" ffmpeg "uploads play as they are; no poster frames, no demo video of your own"
if [ "$level" = test ]; then
  need "$(postgres_bin)" postgresql "everything on SQLite"
  need "$(chromium_path)" chromium "all tests but the browser journeys"
  need "$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null || true)" nginx-light "everything but the comparisons of make bench"
  need "$(ls -d /usr/share/fonts/truetype/liberation* 2>/dev/null || true)" fonts-liberation "everything; screenshots look different"
  need "$(command -v unzip || true)" unzip "all tests; one foreign reader of archives less"
  need "$(command -v bsdtar || true)" libarchive-tools "all tests; one foreign reader of archives less"
  need "$(python3 -c 'import ensurepip' 2>/dev/null && echo yes || true)" python3-venv "all tests but those on S3 and with tuspy"
fi
if [ ${#packages[@]} -gt 0 ]; then
  command_line="apt-get install -y --no-install-recommends ${packages[*]}"
  if have apt-get && [ "$(id -u)" = 0 ]; then
    say "Installing ${packages[*]}"
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive $command_line -qq >/dev/null; }; then
      warn "apt-get did not succeed. To try by hand: $command_line"
      warn "${missing%$'\n'}"
    fi
  else
    warn "Missing: ${packages[*]}. As root on a Debian-like system: $command_line"
    warn "${missing%$'\n'}"
  fi
fi

# --- the browser's target ----------------------------------------------------------------------------------------
if [ ! -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
  if have rustup && rustup target add wasm32-unknown-unknown; then
    :
  else
    warn "The wasm32-unknown-unknown target is missing and could not be added: rustup target add wasm32-unknown-unknown"
    warn "With a Rust from the distribution, install its package of that target (Debian: libstd-rust-dev-wasm32), or the"
    warn "standard library's sources (rust-src) and set CARGO_UNSTABLE_BUILD_STD=std,panic_abort with RUSTC_BOOTSTRAP=1,"
    warn "which compiles that library as well. Without either, the server builds and its tests run; pages have no WebAssembly."
    exit 1
  fi
fi

# --- Node tools: wasm-opt, Playwright, a foreign upload client ----------------------------------------------------
if have npm; then
  lock=$(sha256sum end2end/package-lock.json | cut -d' ' -f1)
  if [ "$(cat end2end/node_modules/.installed 2>/dev/null || true)" != "$lock" ]; then
    say "Installing the Node tools"
    if (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error); then
      echo "$lock" > end2end/node_modules/.installed
    else
      warn "npm ci failed in end2end. Without it: the WebAssembly is larger than it should be, and there are no browser tests."
    fi
  fi
else
  warn "Node (20 or newer) is missing: see https://nodejs.org. Without it: the WebAssembly is larger than it should be,"
  warn "and there are no browser tests."
fi

# --- Python tools: the S3 stand-in and another foreign upload client ----------------------------------------------
if [ "$level" = test ]; then
  pinned="tuspy==1.1.0 icalendar==7.3.2 moto[s3,server]==5.2.5 aiosmtpd==1.4.6 dkimpy==1.1.8 pynacl==1.6.2 dnslib==0.9.26"
  if [ "$(cat "$FOREIGN/.installed" 2>/dev/null || true)" != "$pinned" ]; then
    say "Installing the S3 stand-in"
    # shellcheck disable=SC2086
    if python3 -m venv --clear "$FOREIGN" && "$FOREIGN/bin/pip" install --quiet --disable-pip-version-check $pinned; then
      echo "$pinned" > "$FOREIGN/.installed"
    else
      warn "The Python tools could not be installed. Without them: no tests on S3 and none with tuspy."
    fi
  fi
fi

# --- a mail server that takes everything --------------------------------------------------------------------------
# Postfix brings one, and the program that measures it. The package would also start a mail server, so it is only
# unpacked, beside the other foreign tools.
if [ "$level" = test ] && [ ! -x "$FOREIGN/bin/smtp-sink" ] && [ -d "$FOREIGN/bin" ]; then
  say "Unpacking Postfix's mail sink"
  unpacked=$(mktemp -d)
  if have smtp-sink; then
    ln -s "$(command -v smtp-sink)" "$FOREIGN/bin/smtp-sink"
    ln -s "$(command -v smtp-source)" "$FOREIGN/bin/smtp-source"
  elif have apt-get && (cd "$unpacked" && apt-get download -qq postfix && dpkg -x postfix_*.deb root) >/dev/null 2>&1; then
    rm -rf "$FOREIGN/postfix"
    mv "$unpacked/root" "$FOREIGN/postfix"
    for tool in smtp-sink smtp-source; do
      printf '#!/bin/sh\nexec env LD_LIBRARY_PATH="%s" "%s" "$@"\n' \
        "$FOREIGN/postfix/usr/lib/postfix" "$FOREIGN/postfix/usr/sbin/$tool" > "$FOREIGN/bin/$tool"
      chmod +x "$FOREIGN/bin/$tool"
    done
  else
    warn "Postfix could not be had. Without it: no test of a killed batch of mails, and none of their speed."
  fi
  rm -rf "$unpacked"
fi
