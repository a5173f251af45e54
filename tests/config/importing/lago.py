"""A small server that answers as Lago does: pages with meta, a bearer key, 401 and 404 in its words, and faults where a
test wants them. What it has is given as lists by path.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "e5a1e0c2-1111-4222-8333-444455556666"
ROOTS = {
    "taxes": "tax",
    "billing_entities": "billing_entity",
    "subscriptions": "subscription",
    "plans": "plan",
    "organizations": "organization",
}
_UNPAGED = ("billing_entities", "entitlements")


@dataclass
class Peer:
    """What the server has and does. ``faults`` are answers given before the right one, by path."""

    content: dict[str, Any]
    per_page: int | None = None
    faults: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(peer: Peer) -> Iterator[Peer]:
    """Serve it on a port of its own."""
    handler = type("Handler", (_Handler,), {"peer": peer})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    peer: Peer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as Lago does."""
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path.removeprefix("/api/v1/"))
        query = urllib.parse.parse_qs(url.query)
        self.peer.asked.append(path)
        waiting = self.peer.faults.get(path)
        if waiting:
            status, headers, body = waiting.pop(0)
            self._send(status, body, headers)
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self._json(401, {"status": 401, "error": "Unauthorized"})
        elif (found := self._found(path, query)) is None:
            self._json(404, {"status": 404, "error": "Not Found", "code": "resource_not_found"})
        else:
            self._json(200, found)

    def _found(self, path: str, query: Mapping[str, list[str]]) -> dict[str, Any] | None:
        content = self.peer.content
        if path in content and isinstance(content[path], list):
            return self._page(path, query)
        if path in content:
            return {ROOTS.get(path) or path.rpartition("/")[2]: content[path]}
        collection, _, name = path.partition("/")
        for row in content.get(collection, ()) if "/" not in name else ():
            if name in (row.get("code"), row.get("external_id")) and _is_wanted(row, query):
                return {ROOTS[collection]: {**row, **content.get(f"alone:{path}", {})}}
        return None

    def _page(self, path: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        rows = [row for row in self.peer.content[path] if _is_wanted(row, query)]
        if name in _UNPAGED:
            return {name: rows}
        number = int(query.get("page", ["1"])[0])
        size = self.peer.per_page or int(query.get("per_page", ["100"])[0])
        pages = -(-len(rows) // size)
        meta = {
            "current_page": number if rows else 0,
            "next_page": number + 1 if number < pages else None,
            "prev_page": number - 1 if number > 1 else None,
            "total_pages": pages,
            "total_count": len(rows),
        }
        return {name: rows[(number - 1) * size : number * size], "meta": meta}

    def _json(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _is_wanted(row: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    wanted = query.get("status[]") or query.get("status")
    return wanted is None or "status" not in row or row["status"] in wanted
