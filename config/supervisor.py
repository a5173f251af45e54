"""Runs programs of the installation side by side in one terminal: prefixes their output, starts again what ends.

A program that keeps ending is given up, and all are stopped. On a server the same is the job of systemd or of the
container platform, one unit per program.
"""

import contextlib
import dataclasses
import errno
import fcntl
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import IO, Any, Self

from django.conf import settings

STOP_SECONDS = 15
PAUSES = (1, 3, 10, 30)
"""Seconds before a program that ended is started again: after the first end, the second ... After one more it is given
up. Ends longer ago than `FORGOTTEN_SECONDS` do not count."""
FORGOTTEN_SECONDS = 600
LOOK_SECONDS = 0.2
LOCK = "programs.lock"
"""Held, in the data directory, by every program that runs: the kernel lets go of it when the last one has ended."""


class ProgramsRun(RuntimeError):
    """Programs of the installation are running."""


@dataclasses.dataclass(frozen=True)
class Program:
    """One program to run. `name` stands before each line of its output."""

    name: str
    command: Sequence[str]


def web(*, host: str, port: int) -> Program:
    """Return the web server."""
    options = ["--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws", "--log-level", "warning"]
    size = ["--workers", str(settings.WEB_PROCESSES), "--blocking-threads", str(settings.WEB_THREADS)]
    return Program("web", [sys.executable, "-m", "granian", *options, *size, "config.wsgi:application"])


def worker() -> Program:
    """Return the task worker. Workers say nothing to each other: the work itself is rows in the database."""
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    size = ["--concurrency", str(settings.WORKER_PROCESSES)]
    return Program("worker", [*_celery(), "worker", *alone, *size, "--loglevel", settings.LOG_LEVEL])


def beat() -> Program:
    """Return the scheduler. There must be one per installation; two would only send more wake-ups."""
    return Program("beat", [*_celery(), "beat", "--loglevel", settings.LOG_LEVEL, "--pidfile", ""])


def _celery() -> list[str]:
    # Root in a container is not the danger that Celery warns of: only JSON messages are accepted.
    quiet = ["-W", "ignore:You're running the worker"]
    return [sys.executable, *quiet, "-m", "celery", "--quiet", "--app", "config.celery"]


def is_taken(*, host: str, port: int) -> bool:
    """Say whether somebody listens on a port already. The web server would share it with them and not complain."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:  # any other reason is the web server's to tell
        return error.errno == errno.EADDRINUSE
    return False


def interruptible() -> None:
    """Treat a polite request to end, or a closed terminal, like Ctrl-C, and Ctrl-C as such.

    A shell lets what a script starts with `&` ignore Ctrl-C's signal, so it is asked for. What `nohup` started stays
    when the terminal closes.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def database_left() -> str:
    """Say what goes on after the programs have ended: nothing, unless the database is the embedded one."""
    embedded = settings.DATABASES["default"]["ENGINE"] == "config.localdb"
    return " The embedded database goes on; `make stop-db` stops it." if embedded else ""


@contextlib.contextmanager
def none_running(data_dir: pathlib.Path) -> Iterator[None]:
    """Keep a supervisor from starting programs while the block runs. Raises ProgramsRun if there are some already."""
    with _lock_file(data_dir) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProgramsRun(
                "The installation's programs are running (`make run` or `make demo`): stop them first."
            ) from None
        yield


def _lock_file(data_dir: pathlib.Path) -> IO[str]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return (data_dir / LOCK).open("a")


class Supervisor:
    """Starts programs, starts again what ends, and stops them together. Use as a context manager; leaving it stops all.

    As long as one of them runs, `none_running` refuses. Raises BlockingIOError while such a block runs. `pauses` are
    the seconds before each new start; without any, the first end is the last.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        output: Any = sys.stdout,
        environment: Mapping[str, str] | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.programs = programs
        self.output = output
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self.pauses = pauses
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.threads: list[threading.Thread] = []
        self._ends: dict[str, list[float]] = {program.name: [] for program in programs}
        self._due: dict[str, float] = {}
        self._given_up: str | None = None
        self._stopping = threading.Event()
        self._tender = threading.Thread(target=self._tend, daemon=True)
        self._lock = contextlib.ExitStack()
        self._kept: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        # The programs inherit the lock, so that it also holds when the supervisor alone is killed.
        with contextlib.ExitStack() as opened:
            file = opened.enter_context(_lock_file(settings.DATA_DIR))
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            self._kept = (file.fileno(),)
            self._lock = opened.pop_all()
        for program in self.programs:
            self._start(program)
        self._tender.start()
        return self

    def _start(self, program: Program) -> None:
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self.environment,
            pass_fds=self._kept,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops them in order
        )
        self.processes[program.name] = process
        thread = threading.Thread(target=self._copy, args=(program.name, process.stdout), daemon=True)
        thread.start()
        self.threads.append(thread)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ended(self) -> str | None:
        """Return the name of a program that ended too often and was given up, if any."""
        return self._given_up

    def wait(self) -> tuple[str, int]:
        """Wait until a program is given up and return its name and last exit code."""
        while not (name := self.ended()):
            if not self._tender.is_alive() and not self._stopping.is_set():
                raise RuntimeError("Nobody looks after the programs any more.")
            time.sleep(LOOK_SECONDS)
        return name, int(self.processes[name].returncode)

    def _tend(self) -> None:
        """Start again what has ended, until told to stop or a program is given up."""
        while not self._given_up and not self._stopping.wait(LOOK_SECONDS):
            for program in self.programs:
                if program.name in self._due:
                    self._start_again(program)
                elif self.processes[program.name].poll() is not None:
                    self._note_end(program.name)

    def _note_end(self, name: str) -> None:
        now = time.monotonic()
        process = self.processes[name]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # its own children would hold its port and its work
        self._ends[name] = [at for at in self._ends[name] if now - at < FORGOTTEN_SECONDS] + [now]
        count = len(self._ends[name])
        if count > len(self.pauses):
            self._given_up = name
            return
        pause = self.pauses[count - 1]
        self._due[name] = now + pause
        self._write(name, f"ended with exit code {process.returncode}; it is started again in {pause:g} s.\n")

    def _start_again(self, program: Program) -> None:
        if time.monotonic() < self._due[program.name]:
            return
        del self._due[program.name]
        try:
            self._start(program)
        except (OSError, RuntimeError) as error:  # counts as another end
            self._write(program.name, f"could not be started: {error}\n")

    def stop(self) -> None:
        """Ask every program to stop, and end by force what has not stopped after 15 seconds. Safe to call twice."""
        self._stopping.set()
        if self._tender.is_alive():
            self._tender.join()
        for process in self.processes.values():
            self._signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._signal(process, signal.SIGKILL, group=True)
                process.wait()
        for thread in self.threads:
            thread.join(timeout=1)
        self._lock.close()

    def _signal(self, process: "subprocess.Popen[str]", number: int, *, group: bool = False) -> None:
        if process.poll() is not None:
            return
        try:
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        except ProcessLookupError:  # it ended in between, which is what was wanted
            return

    def _copy(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._write(name, line)

    def _write(self, name: str, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # whoever read it is gone: the programs go on
            self.output.write(f"{name:>6} | {line}")
            self.output.flush()
