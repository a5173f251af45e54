"""What webhook endpoints are told of quotes, order forms and orders: each as a GET of it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.api import quote_shapes
from billing.models import Order, OrderForm, Quote
from billing.queries import quotes as known


def quotes(instances: Sequence[Quote]) -> list[dict[str, Any]]:
    """Return quotes with their newest versions, in their order."""
    found = {row.pk: row for row in known.with_content(Quote.objects.filter(pk__in={one.pk for one in instances}))}
    return quote_shapes.quotes([found[one.pk] for one in instances])


def order_forms(instances: Sequence[OrderForm]) -> list[dict[str, Any]]:
    """Return order forms, in their order."""
    found = {row.pk: row for row in known.order_forms().filter(pk__in={one.pk for one in instances})}
    return quote_shapes.order_forms([found[one.pk] for one in instances])


def orders(instances: Sequence[Order]) -> list[dict[str, Any]]:
    """Return orders, in their order."""
    found = {row.pk: row for row in known.orders().filter(pk__in={one.pk for one in instances})}
    return quote_shapes.orders([found[one.pk] for one in instances])
