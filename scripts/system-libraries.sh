#!/bin/sh
# Make sure that PDFs can be written: WeasyPrint needs Pango and its companions from the system, and fonts.
# The check is a real one: a small document is rendered and looked at.
set -eu
cd "$(dirname "$0")/.."
packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 libfontconfig1 libglib2.0-0 libglib2.0-0t64 fontconfig fonts-dejavu-core fonts-liberation2 fonts-liberation"

# Documents in Chinese need glyphs that the other fonts lack. Asked for once: they can be written without, if badly.
asked=.venv/.fonts-asked
if [ ! -e "$asked" ] && command -v fc-list >/dev/null 2>&1; then
  fc-list :lang=zh-tw 2>/dev/null | grep -q . || sh scripts/apt.sh fonts-droid-fallback >/dev/null 2>&1 || true
  : >"$asked" 2>/dev/null || true
fi

works() { .venv/bin/python -m config.pdf_check; }

if works 2>/dev/null; then exit 0; fi
echo "PDFs cannot be written yet; installing the system libraries of WeasyPrint and fonts." >&2
# shellcheck disable=SC2086
sh scripts/apt.sh $packages || true
if works; then exit 0; fi
cat >&2 <<EOT

PDFs cannot be written: WeasyPrint needs libraries that only the system's administrator can install.
  Debian, Ubuntu:  apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-liberation
  Fedora:          dnf install pango harfbuzz dejavu-sans-fonts liberation-fonts
  Alpine:          apk add pango harfbuzz fontconfig font-dejavu font-liberation
  macOS:           brew install pango
Then run this again.
EOT
exit 1
