"""The installation's generated secret key. Owns the key file and nothing else; a configured key never comes here."""

import os
import pathlib
import secrets

KEY_BYTES = 48


def secret_key(path: pathlib.Path) -> str:
    """Return the key kept in `path`, generating it on first use, readable by the owner only.

    Several processes may call it at once on a fresh installation: the file is linked into place complete, so all of
    them read the same key and none reads half a key. Raises OSError where the directory cannot be written.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _generate(path)


def _generate(path: pathlib.Path) -> str:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was first: its key is the key
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
