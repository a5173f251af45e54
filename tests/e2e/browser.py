"""Which Chromium the tests use: the one that ``CHROMIUM`` names, or the system's. Run as a program it prints its path,
and fails where there is none.
"""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def program() -> str:
    """Return the path of the browser; nothing where there is none."""
    named = os.environ.get("CHROMIUM", "")
    return named or next((path for name in NAMES if (path := shutil.which(name))), "")


if __name__ == "__main__":
    sys.stdout.write(f"{program()}\n")
    sys.exit(0 if program() else 1)
