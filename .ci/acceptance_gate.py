"""Fail where an area that is listed as done has a failing acceptance case: `acceptance_gate.py REPORT AREAS`."""

import json
import pathlib
import sys


def required(text: str) -> list[str]:
    """Return the areas of the list, without comments and empty lines."""
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]


def problems(report: dict[str, dict[str, object]], areas: list[str]) -> list[str]:
    """Return one line per required area that has failures or was not run at all."""
    found = []
    for area in areas:
        if area not in report:
            found.append(f"{area}: no case was run")
        elif report[area]["failed"]:
            found.append(f"{area}: {report[area]['failed']} failed")
    return found


def main(report_path: str, areas_path: str) -> int:
    """Print what is wrong, or how many areas are held to pass, and return the exit code."""
    report = json.loads(pathlib.Path(report_path).read_text(encoding="utf-8"))
    areas = required(pathlib.Path(areas_path).read_text(encoding="utf-8"))
    wrong = problems(report, areas)
    for line in wrong:
        print(f"acceptance: {line}")
    if not wrong:
        print(f"acceptance: the {len(areas)} areas held to pass have no failures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
