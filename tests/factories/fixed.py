"""Makers of add-ons and fixed charges, and readers of what was billed of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog.models import AddOn
from catalog.services import add_ons
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories.platform import ACTOR, AT


def make_add_on(code: str = "seat", *, at: datetime = AT, **values: Any) -> AddOn:
    """Make an add-on of two euros."""
    content: Any = {"code": code, "name": code.capitalize(), "amount_cents": 200, "amount_currency": "EUR", **values}
    return add_ons.create(values=content, actor=ACTOR, at=at)


def standard(add_on: AddOn, units: str = "10", amount: str = "10", **values: Any) -> dict[str, Any]:
    """Return a fixed charge of a price per unit, as services and the API's plans take it."""
    return {
        "add_on_id": add_on.uuid,
        "charge_model": "standard",
        "units": Decimal(units),
        "properties": {"amount": amount},
        **values,
    }


def billed(customer: Customer) -> list[tuple[str, str, str]]:
    """Return the fixed charges on a customer's invoices, oldest first: first day, units and net amount."""
    rows = InvoiceLine.objects.filter(customer=customer, kind=InvoiceLine.Kind.FIXED_CHARGE).order_by("pk")
    return [
        (row.from_at.date().isoformat(), f"{row.units.normalize():f}", f"{row.amount.amount.normalize():f}")
        for row in rows
    ]
