"""What a correction did, read from the tables after it and before it is committed. Never writes.

Whoever corrects takes a mark first, and asks afterwards for all that was made of the customer since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Max, Sum
from moneyed import Money

from config.kernel import money
from invoicing.domain import correction_effects as values
from invoicing.domain import ledger
from invoicing.domain.correction_effects import Balance, Effect, Made, MadeLine, Moved, TaxPart
from invoicing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    LedgerPosting,
)
from invoicing.queries import receivables, wallets

_OWED_TO_OTHERS = {ledger.REVENUE, ledger.TAX, ledger.CUSTOMER_CREDIT, ledger.REFUNDS, ledger.PREPAID}
_OPEN = (Invoice.Status.FINALIZED,)


@dataclass(frozen=True)
class Mark:
    """How the customer of an invoice stood before: newest rows, balances by name, and the taxes of the invoice."""

    status: str
    invoice_id: int
    credit_note_id: int
    entry_id: int
    balances: dict[str, Money]
    taxes: tuple[TaxPart, ...]


def mark(invoice: Invoice) -> Mark:
    """Take a mark before an invoice is corrected. Needs the lock of the customer."""
    return Mark(
        status=invoice.status,
        invoice_id=_newest(Invoice.objects.all()),
        credit_note_id=_newest(CreditNote.objects.all()),
        entry_id=_newest(LedgerEntry.objects.all()),
        balances=_balances(invoice, invoice),
        taxes=_standing_taxes(invoice),
    )


def since(
    *, invoice: Invoice, mark: Mark, at: datetime, waiting: Sequence[Made] = ()
) -> tuple[Effect, list[Invoice], list[CreditNote]]:
    """Return what was done at the instant ``at`` since a mark was taken, with the documents that were made.

    ``waiting`` is what later invoices will bill; it is in no books yet.
    """
    current = Invoice.objects.get(pk=invoice.pk)
    made = list(_made(Invoice, invoice, mark.invoice_id, at))
    notes = list(_made(CreditNote, invoice, mark.credit_note_id, at))
    documents = [_note(note) for note in notes]
    taxes: list[TaxPart] = []
    for note, shown in zip(notes, documents, strict=True):
        if note.credit_status != CreditNote.CreditStatus.VOIDED:
            taxes += values.negated(shown.taxes)
    if current.status == Invoice.Status.VOIDED and mark.status != Invoice.Status.VOIDED:
        given = list(taxes)
        documents.insert(0, _invoice(current, values.VOIDED))
        # What the notes of this correction gave back of it is part of what stood.
        taxes += [*values.negated(mark.taxes), *values.negated(given)]
    elif current.status == Invoice.Status.DRAFT:
        shown = _invoice(current, values.DRAFT)
        documents.append(shown)
        taxes += [*shown.taxes, *values.negated(mark.taxes)]
    for row in made:
        shown = _invoice(row, values.INVOICE)
        documents.append(shown)
        taxes += shown.taxes
    standing = next((row for row in made if row.regenerated_from_id == invoice.pk), current)
    after = _balances(invoice, standing)
    effect = Effect(
        documents=(*documents, *waiting),
        taxes=values.by_rate(taxes),
        accounts=_accounts(invoice, mark.entry_id, at),
        balances=tuple(
            Balance(name, mark.balances.get(name, money.zero(invoice.currency)), amount)
            for name, amount in after.items()
            if name == "invoice_due" or amount != mark.balances.get(name, money.zero(invoice.currency))
        ),
    )
    return effect, made, notes


def _made(model: type[models.Model], invoice: Invoice, newest: int, at: datetime) -> models.QuerySet[models.Model]:
    rows = model._default_manager.filter(customer_id=invoice.customer_id, created_at=at, pk__gt=newest)
    return rows.prefetch_related("applied_taxes").order_by("pk")


def _newest(rows: models.QuerySet[models.Model]) -> int:
    return int(rows.aggregate(newest=Max("pk"))["newest"] or 0)


def _balances(invoice: Invoice, standing: Invoice) -> dict[str, Money]:
    """Return what is due of an invoice, or of the one in its place, and the customer's balances with its seller."""
    currency = invoice.currency
    due = receivables.remaining(standing) if standing.status in _OPEN else money.zero(currency)
    rows = LedgerPosting.objects.filter(
        entry__customer_id=invoice.customer_id, entry__billing_entity_id=invoice.billing_entity_id, currency=currency
    )
    sums = rows.order_by().values("account__role").annotate(total=Sum("amount")).order_by("account__role")
    found = {"invoice_due": due}
    for row in sums:
        role, total = row["account__role"], Money(row["total"], currency)
        if role:
            found[role] = -total if role in _OWED_TO_OTHERS else total
    found["wallets"] = wallets.balances(customer_id=invoice.customer_id).get(currency, money.zero(currency))
    return found


def _accounts(invoice: Invoice, newest: int, at: datetime) -> tuple[Moved, ...]:
    rows = LedgerPosting.objects.filter(
        entry__customer_id=invoice.customer_id, entry__booked_at=at, entry_id__gt=newest, currency=invoice.currency
    )
    sums = (
        rows.order_by()
        .values("account__role", "account__code", "account__name")
        .annotate(total=Sum("amount"))
        .order_by("account__code")
    )
    return tuple(
        Moved(row["account__role"], row["account__code"], row["account__name"], Money(row["total"], invoice.currency))
        for row in sums
        if row["total"]
    )


def _standing_taxes(invoice: Invoice) -> tuple[TaxPart, ...]:
    """Return the taxes of an invoice less what its credit notes took back."""
    parts = list(_taxes(invoice))
    for note in CreditNote.objects.filter(invoice=invoice).prefetch_related("applied_taxes"):
        parts += values.negated(_taxes(note))
    return values.by_rate(parts)


def _taxes(document: Invoice | CreditNote) -> tuple[TaxPart, ...]:
    return tuple(
        TaxPart(row.tax_code, row.tax_name, row.rate, row.base_amount, row.amount)
        for row in document.applied_taxes.all()
    )


def _invoice(row: Invoice, kind: str) -> Made:
    nothing = money.zero(row.currency)
    return Made(
        kind=kind,
        net=row.net_amount,
        tax=row.taxes_amount,
        total=row.gross_amount,
        due=receivables.remaining(row) if row.status in _OPEN else nothing,
        used=row.credit_notes_amount + row.prepaid_credit_amount,
        credit=nothing,
        refund=nothing,
        offset=row.offset_amount,
        lines=tuple(
            MadeLine(line.label, line.units, line.unit_amount, line.net_amount)
            for line in InvoiceLine.objects.filter(invoice=row).order_by("position")
        ),
        taxes=_taxes(row),
        number=row.number or "",
        public_id=str(row.uuid),
    )


def _note(row: CreditNote) -> Made:
    nothing = money.zero(row.currency)
    return Made(
        kind=values.CREDIT_NOTE,
        net=row.sub_total_amount,
        tax=row.taxes_amount,
        total=row.total_amount,
        due=nothing,
        used=nothing,
        credit=row.balance_amount,
        refund=row.refund_amount,
        offset=row.offset_amount,
        lines=tuple(
            MadeLine(item.line.label, item.line.units, item.line.unit_amount, item.amount)
            for item in row.items.select_related("line")
        ),
        taxes=_taxes(row),
        number=row.number or "",
        public_id=str(row.uuid),
    )
