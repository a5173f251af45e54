"""The annex of a long invoice: a table of every line and the parts of its amount, for what its document puts together.

Owns the file's columns and what a folded row of the document says. Columns are only ever added at the end. Figures are
plain decimals, whatever the language; days are local to the invoice. The lines add up to the document's subtotal.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils import translation

from config.kernel import dates, money
from invoicing.domain import document_breakdown, document_files, document_folding, document_language
from invoicing.domain.document_folding import Folded
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Line
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import document_words

COLUMNS = (
    "invoice",
    "line",
    "row",
    "contract_id",
    "contract",
    "item_code",
    "item",
    "label",
    "description",
    "first_day",
    "last_day",
    "units",
    "unit_price",
    "rate",
    "amount",
    "tax_rate",
    "tax_amount",
    "part_amount",
    "currency",
)
# A spreadsheet takes what begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int
Row = dict[str, Cell]


def file_name(*, invoice: Invoice) -> str:
    """Return the name under which the annex is handed to people: `ACME-202605-001.csv`."""
    return f"{document_files.stem(invoice.number or f'draft-{invoice.pk}')}.csv"


def fold(*, lines: Sequence[InvoiceLine]) -> Folded:
    """Return how the document of an invoice with these lines shows them."""
    return document_folding.fold(rows=[_fold_row(line) for line in lines])


def content(*, invoice: Invoice) -> bytes | None:
    """Return the annex of an invoice, nothing where its document shows everything.

    CSV after RFC 4180 in UTF-8 with its mark. A row `line` is a line; `part` rows below it are the parts of its amount,
    unrounded, and `units` rows its units told apart. Labels are in the language of the document. Reads lines and seller
    as they were frozen, so that an issued invoice always has the same annex.
    """
    lines = list(invoice.lines.all())
    if not fold(lines=lines).has_annex:
        return None
    seller = (invoice.snapshot or {}).get("seller") or {"country": invoice.billing_entity.country}
    language = document_language.choose(locale=invoice.locale, seller_country=seller.get("country") or "")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with translation.override(language.code):
        formats = Formats(language.conventions)
        for number, line in enumerate(lines, start=1):
            head: Row = {"invoice": invoice.number or "", "line": number, "currency": line.currency}
            for row in _rows(line, invoice.timezone, formats):
                writer.writerow([(head | row).get(column, "") for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def folded_line(
    *, lines: Sequence[InvoiceLine], formats: Formats, period: str, with_tax: bool, is_others: bool
) -> Line:
    """Return the row of a document that stands for several lines: their units together, and what they come to.

    All of them are of one currency and one rate of tax; units of different items (``is_others``) are not added.
    """
    first = lines[0]
    units = sum((line.units for line in lines), Decimal(0))
    return Line(
        label=document_words.other_items() if is_others else document_words.item(first.label),
        period=period,
        units="" if is_others else formats.units(units),
        tax_rate=formats.rate(first.taxes_rate) if with_tax else "",
        amount=formats.money(sum((line.amount for line in lines), money.zero(first.currency))),
        notes=(document_words.see_annex(len(lines), formats),),
    )


def _fold_row(line: InvoiceLine) -> document_folding.Row:
    parts = _parts(line)
    return document_folding.Row(
        contract=line.group_key,
        item=(line.kind, line.item_code, *document_words.item_key(line.label)),
        tax_rate=line.taxes_rate,
        parts=len(parts) + len(document_breakdown.told_units(line.breakdowns)),
    )


def _parts(line: InvoiceLine) -> tuple[document_breakdown.Part, ...]:
    return document_breakdown.parts(charge_model=line.charge_model, units=line.units, details=line.amount_details or {})


def _rows(line: InvoiceLine, timezone: str, formats: Formats) -> Iterator[Row]:
    zone, span = dates.zone(timezone), dates.Period(line.from_at, line.to_at)
    parts = _parts(line)
    yield {
        "row": "line",
        "contract_id": _text(line.group_key),
        "contract": _text(line.group_label),
        "item_code": _text(line.item_code),
        "item": _text(line.item_name),
        "label": _text(document_words.line(line.label)),
        "description": _text(line.description),
        "first_day": span.first_day(zone).isoformat(),
        "last_day": span.last_day(zone).isoformat(),
        "units": _plain(line.units),
        "unit_price": "" if parts else _plain(line.unit_amount),
        "amount": format(money.rounded(line.amount).amount, "f"),
        "tax_rate": _plain(line.taxes_rate),
        "tax_amount": format(money.rounded(line.taxes_amount).amount, "f"),
    }
    unit = line.pricing_unit
    # Where the price is in the seller's own unit its parts are too, and only what they come to is money.
    currency = line.currency if unit is None else str(unit["short_name"])
    for part in parts:
        yield {
            "row": "part",
            "label": _text(document_words.part(part, formats)),
            "units": _plain(part.units),
            "unit_price": _plain(part.price),
            "rate": _plain(part.rate),
            "part_amount": _plain(part.amount),
            "currency": _text(currency),
        }
    for by, units in document_breakdown.told_units(line.breakdowns):
        yield {"row": "units", "label": _text(document_words.told(by)), "units": _plain(units), "currency": ""}


def _plain(value: Decimal | None) -> str:
    if value is None:
        return ""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
