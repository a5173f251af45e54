"""Prepaid credit as readers want it: of a customer, with what drew on it. Never writes."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Sum
from moneyed import Money

from invoicing.models import PrepaidCredit


@dataclass(frozen=True)
class Balance:
    """What a customer was granted in one currency, of what is open now, and what is left of that."""

    granted: Money
    left: Money


def of_customer(*, customer_id: int) -> models.QuerySet[PrepaidCredit]:
    """Return the prepaid credit of a customer, newest first, with its uses and their invoices."""
    rows = PrepaidCredit.objects.filter(customer_id=customer_id).select_related("customer", "rolled_from")
    return rows.prefetch_related("uses__invoice").order_by("-created_at", "-pk")


def balances(*, customer_id: int) -> dict[str, Balance]:
    """Return what is left of a customer's open credit, by currency."""
    rows = PrepaidCredit.objects.filter(customer_id=customer_id, status=PrepaidCredit.Status.ACTIVE).order_by()
    sums = rows.values("currency").annotate(granted=Sum("amount"), used=Sum("used_amount")).order_by("currency")
    return {
        row["currency"]: Balance(
            granted=Money(row["granted"], row["currency"]), left=Money(row["granted"] - row["used"], row["currency"])
        )
        for row in sums
    }
