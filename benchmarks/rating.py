"""How long rating a month takes, as a multiple of what bare SQL takes for the same sums in the same run.

    PYTHONPATH=. .venv/bin/python benchmarks/rating.py [--subscriptions 1000] [--events 1000000] [--rounds 3]

Makes a database of its own beside the configured one and drops it at the end. Every subscription has five charges:
a count, two sums and two maxima of events that are spread evenly over all of them. Measured are reading the usage, in
chunks of BILLING_RUN_CHUNK customers as a billing run does, and rating it with amounts and traces; the bare statement
counts, sums and takes maxima of all the events in one GROUP BY. Latest values and unique counts of the same events are
set against the statement that one would write first. At the end the billing run itself is made, with its invoices.
With ``--subscriptions 10000 --events 10000000`` it takes some fifteen minutes and six gigabytes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django is set up first
from django.db import connection  # noqa: E402

from benchmarks import preloading  # noqa: E402
from billing.domain import dues  # noqa: E402
from billing.domain.standing import Due  # noqa: E402
from billing.models import Subscription  # noqa: E402
from billing.queries import aggregates, contracts  # noqa: E402
from billing.queries.contracts import Contract  # noqa: E402
from billing.queries.event_windows import Window  # noqa: E402
from billing.services import bills, runs, subscriptions  # noqa: E402
from billing.services.subscriptions import NewSubscription  # noqa: E402
from catalog.domain.metrics import Aggregation  # noqa: E402
from catalog.services import metrics, plans  # noqa: E402
from config.kernel import actors  # noqa: E402
from customers.models import Customer  # noqa: E402
from customers.services import billing_entities, customers  # noqa: E402

START, END = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
METRICS = (
    ("requests", "count_agg"),
    ("egress", "sum_agg"),
    ("ingress", "sum_agg"),
    ("seats", "max_agg"),
    ("storage", "max_agg"),
)
CODES = [code for code, _ in METRICS]

# Event n is of a subscription and a code that take turns, at an instant that does not follow from them.
EVENTS = """
SELECT gen_random_uuid(), 'subscription-' || (n % {subscriptions}), 'event-' || n,
    (ARRAY['{codes}'])[1 + (n / {subscriptions}) % 5],
    '2026-05-01 00:00+00'::timestamptz + (n * 104729 % 2600000) * interval '1 second', '2026-05-01 00:00+00',
    n * 1000003, hashtextextended('bytes', 0), n % 65536,
    jsonb_build_object('bytes', n % 65536, 'path', '/pages/' || n % 977)
FROM generate_series({{first}}::bigint, {{last}}) AS n"""

IN_MAY = """FROM billing_usage_event
WHERE "timestamp" >= '2026-05-01 00:00+00' AND "timestamp" < '2026-06-01 00:00+00' AND replaced_at IS NULL"""
SUMS = f"SELECT external_subscription_id, code, count(*), sum(value), max(value) {IN_MAY} GROUP BY 1, 2"
NAIVE = {
    Aggregation.LATEST: f"""SELECT DISTINCT ON (external_subscription_id) external_subscription_id, value {IN_MAY}
        AND code = 'egress' ORDER BY external_subscription_id, "timestamp" DESC, transaction_id DESC""",
    Aggregation.UNIQUE_COUNT: f"""SELECT external_subscription_id, count(DISTINCT properties ->> 'path') {IN_MAY}
        AND code = 'egress' GROUP BY 1""",
}

Wanted = list[tuple[Contract, Due]]


def main() -> None:
    """Measure, and print seconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--subscriptions", type=int, default=1000)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        sell(given.subscriptions)
        events = EVENTS.format(subscriptions=given.subscriptions, codes="','".join(CODES))
        preloading.fill(events, given.events)
        print(f"{given.subscriptions:,} subscriptions × {len(METRICS)} charges, {given.events:,} events, in seconds")
        chunks = [wanted(ids) for ids in customer_chunks()]
        before = peak()
        compare(
            "sums, counts, maxima",
            given.rounds,
            lambda: bare(SUMS),
            {
                "usage read": lambda: [aggregates.usage(windows=windows_of(chunk)) for chunk in chunks],
                "rated": lambda: [bills.rate(wanted=chunk) and None for chunk in chunks],
            },
        )
        print(f"  {peak() - before} MB more memory at the peak, {before} MB before")
        for kind, sql in NAIVE.items():
            field = "path" if kind is Aggregation.UNIQUE_COUNT else "bytes"
            compare(
                kind.value,
                given.rounds,
                lambda sql=sql: bare(sql),  # type: ignore[misc]
                {"usage read": lambda kind=kind, field=field: read_alone(chunks, kind, field)},  # type: ignore[misc]
            )
        before = peak()
        seconds = taken(lambda: runs.run(as_of=AS_OF, trigger="manual", actor=actors.SYSTEM))
        each = seconds / given.subscriptions * 1000
        print(f"the billing run, with invoices: {seconds:.1f}, {each:.1f} ms each, {peak() - before} MB more memory")
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def sell(count: int) -> None:
    """Make customers with a subscription each that pay for five metrics."""
    charges = []
    for code, kind in METRICS:
        content = {"code": code, "name": code.title(), "aggregation_type": kind}
        metric = metrics.create(
            values=content if kind == "count_agg" else {**content, "field_name": "bytes"}, actor=actors.SYSTEM, at=START
        )
        charges.append(
            {"billable_metric_id": metric.uuid, "charge_model": "standard", "properties": {"amount": "0.0002"}}
        )
    terms = {"code": "pro", "name": "Pro", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    plans.create(values={**terms, "charges": charges}, actor=actors.SYSTEM, at=START)
    seller = {"code": "seller", "name": "Seller", "default_currency": "EUR"}
    billing_entities.create(values=seller, actor=actors.SYSTEM, at=START)
    one = {"external_id": "customer-0", "name": "Customer", "currency": "EUR"}
    customers.upsert(values=one, actor=actors.SYSTEM, at=START)
    new = NewSubscription(external_customer_id="customer-0", plan_code="pro", external_id="subscription-0")
    subscriptions.create(new=new, actor=actors.SYSTEM, at=START)
    # The others are copies: making each of them by the services would take longer than all that is measured.
    buyers = Customer.objects.bulk_create(_copies(Customer.objects.get(), count), batch_size=1000)
    found = list(_copies(Subscription.objects.get(), count))
    for buyer, subscription in zip(buyers, found, strict=True):
        subscription.customer = buyer
    Subscription.objects.bulk_create(found, batch_size=1000)


def _copies(row: Any, count: int) -> Iterator[Any]:
    name = row.external_id.removesuffix("0")
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    for number in range(1, count):
        values |= {"id": None, "uuid": uuid.uuid4(), "external_id": f"{name}{number}"}
        if "slug" in values:
            values |= {"sequential_id": number + 1, "slug": f"copy-{number}"}
        yield type(row)(**values)


def customer_chunks() -> Iterator[list[int]]:
    """Yield the customers that are due, in the chunks in which a billing run takes them."""
    rest = contracts.due_customers(as_of=AS_OF)
    while chunk := list(islice(rest, settings.BILLING_RUN_CHUNK)):
        yield chunk


def wanted(customer_ids: list[int]) -> Wanted:
    """Return what is due of some customers."""
    found = contracts.of_customers(customer_ids=customer_ids, as_of=AS_OF)
    return [(one, due) for one in found for due in dues.due(one.standing, as_of=AS_OF, catch_up=False, billed=())]


def windows_of(chunk: Wanted) -> list[Window]:
    """Return the windows of all charges of a chunk."""
    return [
        _window(contract, code, Aggregation(kind), "" if kind == "count_agg" else "bytes")
        for contract, _ in chunk
        for code, kind in METRICS
    ]


def read_alone(chunks: list[Wanted], kind: Aggregation, field: str) -> None:
    """Read one metric of every subscription."""
    for chunk in chunks:
        aggregates.usage(windows=[_window(contract, "egress", kind, field) for contract, _ in chunk])


def _window(contract: Contract, code: str, kind: Aggregation, field: str) -> Window:
    return Window((contract.external_id, code), kind, contract.external_id, code, field, START, END)


def bare(sql: str) -> None:
    """Run a statement and fetch what it answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def compare(label: str, rounds: int, base: Callable[[], object], ways: dict[str, Callable[[], object]]) -> None:
    """Let the ways take turns with bare SQL, and print the middle ones of the rounds."""
    figures: dict[str, list[float]] = {name: [] for name in ("bare SQL", *ways)}
    for _ in range(rounds):
        figures["bare SQL"].append(taken(base))
        for name, way in ways.items():
            figures[name].append(taken(way))
    middle = {name: statistics.median(found) for name, found in figures.items()}
    print(f"{label:<24}" + "  ".join(f"{name} {seconds:.2f}" for name, seconds in middle.items()), flush=True)
    for name in ways:
        print(f"RATIO {label}: {name}, multiple of bare SQL | {middle[name] / middle['bare SQL']:.2f}", flush=True)


def taken(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak() -> int:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
