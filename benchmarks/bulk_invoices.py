"""How many invoices a billing run makes in a second, as a share of what bare SQL writes of the same rows.

    PYTHONPATH=. .venv/bin/python benchmarks/bulk_invoices.py [--customers 4000] [--processes 2] [--webhooks]

Makes a database of its own beside the configured one and drops it at the end. Every customer has a subscription with
five charges, and all of them have usage: an invoice has five lines and a tax. A run does what it does at the end of a
month: usage is read and rated with traces, drafts are made in chunks of 500 customers, numbered, frozen, booked in the
ledger, noted in the audit trail, and e-mails are asked for. Drafting and issuing are measured alone as well, of lines
that are there. With ``--webhooks`` an endpoint is told of everything: the events of all invoices are rendered and
written too. The bare sides write the rows of the run once more, into copies of its tables with their indexes: by one
INSERT … SELECT for each table, and by Django's bulk_create of invoices, lines and taxes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

from benchmarks import preloading, rating  # noqa: I001 - it sets Django up

from django.db import connection, transaction
from django.db.models import Model
from moneyed import Money

from billing.models import BilledPeriod, RatedCharge
from billing.services import billing_days
from catalog.models import Tax
from config.kernel import actors
from config.platform.models import AuditEntry, WebhookEndpoint, WebhookEvent
from customers.models import BillingEntity, Customer
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import Delivery, Invoice, InvoiceLine, InvoiceTax, LedgerEntry, LedgerPosting, LineTax
from invoicing.services import invoices

CHUNK = 500
EVENTS_EACH = 10
WRITTEN: tuple[type[Model], ...] = (
    Invoice,
    InvoiceLine,
    LineTax,
    InvoiceTax,
    BilledPeriod,
    RatedCharge,
    LedgerEntry,
    LedgerPosting,
    AuditEntry,
    Delivery,
)
PLAIN: tuple[type[Model], ...] = (Invoice, InvoiceLine, LineTax, InvoiceTax)
COPY = "bench_copy_"


def main() -> None:
    """Measure, and print invoices a second and shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=4000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--webhooks", action="store_true", help="have an endpoint told of everything")
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        prepare(given.customers)
        if given.webhooks:
            WebhookEndpoint.objects.create(created_at=rating.AS_OF, webhook_url="http://receiver.example/")
        ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
        figures = {
            f"a billing run, {given.processes} processes": share(run, ids, given.processes),
            f"drafted and issued alone, {given.processes} processes": share(draft_and_issue, ids, given.processes),
        }
        demand_gapless(2 * given.customers)
        print(f"{WebhookEvent.objects.count()} events for webhooks", flush=True)
        copies()
        written = Invoice.objects.count()
        rows: dict[type[Model], list[Model]] = {model: list(model._base_manager.all()) for model in PLAIN}
        bare = {
            "INSERT … SELECT of all rows, one process": written / rating.taken(insert_select),
            "bulk_create of invoices, lines, taxes, one process": written / rating.taken(lambda: bulk_create(rows)),
        }
        for name, rate in (figures | bare).items():
            print(f"{name:<55}{rate:>9,.0f} invoices/s", flush=True)
        for name, rate in figures.items():
            for base, most in bare.items():
                print(f"RATIO {name}, share of {base} | {rate / most:.2f}", flush=True)
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def prepare(count: int) -> None:
    """Make customers with subscriptions, a tax, and usage of every charge."""
    rating.sell(count)
    tax = Tax.objects.create(code="vat", name="VAT", rate=Decimal("0.19"))
    seller = BillingEntity.objects.get(code="seller")
    seller.taxes.add(tax)
    BillingEntity.objects.update(email_settings=["invoice.finalized"], document_numbering="per_billing_entity")
    Customer.objects.update(email="billing@customer.example")
    events = rating.EVENTS.format(subscriptions=count, codes="','".join(rating.CODES))
    preloading.fill(events, count * EVENTS_EACH)


def share(work: Callable[[Sequence[int]], None], ids: Sequence[int], processes: int) -> float:
    """Let processes do their share of the chunks at the same time, and return invoices a second."""
    chunks = [ids[first : first + CHUNK] for first in range(0, len(ids), CHUNK)]
    connection.close()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(processes + 1)
    running = [
        context.Process(target=_process, args=(work, chunks[number::processes], gate)) for number in range(processes)
    ]
    for process in running:
        process.start()
    gate.wait()
    started = time.perf_counter()
    for process in running:
        process.join()
    seconds = time.perf_counter() - started
    if any(process.exitcode for process in running):
        raise SystemExit("a process failed")
    return len(ids) / seconds


def _process(work: Callable[[Sequence[int]], None], chunks: Sequence[Sequence[int]], gate: object) -> None:
    connection.connect()
    gate.wait()  # type: ignore[attr-defined]
    for chunk in chunks:
        work(chunk)
    connection.close()


def run(customer_ids: Sequence[int]) -> None:
    """Bill May of some customers, as a billing run does."""
    made = billing_days.bill_customers(
        customer_ids=customer_ids, as_of=rating.AS_OF, catch_up=False, actor=actors.SYSTEM
    )
    if len(made.invoices) != len(customer_ids):
        raise SystemExit(f"{len(made.invoices)} invoices for {len(customer_ids)} customers")


@transaction.atomic
def draft_and_issue(customer_ids: Sequence[int]) -> None:
    """Draft invoices of lines that are there, and issue them."""
    seller = BillingEntity.objects.values_list("pk", flat=True).get()
    drafted = invoices.draft_many(
        specs=[_spec(customer, seller) for customer in customer_ids], actor=actors.SYSTEM, at=rating.AS_OF
    )
    invoices.finalize_many(invoice_ids=[draft.invoice.pk for draft in drafted], actor=actors.SYSTEM, at=rating.AS_OF)


def _spec(customer_id: int, seller_id: int) -> InvoiceSpec:
    return InvoiceSpec(
        customer_id=customer_id,
        billing_entity_id=seller_id,
        currency="EUR",
        timezone="UTC",
        billed_at=rating.AS_OF,
        lines=tuple(_lines()),
    )


def _lines() -> Iterator[LineSpec]:
    for code in rating.CODES:
        yield LineSpec(
            kind="charge",
            item_code=code,
            item_name=code.title(),
            label=code.title(),
            units=Decimal(1000),
            unit_amount=Decimal("0.0123"),
            precise_amount=Decimal("12.3"),
            amount=Money(Decimal("12.30"), "EUR"),
            from_at=rating.START,
            to_at=rating.END,
            charge_model="standard",
            group_key="subscription",
            group_label="Pro",
        )


def demand_gapless(count: int) -> None:
    """Stop unless the numbers go from 1 to the count of invoices without a gap."""
    numbers = sorted(Invoice.objects.filter(number__isnull=False).values_list("sequential_id", flat=True))
    if numbers != list(range(1, count + 1)):
        raise SystemExit(f"{len(numbers)} numbers for {count} invoices, or gaps between them")


def copies() -> None:
    """Make empty copies of the tables, with their indexes and checks, without triggers and foreign keys."""
    with connection.cursor() as cursor:
        for model in WRITTEN:
            table = model._meta.db_table
            cursor.execute(f"CREATE TABLE {COPY}{table} (LIKE {table} INCLUDING ALL)")


def insert_select() -> None:
    """Write the rows of the run once more, by one statement for each table, and take them away again."""
    with connection.cursor() as cursor, transaction.atomic():
        for model in WRITTEN:
            table = model._meta.db_table
            cursor.execute(f"INSERT INTO {COPY}{table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}")
        transaction.set_rollback(True)


def bulk_create(rows: dict[type[Model], list[Model]]) -> None:
    """Write invoices, lines and taxes once more by bulk_create, in chunks, and take them away again."""
    with transaction.atomic():
        for model, found in rows.items():
            table, model._meta.db_table = model._meta.db_table, COPY + model._meta.db_table
            try:
                model._base_manager.bulk_create(found, batch_size=CHUNK)
            finally:
                model._meta.db_table = table
        transaction.set_rollback(True)


if __name__ == "__main__":
    sys.exit(main())
