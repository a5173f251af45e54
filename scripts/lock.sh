#!/bin/sh
# Write the lock files anew from pyproject.toml. "--upgrade" takes newer versions; without it only what must change changes.
# The files hold hashes and no address, so that every mirror serves them.
set -eu
cd "$(dirname "$0")/.."
uv=$(sh scripts/uv.sh)
options="--universal --fork-strategy fewest --generate-hashes --no-annotate --no-header --no-emit-index-url --python-version 3.11 --quiet"
# shellcheck disable=SC2086
"$uv" pip compile pyproject.toml $options "$@" -o requirements.lock
# shellcheck disable=SC2086
"$uv" pip compile pyproject.toml --group dev $options "$@" -c requirements.lock -o requirements-dev.lock
if grep -n "://" requirements.lock requirements-dev.lock; then
  echo "A lock file names an address." >&2
  exit 1
fi
