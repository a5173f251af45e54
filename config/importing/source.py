"""The Lago installation that is read. Owns pages, retries and saying in plain words why it cannot be read; it never
writes there.
"""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import httpx

PAGE = 100
TIMEOUT_SECONDS = 30
TRIES = 6
LONGEST_WAIT_SECONDS = 60
_TOO_MANY, _UNAUTHORIZED, _FORBIDDEN, _MISSING = 429, 401, 403, 404


class Unreadable(Exception):
    """The installation could not be read; the message says why."""


class Lago:
    """Reads one installation with one key. Use as a context manager.

    Timeouts, 5xx and 429 are tried again, the latter after the time that the answer names. ``sleep`` waits for so many
    seconds.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        base = url.rstrip("/").removesuffix("/api/v1")
        try:
            self._client = httpx.Client(
                base_url=f"{base}/api/v1/",
                headers={"Authorization": f"Bearer {key}", "User-Agent": "quittance-import"},
                timeout=TIMEOUT_SECONDS,
                transport=transport,
                follow_redirects=True,
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise Unreadable(f"{url} is no address, or the key is none: {error}") from error
        self.url = base
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def find(self, path: str, **filters: Any) -> dict[str, Any] | None:
        """Return an answer; nothing where there is no such object. Raises Unreadable."""
        return self._answer(path, filters)

    def rows(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Go through all pages of a collection, whose name is the last part of the path; none where there is no such.

        Raises Unreadable.
        """
        name = path.rpartition("/")[2]
        page: int | None = 1
        while page:
            answer = self._answer(path, {**filters, "page": page, "per_page": PAGE})
            if answer is None:
                return
            found = answer.get(name)
            if not isinstance(found, list):
                raise Unreadable(f"{self._where(path)} answered without {name!r}. Is this the address of a Lago API?")
            yield from found
            following = (answer.get("meta") or {}).get("next_page")
            if following is not None and (not isinstance(following, int) or following <= page):
                raise Unreadable(f"{self._where(path)} names {following!r} as the page after {page}.")
            page = following

    def _answer(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        response = self._response(path, parameters)
        if response.status_code == _MISSING:
            return None
        if response.status_code == _UNAUTHORIZED:
            raise Unreadable(f"{self.url} does not know this API key (401).")
        if response.status_code == _FORBIDDEN:
            raise Unreadable(f"The API key may not read {path} (403): {response.text[:200]}")
        if not response.is_success:
            raise Unreadable(f"{self._where(path)} answered {response.status_code}: {response.text[:200]}")
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreadable(f"{self._where(path)} did not answer in JSON. Is this the address of a Lago API?")
        return answer

    def _response(self, path: str, parameters: Mapping[str, Any]) -> httpx.Response:
        for number in range(1, TRIES + 1):
            wait = min(2.0 ** (number - 1), LONGEST_WAIT_SECONDS)
            try:
                response = self._client.get(path, params=dict(parameters))
            except (httpx.TransportError, httpx.InvalidURL, httpx.TooManyRedirects) as error:
                if number == TRIES or not isinstance(error, httpx.TransportError):
                    raise Unreadable(f"{self.url} cannot be reached: {error or type(error).__name__}") from error
            else:
                is_limited = response.status_code == _TOO_MANY
                if not (is_limited or response.is_server_error) or number == TRIES:
                    return response
                wait = _asked_wait(response) or wait if is_limited else wait
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _where(self, path: str) -> str:
        return f"{self.url}/api/v1/{path}"


def quoted(text: str) -> str:
    """Return a code or an id as it stands in a path."""
    return urllib.parse.quote(text, safe="")


def _asked_wait(response: httpx.Response) -> float | None:
    """Return how many seconds a 429 asks to wait, at most a minute."""
    for name in ("Retry-After", "x-ratelimit-reset"):
        given = response.headers.get(name, "")
        if given.isascii() and given.isdigit():
            return min(int(given), LONGEST_WAIT_SECONDS)
    return None
