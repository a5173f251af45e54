"""Reading coupons. Who has one is the customers app's to tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import models

from catalog.models import BillableMetric, Coupon, Plan
from config.kernel import errors


def listed(*, search_term: str | None = None) -> models.QuerySet[Coupon]:
    """Return the coupons that exist with their limits, newest first; the term is looked for in name and code."""
    rows = Coupon.objects.filter(deleted_at__isnull=True)
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.prefetch_related("plans", "metrics").order_by("-created_at", "-id")


def by_code(*, code: str) -> Coupon:
    """Return a coupon. Raises NotFound (`coupon_not_found`)."""
    found = listed().filter(code=code).first()
    if found is None:
        raise not_found(code)
    return found


def offered(*, at: datetime) -> models.QuerySet[Coupon]:
    """Return the coupons that may be applied at that moment: neither terminated nor expired."""
    return listed().filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=at), terminated_at__isnull=True)


def plans(*, codes: Sequence[str]) -> list[Plan]:
    """Return the plans of these codes. Raises NotFound (`plans_not_found`) if one does not exist."""
    found = list(Plan.objects.filter(code__in=codes, deleted_at__isnull=True)) if codes else []
    if missing := set(codes) - {plan.code for plan in found}:
        raise errors.NotFound("plans_not_found", f"There is no plan {min(missing)}.")
    return found


def metrics(*, codes: Sequence[str]) -> list[BillableMetric]:
    """Return the metrics of these codes. Raises NotFound (`billable_metrics_not_found`) if one does not exist."""
    found = list(BillableMetric.objects.filter(code__in=codes, deleted_at__isnull=True)) if codes else []
    if missing := set(codes) - {metric.code for metric in found}:
        raise errors.NotFound("billable_metrics_not_found", f"There is no metric {min(missing)}.")
    return found


def not_found(code: str) -> errors.NotFound:
    """Return what is raised where no coupon has this code."""
    return errors.NotFound("coupon_not_found", f"There is no coupon {code}.")
