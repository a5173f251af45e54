"""Which accounts are parked. Never writes."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, QuerySet

from billing.models import ParkedAccount
from customers.models import Customer


def parked(*, released: bool = False) -> QuerySet[ParkedAccount]:
    """Return the accounts that are parked, or all that ever were, with their customers, the newest first."""
    rows = ParkedAccount.objects.select_related("customer__billing_entity", "parked_by", "rehearsal")
    return rows if released else rows.filter(released_at__isnull=True)


def of_customer(*, customer_id: int) -> ParkedAccount | None:
    """Return the parking of a customer that is parked."""
    return parked().filter(customer_id=customer_id).first()


def among(*, customer_ids: Collection[int]) -> dict[int, ParkedAccount]:
    """Return the parkings of those of these customers that are parked, by customer. One query."""
    rows = ParkedAccount.objects.filter(customer_id__in=customer_ids, released_at__isnull=True)
    return {row.customer_id: row for row in rows}


def is_parked(reference: str = "customer_id") -> Exists:
    """Return the condition that the customer of a row is parked; ``reference`` is the row's column."""
    return Exists(ParkedAccount.objects.filter(customer_id=OuterRef(reference), released_at__isnull=True))


def customers() -> QuerySet[Customer]:
    """Return the customers that are parked."""
    return Customer.objects.filter(is_parked("pk"))
