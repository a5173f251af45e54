"""A rehearsal as a file: every invoice with its difference by cause, its flags, and what failed or was left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from billing.admin import rehearsal_outlook
from billing.admin import rehearsal_words as words
from billing.domain.bill_differences import Cause
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import rehearsal_outlook as outlook
from config.kernel import money
from config.platform.admin import table_files
from config.platform.services import spreadsheets
from config.platform.services.spreadsheets import Column, FileFormat, Kind

_CHUNK = 500
COLUMNS = (
    Column("Customer"),
    Column("Customer id"),
    Column("Billing entity"),
    Column("Billing day", Kind.DAY),
    Column("Purchase order"),
    Column("Currency"),
    Column("Last period", Kind.MONEY),
    Column("This run", Kind.MONEY),
    Column("Difference", Kind.MONEY),
    *(Column(f"Difference: {words.CAUSE[cause].lower()}", Kind.MONEY) for cause in Cause),
    Column("Before tax", Kind.MONEY),
    Column("Tax", Kind.MONEY),
    Column("To be paid", Kind.MONEY),
    Column("Agreed recurring", Kind.MONEY),
    Column("Flags"),
    Column("State"),
    Column("Reason"),
)


def response(request: HttpRequest, rehearsal: Rehearsal) -> HttpResponseBase:
    """Answer with the file: a workbook where the address asks for ``format=xlsx``, else CSV. Read row by row."""
    chosen = FileFormat.XLSX if request.GET.get("format") == FileFormat.XLSX else FileFormat.CSV
    pieces = spreadsheets.write(
        columns=COLUMNS, rows=rows(rehearsal), file_format=chosen, title=f"Rehearsal {rehearsal.pk}"
    )
    return table_files.answer(pieces, name=f"rehearsal-{rehearsal.pk}", file_format=chosen)


def rows(rehearsal: Rehearsal) -> Iterator[tuple[object, ...]]:
    """Yield all of its rows in the order in which they were computed. Amounts are in the row's currency."""
    stored = RehearsedInvoice.objects.filter(rehearsal=rehearsal).select_related("customer", "billing_entity")
    found = outlook.with_parked_since(stored)
    for row in found.defer("lines", "previous_lines", "inputs").order_by("pk").iterator(chunk_size=_CHUNK):
        yield _row(row)


def _row(row: Any) -> tuple[object, ...]:
    return (
        row.customer.display_name,
        row.customer.external_id,
        "" if row.billing_entity is None else row.billing_entity.name,
        row.billing_date,
        row.purchase_order_number,
        row.currency,
        row.previous_amount,
        row.total_amount,
        row.difference_amount,
        *(money.from_minor(row.causes[one], row.currency) if row.causes.get(one) else None for one in Cause),
        row.subtotal_amount,
        row.tax_amount,
        row.due_amount,
        row.expected_amount,
        "; ".join(flag["says"] for flag in row.flags),
        row.error_code.replace("_", " ") or (rehearsal_outlook.SINCE if row.parked_since else "invoice"),
        row.error,
    )
