"""Usage on issued invoices by month and metric, and by subscription, in units and money. Never writes.

Read from what was rated, not from events. Amounts are net and before coupons; what progressive invoices billed first
counts there, and its units with the invoice that bills the whole. The month is that of the invoice's issuing date. So
the money is that of `invoicing.queries.analytics.invoiced_usage`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import DecimalField, F, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncMonth
from moneyed import Money

from billing.models import RatedCharge, Subscription
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.revenue import Asked

_PROGRESSIVE = RatedCharge.objects.filter(is_progressive=True).order_by().values("line_id")
"""Few, and found by an index of their own: nothing else has to be read about the origin of a line."""

_UNITS = Coalesce(Sum("units", filter=~Q(pk__in=_PROGRESSIVE)), Value(Decimal(0)), output_field=DecimalField())
_AMOUNT = F("amount") - F("progressive_credit_amount")
_NAMES = ("customer__external_id", "customer__name", "customer__firstname", "customer__lastname")


@dataclass(frozen=True, slots=True)
class MetricMonth:
    """What was billed of a metric in a month; ``month`` is its first day."""

    month: date
    code: str
    units: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class OfSubscription:
    """What was billed of the usage of a subscription over all the months."""

    subscription_id: int
    subscription: str
    customer: str
    amount: Money


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A line of usage on an issued invoice."""

    invoice_id: int
    invoice: str
    day: date
    customer_id: int
    customer: str
    subscription_id: int | None
    subscription: str
    metric: str
    units: Decimal
    amount: Money


def by_month(asked: Asked) -> list[MetricMonth]:
    """Return the usage of each month and metric in the currency asked for, oldest first. One statement."""
    rows = _lines(asked).values("item_code", month=TruncMonth("invoice__issuing_date"))
    return [
        MetricMonth(
            month=row["month"],
            code=row["item_code"],
            units=row["counted"],
            amount=Money(row["total"], str(asked.currency)),
        )
        for row in rows.annotate(counted=_UNITS, total=Sum(_AMOUNT)).order_by("month", "item_code")
    ]


def by_subscription(asked: Asked, *, most: int) -> list[OfSubscription]:
    """Return the subscriptions with the most usage in money, at most so many, the largest first. Two statements."""
    rows = _lines(asked).filter(rated_charge__isnull=False).values(key=F("rated_charge__subscription_id"))
    found = list(rows.annotate(total=Sum(_AMOUNT)).order_by("-total", "key")[:most])
    known = Subscription.objects.select_related("customer").in_bulk([row["key"] for row in found])
    return [
        OfSubscription(
            subscription_id=row["key"],
            subscription=known[row["key"]].name or known[row["key"]].external_id,
            customer=known[row["key"]].customer.display_name,
            amount=Money(row["total"], str(asked.currency)),
        )
        for row in found
    ]


def lines(asked: Asked, *, metrics: Sequence[str] = (), subscription_id: int | None = None) -> list[UsageLine]:
    """Return the lines behind a figure, by day and invoice: of some metrics, or of one subscription. One statement."""
    rows = _lines(asked)
    if metrics:
        rows = rows.filter(item_code__in=metrics)
    if subscription_id is not None:
        rows = rows.filter(rated_charge__subscription_id=subscription_id)
    found = rows.values(
        *("invoice_id", "invoice__number", "invoice__issuing_date", "customer_id", "item_code", "units"),
        *("rated_charge__subscription_id", "rated_charge__subscription__external_id"),
        *("rated_charge__subscription__name", "rated_charge__is_progressive", *_NAMES),
        net=_AMOUNT,
    )
    return [
        UsageLine(
            invoice_id=row["invoice_id"],
            invoice=row["invoice__number"],
            day=row["invoice__issuing_date"],
            customer_id=row["customer_id"],
            customer=_named(row),
            subscription_id=row["rated_charge__subscription_id"],
            subscription=str(
                row["rated_charge__subscription__name"] or row["rated_charge__subscription__external_id"] or ""
            ),
            metric=row["item_code"],
            units=Decimal(0) if row["rated_charge__is_progressive"] else row["units"],
            amount=Money(row["net"], str(asked.currency)),
        )
        for row in found.order_by("invoice__issuing_date", "invoice_id", "position")
    ]


def _lines(asked: Asked) -> models.QuerySet[InvoiceLine]:
    conditions = asked.conditions("issuing_date", prefix="invoice__")
    if asked.currency is not None:
        conditions &= Q(invoice__currency=asked.currency)
    return InvoiceLine.objects.filter(
        conditions, kind=InvoiceLine.Kind.CHARGE, invoice__status=Invoice.Status.FINALIZED
    ).order_by()


def _named(row: dict[str, Any]) -> str:
    person = f"{row['customer__firstname']} {row['customer__lastname']}".strip()
    return str(row["customer__name"] or person or row["customer__external_id"])
