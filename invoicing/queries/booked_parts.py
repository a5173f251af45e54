"""What the amounts of documents are made of, for bookings that go to several accounts of a role. Never writes.

Weights are unrounded nets in major units; whoever splits an amount by them sees to it that the parts sum to it. A line
with several taxes counts as one of its first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.db import models

from invoicing.domain import ledger
from invoicing.domain.ledger import Dimensions
from invoicing.models import (
    CreditNote,
    CreditNoteItem,
    CreditNoteTax,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LinePayment,
    LineTax,
    Payment,
)

Parts = Mapping[str, Sequence[tuple[Dimensions, Decimal]]]
Key = tuple[str, int]


def of(*, instances: Iterable[models.Model]) -> dict[Key, Parts]:
    """Return the parts by role of what is booked, by model label and id; nothing for what has no lines.

    A fixed number of queries for each kind of row that is there.
    """
    by_model: dict[type[models.Model], dict[int, models.Model]] = defaultdict(dict)
    for instance in instances:
        by_model[type(instance)][instance.pk] = instance
    found: dict[Key, Parts] = {}
    for model, read in _READERS.items():
        rows = by_model.get(model)
        if rows:
            found.update({(model._meta.label_lower, pk): parts for pk, parts in read(list(rows.values())).items()})
    return found


def _of_invoices(rows: Sequence[models.Model]) -> dict[int, Parts]:
    ids = [row.pk for row in rows]
    lines = list(InvoiceLine.objects.filter(invoice_id__in=ids).order_by("invoice_id", "position"))
    taxes = InvoiceTax.objects.filter(invoice_id__in=ids).order_by("pk").values_list("invoice_id", "tax_code", "amount")
    weighted = ((line.invoice_id, line, line.net_amount.amount - line.precise_coupons_amount) for line in lines)
    return _parts(weighted, _first_taxes(lines), taxes)


def _of_credit_notes(rows: Sequence[models.Model]) -> dict[int, Parts]:
    ids = [row.pk for row in rows]
    items = list(CreditNoteItem.objects.filter(credit_note_id__in=ids).select_related("line").order_by("pk"))
    taxes = CreditNoteTax.objects.filter(credit_note_id__in=ids).order_by("pk")
    weighted = ((item.credit_note_id, item.line, item.precise_amount) for item in items)
    return _parts(
        weighted, _first_taxes([item.line for item in items]), taxes.values_list("credit_note_id", "tax_code", "amount")
    )


def _of_line_payments(rows: Sequence[models.Model]) -> dict[int, Parts]:
    payments = list(LinePayment.objects.filter(pk__in=[row.pk for row in rows]).select_related("line"))
    lines = [payment.line for payment in payments]
    of_line: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    rates = LineTax.objects.filter(line__in=lines).order_by("pk").values_list("line_id", "tax_code", "amount")
    for line_id, code, amount in rates:
        of_line[line_id].append((code, amount))
    weighted = ((payment.pk, payment.line, payment.line.amount.amount) for payment in payments)
    taxes = ((payment.pk, code, amount) for payment in payments for code, amount in of_line[payment.line_id])
    return _parts(weighted, _first_taxes(lines), taxes)


def _of_payments(rows: Sequence[models.Model]) -> dict[int, Parts]:
    return {
        row.pk: {ledger.CASH: [(Dimensions(payment_kind=row.kind), Decimal(1))]}
        for row in rows
        if isinstance(row, Payment)
    }


def _parts(
    lines: Iterable[tuple[int | None, InvoiceLine, Decimal]],
    tax_codes: Mapping[int, str],
    taxes: Iterable[tuple[int, str, Decimal]],
) -> dict[int, Parts]:
    sums: dict[int, dict[str, dict[Dimensions, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for owner, line, weight in lines:
        if owner is not None:
            dimensions = Dimensions(
                item_code=line.item_code,
                tax_code=tax_codes.get(line.pk, ""),
                plan_code=line.plan_code,
                line_kind=line.kind,
            )
            _add(sums[owner][ledger.REVENUE], dimensions, weight)
    for owner, code, amount in taxes:
        _add(sums[owner][ledger.TAX], Dimensions(tax_code=code), amount)
    return {
        owner: {role: list(weights.items()) for role, weights in by_role.items()} for owner, by_role in sums.items()
    }


def _add(sums: dict[Dimensions, Decimal], dimensions: Dimensions, amount: Decimal) -> None:
    sums[dimensions] = sums.get(dimensions, Decimal(0)) + amount


def _first_taxes(lines: Sequence[InvoiceLine]) -> dict[int, str]:
    codes: dict[int, str] = {}
    for line_id, code in LineTax.objects.filter(line__in=lines).order_by("pk").values_list("line_id", "tax_code"):
        codes.setdefault(line_id, code)
    return codes


_READERS = {
    Invoice: _of_invoices,
    CreditNote: _of_credit_notes,
    LinePayment: _of_line_payments,
    Payment: _of_payments,
}
