"""A receiver of webhooks with a real socket, as misbehaved as a test wants it. Runs as a thread of the test, or as a
process of its own (``python receivers.py PORT FILE``) that can be killed. Needs nothing but the standard library.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK, ERROR, HANG, DROP, BUSY, REDIRECT, BOMB = "ok", "error", "hang", "drop", "busy", "redirect", "bomb"
_STATUS = {OK: 200, ERROR: 500, BUSY: 503, REDIRECT: 302, BOMB: 200}


@dataclass(frozen=True)
class Received:
    """One request as it came in, and what was done with it."""

    headers: dict[str, str]
    body: bytes
    behaviour: str
    at: float = 0.0
    path: str = ""

    @property
    def key(self) -> str:
        return self.headers["x-lago-unique-key"]

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)


@functools.cache
def _packed() -> bytes:
    """A small answer that is a large one once it is unpacked."""
    return gzip.compress(b"0" * 50_000_000)


def _well(_number: int, _key: str) -> str:
    return OK


class Receiver:
    """Takes requests and keeps them. ``behave`` decides by the request and its number what becomes of it."""

    def __init__(self, behave: Callable[[int, str], str] | None = None, *, port: int = 0) -> None:
        self.behave, self.received, self.lock = behave or _well, list[Received](), threading.Lock()
        self.at_once = self.most_at_once = 0
        self.delay = 0.0
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks"

    @property
    def taken(self) -> list[Received]:
        """What was answered with success, in the order in which it came."""
        return [one for one in self.received if one.behaviour == OK]

    def take(self, handler: BaseHTTPRequestHandler) -> str:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            behaviour = self.behave(len(self.received), headers.get("x-lago-unique-key", ""))
            self.received.append(Received(headers, body, behaviour, time.monotonic(), handler.path))
        if self.delay:
            time.sleep(self.delay)
        with self.lock:
            self.at_once -= 1
        return behaviour

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                behaviour = receiver.take(self)
                if behaviour == HANG:
                    receiver.released.wait(30)
                if behaviour in (HANG, DROP):
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                answer = _packed() if behaviour == BOMB else f"said {behaviour}".encode()
                self.send_response(_STATUS[behaviour])
                if behaviour == BUSY:
                    self.send_header("Retry-After", "600")
                if behaviour == BOMB:
                    self.send_header("Content-Encoding", "gzip")
                    self.send_header("Set-Cookie", "kept=yes; Path=/")
                if behaviour == REDIRECT:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def receiving(behave: Callable[[int, str], str] | None = None) -> Iterator[Receiver]:
    """Run a receiver in a thread."""
    receiver = Receiver(behave)
    receiver.thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.server.shutdown()
        receiver.server.server_close()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A receiver in a process of its own, which writes what it takes to a file. Killing it is abrupt."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.port, self.file = free_port(), folder / "received"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def start(self, *behaviours: str) -> None:
        """Start it; it behaves in these ways, one request after the other, and well from then on."""
        command = [sys.executable, __file__, str(self.port), str(self.file), *behaviours]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def received(self) -> list[Received]:
        """Everything that came in, whatever became of it."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        rows = [json.loads(line) for line in lines]
        return [Received(row["headers"], base64.b64decode(row["body"]), row["behaviour"]) for row in rows]

    @property
    def taken(self) -> list[Received]:
        """What was answered with success, in order."""
        return [one for one in self.received if one.behaviour == OK]


def _serve(port: int, file: pathlib.Path, behaviours: list[str]) -> None:
    receiver = Receiver(lambda number, _: behaviours[number] if number < len(behaviours) else OK, port=port)
    whole = receiver.take

    written = 0

    def take(handler: BaseHTTPRequestHandler) -> str:
        nonlocal written
        behaviour = whole(handler)
        with receiver.lock, file.open("a") as lines:  # another thread may have taken one meanwhile, or written this one
            for one in receiver.received[written:]:
                told = {"headers": one.headers, "body": base64.b64encode(one.body).decode(), "behaviour": one.behaviour}
                lines.write(json.dumps(told) + "\n")
            written = len(receiver.received)
        return behaviour

    receiver.take = take  # type: ignore[method-assign]
    print("ready", flush=True)
    receiver.server.serve_forever(poll_interval=0.01)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
