"""Deletes everything an installation has stored: `python -m config.clean_data`. Owns the list of what that is.

A data directory that someone named may hold other things as well, so only what the installation made is deleted there.
"""

import pathlib
import shutil
import sys

from config import environment
from config.localdb import server
from config.localdb.errors import LocalDatabaseError

OURS = ("broker", "files", "outbox", "static", "demo", "secret_key", "postgres.log", "postgres.log.1", "postgres.lock")


def clean(data_dir: pathlib.Path) -> None:
    """Stop the embedded server and delete its data, documents, e-mails, messages and keys. Safe to repeat."""
    server.remove(data_dir)
    for name in OURS:
        path = data_dir / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if data_dir == environment.BASE_DIR / ".data":
        shutil.rmtree(data_dir)


if __name__ == "__main__":
    try:
        clean(environment.data_dir())
    except LocalDatabaseError as error:
        sys.exit(str(error))
