#!/bin/sh
# Print the path of a Python 3.11 or newer. PYTHON names one; nothing is downloaded.
set -eu
for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
  path=$(command -v "$name" 2>/dev/null) || continue
  if "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; then
    "$path" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done
echo "Quittance needs Python 3.11, 3.12 or 3.13, and none is on the path. Set PYTHON to one." >&2
exit 1
