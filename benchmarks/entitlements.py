"""How long a product waits to know what its customer may use, beside bare SQL that reads the same rows in the same run.

    PYTHONPATH=. .venv/bin/python benchmarks/entitlements.py [--subscriptions 10000] [--features 20] [--requests 2000]

Makes a database of its own beside the configured one and drops it at the end. Subscriptions share plans that give
features of three privileges each; every fourth has agreed other values. Requests go through Django's test client:
authentication, view, query and JSON, no web server and no network. Full answers, answers to a known ETag and bare
statements take turns, so that a busy moment does not decide.
"""

from __future__ import annotations

import argparse
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

import time_machine  # noqa: E402 - Django is set up first
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from billing.models import Subscription  # noqa: E402
from billing.services import entitlements  # noqa: E402
from catalog.models import PlanVersion  # noqa: E402
from catalog.services import features, plan_entitlements, plans  # noqa: E402
from config.kernel import actors  # noqa: E402
from config.platform.services import api_keys  # noqa: E402
from customers.services import billing_entities, customers  # noqa: E402

START, NOW = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC)
PLANS = 5
PRIVILEGES = (
    {"code": "max", "value_type": "integer"},
    {"code": "root", "value_type": "boolean"},
    {"code": "sso", "value_type": "select", "config": {"select_options": ["google", "okta"]}},
)

BARE = """
SELECT feature.code, privilege.code, value.value FROM billing_subscription subscription
JOIN catalog_planversion version ON version.id = subscription.plan_version_id
JOIN catalog_planentitlement given ON given.plan_id = version.plan_id
JOIN catalog_feature feature ON feature.id = given.feature_id
JOIN catalog_planprivilege value ON value.entitlement_id = given.id
JOIN catalog_privilege privilege ON privilege.id = value.privilege_id
WHERE subscription.external_id = %s AND subscription.status = 'active'"""


def main() -> None:
    """Measure, and print milliseconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--subscriptions", type=int, default=10_000)
    options.add_argument("--features", type=int, default=20, help="on each plan")
    options.add_argument("--requests", type=int, default=2000, help="of each kind")
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with time_machine.travel(NOW, tick=True):
            secret = api_keys.create(name="benchmark", actor=actors.SYSTEM, at=START).secret
            fill(given.subscriptions, given.features)
            client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {secret}"})
            measure(client, given)
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def fill(subscriptions: int, count: int) -> None:
    """Make features, plans that give them, and subscriptions."""
    codes = [f"feature-{number}" for number in range(count)]
    for code in codes:
        features.create(values={"code": code, "privileges": PRIVILEGES}, actor=actors.SYSTEM, at=START)
    for number in range(PLANS):
        code = f"plan-{number}"
        content = {"code": code, "name": code, "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
        plans.create(values=content, actor=actors.SYSTEM, at=START)  # type: ignore[arg-type]
        asked = {code: {"max": number, "root": True, "sso": "okta"} for code in codes}
        plan_entitlements.replace(code=code, asked=asked, actor=actors.SYSTEM, at=START)
    billing_entities.create(
        values={"code": "seller", "name": "Seller", "default_currency": "EUR"}, actor=actors.SYSTEM, at=START
    )
    customer = customers.upsert(
        values={"external_id": "customer", "name": "Customer", "currency": "EUR"}, actor=actors.SYSTEM, at=START
    )
    versions = list(PlanVersion.objects.order_by("pk"))
    Subscription.objects.bulk_create(
        Subscription(
            customer=customer,
            plan_version=versions[number % PLANS],
            external_id=f"subscription-{number}",
            status=Subscription.Status.ACTIVE,
            subscription_at=START,
            started_at=START,
            next_billing_date=NOW.date(),
            created_at=START,
            updated_at=START,
        )
        for number in range(subscriptions)
    )
    for number in range(0, min(subscriptions, 400), 4):
        asked = {codes[number % count]: {"max": 1000 + number, "root": False}}
        entitlements.merge(
            external_id=f"subscription-{number}", status="active", asked=asked, actor=actors.SYSTEM, at=START
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(client: Client, given: argparse.Namespace) -> None:
    """Take turns, and print a line for each kind."""
    figures: dict[str, list[float]] = {"full answer": [], "known ETag": [], "bare SQL": []}
    size = 0
    for turn in range(-20, given.requests):
        name = f"subscription-{turn * 7919 % min(given.subscriptions, 400)}"
        path = f"/api/v1/subscriptions/{name}/entitlements"
        response = client.get(path)
        assert response.status_code == 200, response.content
        assert len(response.json()["entitlements"]) == given.features
        size = len(response.content)
        etag = response["ETag"]
        works: dict[str, Callable[[], object]] = {
            "full answer": lambda path=path: client.get(path),
            "known ETag": lambda path=path, etag=etag: client.get(path, headers={"If-None-Match": etag}),
            "bare SQL": lambda name=name: bare(name),
        }
        for kind, work in works.items():
            took = taken(work)
            if turn >= 0:  # the first ones warm up
                figures[kind].append(took)
    print(
        f"{given.subscriptions:,} subscriptions, {given.features} features of 3 privileges each, {size:,} bytes, "
        f"{given.requests} requests of each kind, in milliseconds"
    )
    middle = {}
    for kind, found in figures.items():
        middle[kind], most = spread(found)
        print(f"{kind:<12} p50 {middle[kind]:6.2f}  p99 {most:6.2f}")
    ratio = middle["full answer"] / middle["bare SQL"]
    print(f"RATIO entitlements: the API's median, multiple of bare SQL | {ratio:.2f}")
    print(f"RATIO entitlements: the API's p99 in milliseconds | {spread(figures['full answer'])[1]:.1f}")


def bare(name: str) -> None:
    """Read the plan's values with one plain statement."""
    with connection.cursor() as cursor:
        cursor.execute(BARE, [name])
        cursor.fetchall()


def taken(work: Callable[[], object]) -> float:
    """Return the milliseconds that something takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def spread(found: Sequence[float]) -> tuple[float, float]:
    """Return the middle one, and that which one in a hundred exceeds."""
    ordered = sorted(found)
    return statistics.median(ordered), ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]


if __name__ == "__main__":
    sys.exit(main())
