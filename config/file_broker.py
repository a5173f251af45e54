"""The broker of an installation on one machine: messages are files in a folder. Owns how they are written and taken.

It is kombu's file transport with whole files only. That one opens a message under its final name and then writes it: a
worker that looks at the wrong moment reads nothing, ends, and loses the message. Here a message gets its name when all
of it is there, and whoever deletes the file has it. What still cannot be read is set aside, and the worker goes on.

Nothing is forced to disk: a message is a wake-up, and the periodic jobs find the same work in the database.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import pathlib
import time
import uuid
from collections.abc import Callable, Iterator
from queue import Empty
from typing import Any

import kombu.transport
from kombu.transport import filesystem
from kombu.utils import json

ALIAS = "filesystem"
YOUNG_SECONDS = 30
"""A file that cannot be read may still be written by somebody for so long."""
STALE_SECONDS = 3600
"""Parts older than this were left by a program that was killed while it wrote."""

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)

log = logging.getLogger(__name__)


def install() -> None:
    """Make addresses that begin with `filesystem://` mean this transport. Safe to repeat."""
    kombu.transport.TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"


class Channel(filesystem.Channel):
    """Puts and takes messages as whole files. The folder of unreadable ones is the option `broken_folder`."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self.folder = pathlib.Path(self.data_folder_in)
        _forget_parts(self.folder)

    def _put(self, queue: str, payload: object, **_: Any) -> None:
        # Names sort by the time of sending, so that the oldest is taken first.
        _write_whole(self.folder / f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg", payload)

    def _get(self, queue: str) -> dict[str, Any]:
        for path in self._waiting(queue):
            try:
                message: dict[str, Any] = json.loads(path.read_bytes())
                self.message_to_python(message)  # what cannot be one is found out while the file is still there
            except FileNotFoundError:  # another worker has it
                continue
            except (PermissionError, *_UNREADABLE) as error:
                self._set_aside(path, error)
                continue
            except OSError as error:  # passes by, and says nothing about the message
                log.error("a task message cannot be read now: %s: %r", path, error)
                continue
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            return message
        raise Empty

    def _waiting(self, queue: str) -> list[pathlib.Path]:
        return sorted(path for path in self.folder.iterdir() if path.name.partition(".")[2] == f"{queue}.msg")

    def _set_aside(self, path: pathlib.Path, error: Exception) -> None:
        broken = pathlib.Path(self.transport_options["broken_folder"])
        try:
            if time.time() - path.stat().st_mtime < YOUNG_SECONDS:
                return
            broken.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(broken / path.name)
        except FileNotFoundError:  # another worker has it
            return
        except OSError as problem:
            log.error("a task message that cannot be read stays where it is: %s: %r, %r", path, error, problem)
            return
        log.error("a task message that cannot be read was set aside: %s: %r", broken / path.name, error)

    def get_table(self, exchange: str) -> list[Any]:
        """Return which queues an exchange sends to. An unreadable list is none: whoever sends first writes it anew."""
        try:
            rows = json.loads(self._exchange_file(exchange).read_bytes())
        except FileNotFoundError:
            return []
        except ValueError:
            log.warning("the list of queues of %r cannot be read and is made anew", exchange)
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change(exchange, lambda rows: rows if row in rows else [row, *rows])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: Any, **__: Any) -> None:
        self._purge(queue)
        gone = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change(exchange, lambda rows: [row for row in rows if row != gone])

    def _change(self, exchange: str, change: Callable[[list[Any]], list[Any]]) -> None:
        with _locked(self.control_folder / ".lock"):
            rows = self.get_table(exchange)
            changed = change(rows)
            if changed != rows:
                _write_whole(self._exchange_file(exchange), changed)


class Transport(filesystem.Transport):
    """Kombu's transport with the channel above."""

    Channel = Channel


def _write_whole(path: pathlib.Path, content: object) -> None:
    """Write JSON that only the owner can read, and give it its name when all of it is there."""
    part = path.with_name(f".{uuid.uuid4()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(content))
    part.replace(path)


def _forget_parts(folder: pathlib.Path) -> None:
    for part in folder.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
