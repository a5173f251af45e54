"""What webhook endpoints are told of subscriptions and contracts: each as a GET of it answers, with its customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from billing.api import contract_shapes, subscription_forms
from billing.models import Contract, Subscription
from billing.queries import sold_contracts
from billing.queries import subscriptions as known
from config.platform.api import representations
from customers.models import Customer


def subscriptions(instances: Sequence[Subscription]) -> list[dict[str, Any]]:
    """Return subscriptions with their plans and customers, in their order. The running period is that of now."""
    rows = known.with_prices(Subscription.objects.filter(pk__in={one.pk for one in instances}))
    found = {row.pk: row for row in rows}
    ordered = [found[one.pk] for one in instances]
    customers = _customers({row.customer_id for row in ordered})
    shown = subscription_forms.full(ordered, at=timezone.now())
    return [{**content, "customer": customers[row.customer_id]} for row, content in zip(ordered, shown, strict=True)]


def contracts(instances: Sequence[Contract]) -> list[dict[str, Any]]:
    """Return contracts with the progress of their commitments, in their order."""
    rows = sold_contracts.with_content(Contract.objects.filter(pk__in={one.pk for one in instances}))
    found = {row.pk: row for row in rows}
    return [contract_shapes.full(found[one.pk]) for one in instances]


def _customers(ids: set[int]) -> dict[int, dict[str, Any]]:
    """Return customers by key, retired ones too."""
    rows = Customer.objects.filter(pk__in=ids).select_related("billing_entity")
    found = list(rows.prefetch_related("metadata", "taxes"))
    shown = representations.represent("customers.customer", found)
    return {row.pk: content for row, content in zip(found, shown, strict=True)}
