"""Ongoing balances of wallets: what usage that is not billed yet leaves of them. Owns the periodic job, and the one
transaction in which all wallets of a customer are looked at together.

The customer's row is the lock, as for all billing, and its wallets are locked after it: nothing is drawn meanwhile.
What follows from it happens in the same transaction: wallets that are used up and alerts are told, rules top up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Q
from moneyed import Money

from billing.domain import ongoing_balances
from billing.models import WalletCheck, WalletDepletion
from billing.queries import wallet_usage
from billing.queries.wallet_usage import Place
from billing.services import threshold_top_ups, wallet_alert_checks, wallet_checks, webhook_types
from config.kernel import db, money
from config.platform.services import outbox
from customers.models import Customer
from invoicing.domain import wallets
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.services import wallet_draws

log = logging.getLogger(__name__)

_PAGE = 500
_ONGOING = [
    "credits_ongoing_balance",
    "ongoing_balance_amount",
    "credits_ongoing_usage",
    "ongoing_usage_amount",
    "depleted_ongoing_balance",
    "ongoing_refreshed_at",
]


@dataclass(frozen=True)
class Looked:
    """What a round did: customers looked at, top-ups made, alerts that fired, and what failed, by external id."""

    customers: int
    top_ups: int
    alerts: int
    failed: dict[str, str]


@dataclass(frozen=True)
class Refreshed:
    """What one look at a customer did: top-ups and firings of alerts."""

    top_ups: int = 0
    alerts: int = 0


def run(*, as_of: datetime) -> Looked:
    """Bring the ongoing balances of wallets up to date: the periodic job.

    Looks at customers that events came for since the last time, whose invoices or wallets moved, and at those that
    failed. Each is a transaction of its own: one that fails is told, kept and tried again, and stops no other. May be
    called any number of times, beside itself too.
    """
    wallet_checks.look(at=as_of)
    done = made = fired = 0
    failed: dict[str, str] = {}
    after = 0
    while page := _waiting(after):
        for customer in page:
            try:
                found = check(customer_id=customer.pk, as_of=as_of)
            except Exception as error:  # whatever one customer fails by must not keep the others waiting
                log.exception("the wallets of customer %s could not be looked at", customer.external_id)
                failed[customer.external_id] = str(error)
                wallet_checks.failed(customer_id=customer.pk, error=error)
                continue
            if found is not None:
                done, made, fired = done + 1, made + found.top_ups, fired + found.alerts
        after = page[-1].pk
    return Looked(done, made, fired, failed)


@transaction.atomic
def check(*, customer_id: int, as_of: datetime) -> Refreshed | None:
    """Look at the wallets of a customer that waits for it; nothing where another one did so.

    Waits for whoever bills the customer at this moment. Raises what rating raises.
    """
    db.lock_one(Customer.objects.filter(pk=customer_id))
    marks = wallet_checks.take(customer_id=customer_id)
    if not marks:
        return None
    found = refresh(customer_id=customer_id, at=as_of)
    wallet_checks.done(check_ids=marks)
    return found


@transaction.atomic
def refresh(*, customer_id: int, at: datetime) -> Refreshed:
    """Work out the ongoing balances of all wallets of a customer, tell what follows, and top up what fell too low.

    Calling it again changes nothing. Takes the lock of the customer, then of its wallets. Raises what rating raises.
    """
    rows = recompute(customer_id=customer_id, at=at)
    if not rows:
        return Refreshed()
    alerts = wallet_alert_checks.evaluate(wallets=rows, at=at)
    made = sum(threshold_top_ups.fire(wallet=row, at=at) for row in rows)
    return Refreshed(top_ups=made, alerts=alerts)


@transaction.atomic
def recompute(*, customer_id: int, at: datetime) -> list[Wallet]:
    """Work out the ongoing balances of all wallets of a customer, and return these, locked, in the order of their keys.

    A wallet whose time is over has nothing more to pay. One that is used up now is told once, until something is left
    again. Raises what rating raises.
    """
    db.lock_one(Customer.objects.filter(pk=customer_id))
    rows = db.lock(Wallet.objects.filter(customer=customer_id, status=Wallet.Status.ACTIVE))
    if not rows:
        return []
    models.prefetch_related_objects(rows, "billable_metrics")
    nets = wallet_usage.nets(customer_id=customer_id, at=at)
    paying = [row for row in rows if row.expiration_at is None or row.expiration_at > at]
    refilled = _with_threshold(paying, at)
    usage: dict[int, Money] = {}
    for place in {_place(row) for row in paying}:
        own = [row for row in paying if _place(row) == place]
        buckets = ongoing_balances.open_buckets(nets.get(place, {}), currency=place[1])
        usage |= ongoing_balances.cascade(
            buckets, purses=wallets.in_order([wallet_draws.purse(row) for row in own]), takes_all=refilled
        )
    depleted = []
    for row in rows:
        found = ongoing_balances.ongoing(
            usage.get(row.pk, money.zero(row.currency)),
            balance=row.balance_amount,
            credits_balance=row.credits_balance,
            rate=row.rate_amount,
        )
        row.ongoing_usage_amount, row.ongoing_balance_amount = found.usage, found.balance
        row.credits_ongoing_usage, row.credits_ongoing_balance = found.credits_usage, found.credits_balance
        row.ongoing_refreshed_at = at
        if found.is_depleted and not row.depleted_ongoing_balance:
            depleted.append(row)
        row.depleted_ongoing_balance = found.is_depleted
    Wallet.objects.bulk_update(rows, _ONGOING)
    _tell(depleted, at)
    return rows


def _waiting(after: int) -> list[Customer]:
    waiting = WalletCheck.objects.filter(customer__gt=after).order_by("customer").values("customer").distinct()
    return list(Customer.objects.filter(pk__in=waiting).order_by("pk")[:_PAGE])


def _with_threshold(rows: Sequence[Wallet], at: datetime) -> set[int]:
    """Return the wallets that top themselves up when they fall too low."""
    still = Q(expiration_at__isnull=True) | Q(expiration_at__gt=at)
    rules = RecurringTransactionRule.objects.filter(
        still,
        wallet__in=rows,
        status=RecurringTransactionRule.Status.ACTIVE,
        trigger=RecurringTransactionRule.Trigger.THRESHOLD,
    )
    return set(rules.values_list("wallet_id", flat=True))


def _tell(rows: Sequence[Wallet], at: datetime) -> None:
    if not rows:
        return
    numbers = dict(
        WalletDepletion.objects.filter(wallet__in=rows)
        .order_by()
        .values_list("wallet_id")
        .annotate(last=models.Max("number"))
    )
    WalletDepletion.objects.bulk_create(
        WalletDepletion(
            created_at=at,
            wallet=row,
            number=numbers.get(row.pk, 0) + 1,
            currency=row.currency,
            ongoing_balance_amount=row.ongoing_balance_amount,
        )
        for row in rows
    )
    outbox.record(webhook_types.WALLET_DEPLETED, rows, at=at)


def _place(row: Wallet) -> Place:
    return row.billing_entity_id, row.currency
