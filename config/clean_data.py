"""Deletes everything an installation has stored: `python -m config.clean_data [--yes]`. Owns the list of what that is.

A data directory that someone named may hold other things as well, so only what the installation made is deleted there.
On a terminal it asks first, unless told `--yes`. It refuses while the installation's programs run.
"""

import argparse
import os
import pathlib
import shutil
import sys

from config import environment, supervisor
from config.localdb import server
from config.localdb.errors import LocalDatabaseError

STORED = ("broker", "files", "outbox", "static", "demo", "secret_key", "postgres.log", "postgres.log.1")
LOCKS = ("postgres.lock", supervisor.LOCK)


def clean(data_dir: pathlib.Path) -> None:
    """Stop the embedded server and delete its data, documents, e-mails, messages and keys. Safe to repeat.

    Raises ProgramsRun, LocalDatabaseError.
    """
    if not data_dir.is_dir():
        return
    with supervisor.none_running(data_dir):
        server.remove(data_dir)
        for name in (*STORED, *LOCKS):
            path = data_dir / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if data_dir == environment.BASE_DIR / ".data":
            shutil.rmtree(data_dir)


def describe(data_dir: pathlib.Path) -> str:
    """Say what `clean` deletes of what is there, and what it leaves alone."""
    found = [name for name in ("postgres", *STORED) if os.path.lexists(data_dir / name)]
    said = f"In {data_dir}, this deletes: {', '.join(found) or 'nothing'}."
    if "postgres" in found:
        said += "\nThat is the embedded database with every customer, invoice and event, and all documents and e-mails."
    if os.environ.get("DATABASE_URL"):
        said += "\nThe database of DATABASE_URL is left alone."
    return said


def main() -> int:
    """Say what is deleted, ask on a terminal, delete, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.clean_data", description="Delete all stored data.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    is_sure = parser.parse_args().yes
    data_dir = environment.data_dir()
    try:
        if data_dir.is_dir():
            with supervisor.none_running(data_dir):
                sys.stdout.write(f"{describe(data_dir)}\n")
        if not is_sure and sys.stdin.isatty() and input("Delete it? [y/N] ").strip().lower() not in ("y", "yes"):
            sys.stdout.write("Nothing was deleted.\n")
            return 1
        clean(data_dir)
    except (supervisor.ProgramsRun, LocalDatabaseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("Deleted.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
