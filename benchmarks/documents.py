"""How many one-page invoices a warm worker renders in a second, and how long one of 2,000 lines takes.

    PYTHONPATH=. .venv/bin/python benchmarks/documents.py [--rounds 20]

Makes a database of its own beside the configured one and drops it at the end. The page is a German invoice with a logo,
five lines, of which one has two tiers, a tax and bank details; measured is all from reading the rows to the bytes of
the PDF, in seconds of processor time of this one process, the best of the rounds. The long invoice has 2,000 lines of
usage, and its annex is made too.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.db import connection  # noqa: E402 - Django is set up first

from customers.models import Customer  # noqa: E402
from invoicing.models import Invoice  # noqa: E402
from invoicing.services import document_annexes, document_pages, document_pdf, document_views  # noqa: E402
from tests.factories import documents as factory  # noqa: E402
from tests.factories.documents import LineRow  # noqa: E402

LINES = 2000
TIERS = {
    "graduated_ranges": [
        {
            "from_value": first,
            "to_value": last,
            "flat_unit_amount": "0",
            "per_unit_amount": price,
            "units": units,
            "per_unit_total_amount": amount,
        }
        for first, last, price, units, amount in ((0, 1000, "0.02", "1000", "20"), (1001, None, "0.01", "500", "5"))
    ]
}


def main() -> None:
    """Measure, and print pages a second and seconds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=20)
    given = options.parse_args()
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        customer = factory.buyer(factory.seller())
        page, long = one_page(customer), long_one(customer)
        best(page, 2)  # reads style sheet and fonts
        each = best(page, given.rounds)
        print(f"one page: {each * 1000:.0f} ms, {1 / each:.1f} a second and core", flush=True)
        seconds = best(long, 3)
        print(f"{LINES:,} lines with their annex: {seconds:.2f} s", flush=True)
        print(f"RATIO {LINES:,} lines, multiple of one page | {seconds / each:.1f}", flush=True)
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def one_page(customer: Customer) -> Invoice:
    """Make an invoice of one page."""
    tiered = LineRow("API requests", "25.00", units="1500", charge_model="graduated", details=TIERS)
    plain = [LineRow(f"Service {number}", "49.00", unit_amount="49") for number in range(4)]
    return factory.finalized(customer, [*plain, tiered], number="NOR-202606-001")


def long_one(customer: Customer) -> Invoice:
    """Make an invoice with a line of usage for each of many regions."""
    rows = [
        LineRow(f"API requests – region: {number}", "25.00", units="1500", charge_model="graduated", details=TIERS)
        for number in range(LINES)
    ]
    return factory.finalized(customer, rows, number="NOR-202606-002")


def best(invoice: Invoice, rounds: int) -> float:
    """Return the fewest seconds of processor time that the documents of an invoice took."""
    return min(_seconds(invoice.pk) for _ in range(rounds))


def _seconds(invoice_id: int) -> float:
    started = time.process_time()
    invoice = document_views.read(invoice_id=invoice_id)
    document_pdf.write(html=document_pages.html(view=document_views.of(invoice=invoice)))
    document_annexes.content(invoice=invoice)
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
