"""Makers of coupons, and of coupons that customers have, through the services."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from catalog.models import Coupon
from customers.models import AppliedCoupon, Customer
from customers.services import applied_coupons, coupons
from tests.factories.invoicing import ACTOR, AT


def make_coupon(code: str = "c1", *, amount_cents: int | None = None, rate: str = "", **values: Any) -> Coupon:
    """Make a coupon of 10.00 EUR, used once, unless said otherwise; with a rate (a fraction) a percentage."""
    at = values.pop("at", AT)
    terms: dict[str, Any] = (
        {"kind": "percentage", "rate": Decimal(rate)}
        if rate
        else {
            "kind": "fixed_amount",
            "amount_cents": 1000 if amount_cents is None else amount_cents,
            "amount_currency": values.pop("currency", "EUR"),
        }
    )
    content: Any = {"code": code, "name": code.upper(), "frequency": "once", **terms, **values}
    return coupons.create(values=content, actor=ACTOR, at=at)


def apply(customer: Customer, coupon: Coupon | str, *, at: datetime = AT, **terms: Any) -> AppliedCoupon:
    """Give a customer a coupon."""
    code = coupon if isinstance(coupon, str) else coupon.code
    given: Any = terms
    return applied_coupons.apply(
        external_customer_id=customer.external_id, coupon_code=code, terms=given, actor=ACTOR, at=at
    )


def give(customer: Customer, code: str = "c1", **values: Any) -> AppliedCoupon:
    """Make a coupon and give it to a customer."""
    at = values.pop("at", AT)
    return apply(customer, make_coupon(code, at=at, **values), at=at)
