"""How long a customer waits for current usage, as a share of what bare SQL takes for the same figure in the same run.

    PYTHONPATH=. .venv/bin/python benchmarks/current_usage.py [--events 200000] [--own 20000] [--requests 200]

Makes a database of its own beside the configured one and drops it at the end. One subscription with a thousand events
in its month is read among so many events of other subscriptions, first idle, then while another process pours events
in; then a subscription that has many events of its own. Requests go through Django's test client: authentication,
view, queries and JSON, no web server and no network. The bare statement counts and sums the same events by the index,
on the same connection. Requests take turns with bare statements, so that a busy moment does not decide. With
``--events 10000000 --own 1000000`` it takes some ten minutes and six gigabytes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

import msgspec  # noqa: E402 - Django is set up first
import time_machine  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from billing.domain.usage_events import EventIn  # noqa: E402
from billing.services import event_partitions, subscriptions, usage  # noqa: E402
from billing.services.subscriptions import NewSubscription  # noqa: E402
from catalog.services import metrics, plans  # noqa: E402
from config.kernel import actors  # noqa: E402
from config.platform.services import api_keys  # noqa: E402
from customers.services import billing_entities, customers  # noqa: E402

START, NOW = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC)
SUBSCRIPTIONS, FEW = 5000, 1000
POURED = 100

# Finished rows, as ingestion leaves them: value and its source are those that the metric's property has.
FILL = """
INSERT INTO billing_usage_event (
    id, external_subscription_id, transaction_id, code, "timestamp", received_at, properties, value_source, value,
    fingerprint
)
SELECT gen_random_uuid(), {name}, {prefix} || n, 'requests',
    %(start)s::timestamptz + (n * 104729 %% 2592000) * interval '1 second', %(now)s::timestamptz,
    jsonb_build_object('bytes', n %% 65536, 'path', '/pages/' || n %% 977),
    hashtextextended('bytes', 0), n %% 65536, n * 1000003
FROM generate_series({first}::bigint, {last}) AS n"""

BARE = """
SELECT count(*), sum(value), sum(fingerprint) FROM billing_usage_event
WHERE external_subscription_id = %(name)s AND code = 'requests' AND "timestamp" >= %(start)s AND "timestamp" <= %(now)s
    AND replaced_at IS NULL"""


def main() -> None:
    """Measure, and print milliseconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=200_000, help="events of other subscriptions")
    options.add_argument("--own", type=int, default=20_000, help="events of the subscription that has many")
    options.add_argument("--requests", type=int, default=200, help="for each figure")
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with time_machine.travel(NOW, tick=True):
            secret = api_keys.create(name="benchmark", actor=actors.SYSTEM, at=START).secret
            sell()
            fill(given)
            client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {secret}"})
            print(
                f"{given.events + given.own + FEW:,} events, {given.requests} requests for each line, in milliseconds"
            )
            show("few own events, idle", client, "few", given.requests)
            poured = pouring(lambda: show("few own events, loaded", client, "few", given.requests))
            print(f"  meanwhile {poured:,} events/s came in")
            show("many own events, idle", client, "many", max(given.requests // 10, 20))
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def sell() -> None:
    """Make a customer with two subscriptions that pay for bytes and for requests."""
    content = {"code": "bytes", "name": "Bytes", "aggregation_type": "sum_agg", "field_name": "bytes"}
    metric = metrics.create(values={**content, "event_code": "requests"}, actor=actors.SYSTEM, at=START)
    tiers = [
        {"from_value": 0, "to_value": 1_000_000, "per_unit_amount": "0.0002", "flat_amount": "0"},
        {"from_value": 1_000_001, "to_value": None, "per_unit_amount": "0.0001", "flat_amount": "0"},
    ]
    charge = {
        "billable_metric_id": metric.uuid,
        "charge_model": "graduated",
        "properties": {"graduated_ranges": tiers},
    }
    plan = {
        "code": "pro",
        "name": "Pro",
        "interval": "monthly",
        "amount_cents": 0,
        "amount_currency": "EUR",
        "charges": [charge],
    }
    plans.create(values=plan, actor=actors.SYSTEM, at=START)
    billing_entities.create(
        values={"code": "seller", "name": "Seller", "default_currency": "EUR"}, actor=actors.SYSTEM, at=START
    )
    customers.upsert(
        values={"external_id": "customer", "name": "Customer", "currency": "EUR"}, actor=actors.SYSTEM, at=START
    )
    for name in ("few", "many"):
        new = NewSubscription(external_customer_id="customer", plan_code="pro", external_id=name)
        subscriptions.create(new=new, actor=actors.SYSTEM, at=START)


def fill(given: argparse.Namespace) -> None:
    """Write the events, and let the database tidy up as it would in time."""
    event_partitions.ensure(months=[(2026, 5)])
    spread = f"'other-' || (n * 7919 %% {SUBSCRIPTIONS})"
    with connection.cursor() as cursor:
        for name, prefix, count in (
            (spread, "'o-'", given.events),
            ("'few'", "'f-'", FEW),
            ("'many'", "'m-'", given.own),
        ):
            for first in range(1, count + 1, 1_000_000):
                last = min(first + 999_999, count)
                sql = FILL.format(name=name, prefix=prefix, first=first, last=last)
                cursor.execute(sql, {"start": START, "now": NOW})
        cursor.execute("VACUUM ANALYZE billing_usage_event")


def show(label: str, client: Client, name: str, count: int) -> None:
    """Measure one subscription, and print a line."""
    path = f"/api/v1/customers/customer/current_usage?external_subscription_id={name}"
    counted: set[int] = set()

    def ask() -> None:
        response = client.get(path)
        assert response.status_code == 200, response.content
        counted.add(json.loads(response.content)["customer_usage"]["charges_usage"][0]["events_count"])

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(BARE, {"name": name, "start": START, "now": NOW})
            cursor.fetchone()

    for _ in range(3):
        ask()
        bare()
    asked, bared = [], []
    for _ in range(count):
        asked.append(taken(ask))
        bared.append(taken(bare))
    assert len(counted) == 1, "the same events were counted differently"
    api, sql = spread(asked), spread(bared)
    print(
        f"{label:<24} {counted.pop():>9,} events  API p50 {api[0]:7.1f} p99 {api[1]:7.1f}"
        f"  SQL p50 {sql[0]:7.1f} p99 {sql[1]:7.1f}  ratio {api[0] / sql[0]:5.1f} / {api[1] / sql[1]:5.1f}"
        f"  above SQL {api[0] - sql[0]:5.1f}"
    )
    print(f"RATIO current usage, {label}: the API's median, multiple of bare SQL | {api[0] / sql[0]:.2f}")
    print(f"RATIO current usage, {label}: the API's p99 in milliseconds | {api[1]:.1f}")


def taken(work: Callable[[], None]) -> float:
    """Return the milliseconds that something takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def spread(figures: Sequence[float]) -> tuple[float, float]:
    """Return the middle one, and that which one in a hundred exceeds."""
    ordered = sorted(figures)
    return statistics.median(ordered), ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]


def pouring(work: Callable[[], None]) -> int:
    """Do something while another process takes in events, and return how many of them came in a second."""
    connection.close()  # each process opens its own
    context = multiprocessing.get_context("fork")
    stop, count = context.Event(), context.Value("q", 0)
    loader = context.Process(target=_pour, args=(stop, count))
    loader.start()
    started = time.perf_counter()
    try:
        work()
    finally:
        stop.set()
        elapsed = time.perf_counter() - started
        loader.join()
    return int(count.value / elapsed)


def _pour(stop: object, count: object) -> None:
    sent = 0
    while not stop.is_set():  # type: ignore[attr-defined]
        events = [
            EventIn(
                transaction_id=f"poured-{sent + number}",
                external_subscription_id=f"other-{number * 7919 % SUBSCRIPTIONS}",
                code="requests",
                timestamp=NOW,
                properties=msgspec.Raw(b'{"bytes": 512, "path": "/poured"}'),
            )
            for number in range(POURED)
        ]
        usage.ingest(events=events, received_at=NOW)
        sent += POURED
        count.value = sent  # type: ignore[attr-defined]
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
