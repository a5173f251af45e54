"""How long the admin's lists and the API's take over a million invoices and ten million events, by p50 and p95.

    PYTHONPATH=. .venv/bin/python benchmarks/lists.py [--invoices 1000000] [--events 10000000] [--requests 20]

Makes a database of its own beside the configured one and drops it at the end; with ``--seeded`` it measures what the
configured database has, which an earlier run with ``--keep`` filled. Every list is asked for its first and second page,
for searches, for each of its filters and for each order that it offers, as a person does it in the browser; then come
the pages of the longest objects, the overview, the search, and the lists of the API. Next to the time of a page stands
what its statements took alone; the ratio says how much of the page is not the database. Seeding takes some ten minutes
and eight gigabytes. Measured is the whole answer in this process, without a network.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "CRITICAL")

import django

django.setup()

import time_machine  # noqa: E402 - Django is set up first
from django.apps import apps  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from benchmarks import api_lists, long_lists  # noqa: E402
from benchmarks.reports import FAR, NOW  # noqa: E402
from config.kernel import actors  # noqa: E402
from config.platform.services import api_keys  # noqa: E402
from tests.factories.company import make_company  # noqa: E402

LIMIT = 300
"""Milliseconds that a list may take at p95."""

LONGEST = 20
"""Seconds after which a statement is given up, and its page is an error."""

LONG = 5_000
"""Rows from which on a list is asked in all its ways; shorter ones only for their first page."""

TERMS = ("BIG-77", "Customer 1234", "c4711", "s12", "nobody has this", "C")
"""What people look for: a beginning of a number, a name, ids, nothing, and a letter that very many begin with."""

COPIED = (
    "customers/customer", "invoicing/invoice", "invoicing/payment", "invoicing/creditnote", "invoicing/wallet",
    "invoicing/ledgerentry", "billing/subscription", "billing/contract", "billing/quote",
)  # fmt: skip
"""Objects of which one of the copies is opened."""

FIRST = (
    "catalog/plan", "catalog/billablemetric", "customers/billingentity", "billing/billingrun", "billing/rehearsal",
    "platform/webhookendpoint",
)  # fmt: skip
"""Objects of which the first has very much behind it."""


@dataclass
class Watch:
    """Adds up how long statements take."""

    seconds: float = 0.0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Run a statement and note its time."""
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started


def main() -> None:
    """Seed, measure, and print a table of milliseconds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--invoices", type=int, default=1_000_000)
    options.add_argument("--subscriptions", type=int, default=40_000)
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--requests", type=int, default=20)
    options.add_argument("--only", default="", help="measure only addresses that have this in them")
    options.add_argument("--seeded", action="store_true", help="the configured database has the rows already")
    options.add_argument("--forget", action="store_true", help="count long lists of the API for each request anew")
    options.add_argument("--keep", action="store_true", help="fill the configured, migrated and empty database")
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    is_own = not (given.seeded or given.keep)
    if is_own:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with time_machine.travel(NOW, tick=True):
            if not given.seeded:
                User.objects.create_superuser("measure", "measure@example.com")
                make_company(at=NOW, months=2, customers_count=2, events_a_day=1)
                long_lists.seed(subscriptions=given.subscriptions, invoices=given.invoices, events=given.events)
            setup_test_environment()
            measure(given.requests, given.only, forget=given.forget)
    finally:
        if is_own:
            connection.creation.destroy_test_db(configured, verbosity=0)


def measure(requests: int, only: str, *, forget: bool) -> None:
    """Ask for everything, the slowest last. A setting of tests lets the answers tell which filters a list has."""
    gc.collect()
    gc.freeze()  # as the web processes do
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.filter(is_superuser=True).order_by("pk").first())
    long_lists.read_nothing(f"SET statement_timeout = '{LONGEST}s'")
    wanted = [(address, {}) for address in (*pages(), *lists(client)) if only in address]
    api = [f"/api/v1/{name}" for name in api_lists.addresses()]
    if any(only in address for address in api):
        headers = _api_headers()
        wanted += [(address, headers) for address in api if only in address]
    results = [asked(client, address, requests, said, forget=forget) for address, said in wanted]
    results.sort(key=lambda one: one[1])
    print(f"{'p50':>7} {'p95':>7} {'SQL':>7} {'ratio':>6}  milliseconds of {requests} requests each")
    for address, slow, usual, bare, status in results:
        mark = "  SLOW" if slow > LIMIT else ""
        told = "" if status == 200 else f"  ({status})"
        print(f"{usual:7.0f} {slow:7.0f} {bare:7.0f} {usual / max(bare, 0.1):6.1f}  {address}{told}{mark}")
    good = sum(slow <= LIMIT and status < 400 for _, slow, _, _, status in results)
    print(f"{good} of {len(results)} within {LIMIT} ms")
    print(f"RATIO slowest list at p95, as parts of {LIMIT} ms | {results[-1][1] / LIMIT:.2f}" if results else "")


def asked(
    client: Client, address: str, requests: int, headers: dict[str, str], *, forget: bool
) -> tuple[str, float, float, float, int]:
    """Return the address with p95, p50, the statements' p50, in milliseconds, and the status. A first call warms up."""
    status = client.get(address, headers=headers).status_code
    whole, bare = [], []
    for _ in range(requests):
        if forget:
            cache.clear()
        watch = Watch()
        started = time.perf_counter()
        with connection.execute_wrapper(watch):
            client.get(address, headers=headers).content  # noqa: B018 - reading it renders it
        whole.append((time.perf_counter() - started) * 1000)
        bare.append(watch.seconds * 1000)
    whole.sort()
    bare.sort()
    place = min(requests - 1, int(requests * 0.95))
    return address, whole[place], whole[requests // 2], bare[requests // 2], status


def lists(client: Client) -> Iterator[str]:
    """The addresses of every list, and of long ones the ways in which they can be asked."""
    for model, model_admin in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield address
        answer = client.get(address)
        found = (getattr(answer, "context", None) or {}).get("cl")
        if found is None or rows_of(model._meta.db_table) < LONG:
            continue
        yield f"{address}?p=2"
        if model_admin.search_fields:
            yield from (f"{address}?{urlencode({'q': term})}" for term in TERMS)
        for spec in found.filter_specs:
            yield from (f"{address}?{urlencode(query)}" for query in narrowed(spec))
        for place, name in enumerate(found.list_display):
            if name in found.sortable_by and found.get_ordering_field(name):
                yield from (f"{address}?o={place}", f"{address}?o=-{place}")


def narrowed(spec: Any) -> Iterator[dict[str, str]]:
    """The queries of a filter: its first choices, a day, an amount, or a customer."""
    kind = type(spec).__mro__
    names = {one.__name__ for one in kind}
    if "RangeDateFilter" in names:
        yield {f"{spec.parameter_name}_from": "2026-05-01", f"{spec.parameter_name}_to": "2026-05-03"}
        yield {f"{spec.parameter_name}_to": "2025-01-31"}
    elif "RangeNumericFilter" in names:
        yield {f"{spec.parameter_name}_from": "100", f"{spec.parameter_name}_to": "101"}
    elif "AutocompleteSelectFilter" in names:
        yield {spec.lookup_kwarg: str(FAR + 77)}
    elif "TextFilter" in names:
        yield {spec.parameter_name: "s77"}
    else:
        name = getattr(spec, "parameter_name", None) or spec.lookup_kwarg
        choices = list(getattr(spec, "lookup_choices", ())) or list(
            getattr(spec.__dict__.get("field"), "flatchoices", ())
        )
        yield from ({name: str(value)} for value, *_ in choices[:12])


def rows_of(table: str) -> int:
    """How many rows a table has, as the planner believes; partitions together."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0) FROM pg_class c WHERE c.oid = to_regclass(%s) "
            "OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%s))",
            [table, table],
        )
        return int(cursor.fetchone()[0])


def pages() -> Iterator[str]:
    """The overview with its pieces, the search, and the pages of what has most behind it."""
    yield "/admin/"
    yield from (f"/admin/overview/{piece}" for piece in ("money/", "recurring/?currency=EUR", "running/"))
    yield "/admin/billing/usageevent/counts/"
    yield "/admin/billing/usageevent/counts/?code=requests"
    yield from (f"/admin/search/?{urlencode({'q': term})}" for term in TERMS)
    yield f"/admin/customers/customer/{long_lists.LARGEST}/change/"
    for kind in COPIED:
        yield f"/admin/{kind}/{FAR + 77}/change/"
    for kind in FIRST:
        first = apps.get_model(kind.replace("/", "."))._default_manager.order_by("pk").first()
        if first is not None:
            yield f"/admin/{kind}/{first.pk}/change/"


def _api_headers() -> dict[str, str]:
    key = api_keys.create(name="measure", actor=actors.SYSTEM, at=NOW, rate_limit=1_000_000)
    return {"Authorization": f"Bearer {key.secret}"}


if __name__ == "__main__":
    sys.exit(main())
