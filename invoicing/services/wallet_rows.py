"""The rows of wallets and what moves them: credits that come in, credits that go out, and the balance that follows.

Owns keeping the three together. Lock the wallet before: every function here needs its transaction. Why credits move is
said by whoever calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from config.kernel import dates, events, money
from invoicing.domain.facts import BalancesMoved
from invoicing.domain.ledger import Booking
from invoicing.domain.wallets import Grant, Part
from invoicing.models import Invoice, Wallet, WalletConsumption, WalletTransaction
from invoicing.services import ledger as books

_BALANCES = [
    "credits_balance",
    "balance_amount",
    "consumed_credits",
    "consumed_amount",
    "last_balance_sync_at",
    "last_consumed_credit_at",
    "credits_ongoing_balance",
    "ongoing_balance_amount",
    "credits_ongoing_usage",
    "ongoing_usage_amount",
    "updated_at",
]
_REMAINING = ["remaining_credit_amount", "remaining_amount", "remaining_purchased_amount"]


@dataclass(frozen=True)
class Outflow:
    """Credits that go out of a wallet, not saved yet: the transaction, what it consumes, and of which grants."""

    wallet: Wallet
    transaction: WalletTransaction
    consumptions: tuple[WalletConsumption, ...]
    grants: tuple[WalletTransaction, ...]


def grant(row: WalletTransaction) -> Grant:
    """Return what remains of credits that came in, as the domain sees it."""
    return Grant(
        id=row.pk,
        credits=row.remaining_credit_amount,
        amount=row.remaining_amount,
        purchased=row.remaining_purchased_amount,
        priority=row.priority,
        is_purchased=row.transaction_status == WalletTransaction.Kind.PURCHASED,
        created_at=row.created_at,
    )


def settle(*, wallet: Wallet, row: WalletTransaction, at: datetime) -> None:
    """Let credits come in: all of them remain. Saves the wallet, not the row."""
    row.status = WalletTransaction.Status.SETTLED
    row.settled_at = at
    row.remaining_credit_amount = row.credit_amount
    row.remaining_amount = row.amount
    row.remaining_purchased_amount = row.purchased_amount
    _move(wallet, row.credit_amount, row.amount, at)
    wallet.save(update_fields=_BALANCES)
    events.publish(BalancesMoved(customer_ids=(wallet.customer_id,), at=at))


def give(
    *, wallet: Wallet, quantity: Decimal, amount: Money, purchased: Money, at: datetime, **fields: Any
) -> WalletTransaction:
    """Give credits at once; ``purchased`` of the amount is owed to the customer, as that was paid for before."""
    row = WalletTransaction(
        created_at=at,
        wallet=wallet,
        transaction_type=WalletTransaction.Type.INBOUND,
        transaction_status=WalletTransaction.Kind.GRANTED,
        currency=wallet.currency,
        credit_amount=quantity,
        amount=amount,
        purchased_amount=purchased,
        **fields,
    )
    settle(wallet=wallet, row=row, at=at)
    row.save(force_insert=True)
    return row


def outflow(
    *,
    wallet: Wallet,
    parts: Sequence[Part],
    grants: Iterable[WalletTransaction],
    kind: str,
    at: datetime,
    **fields: Any,
) -> Outflow:
    """Take parts of grants out of a wallet. Changes the given rows and saves nothing: call `write`."""
    by_id = {row.pk: row for row in grants}
    nothing = money.zero(wallet.currency)
    row = WalletTransaction(
        created_at=at,
        wallet=wallet,
        transaction_type=WalletTransaction.Type.OUTBOUND,
        transaction_status=kind,
        status=WalletTransaction.Status.SETTLED,
        settled_at=at,
        currency=wallet.currency,
        credit_amount=sum((part.credits for part in parts), Decimal(0)),
        amount=sum((part.amount for part in parts), nothing),
        purchased_amount=sum((part.purchased for part in parts), nothing),
        **fields,
    )
    for part in parts:
        source = by_id[part.grant_id]
        source.remaining_credit_amount -= part.credits
        source.remaining_amount -= part.amount
        source.remaining_purchased_amount -= part.purchased
    is_used = kind == WalletTransaction.Kind.INVOICED
    _move(wallet, -row.credit_amount, -row.amount, at, is_used=is_used)
    consumed = tuple(
        WalletConsumption(
            created_at=at,
            inbound=by_id[part.grant_id],
            outbound=row,
            currency=wallet.currency,
            credit_amount=part.credits,
            amount=part.amount,
            purchased_amount=part.purchased,
        )
        for part in parts
    )
    return Outflow(
        wallet=wallet, transaction=row, consumptions=consumed, grants=tuple(by_id[part.grant_id] for part in parts)
    )


def write(*, outflows: Sequence[Outflow]) -> None:
    """Save what `outflow` did, of many wallets in a fixed number of statements."""
    if not outflows:
        return
    WalletTransaction.objects.bulk_create([flow.transaction for flow in outflows])
    WalletConsumption.objects.bulk_create([row for flow in outflows for row in flow.consumptions])
    grants = {row.pk: row for flow in outflows for row in flow.grants}
    WalletTransaction.objects.bulk_update(grants.values(), _REMAINING)
    touched = {flow.wallet.pk: flow.wallet for flow in outflows}
    Wallet.objects.bulk_update(touched.values(), _BALANCES)
    customer_ids = {wallet.customer_id for wallet in touched.values()}
    events.publish(BalancesMoved(customer_ids=tuple(customer_ids), at=outflows[0].transaction.created_at))


def granted(row: WalletTransaction) -> Money:
    """Return the part of a transaction that nobody paid for."""
    return row.amount - row.purchased_amount


def source(
    *,
    booking: Booking,
    row: WalletTransaction,
    wallet: Wallet,
    timezone: str,
    at: datetime,
    text: str,
    invoice_id: int | None = None,
) -> books.Source:
    """Return the booking of a wallet's transaction on the local day of ``at``; ``invoice_id`` is whose debt moves."""
    return books.Source(
        booking=booking,
        instance=row,
        billing_entity_id=wallet.billing_entity_id,
        customer_id=wallet.customer_id,
        accounting_date=dates.local_date(at, dates.zone(timezone)),
        description=text,
        invoice_id=invoice_id,
    )


def used_source(*, booking: Booking, row: WalletTransaction, invoice: Invoice) -> books.Source:
    """Return the booking of credits that pay an invoice, on the day of its issue."""
    return books.Source(
        booking=booking,
        instance=row,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=invoice.issuing_date,
        description=f"Credits of {row.wallet} for {invoice.number}",
    )


def _move(wallet: Wallet, quantity: Decimal, amount: Money, at: datetime, *, is_used: bool = False) -> None:
    """Let the balance follow, and the ongoing balance with it: usage that an invoice paid is current no more."""
    wallet.credits_balance += quantity
    wallet.balance_amount += amount
    wallet.last_balance_sync_at = wallet.updated_at = at
    if is_used:
        wallet.consumed_credits -= quantity
        wallet.consumed_amount -= amount
        wallet.last_consumed_credit_at = at
        wallet.credits_ongoing_usage = max(wallet.credits_ongoing_usage + quantity, Decimal(0))
        wallet.ongoing_usage_amount = max(wallet.ongoing_usage_amount + amount, money.zero(wallet.currency))
    wallet.credits_ongoing_balance = wallet.credits_balance - wallet.credits_ongoing_usage
    wallet.ongoing_balance_amount = wallet.balance_amount - wallet.ongoing_usage_amount
