"""Reports of the ledger as files: the rows of trial balance, open items and revenue by month. All of them, where the
page shows the first. Owns their columns and the answer with a file; what they say is the queries'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, StreamingHttpResponse

from config.kernel import errors
from config.platform.admin import table_files
from config.platform.services import spreadsheets
from config.platform.services.spreadsheets import Column, FileFormat, Kind
from customers.models import Customer
from invoicing.admin.ledger_forms import ReportForm
from invoicing.models import Invoice
from invoicing.queries.earned import EarnedMonth
from invoicing.queries.open_items import OpenItem
from invoicing.queries.trial_balance import Row

FORMAT = "as"
"""The name in the address of what a report is written as."""


@dataclass(frozen=True)
class LedgerSheet:
    """A report's rows under their columns; ``name`` is that of the file."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]


def trial_balance(rows: Sequence[Row]) -> LedgerSheet:
    """Write a row for each account and currency. Nothing is summed: it comes to zero in each currency."""
    columns = [
        *(Column(label) for label in ("Account", "Name", "Type", "Currency")),
        *(Column(label, Kind.MONEY) for label in ("Opening", "Debits", "Credits", "Closing")),
    ]
    found = [
        (row.code, row.name, row.type, row.currency, row.opening, row.debits, row.credits, row.closing) for row in rows
    ]
    return LedgerSheet("trial-balance", columns, found)


def open_items(items: Sequence[OpenItem]) -> LedgerSheet:
    """Write every open item, the longest due first. Two statements name invoices and customers."""
    customers = Customer.objects.in_bulk({item.customer_id for item in items if item.customer_id})
    invoices = Invoice.objects.filter(pk__in={item.invoice_id for item in items if item.invoice_id})
    numbers = dict(invoices.values_list("pk", "number"))
    columns = [
        *(Column(label) for label in ("Item", "Customer", "External id")),
        Column("Date", Kind.DAY),
        Column("Due", Kind.DAY),
        Column("Currency"),
        Column("Disputed", Kind.MONEY, summed=True),
        Column("Open", Kind.MONEY, summed=True),
    ]
    found = []
    for item in items:
        customer = customers.get(item.customer_id) if item.customer_id else None
        found.append(
            (
                (numbers.get(item.invoice_id) if item.invoice_id else None) or item.description,
                "" if customer is None else customer.display_name,
                "" if customer is None else customer.external_id,
                item.issued_on,
                item.due_on,
                item.amount.currency.code,
                item.disputed or None,
                item.amount,
            )
        )
    return LedgerSheet("open-items", columns, found)


def revenue(rows: Sequence[EarnedMonth]) -> LedgerSheet:
    """Write a row for each month and currency."""
    columns = [
        Column("Month", Kind.DAY),
        Column("Currency"),
        *(
            Column(label, Kind.MONEY, summed=True)
            for label in ("Net revenue", "Given credits in it", "Tax", "Received")
        ),
    ]
    found = [(row.month, row.currency, row.revenue, row.promotion, row.tax, row.received) for row in rows]
    return LedgerSheet("revenue-by-month", columns, found)


def links(form: ReportForm) -> tuple[Mapping[str, str], ...]:
    """Return a button for each kind of file, of what the form asks for."""
    asked = {name: value for name, value in form.data.items() if name in form.fields and value}
    return tuple({"title": one.name, "path": f"?{urlencode({**asked, FORMAT: one.value})}"} for one in FileFormat)


def answer(
    request: HttpRequest, form: ReportForm, sheet: Callable[[ReportForm], LedgerSheet]
) -> StreamingHttpResponse | None:
    """Answer with the file that the address asks for; with nothing where it asks for none, or the form refuses."""
    wanted = request.GET.get(FORMAT, "")
    if wanted not in {one.value for one in FileFormat} or not form.is_valid():
        return None
    file_format = FileFormat(wanted)
    try:
        found = sheet(form)
        pieces = spreadsheets.write(
            columns=found.columns, rows=found.rows, file_format=file_format, title=found.name.replace("-", " ")
        )
    except errors.DomainError as refusal:
        form.refuse(refusal)
        return None
    return table_files.answer(pieces, name=found.name, file_format=file_format)
