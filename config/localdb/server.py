"""Starting, stopping and asking the embedded server. All changes happen under one file lock per installation.

Any process that needs the database starts it; it then runs on its own. After a kill the next one in line clears what
the dead server left behind and starts it again, and PostgreSQL replays its journal.
"""

import contextlib
import fcntl
import os
import pathlib
import subprocess
import time
import urllib.parse
from collections.abc import Iterator

import psutil
import psycopg
from psycopg import sql

from config import environment
from config.localdb import home as homes
from config.localdb import tuning
from config.localdb.errors import INSTEAD, LocalDatabaseError
from config.localdb.home import Home
from config.localdb.programs import MAJOR

USER = "quittance"
DATABASE = "quittance"
PORT = 5432  # only part of the socket's name
LOCK_SECONDS = 120
START_SECONDS = 60
START_ATTEMPTS = 5
LOG_BYTES = 20 * 1024 * 1024


def address(data_dir: pathlib.Path) -> dict[str, str]:
    """Return `host` and `user` for a connection, setting the server up first if this installation has none yet."""
    home = homes.find(data_dir)
    if home is None:
        ensure_running(data_dir)
        home = homes.create(data_dir)
    return {"host": str(home.socket_dir), "user": USER, "port": str(PORT)}


def url(data_dir: pathlib.Path) -> str:
    """Return the address of the database as a URL that libpq understands."""
    return f"postgresql://{USER}@/{DATABASE}?host={urllib.parse.quote(address(data_dir)['host'], safe='')}"


def ensure_running(data_dir: pathlib.Path) -> Home:
    """Start the server unless it runs, make sure its database exists, and return its home.

    Safe to call at any time, from any number of processes at once. Raises LocalDatabaseError with what to do.
    """
    with _locked(data_dir):
        home = homes.create(data_dir)
        if not answers(home):
            _start(home)
        _create_database(home)
        return home


def stop(data_dir: pathlib.Path) -> bool:
    """Stop the server and say whether it ran. Open transactions are rolled back. Raises LocalDatabaseError."""
    with _locked(data_dir):
        home = homes.find(data_dir)
        return home is not None and halt(home)


def remove(data_dir: pathlib.Path) -> bool:
    """Stop the server, delete its data, and say whether there was any. Raises LocalDatabaseError."""
    with _locked(data_dir):
        home = homes.find(data_dir)
        if home is None:
            return False
        halt(home)
        homes.remove(home)
        return True


def halt(home: Home) -> bool:
    """Stop the server of a home without taking its lock, and say whether it ran. Raises LocalDatabaseError."""
    if postmaster(home) is None:
        return False
    command = [home.programs / "pg_ctl", "stop", "-D", home.data, "-m", "fast", "-w", "-t", str(START_SECONDS)]
    result = _run(home, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode and postmaster(home) is not None:
        raise LocalDatabaseError(f"The embedded PostgreSQL did not stop: {result.stdout.strip()}")
    return True


def answers(home: Home) -> bool:
    """Say whether the server takes connections now."""
    try:
        with _connect(home):
            return True
    except psycopg.OperationalError:
        return False


def postmaster(home: Home) -> psutil.Process | None:
    """Return the running server process of this home.

    The process id on disk is believed only if that process is a PostgreSQL of this data directory: after a reboot or in
    a new container the same number belongs to someone else.
    """
    try:
        pid = int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        command = process.cmdline()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    ours = bool(command) and command[0].endswith("postgres") and str(home.data) in command
    return process if ours and process.status() != psutil.STATUS_ZOMBIE else None


def _start(home: Home) -> None:
    if not (home.data / "PG_VERSION").is_file():
        _initialise(home)
    version = (home.data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise LocalDatabaseError(f"{home.data} was made by PostgreSQL {version}; this is {MAJOR}. {INSTEAD}")
    home.make_directory(home.socket_dir)
    text = tuning.configuration(
        socket_dir=home.socket_dir, memory=tuning.memory_megabytes(), shared_memory=tuning.shared_memory_type()
    )
    _write(home, home.data / "postgresql.conf", text)
    command = [home.programs / "pg_ctl", "start", "-D", home.data, "-w", "-t", str(START_SECONDS)]
    for attempt in range(START_ATTEMPTS):
        if postmaster(home) is None:
            _clear_stale_files(home)
        said = _logged_run(home, command)
        if answers(home):
            return
        time.sleep(0.3 * (attempt + 1))  # children of a killed server need a moment to notice and leave
    raise LocalDatabaseError(f"The embedded PostgreSQL did not start. Its log {home.log} ends with:\n{said}\n{INSTEAD}")


def _initialise(home: Home) -> None:
    """Make the data directory. An attempt that was cut short leaves no PG_VERSION in place and is made again."""
    draft = home.root / "data.new"
    if draft.is_dir():
        _run(home, ["/bin/rm", "-rf", draft])
    home.make_directory(draft)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = [f"--username={USER}", "--auth=trust"]  # the socket's directory is private, and there is no other way in
    command = [home.programs / "initdb", "-D", draft, *locale, *access, "--no-instructions", "--no-sync"]
    said = _logged_run(home, command)
    if not (draft / "global" / "pg_control").is_file():
        raise LocalDatabaseError(f"The embedded PostgreSQL could not be set up:\n{said}\n{INSTEAD}")
    draft.rename(home.data)  # replaces the empty directory in one step


def _clear_stale_files(home: Home) -> None:
    """Remove a dead server's lock files. PostgreSQL does so itself, unless the process id was given out again."""
    for path in (home.data / "postmaster.pid", home.socket_dir / f"{homes.SOCKET_NAME}.lock"):
        path.unlink(missing_ok=True)


def _create_database(home: Home) -> None:
    with _connect(home) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _connect(home: Home) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(home.socket_dir), port=PORT, user=USER, dbname="postgres", connect_timeout=5, autocommit=True
    )


def _write(home: Home, path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    if home.account:
        os.chown(path, home.account.pw_uid, home.account.pw_gid)


def _logged_run(home: Home, command: list[str | pathlib.Path]) -> str:
    """Run a program with its output in the server's log, and return what it added there, at most the last lines."""
    if home.log.is_file() and home.log.stat().st_size > LOG_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))
    with home.log.open("ab") as log:
        before = log.tell()
        _run(home, command, stdout=log, stderr=log)
    with home.log.open("rb") as log:
        log.seek(before)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-15:])


def _run(home: Home, command: list[str | pathlib.Path], **streams: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [str(part) for part in command],
        check=False,
        text=True,
        cwd=home.root,
        env={"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal that started it must not reach the server
        **home.as_owner(),
        **streams,
    )


@contextlib.contextmanager
def _locked(data_dir: pathlib.Path) -> Iterator[None]:
    """Hold the installation's lock. The kernel releases it when the process ends, however that happens."""
    environment.make_private(data_dir)
    with (data_dir / "postgres.lock").open("a") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise LocalDatabaseError(f"Another process has held {file.name} for {LOCK_SECONDS} s.") from error
                time.sleep(0.05)
        yield
