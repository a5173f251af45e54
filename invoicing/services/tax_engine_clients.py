"""Talking to tax engines. Owns the port that every engine has, which kind speaks how, and the one that speaks HTTP.

Nothing here touches the database, and nobody calls it inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from invoicing.models import TaxEngine

_SECONDS = 15
_LONGEST = 4_000_000


class Unavailable(Exception):
    """There is no answer now: the engine or the way to it is down or busy."""


class Engine(Protocol):
    """What an engine can do. Both raise Unavailable; a repeated key is the same question or report again."""

    def calculate(self, *, question: Mapping[str, Any], key: str) -> Any:
        """Return the engine's answer as plain JSON; what it means is the domain's to read."""

    def report(self, *, content: Mapping[str, Any], key: str) -> None:
        """Tell the engine about a document."""


class HttpEngine:
    """An engine behind HTTP: `POST <url>/calculations` and `POST <url>/reports`, JSON both ways.

    It sends the token as a bearer and the key as `Idempotency-Key`. An answer of 200 or 422 is an answer; anything else
    is none.
    """

    def __init__(self, *, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def calculate(self, *, question: Mapping[str, Any], key: str) -> Any:
        """Ask. Raises Unavailable."""
        response = self._post("calculations", question, key)
        if response.status_code not in {200, 422} or len(response.content) > _LONGEST:
            raise Unavailable(f"HTTP status {response.status_code}")
        try:
            return response.json()
        except ValueError as error:
            raise Unavailable("an answer that is no JSON") from error

    def report(self, *, content: Mapping[str, Any], key: str) -> None:
        """Tell. Raises Unavailable for anything but success."""
        response = self._post("reports", content, key)
        if not response.is_success:
            raise Unavailable(f"HTTP status {response.status_code}")

    def _post(self, path: str, content: Mapping[str, Any], key: str) -> httpx.Response:
        headers = {"Idempotency-Key": key, "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            return httpx.post(
                f"{self.url}/{path}", json=dict(content), headers=headers, timeout=_SECONDS, follow_redirects=False
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"no connection: {type(error).__name__}") from error


_KINDS: dict[str, Callable[[TaxEngine], Engine]] = {
    TaxEngine.Kind.HTTP: lambda engine: HttpEngine(url=engine.url, token=engine.token),
}


def register(kind: str, make: Callable[[TaxEngine], Engine]) -> None:
    """Let engines of a kind be spoken to by what ``make`` returns."""
    _KINDS[kind] = make


def client(engine: TaxEngine) -> Engine:
    """Return what speaks to an engine. Raises KeyError for a kind that nobody speaks."""
    return _KINDS[engine.kind](engine)
