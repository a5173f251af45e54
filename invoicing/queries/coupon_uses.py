"""What coupons took off invoices, as readers want it, and whether it is what they should have taken. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.db.models import Count, Sum
from moneyed import Money

from catalog.models import Coupon
from customers.models import AppliedCoupon
from invoicing.domain import coupon_trace
from invoicing.domain.coupons import Billed
from invoicing.models import Invoice, InvoiceCoupon, InvoiceLine


@dataclass(frozen=True)
class Given:
    """What a coupon took off invoices in one currency, and how many those were; what was given back does not count."""

    amount: Money
    invoices: int


def of_applied(*, applied: Sequence[AppliedCoupon]) -> models.QuerySet[InvoiceCoupon]:
    """Return the uses of coupons of customers that were not given back, oldest first, with invoice and coupon."""
    rows = InvoiceCoupon.objects.filter(applied_coupon__in=applied, given_back_at__isnull=True)
    return rows.select_related("invoice", "applied_coupon__coupon").order_by("pk")


def of_coupon(*, coupon: Coupon) -> models.QuerySet[InvoiceCoupon]:
    """Return the uses of a coupon by whichever customer, newest first, with invoice and customer."""
    rows = InvoiceCoupon.objects.filter(applied_coupon__coupon=coupon)
    return rows.select_related("invoice__customer").order_by("-pk")


def given(*, coupon: Coupon) -> list[Given]:
    """Return what a coupon took off in all, by currency. One query."""
    rows = InvoiceCoupon.objects.filter(applied_coupon__coupon=coupon, given_back_at__isnull=True)
    sums = rows.order_by("currency").values("currency").annotate(whole=Sum("amount"), count=Count("pk"))
    return [Given(Money(row["whole"], row["currency"]), row["count"]) for row in sums]


def billed(line: InvoiceLine) -> Billed:
    """Return a line as coupons see it: without what was billed progressively before."""
    is_usage = line.kind == InvoiceLine.Kind.CHARGE
    return Billed(net=line.net_amount, plan=line.plan_code, metric=line.item_code if is_usage else "")


def agrees(*, invoice: Invoice) -> bool:
    """Compute again what coupons took off an issued invoice and its lines, and say whether it is what is stored."""
    uses = list(invoice.coupons.order_by("position"))
    lines = list(invoice.lines.order_by("position"))
    shares = {line.position: line.precise_coupons_amount for line in lines}
    told = coupon_trace.shares([use.trace for use in uses])
    if any(share != told.get(position, 0) for position, share in shares.items()):
        return False
    return coupon_trace.agrees(
        stored=[(use.position, use.amount, use.trace) for use in uses],
        lines={line.position: billed(line) for line in lines},
        currency=invoice.currency,
    )
