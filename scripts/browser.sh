#!/bin/sh
# Make sure that there is a Chromium for the tests that walk through the pages: the one that CHROMIUM names, the system's,
# or one that is installed now.
set -eu
cd "$(dirname "$0")/.."
works() { .venv/bin/python -m tests.e2e.browser >/dev/null 2>&1; }

if works; then exit 0; fi
echo "There is no Chromium yet; installing it for the tests of the pages." >&2
sh scripts/apt.sh chromium || true
if works; then exit 0; fi
cat >&2 <<EOT

The tests of the pages need Chromium, which only the system's administrator can install.
  Debian:          apt-get install chromium
  Fedora:          dnf install chromium
  Alpine:          apk add chromium
  macOS:           brew install --cask chromium
Or name one: CHROMIUM=/path/to/chrome make test. Without these tests: make test ARGS="--ignore=tests/e2e".
EOT
exit 1
