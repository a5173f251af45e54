"""Statements of customers as files: CSV for programs, PDF for people. Owns their form; the figures are a query's."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.template.loader import render_to_string

from invoicing.domain import ageing
from invoicing.domain.document_formats import Formats
from invoicing.queries.customer_statements import CustomerStatement
from invoicing.services import document_pdf
from invoicing.services.journal_files import amount_text

COLUMNS = (
    "billing_entity",
    "currency",
    "kind",
    "date",
    "due_date",
    "description",
    "amount",
    "balance",
)


_FORMATS = Formats("en")


@dataclass(frozen=True)
class _Row:
    day: str
    due: str
    text: str
    amount: str
    balance: str


@dataclass(frozen=True)
class _Page:
    seller: str
    customer: str
    currency: str
    since: str
    until: str
    opening: str
    closing: str
    credit: str
    prepaid: str
    movements: tuple[_Row, ...]
    items: tuple[_Row, ...]
    ages: tuple[tuple[str, str], ...]


def as_csv(*, statements: Sequence[CustomerStatement]) -> bytes:
    """Return CSV after RFC 4180: a line for the opening, each movement, the closing and each open item."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in statements:
        head = (one.billing_entity.code, one.currency)
        first = one.since.isoformat() if one.since else ""
        writer.writerow((*head, "opening", first, "", "", "", amount_text(one.opening)))
        for movement in one.movements:
            entry, balance = movement.entry, amount_text(movement.balance)
            day = entry.accounting_date.isoformat()
            writer.writerow((*head, "movement", day, "", entry.description, amount_text(movement.amount), balance))
        writer.writerow((*head, "closing", one.until.isoformat(), "", "", "", amount_text(one.closing)))
        for item in one.items:
            days = (item.issued_on.isoformat(), item.due_on.isoformat())
            writer.writerow((*head, "open_item", *days, item.description, amount_text(item.amount), ""))
    return text.getvalue().encode()


def as_pdf(*, statements: Sequence[CustomerStatement]) -> bytes:
    """Return a PDF in English, a page for each seller and currency. Takes about a second."""
    pages = [_page(one) for one in statements]
    return document_pdf.write(html=render_to_string("documents/statement.html", {"pages": pages}))


def _page(one: CustomerStatement) -> _Page:
    money = _FORMATS.money

    def day(value: date | None) -> str:
        return "" if value is None else _FORMATS.day(value)

    return _Page(
        seller=one.billing_entity.legal_name or one.billing_entity.name,
        customer=one.customer.display_name,
        currency=one.currency,
        since=day(one.since),
        until=day(one.until),
        opening=money(one.opening),
        closing=money(one.closing),
        credit=money(one.credit) if one.credit else "",
        prepaid=money(one.prepaid) if one.prepaid else "",
        movements=tuple(
            _Row(day(row.entry.accounting_date), "", row.entry.description, money(row.amount), money(row.balance))
            for row in one.movements
        ),
        items=tuple(
            _Row(day(item.issued_on), day(item.due_on), item.description, money(item.amount), "") for item in one.items
        ),
        ages=tuple((_age(name), money(one.ages[name])) for name in ageing.BUCKETS),
    )


def _age(bucket: str) -> str:
    if bucket == ageing.NOT_DUE:
        return "Not due"
    return f"{bucket.replace('>', 'over ')} days" if bucket[-1:].isdigit() else bucket.capitalize()
