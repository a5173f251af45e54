"""Runs the installation's programs for the sample: finds a free port, keeps their output in a file, notices an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from config import supervisor

READY_SECONDS = 1800
"""A machine that is busy may take long; one that is not ready by then never will be."""
TELL_SECONDS = 15
PORTS = 50
LOG_BYTES = 20 * 1024 * 1024


class ProgramEnded(RuntimeError):
    """A program ended by itself, again and again. The message says where its output is."""


class NoFreePort(RuntimeError):
    """All ports that were tried are taken."""


def free_port(host: str, first: int) -> int:
    """Return the first port from ``first`` on that nobody listens on. Raises NoFreePort after 50 of them."""
    for port in range(first, min(first + PORTS, 65536)):
        if not supervisor.is_taken(host=host, port=port):
            return port
    raise NoFreePort(f"Ports {first} to {first + PORTS - 1} of {host} are all taken.")


class Journal:
    """Takes the programs' output line by line, to a file.

    The file goes on where an earlier start left it; a large one is put aside under the name `.1` first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        self._file = path.open("a", encoding="utf-8")

    def write(self, line: str) -> None:
        """Take a line that starts with the program's name."""
        self._file.write(line)

    def flush(self) -> None:
        """Bring what was taken to the file."""
        self._file.flush()


class Host:
    """The web server, a worker and the scheduler, running. Use as a context manager; leaving it stops all three."""

    def __init__(self, *, host: str, port: int, journal: Journal) -> None:
        reached = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
        self.url = f"http://{reached}:{port}"
        self.journal = journal
        programs = [supervisor.web(host=host, port=port), supervisor.worker(), supervisor.beat()]
        # Invented customers get no mail, whatever server is configured: messages become files.
        environment = {"PUBLIC_URL": self.url, "EMAIL_URL": ""}
        self._supervisor = supervisor.Supervisor(programs, output=journal, environment=environment)

    def __enter__(self) -> Self:
        self._supervisor.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()
        self.journal.flush()

    def check(self) -> None:
        """Raise ProgramEnded if one of the programs has ended so often that it was given up."""
        name = self._supervisor.ended()
        if name is not None:
            code = self._supervisor.processes[name].returncode
            raise ProgramEnded(
                f"The {name} process ended again and again, last with exit code {code}; see {self.journal.path}."
            )

    def wait_until_ready(self, *, tell: Callable[[str], object] = lambda _: None) -> None:
        """Wait until the web server answers and the database is up to date, as long as the programs live.

        `tell` hears now and then that it goes on. Raises ProgramEnded, TimeoutError after half an hour.
        """
        started = told = time.monotonic()
        while (now := time.monotonic()) - started < READY_SECONDS:
            self.check()
            if _answers(f"{self.url}/readyz"):
                return
            if now - told >= TELL_SECONDS:
                told = now
                tell(f"The web server is starting ({now - started:.0f} s so far).")
            time.sleep(0.1)
        raise TimeoutError(f"The web server did not answer within {READY_SECONDS // 60} min; see {self.journal.path}.")

    def stay(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Wait until told to stop, checking the programs. Raises ProgramEnded."""
        while not until():
            self.check()
            time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
