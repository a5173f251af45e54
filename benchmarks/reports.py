"""How long reports take over many subscriptions and invoices, as a share of what bare SQL takes to read the same rows.

    PYTHONPATH=. .venv/bin/python benchmarks/reports.py [--subscriptions 10000] [--invoices 100000]

Makes a database of its own beside the configured one and drops it at the end. A small company is made by the services;
its rows are then copied by SQL: two subscriptions for each customer, a fifth of them begun within the last year, some
of them ended, a third of them on a dearer plan later; an invoice of two lines for each month, booked in the ledger, all
but one in fifteen paid. Each report is then asked for a year, as its page asks for it. With ``--subscriptions 100000
--invoices 1000000`` it takes some fifteen minutes and eight gigabytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

import time_machine  # noqa: E402 - Django is set up first
from django.db import connection  # noqa: E402
from django.http import QueryDict  # noqa: E402

from billing.admin import reports  # noqa: E402
from billing.admin.report_asked import ReportForm  # noqa: E402
from tests.factories.company import make_company  # noqa: E402

NOW = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)
FAR = 1_000_000
"""Copies have keys from here on."""

SLOW = (
    ("billing_billedperiod", "billing_period_once"),
    ("billing_billedperiod", "billing_usage_once"),
    ("billing_ratedcharge", "billing_rated_once"),
)
"""Constraints that take longer to write than all else."""

BARE = {
    "recurring-revenue": "SELECT count(*), sum(days) FROM billing_billedperiod WHERE to_at > '2025-05-01'",
    "retention": "SELECT count(*), sum(days) FROM billing_billedperiod WHERE to_at > '2024-05-01'",
    "cohorts": "SELECT customer_id, min(issuing_date) FROM invoicing_invoice WHERE status = 'finalized' GROUP BY 1",
    "receivables": "SELECT account_id, currency, sum(amount) FROM invoicing_ledgerposting GROUP BY 1, 2",
    "usage": "SELECT item_code, sum(amount) FROM invoicing_invoiceline WHERE kind = 'charge' GROUP BY 1",
    "customers": "SELECT customer_id, sum(total_amount) FROM invoicing_invoice GROUP BY 1",
}
"""The rows that a report cannot do without, read once."""


def main() -> None:
    """Measure, and print seconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--subscriptions", type=int, default=10_000)
    options.add_argument("--invoices", type=int, default=100_000)
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with time_machine.travel(NOW, tick=True):
            make_company(at=NOW, months=2, customers_count=2, events_a_day=1)
            fill(given.subscriptions, given.invoices)
            measure()
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def measure() -> None:
    """Ask every report for its last year, and the list behind its largest figure."""
    form = ReportForm(QueryDict("currency=EUR&since=2025-06&until=2026-05"), at=NOW)
    if not form.is_valid():
        raise SystemExit(str(form.errors))
    asked = form.asked()
    for report in reports.REPORTS:
        bare = seconds(lambda name=report.name: read(BARE[name]))
        shown = seconds(lambda report=report: report.show(asked))
        behind = [f"{name} {seconds(lambda one=one: one(asked)):.1f} s" for name, one in report.behind.items()]
        print(f"{report.name:<20} {shown:6.2f} s; bare {bare:5.2f} s; behind: {', '.join(behind)}", flush=True)
        print(f"RATIO report of {report.name}, as often as its rows are read | {shown / bare:.1f}", flush=True)
    own = asked.of(customer_id=FAR + 7)
    print(
        f"one customer         {max(seconds(lambda one=one: one.show(own)) for one in reports.REPORTS):6.2f} s at most"
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long the second of two calls takes."""
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read(sql: str) -> list[tuple[object, ...]]:
    """Run a bare statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def fill(subscriptions: int, invoices: int) -> None:
    """Copy the rows of the company. Triggers and foreign keys sleep meanwhile: the copies are right by construction."""
    months = max(invoices // subscriptions, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        for table, name in SLOW:  # they keep rows out, and are read by no report
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    own = _templates()
    first = f"(date '2026-05-01' - interval '1 month' * {months})::date"
    month = f"({first} + interval '1 month' * ((n - 1) % {months}))::date"
    sub = f"((n - 1) / {months} + 1)"
    began = f"CASE WHEN n % 5 = 0 THEN {first} + n % {30 * months} ELSE {first} - 100 END"
    customer = {
        "id": f"{FAR} + n",
        "uuid": "gen_random_uuid()",
        "external_id": "'c' || n",
        "slug": "'C-' || n",
        "sequential_id": f"{FAR} + n",
        "name": "'Customer ' || n",
    }
    copy("customers_customer", own["customer"], subscriptions // 2, customer)
    ended = "CASE WHEN n % 23 = 0 THEN date '2026-05-10' - n % 200 END"
    copy(
        "billing_subscription",
        own["subscription"],
        subscriptions,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "external_id": "'s' || n",
            "customer_id": f"{FAR} + (n + 1) / 2",
            "started_at": began,
            "subscription_at": began,
            "terminated_at": ended,
            "status": f"CASE WHEN ({ended}) IS NULL THEN 'active' ELSE 'terminated' END",
            "next_billing_date": f"CASE WHEN ({ended}) IS NULL THEN date '2026-06-01' END",
        },
    )
    count = months * subscriptions
    amounts = dict.fromkeys(("fees_amount", "total_amount", "paid_amount"), "40 + n % 499") | {"taxes_amount": "0"}
    copy(
        "invoicing_invoice",
        own["invoice"],
        count,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "number": "'BIG-' || n",
            "customer_id": f"{FAR} + ({sub} + 1) / 2",
            "issuing_date": month,
            "payment_due_date": f"{month} + 14",
            "snapshot": "'{}'::jsonb",
            **amounts,
        },
    )
    plan = f"CASE WHEN {sub} % 3 = 0 AND (n - 1) % {months} > {months // 2} THEN {own['dearer']} ELSE {own['plan']} END"
    copy(
        "billing_billedperiod",
        own["period"],
        count,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "subscription_id": f"{FAR} + {sub}",
            "invoice_id": f"{FAR} + n",
            "plan_version_id": plan,
            "billing_date": month,
            "from_at": f"{month} - interval '1 month'",
            "to_at": month,
            "charges_from_at": f"{month} - interval '1 month'",
            "charges_to_at": month,
        },
    )
    line = "((n - 1) / 2 + 1)"
    copy(
        "invoicing_invoiceline",
        own["line"],
        2 * count,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "invoice_id": f"{FAR} + {line}",
            "customer_id": f"{FAR} + ((({line}) - 1) / {months} + 2) / 2",
            "position": "1 + n % 2",
            "kind": "CASE WHEN n % 2 = 0 THEN 'charge' ELSE 'subscription' END",
            "item_code": "'metric_' || n % 7",
            "amount": "20 + n % 250",
        },
    )
    copy(
        "billing_ratedcharge",
        own["rated"],
        2 * count,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "line_id": f"{FAR} + n",
            "subscription_id": f"{FAR} + (({line}) - 1) / {months} + 1",
            "period_id": f"{FAR} + {line}",
            "from_at": "timestamptz '2000-01-01' + interval '1 minute' * n",
            "to_at": "timestamptz '2000-01-01' + interval '1 minute' * (n + 1)",
            "trace": "'{}'::jsonb",
        },
    )
    for far, sides, name in ((FAR, ("receivable", "revenue"), "issued"), (3 * FAR, ("cash", "receivable"), "paid")):
        rows = count if name == "issued" else count - count // 15
        day = month if name == "issued" else f"{month} + n % 40"
        entry = {
            "id": f"{far} + n",
            "uuid": "gen_random_uuid()",
            "fact": f"'{own['facts'][name]}'",
            "source_id": f"{far} + n",
            "customer_id": f"{FAR} + ({sub} + 1) / 2",
            "accounting_date": day,
        }
        copy("invoicing_ledgerentry", own["entry"], rows, entry)
        for place, role in enumerate(sides):
            posting = {
                "id": f"{far} + n + {place * 10 * FAR}",
                "uuid": "gen_random_uuid()",
                "entry_id": f"{far} + n",
                "account_id": str(own["accounts"][role]),
                "invoice_id": f"{FAR} + n" if role == "receivable" else "NULL",
                "currency": "'EUR'",
                "amount": f"{'-' if place else ''}(40 + n % 499)",
            }
            copy("invoicing_ledgerposting", own["posting"], rows, posting)
    read_nothing("VACUUM ANALYZE")
    print(f"{subscriptions:,} subscriptions, {count:,} invoices of {months} months, {2 * count:,} lines", flush=True)


def copy(table: str, template: int, count: int, changed: Mapping[str, str]) -> None:
    """Write copies of a row, n from 1 on, with some columns computed from n."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        columns = [row[0] for row in cursor.fetchall()]
        values = [changed.get(name, f't."{name}"') for name in columns]
        names = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "
            f"FROM {table} t, generate_series(1, {count}) AS n WHERE t.id = {template}"
        )


def read_nothing(sql: str) -> None:
    """Run a statement that answers with nothing."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _templates() -> dict[str, object]:
    """The keys of the rows that are copied: those of the first EUR subscription's."""
    one = lambda sql: read(sql)[0][0]  # noqa: E731 - a word for this list alone
    subscription = one(
        "SELECT s.id FROM billing_subscription s JOIN catalog_planversion v ON v.id = s.plan_version_id "
        "JOIN billing_billedperiod p ON p.subscription_id = s.id JOIN invoicing_invoice i ON i.id = p.invoice_id "
        "WHERE v.currency = 'EUR' AND i.status = 'finalized' AND p.bills_fee ORDER BY s.id LIMIT 1"
    )
    period = one(
        f"SELECT p.id FROM billing_billedperiod p JOIN invoicing_invoice i ON i.id = p.invoice_id "
        f"WHERE p.subscription_id = {subscription} AND p.bills_fee AND i.status = 'finalized' LIMIT 1"
    )
    plan = one(f"SELECT plan_version_id FROM billing_subscription WHERE id = {subscription}")
    copy(
        "catalog_planversion",
        plan,
        1,
        {
            "id": f"{FAR} + n",
            "uuid": "gen_random_uuid()",
            "amount": "t.amount * 2 + 9",
            "number": "t.number + 1",
            "is_current": "false",
        },
    )
    rated = one(f"SELECT min(id) FROM billing_ratedcharge WHERE period_id = {period}")
    entity = one(
        f"SELECT billing_entity_id FROM invoicing_ledgerentry WHERE fact = 'invoice_finalized' AND customer_id = "
        f"(SELECT customer_id FROM billing_subscription WHERE id = {subscription}) LIMIT 1"
    )
    return {
        "subscription": subscription,
        "customer": one(f"SELECT customer_id FROM billing_subscription WHERE id = {subscription}"),
        "period": period,
        "invoice": one(f"SELECT invoice_id FROM billing_billedperiod WHERE id = {period}"),
        "plan": plan,
        "dearer": FAR + 1,
        "rated": rated,
        "line": one(f"SELECT line_id FROM billing_ratedcharge WHERE id = {rated}"),
        "entry": one(f"SELECT min(id) FROM invoicing_ledgerentry WHERE billing_entity_id = {entity}"),
        "posting": one("SELECT min(id) FROM invoicing_ledgerposting"),
        "facts": {"issued": "invoice_finalized", "paid": "payment_received"},
        "accounts": dict(read(f"SELECT role, id FROM invoicing_ledgeraccount WHERE billing_entity_id = {entity}")),
    }


if __name__ == "__main__":
    sys.exit(main())
