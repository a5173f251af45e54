"""Sending webhooks over the network. Owns requests, time-outs and how many run at once; knows no database.

Requests run in one event loop in a thread of its own, so that an endpoint that hangs keeps nobody else waiting. What is
to be sent comes in chains: the deliveries of one object to one endpoint, one after the other. A chain ends at its first
failure, and what was not sent comes back as such. So do all chains of an endpoint that does not answer or asks to be
left alone: whoever hands over more of them decides when.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import queue
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx

from config.platform.services import delivery_retries, signing

log = logging.getLogger(__name__)

ANSWER_KEPT = 2000
"""Characters of an answer that are kept for people to read."""

MARGIN = timedelta(seconds=5)
"""A request begins only while the lease holds for the time-out and this much more."""

BUSY = (429, 503)
"""Statuses with which an endpoint may say by ``Retry-After`` how long it wants to be left alone."""

_DRAINED = 64_000
_NAMES_AT_ONCE = 100
"""Names of hosts that are looked up at the same time: a few that take long keep no others waiting."""


@dataclass(frozen=True)
class Target:
    """Where to send. ``is_probe``: it did not answer before, and this is the one request that finds out."""

    endpoint_id: int
    url: str
    algorithm: str
    is_probe: bool = False


@dataclass(frozen=True)
class Parcel:
    """One delivery: its key, how often it was tried before, and what is sent."""

    delivery_id: int
    attempts: int
    unique_key: UUID
    body: str


@dataclass(frozen=True)
class Chain:
    """Deliveries of one object to one endpoint in their order. They are ours to send until ``leased_until``."""

    target: Target
    parcels: tuple[Parcel, ...]
    leased_until: datetime


@dataclass(frozen=True)
class Attempt:
    """What came of one request. ``status`` is None where no answer came; ``error`` says why."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str = ""
    answer: str = ""
    retry_after: str = ""

    @property
    def is_delivered(self) -> bool:
        """Say whether the endpoint took it: any status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def rest(self) -> timedelta | None:
        """How long the endpoint asks to be left alone, None where it does not."""
        return delivery_retries.asked_for(self.retry_after) if self.status in BUSY else None


@dataclass(frozen=True)
class Unsent:
    """A parcel that came back as it was."""

    target: Target
    parcel: Parcel
    leased_until: datetime


@dataclass(frozen=True)
class Sent(Unsent):
    """A parcel that was sent, and what came of it."""

    attempt: Attempt

    @property
    def over_at(self) -> datetime:
        """When the request was over."""
        return self.attempt.at + timedelta(milliseconds=self.attempt.milliseconds)


class Sender:
    """Sends chains and gives back results. Use it as a context manager; leaving it ends what still runs.

    ``clock`` gives the present, ``timeout`` is for a whole request in seconds, ``at_once`` the number of requests that
    one endpoint gets at the same time.
    """

    def __init__(self, *, clock: Callable[[], datetime], timeout: int, at_once: int) -> None:
        self._clock, self._timeout, self._at_once = clock, timeout, at_once
        self._results: queue.SimpleQueue[Unsent] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_NAMES_AT_ONCE, thread_name_prefix="webhooks-names"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._client = client(timeout=timeout)
        self._turns: dict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))
        self._halts: dict[int, int] = defaultdict(int)
        self._running: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, chains: Sequence[Chain]) -> None:
        """Begin to send. Each parcel comes back exactly once as a result."""
        self._loop.call_soon_threadsafe(self._begin, chains)

    def halt(self, endpoint_ids: Collection[int]) -> None:
        """Begin no more requests of what these endpoints were to get. What runs goes on, the rest comes back."""
        self._loop.call_soon_threadsafe(self._halt, tuple(endpoint_ids))

    def results(self, *, wait: float, linger: float = 0) -> list[Unsent]:
        """Return what came back: wait some seconds for a first one, and linger for others that follow it."""
        found: list[Unsent] = []
        try:
            found.append(self._results.get(timeout=wait))
            if linger:
                time.sleep(linger)
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            return found

    def _begin(self, chains: Sequence[Chain]) -> None:
        for chain in chains:
            task = self._loop.create_task(self._run(chain, self._halts[chain.target.endpoint_id]))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _halt(self, endpoint_ids: Collection[int]) -> None:
        for key in endpoint_ids:
            self._halts[key] += 1

    async def _run(self, chain: Chain, halts: int) -> None:
        left = list(chain.parcels)
        while left:
            async with self._turns[chain.target.endpoint_id]:
                if self._halts[chain.target.endpoint_id] != halts or not self._may_begin(chain):
                    break
                attempt = await attempted(self._client, chain.target, left[0], clock=self._clock, timeout=self._timeout)
            if attempt.status is None or attempt.rest is not None:
                self._halt([chain.target.endpoint_id])
            self._results.put(Sent(chain.target, left.pop(0), chain.leased_until, attempt))
            if not attempt.is_delivered:
                break
        for parcel in left:
            self._results.put(Unsent(chain.target, parcel, chain.leased_until))

    def _may_begin(self, chain: Chain) -> bool:
        return self._clock() + timedelta(seconds=self._timeout) + MARGIN <= chain.leased_until

    async def _end(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._client.aclose()


def once(target: Target, parcel: Parcel, *, at: datetime, timeout: int) -> Attempt:
    """Send one parcel by itself, wait for the answer and say what came of it."""

    async def send() -> Attempt:
        async with client(timeout=timeout) as http:
            return await attempted(http, target, parcel, clock=lambda: at, timeout=timeout)

    return asyncio.run(send())


def client(*, timeout: int) -> httpx.AsyncClient:
    """Make a client: no redirects, connections that are kept, certificates checked, cookies of nobody."""
    return httpx.AsyncClient(
        timeout=timeout,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30),
        verify=_certificates(),
        headers={"Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def attempted(
    http: httpx.AsyncClient, target: Target, parcel: Parcel, *, clock: Callable[[], datetime], timeout: int
) -> Attempt:
    """Send one parcel and say what came of it. ``timeout`` is for all of it: connecting, sending and the answer.

    Whatever goes wrong is an attempt with its error, never an exception.
    """
    at, began = clock(), time.monotonic()
    status, error, answer, retry_after = None, "", "", ""
    try:
        signed = signing.headers(algorithm=target.algorithm, body=parcel.body, unique_key=parcel.unique_key, at=at)
        async with (
            asyncio.timeout(timeout),
            http.stream("POST", target.url, content=parcel.body.encode(), headers=signed) as response,
        ):
            answer = await _read(response)
            status, retry_after = response.status_code, response.headers.get("Retry-After", "")
    except (TimeoutError, httpx.TimeoutException):
        error = f"no answer within {timeout} seconds"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failure:
        error = _reason(failure)
    except Exception as failure:
        log.exception("a webhook could not be sent")
        error = _reason(failure)
    spent = int((time.monotonic() - began) * 1000)
    return Attempt(at, spent, status, error, answer, retry_after)


async def _read(response: httpx.Response) -> str:
    """Return the beginning of an answer, as it came: unpacked it may be of any size. A long one is not read to its
    end: its connection is closed.
    """
    content, length = b"", 0
    async for piece in response.aiter_raw():
        content += piece[: ANSWER_KEPT * 4 - len(content)]
        length += len(piece)
        if length > _DRAINED:
            break
    return content.decode("utf-8", "replace").replace("\x00", "\ufffd")[:ANSWER_KEPT]


def _reason(failure: Exception) -> str:
    said = str(failure).replace("\x00", "\ufffd")
    return f"{type(failure).__name__}: {said}"[:255] if said else type(failure).__name__


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates that are trusted once: that takes longer than a request."""
    return httpx.create_ssl_context()
