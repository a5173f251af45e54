"""Secrets of an installation that are kept in files. Owns making one once, complete and private; what it is for and
where it lies is the caller's. Knows nothing of Django.
"""

from __future__ import annotations

import os
import pathlib
import secrets
from collections.abc import Callable


def kept(path: pathlib.Path, make: Callable[[], str]) -> str:
    """Return the text kept in ``path``, made on first use, readable by the owner only; blanks around it are cut off.

    Several processes may call it at once on a fresh installation: the file is linked into place complete, so all of
    them read the same secret and none reads half of one. Raises OSError where the directory cannot be written.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _made(path, make)


def _made(path: pathlib.Path, make: Callable[[], str]) -> str:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(make() + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was first: its secret is the secret
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
