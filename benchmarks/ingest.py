"""How many events per second the API takes in, as a share of what bare COPY writes into the same tables and indexes.

    PYTHONPATH=. .venv/bin/python benchmarks/ingest.py [--events 20000] [--rounds 5] [--processes 1] [--preload 0]

Makes a database of its own beside the configured one and drops it at the end. Requests go through the view with its
authentication, from the body's bytes to the answer's bytes, each committed before it is answered; nothing of a web
server or network is measured. COPY writes finished rows of the same events, the unique key included, in as many
transactions. Runs alternate and the middle one of the rounds counts, so that a busy moment does not decide. Shares
below 1 are the price of JSON, validation, the exact unique key and the fingerprint.

Every run begins with empty tables, or with ``--preload 10000000`` on top of as many events as that, which takes some
minutes and seven gigabytes to write.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.db import connection  # noqa: E402 - Django is set up first
from django.test import RequestFactory  # noqa: E402
from django.urls import resolve  # noqa: E402

from benchmarks import preloading  # noqa: E402
from billing.services import event_partitions  # noqa: E402
from catalog.services import metrics  # noqa: E402
from config.kernel import actors  # noqa: E402
from config.platform.services import api_keys  # noqa: E402

BATCH, STREAM = "batch", "stream"
SENT = ((BATCH, 100), (BATCH, 1000), (STREAM, 100), (STREAM, 1000), (STREAM, 10_000))
TYPES = {BATCH: "application/json", STREAM: "application/x-ndjson"}
START = datetime(2026, 5, 1, tzinfo=UTC)
# The same events as `event` gives, under other transaction ids.
BEFORE = """
SELECT gen_random_uuid(), 'subscription-' || lpad((n * 7919 % 500)::text, 4, '0'), md5('before-' || n), 'requests',
    '2026-05-01 00:00+00'::timestamptz + (n * 104729 % 2600000) * interval '1 second', '2026-05-01 00:00+00',
    n * 1000003, hashtextextended('bytes', 0), n % 65536,
    jsonb_build_object('bytes', n % 65536, 'status', '200', 'method', 'GET', 'path', '/pages/' || n % 977)
FROM generate_series({first}::bigint, {last}) AS n"""

Batches = Sequence[object]


def event(number: int) -> dict[str, object]:
    """Return an event as a web server's log has them: 500 subscriptions, unordered transaction ids."""
    return {
        "transaction_id": hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
        "external_subscription_id": f"subscription-{number * 7919 % 500:04}",
        "code": "requests",
        "timestamp": int(START.timestamp()) + number * 104_729 % 2_600_000,
        "properties": {"bytes": number % 65_536, "status": "200", "method": "GET", "path": f"/pages/{number % 977}"},
    }


def requests(way: str, first: int, count: int, size: int) -> list[bytes]:
    """Return the bodies of requests with that many events each: a JSON object for a batch, lines for a stream."""
    bodies = []
    for start in range(first, first + count, size):
        events = [event(number) for number in range(start, start + size)]
        text = json.dumps({"events": events}) if way == BATCH else "\n".join(map(json.dumps, events))
        bodies.append(text.encode())
    return bodies


def copies(_way: str, first: int, count: int, size: int) -> list[tuple[bytes, bytes]]:
    """Return the same events as COPY reads them: keys and events."""
    return [_copy(range(start, start + size)) for start in range(first, first + count, size)]


def _copy(numbers: range) -> tuple[bytes, bytes]:
    keys, rows = [], []
    for number in numbers:
        one = event(number)
        at = START + timedelta(seconds=number * 104_729 % 2_600_000)
        name, subscription = one["transaction_id"], one["external_subscription_id"]
        content = json.dumps(one["properties"])
        keys.append(f"{name}\t{subscription}\t{at}\n")
        digest, value = number * 1_000_003, number % 65_536
        rows.append(f"{name}\t{subscription}\t{name}\trequests\t{at}\t{at}\t{digest}\t7\t{value}\t{content}\n")
    return "".join(keys).encode(), "".join(rows).encode()


def send(batches: Batches, secret: str, way: str) -> None:
    """Take in requests through the view."""
    path = f"/api/v1/events/{way}"
    view, factory = resolve(path).func, RequestFactory()
    for body in batches:
        request = factory.post(path, body, content_type=TYPES[way], headers={"Authorization": f"Bearer {secret}"})
        response = view(request)
        assert response.status_code == 200, response.content


def copy(batches: Batches, secret: str, way: str) -> None:
    """Write finished rows."""
    connection.ensure_connection()
    for keys, rows in batches:  # type: ignore[misc]
        with connection.connection.transaction(), connection.connection.cursor() as cursor:
            with cursor.copy("COPY billing_event_key FROM STDIN") as target:
                target.write(keys)
            with cursor.copy(f"COPY billing_usage_event ({preloading.COLUMNS}) FROM STDIN") as target:
                target.write(rows)


def rate(
    write: Callable[[Batches, str, str], None], shares: Sequence[Batches], secret: str, way: str, count: int
) -> int:
    """Return events per second over all processes, each with its share of the batches."""
    connection.close()  # each process opens its own
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(shares) + 1)
    workers = [context.Process(target=_work, args=(write, share, secret, way, barrier)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(60)
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - started
    assert all(worker.exitcode == 0 for worker in workers)
    return int(count / taken)


def _work(write: Callable[[Batches, str, str], None], share: Batches, secret: str, way: str, barrier: object) -> None:
    write(share[:1], secret, way)
    barrier.wait(60)  # type: ignore[attr-defined]
    write(share[1:], secret, way)
    connection.close()


def main() -> None:
    """Measure, and print rates and shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--preload", type=int, default=0, help="events that are there before")
    options.add_argument("--requests", choices=[f"{way}-{size}" for way, size in SENT], action="append")
    given = options.parse_args()
    at = START
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        secret = api_keys.create(name="benchmark", actor=actors.SYSTEM, at=at).secret
        content = {"code": "requests", "name": "Bytes", "aggregation_type": "sum_agg", "field_name": "bytes"}
        metrics.create(values=content, actor=actors.SYSTEM, at=at)
        if given.preload:
            preloading.fill(BEFORE, given.preload)
        event_partitions.ensure(months=[preloading.MAY])
        for way, size in SENT:
            if not given.requests or f"{way}-{size}" in given.requests:
                measure(given, way, size, secret)
    finally:
        connection.creation.destroy_test_db(_configured, verbosity=0)


_configured = connection.settings_dict["NAME"]
_numbers = itertools.count(0, 10_000_000)


def measure(given: argparse.Namespace, way: str, size: int, secret: str) -> None:
    """Measure one endpoint and number of events per request, and print a line."""
    per_process = given.events // given.processes // size * size
    count = per_process * given.processes
    rates = {"view": [], "copy": []}  # type: ignore[var-annotated]
    for _ in range(given.rounds):
        for name, write, make in (("copy", copy, copies), ("view", send, requests)):
            if not given.preload:
                with connection.cursor() as cursor:
                    cursor.execute("TRUNCATE billing_usage_event, billing_event_key")
            wanted = per_process + size  # one request each to get warm
            batches = [make(way, next(_numbers), wanted, size) for _ in range(given.processes)]
            rates[name].append(rate(write, batches, secret, way, count))
    view, bare = (int(statistics.median(rates[name])) for name in ("view", "copy"))
    print(
        f"{way:<6} of {size:>6}, {given.processes} process(es): view {view:>7,} events/s"
        f"  COPY {bare:>7,} events/s  share {view / bare:.2f}",
        flush=True,
    )
    into = f" into {given.preload:,}" if given.preload else ""
    print(f"RATIO {way} of {size:,} events{into}, share of COPY | {view / bare:.2f}")


if __name__ == "__main__":
    sys.exit(main())
