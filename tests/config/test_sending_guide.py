"""The programs of the guide to sending usage, against a server that fails in every way before it answers."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from config import environment

GUIDE = (environment.BASE_DIR / "docs" / "sending-usage.md").read_text(encoding="utf-8")
EVENTS = [{"transaction_id": str(n), "external_subscription_id": "s", "code": "c", "timestamp": n} for n in range(3)]
REFUSED = {"position": 1, "transaction_id": "1", "verdict": "conflict", "lago_id": None, "error_details": {}}
KNOWN = {"position": 0, "transaction_id": "0", "verdict": "duplicate", "lago_id": "x", "error_details": None}
STORED = {"transaction_id": ["value_already_exist"]}

TROUBLES = ["drop", 503, 429, "half", 502]
"""What comes before an answer: no answer, a page of a proxy, a limit, half an answer, another page."""

NODE = pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not installed")


class Peer(http.server.ThreadingHTTPServer):
    """A server that answers as it is told to, one thing after another, and keeps what it was sent."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.received: list[Any] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Peer

    def do_POST(self) -> None:
        """Keep the events that were sent, and answer the next thing."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        events = content["events"] if isinstance(content, dict) else content
        self.server.received.append([event["transaction_id"] for event in events])
        answer = self.server.answers.pop(0)
        if answer == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(answer, tuple):
            status, text = answer[0], json.dumps(answer[1]).encode()
        else:
            status, text = (200, b'{"receipt": {') if answer == "half" else (answer, b"<html>")
        self.send_response(status)
        self.send_header("Content-Length", str(len(text) + (100 if answer == "half" else 0)))
        self.send_header("Retry-After", "0")
        self.send_header("x-ratelimit-reset", "0")
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def peers() -> Iterator[Any]:
    """Start a server with answers; all are stopped at the end."""
    started: list[Peer] = []

    def start(*answers: Any) -> Peer:
        peer = Peer(list(answers))
        threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(peer)
        return peer

    yield start
    for peer in started:
        peer.shutdown()
        peer.server_close()


def program(name: str) -> str:
    """Return a program of the guide, in which a second of waiting is a millisecond."""
    [found] = re.findall(rf"^```\w+\n((?:#|//) {re.escape(name)}:.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found).replace("time.sleep(", "time.sleep(0.001 * ").replace("1000 *", "1 *")


def run(folder: pathlib.Path, peer: Peer, *command: str, events: list[Any] | None = None) -> Any:
    """Run a program with the address of the server, and events in its standard input."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "URL": peer.url, "KEY": "key"},
        input="".join(f"{json.dumps(event)}\n\n" for event in events or ()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SENDERS = [
    pytest.param("send_usage.py", sys.executable, id="Python"),
    pytest.param("send_usage.mjs", "node", id="Node", marks=NODE),
]


@pytest.mark.parametrize(("name", "runner"), SENDERS)
def test_a_sender_goes_on_until_it_is_answered(peers: Any, tmp_path: pathlib.Path, name: str, runner: str) -> None:
    peer = peers(*TROUBLES, (200, {"receipt": {}, "events": [KNOWN, REFUSED]}))
    (tmp_path / name).write_text(program(name))

    done = run(tmp_path, peer, runner, name, events=EVENTS)

    assert (done.stdout, done.stderr, done.returncode) == ("1 conflict {}\n", "", 0)
    assert peer.received == [["0", "1", "2"]] * 6
    assert peer.answers == []


@pytest.mark.parametrize(("name", "runner"), SENDERS)
def test_what_a_sender_cannot_mend_ends_it(peers: Any, tmp_path: pathlib.Path, name: str, runner: str) -> None:
    (tmp_path / name).write_text(program(name))
    none_stored = peers((422, {"code": "validation_errors", "receipt": {}, "events": [REFUSED]}))
    assert run(tmp_path, none_stored, runner, name, events=EVENTS).stdout == "1 conflict {}\n"

    for answer in [(422, {"error_details": {"events": ["too_many_events"]}}), (401, {"error": "Unauthorized"}), 404]:
        peer = peers(answer, (200, {"events": []}))
        done = run(tmp_path, peer, runner, name, events=EVENTS)
        assert done.returncode == 1
        assert ("404: <html>" if answer == 404 else str(answer[0])) in done.stderr
        assert len(peer.received) == 1, "it was sent again"


BATCHES = [(422, {"error_details": {"0": STORED, "2": STORED}}), 503, "drop", 429, (200, {"events": []})]


def test_a_batch_in_python_goes_on_without_what_is_stored(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = peers(*BATCHES)
    monkeypatch.setenv("URL", peer.url)
    monkeypatch.setenv("KEY", "key")
    space: dict[str, Any] = {"__name__": "batches"}
    exec(program("batches.py"), space)
    make = space["Event"]

    space["send"]([make(**event) for event in EVENTS])

    assert peer.received == [["0", "1", "2"], *[["1"]] * 4]
    peer.answers += [(422, {"error_details": {"0": STORED}}), (422, {"error_details": {"0": {"code": ["x"]}}})]
    space["send"]([make(**EVENTS[0])])
    with pytest.raises(space["LagoApiError"]):
        space["send"]([make(**EVENTS[0])])
    peer.answers += [500] * 3
    with pytest.raises(space["LagoApiError"]):
        space["send"]([make(**EVENTS[0])], attempts=3)
    assert peer.answers == []
