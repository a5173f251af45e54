#!/bin/sh
# Make the environment .venv from the lock file. Does nothing if it is up to date, so that every make target may call it.
# QUITTANCE_LOCK=requirements.lock leaves the development tools out.
set -eu
cd "$(dirname "$0")/.."
lock=${QUITTANCE_LOCK:-requirements-dev.lock}
stamp=.venv/.installed
wanted=$({ printf '%s\n' "$lock"; cat "$lock"; } | cksum)

if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c "" 2>/dev/null; then
  exit 0
fi
uv=$(sh scripts/uv.sh)
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
echo "Setting up .venv from $lock" >&2
.venv/bin/python -c "" 2>/dev/null || "$uv" venv --quiet --clear --python "$(sh scripts/python.sh)" .venv
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes "$lock"
printf '%s\n' "$wanted" >"$stamp"
