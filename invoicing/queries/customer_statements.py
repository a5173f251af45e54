"""A customer's account with a seller in one currency: what moved what it owes, and what is open. Never writes.

From postings alone, so that ``known_on`` gives the same answer whenever it is asked.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Sum
from moneyed import Money

from config.kernel import money
from customers.models import BillingEntity, Customer
from invoicing.domain import accounts, ageing
from invoicing.domain import ledger as bookings
from invoicing.models import LedgerEntry
from invoicing.queries import ledger, open_items
from invoicing.queries.open_items import OpenItem


@dataclass(frozen=True)
class Movement:
    """An entry that changed what the customer owes: by how much, and what it owed then."""

    entry: LedgerEntry
    amount: Money
    balance: Money


@dataclass(frozen=True)
class CustomerStatement:
    """What a customer owes a seller in one currency over days, and what of it is open at their end.

    ``ages`` has every bucket of `ageing.BUCKETS`. ``credit`` and ``prepaid`` are what the customer has with the seller.
    """

    customer: Customer
    billing_entity: BillingEntity
    currency: str
    since: date | None
    until: date
    opening: Money
    movements: tuple[Movement, ...]
    closing: Money
    items: tuple[OpenItem, ...]
    ages: dict[str, Money]
    disputed: Money
    credit: Money
    prepaid: Money


def statements(
    *,
    customer: Customer,
    until: date,
    since: date | None = None,
    billing_entity_id: int | None = None,
    currency: str | None = None,
    known_on: datetime | None = None,
) -> list[CustomerStatement]:
    """Return the customer's accounts, one for each seller and currency with bookings up to ``until``.

    Both days are included. The closing balance is the sum of the open items. Four queries, and two for each account.
    """
    postings = ledger.known(known_on=known_on).filter(entry__customer=customer, entry__accounting_date__lte=until)
    if billing_entity_id is not None:
        postings = postings.filter(entry__billing_entity_id=billing_entity_id)
    if currency is not None:
        postings = postings.filter(currency=currency)
    owed = Q(account__role__in=accounts.OPEN_ITEMS)
    before = Q(pk__in=[]) if since is None else Q(entry__accounting_date__lt=since)
    sums = (
        postings.values("entry__billing_entity_id", "currency")
        .annotate(
            opening=Sum("amount", filter=owed & before, default=Decimal(0)),
            credit=Sum("amount", filter=Q(account__role=bookings.CUSTOMER_CREDIT), default=Decimal(0)),
            prepaid=Sum("amount", filter=Q(account__role=bookings.PREPAID), default=Decimal(0)),
        )
        .order_by("entry__billing_entity_id", "currency")
    )
    keys = list(sums)
    sellers = BillingEntity.objects.in_bulk([row["entry__billing_entity_id"] for row in keys])
    open_ones = open_items.items(
        customer_id=customer.pk, billing_entity_id=billing_entity_id, until=until, known_on=known_on
    )
    moved = postings.filter(owed & ~before)
    by_entry = list(
        moved.values("entry_id", "currency", "entry__billing_entity_id").annotate(total=Sum("amount")).exclude(total=0)
    )
    entries = LedgerEntry.objects.in_bulk([row["entry_id"] for row in by_entry])
    found = []
    for row in keys:
        seller, code = row["entry__billing_entity_id"], row["currency"]
        amounts = {
            one["entry_id"]: Money(one["total"], code)
            for one in by_entry
            if (one["entry__billing_entity_id"], one["currency"]) == (seller, code)
        }
        own = tuple(item for item in open_ones if (item.billing_entity_id, item.amount.currency.code) == (seller, code))
        movements = _movements(amounts, entries, Money(row["opening"], code))
        found.append(
            CustomerStatement(
                customer=customer,
                billing_entity=sellers[seller],
                currency=code,
                since=since,
                until=until,
                opening=Money(row["opening"], code),
                movements=movements,
                closing=movements[-1].balance if movements else Money(row["opening"], code),
                items=own,
                ages=_ages(own, until, code),
                disputed=sum((item.disputed for item in own), money.zero(code)),
                credit=-Money(row["credit"], code),
                prepaid=-Money(row["prepaid"], code),
            )
        )
    return found


def _movements(amounts: dict[int, Money], entries: dict[int, LedgerEntry], opening: Money) -> tuple[Movement, ...]:
    ordered = sorted((entries[pk] for pk in amounts), key=lambda entry: (entry.accounting_date, entry.pk))
    balances = itertools.accumulate((amounts[entry.pk] for entry in ordered), initial=opening)
    next(balances)
    return tuple(Movement(entry, amounts[entry.pk], balance) for entry, balance in zip(ordered, balances, strict=True))


def _ages(items: tuple[OpenItem, ...], today: date, currency: str) -> dict[str, Money]:
    found = open_items.ages(found=items, today=today)
    return found.get(currency, {name: money.zero(currency) for name in ageing.BUCKETS})
