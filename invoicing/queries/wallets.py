"""Wallets as readers want them: with what lists show, what came in and went out, and which credits paid for what.

Never writes.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import Q, Sum
from moneyed import Money

from config.kernel import db, errors, money
from invoicing.models import Invoice, Wallet, WalletConsumption, WalletTransaction


class WalletNotFound(errors.NotFound):
    """No wallet has this id, or this code."""


@dataclass(frozen=True)
class Prepaid:
    """What prepaid credit paid of an invoice: by credits that were given, and by money that was paid before."""

    granted: Money
    purchased: Money


def listed() -> models.QuerySet[Wallet]:
    """Return all wallets, newest first, with what is shown of them in a fixed number of queries."""
    rows = Wallet.objects.select_related("customer", "billing_entity").order_by("-created_at", "-pk")
    return rows.prefetch_related("billable_metrics", "recurring_transaction_rules")


def find(public_id: uuid.UUID | None) -> Wallet:
    """Return a wallet by its public id. Raises WalletNotFound."""
    found = listed().filter(uuid=public_id).first() if public_id else None
    return _demand(found)


def by_code(*, customer_id: int, code: str) -> Wallet:
    """Return a customer's wallet of that code: the active one, else the newest. Raises WalletNotFound."""
    rows = listed().filter(customer_id=customer_id, code=code)
    return _demand(rows.filter(status=Wallet.Status.ACTIVE).first() or rows.first())


def locked(wallet_id: int) -> Wallet:
    """Lock a wallet until the transaction ends and read it anew. Raises WalletNotFound."""
    try:
        return db.lock_one(Wallet.objects.filter(pk=wallet_id))
    except Wallet.DoesNotExist:
        raise _unknown() from None


def expiring(*, as_of: datetime) -> models.QuerySet[Wallet]:
    """Return active wallets whose time is over, in the order of their keys."""
    return Wallet.objects.filter(status=Wallet.Status.ACTIVE, expiration_at__lte=as_of).order_by("pk")


def payable(*, customer_ids: Collection[int], at: datetime) -> models.QuerySet[Wallet]:
    """Return wallets that may pay invoices now: active, not over, and not empty."""
    still = Q(expiration_at__isnull=True) | Q(expiration_at__gt=at)
    return Wallet.objects.filter(still, customer_id__in=customer_ids, status=Wallet.Status.ACTIVE, balance_amount__gt=0)


def transactions() -> models.QuerySet[WalletTransaction]:
    """Return all transactions, newest first, with what is shown of them in a fixed number of queries."""
    rows = WalletTransaction.objects.select_related(
        "wallet__billing_entity", "wallet__customer", "invoice", "voided_invoice", "credit_note"
    )
    return rows.order_by("-created_at", "-pk")


def transaction(public_id: uuid.UUID | None) -> WalletTransaction:
    """Return a transaction by its public id. Raises NotFound (`wallet_transaction_not_found`)."""
    found = transactions().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise errors.NotFound("wallet_transaction_not_found", "There is no such wallet transaction.")
    return found


def open_grants(*, wallet_ids: Collection[int]) -> dict[int, list[WalletTransaction]]:
    """Return what remains of the credits of wallets, by wallet. Lock the wallets before you change any."""
    rows = WalletTransaction.objects.filter(
        Q(remaining_credit_amount__gt=0) | Q(remaining_amount__gt=0), wallet_id__in=wallet_ids
    )
    found: dict[int, list[WalletTransaction]] = defaultdict(list)
    for row in rows.order_by("priority", "created_at", "pk"):
        found[row.wallet_id].append(row)
    return found


def consumptions(row: WalletTransaction) -> models.QuerySet[WalletConsumption]:
    """Return what credits that came in were used for, oldest first."""
    rows = WalletConsumption.objects.filter(inbound=row).order_by("pk")
    return rows.select_related("outbound__wallet__billing_entity", "outbound__invoice", "outbound__credit_note")


def fundings(row: WalletTransaction) -> models.QuerySet[WalletConsumption]:
    """Return which credits went out with a transaction, oldest first."""
    rows = WalletConsumption.objects.filter(outbound=row).order_by("pk")
    return rows.select_related("inbound__wallet__billing_entity", "inbound__invoice", "inbound__credit_note")


def pending_credits(*, wallet_ids: Collection[int]) -> dict[int, Decimal]:
    """Return the credits of purchases that are not paid yet, by wallet; wallets without any are left out."""
    rows = WalletTransaction.objects.filter(wallet_id__in=wallet_ids, status=WalletTransaction.Status.PENDING)
    sums = rows.order_by().values("wallet_id").annotate(credits=Sum("credit_amount"))
    return {row["wallet_id"]: row["credits"] for row in sums}


def paid_by_prepaid(invoices: Sequence[Invoice]) -> dict[int, Prepaid]:
    """Return by invoice what given and what bought credit paid of it; credit of contracts is bought. One query.

    Invoices without prepaid credit are answered without asking.
    """
    drew = [invoice.pk for invoice in invoices if invoice.prepaid_credit_amount]
    granted: dict[int, Decimal] = {}
    if drew:
        rows = WalletTransaction.objects.filter(
            invoice_id__in=drew, transaction_status=WalletTransaction.Kind.INVOICED
        ).order_by()
        sums = rows.values("invoice_id").annotate(all=Sum("amount"), bought=Sum("purchased_amount"))
        granted = {row["invoice_id"]: row["all"] - row["bought"] for row in sums}
    return {
        invoice.pk: Prepaid(
            granted=Money(granted.get(invoice.pk, Decimal(0)), invoice.currency),
            purchased=invoice.prepaid_credit_amount - Money(granted.get(invoice.pk, Decimal(0)), invoice.currency),
        )
        for invoice in invoices
    }


def balances(*, customer_id: int) -> dict[str, Money]:
    """Return what is left in a customer's active wallets, by currency."""
    rows = Wallet.objects.filter(customer_id=customer_id, status=Wallet.Status.ACTIVE).order_by()
    sums = rows.values("currency").annotate(left=Sum("balance_amount")).order_by("currency")
    return {row["currency"]: Money(row["left"], row["currency"]) for row in sums}


def top_up_invoice(row: WalletTransaction) -> Money:
    """Return what is still to be paid of the invoice of a purchase; nothing where there is none."""
    if row.invoice is None:
        return money.zero(row.currency)
    return row.invoice.total_amount - row.invoice.paid_amount - row.invoice.offset_amount


def _demand(found: Wallet | None) -> Wallet:
    if found is None:
        raise _unknown()
    return found


def _unknown() -> WalletNotFound:
    return WalletNotFound("wallet_not_found", "There is no such wallet.")
