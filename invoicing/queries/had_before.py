"""What the same document, or the same customer, had of an action before: so that an amount in parts meets the limit
that the whole meets. Owns the sums; limits are rules of the platform. Never writes.

Only in the currency of the amount, and only what stands: a write-off that was undone was none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from moneyed import Money

from invoicing.models import (
    CreditNote,
    CreditNoteUse,
    CreditNoteUseReversal,
    Invoice,
    OpeningBalance,
    OpeningSettlement,
    Payment,
    PaymentRefund,
    WriteOff,
)

_GROSS = ("fees_amount", "-progressive_billing_credit_amount", "-coupons_amount", "taxes_amount")
"""What an invoice comes to with tax, before credits: `Invoice.gross_amount`."""


@dataclass(frozen=True)
class _Had:
    """What all kinds share: the clock, the currency, and whom it is about."""

    at: datetime
    currency: str
    customer_id: int | None

    def _sum(self, *parts: tuple[QuerySet[Any], tuple[str, ...], str], since: datetime | None) -> Money:
        """Sum parts: rows, the names of their amounts (a minus takes off), and the name of their instant."""
        found = Decimal(0)
        for rows, amounts, at in parts:
            rows = rows.filter(currency=self.currency)
            if since is not None:
                rows = rows.filter(**{f"{at}__gte": since})
            sums = rows.aggregate(**{f"sum_{name.lstrip('-')}": Sum(name.lstrip("-")) for name in amounts})
            for name in amounts:
                part = sums[f"sum_{name.lstrip('-')}"] or Decimal(0)
                found += -part if name.startswith("-") else part
        return Money(found, self.currency)


@dataclass(frozen=True)
class WriteOffs(_Had):
    """Write-offs of an invoice or of an opening balance."""

    invoice_id: int | None = None
    opening_id: int | None = None

    @property
    def document(self) -> str:
        """The invoice, or the opening balance."""
        return f"invoice {self.invoice_id}" if self.invoice_id is not None else f"opening balance {self.opening_id}"

    def of_document(self, *, since: datetime | None) -> Money:
        """Sum what stands of the same one."""
        if self.invoice_id is not None:
            rows = _standing().filter(invoice_id=self.invoice_id)
            return self._sum((rows, ("amount",), "created_at"), since=since)
        return self._sum((_given_up().filter(opening_id=self.opening_id), ("amount",), "created_at"), since=since)

    def of_customer(self, *, since: datetime | None) -> Money:
        """Sum what stands of the customer, of both."""
        return self._sum(
            (_standing().filter(invoice__customer_id=self.customer_id), ("amount",), "created_at"),
            (_given_up().filter(opening__customer_id=self.customer_id), ("amount",), "created_at"),
            since=since,
        )


@dataclass(frozen=True)
class CreditNotes(_Had):
    """Credit notes of an invoice, by hand or not. Of one whose credit was voided counts what it gave all the same."""

    invoice_id: int

    @property
    def document(self) -> str:
        """The invoice."""
        return f"invoice {self.invoice_id}"

    def of_document(self, *, since: datetime | None) -> Money:
        """Sum those of the invoice."""
        return self._given(_notes().filter(invoice_id=self.invoice_id), since=since)

    def of_customer(self, *, since: datetime | None) -> Money:
        """Sum those of the customer."""
        return self._given(_notes().filter(customer_id=self.customer_id), since=since)

    def _given(self, notes: QuerySet[CreditNote], *, since: datetime | None) -> Money:
        """Sum totals; of notes whose rest was voided what was paid back, taken off, or used and is used still."""
        voided = notes.filter(credit_status=CreditNote.CreditStatus.VOIDED)
        uses = CreditNoteUse.objects.filter(credit_note__in=voided)
        reversals = CreditNoteUseReversal.objects.filter(use__credit_note__in=voided)
        kept = ("balance_amount", "refund_amount", "offset_amount")
        return self._sum(
            (notes.exclude(credit_status=CreditNote.CreditStatus.VOIDED), ("total_amount",), "finalized_at"),
            (voided, kept, "finalized_at"),
            (uses, ("amount",), "credit_note__finalized_at"),
            (reversals, ("-amount",), "use__credit_note__finalized_at"),
            since=since,
        )


@dataclass(frozen=True)
class NoteRefunds(_Had):
    """Refunds of the credit notes of an invoice that were paid."""

    invoice_id: int

    @property
    def document(self) -> str:
        """The invoice."""
        return f"invoice {self.invoice_id}"

    def of_document(self, *, since: datetime | None) -> Money:
        """Sum those of the invoice."""
        rows = _refunded().filter(invoice_id=self.invoice_id)
        return self._sum((rows, ("refund_amount",), "refunded_at"), since=since)

    def of_customer(self, *, since: datetime | None) -> Money:
        """Sum those of the customer."""
        rows = _refunded().filter(customer_id=self.customer_id)
        return self._sum((rows, ("refund_amount",), "refunded_at"), since=since)


@dataclass(frozen=True)
class PaymentRefunds(_Had):
    """What was paid back of a payment."""

    payment_id: int

    @property
    def document(self) -> str:
        """The payment."""
        return f"payment {self.payment_id}"

    def of_document(self, *, since: datetime | None) -> Money:
        """Sum those of the payment."""
        rows = PaymentRefund.objects.filter(payment_id=self.payment_id)
        return self._sum((rows, ("amount",), "refunded_at"), since=since)

    def of_customer(self, *, since: datetime | None) -> Money:
        """Sum those of the customer."""
        rows = PaymentRefund.objects.filter(payment__customer_id=self.customer_id)
        return self._sum((rows, ("amount",), "refunded_at"), since=since)


@dataclass(frozen=True)
class Voids(_Had):
    """Invoices that were voided: each once, so that only those of the customer add up."""

    invoice_id: int

    @property
    def document(self) -> str:
        """The invoice."""
        return f"invoice {self.invoice_id}"

    def of_document(self, *, since: datetime | None) -> Money:
        """Nothing: an invoice is voided once."""
        return Money(0, self.currency)

    def of_customer(self, *, since: datetime | None) -> Money:
        """Sum those of the customer that had been issued, with tax."""
        rows = Invoice.objects.filter(customer_id=self.customer_id, status=Invoice.Status.VOIDED, number__isnull=False)
        rows = rows.exclude(number="").exclude(pk=self.invoice_id)
        return self._sum((rows, _GROSS, "voided_at"), since=since)


def write_offs(*, of: Invoice | OpeningBalance, at: datetime) -> WriteOffs:
    """Return what was written off before, of an invoice or an opening balance."""
    if isinstance(of, Invoice):
        return WriteOffs(at=at, currency=of.currency, customer_id=of.customer_id, invoice_id=of.pk)
    return WriteOffs(at=at, currency=of.currency, customer_id=of.customer_id, opening_id=of.pk)


def credit_notes(*, invoice: Invoice, at: datetime) -> CreditNotes:
    """Return what credit notes gave back of an invoice before."""
    return CreditNotes(at=at, currency=invoice.currency, customer_id=invoice.customer_id, invoice_id=invoice.pk)


def note_refunds(*, note: CreditNote, at: datetime) -> NoteRefunds:
    """Return what was paid back by credit notes of the same invoice before."""
    return NoteRefunds(at=at, currency=note.currency, customer_id=note.customer_id, invoice_id=note.invoice_id)


def payment_refunds(*, payment: Payment, at: datetime) -> PaymentRefunds:
    """Return what was paid back of a payment before."""
    return PaymentRefunds(at=at, currency=payment.currency, customer_id=payment.customer_id, payment_id=payment.pk)


def voids(*, invoice: Invoice, at: datetime) -> Voids:
    """Return what was voided of the customer before."""
    return Voids(at=at, currency=invoice.currency, customer_id=invoice.customer_id, invoice_id=invoice.pk)


def _standing() -> QuerySet[WriteOff]:
    return WriteOff.objects.filter(reversal__isnull=True)


def _given_up() -> QuerySet[OpeningSettlement]:
    return OpeningSettlement.objects.filter(kind=OpeningSettlement.Kind.WRITTEN_OFF, undone_by__isnull=True)


def _notes() -> QuerySet[CreditNote]:
    return CreditNote.objects.filter(status=CreditNote.Status.FINALIZED)


def _refunded() -> QuerySet[CreditNote]:
    return CreditNote.objects.filter(refund_status=CreditNote.RefundStatus.SUCCEEDED)
