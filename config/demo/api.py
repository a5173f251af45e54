"""A small client of the product's REST API, as the sample uses it. Owns the connection and telling what was refused."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Self

import httpx

PAGE = 1000
TIMEOUT_SECONDS = 60


class Refused(Exception):
    """The API did not do what it was asked. ``details`` are its reasons by field or position."""

    def __init__(self, request: str, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.details: dict[str, Any] = dict(body.get("error_details") or {})
        reason = self.details or body.get("code") or body.get("error") or "no reason given"
        super().__init__(f"{request}: {status} {reason}")


class Api:
    """Calls the API with one key over connections that stay open. Use as a context manager."""

    def __init__(self, url: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        # The sample talks to this machine, so proxies of the environment are none of its business.
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def find(self, path: str, name: str) -> dict[str, Any]:
        """Return one object. ``path`` is the collection, ``name`` the object's code or id. Raises Refused."""
        return self._call("GET", f"{path}/{urllib.parse.quote(name, safe='')}")

    def send(self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Post a body and return the answer. With a key of its own a repeat writes nothing. Raises Refused."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", path, json=body, headers=headers)

    def change(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Put a body and return the answer. Raises Refused."""
        return self._call("PUT", path, json=body)

    def merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Patch with a body and return the answer. Raises Refused."""
        return self._call("PATCH", path, json=body)

    def rows(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Go through all pages of a collection; its name is the last part of the path. Raises Refused."""
        name = path.rpartition("/")[2]
        page: int | None = 1
        while page:
            answer = self._call("GET", path, params={**filters, "page": page, "per_page": PAGE})
            yield from answer[name]
            page = answer.get("meta", {}).get("next_page")

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._client.request(method, path, **arguments)
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = {"error": "the answer is no JSON"}
            raise Refused(f"{method} {path}", response.status_code, answer) from None
        if response.is_error:
            raise Refused(f"{method} {path}", response.status_code, answer)
        return dict(answer)
