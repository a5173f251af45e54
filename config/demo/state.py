"""What the sample remembers between two starts: its month, the administrator's password, its API key.

One file under the data directory that only its owner can read. The password and key open nothing but this sample.
"""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class State:
    """Everything that is remembered. Later starts go on with the same months, whatever the date."""

    last_month: date
    password: str = ""
    api_key: str = ""


def load(folder: Path) -> State | None:
    """Return what an earlier start remembered, or nothing."""
    try:
        content = json.loads(_file(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return State(date.fromisoformat(content["last_month"]), content["password"], content["api_key"])


def save(folder: Path, state: State) -> None:
    """Remember a state. The file is replaced as a whole, and private from its first byte."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {**dataclasses.asdict(state), "last_month": state.last_month.isoformat()}
    draft = _file(folder).with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    draft.rename(_file(folder))


def key_file(folder: Path) -> Path:
    """Return the file with the API key alone, for use on a command line."""
    return folder / "api_key"


def save_key(folder: Path, secret: str) -> None:
    """Write the file of the API key. Only its owner can read it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file(folder).unlink(missing_ok=True)
    with os.fdopen(os.open(key_file(folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secret}\n")


def _file(folder: Path) -> Path:
    return folder / "state.json"
