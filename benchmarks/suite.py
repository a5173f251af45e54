"""All measurements, one after the other, and their ratios in one table at the end.

    PYTHONPATH=. .venv/bin/python benchmarks/suite.py

A measurement prints a line ``RATIO what | figure`` for each ratio. It stops at the first one that fails.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

MEASUREMENTS = (
    "ingest.py",
    "rating.py",
    "current_usage.py",
    "entitlements.py",
    "bulk_invoices.py",
    "documents.py",
    "rehearsal.py",
    "reports.py",
)
MARK = "RATIO "


def main() -> int:
    """Run the measurements, show what they print, and print the table."""
    started = time.monotonic()
    ratios: list[tuple[str, str]] = []
    for name in MEASUREMENTS:
        print(f"\n{name}", flush=True)
        with subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(name))], stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout or ():
                if line.startswith(MARK):
                    what, _, figure = line.removeprefix(MARK).rstrip().partition(" | ")
                    ratios.append((what, figure))
                else:
                    print(line, end="", flush=True)
        if process.returncode:
            return process.returncode
    width = max(len(what) for what, _ in ratios)
    print(f"\nRatios, each within one run; {time.monotonic() - started:.0f} seconds in all\n")
    for what, figure in ratios:
        print(f"  {what:<{width}}  {figure:>8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
