"""What voiding an invoice has to know: how it stands in money and in the books, and what forbids it. Never writes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.db.models import Q, Sum
from moneyed import Money

from config.kernel import money
from invoicing.domain import ledger, states
from invoicing.domain.ledger import Posting
from invoicing.domain.voids import Settled
from invoicing.models import (
    CreditNote,
    CreditNoteUse,
    Invoice,
    LedgerPosting,
    PrepaidCredit,
    PrepaidCreditUse,
    ProgressiveCredit,
)

_CUSTOMERS = (ledger.CUSTOMER_CREDIT, ledger.REFUNDS)


def demand_voidable(invoice: Invoice) -> None:
    """Demand that nothing of an issued invoice has gone where it cannot come back from.

    Raises InvalidTransition (`not_voidable`).
    """
    if invoice.kind == Invoice.Kind.ADVANCE_CHARGES:
        raise _refusal("It gathers fees that were paid before: take those back.")
    if invoice.kind == Invoice.Kind.CREDIT and invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED:
        raise _refusal("It sold credit and was paid: give that back by a credit note.")
    demand_not_taken_off(invoice)
    notes = CreditNoteUse.objects.filter(invoice=invoice, credit_note__credit_status=CreditNote.CreditStatus.VOIDED)
    number = notes.values_list("credit_note__number", flat=True).first()
    if number is not None:
        raise _refusal(f"It used credit of {number}, which was voided since: correct it by a credit note.")
    closed = (PrepaidCredit.Status.EXPIRED, PrepaidCredit.Status.ROLLED_OVER)
    source = PrepaidCreditUse.objects.filter(invoice=invoice, credit__status__in=closed)
    name = source.values_list("credit__source", flat=True).first()
    if name is not None:
        raise _refusal(f"It used prepaid credit of {name}, which is closed: correct it by a credit note.")


def demand_not_taken_off(invoice: Invoice) -> None:
    """Demand that no other invoice took off what this one billed progressively; drafts are computed anew.

    Raises InvalidTransition (`not_voidable`).
    """
    standing = (Invoice.Status.FINALIZED, Invoice.Status.PENDING, Invoice.Status.FAILED)
    later = ProgressiveCredit.objects.filter(source=invoice, invoice__status__in=standing).select_related("invoice")
    taker = later.order_by("pk").first()
    if taker is not None:
        raise _refusal(f"Invoice {taker.invoice} took off what this one billed: void that one first.")


def settled(invoice: Invoice) -> Settled:
    """Return how an issued invoice stands. Lock it first."""
    currency, nothing = invoice.currency, Decimal(0)
    used = CreditNoteUse.objects.filter(invoice=invoice).aggregate(sum=Sum("amount", default=nothing))["sum"]
    prepaid = PrepaidCreditUse.objects.filter(invoice=invoice).aggregate(sum=Sum("amount", default=nothing))["sum"]
    return Settled(
        gross=invoice.gross_amount,
        offset=invoice.offset_amount,
        credited=-sum((one.amount for one in _balances(invoice) if one.role in _CUSTOMERS), money.zero(currency)),
        paid=invoice.paid_amount,
        credits=Money(used, currency),
        prepaid=Money(prepaid, currency),
        wallet=invoice.prepaid_credit_amount - Money(prepaid, currency),
    )


def taken_back(invoice: Invoice, *, kept: Money) -> list[Posting]:
    """Return by account what an issued invoice and its credit notes left in the books, without what is ``kept`` of it.

    It is the accounts that they were booked on, whatever is mapped by now. What is kept is taken off in the shares of
    the accounts, to the cent. Receivables and what is the customer's are no part of it. Amounts as they were booked:
    credits are negative.
    """
    left = [one for one in _balances(invoice) if one.role not in (*_CUSTOMERS, ledger.RECEIVABLE) and one.amount]
    if not kept:
        return left
    parts = money.allocate(-kept, [one.amount.amount for one in left])
    return [replace(one, amount=one.amount - part) for one, part in zip(left, parts, strict=True)]


def _balances(invoice: Invoice) -> list[Posting]:
    notes = CreditNote.objects.filter(invoice=invoice).values("pk")
    rows = LedgerPosting.objects.filter(
        Q(entry__fact=ledger.FINALIZED, entry__source_type=Invoice._meta.label_lower, entry__source_id=invoice.pk)
        | Q(
            entry__fact__in=[ledger.CREDITED, ledger.CREDIT_VOIDED],
            entry__source_type=CreditNote._meta.label_lower,
            entry__source_id__in=notes,
        )
    )
    sums = rows.order_by().values("account_id", "account__role").annotate(total=Sum("amount"))
    return [
        Posting(row["account__role"], Money(row["total"], invoice.currency), account_id=row["account_id"])
        for row in sums.order_by("account__role", "account_id")
    ]


def _refusal(message: str) -> states.InvalidTransition:
    return states.InvalidTransition("not_voidable", message)
