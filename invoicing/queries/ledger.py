"""Balances of the ledger: sums of postings, never stored. Never writes.

``known_on`` asks what the books knew at a moment: what was booked later, of whatever day, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Sum
from moneyed import Money

from invoicing.models import (
    CreditNote,
    Invoice,
    LedgerEntry,
    LedgerPosting,
    Payment,
    PaymentAllocation,
    PaymentRefund,
)


@dataclass(frozen=True)
class Balance:
    """What stands on an account of a seller in one currency; a debit balance is positive."""

    billing_entity_id: int
    role: str
    code: str
    name: str
    amount: Money


def balances(
    *,
    billing_entity_id: int | None = None,
    customer_id: int | None = None,
    until: date | None = None,
    known_on: datetime | None = None,
) -> list[Balance]:
    """Return the balance of every account and currency, narrowed to a seller, a customer or days up to ``until``."""
    rows = known(known_on=known_on)
    if billing_entity_id is not None:
        rows = rows.filter(entry__billing_entity_id=billing_entity_id)
    if customer_id is not None:
        rows = rows.filter(entry__customer_id=customer_id)
    if until is not None:
        rows = rows.filter(entry__accounting_date__lte=until)
    account = ("account__billing_entity_id", "account__role", "account__code", "account__name", "currency")
    sums = rows.order_by().values(*account).annotate(balance=Sum("amount")).order_by(*account)
    return [
        Balance(
            billing_entity_id=row["account__billing_entity_id"],
            role=row["account__role"],
            code=row["account__code"],
            name=row["account__name"],
            amount=Money(row["balance"], row["currency"]),
        )
        for row in sums
    ]


def known(*, known_on: datetime | None = None) -> models.QuerySet[LedgerPosting]:
    """Return the postings that the books had at a moment, that moment included; all of them for None."""
    rows = LedgerPosting.objects.order_by()
    return rows if known_on is None else rows.filter(entry__booked_at__lte=known_on)


def entries(
    *,
    billing_entity_id: int | None = None,
    customer_id: int | None = None,
    account_code: str | None = None,
    facts: Sequence[str] = (),
    invoice_uuid: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
    known_on: datetime | None = None,
) -> models.QuerySet[LedgerEntry]:
    """Return entries by filters, in the order of booking, with postings, accounts and whose they are at hand."""
    rows = LedgerEntry.objects.select_related("customer", "billing_entity").order_by("pk")
    if billing_entity_id is not None:
        rows = rows.filter(billing_entity_id=billing_entity_id)
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    if facts:
        rows = rows.filter(fact__in=facts)
    if since is not None:
        rows = rows.filter(accounting_date__gte=since)
    if until is not None:
        rows = rows.filter(accounting_date__lte=until)
    if known_on is not None:
        rows = rows.filter(booked_at__lte=known_on)
    touching = LedgerPosting.objects.order_by().filter(entry=OuterRef("pk"))
    if account_code is not None:
        rows = rows.filter(Exists(touching.filter(account__code=account_code)))
    if invoice_uuid is not None:
        rows = rows.filter(Exists(touching.filter(invoice__uuid=invoice_uuid)))
    return rows.prefetch_related("postings__account", "postings__invoice")


def out_of_balance() -> dict[str, Money]:
    """Return by how much the whole ledger is off in each currency: always nothing."""
    sums = LedgerPosting.objects.order_by().values("currency").annotate(total=Sum("amount")).order_by("currency")
    return {row["currency"]: Money(row["total"], row["currency"]) for row in sums if row["total"]}


def entries_of(instance: models.Model) -> models.QuerySet[LedgerEntry]:
    """Return what was booked for a row, oldest first, with postings and accounts at hand."""
    rows = LedgerEntry.objects.filter(source_type=instance._meta.label_lower, source_id=instance.pk)
    return rows.prefetch_related("postings__account").order_by("booked_at", "pk")


def entries_of_invoice(invoice: Invoice) -> models.QuerySet[LedgerEntry]:
    """Return what was booked for an invoice, oldest first, with postings and accounts at hand.

    All that touched what is owed of it: its issue and void, payments and their release, credits that it used and gave
    back, disputes. And what was booked for it beside that: its credit notes, money for it that waited or was paid back.
    """
    # Keys are read before, so that each condition is served by its index.
    paid = list(PaymentAllocation.objects.filter(invoice=invoice).values_list("payment_id", flat=True))
    beside: dict[type[models.Model], list[int]] = {
        Invoice: [invoice.pk],
        Payment: paid,
        PaymentRefund: list(PaymentRefund.objects.filter(payment_id__in=paid).values_list("pk", flat=True)),
        CreditNote: list(CreditNote.objects.filter(invoice=invoice).values_list("pk", flat=True)),
    }
    touching = LedgerPosting.objects.order_by().filter(invoice=invoice).values_list("entry_id", flat=True)
    wanted = models.Q(pk__in=set(touching))
    for model, ids in beside.items():
        wanted |= models.Q(source_type=model._meta.label_lower, source_id__in=ids)
    return LedgerEntry.objects.filter(wanted).prefetch_related("postings__account").order_by("booked_at", "pk")
