"""Reading the coupons that customers have. What they took off invoices is told by the app above."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from catalog.models import Coupon
from config.kernel import errors
from customers.models import AppliedCoupon, Customer


@dataclass(frozen=True)
class AppliedCouponFilter:
    """What a list is narrowed to; nothing given narrows nothing."""

    status: str | None = None
    external_customer_id: str | None = None
    coupon_codes: Sequence[str] = ()


def listed() -> models.QuerySet[AppliedCoupon]:
    """Return applied coupons with coupon and customer, newest first."""
    return AppliedCoupon.objects.select_related("coupon", "customer").order_by("-created_at", "-id")


def search(wanted: AppliedCouponFilter) -> models.QuerySet[AppliedCoupon]:
    """Return the applied coupons that are wanted, of customers that exist, newest first."""
    rows = listed().filter(customer__deleted_at__isnull=True)
    if wanted.status is not None:
        rows = rows.filter(status=wanted.status)
    if wanted.external_customer_id is not None:
        rows = rows.filter(customer__external_id=wanted.external_customer_id)
    if wanted.coupon_codes:
        rows = rows.filter(coupon__code__in=list(wanted.coupon_codes))
    return rows


def of_customer(*, customer: Customer) -> models.QuerySet[AppliedCoupon]:
    """Return the coupons that a customer has or had, newest first, with their limits."""
    return listed().filter(customer=customer).prefetch_related("coupon__plans", "coupon__metrics")


def of_coupon(*, coupon: Coupon) -> models.QuerySet[AppliedCoupon]:
    """Return who has or had a coupon, newest first."""
    return listed().filter(coupon=coupon)


def find(public_id: uuid.UUID | None, *, customer: Customer) -> AppliedCoupon:
    """Return an applied coupon of a customer by its public id. Raises NotFound (`applied_coupon_not_found`)."""
    found = listed().filter(uuid=public_id, customer=customer).first() if public_id else None
    if found is None:
        raise errors.NotFound("applied_coupon_not_found", "The customer has no such coupon.")
    return found


def is_applied(coupon: Coupon) -> bool:
    """Say whether somebody has, or had, the coupon."""
    return AppliedCoupon.objects.filter(coupon=coupon).exists()
