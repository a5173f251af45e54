"""What a coupon may be: an amount or a rate, how often, until when. Owns these rules; knows no table, no customer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from moneyed import Money

FIXED_AMOUNT = "fixed_amount"
PERCENTAGE = "percentage"
ONCE = "once"
RECURRING = "recurring"
FOREVER = "forever"


def check_terms(
    *, kind: str, amount: Money | None, rate: Decimal | None, frequency: str, frequency_duration: int | None
) -> dict[str, list[str]]:
    """Return what is wrong with the terms of a coupon, as codes by field; nothing where they are right.

    An amount is more than nothing and rounded to its currency, a rate (a fraction) more than nothing and at most the
    whole; a recurring coupon says on how many invoices it is used.
    """
    is_fixed = kind == FIXED_AMOUNT
    figures = (
        ("amount_cents", is_fixed, None if amount is None else amount.amount > 0),
        ("percentage_rate", not is_fixed, None if rate is None else 0 < rate <= 1),
    )
    details: dict[str, list[str]] = {}
    for field, is_wanted, is_possible in figures:
        if is_possible is not None and not is_wanted:
            details[field] = ["coupon_type_does_not_match"]
        elif is_wanted and not is_possible:
            details[field] = ["value_is_mandatory" if is_possible is None else "value_is_out_of_range"]
    if frequency == RECURRING:
        if frequency_duration is None:
            details["frequency_duration"] = ["value_is_mandatory"]
        elif frequency_duration < 1:
            details["frequency_duration"] = ["value_is_out_of_range"]
    return details


def check_expiry(*, expires_at: datetime | None, at: datetime) -> dict[str, list[str]]:
    """Return what is wrong with an end: it lies ahead. No end is always right."""
    if expires_at is not None and expires_at <= at:
        return {"expiration_at": ["invalid_date"]}
    return {}
