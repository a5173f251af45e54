"""The embedded server from the command line: `python -m config.localdb start|stop|status|url|psql|remove|prune`."""

import argparse
import os
import pathlib
import sys

from config import environment
from config.localdb import home as homes
from config.localdb import programs, server
from config.localdb.errors import LocalDatabaseError


def main() -> int:
    """Carry out one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.localdb", description="The embedded PostgreSQL.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=(function.__doc__ or "").splitlines()[0])
    command, rest = parser.parse_known_args()
    if rest and command.command != "psql":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        return COMMANDS[command.command](environment.data_dir(), rest)
    except LocalDatabaseError as error:
        print(error, file=sys.stderr)
        return 1


def _start(data_dir: pathlib.Path, _: list[str]) -> int:
    """Start the server unless it runs."""
    server.ensure_running(data_dir)
    print(f"The embedded PostgreSQL runs: {server.url(data_dir)}")
    return 0


def _stop(data_dir: pathlib.Path, _: list[str]) -> int:
    """Stop the server."""
    print(
        "The embedded PostgreSQL has stopped." if server.stop(data_dir) else "The embedded PostgreSQL was not running."
    )
    return 0


def _status(data_dir: pathlib.Path, _: list[str]) -> int:
    """Say whether the server runs; the exit code is 3 if not."""
    home = homes.find(data_dir)
    if home is None or not server.answers(home):
        print("The embedded PostgreSQL is not running.")
        return 3
    process = server.postmaster(home)
    print(f"The embedded PostgreSQL runs as process {process.pid if process else '?'}, data in {home.data}.")
    return 0


def _url(data_dir: pathlib.Path, _: list[str]) -> int:
    """Print the database's address, starting nothing that is set up already."""
    print(server.url(data_dir))
    return 0


def _psql(data_dir: pathlib.Path, rest: list[str]) -> int:
    """Open a database prompt; further arguments go to psql."""
    server.ensure_running(data_dir)
    program = str(programs.packaged() / "bin" / "psql")
    os.execv(program, [program, server.url(data_dir), *rest])


def _remove(data_dir: pathlib.Path, _: list[str]) -> int:
    """Stop the server and delete its data."""
    print("The embedded database is deleted." if server.remove(data_dir) else "There was no embedded database.")
    return 0


def _prune(_: pathlib.Path, __: list[str]) -> int:
    """Stop and delete servers of root's checkouts that are gone."""
    for home in homes.abandoned():
        server.halt(home)
        homes.remove(home)
        print(f"Deleted {home.root}.")
    return 0


COMMANDS = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "url": _url,
    "psql": _psql,
    "remove": _remove,
    "prune": _prune,
}

if __name__ == "__main__":
    sys.exit(main())
