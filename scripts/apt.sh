#!/bin/sh
# Install Debian packages where that is possible without a question: as root, or with sudo that asks for no password.
# Packages that do not exist in this release are passed over. Exit code 1: not possible here.
set -eu
command -v apt-get >/dev/null 2>&1 || exit 1
if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
  as_root="sudo -n"
else
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    return 1
  fi
}

exists() { apt-cache show --no-all-versions "$1" 2>/dev/null | grep -q '^Package:'; }
missing_lists=false
for package in "$@"; do exists "$package" || missing_lists=true; done
if $missing_lists; then apt update || true; fi

known=""
for package in "$@"; do
  if exists "$package"; then known="$known $package"; fi
done
[ -n "$known" ] || exit 1
echo "Installing:$known" >&2
# Lists that are out of date name files that are gone: then once more with new lists.
# shellcheck disable=SC2086
apt install -y --no-install-recommends $known || { apt update && apt install -y --no-install-recommends $known; }
