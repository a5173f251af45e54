#!/bin/sh
# Print the path of uv, fetching it into .tools on first use. The system's Python is not touched: it may be managed by the
# system (PEP 668), and may lack venv and pip altogether.
set -eu
cd "$(dirname "$0")/.."
version=0.13.9

say() { printf '%s\n' "$*" >&2; }

if command -v uv >/dev/null 2>&1; then
  command -v uv
  exit 0
fi
if [ -x .tools/bin/uv ]; then
  printf '%s\n' "$PWD/.tools/bin/uv"
  exit 0
fi

python=$(sh scripts/python.sh)
rm -rf .tools
if ! "$python" -c "import venv, ensurepip" >/dev/null 2>&1; then
  minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  say "This Python lacks the modules venv and ensurepip; installing them."
  sh scripts/apt.sh python3-venv "python$minor-venv" || true
fi
if "$python" -m venv .tools >/dev/null 2>&1; then
  .tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$version" >&2
elif "$python" -m pip --version >/dev/null 2>&1; then
  "$python" -m pip install --quiet --disable-pip-version-check --target .tools/lib "uv==$version" >&2
  mkdir -p .tools/bin && ln -sf ../lib/bin/uv .tools/bin/uv
else
  rm -rf .tools
  say "No way to fetch uv: $python has neither venv nor pip."
  say "Install the package python3-venv (as root: apt-get install python3-venv), or uv itself, and run this again."
  exit 1
fi
printf '%s\n' "$PWD/.tools/bin/uv"
